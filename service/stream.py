"""One event stream: an answer that tells a job's events as they happen, at the pace of who reads it."""

import asyncio
import random
from typing import TYPE_CHECKING

import structlog
from fastapi.responses import Response
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from service.events import Block, chunk_of
from service.protocol import WRITER, Writer
from store.cursors import Cursor, Head

if TYPE_CHECKING:
    from service.hub import Hub

SILENT_SECONDS = 15.0
"""After so long without an event a comment is sent, lest somebody in between takes the connection for dead."""
BLOCKED_SECONDS = 30.0
"""A reader who takes nothing for so long has its stream ended; it may connect again and go on."""
CLOSING_SECONDS = 2.0
RETRY_MILLISECONDS = (1_000, 4_000)
"""Within this a browser waits before it connects again: not all at the same moment."""
COMMENT = b": still here\n\n"
COMMENT_CHUNK = chunk_of(COMMENT)
HEADERS = {"X-Accel-Buffering": "no", "Cache-Control": "no-store"}
log = structlog.get_logger()


class Channel:
    """A job that is watched: where its events end, and the streams that tell them."""

    def __init__(self, number: int, head: Head, now: float) -> None:
        self.number, self.head = number, head
        self.streams: set[EventStream] = set()
        self.wave: asyncio.Task[None] | None = None
        self.has_changed = self.is_gone = False
        self.idle_since = now

    def take(self, head: Head | None) -> None:
        """Note where the job's events end by now; None where it was deleted."""
        if head is None or head.job_id != self.head.job_id:  # SQLite gives a deleted job's number out again
            self.is_gone = True
        else:
            self.head = head

    def join(self, stream: "EventStream") -> None:
        """Have the stream woken when there is something new."""
        stream.channel = self
        self.streams.add(stream)

    def leave(self, stream: "EventStream", now: float) -> None:
        """Wake the stream no more."""
        self.streams.discard(stream)
        self.idle_since = now


class EventStream(Response):
    """The answer. `place` is how far it has told; it waits until the hub wakes it, and then tells what follows."""

    media_type = "text/event-stream"

    def __init__(self, hub: "Hub", key_id: str | None, counted_as: str) -> None:
        self.status_code, self.background = 200, None
        self.init_headers(HEADERS)
        self.hub, self.key_id, self.counted_as = hub, key_id, counted_as
        self.channel: Channel | None = None
        self.place = Cursor()
        self._writer: Writer | None = None
        self._waker: asyncio.Future[None] | None = None
        self._limit: asyncio.Timeout | None = None
        self._sent_at, self._is_sending = 0.0, False
        self._is_ending = self._is_due = False

    # --- what the hub asks of it

    @property
    def is_waiting(self) -> bool:
        return self._waker is not None

    def is_silent(self, now: float) -> bool:
        """Whether a comment is due."""
        return self._waker is not None and now - self._sent_at >= SILENT_SECONDS - 1

    def is_blocked(self, now: float) -> bool:
        """Whether its reader has taken nothing for long."""
        return self._is_sending and now - self._sent_at >= BLOCKED_SECONDS

    def wake(self) -> None:
        """Have it look for what is new, if it waits."""
        if self._waker is not None and not self._waker.done():
            self._waker.set_result(None)

    def give(self, place: Cursor, block: Block, chunk: bytes) -> None:
        """Tell it what follows the place, where it waits there: at once if its reader keeps up, else by waking it."""
        assert self.channel is not None
        if self.place == place and self._writes(chunk):
            self.place = block.end
            if not self.channel.head.ended:
                return
        self.wake()

    def beat(self) -> None:
        """Have it send a comment."""
        if not self._writes(COMMENT_CHUNK):
            self._is_due = True
            self.wake()

    def _writes(self, chunk: bytes) -> bool:
        if self._waker is None or self._is_ending or self._writer is None or not self._writer.write(chunk):
            return False
        self._sent_at = self.hub.now()
        return True

    def end(self) -> None:
        """Have it end in order, or, where its reader takes nothing, all the same."""
        self._is_ending = True
        self.wake()
        if self._limit is not None and self._is_sending:
            self._limit.reschedule(self.hub.now() + CLOSING_SECONDS)

    def cut(self) -> None:
        """End it at once."""
        if self._limit is not None:
            self._limit.reschedule(self.hub.now())

    # --- the answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raises ClientDisconnect where the stream was cut off."""
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if scope["method"] == "HEAD":
                await send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            listening = asyncio.create_task(self._listen(receive))
            try:
                async with asyncio.timeout(None) as self._limit:
                    # in one block with a comment, which is none to dispatch: the first bytes, before there is an event
                    retry = random.randint(*RETRY_MILLISECONDS)
                    await self._send(send, f": events\nretry: {retry}\n\n".encode())
                    self._writer = scope.get("extensions", {}).get(WRITER)
                    await self._tell_all(send)
            except TimeoutError:
                raise ClientDisconnect from None
            finally:
                self._limit = None
                listening.cancel()
        finally:
            self.hub.leave(self)

    async def _listen(self, receive: Receive) -> None:
        """Notice that the client has hung up."""
        while (await receive())["type"] != "http.disconnect":
            pass
        self._is_ending = True
        self.wake()

    async def _tell_all(self, send: Send) -> None:
        channel = self.channel
        assert channel is not None
        has_more = True
        while not (self._is_ending or channel.is_gone):
            if channel.head.is_after(self.place):
                if has_more:
                    block = await self.hub.read(channel, self.place)
                    if block is not None:
                        self.place, has_more = block.end, block.is_full
                        await self._send(send, block.data)
                    continue
                self.hub.stir(channel)  # it has gone on while this was sent: the next round tells it
            elif channel.head.ended:
                break
            elif self._is_due:
                self._is_due = False
                await self._send(send, COMMENT)
            self._waker = asyncio.get_running_loop().create_future()
            try:
                await self._waker
            finally:
                self._waker = None
            has_more = True
        await self._send(send, b"", more=False)

    async def _send(self, send: Send, data: bytes, more: bool = True) -> None:
        self._is_sending, self._sent_at = True, self.hub.now()
        await send({"type": "http.response.body", "body": data, "more_body": more})
        self._is_sending = False
