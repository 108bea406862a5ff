"""The event streams of a process: one reader of the database serves them all, and none of them holds a thread (decision 13).

A stream knows the place that it has come to, and nothing waits for it in memory: what follows is read from the database, once
for all streams at that place. When a job has gone on, the hub reads what is new and wakes the job's streams a few at a time, so
that other requests are answered in between.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import anyio
import structlog
from anyio.to_thread import run_sync
from cachetools import LRUCache
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from service.channels import Channel, JobChannel, OwnerChannel, Watcher
from service.events import Begin, Block, block, chunk_of
from service.feed import feed_block, progress, progress_event
from service.stream import EventStream
from store import feed, keys
from store.changes import Changes
from store.cursors import Cursor, Head, heads
from store.database import Database
from store.errors import NotFound, TooManyStreams
from store.feed import FeedPlace
from store.host import open_files
from store.jobs import unknown
from store.keys import Caller
from store.settings import Settings
from store.tables import Job

READERS = 3
"""Threads that read for streams, and look up who opens one, at the same time."""
KEPT_BYTES = 16 * 2**20
"""Events that were read lately, kept for other streams that come to the same place."""
AT_ONCE = 50
"""Streams that are woken before other requests get their turn."""
WAVE_SECONDS = 0.1
"""Shortest time between two rounds through a job's streams: faster epochs come several in one write."""
PLACES = 4
"""Places of a job's streams that are read for before they are woken."""
TICK_SECONDS = 1.0
KEYS_SECONDS = 2.0
"""How often the keys and sessions of open streams are checked."""
RETRY_SECONDS = 1.0
SPARE_FILES = 256
"""Open files that are not for streams."""
Result = TypeVar("Result")
Stream = TypeVar("Stream", bound=EventStream)
log = structlog.get_logger()


