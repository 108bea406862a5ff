from itertools import product
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from store import checkpoints, jobs, journal, leases, transitions, turns
from store.database import Database
from store.errors import Conflict, LeaseLost, NotFound
from store.files import Files
from store.leases import Lease
from store.states import DONE, HELD, LEGAL, STATES
from store.tables import Blob, Checkpoint, CurvePoint, Entry, Job, Model, Series
from tests.store.staging import (
    LEASE_SECONDS,
    claim,
    claimed,
    count,
    make_job,
    put,
    put_in,
    row,
    states,
    together,
)

MODEL = {"owner": "ana", "kind": "mlp", "dataset_id": "ds_1", "dataset_sha256": "0", "request": {}, "fitted": {}, "metrics": {}}


def test_the_whole_life(database: Database, files: Files) -> None:
    job = make_job(database)
    assert (job.state, job.attempt, job.worker, job.lease_until, job.started_at) == ("queued", 0, None, None, None)
    assert (job.name, job.dataset_id, job.model_kind, job.epochs, job.queue) == ("first", "ds_1", "mlp", 3, "train")

    lease = claim(database, job, "worker 1")
    assert lease == Lease(job.number, job.id, 1)
    running = row(database, job)
    assert (running.state, running.attempt, running.worker, running.finished_at) == ("running", 1, "worker 1", None)
    assert running.started_at is not None
    assert running.lease_until == pytest.approx(running.started_at + LEASE_SECONDS, abs=1)

    with database.transaction() as session:
        leases.update_row(session, lease, epoch=2, latest={"train_loss": 0.5}, parameters=7)
        journal.log(session, job.number, "half way")
        checkpoints.save(session, files, lease, 2, b"weights", values={"train_loss": 0.5}, periodic=True)
    with database.transaction() as session:
        assert leases.finish(session, lease, "succeeded", model_id="mdl_1") == "succeeded"
    ended = row(database, job)
    assert (ended.state, ended.worker, ended.lease_until, ended.epoch, ended.model_id) == ("succeeded", None, None, 2, "mdl_1")
    assert ended.created_at <= running.started_at <= (ended.finished_at or 0)
    with database.reading() as session:
        lines = [(entry.sequence, entry.kind, entry.state, entry.epoch) for entry in journal.entries(session, job.number)]
        [checkpoint] = checkpoints.of_job(session, job.number)
        assert files.get(session, checkpoint.digest) == b"weights"
        assert [entry.message for entry in journal.entries(session, job.number, after=2)] == ["half way", None]
    assert lines == [(1, "state", "queued", 0), (2, "state", "running", 0), (3, "log", None, 2), (4, "state", "succeeded", 2)]


def test_legal_names_every_state_and_no_other() -> None:
    assert set(LEGAL) == set(STATES) >= set().union(*LEGAL.values())
    assert set(DONE) == {"succeeded", "failed", "cancelled"}
    assert all(
        "cancelled" in LEGAL[state] or "cancelling" in LEGAL[state] for state in set(STATES) - set(DONE) - {"cancelling"}
    )
    assert set(HELD) == {"running", "pausing", "cancelling"}


@pytest.mark.parametrize("before", STATES)
def test_only_legal_moves_are_made(database: Database, before: str) -> None:
    for after in STATES:
        job = make_job(database)
        put_in(database, job, before)
        if after not in LEGAL[before]:
            with pytest.raises(AssertionError, match="no legal transition"), database.transaction() as session:
                transitions.move(session, job.number, [before], after)
            assert row(database, job).state == before
            continue
        lease = {"worker": "w", "lease_until": 1e12} if after == "running" else {}
        with database.transaction() as session:
            assert transitions.move(session, job.number, [before], after, reason="because", **lease)
        moved = row(database, job)
        assert (moved.state, moved.state_reason) == (after, "because")
        assert (moved.finished_at is not None) == (after in DONE)
        assert after in HELD or (moved.lease_until, moved.worker) == (None, None)
        assert states(database, job)[-1] == after


def test_a_move_from_where_the_job_is_not_changes_nothing(database: Database) -> None:
    job = make_job(database)
    for before, expected in product(STATES, STATES):
        if before != expected and LEGAL[expected]:
            put_in(database, job, before)
            with database.transaction() as session:
                assert not transitions.move(session, job.number, [expected], min(LEGAL[expected]), epoch=9)
            assert (row(database, job).state, row(database, job).epoch) == (before, 0)
    put_in(database, job, "queued")
    with database.transaction() as session:
        assert not transitions.move(session, job.number, ["queued"], "running", where=[Job.attempt == 77])
    assert states(database, job) == ["queued"]


def test_a_state_that_there_is_not_is_refused_by_the_database(database: Database) -> None:
    job = make_job(database)
    for state in ("resting", "QUEUED", ""):
        with pytest.raises(IntegrityError), database.transaction() as session:
            session.execute(update(Job).values(state=state))
    assert row(database, job).state == "queued"


