"""The contract of a layer: a spec that says what shape it makes of which, what it trains, and how numbers go through it."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.backend import Array
from engine.errors import InvalidSpec
from engine.network.layer_pass import LayerPass
from engine.network.parameters import LayerParameters, ParameterShape, Shape
from engine.parts.activations import ActivationFunction, Identity
from engine.parts.initializers import InitializerRule
from engine.spec import Described

IDENTITY = Identity()
EXPORTED = {"W": "weights", "b": "bias"}
"""Names of arrays outside the engine, where these are not their own."""
GREEK = {"gamma": r"\gamma", "beta": r"\beta", "mean": r"\mu", "variance": r"v", "normal": r"\hat X"}
"""How LaTeX writes the names of arrays that are no single letter."""


class DoesNotFit(ValueError):
    """A layer that cannot take the shape that reaches it. The text goes on from the layer's name, and says what would fit."""


@dataclass(frozen=True)
class Scratch:
    """An array that a layer needs in a pass: its shape, its type where that is not the network's, and whether it begins
    with zeros, or with values that stay.
    """

    shape: Shape
    dtype: Any = None
    zeros: bool = False
    values: np.ndarray | None = None

    @property
    def size(self) -> int:
        return math.prod(self.shape)


class LayerRule(Described, ABC):
    """A layer by its settings. Arrays between layers are (n, width), or (n, height, width, channels) of images, C order.

    Shapes leave the rows out. A layer keeps nothing between calls: what a pass needs stands in a LayerPass.
    """

    @abstractmethod
    def output_shape(self, shape: Shape) -> Shape:
        """The shape of a row's output, from that of its input. Raises DoesNotFit."""

    def parameters(self, shape: Shape) -> tuple[ParameterShape, ...]:
        """The arrays that are trained, in the order in which they stand in θ."""
        return ()

    def statistics(self, shape: Shape) -> Mapping[str, tuple[Shape, float]]:
        """Running statistics, which are kept and not trained: shape and first value by name."""
        return {}

    def fewest_rows(self, shape: Shape) -> int:
        """The fewest rows of a batch that it can be trained on."""
        return 1

    def scratch(self, shape: Shape, rows: int) -> Mapping[str, Scratch]:
        """The arrays, besides input, output and their gradients, that a pass over so many rows writes, by name."""
        return {}

    def initialize(
        self, rng: np.random.Generator, initializer: InitializerRule, views: LayerParameters
    ) -> dict[str, np.ndarray]:
        """The first values of the weights by name, float64 on the host, drawn in their order."""
        return {
            each.name: initializer.draw(rng, each.inputs, each.outputs, each.shape) for each in views.shapes if each.is_weight
        }

    @abstractmethod
    def forward(self, at: LayerPass) -> None:
        """Write A of X."""

    @abstractmethod
    def backward(self, at: LayerPass) -> None:
        """From ∂J/∂A write the gradient of every parameter, and ∂J/∂X where `dX` is there. ∂J/∂A stays, but for what
        dropout silences, and for an activation's ∂J/∂Z, which is written over it unless the workspace keeps both.
        """

    def observe(self, at: LayerPass) -> None:
        """Move the running statistics by the rows of a training pass."""
        return

    def exported(self, at: LayerParameters, statistics: Mapping[str, Array], shape: Shape) -> dict[str, Array]:
        """The arrays that somebody who uses the weights elsewhere needs, by name."""
        return {**{EXPORTED.get(name, name): array for name, array in at.arrays.items()}, **statistics}

    def bent(self, at: LayerPass) -> Array | None:
        """The argument of the layer's activation, after a forward pass; None where it has none."""
        return None

    def shown(self, at: LayerPass, symbols: "Symbols") -> Iterator[tuple[str, str, Array]]:
        """A trace's quantities between the parameters and A, as they are worked out, in order: name, formula, numbers."""
        return iter(())

    def count_shown(self, shape: Shape, rows: int) -> int:
        """Numbers that `shown` gives which are neither as many as the outputs nor fewer."""
        return 0

    def output_formula(self, at: LayerPass, symbols: "Symbols") -> str:
        """How A comes about."""
        return rf"{self.formula}, \quad X = {symbols.X}, \; A = {symbols('A')}"

    def slope_formula(self, name: str, symbols: "Symbols") -> str:
        """How the gradient of a parameter array of that name comes about, without penalties."""
        return rf"{self.derivative}, \quad X = {symbols.X}, \; A = {symbols('A')}"

    def input_slope_formula(self, symbols: "Symbols") -> str:
        """How ∂J/∂X comes about."""
        return rf"{self.derivative}, \quad X = {symbols.X}, \; A = {symbols('A')}"


