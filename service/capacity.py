"""Capacity of a process: how many requests of a kind are worked on at once, so that heavy ones take no thread from others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.to_thread import current_default_thread_limiter
from fastapi import Request

from store.errors import TooManyRequests
from store.settings import Settings

AT_ONCE = {
    "probes": 4,  # /readyz and /metrics, which are asked when everything else is full
    "reads": 24,
    "writes": 16,
    "tables": 4,  # what may load a whole table takes the memory of its columns
    "computations": 2,  # what computes for long, of a table or not: more at once would be no faster
    "predictions": 4,
    "bodies": 1,  # large ones that are parsed and validated: each holds the interpreter and much memory
}
"""Requests that are worked on at once, by the kind of their work; of files, as many as the setting `readers` says."""
SPARE_THREADS = 40
"""Threads for what is short whoever asks: looking a key up, writing a block of an upload."""


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
            raise TooManyRequests.waited(kind, self.at_once[kind], self.seconds) from None
        try:
            yield
        finally:
            turns.release()


def capacity_of(request: Request) -> Capacity:
    """The process's capacity."""
    capacity: Capacity = request.app.state.capacity
    return capacity
