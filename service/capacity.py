"""Capacity of a process: how many requests of a kind are worked on at once, so that heavy ones take no thread from others."""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from inspect import iscoroutinefunction
from typing import Any, TypeVar

import anyio
from anyio.to_thread import current_default_thread_limiter
from fastapi import Request, Response
from fastapi.routing import APIRoute

from store.errors import TooManyRequests
from store.settings import Settings

AT_ONCE = {
    "probes": 4,  # /readyz and /metrics, which are asked when everything else is full
    "reads": 24,
    "writes": 16,
    "tables": 4,  # what may load a whole table takes the memory of its columns
    "computations": 2,  # pure computing: more at once would be no faster
    "predictions": 4,
}
"""Requests that are worked on at once, by the kind of their work; of files, as many as the setting `readers` says."""
SPARE_THREADS = 40
"""Threads for what is short whoever asks: looking a key up, writing a block of an upload."""
Function = TypeVar("Function", bound=Callable[..., Any])


class Capacity:
    """Turns to work on a request, by kind. Who waits for one holds no thread, and is told to come back after a while."""

    def __init__(self, setting: Settings) -> None:
        self.seconds = setting.wait_seconds
        self.at_once = {**AT_ONCE, "files": setting.readers}
        self.turns = {kind: anyio.Semaphore(count) for kind, count in self.at_once.items()}

    def provide_threads(self) -> None:
        """Have a thread for every turn; called within the event loop."""
        current_default_thread_limiter().total_tokens = SPARE_THREADS + sum(self.at_once.values())

    @asynccontextmanager
    async def turn(self, kind: str) -> AsyncIterator[None]:
        """Around the work on a request. Raises TooManyRequests for who has waited long."""
        turns = self.turns[kind]
        try:
            with anyio.fail_after(self.seconds):
                await turns.acquire()
        except TimeoutError:
            raise TooManyRequests(kind, self.at_once[kind], self.seconds) from None
        try:
            yield
        finally:
            turns.release()


def capacity_of(request: Request) -> Capacity:
    """The process's capacity."""
    capacity: Capacity = request.app.state.capacity
    return capacity


def works_on(kind: str) -> Callable[[Function], Function]:
    """Say what kind of work an endpoint does, where it is more than to read or write a few rows."""

    def mark(endpoint: Function) -> Function:
        endpoint.work = kind  # type: ignore[attr-defined]
        return endpoint

    return mark


class Route(APIRoute):
    """A route whose requests wait for their turn. An endpoint that is a coroutine holds no thread, and takes turns itself."""

    @property
    def work(self) -> str | None:
        if iscoroutinefunction(self.endpoint):
            return None
        kind: str = getattr(self.endpoint, "work", "reads" if {"GET", "HEAD"} & (self.methods or set()) else "writes")
        return kind

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, work = super().get_route_handler(), self.work
        if work is None:
            return handle

        async def handle_in_turn(request: Request) -> Response:
            if self.body_field is not None:
                await request.body()  # a slow caller holds no turn while it sends
            async with capacity_of(request).turn(work):
                return await handle(request)

        return handle_in_turn