@pytest.mark.parametrize("values", [
    {"state": "running"}, {"state": "queued", "lease_until": 1.0}, {"state": "paused", "lease_until": 1.0},
    {"state": "succeeded"}, {"finished_at": 1.0}, {"state": "cancelling", "lease_until": 1.0, "finished_at": 1.0},
])  # fmt: skip
def test_what_a_state_does_not_allow_is_refused_by_the_database(database: Database, values: dict[str, Any]) -> None:
    """A lease is held where a worker runs the job, and nowhere else; there is an end where it is done, and nowhere else."""
    job = make_job(database)
    with pytest.raises(IntegrityError, match=r"jobs_(lease|finished)"), database.transaction() as session:
        session.execute(update(Job).values(**values))
    assert (row(database, job).state, row(database, job).lease_until) == ("queued", None)


def test_one_of_many_claims_a_job(database: Database) -> None:
    job = make_job(database)

    def take(place: int) -> Lease | None:
        with database.transaction() as session:
            taken = leases.claim(session, job.id, f"worker {place}", LEASE_SECONDS)
        return taken and leases.lease_of(taken)

    found = together(12, take)
    taken = [lease for lease in found if lease is not None]
    assert taken == [Lease(job.number, job.id, 1)]
    assert row(database, job).worker == f"worker {found.index(taken[0])}"
    assert states(database, job) == ["queued", "running"]


@pytest.mark.parametrize("state", [state for state in STATES if state != "queued"])
def test_a_doubled_message_does_nothing(database: Database, state: str) -> None:
    job = make_job(database)
    put_in(database, job, state)
    before = vars(row(database, job))
    with database.transaction() as session:
        assert leases.claim(session, job.id, "another", LEASE_SECONDS) is None
        assert leases.claim(session, "job_none", "another", LEASE_SECONDS) is None
    after = vars(row(database, job))
    assert {name: after[name] for name in after if name[0] != "_"} == {name: before[name] for name in before if name[0] != "_"}
    assert states(database, job) == ["queued"]


def test_two_who_look_for_work_at_once_find_two_jobs(postgresql_database: Database) -> None:
    first, second = (make_job(postgresql_database) for _ in range(2))
    with postgresql_database.transaction() as one, postgresql_database.transaction() as other:
        found = [leases.claim_next(session, ["train"], "w", LEASE_SECONDS) for session in (one, other, other)]
    assert [job and job.id for job in found] == [first.id, second.id, None]
    assert [row(postgresql_database, job).state for job in (first, second)] == ["running", "running"]


def taken_next(session: Session, *queues: str) -> str | None:
    """The id of the job that is taken from these queues; and it is put back."""
    job = leases.claim_next(session, queues, "w", LEASE_SECONDS)
    assert job is None or (job.state, job.worker) == ("running", "w")
    found = job and job.id
    session.rollback()
    return found


def test_the_queue_is_first_come_first_served(database: Database) -> None:
    first, second, gpu, third = (make_job(database, queue=queue) for queue in ("train", "train", "gpu", "train"))

    jobs_in_order = (first, second, gpu, third)

    def look() -> tuple[list[int | None], str | None]:
        with database.reading() as session:
            places = [turns.positions(session, [row(database, job)]).get(job.number) for job in jobs_in_order]
        with database.transaction() as session:
            return places, taken_next(session, "train")

    assert look() == ([1, 2, 1, 3], first.id)
    lease = claim(database, first)
    assert look() == ([None, 1, 1, 2], second.id)
    with database.transaction() as session:
        leases.release(session, lease, "its worker was stopped")
    assert look() == ([1, 2, 1, 3], first.id)
    for queues, expected in ((["gpu"], gpu.id), (["gpu", "train"], first.id), (["none"], None)):
        with database.transaction() as session:
            assert taken_next(session, *queues) == expected


CANCELLED = {
    "queued": "cancelled",
    "paused": "cancelled",
    "running": "cancelling",
    "pausing": "cancelling",
    "cancelling": "cancelling",
}


@pytest.mark.parametrize("state", STATES)
def test_cancelling_from_every_state(database: Database, state: str) -> None:
    job = make_job(database)
    put_in(database, job, state)

    def cancel() -> None:
        with database.transaction() as session:
            jobs.cancel(session, job)

    if state in DONE:
        with pytest.raises(Conflict, match=f"{state} already"):
            cancel()
    else:
        cancel()
    found = row(database, job)
    assert found.state == CANCELLED.get(state, state)
    assert (found.finished_at is not None) == (found.state in DONE)
    assert (found.lease_until is not None) == (found.state in HELD)


@pytest.mark.parametrize(("asked", "ended"), [("succeeded", "cancelled"), ("cancelled", "cancelled"), ("failed", "failed")])
def test_a_job_that_ends_while_it_is_cancelled(database: Database, asked: str, ended: str) -> None:
    job, lease = claimed(database)
    with database.transaction() as session:
        jobs.cancel(session, job)
    with database.transaction() as session:
        assert leases.state_of(session, lease) == "cancelling"
        assert leases.finish(session, lease, asked) == ended
    assert states(database, job) == ["queued", "running", "cancelling", ended]


