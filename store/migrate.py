"""Bring a database to the present tables, from nothing or from any earlier version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from store.database import Database

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x7669_6472  # "vidr": any number that other users of the server's advisory locks do not take


def migrate(database: Database) -> None:
    """Apply the migrations that are missing. Several processes may call it at once: one works, the others wait."""
    if database.is_sqlite and database.url.database:
        Path(database.url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = database.engine.execution_options(writes=True)
    with engine.begin() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        command.upgrade(config(connection), "head")


def config(connection: Connection) -> Config:
    """Alembic's configuration for a connection."""
    found = Config()
    found.set_main_option("script_location", str(MIGRATIONS))
    found.attributes["connection"] = connection
    return found
