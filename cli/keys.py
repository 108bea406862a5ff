"""`vidro keys`: make, list and revoke API keys."""

from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import select

from cli.processes import migrated
from store import keys
from store.database import Database
from store.errors import NotFound
from store.logs import configure_logs
from store.settings import settings
from store.tables import ApiKey

app = typer.Typer(help="API keys: who may do what.", no_args_is_help=True)


def _database() -> Database:
    configure_logs(settings().log_level)
    return migrated(settings())


@app.command()
def create(
    owner: Annotated[str, typer.Option(help="whom the key speaks for; datasets, jobs and models belong to an owner")],
    scopes: Annotated[str, typer.Option(help="comma-separated: read, write, admin")] = "read,write",
    secret_file: Annotated[
        Path | None, typer.Option(help="take up the secret in this file (24 characters or more) in place of a new one")
    ] = None,
) -> None:
    """Make a key and show it, this once."""
    wanted = scopes.split(",")
    unknown = set(wanted) - set(keys.SCOPES)
    if unknown:
        raise typer.BadParameter(f"no scope {', '.join(sorted(unknown))}; there are {', '.join(keys.SCOPES)}")
    given = secret_file.read_text().strip() if secret_file else None
    if given is not None and len(given) < 24:
        raise typer.BadParameter("the secret is shorter than 24 characters; make it of random ones")
    with _database().transaction() as session:
        key, secret = keys.create(session, owner, wanted, given)
        identifier = key.id
    if given is None:
        typer.echo(secret)
        typer.echo(f"{identifier} for {owner} ({scopes}); it is not shown again", err=True)
    else:
        typer.echo(f"{identifier} for {owner} ({scopes})", err=True)


@app.command("list")
def list_keys() -> None:
    """List the keys, without their secrets."""
    with _database().reading() as session:
        for key in session.scalars(select(ApiKey).order_by(ApiKey.created_at)):
            typer.echo(f"{key.id}  {key.owner}  {','.join(key.scopes)}")


@app.command()
def revoke(key_id: str) -> None:
    """Forget a key: who holds it is refused from now on."""
    try:
        with _database().transaction() as session:
            keys.revoke(session, key_id)
    except NotFound as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
