"""The life of a job. Every change of state goes through `move`: an UPDATE that names the state it expects and, for a
worker, the attempt that holds the lease; it either happens whole or not at all (rule 6).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Session

from store import turns
from store.database import new_id, now, put_row
from store.errors import Conflict, LeaseLost, NotFound, problem
from store.files import Files
from store.pages import owned
from store.tables import HELD, STATES, Checkpoint, Entry, Job, Position, Table

LEGAL: dict[str, frozenset[str]] = {
    "queued": frozenset({"running", "cancelled", "failed"}),
    "running": frozenset({"succeeded", "failed", "cancelling", "pausing", "queued"}),
    "pausing": frozenset({"paused", "succeeded", "failed", "cancelling"}),
    "paused": frozenset({"queued", "cancelled"}),
    "cancelling": frozenset({"cancelled", "failed"}),
    "succeeded": frozenset(),
    "failed": frozenset(),
    "cancelled": frozenset(),
}
"""From each state to those that may follow."""
DONE = frozenset(state for state, following in LEGAL.items() if not following)
BY_CALLER = {"cancelled": "cancelled by the caller", "paused": "paused by the caller"}
MAX_LOST_ATTEMPTS = 3
RESEND_SECONDS = 10
RESEND_AT_LEAST_SECONDS = 60
"""A queued job whose message was sent longer ago is sent again: the message may be lost, and a second does no harm."""


@dataclass(frozen=True)
class Lease:
    """A worker's claim on a job: what every write of it names."""

    job_number: int
    job_id: str
    attempt: int


def lease_of(job: Job) -> Lease:
    """What its attempt names, of a job as `claim` gave it."""
    return Lease(job.number, job.id, job.attempt)


def create(session: Session, owner: str, request: dict[str, Any], **values: Any) -> Job:
    """A queued job with its first journal entry; the caller sends its message after the commit (rule 7)."""
    values |= {
        "id": new_id("job"),
        "owner": owner,
        "name": request.get("name"),
        "tags": request.get("tags") or [],
        "dataset_id": request["dataset_id"],
        "request": request,
        "model_kind": request["model"]["kind"],
        "epochs": request.get("epochs") or 1,
        "sent_at": now(),
    }
    job = session.scalars(insert(Job).values(**values).returning(Job)).one()
    put_row(session, first_entry(job))
    turns.enter(session, job.queue, owner)
    return job


def first_entry(job: Job) -> Entry:
    """The line that a new job's journal begins with."""
    return Entry(job_number=job.number, sequence=1, kind="state", epoch=job.epoch, state="queued", at=job.created_at)


def get(session: Session, job_id: str, owner: str | None) -> Job:
    """The job. Raises NotFound, also for another's."""
    job = session.scalars(select(Job).where(Job.id == job_id, *owned(Job, owner))).one_or_none()
    if job is None:
        raise unknown(job_id)
    return job


def unknown(job_id: str) -> NotFound:
    """The answer to who asks for a job that is not there, or another's."""
    return NotFound(f"no job '{job_id}'; GET /v1/jobs lists what there is")


def move(
    session: Session,
    number: int,
    expected: Sequence[str],
    state: str,
    *,
    where: Sequence[ColumnElement[bool]] = (),
    reason: str | None = None,
    messages: Sequence[str] = (),
    **values: Any,
) -> bool:
    """The one door: take the job from one of the expected states to `state`, with the other values, and journal it, after
    `messages`.

    False, and nothing changed, where the job is in another state by now or `where` fails.
    """
    statement = _move(expected, state, reason, values).where(Job.number == number, *where)
    if not _updated(session, statement):
        return False
    _journal_move(session, number, state, reason, messages)
    return True


def _move(expected: Sequence[str], state: str, reason: str | None, values: dict[str, Any]) -> Any:
    """The UPDATE that moves a job, which whoever executes it journals."""
    for before in expected:
        assert state in LEGAL[before], f"{before} → {state} is no legal transition"
    if state not in HELD:
        values |= {"lease_until": None, "worker": None, "eta_seconds": None}
    if state in DONE:
        values["finished_at"] = now()
    return update(Job).where(Job.state.in_(expected)).values(state=state, state_reason=reason, **values)


def _journal_move(session: Session, number: int, state: str, reason: str | None, messages: Sequence[str] = ()) -> None:
    for message in messages:
        log(session, number, message)
    _write_entry(session, number, "state", state=state, message=reason)


def _lock(session: Session, number: int) -> str | None:
    """The job's state, which nobody else changes until the transaction ends."""
    return session.scalars(select(Job.state).where(Job.number == number).with_for_update()).one_or_none()


def _updated(session: Session, statement: Any) -> int:
    result = session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    return result.rowcount


