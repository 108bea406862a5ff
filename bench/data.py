"""Ingestion: how long files take from upload to profiled dataset, beside Polars alone, and what memory the processes take.

`python -m bench.data fashion wide gigabyte`, or some of these. A process's memory is its peak resident set, as the kernel
counts it, libraries and mapped files and all: that is what is judged. In brackets, what of it maps no file.
"""

import atexit
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Event, Thread

import httpx2 as httpx
import numpy as np
import polars as pl

from bench.fashion import FOLDER, read_idx
from bench.understanding import one_pass
from cli.demo import embedded

TARGET_RATIO, TARGET_H2O, TARGET_MEMORY, TARGET_API_BYTES = 1.5, 4.1, 3.0, 2**30
REPEATS = 3
GIGABYTE_ROWS, GIGABYTE_COLUMNS = 6_500_000, 20
WIDE_COLUMNS = (1_000, 10_000)


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        embedded(Path(folder)) as url,
        httpx.Client(base_url=url, timeout=900) as client,
    ):
        for part in sys.argv[1:] or ("fashion", "wide"):
            PARTS[part](client, Path(folder))


def write_csv(path: Path, images: np.ndarray, labels: np.ndarray) -> None:
    flat = images.reshape(len(images), -1)
    names = [f"pixel_{index}" for index in range(flat.shape[1])]
    pl.DataFrame({"label": labels, **dict(zip(names, flat.T, strict=True))}).write_csv(path)


def fashion(client: httpx.Client, place: Path) -> None:
    if not FOLDER.is_dir():
        sys.exit(f"{FOLDER} is not there; on Debian: apt-get install dataset-fashion-mnist")
    path = place / "fashion.csv"
    write_csv(path, read_idx("train-images-idx3"), read_idx("train-labels-idx1"))
    size = path.stat().st_size
    ways = {"ours": lambda: upload(client, path)[0], "Polars": lambda: in_polars(path)}
    if find_spec("h2o"):
        ways["H2O"] = lambda: in_h2o(path)
    for way in ways.values():
        way()  # warm
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with peaks() as found:
        for _ in range(REPEATS):
            for name, way in ways.items():
                seconds[name].append(way())
    best = {name: min(taken) for name, taken in seconds.items()}
    print(
        f"Fashion-MNIST as CSV, {size / 1e6:.0f} MB: upload to profiled dataset {best['ours']:.2f} s; Polars' read_csv and one "
        f"select of the same statistics {best['Polars']:.2f} s; {best['ours'] / best['Polars']:.2f} × (target ≤ {TARGET_RATIO})"
    )
    said = f"{best['H2O']:.2f} s" if "H2O" in best else "not here; it takes pip install h2o, and Java"
    print(f"  H2O-3's upload_file, which parses it: {said} (target: slower than ours; {TARGET_H2O} s where that was set)")
    memory, own = (sum(found[role][place] for role in ("API", "reader")) / size for place in (0, 1))
    print(f"  peak memory: {shown(found)}; API and reader {memory:.2f} ({own:.2f}) × the file (target ≤ {TARGET_MEMORY:g})")


def in_polars(path: Path) -> float:
    """Seconds for Polars to read the file and find all columns' statistics, the contract's, in one select."""
    began = time.perf_counter()
    one_pass(pl.read_csv(path))
    return time.perf_counter() - began


def in_h2o(path: Path) -> float:
    """Seconds for H2O-3 to take the file in."""
    import h2o

    if h2o.connection() is None:
        h2o.init(max_mem_size="4g", verbose=False)
        h2o.no_progress()
        atexit.register(lambda: h2o.cluster().shutdown())
    began = time.perf_counter()
    frame = h2o.upload_file(str(path))
    taken = time.perf_counter() - began
    h2o.remove(frame)
    return taken


def wide(client: httpx.Client, place: Path) -> None:
    seconds = []
    for columns in WIDE_COLUMNS:
        values = np.random.default_rng(0).normal(size=(200, columns)).round(4)
        path = place / "wide.csv"
        pl.DataFrame(values, [f"x{index}" for index in range(columns)]).write_csv(path)
        seconds.append(min(upload(client, path)[0] for _ in range(REPEATS)))
    times = ", ".join(f"{columns:,} columns {taken:.2f} s" for columns, taken in zip(WIDE_COLUMNS, seconds, strict=True))
    print(f"200 rows of {times}: {seconds[1] / seconds[0]:.1f} × for 10 × (quadratic would be 100 ×)")


