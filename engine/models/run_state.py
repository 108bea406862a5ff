"""The state of a run, and what an epoch yields."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.backend import Array, to_host
from engine.network.learner import Learner

COEFFICIENTS = "coefficients"
"""The name among a state's vectors of W over b (d + 1, k) in the data's own units."""
PARTIAL = "partial_"
"""Prefix of the names of an unfinished epoch's arrays, which are stored beside the others."""


@dataclass
class State:
    """The memory that lets a run go on as if it had never stopped: counters, and named vectors beside θ.

    Within an epoch, `place` says how far it has come (batches, or rows of a perceptron's walk) and `partial` holds what the
    epoch's values will be made of, so far.
    """

    epoch: int = 0
    step: int = 0
    vectors: dict[str, Array] = field(default_factory=dict)
    place: int = 0
    partial: dict[str, Array] = field(default_factory=dict)
    settle: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)
    """Brings θ and the vectors up to date, which a run may keep elsewhere while it trains."""

    def arrays(self, learner: Learner) -> dict[str, np.ndarray]:
        """Host copies of all of it, θ included."""
        self.settle()
        named = {**self.vectors, **{PARTIAL + name: array for name, array in self.partial.items()}}
        counters = np.array([self.epoch, self.step, self.place], np.int64)
        copies = {name: np.array(to_host(array)) for name, array in named.items()}
        return {"theta": np.array(to_host(learner.parameters.theta)), "counters": counters, **copies}

    def end_epoch(self) -> None:
        """Count an epoch: nothing of the next has been done."""
        self.epoch, self.place, self.partial = self.epoch + 1, 0, {}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], learner: Learner) -> "State":
        """The reverse of `arrays`, copied, since training goes on in place; θ goes into the network."""
        learner.parameters.theta[...] = learner.xp.asarray(arrays["theta"])
        epoch, step, *place = (int(count) for count in arrays["counters"])
        named = {name: learner.xp.array(arrays[name]) for name in arrays.keys() - {"theta", "counters"}}
        partial = {name.removeprefix(PARTIAL): named.pop(name) for name in list(named) if name.startswith(PARTIAL)}
        return cls(epoch, step, named, place[0] if place else 0, partial)


@dataclass(frozen=True)
class Epoch:
    """A yield of the generator: an epoch's numbers, or, if `whole` is false, only a pause within a long epoch.

    `done` is the share of a breath's epoch that lies behind it. `values` are a whole epoch's point on every curve; a value
    that is undefined is None. `batch_losses` (steps,) is filled where the spec records every batch. `converged` says that
    the solver has nothing left to do.
    """

    number: int
    whole: bool = True
    done: float = 0.0
    values: dict[str, float | None] = field(default_factory=dict)
    batch_losses: np.ndarray | None = None
    converged: bool = False
    warnings: tuple[dict[str, Any], ...] = ()
