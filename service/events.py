"""A job's events: its journal and its epochs, merged. There is no table of events (decision 1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from fastapi.sse import format_sse_event
from sqlalchemy.orm import Session

from service.language import ENGLISH, speaking
from service.resources import job_resource
from service.schemas.events import EventResource, LogEvent, MetricEvent
from store import curves, jobs, journal
from store.cursors import Cursor, Head, cursor, head
from store.database import Database, to_json
from store.errors import BadPageToken
from store.keys import Caller
from store.states import DONE
from store.tables import Job

BATCH = 500
"""Most events of a block."""


@dataclass(frozen=True)
class Begin:
    """The event after which a caller wants to begin; with None, after all that there are by now.
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


def page(database: Database, caller: Caller, job_id: str, begin: Begin, limit: int) -> Read:
    """Up to `limit` events. Raises NotFound, BadPageToken."""
    with database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        return read(session, job, begin.after(head(session, job)), limit)


def read(session: Session, job: Job, after: Cursor, limit: int) -> Read:
    """Up to `limit` events after the place."""
    found: list[EventResource] = []
    place = Cursor(after.entries, max(after.epochs, job.forked_epoch))  # a fork's epochs begin after its parent's
    for entry in journal.entries(session, job.number, after.entries):
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
    if job.state in DONE:
        return Read(found, place, True)
    place = _tell_epochs(session, job, place, job.epoch, found, limit)
    return Read(found, place, False)


def _tell_epochs(session: Session, job: Job, place: Cursor, last: int, found: list[EventResource], limit: int) -> Cursor:
    """Tell the epochs up to `last`, as far as the limit allows; those whose curves are not kept any more are passed over."""
    while place.epochs < last and len(found) < limit:
        upto = min(last, place.epochs + limit - len(found))
        for epoch, values in curves.values(session, job.number, place.epochs + 1, upto).items():
            event_id = Cursor(place.entries, epoch).id
            found.append(EventResource.model_construct(id=event_id, event="metric", data=MetricEvent(epoch=epoch, **values)))
        place = Cursor(place.entries, upto)
    return place


class Told(NamedTuple):
    """An event of a stream: its kind, its data as JSON, and its id."""

    event: str
    data: str
    id: str

    def encoded(self) -> bytes:
        """The event as text/event-stream."""
        return format_sse_event(data_str=self.data, event=self.event, id=self.id)


@dataclass(frozen=True)
class Block:
    """Consecutive events, the place after them, and whether they are as many as a block holds."""

    events: Sequence[Told]
    end: Any
    is_full: bool

    @cached_property
    def data(self) -> bytes:
        """The events as text/event-stream."""
        return b"".join(event.encoded() for event in self.events)

    @property
    def chunk(self) -> bytes:
        """The same as a chunk of an HTTP/1.1 answer."""
        return chunk_of(self.data)


def chunk_of(data: bytes) -> bytes:
    """A piece of an answer, which is not empty, as HTTP/1.1 frames it (RFC 9112, section 7.1)."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def block(database: Database, job_id: str, after: Cursor) -> Block:
    """The events after the place, up to BATCH. Raises NotFound."""
    with database.reading() as session:
        job = jobs.get(session, job_id, None)
        most = BATCH - after.epochs % BATCH  # so that readers come together at the same places
        with speaking(ENGLISH):  # readers of any language share it
            found = read(session, job, after, most)
    events = [Told(event.event, to_json(event.document()["data"]), str(event.id)) for event in found.events]
    return Block(events, found.cursor, len(found.events) >= most)
