"""How the weights W (inputs, outputs) of a layer begin. To lengthen the list, add one class and its name."""

import math
from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from engine.forms import ByKind
from engine.spec import Described, FiniteFloat, PositiveFloat, renamed, spec

Weights = NDArray[np.float64]
Shape = tuple[int, ...]


class InitializerRule(Described, ABC):
    """A distribution from which the first weights of a layer are drawn."""

    draws: ClassVar[bool] = True
    """Whether chance decides them."""

    @abstractmethod
    def draw(self, rng: np.random.Generator, inputs: int, outputs: int, shape: Shape = ()) -> Weights:
        """The weights, float64, on the host: (inputs, outputs), or of another shape, where a unit reads `inputs` numbers and a
        number is read by `outputs` units. The same generator state gives the same weights.
        """

    @abstractmethod
    def variance(self, inputs: int, outputs: int) -> float | None:
        """The variance of each weight; None where weights are not drawn one by one around 0."""


@spec
class Zeros(InitializerRule):
    """Every weight 0: hidden units stay alike for ever, because nothing breaks their symmetry."""

    formula: ClassVar[str] = r"w_{ij} = 0"
    source: ClassVar[str] = "Goodfellow, Bengio and Courville, Deep Learning, 2016, section 8.4"
    draws: ClassVar[bool] = False
    kind: Literal["zeros"] = "zeros"

    def draw(self, rng: np.random.Generator, inputs: int, outputs: int, shape: Shape = ()) -> Weights:
        return np.zeros(shape or (inputs, outputs))

    def variance(self, inputs: int, outputs: int) -> float:
        return 0.0


@spec
class ConstantInitializer(InitializerRule):
    """Every weight the same: as with zeros, hidden units stay alike."""

    formula: ClassVar[str] = r"w_{ij} = c"
    source: ClassVar[str] = "Goodfellow, Bengio and Courville, Deep Learning, 2016, section 8.4"
    draws: ClassVar[bool] = False
    kind: Literal["constant"] = "constant"
    value: FiniteFloat = Field(default=0.1, ge=-1e6, le=1e6, description="The value c of every weight.")

    def draw(self, rng: np.random.Generator, inputs: int, outputs: int, shape: Shape = ()) -> Weights:
        return np.full(shape or (inputs, outputs), self.value)

    def variance(self, inputs: int, outputs: int) -> None:
        return None


@spec
class UniformInitializer(InitializerRule):
    """Evenly between −a and a, whatever the size of the layer."""

    formula: ClassVar[str] = r"w_{ij} \sim U[-a, a]"
    source: ClassVar[str] = "LeCun, Bottou, Orr and Müller, Efficient BackProp, 1998"
    kind: Literal["uniform"] = "uniform"
    bound: PositiveFloat = Field(default=0.05, le=1e6, description="The bound a.")

    def draw(self, rng: np.random.Generator, inputs: int, outputs: int, shape: Shape = ()) -> Weights:
        return rng.uniform(-self.bound, self.bound, shape or (inputs, outputs))

    def variance(self, inputs: int, outputs: int) -> float:
        return self.bound**2 / 3


@spec
class NormalInitializer(InitializerRule):
    """Normal around 0 with a chosen deviation: too small and gradients vanish, too large and they explode."""

    formula: ClassVar[str] = r"w_{ij} \sim \mathcal{N}(0, \sigma^2)"
    source: ClassVar[str] = "Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep CNNs, 2012"
    kind: Literal["normal"] = "normal"
    std: PositiveFloat = renamed("std", "deviation", default=0.05, le=1e6, description="The standard deviation σ.")

    def draw(self, rng: np.random.Generator, inputs: int, outputs: int, shape: Shape = ()) -> Weights:
        return rng.normal(0, self.std, shape or (inputs, outputs))

    def variance(self, inputs: int, outputs: int) -> float:
        return self.std**2


