"""The processes of a deployment, one command each: `serve`, `worker`, `migrate`."""

import gc
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import structlog
import typer
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError, OperationalError
from sqlalchemy.orm import Session

from cli.supervision import REFUSED, say_up
from engine.fast import kernel_cache, paths, threads
from store import keys, sqlite_file, workers
from store.database import Database
from store.errors import DatabaseDamaged, ForeignDatabase
from store.host import raise_open_files
from store.logs import configure_logs
from store.migrate import MIGRATIONS
from store.migrate import migrate as apply_migrations
from store.privacy import keep_private
from store.settings import Settings, settings

WITH_PARENT = "VIDRO_WITH_PARENT"
"""Set for a process that must not outlive the one that started it, which holds the other end of its standard input."""
ORPHAN_SECONDS = 10.0
"""How long an orderly end may take that the supervisor's death asked for."""
WAIT_SECONDS = 60.0
"""How long a command waits for a database server: what is started together comes up in any order."""
RETRY_SECONDS = 1.0
SWITCH_SECONDS = 0.001
"""How long a thread that computes keeps the interpreter from the event loop."""
COLLECTIONS = 10_000, 10, 100
"""When the API looks for garbage: seldom through all that lives, which with thousands of streams stops it for half a second."""
WORKER_COLLECTIONS = 700, 10, 10
"""Python's own: what training leaves behind may be large."""
log = structlog.get_logger()


def end_with_parent() -> None:
    """Have this process end as soon as its supervisor is gone, even by kill −9, if the supervisor asked for it."""
    if os.environ.pop(WITH_PARENT, None):
        threading.Thread(target=_wait_for_parent, name="parent", daemon=True).start()


def _wait_for_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_SECONDS)
    if os.getpgid(0) == os.getpid():  # as the supervisor starts it: with nothing but its own children beside it
        os.killpg(0, signal.SIGKILL)


def refuse_open_door(setting: Settings) -> None:
    """With no API key everybody may do everything, so only this machine, and no page of every origin, may reach the server.
    Exits otherwise.
    """
    opens_to_all = "*" in setting.origins
    if setting.is_local and not opens_to_all:
        return
    database = opened(setting)
    wait_until(database, has_tables)
    with database.reading() as session:
        has_keys = keys.configured(session)
    database.close()
    if not has_keys and opens_to_all:
        message = (
            "refusing VIDRO_CORS_ORIGINS=* with no API key: any page open in a browser that reaches this server could do "
            "anything.\nMake a key first (vidro keys create --owner NAME), or list the origins of your pages."
        )
        typer.echo(message, err=True)
        raise typer.Exit(2)
    if not has_keys:
        message = (
            f"refusing to listen on {setting.host} with no API key: anybody who reaches it could do anything.\n"
            "Make a key first (vidro keys create --owner NAME), or listen on 127.0.0.1."
        )
        typer.echo(message, err=True)
        raise typer.Exit(REFUSED)


def keep_kernels(setting: Settings) -> None:
    """Keep compiled kernels with the data if the code's folder may not be written to, as in a container: they take seconds
    to make, and a temporary folder is gone at the next start.
    """
    if not os.access(kernel_cache.__file__, os.W_OK):
        kernel_cache.cache_in(setting.data.absolute() / "kernels")


def wait_until(database: Database, is_ready: Callable[[Session], bool]) -> None:
    """Wait while the database server is away or not ready. Exits once that took too long; SQLite is there or is not."""
    deadline = time.monotonic() + (0 if database.is_sqlite else WAIT_SECONDS)
    # As process 1 of a container this one would not end by a SIGTERM that it has no handler for.
    before = signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        while True:
            try:
                with database.reading() as session:
                    if is_ready(session):
                        break
                reason = "its tables are not those of this version; run `vidro migrate`"
            except OperationalError as error:
                reason = str(error.orig).partition("\n")[0]
            if time.monotonic() >= deadline:
                typer.echo(f"no use of {database.url.render_as_string(hide_password=True)}: {reason}", err=True)
                raise typer.Exit(1)
            log.warning("waiting for the database", reason=reason)
            time.sleep(RETRY_SECONDS)
    finally:
        signal.signal(signal.SIGTERM, before)


def has_tables(session: Session) -> bool:
    """Whether this version's migrations have been applied; one that it does not know comes from a later version."""
    scripts = ScriptDirectory(str(MIGRATIONS))
    earlier = {script.revision for script in scripts.walk_revisions()} - set(scripts.get_heads())
    applied = MigrationContext.configure(session.connection()).get_current_revision()
    return applied is not None and applied not in earlier


