"""Hands that tests of the store lend each other."""

import os
import time
from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any, TypeVar

from sqlalchemy import select, update

from store import jobs, journal, leases, recovery
from store.database import Database
from store.files import Files
from store.leases import Lease
from store.states import DONE, HELD
from store.tables import Blob, Job

Result = TypeVar("Result")
REQUEST: dict[str, Any] = {"dataset_id": "ds_1", "model": {"kind": "mlp"}, "epochs": 3, "name": "first"}
LEASE_SECONDS = 60.0
DEADLOCK_SECONDS = 30


def together(count: int, work: Callable[[int], Result]) -> list[Result | Exception]:
    """What `work(0)`, …, `work(count - 1)` give or raise, all begun at the same moment in threads of their own."""
    barrier = Barrier(count)
    outcomes: dict[int, Result | Exception] = {}

    def begin(place: int) -> None:
        barrier.wait()
        try:
            outcomes[place] = work(place)
        except Exception as error:
            outcomes[place] = error

    threads = [Thread(target=begin, args=(place,), daemon=True) for place in range(count)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + DEADLOCK_SECONDS
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    assert len(outcomes) == count, f"only {sorted(outcomes)} of {count} ended; the others wait for each other"
    return [outcomes[place] for place in range(count)]


def make_job(database: Database, owner: str = "ana", **values: Any) -> Job:
    with database.transaction() as session:
        return jobs.create(session, owner, REQUEST, **values)


def claim(database: Database, job: Job, worker: str = "w") -> Lease:
    with database.transaction() as session:
        taken = leases.claim(session, job.id, worker, LEASE_SECONDS)
    assert taken is not None
    return leases.lease_of(taken)


def claimed(database: Database) -> tuple[Job, Lease]:
    job = make_job(database)
    return job, claim(database, job)


def sweep(database: Database) -> list[tuple[str, str]]:
    with database.transaction() as session:
        return recovery.sweep(session)


def row(database: Database, job: Job) -> Job:
    """The job as it is now."""
    with database.reading() as session:
        return session.get_one(Job, job.number)


def put(database: Database, job: Job, **values: Any) -> None:
    """Write to the job's row behind the store's back."""
    with database.transaction() as session:
        session.execute(update(Job).where(Job.number == job.number).values(**values))


def expire(database: Database, job: Job) -> None:
    """Let the lease run out now."""
    put(database, job, lease_until=Job.lease_until - 2 * LEASE_SECONDS)


def put_in(database: Database, job: Job, state: str) -> None:
    """Bring the job into that state, however unlawfully, with what its row must hold there."""
    with database.transaction() as session:
        clock = database.clock(session)
        held = {"attempt": 1, "worker": "w", "lease_until": clock + LEASE_SECONDS}
        held = held if state in HELD else {"worker": None, "lease_until": None}
        done = {"finished_at": clock if state in DONE else None}
        session.execute(update(Job).where(Job.number == job.number).values(state=state, **held, **done))


def states(database: Database, job: Job) -> list[str | None]:
    """The states that the journal tells of, in order; the numbers of its lines leave no gap."""
    with database.reading() as session:
        entries = journal.entries(session, job.number)
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1))
    return [entry.state for entry in entries if entry.kind == "state"]


def count(database: Database, table: Any) -> int:
    with database.reading() as session:
        return len(session.scalars(select(table)).all())


def damaged(database: Database, files: Files, digest: str) -> None:
    """Overwrite some of a content's bytes, up to 64."""
    with database.transaction() as session:
        blob = session.get_one(Blob, digest)
        if blob.content is not None:
            blob.content = _overwritten(bytes(blob.content))
            return
    path = files.path(digest)
    before = path.stat().st_mtime_ns
    path.write_bytes(_overwritten(path.read_bytes()))
    os.utime(path, ns=(before + 10**6, before + 10**6))  # clocks of file systems may not have ticked since it was written


def gone(database: Database, files: Files, digest: str) -> None:
    """Lose a content; its row stays."""
    with database.transaction() as session:
        session.get_one(Blob, digest).content = None
    files.path(digest).unlink(missing_ok=True)


def _overwritten(content: bytes) -> bytes:
    middle, length = len(content) // 2, min(64, len(content) // 4 + 1)
    return content[:middle] + bytes(255 - byte for byte in content[middle : middle + length]) + content[middle + length :]
