"""One setting for every thread: products of matrices have as many as they are given, and so has a team (see barrier.py)."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from threading import Barrier
from typing import Any

import numpy as np

from engine.fast.blas import controller

SIZE = 1024
"""Of a product that lasts long enough for as many threads to be at it at once."""
_limits: list[Any] = []
_given: list[int] = []


def limit(threads: int) -> None:
    """Hold this process to that many threads, from now on.

    The bits of a product by BLAS may depend on the count, a team's do not. Two workers that each take every core are slower
    together than one after the other: share the cores out.
    """
    _limits[:] = [controller().limit(limits=threads)]
    _given[:] = [threads]
    _set_aside(threads)


def _set_aside(threads: int) -> None:
    """Have BLAS take the memory that each of so many threads multiplies in, which it keeps. Later, where a job has used up
    what it may have, OpenBLAS would ask for it for ever.
    """
    team = Team(threads)
    together = Barrier(team.size)

    def multiply(_: int) -> None:
        A = np.ones((SIZE, SIZE), np.float32)
        together.wait()
        A @ A

    with products_on_their_callers():
        team(multiply, together.abort)


def count() -> int:
    """How many threads a product of matrices, or a team, may take: as limited, or else as many as BLAS has."""
    return _given[0] if _given else max((library["num_threads"] for library in controller().info()), default=1)


@contextmanager
def products_on_their_callers() -> Iterator[None]:
    """Within, a product of matrices stays on the thread that asks for it."""
    with controller().limit(limits=1):
        yield


class Team:
    """This thread and others, which wait between calls: so many in all, or fewer where the system grants no more."""

    def __init__(self, most: int) -> None:
        self.others: list[ThreadPoolExecutor] = []
        with suppress(RuntimeError, MemoryError):
            while len(self.others) < most - 1:
                other = ThreadPoolExecutor(1, "team")
                other.submit(int).result()  # starts it
                self.others.append(other)
        self.size = 1 + len(self.others)

    def __call__(self, work: Callable[[int], None], give_up: Callable[[], None] = lambda: None) -> None:
        """Have each member do its work(member) at once; this thread is member 0. Returns when all are through.

        Where one fails, `give_up` is called, which has to end the others' waiting for it, and its exception is raised.
        """

        def do(member: int) -> None:
            try:
                work(member)
            except BaseException:
                give_up()
                raise

        working: list[Future[None]] = []
        try:
            for member, other in enumerate(self.others, 1):
                working.append(other.submit(do, member))
            work(0)
        except BaseException:
            give_up()
            raise
        finally:
            wait(working)
        for each in working:
            each.result()
