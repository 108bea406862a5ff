"""Bring a database to the present tables and forms, from nothing or from any earlier version."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from store import sqlite_file, stored_forms
from store.database import Database
from store.errors import ForeignDatabase

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x7669_6472  # "vidr": any number that other users of the server's advisory locks do not take


def migrate(database: Database) -> None:
    """Apply the migrations that are missing. Several processes may call it at once: one works, the others wait.

    Raises DatabaseDamaged or ForeignDatabase where it is not for this version to write to it.
    """
    if database.is_sqlite and database.url.database:
        sqlite_file.check(database.url)
        Path(database.url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = database.engine.execution_options(writes=True)
    with engine.begin() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        _refuse_unknown(connection)
        command.upgrade(config(connection), "head")
        stored_forms.bring_up(connection)


def _refuse_unknown(connection: Connection) -> None:
    applied = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}
    if applied is not None and applied not in known:
        raise ForeignDatabase(
            f"the database is at revision '{applied}', which this version of Vidro does not know: a later one, or another "
            "program, has made its tables. Run that version, or restore a backup from before it"
        )


def config(connection: Connection) -> Config:
    """Alembic's configuration for a connection."""
    found = Config()
    found.set_main_option("script_location", str(MIGRATIONS))
    found.attributes["connection"] = connection
    return found
