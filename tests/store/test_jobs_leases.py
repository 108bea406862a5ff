import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from store import checkpoints, curves, jobs, leases, recovery
from store.database import Database
from store.errors import Conflict, LeaseLost
from store.files import Files
from store.leases import Lease
from store.recovery import MAX_LOST_ATTEMPTS, RESEND_SECONDS
from store.states import STATES
from store.tables import Blob, Checkpoint, CurvePoint, Job, Position
from tests.store.staging import (
    LEASE_SECONDS,
    claim,
    claimed,
    count,
    expire,
    make_job,
    put,
    put_in,
    row,
    states,
    sweep,
    together,
)

WRITES: dict[str, Callable[[Session, Files, Lease], Any]] = {
    "update_row": lambda session, files, lease: leases.update_row(session, lease, epoch=9),
    "renew": lambda session, files, lease: leases.renew(session, lease, LEASE_SECONDS),
    "state_of": lambda session, files, lease: leases.state_of(session, lease),
    "succeed": lambda session, files, lease: leases.finish(session, lease, "succeeded"),
    "fail": lambda session, files, lease: leases.finish(session, lease, "failed", "broke"),
    "end cancelled": lambda session, files, lease: leases.finish(session, lease, "cancelled"),
    "release": lambda session, files, lease: leases.release(session, lease, "its worker was stopped"),
    "save_position": lambda session, files, lease: checkpoints.save_position(
        session, files, lease, Position(epoch=0, place=1, values={}), b"stale"
    ),
    "save_checkpoint": lambda session, files, lease: checkpoints.save(session, files, lease, 1, b"stale", values={}),
}


def lose(database: Database, files: Files, how: str) -> tuple[Job, Lease]:
    """A job, and a lease of it that has been lost."""
    job, lease = claimed(database)
    if how == "cancelled and lost":
        with database.transaction() as session:
            jobs.cancel(session, job)
    if how in ("ended", "deleted"):
        with database.transaction() as session:
            leases.finish(session, lease, "succeeded")
    elif how == "given back":
        with database.transaction() as session:
            leases.release(session, lease, "stopped")
    else:
        expire(database, job)
        sweep(database)
    if how == "another's":
        claim(database, job, "another")
    if how == "deleted":  # and SQLite gives its number out again
        with database.transaction() as session:
            jobs.delete(session, files, job)
        return claimed(database)[0], lease
    return job, lease


def columns(database: Database, job: Job) -> dict[str, Any]:
    with database.reading() as session:
        return dict(session.execute(select(Job.__table__).where(Job.number == job.number)).mappings().one())


@pytest.mark.parametrize("how", ["taken back", "another's", "ended", "given back", "cancelled and lost", "deleted"])
def test_who_lost_the_lease_writes_nothing(database: Database, files: Files, how: str) -> None:
    job, lease = lose(database, files, how)
    before, history = columns(database, job), states(database, job)

    def write_all(session: Session, write: Callable[[Session, Files, Lease], Any]) -> None:
        recorder = curves.Recorder(job.number)
        recorder.add(1, {"loss": 1.0})
        recorder.write(session)
        session.add(Checkpoint(job_number=job.number, epoch=5, digest=files.put(session, b"stale too"), values={}))
        session.flush()
        write(session, files, lease)

    for write in WRITES.values():
        with (
            pytest.raises(LeaseLost, match=f"'{lease.job_id}' is no longer held by attempt 1"),
            database.transaction() as session,
        ):
            write_all(session, write)
    assert columns(database, job) == before
    assert states(database, job) == history
    assert [count(database, table) for table in (CurvePoint, Checkpoint, Position, Blob)] == [0, 0, 0, 0]


@pytest.mark.parametrize("name", WRITES)
def test_who_holds_the_lease_writes(database: Database, files: Files, name: str) -> None:
    """Until it is taken back, also where it has run out: nobody else has begun."""
    job, lease = claimed(database)
    if name == "end cancelled":
        with database.transaction() as session:
            jobs.cancel(session, job)
    expire(database, job)
    with database.transaction() as session:
        WRITES[name](session, files, lease)


