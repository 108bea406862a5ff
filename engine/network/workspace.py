"""Every array that a pass of a network over n rows writes, allocated once."""

from collections.abc import Sequence
from typing import Any

from engine.backend import Array
from engine.network.layer_pass import LayerPass
from engine.network.layers.base import BoundLayer, Scratch
from engine.network.parameters import LayerParameters


class Workspace:
    """A pass a layer, in order, each reading what the one before has written.

    `keeps`: ∂J/∂A stays where ∂J/∂Z is worked out, to be looked at.
    """

    def __init__(
        self,
        layers: Sequence[BoundLayer],
        parameters: Sequence[LayerParameters],
        statistics: Sequence[dict[str, Array]],
        rows: int,
        dtype: Any,
        xp: Any,
        keeps: bool = False,
    ) -> None:
        self.rows = rows
        self.passes: list[LayerPass] = []
        for layer, views, running in zip(layers, parameters, statistics, strict=True):
            needed = {**layer.scratch(rows)}
            if keeps and "Z" in needed:
                needed["dZ"] = needed["Z"]
            A, dA = (xp.empty((rows, *layer.output_shape), dtype) for _ in range(2))
            scratch = {name: _made(each, dtype, xp) for name, each in needed.items()}
            before = self.passes[-1] if self.passes else None
            made = LayerPass(xp, dtype, rows, layer.input_shape, layer.output_shape, views, running, A, dA, scratch)
            if before is not None:
                made.X, made.dX = before.A, before.dA
            self.passes.append(made)

    @property
    def outputs(self) -> Array:
        """The last layer's answers (n, k)."""
        return self.passes[-1].A.reshape(self.rows, -1)

    @property
    def slopes(self) -> Array:
        """∂J/∂outputs (n, k), which a backward pass starts from."""
        return self.passes[-1].dA.reshape(self.rows, -1)


def _made(scratch: Scratch, dtype: Any, xp: Any) -> Array:
    if scratch.values is not None:
        return xp.asarray(scratch.values.astype(scratch.dtype or dtype))
    make = xp.zeros if scratch.zeros else xp.empty
    array: Array = make(scratch.shape, scratch.dtype or dtype)
    return array


def count_numbers(layers: Sequence[BoundLayer], rows: int) -> int:
    """The numbers of a workspace for so many rows."""
    scratch = (each for layer in layers for each in layer.scratch(rows).values())
    return sum(2 * rows * layer.outputs for layer in layers) + sum(each.size for each in scratch)
