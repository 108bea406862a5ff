"""The arrays of one layer in a pass over n rows, made once."""

from dataclasses import dataclass, field
from typing import Any

from engine.backend import Array
from engine.network.parameters import LayerParameters, Shape


@dataclass
class LayerPass:
    """A layer's input X (n, *input_shape) and output A (n, *output_shape), ∂J/∂X and ∂J/∂A, its parameters, and its scratch.

    `dX` is None for the first layer, before which nothing learns. `masked` has dropout silence units, `training` has batch
    normalization go by the rows of the pass.
    """

    xp: Any
    dtype: Any
    rows: int
    input_shape: Shape
    output_shape: Shape
    parameters: LayerParameters
    statistics: dict[str, Array]
    """Running statistics by name, which no gradient trains."""
    A: Array
    dA: Array
    scratch: dict[str, Array]
    X: Array = field(init=False)
    dX: Array | None = None
    masked: bool = False
    training: bool = False

    def __getitem__(self, name: str) -> Array:
        """An array of its scratch."""
        return self.scratch[name]

    @property
    def Z(self) -> Array:
        """The activation's argument; A itself where nothing bends it."""
        return self.scratch.get("Z", self.A)

    @property
    def dZ(self) -> Array:
        """∂J/∂Z, written over ∂J/∂A unless the workspace keeps both."""
        return self.scratch.get("dZ", self.dA)

    @property
    def mask(self) -> Array | None:
        """The dropout mask: 1/(1 − rate) where a number stays, 0 where it is silenced; None where all stay."""
        return self.scratch.get("mask") if self.masked else None
