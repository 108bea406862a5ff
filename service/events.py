"""A job's events: its journal and its epochs, merged. No table of events: an id says how far both have been told.

An id is (journal entries told) · 2³² + (epochs told). Both only grow, so it rises with every event, the same event always
has the same id, and an epoch trained again after a lost attempt, which gives the same numbers, is not told twice.
"""

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
from store.database import to_json
from store.errors import BadPageToken
from store.keys import Caller
from store.tables import Job

POLL_SECONDS = 0.1
COMMENT_SECONDS = 15.0
BATCH = 500
EPOCHS = 2**32


@dataclass(frozen=True)
class Cursor:
    """How far the telling has come."""

    entries: int = 0
    epochs: int = 0

    @property
    def id(self) -> int:
        return self.entries * EPOCHS + self.epochs


@dataclass(frozen=True)
class Read:
    """Some events, where the telling stands after them, and whether there will be none after."""

    events: list[EventResource]
    cursor: Cursor
    ended: bool


def cursor(event_id: str | None) -> Cursor:
    """The place that an event's id stands for. Raises BadPageToken."""
    if event_id is None:
        return Cursor()
    if not event_id.isdecimal() or int(event_id) >= 2**62:
        raise BadPageToken("the event id is none that was given out here; leave it out to start at the first event")
    return Cursor(*divmod(int(event_id), EPOCHS))


def read(store: Store, caller: Caller, job_id: str, after: Cursor, limit: int) -> Read:
    """Up to `limit` events after the cursor."""
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
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
        found = await run_in_threadpool(read, store, caller, job_id, place, BATCH)
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
