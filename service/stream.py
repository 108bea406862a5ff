"""One event stream: an answer that tells a channel's events as they happen, at the pace of who reads it."""

import asyncio
import random
from collections.abc import Sequence
from typing import Any, Protocol

from fastapi.responses import Response
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from service.channels import Channel
from service.events import Block, chunk_of
from service.protocol import WRITER, Writer
from store.keys import Caller

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


class Source(Protocol):
    """The hub, as its streams see it."""

    def now(self) -> float:
        """Seconds by the event loop's clock."""

    async def read(self, channel: Channel, place: Any) -> Block | None:
        """The events that follow the place; None where they cannot be read now."""

    def stir(self, channel: Channel) -> None:
        """Have the channel's streams told what is new."""

    def leave(self, stream: "EventStream") -> None:
        """Forget the stream."""


class EventStream(Response):
    """The answer. `place` is how far it has told; it waits until the hub wakes it, and then tells what follows."""

    media_type = "text/event-stream"

    def __init__(self, hub: Source, caller: Caller) -> None:
        self.status_code, self.background = 200, None
        self.init_headers(HEADERS)
        self.hub, self.proof, self.counted_as = hub, caller.proof, caller.key_id or caller.owner
        self.channel: Channel | None = None
        self.place: Any = None
        self.before = ""
        """Text that is sent before the first event."""
        self._writer: Writer | None = None
        self._waker: asyncio.Future[None] | None = None
        self._limit: asyncio.Timeout | None = None
        self._sent_at, self._is_sending = 0.0, False
        self._is_ending, self._has_more = False, True
        self._due = b""

    # --- what the hub asks of it

    def watch(self, channel: Channel, place: Any) -> None:
        """Tell the channel's events that follow the place."""
        self.channel, self.place = channel, place
        channel.join(self)

    @property
    def channels(self) -> Sequence[Channel]:
        """All that it watches."""
        return [] if self.channel is None else [self.channel]

    def place_in(self, channel: Channel) -> Any:
        """How far it has told the channel's events; None where nothing can be given to it."""
        return self.place

    @property
    def id(self) -> str:
        """The event id of its place."""
        return str(self.place.id)

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

    def give(self, place: Any, block: Block, chunk: bytes) -> None:
        """Tell it what follows the place, where it waits there: at once if its reader keeps up, else by waking it."""
        assert self.channel is not None
        if self.place == place and self._writes(chunk):
            self.place = block.end
            if not self.channel.has_ended:
                return
        self.wake()

    def beat(self) -> None:
        """Have it send a comment."""
        self.say(COMMENT, COMMENT_CHUNK)

    def say(self, data: bytes, chunk: bytes) -> None:
        """Have it send something that has no place among its events, unless something of that kind still waits."""
        if not self._writes(chunk):
            self._due = data
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
                    # with its place as their id, lest a client that is cut off before an event begins elsewhere
                    await self._send(send, f": events\nretry: {retry}\nid: {self.id}\n\n{self.before}".encode())
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
        while not self._is_ending:
            if await self._tell_some(send):
                continue
            if self.has_told_all:
                break
            if self._due:
                due, self._due = self._due, b""
                await self._send(send, due)
                continue  # it may have gone on meanwhile
            await self._wait()
        await self._send(send, b"", more=False)

    async def _wait(self) -> None:
        """Until it is woken."""
        self._waker = asyncio.get_running_loop().create_future()
        try:
            await self._waker
        finally:
            self._waker = None
        self._has_more = True

    async def _tell_some(self, send: Send) -> bool:
        """Tell what follows, up to a block. Whether it is worth asking again at once."""
        channel = self.channel
        assert channel is not None
        if channel.is_gone or not channel.is_after(self.place):
            return False
        if not self._has_more:
            self.hub.stir(channel)  # it has gone on while this was sent: the next round tells it
            return False
        block = await self.hub.read(channel, self.place)
        if block is not None:
            self.place, self._has_more = block.end, block.is_full
            if block.data:
                await self._send(send, block.data)
        return True

    @property
    def has_told_all(self) -> bool:
        """Whether no event will follow."""
        channel = self.channel
        assert channel is not None
        return channel.is_gone or (channel.has_ended and not channel.is_after(self.place))

    async def _send(self, send: Send, data: bytes, more: bool = True) -> None:
        self._is_sending, self._sent_at = True, self.hub.now()
        await send({"type": "http.response.body", "body": data, "more_body": more})
        self._is_sending = False
