"""Training as a generator: it yields, and the caller decides what to keep and when to stop."""

from collections.abc import Iterator

from engine.fast import paths
from engine.models.base import Faster, Problem
from engine.models.run_state import Epoch, State


def train(problem: Problem, state: State, faster: Faster = paths.faster) -> Iterator[Epoch]:
    """Train the problem's learner from `state` on, an epoch a turn; `state` is kept up to date at every yield.

    Raises Diverged when the loss is no longer a finite number.
    """
    yield from problem.spec.model.epochs(problem, state, faster)
