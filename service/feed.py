"""Events of all jobs that a caller sees: a job as a line of a table whenever it changes, and its progress meanwhile.

What is told of a job is what it is by now: of several changes in a row the last one counts. How far running jobs are has no
place among the events: it is told once a second, to those who read fast enough, and anew to who comes back.
"""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.events import BATCH, Block, Told
from service.resources import BRIEF_JOB, job_summaries
from service.schemas.events import JobGone, JobProgress
from service.schemas.jobs import JobSummary
from store import feed
from store.database import Database, to_json
from store.feed import FeedPlace
from store.states import HELD
from store.tables import Job


def feed_block(database: Database, owner: str | None, after: FeedPlace) -> Block:
    """The changes after the place, up to BATCH, each job once."""
    with database.reading() as session:
        found = feed.changes(session, owner, after, BATCH)
        last = {change.job_id: change for change in found}
        lines = _lines(session, [change.job_id for change in last.values() if not change.is_deleted])
    events = []
    for change in found:
        if last[change.job_id] is not change:
            continue
        if change.is_deleted:
            events.append(Told("deleted", to_json(JobGone(id=change.job_id).document()), change.place.id))
        elif change.job_id in lines:  # else it was deleted meanwhile, which comes in a later block
            events.append(Told("state", to_json(lines[change.job_id].document()), change.place.id))
    return Block(events, found[-1].place if found else after, len(found) == BATCH)


def _lines(session: Session, job_ids: Iterable[str]) -> dict[str, JobSummary]:
    rows = session.scalars(select(Job).where(Job.id.in_(job_ids)).options(BRIEF_JOB)).all()
    return {line.id: line for line in job_summaries(session, rows)} if rows else {}


def progress(database: Database) -> dict[tuple[str, str], str]:
    """How far every job is that a worker holds, as JSON, by its owner and its id."""
    with database.glancing() as session:
        rows = session.scalars(select(Job).where(Job.state.in_(HELD)).options(BRIEF_JOB)).all()
        lines = job_summaries(session, rows) if rows else []
    return {(line.owner, line.id): to_json(JobProgress.model_validate(line).document()) for line in lines}


def progress_event(data: str) -> bytes:
    """How far a job is, as text/event-stream: without an id."""
    return f"event: progress\ndata: {data}\n\n".encode()
