"""Files read in a process of their own: kept, replaced when it is gone, and its end is one upload's trouble alone."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from store.errors import TooLarge, TooManyRequests, UnknownFormat, UnreadableFile
from store.formats.assembly import map_table
from store.ingestion import Ingested, Reader, Readers
from store.readings.options import ReadOptions
from store.settings import Settings
from tests.store.staging import together


@pytest.fixture
def readers() -> Iterator[Readers]:
    made = Readers()
    yield made
    made.close()


def read(pool: Readers, folder: Path, content: str | bytes, name: str = "t.csv", **settings: Any) -> Ingested:
    folder.mkdir(exist_ok=True)
    path = folder / "file-0"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return pool.read(Settings(**settings), [(path, name)], None, ReadOptions(), folder)


def test_what_is_read_is_described(readers: Readers, tmp_path: Path) -> None:
    found = read(readers, tmp_path, "a,b\n1,x\n2,\n")
    assert (found.source["format"], found.rows) == ("csv", 2)
    assert [(column["name"], column["kind"], column["missing"]) for column in found.columns] == [
        ("a", "integer", 0),
        ("b", "categorical", 1),
    ]
    assert "MISSING_VALUES" in [warning["code"] for warning in found.warnings]
    assert map_table(found.table.path).rows() == [(1, "x"), (2, None)]


def test_a_reader_is_kept_and_one_that_is_gone_replaced(readers: Readers, tmp_path: Path) -> None:
    read(readers, tmp_path, "a\n1\n")
    (first,) = readers._idle
    read(readers, tmp_path, "a\n1\n")
    assert readers._idle == [first]
    first.process.kill()
    first.process.wait()
    assert read(readers, tmp_path, "a\n1\n").rows == 1
    assert readers._idle != [first]


@pytest.mark.parametrize(
    ("content", "name", "error"),
    [("a,b\n1\n", "t.csv", UnreadableFile), ("x", "t.docx", UnknownFormat), (b"\x1f\x8b", "t.csv", UnreadableFile)],
)
def test_a_refusal_comes_through_and_the_reader_goes_on(
    readers: Readers, tmp_path: Path, content: str | bytes, name: str, error: type[Exception]
) -> None:
    with pytest.raises(error):
        read(readers, tmp_path, content, name)
    (kept,) = readers._idle
    assert kept.process.poll() is None


def test_what_takes_too_much_memory_is_too_large(readers: Readers, tmp_path: Path) -> None:
    """Sixty megabytes of JSON columns, which cannot be read in stretches, where 300 may be taken in all."""
    cells = json.dumps(list(range(1000)))[1:-1]
    columns = ",".join(f'"c{place}":[{",".join([cells] * 600)}]' for place in range(20))
    with pytest.raises(TooLarge, match="VIDRO_READER_BYTES"):
        read(readers, tmp_path, "{" + columns + "}", "t.json", reader_bytes=300 << 20)
    assert read(readers, tmp_path, "a\n1\n").rows == 1


def test_what_takes_too_long_is_too_large(readers: Readers, tmp_path: Path) -> None:
    read(readers, tmp_path, "a\n1\n")
    with pytest.raises(TooLarge, match="VIDRO_READER_SECONDS"):
        read(readers, tmp_path, "a\n" + '"x"\n' * 3_000_000, reader_seconds=0.05)
    assert read(readers, tmp_path, "a\n1\n").rows == 1


def test_a_reader_that_dies_over_a_file_is_one_file_s_trouble(
    readers: Readers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read(readers, tmp_path, "a\n1\n")
    (reader,) = readers._idle
    os.kill(reader.process.pid, signal.SIGSTOP)  # so that it is still at it when it dies
    wait = Reader._line

    def die_first(self: Reader, seconds: float) -> bytes:
        os.kill(self.process.pid, signal.SIGSEGV)
        os.kill(self.process.pid, signal.SIGCONT)
        return wait(self, seconds)

    with monkeypatch.context() as patch:
        patch.setattr(Reader, "_line", die_first)
        with pytest.raises(UnreadableFile, match="broke the process that read it"):
            read(readers, tmp_path, "a\n1\n")
    assert read(readers, tmp_path, "a\n1\n").rows == 1


def test_what_an_earlier_file_did_to_a_reader_is_no_later_file_s_trouble(
    readers: Readers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kept reader that dies may have been broken before: the file is given to one that has read nothing yet."""
    read(readers, tmp_path, "a\n1\n")
    (kept,) = readers._idle
    os.kill(kept.process.pid, signal.SIGSEGV)
    kept.process.wait()
    with monkeypatch.context() as patch:
        patch.setattr(kept.process, "poll", lambda: None)  # as where it dies a moment later
        assert read(readers, tmp_path, "a\n1\n").rows == 1


def test_only_so_many_read_at_once(readers: Readers, tmp_path: Path) -> None:
    one = {"readers": 1, "wait_seconds": 60}
    rows = together(4, lambda place: read(readers, tmp_path / str(place), "a\n" + "1\n" * (place + 1), **one).rows)
    assert rows == [1, 2, 3, 4]
    assert len(readers._idle) == 1


def test_who_waits_long_for_a_reader_is_told_to_come_back(readers: Readers, tmp_path: Path) -> None:
    readers._busy = 1
    with pytest.raises(TooManyRequests, match="its turn; try again in 1 s"):
        read(readers, tmp_path, "a\n1\n", readers=1, wait_seconds=0.01)
    readers._busy = 0
    assert read(readers, tmp_path, "a\n1\n", readers=1).rows == 1


def test_a_reader_ends_when_nobody_asks_any_more(readers: Readers, tmp_path: Path) -> None:
    read(readers, tmp_path, "a\n1\n")
    (reader,) = readers._idle
    assert reader.process.stdin is not None
    reader.process.stdin.close()
    until = time.monotonic() + 10
    while reader.process.poll() is None and time.monotonic() < until:
        time.sleep(0.01)
    assert reader.process.poll() == 0


@pytest.mark.parametrize(
    ("started", "spared"),
    [("store.reader", ("sqlalchemy", "pyarrow", "numba", "fastapi")), ("service.app", ("pyarrow", "numba"))],
)
def test_what_a_process_starts_with_is_little(started: str, spared: tuple[str, ...]) -> None:
    """Libraries that take memory are loaded when a file or a job needs them."""
    code = f"import sys, {started}; print([name for name in {spared} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
