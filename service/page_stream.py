"""One stream for several jobs, as a page needs it: browsers open six connections to a host and no more.

Its event ids are composite: what jobs they are of, as a hash, and each job's place, in the order in which they were named. A
place is the job's own event id, or `x` where it was told that the job is gone.
"""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi.exceptions import RequestValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.types import Send

from service.channels import Channel, JobChannel
from service.events import Begin, Block, Told, read
from service.hub import Hub
from service.schemas.events import JobEvent
from service.stream import EventStream
from store.cursors import Cursor, cursor, head
from store.database import Database, to_json
from store.errors import BadPageToken, NotFound
from store.keys import Caller
from store.pages import owned
from store.tables import Job

MOST_JOBS = 100
"""Jobs that one stream may be of."""
GONE = "x"
ROUND_SECONDS = 0.1
"""Shortest time between two rounds through the jobs: what happens to several comes in one write."""
ROUND_BYTES = 64 * 1024
"""Bytes that a round gathers before it is sent."""


@dataclass
class Slot:
    """A job of the stream: how far it was told, None once it was told that the job is gone."""

    job_id: str
    place: Cursor | None
    channel: JobChannel | None = None
    has_more: bool = True

    @property
    def is_gone(self) -> bool:
        """Whether it has still to be told that the job is gone."""
        return self.place is not None and (self.channel is None or self.channel.is_gone)

    @property
    def has_news(self) -> bool:
        return self.is_gone or (self.place is not None and self.channel is not None and self.channel.is_after(self.place))

    @property
    def is_told(self) -> bool:
        """Whether nothing will follow."""
        return self.place is None or (self.channel is not None and self.channel.has_ended and not self.has_news)


class Named:
    """The jobs that a caller names, each with the place that it is to begin at, where one is given."""

    def __init__(self, text: str) -> None:
        """`text` is the parameter `jobs`. Raises RequestValidationError, BadPageToken."""
        self.places: dict[str, Cursor | None] = {}
        for part in text.split(","):
            job_id, _, place = part.strip().partition(":")
            if job_id:
                self.places[job_id] = cursor(place, "/query/jobs") if place else None
        if not 0 < len(self.places) <= MOST_JOBS:
            detail = f"jobs names {len(self.places)} jobs; name 1 to {MOST_JOBS}, as in jobs=job_…,job_…, or leave it out"
            raise RequestValidationError([{"type": "jobs", "loc": ("query", "jobs"), "msg": detail}])

    @property
    def hash(self) -> str:
        return hashlib.sha256(",".join(self.places).encode()).hexdigest()[:8]

    def id(self, places: Sequence[Cursor | None]) -> str:
        """The event id of these places."""
        return ".".join([self.hash, *(GONE if place is None else str(place.id) for place in places)])

    def parsed(self, event_id: str, pointer: str) -> list[Cursor | None]:
        """The places that an event id stands for. Raises BadPageToken."""
        of, *places = event_id.split(".")
        if of != self.hash or len(places) != len(self.places):
            detail = (
                "the event id is none of a stream of these jobs, in this order; give a job its own place, as in jobs=job_…:ID"
            )
            raise BadPageToken(detail, pointer)
        return [None if place == GONE else cursor(place, pointer) for place in places]

    def begin(self, page_token: str | None, last_event_id: str | None, wanted: str) -> "Begun":
        """The event after which each job begins, by the first of these that is given. Raises BadPageToken."""
        for given, pointer in ((page_token, "/query/page_token"), (last_event_id, "/header/last-event-id")):
            if given:
                return self._gone_on(given, pointer)
        if wanted not in ("start", "now"):
            return self._gone_on(wanted, "/query/from")
        first = Cursor() if wanted == "start" else None
        begins = {job_id: Begin(place or first, "/query/jobs") for job_id, place in self.places.items()}
        return Begun(self, begins, {job_id for job_id, place in self.places.items() if place is not None})

    def _gone_on(self, event_id: str, pointer: str) -> "Begun":
        places = dict(zip(self.places, self.parsed(event_id, pointer), strict=True))
        begins = {job_id: Begin(place, pointer) for job_id, place in places.items() if place is not None}
        return Begun(self, begins, set(self.places))


@dataclass(frozen=True)
class Begun:
    """The event after which each job begins, unless it was told to be gone; `known` are those that may have gone since."""

    named: Named
    begins: dict[str, Begin]
    known: set[str]

    def refuse(self, missing: Sequence[str]) -> None:
        """Raise NotFound that names the jobs which are not there, or are another's."""
        if unknown := [job_id for job_id in missing if job_id not in self.known]:
            listed = ", ".join(f"'{job_id}'" for job_id in unknown)
            raise NotFound(f"no job {listed}; GET /v1/jobs lists what there is", "/query/jobs")


