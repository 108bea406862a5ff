"""What is started together comes up in any order: the commands wait for their database, and say when they give up."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from cli import processes
from cli.main import app
from store import workers
from store.database import Database
from store.migrate import migrate
from store.settings import settings
from tests.end_to_end.conftest import command

AWAY = "postgresql://vidro:hidden@127.0.0.1:1/vidro"


@pytest.fixture
def haste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "WAIT_SECONDS", 0.5)
    monkeypatch.setattr(processes, "RETRY_SECONDS", 0.05)


@pytest.fixture
def told(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """The database that the command line is told of."""
    monkeypatch.setenv("VIDRO_DATABASE_URL", database.url.render_as_string(hide_password=False))
    settings.cache_clear()
    yield database
    settings.cache_clear()


def test_tables_are_there_once_migrated(empty_database: Database) -> None:
    with empty_database.reading() as session:
        assert not processes.has_tables(session)
    migrate(empty_database)
    with empty_database.reading() as session:
        assert processes.has_tables(session)


def test_tables_of_a_later_version_will_do(database: Database) -> None:
    with database.transaction() as session:
        applied = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        session.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    try:
        with database.reading() as session:
            assert processes.has_tables(session)
    finally:
        with database.transaction() as session:
            session.execute(text("UPDATE alembic_version SET version_num = :applied"), {"applied": applied})


@pytest.mark.usefixtures("haste")
def test_a_server_that_comes_up_late_is_waited_for(postgresql_database: Database) -> None:
    answers = iter([OperationalError("", None, Exception("the database system is starting up")), False, True])

    def is_ready(_: Session) -> bool:
        answer = next(answers)
        if isinstance(answer, OperationalError):
            raise answer
        return answer

    processes.wait_until(postgresql_database, is_ready)
    assert next(answers, None) is None


@pytest.mark.usefixtures("haste")
def test_giving_up_says_why_and_keeps_the_password(capsys: pytest.CaptureFixture[str]) -> None:
    database = Database(AWAY)
    with pytest.raises(typer.Exit):
        processes.wait_until(database, processes.has_tables)
    said = capsys.readouterr().err
    assert "refused" in said
    assert "hidden" not in said


def test_sqlite_is_not_waited_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    started = time.monotonic()
    with pytest.raises(typer.Exit):
        processes.wait_until(Database(f"sqlite:///{tmp_path / 'empty.db'}"), processes.has_tables)
    assert time.monotonic() - started < 5
    assert "vidro migrate" in capsys.readouterr().err


def test_sigterm_ends_the_waiting() -> None:
    environment = os.environ | {"VIDRO_DATABASE_URL": AWAY}
    process = subprocess.Popen(command("migrate"), env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process.stderr:
        assert "waiting for the database" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 128 + signal.SIGTERM


@pytest.mark.parametrize(("name", "code"), [(f"{socket.gethostname()}:1", 0), ("elsewhere:1", 1), (None, 1)])
def test_a_worker_is_well_while_it_is_heard_of(told: Database, name: str | None, code: int) -> None:
    if name is not None:
        with told.transaction() as session:
            workers.beat(session, name, ["train"])
    assert CliRunner().invoke(app, ["worker", "--check"]).exit_code == code


def test_a_worker_is_not_well_without_its_database() -> None:
    environment = os.environ | {"VIDRO_DATABASE_URL": AWAY}
    check = [sys.executable, "-m", "cli.main", "worker", "--check"]
    done = subprocess.run(check, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "does not answer" in done.stderr