def test_renewed_a_lease_lasts_from_now_on(database: Database) -> None:
    job, lease = claimed(database)
    expire(database, job)
    with database.transaction() as session:
        leases.renew(session, lease, 30)
        assert row(database, job).lease_until is not None
    with database.reading() as session:
        assert row(database, job).lease_until == pytest.approx(database.clock(session) + 30, abs=2)
    assert sweep(database) == []
    assert row(database, job).state == "running"


def test_it_is_known_when_the_first_lease_runs_out(database: Database) -> None:
    def ahead() -> float | None:
        with database.reading() as session:
            return recovery.next_expiry(session)

    make_job(database)
    assert ahead() is None
    (_, _), (soon, _) = claimed(database), claimed(database)
    assert ahead() == pytest.approx(LEASE_SECONDS, abs=2)
    put(database, soon, lease_until=Job.lease_until - LEASE_SECONDS + 5)
    assert ahead() == pytest.approx(5, abs=2)
    expire(database, soon)
    assert (ahead() or 0) < 0
    sweep(database)
    assert ahead() == pytest.approx(LEASE_SECONDS, abs=2)


def test_leases_are_judged_by_the_databases_clock(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker or a sweeper whose own clock is wrong by an hour neither takes nor keeps what it should not."""
    real = time.time
    for wrong in (real() - 3600, real() + 3600):
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda wrong=wrong: wrong)
            job, _ = claimed(database)
            assert sweep(database) == []
            assert row(database, job).lease_until == pytest.approx(real() + LEASE_SECONDS, abs=5)
            expire(database, job)
            assert sweep(database) == [(job.id, "train")]


def test_the_sweep_takes_back_what_has_run_out(database: Database) -> None:
    lost, held, waiting = claimed(database)[0], claimed(database)[0], make_job(database, queue="gpu")
    assert sweep(database) == []
    expire(database, lost)
    assert sweep(database) == [(lost.id, "train")]
    found = row(database, lost)
    assert (found.state, found.attempt, found.lost_attempts, found.worker, found.lease_until) == ("queued", 1, 1, None, None)
    assert found.state_reason == "attempt 1 was lost with its worker"
    assert states(database, lost) == ["queued", "running", "queued"]
    assert [row(database, job).state for job in (held, waiting)] == ["running", "queued"]
    assert claim(database, lost, "another").attempt == 2
    assert sweep(database) == []


@pytest.mark.parametrize(("state", "after"), [("running", "queued"), ("pausing", "paused"), ("cancelling", "cancelled")])
def test_what_becomes_of_a_lost_job(database: Database, state: str, after: str) -> None:
    job, _ = claimed(database)
    put(database, job, state=state)
    expire(database, job)
    assert sweep(database) == ([(job.id, "train")] if after == "queued" else [])
    assert row(database, job).state == after
    assert (row(database, job).finished_at is not None) == (after == "cancelled")


def test_what_waits_without_a_message_is_sent_again(database: Database) -> None:
    never, long_ago, just_now, done = (make_job(database, queue=queue) for queue in ("train", "gpu", "train", "train"))
    put(database, never, sent_at=None)
    put(database, long_ago, sent_at=Job.sent_at - RESEND_SECONDS - 1)
    put(database, just_now, sent_at=Job.sent_at - RESEND_SECONDS + 5)
    put_in(database, done, "succeeded")
    put(database, done, sent_at=None)
    assert sweep(database) == [(never.id, "train"), (long_ago.id, "gpu")]
    assert sweep(database) == []


def lose_once(database: Database, job: Job) -> None:
    claim(database, job)
    expire(database, job)
    sweep(database)


def test_lost_three_times_in_a_row_a_job_has_failed(database: Database) -> None:
    job = make_job(database)
    for lost in range(1, MAX_LOST_ATTEMPTS):
        lose_once(database, job)
        assert (row(database, job).state, row(database, job).lost_attempts) == ("queued", lost)
    lose_once(database, job)
    found = row(database, job)
    assert (found.state, found.attempt, found.lease_until) == ("failed", 3, None)
    assert found.finished_at is not None
    assert found.error is not None
    assert found.error == {
        "type": "urn:vidro:problem:worker-lost",
        "title": "Worker lost",
        "status": 500,
        "code": "WORKER_LOST",
        "detail": found.state_reason,
    }
    assert "3 times in a row" in found.error["detail"]
    assert states(database, job) == ["queued", *["running", "queued"] * 2, "running", "failed"]
    assert sweep(database) == []


def test_a_checkpoint_between_begins_the_count_anew(database: Database, files: Files) -> None:
    job = make_job(database)
    for epoch in range(1, 4):
        lose_once(database, job)
        lose_once(database, job)
        lease = claim(database, job)
        with database.transaction() as session:
            checkpoints.save(session, files, lease, epoch, b"weights %d" % epoch, values={})
        assert row(database, job).lost_attempts == 0
        with database.transaction() as session:
            leases.release(session, lease, "stopped")
    assert (row(database, job).state, row(database, job).attempt) == ("queued", 9)
    for _ in range(3):
        lose_once(database, job)
    assert row(database, job).state == "failed"


def test_of_many_sweeps_at_once_one_takes_a_job_back(database: Database) -> None:
    lost = [claimed(database)[0] for _ in range(5)]
    for job in lost:
        expire(database, job)
    found = together(6, lambda _: sweep(database))
    assert not [outcome for outcome in found if isinstance(outcome, Exception)]
    assert {sent for outcome in found if isinstance(outcome, list) for sent in outcome} == {(job.id, "train") for job in lost}
    for job in lost:
        assert (row(database, job).state, row(database, job).lost_attempts) == ("queued", 1)
        assert states(database, job) == ["queued", "running", "queued"]


def test_a_sweep_and_a_renewal_at_once(database: Database) -> None:
    """Who comes first has it: the worker goes on, or is told that the lease is lost."""
    for _ in range(10):
        job, lease = claimed(database)
        expire(database, job)

        def act(place: int, lease: Lease = lease) -> Any:
            if place:
                return sweep(database)
            with database.transaction() as session:
                return leases.renew(session, lease, LEASE_SECONDS)

        renewed, swept = together(2, act)
        if renewed is None:
            assert (row(database, job).state, swept) == ("running", [])
        else:
            assert isinstance(renewed, LeaseLost)
            assert (row(database, job).state, swept) == ("queued", [(job.id, "train")])
            put_in(database, job, "cancelled")


def test_given_back_a_job_is_sent_at_once_and_not_counted_lost(database: Database) -> None:
    job, lease = claimed(database)
    with database.transaction() as session:
        leases.release(session, lease, "its worker was stopped")
    found = row(database, job)
    assert (found.state, found.attempt, found.lost_attempts, found.state_reason) == ("queued", 1, 0, "its worker was stopped")
    assert sweep(database) == [(job.id, "train")]


def test_given_back_while_it_is_paused_a_job_is_paused(database: Database) -> None:
    job, lease = claimed(database)
    with database.transaction() as session:
        jobs.pause(session, job)
        assert leases.release(session, lease, "its worker was stopped") == "paused"
    assert states(database, job) == ["queued", "running", "pausing", "paused"]
    assert sweep(database) == []
    with database.transaction() as session:
        jobs.resume(session, job)
    assert claim(database, job).attempt == 2


@pytest.mark.parametrize("state", STATES)
def test_what_can_be_paused_and_resumed(database: Database, state: str) -> None:
    for act, allowed in ((jobs.pause, {"running": "pausing", "pausing": "pausing"}), (jobs.resume, {"paused": "queued"})):
        job = make_job(database)
        put_in(database, job, state)
        if state in allowed:
            with database.transaction() as session:
                act(session, job)
        else:
            with pytest.raises(Conflict, match=f"is {state}; "), database.transaction() as session:
                act(session, job)
        assert row(database, job).state == allowed.get(state, state)


def test_a_pause_ends_in_paused_unless_a_cancel_came(database: Database) -> None:
    for cancelled in (False, True):
        job, lease = claimed(database)
        with database.transaction() as session:
            jobs.pause(session, job)
            if cancelled:
                jobs.cancel(session, job)
            outcome = leases.finish(session, lease, "paused", "paused by the caller")
        assert outcome == row(database, job).state == ("cancelled" if cancelled else "paused")
        assert row(database, job).lease_until is None


def test_a_position_gives_way_to_what_comes_after(database: Database, files: Files) -> None:
    job, lease = claimed(database)

    def save(epoch: int, place: int, content: bytes) -> None:
        with database.transaction() as session:
            checkpoints.save_position(session, files, lease, Position(epoch=epoch, place=place, values={}), content)

    def standings() -> list[tuple[int, int]]:
        with database.reading() as session:
            found = checkpoints.resume_points(session, job.number)
            return [(standing.epoch, checkpoints.steps_within(standing)) for standing in found]

    put(database, job, lost_attempts=2)
    save(0, 5, b"five")
    save(0, 9, b"nine")
    assert (standings(), count(database, Blob), row(database, job).lost_attempts) == ([(0, 9)], 1, 0)
    with database.transaction() as session:
        checkpoints.save(session, files, lease, 1, b"whole", values={})
    save(1, 2, b"two")
    assert standings() == [(1, 2), (1, 0)]
    with database.transaction() as session:
        checkpoints.forget_positions_of_done(session, files)
    assert standings() == [(1, 2), (1, 0)]
    with database.transaction() as session:
        leases.finish(session, lease, "succeeded")
        checkpoints.forget_positions_of_done(session, files)
    assert (standings(), count(database, Blob)) == ([(1, 0)], 1)


def test_given_back_while_it_is_cancelled_a_job_is_cancelled(database: Database) -> None:
    job, lease = claimed(database)
    with database.transaction() as session:
        jobs.cancel(session, job)
        leases.release(session, lease, "its worker was stopped")
    assert states(database, job) == ["queued", "running", "cancelling", "cancelled"]
    with pytest.raises(Conflict), database.transaction() as session:
        jobs.cancel(session, job)


@pytest.mark.parametrize("same", [False, True])
def test_a_checkpoint_of_the_same_epoch_is_replaced(database: Database, files: Files, same: bool) -> None:
    job, lease = claimed(database)
    with database.transaction() as session:
        checkpoints.save(session, files, lease, 1, b"first", values={"loss": 2.0})
        checkpoints.save(session, files, lease, 2, b"second", values={})
        checkpoints.save(session, files, lease, 1, b"first" if same else b"third", values={"loss": 1.0}, periodic=True)
    with database.reading() as session:
        found = checkpoints.of_job(session, job.number)
        assert [(entry.epoch, entry.periodic, entry.values) for entry in found] == [(1, True, {"loss": 1.0}), (2, False, {})]
        assert files.get(session, found[0].digest) == (b"first" if same else b"third")
    assert count(database, Blob) == 2
    with database.transaction() as session:
        checkpoints.forget(session, files, lease, [1, 7])
    assert (count(database, Checkpoint), count(database, Blob)) == (1, 1)


def test_a_job_that_is_held_up_holds_up_no_other(postgresql_database: Database) -> None:
    """As one is whose worker was frozen within a transaction."""
    held_up, other = (claimed(postgresql_database)[0] for _ in range(2))
    for job in (held_up, other):
        expire(postgresql_database, job)
    with postgresql_database.transaction() as session:
        session.execute(select(Job.number).where(Job.number == held_up.number).with_for_update())
        sweep(postgresql_database)
    assert row(postgresql_database, other).state == "queued"
    assert row(postgresql_database, held_up).state == "running"
    sweep(postgresql_database)
    assert row(postgresql_database, held_up).state == "queued"