@pytest.mark.parametrize("how", ["finish", "release"])
def test_a_cancel_and_the_workers_end_at_once(database: Database, how: str) -> None:
    """Either the cancel comes first, or it finds what the worker left: a cancel that was accepted is never lost."""
    for _ in range(15):
        job, lease = claimed(database)

        def act(place: int, job: Job = job, lease: Lease = lease) -> Any:
            with database.transaction() as session:
                if place == 0:
                    return jobs.cancel(session, job)
                if how == "finish":
                    return leases.finish(session, lease, "succeeded")
                return leases.release(session, lease, "its worker was stopped")

        cancelled, ended = together(2, act)
        assert not isinstance(ended, Exception)
        if ended == "succeeded":
            assert isinstance(cancelled, Conflict)
            assert states(database, job) == ["queued", "running", "succeeded"]
        else:
            assert cancelled is None
            assert row(database, job).state == "cancelled"


def fill(database: Database, files: Files, job: Job, lease: Lease) -> None:
    """Two checkpoints, one of them a model's, and a curve."""
    with database.transaction() as session:
        checkpoints.save(session, files, lease, 1, b"passing", values={})
        kept = checkpoints.save(session, files, lease, 2, b"kept", values={})
        model = {"id": "mdl_1", "job_id": job.id, "epoch": 2, "parameters": 1, "versions": {}, "digest": kept.digest}
        session.execute(insert(Model).values(**MODEL, **model))
        session.execute(insert(Series).values(number=1, name="loss"))
        session.execute(insert(CurvePoint).values(job_number=job.number, series_number=1, step=1, value=0.5))


def test_deleted_a_job_leaves_its_model_alone(database: Database, files: Files) -> None:
    job, lease = claimed(database)
    other, _ = claimed(database)
    fill(database, files, job, lease)
    with pytest.raises(Conflict, match="not done"), database.transaction() as session:
        jobs.delete(session, files, job)
    assert (count(database, Checkpoint), count(database, Blob)) == (2, 2)
    with database.transaction() as session:
        leases.finish(session, lease, "succeeded", model_id="mdl_1")
        jobs.delete(session, files, job)
    with pytest.raises(NotFound), database.reading() as session:
        jobs.get(session, job.id, None)
    assert [count(database, table) for table in (Checkpoint, CurvePoint, Model, Blob, Job)] == [0, 0, 1, 1, 1]
    with database.reading() as session:
        assert files.get(session, session.get_one(Model, 1).digest) == b"kept"
        assert session.scalars(select(Entry.job_number)).all() == [other.number] * 2
    with pytest.raises(LeaseLost), database.transaction() as session:
        leases.update_row(session, lease, epoch=3)


@pytest.mark.parametrize("state", STATES)
def test_only_what_is_done_is_deleted(database: Database, files: Files, state: str) -> None:
    job = make_job(database)
    put_in(database, job, state)
    if state in DONE:
        with database.transaction() as session:
            jobs.delete(session, files, job)
    else:
        with pytest.raises(Conflict), database.transaction() as session:
            jobs.delete(session, files, job)
    assert count(database, Job) == (state not in DONE)


def test_the_journal_leaves_no_gap_whoever_writes(database: Database) -> None:
    job, lease = claimed(database)

    def write(place: int) -> None:
        for turn in range(5):
            with database.transaction() as session:
                leases.update_row(session, lease, epoch=turn)
                journal.log(session, job.number, f"{place} {turn}")

    assert together(4, write) == [None] * 4
    with database.reading() as session:
        entries = journal.entries(session, job.number)
    assert [entry.sequence for entry in entries] == list(range(1, 23))
    assert len({entry.message for entry in entries}) == 21
    assert [entry.at for entry in entries] == sorted(entry.at for entry in entries)


def test_jobs_are_their_owners(database: Database) -> None:
    job = make_job(database, owner="ana")
    with database.reading() as session:
        assert jobs.get(session, job.id, "ana").id == jobs.get(session, job.id, None).id == job.id
        for wanted, owner in [(job.id, "rui"), ("job_none", "ana"), ("job_none", None)]:
            with pytest.raises(NotFound, match=wanted):
                jobs.get(session, wanted, owner)


def test_a_job_begins_with_what_was_asked(database: Database) -> None:
    with database.transaction() as session:
        job = jobs.create(session, "ana", {"dataset_id": "ds_2", "model": {"kind": "perceptron"}, "epochs": None}, queue="gpu")
        assert abs((job.sent_at or 0) - database.clock(session)) < 5
    assert (job.name, job.epochs, job.model_kind, job.queue) == (None, 1, "perceptron", "gpu")
    assert row(database, job).request == {"dataset_id": "ds_2", "model": {"kind": "perceptron"}, "epochs": None}


def test_a_job_started_again_keeps_when_it_first_started(database: Database) -> None:
    job, lease = claimed(database)
    put(database, job, started_at=1000.0)
    with database.transaction() as session:
        leases.release(session, lease, "its worker was stopped")
    claim(database, job)
    assert row(database, job).started_at == 1000.0
