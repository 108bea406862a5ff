"""`vidro backup`, `vidro restore`, `vidro vacuum`: copies of what is stored, and room on the disk."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import make_url

from cli.processes import has_tables, wait_until
from store import backup as backups
from store import space
from store.backup import Report
from store.database import Database
from store.errors import StoreError
from store.files import Files
from store.logs import configure_logs
from store.privacy import keep_private
from store.settings import Settings, settings

MOST_NAMED = 5
SERVER = """this database is a server's, which is copied by its own tools:
  1. copy VIDRO_DATA's folder `files`, if it is used      (rsync -a DATA/files/ BACKUP/files/)
  2. copy the database                                    (pg_dump --format=custom --file=BACKUP/vidro.dump URL)
  3. copy `files` again, deleting nothing, for what came meanwhile
docs/operations.md says how it is restored."""


def _prepared(data: Path | None) -> Settings:
    setting = settings() if data is None else settings().model_copy(update={"data": data})
    configure_logs(setting.log_level)
    return setting


def _sqlite_path(setting: Settings) -> Path:
    """The file of the database. Exits where it is a server's."""
    url = make_url(setting.database)
    if url.get_backend_name() != "sqlite" or not url.database:
        typer.echo(SERVER, err=True)
        raise typer.Exit(2)
    return Path(url.database)


def backup(
    destination: Annotated[Path, typer.Argument(help="the folder to make: new or empty")],
    check: Annotated[bool, typer.Option("--check", help="make none: check the backup that is there")] = False,
) -> None:
    """Copy all that is stored, while everything runs: a folder that `vidro restore` takes, or `vidro up --data`."""
    setting = _prepared(None)
    keep_private(setting.data)
    try:
        if check:
            _tell(backups.verify(destination), f"{destination} is whole")
        else:
            _tell(backups.back_up(_sqlite_path(setting), setting.files, destination), f"{destination} is made")
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def restore(
    source: Annotated[Path, typer.Argument(help="a folder that `vidro backup` made")],
    data: Annotated[Path | None, typer.Option(help="the data folder to make: new or empty (VIDRO_DATA)")] = None,
) -> None:
    """Make a data folder of a backup, after checking it. `vidro up` then goes on from there."""
    setting = _prepared(data)
    keep_private(setting.data)
    _sqlite_path(setting)
    try:
        _tell(backups.restore(source, setting.data), f"{setting.data} holds what was in {source}")
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None


def _tell(report: Report, done: str) -> None:
    """Say what was done. Exits with 1 where content is missing or damaged."""
    for what, digests in (("missing", report.missing), ("damaged", report.damaged)):
        if digests:
            more = f" and {len(digests) - MOST_NAMED} more" if len(digests) > MOST_NAMED else ""
            typer.echo(f"{what}: {', '.join(digests[:MOST_NAMED])}{more}", err=True)
    typer.echo(f"{done}: {report.contents} contents, {_megabytes(report.size)}")
    if report.missing or report.damaged:
        raise typer.Exit(1)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def vacuum() -> None:
    """Give the room that deletions left back to the disk, and remove files that nothing names. SQLite lets nobody write
    meanwhile and needs as much room again: best while no job runs.
    """
    setting = _prepared(None)
    keep_private(setting.data)
    database = Database(setting.database)
    try:
        wait_until(database, has_tables)
        before = space.bytes_used(database)
        with database.reading() as session:
            files = Files(setting.files, setting.inline_bytes)
            removed = files.sweep(session, setting.orphan_seconds, setting.upload_seconds)
        space.vacuum(database)
        after = space.bytes_used(database)
    finally:
        database.close()
    typer.echo(f"the database takes {_megabytes(after)} now, and took {_megabytes(before)}; {removed} files removed")
