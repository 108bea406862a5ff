"""Content in the database against content in files, by size: where VIDRO_INLINE_BYTES should lie."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from store.database import Database
from store.files import Files
from store.migrate import migrate

SIZES = (1_000, 10_000, 100_000, 1_000_000, 10_000_000)
REPEATS = 9
Result = TypeVar("Result")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/vidro.db")
        migrate(database)
        stores = {"database": Files(Path(folder, "files"), 10**9), "file": Files(Path(folder, "files"), 0)}
        print(
            f"{'bytes':>12} {'put: database':>15} {'file':>10} {'get: database':>15} {'file':>10}   (ms, median of {REPEATS})"
        )
        for size in SIZES:
            times = {(action, name): [] for action in ("put", "get") for name in stores}
            for _ in range(REPEATS):
                for name, files in stores.items():  # interleaved, so that a busy moment strikes both
                    digest = timed(times["put", name], partial(put, database, files, os.urandom(size)))
                    timed(times["get", name], partial(get, database, files, digest))
            shown = [statistics.median(times[key]) for key in times]
            print(f"{size:>12,} {shown[0]:>15.2f} {shown[1]:>10.2f} {shown[2]:>15.2f} {shown[3]:>10.2f}")
        database.close()


def timed(times: list[float], action: Callable[[], Result]) -> Result:
    began = time.perf_counter()
    result = action()
    times.append((time.perf_counter() - began) * 1000)
    return result


def put(database: Database, files: Files, content: bytes) -> str:
    with database.transaction() as session:
        return files.put(session, content)


def get(database: Database, files: Files, digest: str) -> bytes:
    with database.reading() as session:
        return files.get(session, digest)


if __name__ == "__main__":
    main()