_NEXT = select(func.coalesce(func.max(Entry.sequence), 0) + 1).where(Entry.job_number == bindparam("number"))
_EPOCH = select(Job.epoch).where(Job.number == bindparam("number"))
_ENTRY = insert(Table.metadata.tables["journal"]).values(
    job_number=bindparam("number"), sequence=_NEXT.scalar_subquery(), epoch=_EPOCH.scalar_subquery(), at=now()
)


def _write_entry(session: Session, number: int, kind: str, *, state: str | None = None, message: str | None = None) -> None:
    """Add a line to the journal. The job's row is locked by its UPDATE or INSERT before, so numbers do not collide."""
    session.execute(_ENTRY, {"number": number, "kind": kind, "state": state, "message": message})


def log(session: Session, number: int, message: str) -> None:
    """Add a message to the job's journal; the caller has written to its row in this transaction."""
    _write_entry(session, number, "log", message=message)


def journal(session: Session, number: int, after: int = 0) -> Sequence[Entry]:
    """The job's journal from `after` on, in order."""
    query = select(Entry).where(Entry.job_number == number, Entry.sequence > after).order_by(Entry.sequence)
    return session.scalars(query).all()


def journals(session: Session, numbers: Sequence[int]) -> dict[int, list[Entry]]:
    """The journals of several jobs, whole and in order, by the job's number."""
    found: dict[int, list[Entry]] = {number: [] for number in numbers}
    query = select(Entry).where(Entry.job_number.in_(numbers)).order_by(Entry.job_number, Entry.sequence)
    for entry in session.scalars(query):
        found[entry.job_number].append(entry)
    return found


def targets(session: Session, numbers: Sequence[int]) -> dict[int, Any]:
    """What the jobs are to predict, by the job's number."""
    query = select(Job.number, Job.request["target"].label("target")).where(Job.number.in_(numbers))
    return {row.number: row.target for row in session.execute(query)}


def counts(session: Session, owner: str | None, filters: Sequence[ColumnElement[bool]]) -> dict[str, int]:
    """How many of the owner's jobs that pass the filters are in each state. None is every owner."""
    # The states are named so that an index of states and owners can be used.
    query = (
        select(Job.state, func.count().label("jobs"))
        .where(Job.state.in_(STATES), *owned(Job, owner), *filters)
        .group_by(Job.state)
    )
    return dict.fromkeys(STATES, 0) | {row.state: row.jobs for row in session.execute(query)}


def queue_position(session: Session, job: Job) -> int | None:
    """How many jobs of the same queue start before this one, plus one; None once it has started."""
    return turns.positions(session, [job]).get(job.number)


# --- the worker's side: every write names the lease


_TAKEN = {
    "attempt": Job.attempt + 1,
    "worker": bindparam("by"),
    "started_at": func.coalesce(Job.started_at, now()),
    "lease_until": now() + bindparam("lease_seconds"),
}
_TAKE = _move(["queued"], "running", None, _TAKEN).returning(Job).execution_options(synchronize_session=False)
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
        _journal_move(session, job.number, "running", None)
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
    if not _updated(session, update(Job).where(*held).values(**values)):
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


def save_checkpoint(
    session: Session, files: Files, lease: Lease, epoch: int, content: bytes, replaces: bool = True, **values: Any
) -> Checkpoint:
    """Keep a checkpoint; the same epoch's is replaced, for which `replaces` has it looked for. Raises LeaseLost."""
    fence(session, lease)
    if replaces:
        forget_checkpoints(session, files, lease, [epoch])
    checkpoint = Checkpoint(job_number=lease.job_number, epoch=epoch, digest=files.put(session, content), **values)
    put_row(session, checkpoint)
    return checkpoint


def checkpoints(session: Session, number: int) -> Sequence[Checkpoint]:
    """The job's checkpoints, oldest first."""
    return session.scalars(select(Checkpoint).where(Checkpoint.job_number == number).order_by(Checkpoint.epoch)).all()


def forget_checkpoints(session: Session, files: Files, lease: Lease, epochs: Sequence[int]) -> None:
    """Drop the checkpoints of these epochs and free what they held."""
    mine = (Checkpoint.job_number == lease.job_number, Checkpoint.epoch.in_(epochs))
    digests = session.scalars(select(Checkpoint.digest).where(*mine)).all()
    if digests:
        session.execute(delete(Checkpoint).where(*mine))
        files.release(session, digests)


# --- the caller's side


def cancel(session: Session, job: Job) -> None:
    """Cancel: at once where no worker holds the job, else by asking the worker to. Raises Conflict once it is done."""
    reason = BY_CALLER["cancelled"]
    state = _lock(session, job.number)
    if state in DONE:
        raise Conflict(f"job '{job.id}' is {state} already; there is nothing left to cancel")
    if not move(session, job.number, ["queued", "paused"], "cancelled", reason=reason):
        move(session, job.number, ["running", "pausing"], "cancelling", reason=reason)


