"""One setting for every thread: products of matrices have as many as they are given, and so has a team (see team.py)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engine.blas import controller

_limits: list[Any] = []


def limit(threads: int) -> None:
    """Hold this process to that many threads, from now on.

    The bits of a product may depend on the count, so that the same seed gives the same bits at the same count. Two
    workers that each take every core are slower together than one after the other: share the cores out.
    """
    _limits[:] = [controller().limit(limits=threads)]


def count() -> int:
    """How many threads a product of matrices may take."""
    return max((library["num_threads"] for library in controller().info()), default=1)


@contextmanager
def products_on_their_callers() -> Iterator[None]:
    """Within, a product of matrices stays on the thread that asks for it."""
    with controller().limit(limits=1):
        yield
