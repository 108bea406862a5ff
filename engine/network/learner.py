"""The contract of a learner: parameters on a device, and outputs for rows."""

from typing import Any, Protocol

import numpy as np

from engine.backend import Array


class Learned(Protocol):
    """All parameters of a model, flat."""

    theta: Array
    """(p,)"""

    @property
    def size(self) -> int:
        """How many they are, p."""


class Learner(Protocol):
    """A network, or whatever else a model learns: everything a checkpoint keeps of it is θ."""

    dtype: np.dtype[Any]
    xp: Any
    """The array namespace that its arrays belong to: numpy or cupy."""

    @property
    def parameters(self) -> Learned:
        """The flat parameters."""

    @property
    def outputs(self) -> int:
        """Raw outputs of a row, k."""

    @property
    def products(self) -> int:
        """Multiplications that a row's outputs take."""

    def evaluate(self, X: Array) -> Array:
        """Raw outputs (n, k) of X (n, d)."""
