"""The context of a worker: what every attempt of its process shares."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from store.connections import Store


@dataclass(frozen=True)
class WorkerContext(Store):
    """A worker's way to everything stored, under its name. `stopping` says that the process is about to end; `clock` gives
    seconds from anywhere, by which training is timed.
    """

    name: str
    stopping: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = time.perf_counter