def gigabyte(client: httpx.Client, place: Path) -> None:
    """A gigabyte of CSV and one of Parquet, each read and trained on."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(GIGABYTE_ROWS, GIGABYTE_COLUMNS)).astype(np.float32)
    table = pl.DataFrame(X, [f"x{index}" for index in range(GIGABYTE_COLUMNS)])
    table = table.with_columns(y=pl.Series(X @ rng.normal(size=GIGABYTE_COLUMNS).astype(np.float32)))
    doubled = table.select(pl.all().cast(pl.Float64))
    for path, write in (
        (place / "gigabyte.csv", lambda path: table.head(GIGABYTE_ROWS * 4 // 5).write_csv(path, float_precision=6)),
        (place / "gigabyte.parquet", lambda path: doubled.write_parquet(path, compression="snappy")),
    ):
        write(path)
        with peaks() as found:
            seconds, dataset = upload(client, path)
            request = {"dataset_id": dataset["id"], "target": "y", "model": {"kind": "linear_regression"}}
            job = client.post("/v1/jobs", json=request).raise_for_status().json()
            while not (job := client.get(f"/v1/jobs/{job['id']}").json())["done"]:
                time.sleep(0.2)

        print(
            f"{path.suffix[1:]} of {path.stat().st_size / 1e9:.2f} GB, {dataset['rows']:,} rows: dataset in {seconds:.1f} s, "
            f"job {job['state']}; peak memory: {shown(found)} (target: API ≤ {TARGET_API_BYTES / 2**20:.0f} MiB)"
        )
        path.unlink()
        client.delete(f"/v1/datasets/{dataset['id']}")


def upload(client: httpx.Client, path: Path) -> tuple[float, dict]:
    began = time.perf_counter()
    with path.open("rb") as file:
        dataset = client.post("/v1/datasets", files={"file": (path.name, file)}).raise_for_status().json()
    return time.perf_counter() - began, dataset


ROLES = {"store.reader": "reader", "cli.main\0serve": "API", "cli.main\0worker": "worker", "cli.main\0up": "supervisor"}


Peaks = dict[str, tuple[int, int]]


@contextmanager
def peaks() -> Iterator[Peaks]:
    """While the block runs: the peak resident set of each kind of process below this one, and of its own memory in it."""
    found: Peaks = {}
    over = Event()
    for number, *_ in sizes():
        Path("/proc", number, "clear_refs").write_text("5")  # what it had before is no peak of the block's

    def watch() -> None:
        while not over.wait(0.01):
            for _, role, resident, own in sizes():
                before = found.get(role, (0, 0))
                found[role] = (max(before[0], resident), max(before[1], own))

    thread = Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()


def sizes() -> Iterator[tuple[str, str, int, int]]:
    """Number, kind, peak resident bytes, and those present that map no file, of each process below this one."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            status = dict(line.split(":", 1) for line in (entry / "status").read_text().splitlines())
            command = (entry / "cmdline").read_bytes()
        except (OSError, ValueError):
            continue
        peak, *own = [int(status.get(name, "0").split()[0]) * 1024 for name in ("VmHWM", "RssAnon", "RssShmem")]
        found[entry.name] = (status["PPid"].strip(), command, (peak, sum(own)))
    me = Path("/proc/self").resolve().name
    for number, (_, command, (resident, own)) in found.items():
        above = number
        while above in found and above != me:
            above = found[above][0]
        if above == me and number != me:
            yield number, next((role for word, role in ROLES.items() if word.encode() in command), "other"), resident, own


def shown(found: Peaks) -> str:
    parts = (f"{role} {resident / 2**20:.0f} ({own / 2**20:.0f})" for role, (resident, own) in sorted(found.items()))
    return ", ".join(parts) + " MiB"


PARTS = {"fashion": fashion, "wide": wide, "gigabyte": gigabyte}


if __name__ == "__main__":
    main()
