"""/healthz beside every kind of load, against a real server: median and 99th percentile, and what the server's memory was.

The load comes from a process of its own, so that the measuring one is not slowed by it.
"""

import asyncio
import json
import multiprocessing
import os
import sqlite3
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx

from bench.processes import free_port, iris, running

SECONDS = 6.0
EVERY = 0.02
TARGET_MILLISECONDS = 250
AT_ONCE = 16
Case = Callable[[str, dict[str, str]], int]
DESCENT = {"kind": "adam", "learning_rate": 0.01}


def main() -> None:
    print(f"/healthz every {EVERY * 1000:g} ms for {SECONDS:g} s a case, on {processor()}, {os.cpu_count()} cores")
    print(f"{'beside':<58} {'asked':>6} {'median':>8} {'p99':>8} {'most':>8}  memory, answers")
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        with running("up", data=folder, port=port, wait_seconds=3):
            url = f"http://127.0.0.1:{port}"
            pid = wait_until_up(url, port)
            known = furnish(url)
            for name, case in CASES.items():
                measure(name, case, url, folder, known, pid)


def measure(
    name: str, case: Case | None, url: str, folder: str, known: dict[str, str], pid: int, at_once: int = AT_ONCE
) -> None:
    context = multiprocessing.get_context("spawn")
    statuses = context.Queue()
    load = None
    if case is not None:
        load = context.Process(target=attack, args=(name, case, at_once, url, folder, known, statuses), daemon=True)
        load.start()
        statuses.get()  # it has begun
    times, memory = asyncio.run(health(url, pid))
    counted: dict[str, int] = {}
    if load is not None:
        load.terminate()
        load.join()
        settle(pid)
        while not statuses.empty():
            status = statuses.get()
            counted[status] = counted.get(status, 0) + 1
    times.sort()
    median, p99 = statistics.median(times), times[int(len(times) * 0.99)]
    told = ", ".join(f"{status}: {count}" for status, count in sorted(counted.items()))
    mark = "" if p99 <= TARGET_MILLISECONDS else "  over the target"
    print(
        f"{name:<58} {len(times):>6} {median:>6.1f}ms {p99:>6.1f}ms {times[-1]:>6.1f}ms"
        f"  {memory / 2**20:,.0f} MiB {told}{mark}",
        flush=True,
    )


async def health(url: str, pid: int) -> tuple[list[float], int]:
    """Milliseconds of each answer, asked for at even intervals whether or not the last one has come; the most memory."""
    times: list[float] = []
    memory = 0
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=httpx.Limits(max_connections=None)) as client:

        async def ask() -> None:
            began = time.perf_counter()
            (await client.get("/healthz")).raise_for_status()
            times.append((time.perf_counter() - began) * 1000)

        tasks, until = [], time.monotonic() + SECONDS
        while time.monotonic() < until:
            tasks.append(asyncio.create_task(ask()))
            memory = max(memory, resident(pid))
            await asyncio.sleep(EVERY)
        await asyncio.gather(*tasks)
    return times, memory


def settle(pid: int) -> None:
    """Wait until the server is through with what was asked of it before."""
    before, until = -1.0, time.monotonic() + 120
    while (used := processor_seconds(pid)) > before + 0.05 and time.monotonic() < until:
        before = used
        time.sleep(0.5)


