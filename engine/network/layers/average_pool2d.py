"""Average pooling: of each window the mean."""

from collections.abc import Mapping
from typing import ClassVar, Literal

import numpy as np

from engine.network.layer_pass import LayerPass
from engine.network.layers.base import Scratch, image
from engine.network.layers.pooling import Pooling
from engine.network.layers.window import Window
from engine.network.parameters import Shape
from engine.spec import spec


@spec
class AveragePool2d(Pooling):
    """Keeps the mean of each window, channel by channel. What lies beyond the image's edge does not count."""

    formula: ClassVar[str] = r"A_{y x c} = \frac{1}{m_{y x}} \sum_{i, j} X_{s y + i,\, s x + j,\, c}"
    derivative: ClassVar[str] = r"dX_{s y + i,\, s x + j,\, c} \mathrel{+}= \frac{1}{m_{y x}}\, dA_{y x c}"
    source: ClassVar[str] = "LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition (1998)"
    title: ClassVar[str] = "Average pooling"
    kind: Literal["average_pool2d"] = "average_pool2d"

    def scratch(self, shape: Shape, rows: int) -> Mapping[str, Scratch]:
        window, (*_, channels) = self.window(shape), image(shape)
        needed = {
            "shares": Scratch((*window.out, 1), values=shares(window)),
            "share": Scratch((rows, *window.out, channels)),
        }
        if window.is_padded:
            needed["padded"] = Scratch((rows, *window.padded, channels), zeros=True)
        return needed

    def forward(self, at: LayerPass) -> None:
        window, X, A = self.window(at.input_shape), at.X, at.A
        if window.is_padded:
            window.inside(at["padded"])[...] = X
            X = at["padded"]
        A.fill(0)
        for i, j in window.offsets():
            A += window.at(X, i, j)
        A *= at["shares"]

    def backward(self, at: LayerPass) -> None:
        if at.dX is None:
            return
        window, share = self.window(at.input_shape), at["share"]
        at.xp.multiply(at.dA, at["shares"], out=share)
        padded = at["padded"] if window.is_padded else at.dX
        padded.fill(0)
        for i, j in window.offsets():
            into = window.at(padded, i, j)
            into += share
        if window.is_padded:
            at.dX[...] = window.inside(padded)
            padded.fill(0)


def shares(window: Window) -> np.ndarray:
    """1/m (*out, 1), with m the numbers of a window that lie in the image."""
    inside = np.zeros((1, *window.padded, 1))
    window.inside(inside)[...] = 1
    counts = sum(window.at(inside, i, j) for i, j in window.offsets())
    return np.asarray(1 / counts)[0]
