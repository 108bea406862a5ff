import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Inspector, inspect, text
from sqlalchemy.exc import IntegrityError

from store.database import Database
from store.migrate import config, migrate
from store.states import STATES
from store.tables import Job, Table
from tests.store.staging import make_job, row, together

TABLES = {table.name for table in Table.metadata.sorted_tables}
MIGRATE = """
import sys
from store.database import Database
from store.migrate import migrate
print("ready", flush=True)
sys.stdin.readline()
database = Database(sys.argv[1])
migrate(database)
database.close()
"""


def look(database: Database, at: Callable[[Connection], Any]) -> Any:
    with database.engine.connect() as connection:
        return at(connection)


def tables(database: Database) -> set[str]:
    return set(look(database, lambda connection: inspect(connection).get_table_names())) - {"alembic_version"}


def revision(database: Database) -> str | None:
    found: str | None = look(database, lambda connection: MigrationContext.configure(connection).get_current_revision())
    return found


def head(database: Database) -> str | None:
    found: str | None = look(database, lambda connection: ScriptDirectory.from_config(config(connection)).get_current_head())
    return found


def differences(database: Database) -> list[Any]:
    """What Alembic would write into a next migration."""

    def compare(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": False})
        return list(compare_metadata(context, Table.metadata))

    found: list[Any] = look(database, compare)
    return found


def test_from_nothing_to_the_newest(empty_database: Database) -> None:
    assert tables(empty_database) == set()
    migrate(empty_database)
    assert tables(empty_database) == TABLES
    assert revision(empty_database) == head(empty_database) is not None


def test_the_migrations_make_what_the_code_declares(empty_database: Database) -> None:
    migrate(empty_database)
    assert differences(empty_database) == []


def test_what_autogenerate_does_not_compare_is_there_too(database: Database) -> None:
    def constraints(inspector: Inspector) -> str:
        return "".join(constraint["sqltext"] for constraint in inspector.get_check_constraints("jobs"))

    found = look(database, lambda connection: constraints(inspect(connection)))
    assert [state for state in STATES if f"'{state}'" not in found] == []
    for table in Table.metadata.sorted_tables:
        defaults = {column.name for column in table.columns if column.server_default is not None}
        columns = look(database, lambda connection, name=table.name: inspect(connection).get_columns(name))
        assert defaults <= {column["name"] for column in columns if column["default"] is not None}


def test_curves_lie_in_the_order_they_are_read_in_sqlite(sqlite_database: Database) -> None:
    statements = text("SELECT name FROM sqlite_master WHERE sql LIKE '%WITHOUT ROWID%'")
    found = look(sqlite_database, lambda connection: connection.execute(statements).scalars().all())
    assert set(found) == {"curve_points", "curve_buckets"}


def test_twice_is_harmless(database: Database) -> None:
    job = make_job(database)
    migrate(database)
    migrate(database)
    assert row(database, job).id == job.id
    assert differences(database) == []


def test_down_and_up_again(empty_database: Database) -> None:
    migrate(empty_database)
    make_job(empty_database)
    with empty_database.engine.execution_options(writes=True).begin() as connection:
        command.downgrade(config(connection), "base")
    assert tables(empty_database) == set()
    assert revision(empty_database) is None
    migrate(empty_database)
    assert differences(empty_database) == []
    assert make_job(empty_database).number == 1


def test_one_down_and_up_again(empty_database: Database) -> None:
    migrate(empty_database)
    job = make_job(empty_database)
    with empty_database.engine.execution_options(writes=True).begin() as connection:
        command.downgrade(config(connection), "0002")
    migrate(empty_database)
    assert differences(empty_database) == []
    assert row(empty_database, job).state == "queued"
    with pytest.raises(IntegrityError, match="jobs_lease"), empty_database.transaction() as session:
        session.get_one(Job, job.number).state = "running"


def test_threads_at_once(empty_database: Database) -> None:
    url = empty_database.url.render_as_string(hide_password=False)

    def migrate_alone(_: int) -> None:
        database = Database(url)
        try:
            migrate(database)
        finally:
            database.close()

    assert together(8, migrate_alone) == [None] * 8
    assert differences(empty_database) == []


def test_processes_at_once(empty_database: Database) -> None:
    url = empty_database.url.render_as_string(hide_password=False)
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    processes = [subprocess.Popen([sys.executable, "-W", "error", "-c", MIGRATE, url], **pipes) for _ in range(2)]
    for process in processes:
        assert process.stdout.readline() == b"ready\n"
    for process in processes:
        process.stdin.write(b"now\n")
        process.stdin.flush()
    assert [(process.communicate()[1], process.returncode) for process in processes] == [(b"", 0), (b"", 0)]
    assert differences(empty_database) == []


def test_an_error_leaves_nothing_behind(empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """The migration and the note that it was made are one transaction, on SQLite too."""
    monkeypatch.setattr("alembic.operations.Operations.create_index", lambda *args, **options: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        migrate(empty_database)
    assert tables(empty_database) == set()
    monkeypatch.undo()
    migrate(empty_database)
    assert differences(empty_database) == []


def test_a_state_of_no_name_is_refused(database: Database) -> None:
    job = make_job(database)
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.get_one(Job, job.number).state = "resting"
    assert row(database, job).state == "queued"
