"""Which compiled path of gradient descent suits a network of dense layers.

A network trains batch after batch inside one compiled call: a small one on one thread, the rows side by side (small.py);
a larger one on a team of threads (large.py). What both repeat is `Definition` in descent.py.
"""

from engine.backend import Array
from engine.fast.coverage import is_compiled
from engine.fast.epoch import Fast, has_parts
from engine.fast.large import Large
from engine.fast.microkernel import LANES
from engine.fast.small import Small
from engine.models.base import Problem
from engine.network.network import is_dense

FEW_WEIGHTS = 2_000
SMALL = 400_000
"""So few weights, or weights × rows of a batch, are one thread's work: it was faster there than two at every size tried."""


def supported(problem: Problem) -> bool:
    """Whether everything that the problem is made of has a kernel."""
    layers = problem.network.layers
    return is_dense(layers) and is_compiled(layers) and has_parts(problem)


def fast(problem: Problem, vectors: dict[str, Array], batch_size: int) -> Fast | None:
    """The fast path that suits the problem, or None where it has to run on its definition."""
    if not supported(problem):
        return None
    rows = -(-batch_size // LANES) * LANES
    weights = problem.network.parameters.size
    if weights <= FEW_WEIGHTS or weights * rows <= SMALL:
        return Small(problem, vectors, batch_size)
    return Large(problem, vectors, batch_size)
