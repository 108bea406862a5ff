"""The stream of all jobs that a caller sees: each as a line of a table whenever it has changed, and how far it is meanwhile.

What is told of a job is what it is by now: of several changes in a row the last one counts. How far running jobs are has no
place among the events: it is told once a second, to those who read fast enough, and anew to who comes back.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.events import BATCH, Block, Told
from service.resources import BRIEF_JOB, job_summaries
from service.schemas.events import JobGone, JobProgress
from service.schemas.jobs import JobSummary
from service.stream import EventStream
from store import feed
from store.database import Database, to_json
from store.feed import FeedPlace
from store.keys import Caller
from store.tables import HELD, Job

if TYPE_CHECKING:
    from service.hub import Hub

NOW = "now"
RESET = "event: reset\ndata: {}\n\n"


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


async def open_feed(hub: "Hub", caller: Caller, last_event_id: str | None, wanted: str) -> EventStream:
    """A stream of all jobs that the caller sees. It begins anew, and says so, where what follows the place is not kept any
    more. Raises BadPageToken, TooManyStreams.
    """
    place = None
    if last_event_id:
        place = feed.feed_place(last_event_id, "/header/last-event-id")
    elif wanted != NOW:
        place = feed.feed_place(wanted, "/query/from")
    with hub.admitted(EventStream(hub, caller)) as stream:
        channel = await hub.owner_channel(caller.sees)
        end, is_complete = await hub.run(_begin, hub.database, place)
        stream.watch(channel, place if place is not None and is_complete else end)
        if not is_complete:
            stream.before = RESET
        for data in hub.progress_of(caller.sees):
            stream.before += progress_event(data).decode()
    return stream


def _begin(database: Database, place: FeedPlace | None) -> tuple[FeedPlace, bool]:
    """Where the feed has come to, and whether all that follows the place is there."""
    with database.reading() as session:
        return feed.end(session), place is None or feed.is_complete(session, place)
