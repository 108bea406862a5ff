"""Dropout as a layer of its own."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from engine.backend import Array
from engine.network.layer_pass import LayerPass
from engine.network.layers.base import LayerRule, Scratch, Symbols, number
from engine.network.parameters import Shape
from engine.spec import Share, spec


@spec
class Dropout(LayerRule):
    """Silences each number by chance while training, and makes the others larger, so that their expected sum stays."""

    formula: ClassVar[str] = r"A = X \odot M, \quad M \in \left\{0, \tfrac{1}{1 - r}\right\}, \quad P(M = 0) = r"
    derivative: ClassVar[str] = r"dX = dA \odot M"
    source: ClassVar[str] = "Srivastava et al., Dropout: A Simple Way to Prevent Neural Networks from Overfitting (2014)"
    kind: Literal["dropout"] = "dropout"
    rate: Share = Field(default=0.5, description="the share of the numbers that each step silences; none in use")

    @property
    def dropout(self) -> float:
        return self.rate

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def scratch(self, shape: Shape, rows: int) -> Mapping[str, Scratch]:
        return {"mask": Scratch((rows, *shape))} if self.rate else {}

    def forward(self, at: LayerPass) -> None:
        if at.mask is None:
            at.xp.copyto(at.A, at.X)
        else:
            at.xp.multiply(at.X, at.mask, out=at.A)

    def shown(self, at: LayerPass, symbols: Symbols) -> Iterator[tuple[str, str, Array]]:
        if at.mask is not None:
            yield "mask", rf"{symbols('M')} \in \{{0, 1 / (1 - {number(self.rate)})\}}", at.mask

    def output_formula(self, at: LayerPass, symbols: Symbols) -> str:
        return f"{symbols('A')} = {symbols.X}" + (rf" \odot {symbols('M')}" if at.mask is not None else "")

    def input_slope_formula(self, symbols: Symbols) -> str:
        return rf"d{symbols('A')}" + (rf" \odot {symbols('M')}" if self.rate else "")

    def backward(self, at: LayerPass) -> None:
        if at.dX is None:
            return
        if at.mask is None:
            at.xp.copyto(at.dX, at.dA)
        else:
            at.xp.multiply(at.dA, at.mask, out=at.dX)
