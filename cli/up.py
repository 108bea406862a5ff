"""`vidro up`: the embedded default, an API and a worker under one supervisor."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cli.processes import WITH_PARENT, migrated, refuse_open_door
from cli.supervision import REFUSED, Child, supervise
from store import supervised
from store.logs import configure_logs
from store.privacy import keep_private
from store.settings import Settings

REPORT = "supervisor.json"
"""The file in the data folder that says what the supervisor sees."""


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
    keep_private(setting.data)
    setting.data.mkdir(parents=True, exist_ok=True)
    migrated(setting).close()
    refuse_open_door(setting)
    _refuse_taken_port(setting)
    with _told_to_stop() as told:
        supervise(children(setting), told, setting.data.absolute() / REPORT)


def _refuse_taken_port(setting: Settings) -> None:
    with socket.socket(socket.AF_INET6 if ":" in setting.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((setting.host, setting.port))
        except OSError as error:
            typer.echo(f"cannot listen on {setting.host}:{setting.port} ({error.strerror}); choose another --port", err=True)
            raise typer.Exit(REFUSED) from None


def children(setting: Settings) -> list[Child]:
    """The processes of the embedded default, which read their settings from the environment."""
    environment = os.environ | {
        WITH_PARENT: "1",
        supervised.FILE: str(setting.data.absolute() / REPORT),
        "VIDRO_DATA": str(setting.data.absolute()),
        "VIDRO_HOST": setting.host,
        "VIDRO_PORT": str(setting.port),
        "VIDRO_WORKERS": str(setting.workers),
    }
    command = [sys.executable, "-m", "cli.main"]
    return [Child(name, [*command, name], environment) for name in ("serve", "worker")]


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