def page(database: Database, caller: Caller, begun: Begun, limit: int) -> tuple[list[JobEvent], str]:
    """Up to `limit` events, of one job after the other, and the id of the place after them. Raises NotFound, BadPageToken."""
    found: list[JobEvent] = []
    places: dict[str, Cursor | None] = dict.fromkeys(begun.named.places)
    with database.reading() as session:
        rows = _jobs(session, caller, list(begun.begins))
        begun.refuse([job_id for job_id in begun.begins if job_id not in rows])
        places |= {
            job_id: begin.after(head(session, rows[job_id])) if job_id in rows else begin.place or Cursor()
            for job_id, begin in begun.begins.items()
        }
        for job_id in begun.begins:
            place = places[job_id]
            assert place is not None
            if len(found) == limit:
                break
            if job_id not in rows:
                places[job_id] = None
                found.append(JobEvent(id=begun.named.id([*places.values()]), event="deleted", data={"job_id": job_id}))
                continue
            told = read(session, rows[job_id], place, limit - len(found))
            for event in told.events:
                places[job_id] = cursor(str(event.id))
                data = {"job_id": job_id, **event.document()["data"]}
                found.append(JobEvent(id=begun.named.id([*places.values()]), event=event.event, data=data))
            places[job_id] = told.cursor
    return found, begun.named.id([*places.values()])


def _jobs(session: Session, caller: Caller, job_ids: Sequence[str]) -> dict[str, Job]:
    query = select(Job).where(Job.id.in_(job_ids), *owned(Job, caller.sees))
    return {job.id: job for job in session.scalars(query)}


async def open_page(hub: Hub, caller: Caller, begun: Begun) -> "PageStream | None":
    """A stream of the jobs' events; None where none will follow. Raises NotFound, BadPageToken, TooManyStreams."""
    with hub.admitted(PageStream(hub, caller, begun)) as stream:
        found = await asyncio.gather(*map(stream.open_slot, stream.slots), return_exceptions=True)
        for error in found:
            if error is not None:
                raise error
        begun.refuse([slot.job_id for slot in stream.slots if slot.place is not None and slot.channel is None])
    if stream.has_told_all:
        hub.leave(stream)
        return None
    return stream


class PageStream(EventStream):
    """The answer. It goes round the jobs that have news, a block each, and gathers what they have to tell."""

    def __init__(self, hub: Hub, caller: Caller, begun: Begun) -> None:
        super().__init__(hub, caller)
        self.hub: Hub = hub
        self.begun, self.sees = begun, caller.sees
        self.slots = [Slot(job_id, None) for job_id in begun.named.places]
        self._last_round = 0.0

    async def open_slot(self, slot: Slot) -> None:
        """Watch the slot's job from where it is to begin, if it is there. Raises BadPageToken."""
        begin = self.begun.begins.get(slot.job_id)
        if begin is None:
            return
        slot.place = begin.place or Cursor()
        try:
            channel = await self.hub.job_channel(slot.job_id)
        except NotFound:
            return
        if self.sees in (None, channel.head.owner):
            slot.channel = channel
            channel.join(self)
            slot.place = await self.hub.place_in(channel, begin)

    @property
    def channels(self) -> Sequence[Channel]:
        return [slot.channel for slot in self.slots if slot.channel is not None]

    def place_in(self, channel: Channel) -> Any:
        return next((slot.place for slot in self.slots if slot.channel is channel and not slot.is_gone), None)

    @property
    def id(self) -> str:
        return self.begun.named.id([slot.place for slot in self.slots])

    def give(self, place: Any, block: Block, chunk: bytes) -> None:
        self.wake()  # its events have ids of their own; the hub has read the block, and keeps it

    @property
    def has_told_all(self) -> bool:
        return all(slot.is_told for slot in self.slots)

    async def _wait(self) -> None:
        await super()._wait()
        await asyncio.sleep(max(0.0, self._last_round + ROUND_SECONDS - self.hub.now()))
        for slot in self.slots:
            slot.has_more = True

    async def _tell_some(self, send: Send) -> bool:
        gathered: list[bytes] = []
        is_worth_it = False
        for slot in self.slots:
            if not slot.has_news:
                continue
            if not slot.has_more and not slot.is_gone:
                assert slot.channel is not None
                self.hub.stir(slot.channel)  # it has gone on meanwhile: the next round tells it
                continue
            is_worth_it = True
            gathered += [event.encoded() for event in await self._events_of(slot)]
            if sum(map(len, gathered)) > ROUND_BYTES:
                await self._send(send, b"".join(gathered))
                gathered.clear()
        if gathered:
            await self._send(send, b"".join(gathered))
        if is_worth_it:
            self._last_round = self.hub.now()
        return is_worth_it

    async def _events_of(self, slot: Slot) -> list[Told]:
        """The next events of a job, up to a block."""
        job = to_json(slot.job_id)
        channel, place = slot.channel, slot.place
        block = None if channel is None or channel.is_gone else await self.hub.read(channel, place)
        if block is not None:
            slot.has_more = block.is_full
            events = []
            for told in block.events:
                slot.place = cursor(told.id)
                events.append(Told(told.event, f'{{"job_id":{job},{told.data[1:]}', self.id))
            slot.place = block.end
            return events
        if not slot.is_gone:
            return []  # it cannot be read now
        slot.place = None
        if channel is not None:
            channel.leave(self, self.hub.now())
        return [Told("deleted", f'{{"job_id":{job}}}', self.id)]
