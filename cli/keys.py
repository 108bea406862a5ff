"""`vidro keys`: make, list and revoke API keys."""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.processes import migrated
from store import keys
from store.database import Database
from store.errors import StoreError
from store.logs import configure_logs
from store.settings import settings
from store.tables import ApiKey

app = typer.Typer(help="API keys: who may do what.", no_args_is_help=True)
SPAN = re.compile(r"(\d{1,6})(h|d|w)")
HOURS = {"h": 1, "d": 24, "w": 168}
COLUMNS = ("id", "owner", "name", "scopes", "state", "created", "last used", "expires")


@contextmanager
def _database() -> Iterator[Database]:
    """The database; what is wrong with a key is told, and is exit status 1."""
    configure_logs(settings().log_level)
    database = migrated(settings())
    try:
        yield database
    except StoreError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    finally:
        database.close()


@app.command()
def create(
    owner: Annotated[str, typer.Option(help="whom the key speaks for; datasets, jobs and models belong to an owner")],
    scopes: Annotated[str, typer.Option(help="comma-separated: read, write, admin")] = "read,write",
    name: Annotated[str | None, typer.Option(help="what the key is for, to know it by in the list")] = None,
    expires: Annotated[
        str | None, typer.Option(help="when it ends: 12h, 30d, 8w, or a date or time as 2027-01-31 (UTC); never by default")
    ] = None,
    secret_file: Annotated[
        Path | None, typer.Option(help="take up the secret in this file (24 characters or more) in place of a new one")
    ] = None,
) -> None:
    """Make a key and show it, this once."""
    expires_at = None if expires is None else _moment(expires)
    given = secret_file.read_text().strip() if secret_file else None
    if given is not None and len(given) < 24:
        raise typer.BadParameter("the secret is shorter than 24 characters; make it of random ones")
    with _database() as database, database.transaction() as session:
        key, secret = keys.create(session, owner, scopes.split(","), given, name=name, expires_at=expires_at)
        until = f", until {_day(key.expires_at)} UTC" if key.expires_at is not None else ""
        told = f"{key.id} for {key.owner} ({','.join(key.scopes)}{until})"
    if given is None:
        typer.echo(secret)
        typer.echo(f"{told}; it is not shown again", err=True)
    else:
        typer.echo(told, err=True)


def _moment(text: str) -> float:
    """Seconds since 1970 of a span from now on, a date or a time. Raises BadParameter, also for what is over."""
    span = SPAN.fullmatch(text)
    try:
        moment = time.time() + int(span[1]) * 3600 * HOURS[span[2]] if span else _timestamp(text)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"'{text}' is no time; write it as 12h, 30d, 8w or 2027-01-31") from None
    if moment <= time.time():
        raise typer.BadParameter(f"{text} is over; give a time to come")
    return moment


def _timestamp(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _day(moment: float | None) -> str:
    return "" if moment is None else datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M")


@app.command("list")
def list_keys() -> None:
    """List the keys, also those that are revoked or expired, without their secrets. Times are UTC."""
    with _database() as database, database.reading() as session:
        moment = database.clock(session)
        rows = [_row(key, moment) for key in keys.listed(session)]
    if not rows:
        typer.echo("no keys: whoever is on this machine may do everything; `vidro keys create` makes one", err=True)
        return
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    for row in (COLUMNS, *rows):
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(key: ApiKey, moment: float) -> Sequence[str]:
    is_over = key.expires_at is not None and key.expires_at <= moment
    state = "revoked" if key.revoked_at is not None else "expired" if is_over else "active"
    scopes, times = ",".join(key.scopes), (key.created_at, key.last_used_at, key.expires_at)
    return key.id, key.owner, key.name or "", scopes, state, *(_day(time) for time in times)


@app.command()
def revoke(key_id: str) -> None:
    """Refuse a key from now on. The server stays closed to who has no key, also when the last one is revoked."""
    with _database() as database, database.transaction() as session:
        keys.revoke(session, key_id)


@app.command("open")
def open_to_all(yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False) -> None:
    """Forget every key: whoever is on this machine may do everything again, without one."""
    with _database() as database:
        with database.reading() as session:
            count = len(keys.listed(session))
        if not yes:
            question = f"Forget all {count} keys, and let everybody on this machine do everything?"
            typer.confirm(question, abort=True, err=True)
        with database.transaction() as session:
            count = keys.open_to_all(session)
    typer.echo(f"{count} keys forgotten; no key is needed on this machine now", err=True)