@spec
class StandardNormal(InitializerRule):
    """Normal around 0 with deviation 1: too large for all but the smallest layers."""

    formula: ClassVar[str] = r"w_{ij} \sim \mathcal{N}(0, 1)"
    source: ClassVar[str] = "Nielsen, Neural Networks and Deep Learning, 2015, chapter 3"
    kind: Literal["standard_normal"] = "standard_normal"

    def draw(self, rng: np.random.Generator, inputs: int, outputs: int, shape: Shape = ()) -> Weights:
        return rng.standard_normal(shape or (inputs, outputs))

    def variance(self, inputs: int, outputs: int) -> float:
        return 1.0


@spec
class XavierUniform(InitializerRule):
    """Uniform, as wide as keeps the variance of activations and of gradients through tanh layers."""

    formula: ClassVar[str] = (
        r"w_{ij} \sim U\left[-\sqrt{\tfrac{6}{n_{in} + n_{out}}}, \sqrt{\tfrac{6}{n_{in} + n_{out}}}\right]"
    )
    source: ClassVar[str] = "Glorot and Bengio, Understanding the Difficulty of Training Deep Networks, 2010"
    title: ClassVar[str] = "Xavier, uniform"
    kind: Literal["xavier_uniform"] = "xavier_uniform"

    def draw(self, rng: np.random.Generator, inputs: int, outputs: int, shape: Shape = ()) -> Weights:
        bound = math.sqrt(6 / (inputs + outputs))
        return rng.uniform(-bound, bound, shape or (inputs, outputs))

    def variance(self, inputs: int, outputs: int) -> float:
        return 2 / (inputs + outputs)


@spec
class XavierNormal(InitializerRule):
    """Normal, as wide as keeps the variance of activations and of gradients through tanh layers."""

    formula: ClassVar[str] = r"w_{ij} \sim \mathcal{N}\left(0, \tfrac{2}{n_{in} + n_{out}}\right)"
    source: ClassVar[str] = "Glorot and Bengio, Understanding the Difficulty of Training Deep Networks, 2010"
    title: ClassVar[str] = "Xavier, normal"
    kind: Literal["xavier_normal"] = "xavier_normal"

    def draw(self, rng: np.random.Generator, inputs: int, outputs: int, shape: Shape = ()) -> Weights:
        return rng.normal(0, math.sqrt(2 / (inputs + outputs)), shape or (inputs, outputs))

    def variance(self, inputs: int, outputs: int) -> float:
        return 2 / (inputs + outputs)


@spec
class HeNormal(InitializerRule):
    """Normal, as wide as keeps the variance of activations through ReLU layers, which drop half of it."""

    formula: ClassVar[str] = r"w_{ij} \sim \mathcal{N}\left(0, \tfrac{2}{n_{in}}\right)"
    source: ClassVar[str] = "He, Zhang, Ren and Sun, Delving Deep into Rectifiers, 2015"
    title: ClassVar[str] = "He, normal"
    kind: Literal["he_normal"] = "he_normal"

    def draw(self, rng: np.random.Generator, inputs: int, outputs: int, shape: Shape = ()) -> Weights:
        return rng.normal(0, math.sqrt(2 / inputs), shape or (inputs, outputs))

    def variance(self, inputs: int, outputs: int) -> float:
        return 2 / inputs


@spec
class HeUniform(InitializerRule):
    """Uniform, as wide as keeps the variance of activations through ReLU layers, which drop half of it."""

    formula: ClassVar[str] = r"w_{ij} \sim U\left[-\sqrt{\tfrac{6}{n_{in}}}, \sqrt{\tfrac{6}{n_{in}}}\right]"
    source: ClassVar[str] = "He, Zhang, Ren and Sun, Delving Deep into Rectifiers, 2015"
    title: ClassVar[str] = "He, uniform"
    kind: Literal["he_uniform"] = "he_uniform"

    def draw(self, rng: np.random.Generator, inputs: int, outputs: int, shape: Shape = ()) -> Weights:
        bound = math.sqrt(6 / inputs)
        return rng.uniform(-bound, bound, shape or (inputs, outputs))

    def variance(self, inputs: int, outputs: int) -> float:
        return 2 / inputs


Initializer = Annotated[
    Zeros
    | ConstantInitializer
    | UniformInitializer
    | NormalInitializer
    | StandardNormal
    | XavierUniform
    | XavierNormal
    | HeNormal
    | HeUniform,
    ByKind(),
]