def opened(setting: Settings) -> Database:
    """The database. Exits where its file is none of Vidro's, or not whole."""
    database = Database(setting.database)
    if database.is_sqlite:
        with _named_refusals():
            sqlite_file.check(database.url)
    return database


@contextmanager
def _named_refusals() -> Iterator[None]:
    try:
        yield
    except (DatabaseDamaged, ForeignDatabase) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None


def migrated(setting: Settings) -> Database:
    """The database, with the present tables."""
    keep_private(setting.data)
    database = Database(setting.database)
    if not database.is_sqlite:  # whose file the migration makes
        wait_until(database, lambda session: session.execute(select(1)).scalar() == 1)
    with _named_refusals():
        if database.is_sqlite:
            sqlite_file.refuse_orphaned(database.url, setting.files)
        apply_migrations(database)
    return database


def serve(
    host: Annotated[str | None, typer.Option(help="address to listen on (VIDRO_HOST)")] = None,
    port: Annotated[int | None, typer.Option(help="port to listen on (VIDRO_PORT)")] = None,
) -> None:
    """Run the API alone."""
    import uvicorn

    from service.app import create_app
    from service.protocol import bounded

    end_with_parent()
    setting = settings().model_copy(update={k: v for k, v in {"host": host, "port": port}.items() if v is not None})
    configure_logs(setting.log_level)
    keep_private(setting.data)
    keep_kernels(setting)
    opened(setting).close()
    refuse_open_door(setting)
    raise_open_files()
    sys.setswitchinterval(SWITCH_SECONDS)
    threads.limit(1)  # several that multiply for one answer would keep the event loop from a core
    config = uvicorn.Config(
        create_app(setting),
        host=setting.host,
        port=setting.port,
        http=bounded(setting),
        ws="none",
        proxy_headers=False,  # what proxies say is believed of those alone that the settings name
        timeout_keep_alive=setting.idle_seconds,
        log_config=None,
        timeout_graceful_shutdown=5,
    )
    _server(config).run()


def _server(config: Any) -> Any:
    """A server that tells the supervisor when it listens, and exits as one that is refused to where it cannot."""
    from service.server import StreamingServer

    class Server(StreamingServer):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            try:
                await super().startup(sockets)
            except SystemExit:  # the address is taken; uvicorn has logged it
                raise SystemExit(REFUSED) from None
            if self.started:
                gc.collect()
                gc.freeze()
                gc.set_threshold(*COLLECTIONS)
                say_up()

    return Server(config)


def worker(
    workers: Annotated[int | None, typer.Option(min=1, help="training processes (VIDRO_WORKERS)")] = None,
    queues: Annotated[str | None, typer.Option(help="queues to take jobs from, comma-separated (VIDRO_QUEUES)")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="run none; fail unless this host's was heard of lately (for health checks)")
    ] = False,
) -> None:
    """Run a training worker alone."""
    if check:
        raise typer.Exit(0 if _is_heard_of(settings()) else 1)
    if workers is not None:
        os.environ["VIDRO_WORKERS"] = str(workers)
    if queues is not None:
        os.environ["VIDRO_QUEUES"] = queues
    setting = settings()
    configure_logs(setting.log_level)
    keep_private(setting.data)
    keep_kernels(setting)
    end_with_parent()
    database = opened(setting)
    wait_until(database, has_tables)
    database.close()
    from celery import signals

    from worker.tasks import build

    gc.set_threshold(*WORKER_COLLECTIONS)
    signals.worker_ready.connect(_say_up)
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


def _say_up(**_: object) -> None:
    say_up()


def _is_heard_of(setting: Settings) -> bool:
    """Whether a worker of this host, by its name a container's too, has told the database lately that it lives."""
    database = Database(setting.database)
    try:
        with database.reading() as session:
            names = workers.live(session, 3 * setting.sweep_seconds + 5)
    except DatabaseError as error:
        typer.echo(f"the database does not answer: {str(error.orig).partition(chr(10))[0]}", err=True)
        return False
    finally:
        database.close()
    return any(name.startswith(f"{socket.gethostname()}:") for name in names)


def warm_up() -> None:
    """Compile the kernels, so that no job waits for them; those that are compiled already are only loaded."""
    keep_kernels(settings())
    rates = kernel_cache.choose_tile()
    seconds = paths.warm_up()
    typer.echo(f"kernels ready after {seconds:.1f} s, in tiles of {paths.tile()}")
    if rates:
        typer.echo("the fastest here: " + ", ".join(f"{name} {rate / 1e9:.1f} GFLOP/s" for name, rate in rates.items()))


def migrate() -> None:
    """Bring the database to the present tables."""
    setting = settings()
    configure_logs(setting.log_level)
    database = migrated(setting)
    database.close()
    typer.echo(f"the tables of {database.url.render_as_string(hide_password=True)} are up to date")
