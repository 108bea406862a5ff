"""`vidro up`: the embedded default, an API and a worker under one supervisor."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import structlog
import typer

from cli.processes import WITH_PARENT, refuse_open_door
from store.database import Database
from store.logs import configure_logs
from store.migrate import migrate
from store.settings import Settings

CHECK_SECONDS = 0.2
GRACE_SECONDS = 20.0
MOST_RESTARTS = 5
"""A process that dies so often within a minute is not started again: something is wrong that a restart does not mend."""
log = structlog.get_logger()


@dataclass
class Child:
    """A supervised process: one that dies is started again."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)

    def start(self) -> None:
        self.starts = [moment for moment in self.starts if time.monotonic() - moment < 60] + [time.monotonic()]
        # A session of its own, so that Ctrl-C reaches the supervisor alone, which then asks for an orderly end.
        self.process = subprocess.Popen(self.command, env=self.environment, stdin=subprocess.PIPE, start_new_session=True)
        log.info("started", process=self.name, pid=self.process.pid)

    def restart_if_dead(self) -> None:
        assert self.process is not None
        code = self.process.poll()
        if code is None:
            return
        if len(self.starts) > MOST_RESTARTS:
            raise typer.Exit(_give_up(self.name, code))
        log.warning("died; starting it again", process=self.name, exit_code=code)
        self.start()

    def stop(self, deadline: float) -> None:
        """Wait for the end that was asked for, and after the deadline end what is left of its session."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("did not end in time", process=self.name)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _give_up(name: str, code: int) -> int:
    log.error("keeps dying; giving up", process=name, exit_code=code)
    return 1


def up(
    host: Annotated[str | None, typer.Option(help="address to listen on (VIDRO_HOST)")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on (VIDRO_PORT)")] = None,
    data: Annotated[Path | None, typer.Option(help="the folder that holds all that is stored (VIDRO_DATA)")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="training processes (VIDRO_WORKERS)")] = None,
) -> None:
    """Start everything on this machine: the API and a worker, with SQLite and files in one folder. Ctrl-C ends it."""
    given = {"host": host, "port": port, "data": data, "workers": workers}
    setting = Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    configure_logs(setting.log_level)
    setting.data.mkdir(parents=True, exist_ok=True)
    database = Database(setting.database)
    migrate(database)
    database.close()
    refuse_open_door(setting)
    _refuse_taken_port(setting)
    with _told_to_stop() as told:
        supervise(children(setting), told)


def _refuse_taken_port(setting: Settings) -> None:
    with socket.socket(socket.AF_INET6 if ":" in setting.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((setting.host, setting.port))
        except OSError as error:
            typer.echo(f"cannot listen on {setting.host}:{setting.port} ({error.strerror}); choose another --port", err=True)
            raise typer.Exit(2) from None


def children(setting: Settings) -> list[Child]:
    """The processes of the embedded default, which read their settings from the environment."""
    environment = os.environ | {
        WITH_PARENT: "1",
        "VIDRO_DATA": str(setting.data.absolute()),
        "VIDRO_HOST": setting.host,
        "VIDRO_PORT": str(setting.port),
        "VIDRO_WORKERS": str(setting.workers),
    }
    command = [sys.executable, "-m", "cli.main"]
    return [Child(name, [*command, name], environment) for name in ("serve", "worker")]


def supervise(processes: Sequence[Child], told: list[int]) -> None:
    """Keep the processes running until told to stop, then end them: all at once asked, and waited for."""
    try:
        for child in processes:
            child.start()
        while not told:
            for child in processes:
                child.restart_if_dead()
            time.sleep(CHECK_SECONDS)
        log.info("stopping")
    finally:
        deadline = time.monotonic() + GRACE_SECONDS
        for child in processes:
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        for child in processes:
            child.stop(deadline)


@contextmanager
def _told_to_stop() -> Iterator[list[int]]:
    """A list that is empty until Ctrl-C or SIGTERM."""
    told: list[int] = []
    before = {number: signal.signal(number, lambda got, _: told.append(got)) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
