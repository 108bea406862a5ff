"""A job's events: its journal and its epochs, merged. There is no table of events (decision 1)."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from fastapi.sse import format_sse_event
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from service.dependencies import Store
from service.resources import job_resource
from service.schemas import EventResource, LogEvent, MetricEvent
from store import curves, jobs
from store.cursors import Cursor, Head, cursor, head
from store.database import to_json
from store.errors import BadPageToken
from store.keys import Caller
from store.tables import Job

POLL_SECONDS = 0.1
COMMENT_SECONDS = 15.0
BATCH = 500


@dataclass(frozen=True)
class Begin:
    """Where a caller wants the events to begin: after a place, or, where that is None, after all that there is by now.
    `pointer` is where that was said.
    """

    place: Cursor | None
    pointer: str | None = None

    def after(self, head: Head) -> Cursor:
        """The place among the job's events. Raises BadPageToken for one that they have not come to."""
        if self.place is None:
            return head.cursor
        head.check(self.place, self.pointer)
        return self.place


def begin(page_token: str | None, last_event_id: str | None, wanted: str) -> Begin:
    """The first of these that is given counts: a page follows the one before, and a reconnect what came last.

    Raises BadPageToken.
    """
    if page_token:
        return Begin(cursor(page_token, "/query/page_token"), "/query/page_token")
    if last_event_id:
        return Begin(cursor(last_event_id, "/header/last-event-id"), "/header/last-event-id")
    if wanted in ("start", "now"):
        return Begin(None if wanted == "now" else Cursor())
    try:
        return Begin(cursor(wanted), "/query/from")
    except BadPageToken:
        detail = "from is none of these: start, now, or the event_id of this job or of its curves"
        raise BadPageToken(detail, "/query/from") from None


@dataclass(frozen=True)
class Read:
    """Some events, the place after them, and whether there will be none after."""

    events: list[EventResource]
    cursor: Cursor
    ended: bool


def page(store: Store, caller: Caller, job_id: str, begin: Begin, limit: int) -> Read:
    """Up to `limit` events. Raises NotFound, BadPageToken."""
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        return read(session, job, begin.after(head(session, job)), limit)


def place(store: Store, caller: Caller, job_id: str, begin: Begin) -> Cursor | None:
    """Where a stream begins; None where no event will follow. Raises NotFound, BadPageToken."""
    with store.database.reading() as session:
        end = head(session, jobs.get(session, job_id, caller.sees))
    after = begin.after(end)
    return None if end.ended and not end.is_after(after) else after


def read(session: Session, job: Job, after: Cursor, limit: int) -> Read:
    """Up to `limit` events after the place."""
    found: list[EventResource] = []
    place = Cursor(after.entries, max(after.epochs, job.forked_epoch))  # a fork's epochs begin after its parent's
    for entry in jobs.journal(session, job.number, after.entries):
        place = _tell_epochs(session, job, place, entry.epoch, found, limit)
        if len(found) >= limit:
            return Read(found, place, False)
        place = Cursor(entry.sequence, place.epochs)
        data: Any = LogEvent(message=entry.message or "", at=entry.at)
        if entry.kind == "state":
            data = job_resource(session, job, upto=entry)
        found.append(EventResource(id=place.id, event=entry.kind, data=data))
        if len(found) >= limit:
            return Read(found, place, False)
    if job.state in jobs.DONE:
        return Read(found, place, True)
    place = _tell_epochs(session, job, place, job.epoch, found, limit)
    return Read(found, place, False)


def _tell_epochs(session: Session, job: Job, place: Cursor, last: int, found: list[EventResource], limit: int) -> Cursor:
    last = min(last, place.epochs + limit - len(found))
    if last <= place.epochs:
        return place
    for epoch, values in curves.values(session, job.number, place.epochs + 1, last).items():
        place = Cursor(place.entries, epoch)
        found.append(EventResource(id=place.id, event="metric", data=MetricEvent(epoch=epoch, **values)))
    return place


async def stream(store: Store, caller: Caller, job_id: str, place: Cursor) -> AsyncIterator[bytes]:
    """The events as text/event-stream, as they happen, until the last state; a comment where nothing has for a while."""
    quiet_since = time.monotonic()
    while True:
        found = await run_in_threadpool(page, store, caller, job_id, Begin(place), BATCH)
        for event in found.events:
            data = to_json(event.document()["data"])
            yield format_sse_event(data_str=data, event=event.event, id=str(event.id))
        if found.ended:
            return
        place = found.cursor
        if found.events:
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since >= COMMENT_SECONDS:
            yield format_sse_event(comment="still here")
            quiet_since = time.monotonic()
        if len(found.events) < BATCH:
            await asyncio.sleep(POLL_SECONDS)
