"""An activation as a layer of its own, as after batch normalization."""

from typing import ClassVar, Literal

from pydantic import Field

from engine.backend import Array
from engine.network.layer_pass import LayerPass
from engine.network.layers.base import LayerRule, Symbols
from engine.network.parameters import Shape
from engine.parts.activations import Activation, Relu
from engine.spec import spec


@spec
class ActivationLayer(LayerRule):
    """Bends every number that comes in; softmax, a row's units or a pixel's channels together."""

    formula: ClassVar[str] = r"A = f(X)"
    derivative: ClassVar[str] = r"dX = dA \odot f'(X)"
    source: ClassVar[str] = "Goodfellow, Bengio and Courville, Deep Learning, 2016, section 6.3"
    kind: Literal["activation"] = "activation"
    activation: Activation = Field(default=Relu(), description="the function")

    def output_shape(self, shape: Shape) -> Shape:
        return shape

    def forward(self, at: LayerPass) -> None:
        self.activation.apply(at.xp, at.X, at.A)

    def backward(self, at: LayerPass) -> None:
        if at.dX is not None:
            self.activation.gradient(at.xp, at.X, at.A, at.dA, at.dX)

    def bent(self, at: LayerPass) -> Array:
        return at.X

    def output_formula(self, at: LayerPass, symbols: Symbols) -> str:
        return rf"{symbols('A')} = f({symbols.X}), \quad {self.activation.formula}"

    def input_slope_formula(self, symbols: Symbols) -> str:
        return rf"d{symbols('A')} \odot f'({symbols.X}), \quad {self.activation.derivative}"
