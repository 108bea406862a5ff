"""The multilayer perceptron."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from engine.forms import ByNumber
from engine.models.deep import DeepModel
from engine.network.layers.base import BoundLayer
from engine.network.layers.dense import MAX_UNITS, dense
from engine.parts.activations import Activation, Relu
from engine.parts.initializers import HeNormal, Initializer
from engine.parts.optimizers import Adam
from engine.spec import WHOLE, Flag, Share, spec


@spec
class HiddenLayer:
    """A hidden layer: how many units, their activation, and the share of them that is silenced while training."""

    units: Annotated[int, Field(strict=True, ge=1, le=MAX_UNITS), WHOLE] = Field(description="neurons of this layer")
    activation: Activation = Field(default=Relu(), description="the function that bends each unit's weighted sum")
    dropout: Share = Field(default=0.0, description="the share of the units that each step silences by chance; none in use")


@spec
class MultilayerPerceptron(DeepModel):
    """Layers of units between the features and the output, trained by backpropagation."""

    formula: ClassVar[str] = r"A^{(l)} = f\left(A^{(l-1)} W^{(l)} + b^{(l)}\right), \quad A^{(0)} = X"
    derivative: ClassVar[str] = (
        r"\delta^{(l)} = \left(\delta^{(l+1)} W^{(l+1)\top}\right) \odot f'\left(Z^{(l)}\right), \quad "
        r"\nabla_{W^{(l)}} = A^{(l-1)\top} \delta^{(l)}"
    )
    source: ClassVar[str] = "Rumelhart, Hinton and Williams, Learning representations by back-propagating errors (1986)"
    widened_by: ClassVar[str] = "/model/hidden"
    usual: ClassVar[Mapping[str, Any]] = {"optimizer": Adam(learning_rate=0.01), "epochs": 100, "batch_size": 16}

    title: ClassVar[str] = "Multilayer perceptron"
    kind: Literal["mlp"] = "mlp"
    hidden: Annotated[tuple[Annotated[HiddenLayer, ByNumber("units")], ...], Field(max_length=100)] = Field(
        default=(HiddenLayer(units=16),), description="the hidden layers, each an object or its number of units, as in [16, 8]"
    )
    initializer: Initializer = Field(default=HeNormal(), description="how the first weights are drawn")
    bias: Flag = Field(default=True, description="false: a unit's weighted sum has no constant")

    def bound_layers(self, inputs: int, outputs: int) -> Sequence[BoundLayer]:
        layers = []
        for hidden in self.hidden:
            layers.append(dense(inputs, hidden.units, hidden.activation, hidden.dropout, self.bias))
            inputs = hidden.units
        return [*layers, dense(inputs, outputs, bias=self.bias)]

    @property
    def start(self) -> Initializer:
        return self.initializer
