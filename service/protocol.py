"""The web server's protocol with bounds on slow and boundless callers: uvicorn's, which has few of its own.

Bounded are the time for headers and their bytes (and those of trailers and chunk extensions), the time of a body without
progress, the time that an answer is not read, and the connections in all and of an address. A sweep once a second looks at
every connection: a timer for each would cost more.
"""

import asyncio
import json
import resource
from collections import Counter
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from service.addresses import is_among, network_of
from service.problems import MEDIA_TYPE, RETRY_SECONDS
from store.errors import problem
from store.settings import Settings

SWEEP_SECONDS = 1.0
PROGRESS_BYTES = 1024
"""Bytes of a body that have to come, or of an answer that have to go, within the time for progress."""
FRAMING = 8
"""Bytes of chunked framing that come with a byte of a body, at most."""
SPARE_FILES = 128
"""File descriptors for the database, files and readers."""
WRITER = "vidro.writer"
"""The extension of a request's scope that holds its Writer."""


class Bounds:
    """The state that all connections of a process share: the limits, how many there are, and the sweep."""

    def __init__(self, setting: Settings) -> None:
        self.setting = setting
        self.most = setting.max_connections or max(64, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - SPARE_FILES)
        self.proxies = setting.proxies
        self.connections: set[BoundedProtocol] = set()
        self.by_address: Counter[str] = Counter()
        self._sweep: asyncio.TimerHandle | None = None

    def admit(self, connection: "BoundedProtocol", address: str) -> tuple[int, str] | None:
        """Count a connection in; or the status and detail that it is turned away with."""
        if len(self.connections) >= self.most:
            return 503, f"{self.most:,} connections are open, as many as there may be; try again in {RETRY_SECONDS} s"
        each = self.setting.max_connections_each
        if self.by_address[address] >= each and not is_among(address, self.proxies):
            return 429, f"{each:,} connections are open from your address; close some, or use one for several requests"
        self.connections.add(connection)
        self.by_address[address] += 1
        if self._sweep is None:
            self._sweep = connection.loop.call_later(SWEEP_SECONDS, self.sweep, connection.loop)
        return None

    def forget(self, connection: "BoundedProtocol", address: str) -> None:
        if connection in self.connections:
            self.connections.remove(connection)
            self.by_address[address] -= 1
            if not self.by_address[address]:
                del self.by_address[address]

    def sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        """Look at every connection, and again in a while as long as there are any."""
        for connection in list(self.connections):
            connection.look(loop.time())
        self._sweep = loop.call_later(SWEEP_SECONDS, self.sweep, loop) if self.connections else None


class Writer:
    """Writes further pieces of an answer at once, as long as its reader keeps up: at a fraction of what `send` costs, and
    without waking the task that answers.
    """

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

    def write(self, chunk: bytes) -> bool:
        """Whether it was written: a piece that is framed as HTTP/1.1 frames it (RFC 9112, section 7.1)."""
        cycle = self._cycle
        has_begun = cycle.response_started and cycle.chunked_encoding and not cycle.response_complete
        if not has_begun or cycle.disconnected or cycle.flow.write_paused:
            return False
        cycle.transport.write(chunk)
        return True


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    bounds: Bounds

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.address = ""
        self.is_refused = self.is_in_message = False
        self.awaits_headers = True  # of a request that has begun, or of the first
        self.since = self.loop.time()
        self.body_bytes = self.other_bytes = 0  # of the present message
        self.progress = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = network_of(self.client[0] if self.client else "")
        refused = self.bounds.admit(self, self.address)
        if refused is not None:
            self.refuse(*refused)

    def connection_lost(self, exc: Exception | None) -> None:
        self.bounds.forget(self, self.address)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.is_refused:
            return
        self.other_bytes += len(data)
        super().data_received(data)
        limit = self.bounds.setting.max_header_bytes + FRAMING * self.body_bytes
        if self.other_bytes > limit and not self.is_refused and not self.transport.is_closing():
            self.refuse(431, f"the headers are longer than {self.bounds.setting.max_header_bytes:,} bytes; send shorter ones")

    def on_message_begin(self) -> None:
        self.awaits_headers = self.is_in_message = True
        self.since = self.loop.time()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self.bounds.setting.max_header_bytes:
            self.refuse(431, f"the headers are longer than {self.bounds.setting.max_header_bytes:,} bytes; send shorter ones")
        if self.is_refused:
            return
        self.awaits_headers, self.since, self.progress = False, self.loop.time(), 0
        before = self.cycle
        super().on_headers_complete()
        if self.cycle is not None and self.cycle is not before:
            self.cycle.scope["extensions"] = {WRITER: Writer(self.cycle)}  # type: ignore[dict-item]

    def on_body(self, body: bytes) -> None:
        if not self.is_refused:
            self.body_bytes += len(body)
            self.other_bytes -= len(body)
            super().on_body(body)

    def on_message_complete(self) -> None:
        if not self.is_refused:
            self.is_in_message, self.since = False, self.loop.time()
            self.body_bytes = self.other_bytes = self.progress = 0
            super().on_message_complete()

    def look(self, now: float) -> None:
        """Whether the caller has kept it waiting for too long."""
        setting, waited = self.bounds.setting, now - self.since
        if self.is_refused or self.transport.is_closing():
            if waited > setting.body_seconds:
                self.transport.abort()  # it does not even take the refusal
        elif self.awaits_headers:
            if waited > setting.header_seconds:
                self.refuse(408, f"the headers did not come within {setting.header_seconds:g} s; send them at once")
        elif self.cycle is not None and waited > setting.body_seconds:
            if not self.cycle.response_complete:
                self._look_for_progress(now)
            elif self.is_in_message:
                self.transport.close()  # it has its answer, and still sends

    def _look_for_progress(self, now: float) -> None:
        seconds = self.bounds.setting.body_seconds
        if self.flow.write_paused:
            left = self.transport.get_write_buffer_size()
            if self.progress and left > self.progress - PROGRESS_BYTES:
                self.transport.abort()  # the answer is not read
            self.progress = left
        elif self.cycle.more_body and not self.flow.read_paused:
            if self.body_bytes - self.progress < PROGRESS_BYTES:
                self.refuse(408, f"less than {PROGRESS_BYTES:,} bytes of the body came within {seconds:g} s; send it faster")
            self.progress = self.body_bytes
        else:
            self.progress = 0
        self.since = now

    def refuse(self, status: int, detail: str) -> None:
        """Answer with a problem, where no answer has begun, and close."""
        self.is_refused, self.since = True, self.loop.time()
        self._unset_keepalive_if_required()
        cycle = self.cycle
        is_answered = cycle is not None and cycle.response_started and not cycle.response_complete
        if not is_answered:
            code = HTTPStatus(status).phrase.upper().replace(" ", "_")
            body = json.dumps(problem(code, status, detail, [])).encode()
            head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: {MEDIA_TYPE}\r\n"
            again = f"Retry-After: {RETRY_SECONDS}\r\n" if status in (429, 503) else ""
            head += f"X-Content-Type-Options: nosniff\r\n{again}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            self.transport.write(head.encode() + body)
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True  # who waits for the rest of the body is told so
            cycle.message_event.set()
        self.transport.close()


def bounded(setting: Settings) -> type[BoundedProtocol]:
    """The protocol with these settings, for uvicorn."""
    return type("BoundedProtocol", (BoundedProtocol,), {"bounds": Bounds(setting)})
