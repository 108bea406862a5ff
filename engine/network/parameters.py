"""One flat vector of parameters θ, one of their gradient ∇, and shaped views into both."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from engine.backend import Array


@dataclass(frozen=True)
class LayerShape:
    """A dense layer's parameters: weights (inputs, outputs) and, where `bias`, a bias (outputs,)."""

    inputs: int
    outputs: int
    bias: bool = True

    @property
    def size(self) -> int:
        return self.inputs * self.outputs + self.outputs * self.bias


@dataclass(frozen=True)
class LayerParameters:
    """Views into θ and ∇ of one layer: W (inputs, outputs), b (outputs,) or None, and their gradients."""

    W: Array
    b: Array | None
    dW: Array  # noqa: N815 (the field's own capitals)
    db: Array | None


class Parameters:
    """θ (p,) and ∇ (p,), both allocated once; a layer's W and b are views, so writing either writes θ."""

    def __init__(self, shapes: Sequence[LayerShape], dtype: Any, xp: Any) -> None:
        size = sum(shape.size for shape in shapes)
        self.theta: Array = xp.zeros(size, dtype)
        self.gradient: Array = xp.zeros(size, dtype)
        self.layers = layer_views(self.theta, self.gradient, shapes)

    @property
    def size(self) -> int:
        return int(self.theta.size)


def layer_views(theta: Array, gradient: Array, shapes: Sequence[LayerShape]) -> tuple[LayerParameters, ...]:
    """Cut flat vectors (p,) into each layer's weights, row by row, followed by its bias."""
    views, start = [], 0
    for shape in shapes:
        end = start + shape.inputs * shape.outputs
        W, dW = (vector[start:end].reshape(shape.inputs, shape.outputs) for vector in (theta, gradient))
        start = end + shape.outputs * shape.bias
        b, db = (theta[end:start], gradient[end:start]) if shape.bias else (None, None)
        views.append(LayerParameters(W, b, dW, db))
    return tuple(views)
