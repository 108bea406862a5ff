"""A dense layer: every unit reads every number that comes in."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from engine.backend import Array
from engine.network.layer_pass import LayerPass
from engine.network.layers.base import IDENTITY, BoundLayer, DoesNotFit, LayerRule, Scratch, Symbols, number, spelled
from engine.network.parameters import ParameterShape, Shape
from engine.parts.activations import Activation, ActivationFunction, Identity, Relu
from engine.spec import WHOLE, Flag, Share, spec

MAX_UNITS = 1_000_000


@spec
class Dense(LayerRule):
    """Every unit is a weighted sum of all that comes in, plus a bias, bent by an activation."""

    formula: ClassVar[str] = r"Z = X W + b, \quad A = f(Z)"
    derivative: ClassVar[str] = r"dZ = dA \odot f'(Z), \quad dW = X^\top dZ, \quad db = \sum_i dZ_i, \quad dX = dZ\, W^\top"
    source: ClassVar[str] = "Rumelhart, Hinton and Williams, Learning representations by back-propagating errors (1986)"
    kind: Literal["dense"] = "dense"
    units: Annotated[int, Field(strict=True, ge=1, le=MAX_UNITS), WHOLE] = Field(
        default=16, description="neurons of this layer"
    )
    activation: Activation = Field(default=Relu(), description="the function that bends each unit's weighted sum")
    dropout: Share = Field(default=0.0, description="the share of the units that each step silences by chance; none in use")
    bias: Flag = Field(default=True, description="false: a unit's weighted sum has no constant")

    def output_shape(self, shape: Shape) -> Shape:
        if len(shape) != 1:
            raise DoesNotFit(f"reads a row of numbers, and images of {spelled(shape)} reach it; put flatten before it")
        return (self.units,)

    def parameters(self, shape: Shape) -> tuple[ParameterShape, ...]:
        (inputs,) = shape
        W = ParameterShape("W", (inputs, self.units), inputs, self.units, is_weight=True)
        return (W, ParameterShape("b", (self.units,))) if self.bias else (W,)

    def scratch(self, shape: Shape, rows: int) -> Mapping[str, Scratch]:
        needed = {}
        if self.dropout or not isinstance(self.activation, Identity):
            needed["Z"] = Scratch((rows, self.units))
        if self.dropout:
            needed["mask"] = Scratch((rows, self.units))
        return needed

    def forward(self, at: LayerPass) -> None:
        xp, Z, A, b, mask = at.xp, at.Z, at.A, at.parameters.b, at.mask
        xp.matmul(at.X, at.parameters.W, out=Z)
        if b is not None:
            Z += b
        self.activation.apply(xp, Z, A)
        if mask is not None:
            A *= mask

    def backward(self, at: LayerPass) -> None:
        xp, views, dA, dZ = at.xp, at.parameters, at.dA, at.dZ
        if at.mask is not None:
            dA *= at.mask
            # A was masked too; the derivative wants the activation as it was before the mask.
            self.activation.apply(xp, at.Z, at.A)
        self.activation.gradient(xp, at.Z, at.A, dA, dZ)
        xp.matmul(at.X.T, dZ, out=views.dW)
        if views.db is not None:
            xp.sum(dZ, axis=0, out=views.db)
        if at.dX is not None:
            xp.matmul(dZ, views.W.T, out=at.dX)

    def bent(self, at: LayerPass) -> Array:
        return at.Z

    def shown(self, at: LayerPass, symbols: Symbols) -> Iterator[tuple[str, str, Array]]:
        plus = f" + {symbols('b')}" if self.bias and not symbols.is_extra else ""
        yield "Z", f"{symbols('Z')} = {symbols.X} {symbols.W}{plus}", at.Z
        if at.mask is not None:
            yield "mask", rf"{symbols('M')} \in \{{0, 1 / (1 - {number(self.dropout)})\}}", at.mask

    def output_formula(self, at: LayerPass, symbols: Symbols) -> str:
        masked = rf" \odot {symbols('M')}" if at.mask is not None else ""
        return rf"{symbols('A')} = f({symbols('Z')}){masked}, \quad {self.activation.formula}"

    def slope_formula(self, name: str, symbols: Symbols) -> str:
        dZ = f"d{symbols('Z')}"
        return rf"\sum_i {dZ}_i" if name == "b" else rf"{{{symbols.X}}}^\top {dZ}"

    def input_slope_formula(self, symbols: Symbols) -> str:
        return rf"d{symbols('Z')} {{{symbols('W')}}}^\top"


def dense(
    inputs: int, outputs: int, activation: ActivationFunction = IDENTITY, dropout: float = 0.0, bias: bool = True
) -> BoundLayer:
    """A dense layer of a network that reads so many numbers; raw sums go out, unless an activation bends them."""
    rule = Dense(units=outputs, activation=activation, dropout=dropout, bias=bias)  # type: ignore[arg-type]
    return BoundLayer(rule, (inputs,))
