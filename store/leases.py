"""A worker's claim on a job, and what the worker does with it: every write names the lease."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam, func, select, update
from sqlalchemy.orm import Session

from store import turns
from store.database import now
from store.errors import LeaseLost
from store.states import BY_CALLER, HELD, LEGAL
from store.tables import Job
from store.transitions import journal_move, move, move_statement, updated


@dataclass(frozen=True)
class Lease:
    """A worker's claim on a job: what every write of it names."""

    job_number: int
    job_id: str
    attempt: int


def lease_of(job: Job) -> Lease:
    """The lease of a job as `claim` returned it, which its attempt names."""
    return Lease(job.number, job.id, job.attempt)


_TAKEN = {
    "attempt": Job.attempt + 1,
    "worker": bindparam("by"),
    "started_at": func.coalesce(Job.started_at, now()),
    "lease_until": now() + bindparam("lease_seconds"),
}
_TAKE = move_statement(["queued"], "running", None, _TAKEN).returning(Job).execution_options(synchronize_session=False)
_TAKE_THAT = _TAKE.where(Job.id == bindparam("job_id"))


def _take_first(*among: ColumnElement[bool]) -> Any:
    """The UPDATE that takes the oldest queued job among those that nobody else is about to take."""
    first = (
        select(Job.number).where(Job.state == "queued", *among).order_by(Job.number).limit(1).with_for_update(skip_locked=True)
    )
    return _TAKE.where(Job.number == first.scalar_subquery())


_TAKE_IN_TURN = _take_first(Job.owner == bindparam("of_owner"), Job.queue == bindparam("of_queue"))
_TAKE_ANY = _take_first(Job.queue.in_(bindparam("queues", expanding=True)))


def claim(session: Session, job_id: str, worker: str, lease_seconds: float) -> Job | None:
    """Take that queued job out of turn. None where it is not queued (any more): a second message does nothing."""
    job = _claimed(session, _TAKE_THAT, {"job_id": job_id, "by": worker, "lease_seconds": lease_seconds})
    if job is not None:
        turns.count_start(session, job)
    return job


def claim_next(session: Session, queues: Sequence[str], worker: str, lease_seconds: float) -> Job | None:
    """Take the oldest job of whose turn it is in these queues, that nobody else is about to take. None where none waits.

    Where others serve all owners who wait at this moment, it takes the oldest job of them all, and no turn.
    """
    by = {"by": worker, "lease_seconds": lease_seconds}
    turn = turns.take(session, queues)
    job = None if turn is None else _claimed(session, _TAKE_IN_TURN, by | turn)
    return job or _claimed(session, _TAKE_ANY, by | {"queues": queues})


def _claimed(session: Session, statement: Any, parameters: dict[str, Any]) -> Job | None:
    job: Job | None = session.scalars(statement, parameters).one_or_none()
    if job is not None:
        journal_move(session, job.number, "running", None)
    return job


def renew(session: Session, lease: Lease, lease_seconds: float) -> None:
    """Hold the lease for another term. Raises LeaseLost where it is another's or nobody's by now."""
    update_row(session, lease, lease_until=now() + lease_seconds)


def _of(lease: Lease) -> list[ColumnElement[bool]]:
    """The job as this attempt at it. Its id is named, too: SQLite gives the number of a job that was deleted out again."""
    return [Job.number == lease.job_number, Job.id == lease.job_id, Job.attempt == lease.attempt]


def state_of(session: Session, lease: Lease) -> str:
    """The state of the job held. Raises LeaseLost where the lease is lost."""
    held = (*_of(lease), Job.state.in_(HELD))
    state = session.scalars(select(Job.state).where(*held)).one_or_none()
    if state is None:
        raise _lost(lease)
    return state


def update_row(session: Session, lease: Lease, **values: Any) -> None:
    """Write to the held job's row, which locks it: what else the transaction writes is fenced by it too.

    Raises LeaseLost, for the caller's transaction to roll back.
    """
    held = (*_of(lease), Job.state.in_(HELD))
    if not updated(session, update(Job).where(*held).values(**values)):
        raise _lost(lease)
    session.info["fenced"] = lease


def fence(session: Session, lease: Lease) -> None:
    """Have what the transaction writes from here on fenced, unless it is. A checkpoint or a position comes next: the job
    can go on from it, so no attempt counts as lost any more. Raises LeaseLost.
    """
    if session.info.get("fenced") != lease:
        update_row(session, lease, lost_attempts=0)


def finish(
    session: Session, lease: Lease, state: str, reason: str | None = None, messages: Sequence[str] = (), **values: Any
) -> str:
    """End the held job in `state`, or end this attempt at it as paused; where a cancel came in meanwhile it ends as
    cancelled, with no model, unless it failed. What else the transaction writes is fenced by it.

    Returns the state it ended in. Raises LeaseLost.
    """
    expected = [before for before in HELD if state in LEGAL[before]]
    ended = move(session, lease.job_number, expected, state, where=_of(lease), reason=reason, messages=messages, **values)
    if not ended and state in ("succeeded", "paused"):
        state, reason = "cancelled", BY_CALLER["cancelled"]
        values.pop("model_id", None)
        ended = move(
            session, lease.job_number, ["cancelling"], state, where=_of(lease), reason=reason, messages=messages, **values
        )
    if not ended:
        raise _lost(lease)
    session.info["fenced"] = lease
    return state


def release(session: Session, lease: Lease, reason: str, messages: Sequence[str] = (), **values: Any) -> str:
    """Give the held job back to the queue, for any worker to go on from its last checkpoint; where a cancel or a pause
    came in meanwhile, it is cancelled or paused. Returns the state it is in. Raises LeaseLost.
    """
    update_row(session, lease, sent_at=None, **values)  # the sweeper sends another message
    held = _of(lease)
    for before, after in (("cancelling", "cancelled"), ("pausing", "paused")):
        if move(session, lease.job_number, [before], after, where=held, reason=BY_CALLER[after], messages=messages):
            return after
    move(session, lease.job_number, ["running"], "queued", where=held, reason=reason, messages=messages)
    return "queued"


def _lost(lease: Lease) -> LeaseLost:
    return LeaseLost(f"job '{lease.job_id}' is no longer held by attempt {lease.attempt}")
