"""One setting for every thread: BLAS has as many as it is given, kernels run on the one that calls them."""

from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

_limits: list[Any] = []


def limit(threads: int) -> None:
    """Hold the matrix products of this process to that many threads, from now on.

    The bits of a product may depend on the count, so that the same seed gives the same bits at the same count. Two
    workers that each take every core are slower together than one after the other: share the cores out.
    """
    _limits[:] = [threadpool_limits(limits=threads, user_api="blas")]
