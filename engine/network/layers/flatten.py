"""Flattening: an image as one row of numbers."""

import math
from typing import ClassVar, Literal

from engine.network.layer_pass import LayerPass
from engine.network.layers.base import LayerRule
from engine.network.parameters import Shape
from engine.spec import spec


@spec
class Flatten(LayerRule):
    """Lays an image out as one row of numbers, row by row, the channels of a pixel side by side."""

    formula: ClassVar[str] = r"A_{(y w + x) c + k} = X_{y x k}"
    derivative: ClassVar[str] = r"dX_{y x k} = dA_{(y w + x) c + k}"
    source: ClassVar[str] = "Goodfellow, Bengio and Courville, Deep Learning, 2016, chapter 9"
    kind: Literal["flatten"] = "flatten"

    def output_shape(self, shape: Shape) -> Shape:
        return (math.prod(shape),)

    def forward(self, at: LayerPass) -> None:
        at.xp.copyto(at.A, at.X.reshape(at.A.shape))

    def backward(self, at: LayerPass) -> None:
        if at.dX is not None:
            at.xp.copyto(at.dX, at.dA.reshape(at.dX.shape))