def describe(session: Session, job: Job, **values: Any) -> None:
    """Write the job's new name or tags, whatever its state. Raises NotFound where it has been deleted meanwhile."""
    if values and not _updated(session, update(Job).where(Job.number == job.number, Job.id == job.id).values(**values)):
        raise unknown(job.id)
    session.refresh(job)


def pause(session: Session, job: Job) -> None:
    """Ask the worker that holds the job to pause it; it is `pausing` until that worker has saved where it stands.

    Raises Conflict where no worker holds it, or it is about to be cancelled.
    """
    state = _lock(session, job.number)
    if state not in ("running", "pausing"):
        remedy = "it can be paused once it runs, or cancelled now" if state == "queued" else "only a running job is paused"
        raise Conflict(f"job '{job.id}' is {state}; {remedy}")
    move(session, job.number, ["running"], "pausing", reason=BY_CALLER["paused"])


def resume(session: Session, job: Job) -> None:
    """Put a paused job into the queue, to go on where it stands; the caller sends its message after the commit.

    Raises Conflict where it is not paused.
    """
    if not move(session, job.number, ["paused"], "queued", reason="resumed by the caller", sent_at=now()):
        state = _lock(session, job.number)
        remedy = "ask again once it is paused" if state == "pausing" else "only a paused job is resumed"
        raise Conflict(f"job '{job.id}' is {state}; {remedy}")


def delete_job(session: Session, files: Files, job: Job) -> None:
    """Forget a job that is done, with its curves and checkpoints; the model made of it stays. Raises Conflict."""
    digests = [] if job.table_digest is None else [job.table_digest]
    for table in (Checkpoint, Position):
        digests += session.scalars(select(table.digest).where(table.job_number == job.number)).all()
    if not _updated(session, delete(Job).where(Job.number == job.number, Job.state.in_(DONE))):
        raise Conflict(f"job '{job.id}' is not done; cancel it first, then delete it")
    files.release(session, digests)


# --- the sweeper's side


def sweep(session: Session) -> list[tuple[str, str]]:
    """Take jobs back whose lease ran out, and say which (id, queue) to send a message for. Any number may sweep at once."""
    expired = select(Job).where(Job.state.in_(HELD), Job.lease_until < now()).order_by(Job.number)
    for job in session.scalars(expired.with_for_update(skip_locked=True)).all():  # one that is held up holds up no other
        _take_back(session, job)
    # The longer it waits the less often: while every worker is busy, messages would only pile up.
    long_ago = or_(now() - Job.sent_at > Job.sent_at - Job.created_at, Job.sent_at < now() - RESEND_AT_LEAST_SECONDS)
    unsent = or_(Job.sent_at.is_(None), and_(Job.sent_at < now() - RESEND_SECONDS, long_ago))
    query = select(Job.number, Job.id, Job.queue).where(Job.state == "queued", unsent).order_by(Job.number).limit(1000)
    waiting = session.execute(query).all()
    if waiting:
        session.execute(update(Job).where(Job.number.in_([row.number for row in waiting])).values(sent_at=now()))
    return [(row.id, row.queue) for row in waiting]


def next_expiry(session: Session) -> float | None:
    """Seconds until the first lease runs out, unless it is renewed; None where none is held."""
    return session.execute(select(func.min(Job.lease_until) - now()).where(Job.state.in_(HELD))).scalar()


def _take_back(session: Session, job: Job) -> None:
    """What becomes of a job whose worker was lost; conditional on the lease still being the one that ran out."""
    same = [Job.attempt == job.attempt, Job.lease_until == job.lease_until]
    lost = job.lost_attempts + 1
    if job.state == "cancelling":
        move(session, job.number, ["cancelling"], "cancelled", reason="cancelled; its worker was lost", where=same)
    elif job.state == "pausing" and lost < MAX_LOST_ATTEMPTS:
        reason = "paused at its last checkpoint; its worker was lost"
        move(session, job.number, ["pausing"], "paused", reason=reason, lost_attempts=lost, where=same)
    elif lost >= MAX_LOST_ATTEMPTS:
        detail = f"the worker was lost {lost} times in a row with no checkpoint between; the last was '{job.worker}'"
        error = problem("WORKER_LOST", 500, detail, [])
        move(session, job.number, [job.state], "failed", reason=detail, error=error, lost_attempts=lost, where=same)
    else:
        reason = f"attempt {job.attempt} was lost with its worker"
        move(session, job.number, [job.state], "queued", reason=reason, lost_attempts=lost, sent_at=None, where=same)