@dataclass(frozen=True)
class Symbols:
    """The LaTeX of one layer's quantities: they carry its number, which is 1 for the first layer and 0 for the input.
    `is_extra`: its bias is shown as the first row of W, the weights of an input x₀ = 1.
    """

    level: int
    is_extra: bool = False

    def __call__(self, symbol: str) -> str:
        return f"{GREEK.get(symbol, symbol)}^{{({self.level})}}"

    @property
    def X(self) -> str:
        """The output of the layer before."""
        return Symbols(self.level - 1)(r"\tilde A" if self.is_extra else "A")

    @property
    def W(self) -> str:
        return self(r"\tilde W" if self.is_extra else "W")


@dataclass(frozen=True)
class BoundLayer:
    """A layer of a network, which knows the shape that reaches it."""

    rule: LayerRule
    input_shape: Shape

    @property
    def kind(self) -> str:
        return self.rule.kind

    @cached_property
    def output_shape(self) -> Shape:
        return self.rule.output_shape(self.input_shape)

    @cached_property
    def inputs(self) -> int:
        """Numbers of a row that come in."""
        return math.prod(self.input_shape)

    @cached_property
    def outputs(self) -> int:
        """Numbers of a row that go out."""
        return math.prod(self.output_shape)

    @cached_property
    def parameters(self) -> tuple[ParameterShape, ...]:
        return self.rule.parameters(self.input_shape)

    @cached_property
    def size(self) -> int:
        """Trained numbers."""
        return sum(each.size for each in self.parameters)

    @cached_property
    def statistics(self) -> Mapping[str, tuple[Shape, float]]:
        return self.rule.statistics(self.input_shape)

    def scratch(self, rows: int) -> Mapping[str, Scratch]:
        return self.rule.scratch(self.input_shape, rows)

    @property
    def activation(self) -> ActivationFunction:
        """The function that ends the layer; the identity where it has none."""
        found: ActivationFunction = getattr(self.rule, "activation", IDENTITY)
        return found

    @property
    def has_activation(self) -> bool:
        """Whether it ends in a function that can be chosen."""
        return hasattr(self.rule, "activation")

    @cached_property
    def products(self) -> int:
        """Multiplications that a row takes on its way forward: each weight at each place of the output."""
        weights = sum(each.size for each in self.parameters if each.is_weight)
        return weights * math.prod(self.output_shape[:-1])

    @property
    def dropout(self) -> float:
        """The share of its outputs that a step silences."""
        return float(getattr(self.rule, "dropout", 0.0))

    @cached_property
    def bias(self) -> bool:
        """Whether it has a bias b."""
        return any(each.name == "b" for each in self.parameters)


def bind(rules: Sequence[LayerRule], shape: Shape) -> tuple[BoundLayer, ...]:
    """The layers, each with the shape that reaches it, from that of a row of X on. Raises InvalidSpec as `fitted` does."""
    bound: list[BoundLayer] = []
    for index, rule in enumerate(rules):
        bound.append(fitted(rule, shape, index))
        shape = bound[-1].output_shape
    return tuple(bound)


def fitted(rule: LayerRule, shape: Shape, index: int, pointer: str | None = None, of: str = "") -> BoundLayer:
    """The layer with the shape that reaches it. Raises InvalidSpec where that does not fit, at the pointer or, by default, at
    the layer's place in the request; `of` says whose layer it is.
    """
    layer = BoundLayer(rule, shape)
    try:
        layer.output_shape  # noqa: B018 (which raises)
    except DoesNotFit as wrong:
        raise InvalidSpec([(pointer or f"/model/layers/{index}", f"layer {index}, {of}{rule.kind}, {wrong}")]) from None
    return layer


def number(value: float) -> str:
    """As LaTeX: 1e-05 would be read as a product."""
    digits, _, power = f"{value:g}".partition("e")
    return rf"{digits} \cdot 10^{{{int(power)}}}" if power else digits


def spelled(shape: Shape) -> str:
    """A shape as messages say it: 28 × 28 × 1."""
    return " × ".join(map(str, shape))


def image(shape: Shape) -> tuple[int, int, int]:
    """Height, width and channels of a shape that is an image's. Raises DoesNotFit."""
    if len(shape) != 3:
        raise DoesNotFit(
            f"reads images of height × width × channels, and {spelled(shape)} numbers a row reach it; put it before flatten "
            "and dense, and choose one column of images as the only feature"
        )
    height, width, channels = shape
    return height, width, channels
