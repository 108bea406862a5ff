"""Real processes: `vidro up`, or an API and workers on PostgreSQL and Valkey, each on a free port and a fresh folder."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from cli.demo import IRIS

LIMIT_SECONDS = 60.0


def wait_for(condition: Callable[[], Any], what: str, seconds: float = LIMIT_SECONDS) -> Any:
    """The first true answer of the condition; fails the test after the limit."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(0.02)
    pytest.fail(f"{what} did not happen within {seconds:g} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cli.main", *arguments]


def descendants(pid: int) -> list[int]:
    """The processes below one, nearest first, from /proc."""
    below: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            below += [int(entry.name), *descendants(int(entry.name))]
    return below


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def titled(pid: int, word: str) -> bool:
    try:
        return word in Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
    except OSError:
        return False


@dataclass
class Server:
    """A running server: its first process, a client to it, and where it writes."""

    process: subprocess.Popen[bytes]
    client: httpx.Client
    data: Path
    log: Path

    def part(self, name: str) -> int:
        """The pid of the supervised process of that name."""
        return next(pid for pid in descendants(self.process.pid) if titled(pid, name))

    def iris(self) -> str:
        with IRIS.open("rb") as file:
            return str(self.client.post("/v1/datasets", files={"file": ("iris.csv", file)}).json()["id"])

    def post(self, dataset_id: str, **fields: Any) -> str:
        body = {"dataset_id": dataset_id, "target": "species", "model": {"kind": "mlp"}, **fields}
        response = self.client.post("/v1/jobs", json=body)
        assert response.status_code == 202, response.text
        return str(response.json()["id"])

    def job(self, job_id: str) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.get(f"/v1/jobs/{job_id}").json()
        return answer

    def done(self, job_id: str, seconds: float = LIMIT_SECONDS) -> dict[str, Any]:
        """The job once it is done."""
        job: dict[str, Any] = wait_for(lambda: (found := self.job(job_id)).get("done") and found, f"end of {job_id}", seconds)
        return job

    def ready(self) -> bool:
        try:
            return self.client.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    def stop(self, number: int = signal.SIGINT) -> None:
        self.process.send_signal(number)
        self.process.wait(LIMIT_SECONDS)


@contextmanager
def starting(folder: Path) -> Iterator[Callable[..., Server]]:
    """A function that starts `vidro up`, or the command given, with the settings given as environment."""
    servers: list[Server] = []

    def begin(*arguments: str, **setting: Any) -> Server:
        port = free_port()
        data = Path(setting.get("data", folder / "data"))
        log = folder / f"log-{len(servers)}"
        environment = os.environ | {"VIDRO_DATA": str(data), "VIDRO_PORT": str(port), "VIDRO_LEASE_SECONDS": "3"}
        environment |= {f"VIDRO_{name.upper()}": str(value) for name, value in setting.items()}
        with log.open("wb") as file:
            process = subprocess.Popen(command(*(arguments or ("up",))), stdout=file, stderr=file, env=environment)
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        server = Server(process, client, data, log)
        servers.append(server)
        return server

    try:
        yield begin
    finally:
        for server in servers:
            server.client.close()
            if server.process.poll() is None:
                server.process.send_signal(signal.SIGINT)
        for server in servers:
            below = descendants(server.process.pid)
            server.process.wait(LIMIT_SECONDS)
            for pid in filter(alive, below):
                os.kill(pid, signal.SIGKILL)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start servers of the test's own."""
    with starting(tmp_path) as begin:
        yield begin


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`vidro up`, ready, and shared by the tests of a file: each must leave it working."""
    with starting(tmp_path_factory.mktemp("server")) as begin:
        found = begin()
        wait_for(found.ready, "readiness")
        yield found