class Hub:
    """Opens streams, wakes them when there is something to tell, and ends those that may go on no longer."""

    def __init__(self, setting: Settings, database: Database) -> None:
        """Called within the event loop."""
        self.database = database
        self.most = max(1, min(setting.max_streams, open_files() - SPARE_FILES))
        self.most_each = setting.max_streams_per_key
        self.streams: set[EventStream] = set()
        self._counts: Counter[str] = Counter()
        self._channels: dict[Any, Channel] = {}
        self._by_number: dict[int, JobChannel] = {}
        self._opening: dict[Any, asyncio.Task[Channel]] = {}
        self._blocks: LRUCache[Any, Block] = LRUCache(KEPT_BYTES, getsizeof=lambda kept: len(kept.data) + 200)
        self._reading: dict[Any, asyncio.Task[Block | None]] = {}
        self._limiter = anyio.CapacityLimiter(READERS)
        self._ready: deque[Callable[[], None]] = deque()
        self._some = asyncio.Event()
        self._is_closing = False
        self._loop = asyncio.get_running_loop()
        self._changes = Changes(database, self._tell, self._tell_feed)
        self._progress: dict[tuple[str, str], str] = {}
        self._tasks = [asyncio.create_task(self._wake_in_turn()), asyncio.create_task(self._tick())]

    def now(self) -> float:
        """Seconds by the event loop's clock."""
        return self._loop.time()

    async def run(self, work: Callable[..., Result], *arguments: Any) -> Result:
        """Call `work` in one of the few threads that streams share. Returns its result."""
        return await run_sync(work, *arguments, limiter=self._limiter)

    # --- opening and ending

    async def open(self, caller: Caller, job_id: str, begin: Begin) -> EventStream | None:
        """A stream of the job's events; None where no event will follow. Raises NotFound, BadPageToken, TooManyStreams."""
        with self.admitted(EventStream(self, caller)) as stream:
            channel = await self.job_channel(job_id)
            if caller.sees not in (None, channel.head.owner):
                raise unknown(job_id)
            stream.watch(channel, None)
            stream.place = await self.place_in(channel, begin)
        if stream.has_told_all:
            self.leave(stream)
            return None
        return stream

    async def place_in(self, channel: JobChannel, begin: Begin) -> Cursor:
        """The cursor in the job's events at which to begin. Raises BadPageToken."""
        if begin.place is not None and channel.head.cursor.id < begin.place.id:  # it may have gone on just now
            await self.run(self._look, channel)
        return begin.after(channel.head)

    @contextmanager
    def admitted(self, stream: Stream) -> Iterator[Stream]:
        """Count the stream, which is being opened, and forget it where that fails. Raises TooManyStreams."""
        self._admit(stream)
        try:
            yield stream
        except BaseException:
            self.leave(stream)
            raise

    def _admit(self, stream: EventStream) -> None:
        if self._is_closing:
            raise TooManyStreams("the server is about to stop; try again in a moment", is_full=True)
        if len(self.streams) >= self.most:
            raise TooManyStreams(f"{self.most} event streams are open, which is the limit (VIDRO_MAX_STREAMS)", is_full=True)
        if self._counts[stream.counted_as] >= self.most_each:
            limit = f"{self.most_each} event streams of this key are open, which is the limit (VIDRO_MAX_STREAMS_PER_KEY)"
            raise TooManyStreams(f"{limit}; close some")
        self.streams.add(stream)
        self._counts[stream.counted_as] += 1

    def leave(self, stream: EventStream) -> None:
        """Forget a stream; one that was forgotten already does no harm."""
        if stream not in self.streams:
            return
        self.streams.discard(stream)
        self._counts[stream.counted_as] -= 1
        if not self._counts[stream.counted_as]:
            del self._counts[stream.counted_as]
        for channel in stream.channels:
            channel.leave(stream, self.now())

    def close_streams(self) -> None:
        """End every stream in order, and open no other: the server is about to stop."""
        self._is_closing = True
        self._in_turn([stream.end for stream in self.streams])

    async def close(self) -> None:
        """End the reader. What streams are left end by themselves."""
        self.close_streams()
        waves = [channel.wave for channel in self._channels.values() if channel.wave is not None]
        tasks = [*self._tasks, *waves, *self._reading.values(), *self._opening.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await run_sync(self._changes.close)

    # --- channels

    async def job_channel(self, job_id: str) -> JobChannel:
        """The channel of a job. Raises NotFound."""
        found: JobChannel = await self._channel(job_id, self._open_job, job_id)
        if found.is_gone:  # and soon forgotten
            raise unknown(job_id)
        return found

    async def owner_channel(self, owner: str | None) -> OwnerChannel:
        """The channel of all jobs of an owner, or of everybody."""
        found: OwnerChannel = await self._channel(("owner", owner), self._open_owner, owner)
        return found

    async def _channel(self, key: Any, opening: Callable[[Any], Coroutine[Any, Any, Channel]], subject: Any) -> Any:
        if (channel := self._channels.get(key)) is not None:
            return channel
        task = self._opening.get(key)
        if task is None:
            task = self._opening[key] = asyncio.create_task(opening(subject))
            task.add_done_callback(lambda _: self._opening.pop(key))
        return await asyncio.shield(task)

    async def _open_job(self, job_id: str) -> JobChannel:
        number, head = await self.run(self._find, job_id)
        channel = JobChannel(number, head, self.now())
        self._channels[job_id] = self._by_number[number] = channel
        self._changes.watch(number)
        await self.run(self._look, channel)  # what was committed before it was watched
        return channel

    async def _open_owner(self, owner: str | None) -> OwnerChannel:
        channel = OwnerChannel(owner, self.now())
        self._channels[channel.key] = channel
        self._changes.watch_feed(owner)
        channel.take(await self.run(self._feed_end, owner))
        return channel

    def _find(self, job_id: str) -> tuple[int, Head]:
        with self.database.reading() as session:
            number = session.scalars(select(Job.number).where(Job.id == job_id)).one_or_none()
            if number is None:
                raise unknown(job_id)
            return number, heads(session, [number])[number]

    def _look(self, channel: JobChannel) -> None:
        with self.database.glancing() as session:
            channel.take(heads(session, [channel.number]).get(channel.number))

    def _feed_end(self, owner: str | None) -> FeedPlace:
        with self.database.glancing() as session:
            return feed.end(session, owner)

    def _drop_idle(self, now: float) -> None:
        for channel in list(self._channels.values()):
            if not channel.streams and now - channel.idle_since > TICK_SECONDS:
                del self._channels[channel.key]
                if isinstance(channel, OwnerChannel):
                    self._changes.forget_feed(channel.owner)
                elif isinstance(channel, JobChannel) and self._by_number.get(channel.number) is channel:
                    del self._by_number[channel.number]
                    self._changes.forget(channel.number)
                if channel.wave is not None:
                    channel.wave.cancel()

    # --- what is new

    def _tell(self, changed: dict[int, Head | None]) -> None:
        """Called by the thread that follows the database."""
        with suppress(RuntimeError):  # the loop was closed meanwhile
            self._loop.call_soon_threadsafe(self._take, changed)

    def _take(self, changed: dict[int, Head | None]) -> None:
        for number, head in changed.items():
            if (channel := self._by_number.get(number)) is not None:
                channel.take(head)
                self.stir(channel)

    def _tell_feed(self, ends: dict[str | None, FeedPlace]) -> None:
        """Called by the thread that follows the database."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._take_feed, ends)

    def _take_feed(self, ends: dict[str | None, FeedPlace]) -> None:
        for owner, end in ends.items():
            channel = self._channels.get(("owner", owner))
            if isinstance(channel, OwnerChannel):
                channel.take(end)
                self.stir(channel)

    def stir(self, channel: Channel) -> None:
        """Have the job's streams told what is new, in this round or the next."""
        channel.has_changed = True
        if channel.wave is None or channel.wave.done():
            channel.wave = asyncio.create_task(self._wave(channel))

    async def _wave(self, channel: Channel) -> None:
        """Read what is new of a job and wake its streams, until nothing is."""
        while channel.has_changed:
            channel.has_changed = False
            began = self.now()
            waiting = [stream for stream in channel.streams if stream.is_waiting]
            calls: dict[Watcher, Callable[[], None]] = {stream: stream.wake for stream in waiting}
            places = {stream: place for stream in waiting if (place := stream.place_in(channel)) is not None}
            for place, _ in Counter(places.values()).most_common(PLACES):
                if channel.is_after(place):
                    found = await self.read(channel, place)
                    if found is not None and found.data and not channel.is_after(found.end):
                        given = place, found, found.chunk
                        calls |= {stream: partial(stream.give, *given) for stream in waiting if places.get(stream) == place}
            told = self._loop.create_future()
            self._in_turn([*calls.values(), partial(told.set_result, None)])
            await told
            await asyncio.sleep(max(WAVE_SECONDS, self.now() - began))

    def _in_turn(self, calls: list[Callable[[], None]]) -> None:
        self._ready.extend(calls)
        self._some.set()

    async def _wake_in_turn(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            while self._ready:
                for _ in range(min(AT_ONCE, len(self._ready))):
                    self._ready.popleft()()
                await asyncio.sleep(0)

    async def read(self, channel: Channel, place: Any) -> Block | None:
        """The events that follow the place, read once for all who ask at that time; None where they cannot be read now."""
        key = (channel, place)
        if (kept := self._blocks.get(key)) is not None:
            return kept
        task = self._reading.get(key)
        if task is None:
            task = self._reading[key] = asyncio.create_task(self._read(key))
            task.add_done_callback(lambda _: self._reading.pop(key))
        return await asyncio.shield(task)

    async def _read(self, key: tuple[Channel, Any]) -> Block | None:
        channel, place = key
        try:
            if isinstance(channel, OwnerChannel):
                found = await self.run(feed_block, self.database, channel.owner, place)
            else:
                found = await self.run(block, self.database, channel.key, place)
        except NotFound:
            channel.is_gone = True
            return None
        except (SQLAlchemyError, OSError) as error:
            log.warning("events not read; trying again", error=type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)
            return None
        if found.end != place:
            with suppress(ValueError):  # larger than all that is kept
                self._blocks[key] = found
        return found

    # --- what time brings

    async def _tick(self) -> None:
        checked = self.now()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = self.now()
            self._drop_idle(now)
            self._in_turn([stream.beat for stream in self.streams if stream.is_silent(now)])
            for stream in [stream for stream in self.streams if stream.is_blocked(now)]:
                log.info("a stream's reader takes nothing; ended it", watched=[channel.key for channel in stream.channels][:1])
                stream.cut()
            if now - checked >= KEYS_SECONDS and self.streams:
                checked = now
                await self._check_keys()
            await self._tell_progress()

    async def _tell_progress(self) -> None:
        """Tell who watches all of an owner's jobs how far those are that have gone on."""
        channels = [channel for channel in self._channels.values() if isinstance(channel, OwnerChannel) and channel.streams]
        if not channels:
            self._progress.clear()
            return
        try:
            found = await self.run(progress, self.database)
        except (SQLAlchemyError, OSError) as error:
            log.warning("progress not read; trying again", error=type(error).__name__)
            return
        before, self._progress = self._progress, found
        for channel in channels:
            news = [data for key, data in found.items() if channel.owner in (None, key[0]) and before.get(key) != data]
            if news:
                data = b"".join(map(progress_event, news))
                self._in_turn([partial(stream.say, data, chunk_of(data)) for stream in channel.streams])

    def progress_of(self, owner: str | None) -> list[str]:
        """How far the owner's jobs were when that was last told."""
        return [data for (of, _), data in self._progress.items() if owner in (None, of)]

    async def _check_keys(self) -> None:
        """End the streams whose caller would not be let in now."""
        asked = {stream.proof for stream in self.streams}
        try:
            valid = await self.run(self._valid, asked)
        except (SQLAlchemyError, OSError) as error:  # then nothing is told either
            log.warning("keys of streams not checked; trying again", error=type(error).__name__)
            return
        self._in_turn([stream.end for stream in self.streams if stream.proof in asked - valid])

    def _valid(self, asked: set[str | None]) -> set[str | None]:
        with self.database.glancing() as session:
            return keys.valid(session, asked)
