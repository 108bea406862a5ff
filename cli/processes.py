"""The processes of a deployment, one command each: `serve`, `worker`, `migrate`."""

import ipaddress
import os
import signal
import sys
import threading
from typing import Annotated

import typer

from store import keys
from store.database import Database
from store.logs import configure_logs
from store.migrate import migrate as apply_migrations
from store.settings import Settings, settings

WITH_PARENT = "VIDRO_WITH_PARENT"
"""Set for a process that must not outlive the one that started it, which holds the other end of its standard input."""


def end_with_parent() -> None:
    """Where the supervisor asked for it, ask this process to end as soon as the supervisor is gone, even by kill −9."""
    if os.environ.pop(WITH_PARENT, None):
        threading.Thread(target=_wait_for_parent, name="parent", daemon=True).start()


def _wait_for_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def refuse_open_door(setting: Settings) -> None:
    """With no API key everybody may do everything, so only this machine may reach the server. Exits otherwise."""
    if is_loopback(setting.host):
        return
    database = Database(setting.database)
    with database.reading() as session:
        has_keys = keys.configured(session)
    database.close()
    if not has_keys:
        message = (
            f"refusing to listen on {setting.host} with no API key: anybody who reaches it could do anything.\n"
            "Make a key first (vidro keys create --owner NAME), or listen on 127.0.0.1."
        )
        typer.echo(message, err=True)
        raise typer.Exit(2)


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def serve(
    host: Annotated[str | None, typer.Option(help="address to listen on (VIDRO_HOST)")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on (VIDRO_PORT)")] = None,
) -> None:
    """Run the API alone."""
    import uvicorn

    from service.app import create_app

    end_with_parent()
    setting = settings().model_copy(update={k: v for k, v in {"host": host, "port": port}.items() if v is not None})
    configure_logs(setting.log_level)
    refuse_open_door(setting)
    app = create_app(setting)
    uvicorn.run(app, host=setting.host, port=setting.port, log_config=None, timeout_graceful_shutdown=5)


def worker(
    workers: Annotated[int | None, typer.Option(min=1, help="training processes (VIDRO_WORKERS)")] = None,
    queues: Annotated[str | None, typer.Option(help="queues to take jobs from, comma-separated (VIDRO_QUEUES)")] = None,
) -> None:
    """Run a training worker alone."""
    if workers is not None:
        os.environ["VIDRO_WORKERS"] = str(workers)
    if queues is not None:
        os.environ["VIDRO_QUEUES"] = queues
    setting = settings()
    configure_logs(setting.log_level)
    end_with_parent()
    from worker.tasks import build

    arguments = ["--quiet", "worker", "--concurrency", str(setting.workers), "--queues", setting.queues]
    arguments += [
        "--hostname",
        f"vidro-{os.getpid()}@%h",
        "--without-gossip",
        "--without-mingle",
        "--without-heartbeat",
    ]
    build().worker_main([*arguments, "--loglevel", setting.log_level])
    sys.exit(0)


def migrate() -> None:
    """Bring the database to the present tables."""
    setting = settings()
    database = Database(setting.database)
    apply_migrations(database)
    database.close()
    typer.echo(f"the tables of {database.url.render_as_string(hide_password=True)} are up to date")
