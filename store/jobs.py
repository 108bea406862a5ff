"""Jobs as their callers see them: create, get, count, describe, cancel, pause, resume, delete."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, func, insert, select, update
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session

from engine.errors import InvalidSpec
from store import checkpoints, journal, turns
from store.database import new_id, now, put_row
from store.errors import Conflict, NotFound
from store.files import Files
from store.pages import owned
from store.states import BY_CALLER, DONE, STATES
from store.tables import Job
from store.transitions import lock, move, updated


def create(session: Session, owner: str, request: dict[str, Any], **values: Any) -> Job:
    """A queued job with its first journal entry; the caller sends its message after the commit."""
    values = {
        "id": new_id("job"),
        "owner": owner,
        "name": request.get("name"),
        "tags": request.get("tags") or [],
        "dataset_id": request["dataset_id"],
        "request": request,
        "model_kind": request["model"]["kind"],
        "epochs": request.get("epochs") or 1,
        "sent_at": now(),
        **values,
    }
    job = session.scalars(insert(Job).values(**values).returning(Job)).one()
    put_row(session, journal.first_entry(job))
    turns.enter(session, job.queue, owner)
    return job


def get(session: Session, job_id: str, owner: str | None) -> Job:
    """The job. Raises NotFound, also for another's."""
    job = session.scalars(select(Job).where(Job.id == job_id, *owned(Job, owner))).one_or_none()
    if job is None:
        raise unknown(job_id)
    return job


def refuse_slice(job: Job) -> None:
    """Raise InvalidSpec, at `/job_id`, where there is nothing to train again."""
    if job.kind == "slice":
        raise InvalidSpec(
            [("/job_id", f"job '{job.id}' is a slice of the loss of '{job.parent}' and trains nothing; name that one")]
        )


def unknown(job_id: str) -> NotFound:
    """The answer to who asks for a job that is not there, or another's."""
    return NotFound(f"no job '{job_id}'; GET /v1/jobs lists what there is")


def targets(session: Session, numbers: Sequence[int]) -> dict[int, Any]:
    """The targets of the jobs, by the job's number."""
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


def cancel(session: Session, job: Job) -> None:
    """Cancel: at once where no worker holds the job, else by asking the worker to. Raises Conflict once it is done."""
    reason = BY_CALLER["cancelled"]
    state = lock(session, job.number)
    if state in DONE:
        raise Conflict(f"job '{job.id}' is {state} already; there is nothing left to cancel")
    if not move(session, job.number, ["queued", "paused"], "cancelled", reason=reason):
        move(session, job.number, ["running", "pausing"], "cancelling", reason=reason)


def describe(session: Session, job: Job, **values: Any) -> None:
    """Write the job's new name or tags, whatever its state. Raises NotFound where it has been deleted meanwhile."""
    if values and not updated(session, update(Job).where(Job.number == job.number, Job.id == job.id).values(**values)):
        raise unknown(job.id)
    session.refresh(job)


def pause(session: Session, job: Job) -> None:
    """Ask the worker that holds the job to pause it; it is `pausing` until that worker has saved where it stands.

    Raises Conflict where no worker holds it, or it is about to be cancelled.
    """
    state = lock(session, job.number)
    if state not in ("running", "pausing"):
        remedy = "it can be paused once it runs, or cancelled now" if state == "queued" else "only a running job is paused"
        raise Conflict(f"job '{job.id}' is {state}; {remedy}")
    move(session, job.number, ["running"], "pausing", reason=BY_CALLER["paused"])


def resume(session: Session, job: Job) -> None:
    """Put a paused job into the queue, to go on where it stands; the caller sends its message after the commit.

    Raises Conflict where it is not paused.
    """
    if not move(session, job.number, ["paused"], "queued", reason="resumed by the caller", sent_at=now()):
        state = lock(session, job.number)
        remedy = "ask again once it is paused" if state == "pausing" else "only a paused job is resumed"
        raise Conflict(f"job '{job.id}' is {state}; {remedy}")


def delete(session: Session, files: Files, job: Job) -> None:
    """Forget a job that is done, with its curves and checkpoints; the model made of it stays. Raises Conflict."""
    digests = checkpoints.digests(session, job.number)
    digests += [digest for digest in (job.table_digest, job.result_digest) if digest is not None]
    if not updated(session, delete_rows(Job).where(Job.number == job.number, Job.state.in_(DONE))):
        raise Conflict(f"job '{job.id}' is not done; cancel it first, then delete it")
    files.release(session, digests)
