"""What one thread finds out for all: which watched jobs have gone on."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import delete, text

from store import changes, jobs, journal, leases
from store.changes import Changes
from store.cursors import Cursor, Head
from store.database import Database
from store.tables import Job
from tests.store.staging import LEASE_SECONDS, claim, make_job

LIMIT_SECONDS = 30


class Told:
    """Everything that was told, in order."""

    def __init__(self, database: Database) -> None:
        self.heads: list[dict[int, Head | None]] = []
        self.changes = Changes(database, self.heads.append)

    def last(self, number: int) -> Head | None:
        return next((heads[number] for heads in reversed(self.heads) if number in heads), None)

    def wait(self, condition: Callable[[], Any]) -> None:
        until = time.monotonic() + LIMIT_SECONDS
        while not condition():
            assert time.monotonic() < until, self.heads
            time.sleep(0.01)

    def wait_for(self, number: int, cursor: Cursor) -> None:
        self.wait(lambda: (head := self.last(number)) is not None and head.cursor == cursor)


@pytest.fixture
def told(database: Database) -> Iterator[Told]:
    found = Told(database)
    yield found
    found.changes.close()


def test_what_a_worker_commits_is_told(database: Database, told: Told) -> None:
    job, other = make_job(database), make_job(database)
    told.changes.watch(job.number)
    told.wait_for(job.number, Cursor(1, 0))
    lease = claim(database, job)
    told.wait_for(job.number, Cursor(2, 0))
    with database.transaction() as session:
        leases.update_row(session, lease, epoch=7)
    told.wait_for(job.number, Cursor(2, 7))
    with database.transaction() as session:
        leases.finish(session, lease, "succeeded")
    told.wait_for(job.number, Cursor(3, 7))
    head = told.last(job.number)
    assert head is not None
    assert head.ended
    assert all(other.number not in heads for heads in told.heads)


def test_what_is_no_event_is_not_told(database: Database, told: Told) -> None:
    job = make_job(database)
    lease = claim(database, job)
    told.changes.watch(job.number)
    told.wait_for(job.number, Cursor(2, 0))
    with database.transaction() as session:
        leases.renew(session, lease, LEASE_SECONDS)
        jobs.describe(session, jobs.get(session, job.id, None), name="another")
    make_job(database)
    with database.transaction() as session:
        leases.update_row(session, lease, epoch=1)
    told.wait_for(job.number, Cursor(2, 1))
    assert len(told.heads) == 2


def test_a_job_that_was_deleted_is_told_as_none(database: Database, told: Told) -> None:
    job = make_job(database)
    told.changes.watch(job.number)
    told.wait_for(job.number, Cursor(1, 0))
    with database.transaction() as session:
        session.execute(delete(Job).where(Job.number == job.number))
    told.wait(lambda: {job.number: None} in told.heads)


def test_it_goes_on_once_the_database_is_back(postgresql_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "RETRY_SECONDS", 0.1)
    told, job = Told(postgresql_database), make_job(postgresql_database)
    told.changes.watch(job.number)
    told.wait_for(job.number, Cursor(1, 0))
    with postgresql_database.transaction() as session:
        listening = "query LIKE 'LISTEN%' AND datname = current_database()"
        session.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {listening}"))
    claim(postgresql_database, job)
    told.wait_for(job.number, Cursor(2, 0))
    told.changes.close()


def test_postgresql_notifies_at_the_commit(postgresql_database: Database) -> None:
    """Of epochs and of the journal's entries after the first, and of nothing else; not of what is rolled back."""
    job = make_job(postgresql_database)
    with postgresql_database.engine.connect() as connection:
        driver: Any = connection.connection.dbapi_connection
        driver.autocommit = True
        driver.execute(f"LISTEN {changes.CHANNEL}")
        lease = claim(postgresql_database, job)  # one
        with postgresql_database.transaction() as session:
            leases.renew(session, lease, LEASE_SECONDS)
            leases.update_row(session, lease, warnings=[])
        with postgresql_database.transaction() as session:
            leases.update_row(session, lease, epoch=1)
            session.rollback()
        make_job(postgresql_database)
        with postgresql_database.transaction() as session:
            leases.update_row(session, lease, epoch=2)
            journal.log(session, job.number, "and a message")  # two
        with postgresql_database.transaction() as session:
            leases.finish(session, lease, "succeeded")  # three
        told = [notify.payload for notify in driver.notifies(timeout=LIMIT_SECONDS, stop_after=3)]
        told += [notify.payload for notify in driver.notifies(timeout=0.2)]
        connection.invalidate()
    assert told == [str(job.number)] * 3
