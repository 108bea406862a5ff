"""One flat vector of parameters θ, one of their gradient ∇, and named, shaped views into both."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from engine.backend import Array

Shape = tuple[int, ...]


@dataclass(frozen=True)
class ParameterShape:
    """One array of a layer's parameters. An initializer draws weights, by the numbers that a unit reads (`inputs`) and the
    units that a number is read by (`outputs`); other arrays begin with `start` and are never penalized.
    """

    name: str
    shape: Shape
    inputs: int = 1
    outputs: int = 1
    is_weight: bool = False
    start: float = 0.0

    @property
    def size(self) -> int:
        return math.prod(self.shape)


@dataclass(frozen=True)
class LayerParameters:
    """Views into θ and ∇ of one layer's arrays, by name: W and b of most layers that have any."""

    shapes: tuple[ParameterShape, ...]
    arrays: dict[str, Array]
    gradients: dict[str, Array]

    @property
    def W(self) -> Array:
        return self.arrays["W"]

    @property
    def b(self) -> Array | None:
        return self.arrays.get("b")

    @property
    def dW(self) -> Array:
        return self.gradients["W"]

    @property
    def db(self) -> Array | None:
        return self.gradients.get("b")

    def weights(self) -> Iterator[tuple[Array, Array]]:
        """Each array that an initializer draws and a penalty counts, with its gradient."""
        for shape in self.shapes:
            if shape.is_weight:
                yield self.arrays[shape.name], self.gradients[shape.name]


class Parameters:
    """θ (p,) and ∇ (p,), both allocated once; a layer's arrays are views, so writing one writes θ."""

    def __init__(self, shapes: Sequence[Sequence[ParameterShape]], dtype: Any, xp: Any) -> None:
        size = sum(shape.size for layer in shapes for shape in layer)
        self.theta: Array = xp.zeros(size, dtype)
        self.gradient: Array = xp.zeros(size, dtype)
        self.layers = layer_views(self.theta, self.gradient, shapes)

    @property
    def size(self) -> int:
        return int(self.theta.size)

    def weights(self) -> Iterator[tuple[Array, Array]]:
        """Each array of weights with its gradient, layer after layer: all that is drawn and penalized."""
        for layer in self.layers:
            yield from layer.weights()


def layer_views(theta: Array, gradient: Array, shapes: Sequence[Sequence[ParameterShape]]) -> tuple[LayerParameters, ...]:
    """Cut flat vectors (p,) into each layer's arrays, in their order, each row by row."""
    views, start = [], 0
    for layer in shapes:
        arrays, gradients = {}, {}
        for shape in layer:
            end = start + shape.size
            arrays[shape.name], gradients[shape.name] = (vector[start:end].reshape(shape.shape) for vector in (theta, gradient))
            start = end
        views.append(LayerParameters(tuple(layer), arrays, gradients))
    return tuple(views)
