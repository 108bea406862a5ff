"""An API and workers as real processes on one database and one broker, to do harm to."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx

from store import checkpoints, jobs
from store.database import Database
from store.files import Files
from store.tables import Job
from tests.end_to_end.conftest import Server, descendants, free_port, wait_for
from tests.faults.forks import Fork, Forks
from tests.faults.invariants import check

LEASE_SECONDS = 15.0
"""So long that a busy machine does not lose one by itself."""
SHORT_LEASE_SECONDS = 1.5
HASTY = {"lease_seconds": SHORT_LEASE_SECONDS, "checkpoint_seconds": 0.2}
"""For who waits until a lease has run out, and does not wait for checkpoints."""
SWEEP_SECONDS = 0.3
INLINE_BYTES = 1000
"""So low that checkpoints and tables lie in files, which have to survive as well."""
LONG = os.environ.get("VIDRO_FAULTS") == "long"
"""The long forms: the same tests, other counts."""


def count(short: int, long: int) -> int:
    return long if LONG else short


@dataclass
class Deployment:
    """What runs on `database` and `broker`, with what every process of it is told."""

    folder: Path
    forks: Forks
    database: Database
    broker: str = ""
    setting: dict[str, Any] = field(default_factory=dict)
    processes: list[Fork] = field(default_factory=list)
    clients: list[httpx.Client] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def files(self) -> Files:
        return Files(self.data / "files", INLINE_BYTES)

    @property
    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("log-*")))

    def environment(self, **setting: Any) -> dict[str, str]:
        url = self.database.url.render_as_string(hide_password=False)
        given = {"data": self.data, "database_url": url, "broker_url": self.broker, "inline_bytes": INLINE_BYTES}
        given |= {"lease_seconds": LEASE_SECONDS, "sweep_seconds": SWEEP_SECONDS, "threads": 1}
        given |= self.setting | setting
        return os.environ | {f"VIDRO_{name.upper()}": str(value) for name, value in given.items()}

    def run(self, command: str, fault: str = "", **setting: Any) -> Fork:
        """Start `vidro COMMAND`, with that fault in it."""
        log = self.folder / f"log-{len(self.processes):03}-{command}"
        process = self.forks.start(command, fault, self.environment(**setting), log)
        self.processes.append(process)
        return process

    def api(self, fault: str = "", **setting: Any) -> Server:
        """An API that answers."""
        port = free_port()
        process = self.run("serve", fault, port=port, **setting)
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        self.clients.append(client)
        server = Server(process, client, self.data, self.folder)
        wait_for(lambda: self._answers(server), "the API")
        return server

    @staticmethod
    def _answers(server: Server) -> bool:
        assert server.process.poll() is None, "the API ended"
        try:
            return server.client.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def posted(self, server: Server, dataset_id: str, number: int, **fields: Any) -> list[str]:
        return [server.post(dataset_id, **fields) for _ in range(number)]

    def worker(self, fault: str = "", **setting: Any) -> Fork:
        return self.run("worker", fault, **setting)

    def digits(self, server: Server) -> str:
        return str(server.client.post("/v1/datasets", json={"sample": {"kind": "digits"}}).json()["id"])

    def row(self, job_id: str) -> Job:
        with self.database.reading() as session:
            return jobs.get(session, job_id, None)

    def last_checkpoint(self, job_id: str) -> int:
        """The epoch that the job would go on from."""
        with self.database.reading() as session:
            kept = checkpoints.of_job(session, jobs.get(session, job_id, None).number)
            return kept[-1].epoch if kept else 0

    @contextmanager
    def harmed(self) -> Iterator["Deployment"]:
        """For the length of a test; in the end everything stored is held to the invariants."""
        try:
            yield self
        finally:
            self.stop()
        check(self.database, self.files)

    def stop(self) -> None:
        """kill −9 to all that still runs: nothing may depend on an orderly end."""
        for client in self.clients:
            client.close()
        for process in self.processes:
            if process.poll() is None:
                kill(process)


def tree(process: Fork) -> list[int]:
    """The process and all below it, the leaves first."""
    return [*reversed(descendants(process.pid)), process.pid]


def kill(process: Fork) -> None:
    """kill −9 to the process and all below it."""
    for pid in reversed(tree(process)):
        signal_to(pid, signal.SIGKILL)
    process.wait()


def freeze(process: Fork) -> None:
    for pid in reversed(tree(process)):
        signal_to(pid, signal.SIGSTOP)


def thaw(process: Fork) -> None:
    for pid in tree(process):
        signal_to(pid, signal.SIGCONT)


def signal_to(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
