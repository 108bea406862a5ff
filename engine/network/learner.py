"""The contract of a learner: parameters on a device, and outputs for rows."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from engine.backend import Array
from engine.network.layers.base import BoundLayer


class Learned(Protocol):
    """All parameters of a model, flat."""

    theta: Array
    """(p,)"""

    @property
    def size(self) -> int:
        """How many they are, p."""


class Learner(Protocol):
    """A network, or whatever else a model learns: a checkpoint keeps θ of it, and what `adopt` names."""

    dtype: np.dtype[Any]
    xp: Any
    """The array namespace that its arrays belong to: numpy or cupy."""

    @property
    def parameters(self) -> Learned:
        """The flat parameters."""

    @property
    def layers(self) -> tuple[BoundLayer, ...]:
        """A network's layers; no other learner has any."""

    @property
    def outputs(self) -> int:
        """Raw outputs of a row, k."""

    @property
    def products(self) -> int:
        """Multiplications that a row's outputs take."""

    def adopt(self, vectors: Mapping[str, Array]) -> dict[str, Array]:
        """Take over what is kept beside θ, as running statistics are, from those named arrays. Returns its own by their names,
        as a checkpoint has them: they move as it trains.
        """

    def evaluate(self, X: Array) -> Array:
        """Raw outputs (n, k) of X (n, d)."""
