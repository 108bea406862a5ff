"""Max pooling: of each window the largest number."""

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

from engine.network.layer_pass import LayerPass
from engine.network.layers.base import Scratch, image
from engine.network.layers.pooling import Pooling
from engine.network.parameters import Shape
from engine.spec import spec


@spec
class MaxPool2d(Pooling):
    """Keeps the largest number of each window, channel by channel, so that a shift by less than the window is forgiven.

    Of equal ones the first, row by row, counts as the largest: the gradient is its alone.
    """

    formula: ClassVar[str] = r"A_{y x c} = \max_{i, j} X_{s y + i,\, s x + j,\, c}"
    derivative: ClassVar[str] = r"dX_{s y + i^*,\, s x + j^*,\, c} \mathrel{+}= dA_{y x c}"
    source: ClassVar[str] = "Ranzato, Huang, Boureau and LeCun, Unsupervised Learning of Invariant Feature Hierarchies (2007)"
    title: ClassVar[str] = "Max pooling"
    kind: Literal["max_pool2d"] = "max_pool2d"

    def scratch(self, shape: Shape, rows: int) -> Mapping[str, Scratch]:
        window, (*_, channels) = self.window(shape), image(shape)
        full = (rows, *window.out, channels)
        needed = {"largest": Scratch(full, "int32"), "chosen": Scratch(full, bool), "share": Scratch(full)}
        if window.is_padded:
            needed["padded"] = Scratch((rows, *window.padded, channels))
        return needed

    def forward(self, at: LayerPass) -> None:
        xp, window, X, A = at.xp, self.window(at.input_shape), at.X, at.A
        if window.is_padded:
            padded = at["padded"]
            padded.fill(-math.inf)
            window.inside(padded)[...] = X
            X = padded
        A.fill(-math.inf)
        at["largest"].fill(0)
        for place, (i, j) in enumerate(window.offsets()):
            seen = window.at(X, i, j)
            xp.greater(seen, A, out=at["chosen"])
            xp.copyto(at["largest"], place, where=at["chosen"])
            xp.maximum(A, seen, out=A)  # what is no number stays none

    def backward(self, at: LayerPass) -> None:
        if at.dX is None:
            return
        xp, window = at.xp, self.window(at.input_shape)
        padded = at["padded"] if window.is_padded else at.dX
        padded.fill(0)
        for place, (i, j) in enumerate(window.offsets()):
            xp.equal(at["largest"], place, out=at["chosen"])
            xp.multiply(at.dA, at["chosen"], out=at["share"])
            into = window.at(padded, i, j)
            into += at["share"]
        if window.is_padded:
            at.dX[...] = window.inside(padded)