def processor_seconds(pid: int) -> float:
    """The processor's time that a process has had."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def attack(name: str, case: Case, at_once: int, url: str, folder: str, known: dict[str, str], statuses: Any) -> None:
    """Do the case again and again, so many side by side."""

    def again() -> None:
        while True:
            try:
                statuses.put(str(case(url, known)))
            except Exception as error:
                statuses.put(type(error).__name__)
                time.sleep(0.05)

    with held(name, folder):
        statuses.put("begun")
        threads = [threading.Thread(target=again, daemon=True) for _ in range(8 if name in EIGHT else at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


@contextmanager
def held(name: str, folder: str) -> Iterator[None]:
    """Where the case is a locked database, its lock."""
    if name != LOCKED:
        yield
        return
    connection = sqlite3.connect(Path(folder, "vidro.db"), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield


@dataclass(frozen=True)
class Call:
    """A call, with a body where there is one; `{name}` in either stands for what is known by that name."""

    path: str
    body: Any = None

    def __call__(self, url: str, known: dict[str, str]) -> int:
        where = url + self.path.format(**known)
        if self.body is None:
            return httpx.get(where, timeout=60).status_code
        content = json.dumps(self.body)
        for name, value in known.items():
            content = content.replace(f"{{{name}}}", value)
        headers = {"Content-Type": "application/json"}
        return httpx.post(where, content=content.encode(), headers=headers, timeout=60).status_code


def post(path: str, body: Any) -> Case:
    return Call(path, body)


def get(path: str) -> Case:
    return Call(path)


def upload(url: str, known: dict[str, str]) -> int:
    rows = "".join(f"{number},{number % 7},{number % 11}\n" for number in range(60_000)).encode()
    stamp = f"a{time.monotonic_ns()}".encode()
    return httpx.post(f"{url}/v1/datasets", files={"file": ("t.csv", stamp + b",b,c\n" + rows)}, timeout=60).status_code


ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
LOCKED = "writers on a locked database"
WRONG = "bodies of 13 MiB, wrong in 300,000 places (8 at once)"
KEYS = "bodies of a million keys (8 at once)"
PREDICT = "predictions of 100,000 rows (8 at once)"
EIGHT = (WRONG, KEYS, PREDICT)
CASES: dict[str, Case | None] = {
    "nothing": None,
    "GET /v1/jobs": get("/v1/jobs"),
    LOCKED: post("/v1/datasets", {"sample": {"kind": "xor"}}),
    "uploads that wait for a reader": upload,
    "descents of 4 optimizers over 10,000 steps": post(
        "/v1/landscapes/beale/descend", {"optimizers": [DESCENT] * 4, "steps": 10_000}
    ),
    "descents of 20 optimizers over 10,000 steps (refused)": post(
        "/v1/landscapes/beale/descend", {"optimizers": [DESCENT] * 20, "steps": 10_000}
    ),
    "landscapes of 500 × 500": get("/v1/landscapes/rastrigin?resolution=500"),
    "curves of 5,000 names": get("/v1/jobs/{job}/curves?series=" + ",".join(["train_loss"] * 5000)),
    "boundaries of 200 × 200": get("/v1/jobs/{job}/boundary?resolution=200"),
    WRONG: post("/v1/functions/activation", {"activation": "relu", "z": [["x" * 36]] * 300_000}),
    KEYS: post("/v1/jobs", {f"key{number}": 0 for number in range(1_000_000)}),
    PREDICT: post("/v1/models/{model}/predict", {"records": [ROW] * 100_000}),
}


def wait_until_up(url: str, port: int) -> int:
    """The server's process, once it is ready."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return serving(port)
        time.sleep(0.1)
    raise RuntimeError("the server did not come up")


def serving(port: int) -> int:
    """The process that `vidro up` has for the API on that port."""
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            environment = (entry / "environ").read_bytes().split(b"\0")
            if b"serve" in words and f"VIDRO_PORT={port}".encode() in environment:
                return int(entry.name)
    raise RuntimeError("no process serves")


def furnish(url: str) -> dict[str, str]:
    with httpx.Client(base_url=url, timeout=60) as client:
        request = {"dataset_id": iris(client), "target": "species", "model": {"kind": "mlp"}, "epochs": 300}
        job_id = client.post("/v1/jobs", json=request).raise_for_status().json()["id"]
        while not (job := client.get(f"/v1/jobs/{job_id}").json())["done"]:
            time.sleep(0.1)
        return {"job": job_id, "model": job["model_id"], "dataset": job["dataset_id"]}


def resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "an unknown processor")


if __name__ == "__main__":
    main()
