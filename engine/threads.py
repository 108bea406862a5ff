"""One setting for every thread: products of matrices have as many as they are given, and so has a team (see team.py)."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import numpy as np

from engine.blas import controller

SIZE = 1024
"""Of a product that lasts long enough for as many threads to be at it at once."""
_limits: list[Any] = []


def limit(threads: int) -> None:
    """Hold this process to that many threads, from now on.

    The bits of a product by BLAS may depend on the count, a team's do not. Two workers that each take every core are slower
    together than one after the other: share the cores out.
    """
    _limits[:] = [controller().limit(limits=threads)]
    _set_aside(threads)


def _set_aside(threads: int) -> None:
    """Have BLAS take the memory that each of so many threads multiplies in, which it keeps. Later, where a job has used up
    what it may have, OpenBLAS would ask for it for ever.
    """
    together = Barrier(threads)

    def multiply(_: int) -> None:
        A = np.ones((SIZE, SIZE), np.float32)
        together.wait()
        A @ A

    with products_on_their_callers(), ThreadPoolExecutor(threads) as team:
        list(team.map(multiply, range(threads)))


def count() -> int:
    """How many threads a product of matrices may take."""
    return max((library["num_threads"] for library in controller().info()), default=1)


@contextmanager
def products_on_their_callers() -> Iterator[None]:
    """Within, a product of matrices stays on the thread that asks for it."""
    with controller().limit(limits=1):
        yield
