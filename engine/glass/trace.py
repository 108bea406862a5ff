"""Steps of gradient descent as numbers: every quantity from the inputs to the new weights, in the order in which it is
worked out, with its formula. The network, the losses and the optimizers are those that train.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from engine.backend import Array
from engine.models.descent import clip_factor
from engine.network.backpropagation import Backpropagation
from engine.network.layer_pass import LayerPass
from engine.network.layers.base import BoundLayer, Symbols, number
from engine.network.layers.dense import Dense
from engine.network.parameters import LayerParameters, layer_views
from engine.parts.optimizers import OptimizerRule

BiasForm = Literal["separate", "extra_input"]
"""How a bias is shown: b beside W, or as the first row of W, whose input x₀ is always 1. The network is the same."""
Stage = Literal["forward", "loss", "backward", "update"]
EXTENDED = r"\tilde W"
"""W with b as its first row."""


@dataclass(frozen=True)
class Quantity:
    """A number, vector or matrix of a step: its name, the layer it belongs to if any, and LaTeX that says where it is from."""

    stage: Stage
    name: str
    layer: str | None
    formula: str
    values: Array


@dataclass
class Update:
    """An optimizer on its way: its vectors (p,) by the order of its slots, the rate, and the steps that were taken."""

    optimizer: OptimizerRule
    rate: float
    slots: list[Array]
    clip_norm: float | None = None
    step: int = 0


def count_numbers(descent: Backpropagation, update: Update) -> int:
    """How many numbers a step shows, nearly."""
    layers, rows = descent.network.layers, len(descent.X)
    units = sum(layer.outputs for layer in layers)
    beside = sum(layer.rule.count_shown(layer.input_shape, rows) for layer in layers)
    parameters = (5 + len(update.slots)) * descent.network.parameters.size
    return rows * (descent.X.shape[1] + 5 * units + 5) + beside + parameters


@np.errstate(over="ignore", invalid="ignore")  # a step too far is shown as it is
def trace(descent: Backpropagation, update: Update, bias: BiasForm = "separate") -> list[Quantity]:
    """Take one step: its numbers in the order in which they are worked out. Layer 0 of a formula is the input."""
    if descent.masked is not None:
        descent.masked = (descent.masked[0], update.step + 1)
    shown = _Shown(descent, bias == "extra_input")
    cost = descent.forward()
    found = [*shown.forward(), *shown.losses(cost)]
    descent.backward()
    return [*found, *shown.backward(), *shown.update(update)]


class _Shown:
    """The numbers of one step as quantities."""

    def __init__(self, descent: Backpropagation, is_extra: bool) -> None:
        self.descent, self.is_extra = descent, is_extra
        self.network, self.workspace = descent.network, descent.workspace
        self.names = self.network.names
        self.weight = r"\omega_i " if descent.row_weights is not None else ""

    def forward(self) -> Iterator[Quantity]:
        yield self._activations(None, 0, self.workspace.passes[0].X, "A^{(0)} = X")
        for level, (name, layer, at) in enumerate(self._layers(), 1):
            symbols = self._symbols(level)
            yield from self._parameters("forward", "{}", name, at.parameters, at.parameters.arrays, symbols)
            for title, formula, values in layer.rule.shown(at, symbols):
                yield Quantity("forward", title, name, formula, values.copy())
            yield self._activations(name, level, at.A, layer.rule.output_formula(at, symbols))

    def losses(self, cost: float) -> Iterator[Quantity]:
        descent, z = self.descent, f"z = {Symbols(len(self.names))('A')}"
        outputs = self.workspace.outputs
        predictions = np.empty_like(outputs)
        descent.loss.link(np, outputs, predictions)
        linked = rf"p(z), \quad {z}" if descent.loss.probabilistic else rf"\hat y = {z}"
        scaled = "y" if descent.scaling is None else r"y = \frac{y' - c}{s}"
        yield from self._in_units()
        yield Quantity("loss", "targets", None, scaled, descent.Y.copy())
        yield Quantity("loss", "predictions", None, linked, predictions)
        if descent.scaling is not None:
            center, scale = descent.scaling
            restored = predictions * scale + center
            yield Quantity("loss", "predictions_in_units", None, r"\hat y' = s \hat y + c", restored)
        if descent.row_weights is not None:
            yield Quantity("loss", "row_weights", None, r"\omega_i", descent.row_weights.copy())
        formula = rf"{self.weight}\ell_i, \quad {descent.loss.formula}"
        yield Quantity("loss", "row_losses", None, formula, descent.row_losses.copy())
        plus = ""
        if any(descent.penalties):
            l1, l2 = map(number, descent.penalties)
            terms = (rf"{l1} \sum |W|", rf"\tfrac{{1}}{{2}} \cdot {l2} \sum W^2")
            formula = " + ".join(term for term, factor in zip(terms, descent.penalties, strict=True) if factor)
            plus = " + R"
            yield Quantity("loss", "penalty", None, f"R = {formula}", np.array(descent.penalty()))
        yield Quantity("loss", "J", None, rf"J = \frac{{1}}{{n}} \sum_i {self.weight}\ell_i{plus}", np.array(cost))

    def _in_units(self) -> Iterator[Quantity]:
        """Where the targets are scaled, what they are scaled from and by."""
        if self.descent.scaling is None:
            return
        center, scale = self.descent.scaling
        yield Quantity("loss", "target_center", None, "c", center)
        yield Quantity("loss", "target_scale", None, "s", scale)
        yield Quantity("loss", "targets_in_units", None, r"y' = s y + c", self.descent.Y * scale + center)

    def backward(self) -> Iterator[Quantity]:
        for level, (name, layer, at) in reversed([*enumerate(self._layers(), 1)]):
            symbols = self._symbols(level)
            yield Quantity("backward", "dA", name, f"d{symbols('A')} = {self._slope_of_outputs(level)}", at.dA.copy())
            if layer.rule.bent(at) is at.Z:
                Z, A, function = symbols("Z"), symbols("A"), layer.activation
                rule = rf"d{Z} = d{A} \odot f'({Z})" if function.is_elementwise else rf"d{Z}_i = {{f'({Z}_i)}}^\top d{A}_i"
                yield Quantity("backward", "dZ", name, rf"{rule}, \quad {function.derivative}", at.dZ.copy())
            slopes = at.parameters.gradients
            yield from self._parameters("backward", "d{}", name, at.parameters, slopes, symbols, partial(self._slope, level))
        norm = np.array(self._gradient_norm())
        yield Quantity("backward", "gradient_norm", None, r"|\nabla J| = \sqrt{\sum dW^2 + \sum db^2}", norm)

    def _slope(self, level: int, symbol: str) -> str:
        """The formula of the gradient of W, of b, or of both as one."""
        layer, symbols, (l1, l2) = self.network.layers[level - 1], self._symbols(level), self.descent.penalties
        rule, W = layer.rule.slope_formula(symbol, symbols), symbols("W")
        if symbol not in ("W", EXTENDED):
            return rf"d{symbols(symbol)} = {rule}"
        if symbol == EXTENDED:  # the first row is b's, which is not penalized
            W = rf"\begin{{bmatrix}} 0 \\ {W} \end{{bmatrix}}"
        penalty = f" + {number(l2)} {W}" * bool(l2) + rf" + {number(l1)} \operatorname{{sign}} {W}" * bool(l1)
        return rf"d{symbols(symbol)} = {rule}{penalty}"

    def _slope_of_outputs(self, level: int) -> str:
        """The formula of ∂J/∂A of a layer: from the loss for the last, from the next layer for the others."""
        if level == len(self.names):
            derivative = self.descent.loss.derivative
            return rf"\frac{{1}}{{n}} {self.weight}\frac{{\partial \ell}}{{\partial z}}, \quad {derivative}"
        layer, after = self.network.layers[level - 1], self.network.layers[level]
        rule = after.rule.input_slope_formula(Symbols(level + 1))
        masked = self.descent.has_masks and isinstance(layer.rule, Dense) and layer.dropout
        return rule + (rf" \odot {Symbols(level)('M')}" if masked else "")

    def update(self, update: Update) -> Iterator[Quantity]:
        parameters = self.network.parameters
        before, g = parameters.theta.copy(), ""
        if update.clip_norm is not None:
            factor, g = clip_factor(np, self._gradient_norm(), update.clip_norm), r"c\, "
            parameters.gradient *= factor
            yield Quantity("update", "clip", None, rf"c = \min(1, {number(update.clip_norm)} / |\nabla J|)", np.array(factor))
        update.step += 1
        yield Quantity("update", "t", None, "t", np.array(update.step))
        yield Quantity("update", "learning_rate", None, r"\eta", np.array(update.rate))
        work = np.empty_like(before)
        update.optimizer.update(np, parameters.theta, parameters.gradient, update.slots, work, update.step, update.rate)
        by_rule: Callable[[int, str], str] = partial(_rule, update.optimizer.formula, g)
        vectors = [(f"{slot}_{{}}", vector, by_rule) for slot, vector in zip(update.optimizer.slots, update.slots, strict=True)]
        vectors += [("change_{}", parameters.theta - before, _change), ("new_{}", parameters.theta, by_rule)]
        shapes = [layer.parameters for layer in self.network.layers]
        cut = [(title, layer_views(vector, vector, shapes), rule) for title, vector, rule in vectors]
        for level, name in enumerate(self.names, 1):
            for title, views, rule in cut:
                arrays, symbols = views[level - 1].arrays, self._symbols(level)
                yield from self._parameters("update", title, name, views[level - 1], arrays, symbols, partial(rule, level))

    def _gradient_norm(self) -> Any:
        gradient = self.network.parameters.gradient
        return np.sqrt(np.dot(gradient, gradient))

    def _layers(self) -> Iterator[tuple[str, BoundLayer, LayerPass]]:
        return zip(self.names, self.network.layers, self.workspace.passes, strict=True)

    def _symbols(self, level: int) -> Symbols:
        """The symbols of that layer, which has its bias shown as the weight of an input x₀ = 1 only where it has one."""
        layer = self.network.layers[level - 1]
        return Symbols(level, self.is_extra and isinstance(layer.rule, Dense) and layer.bias)

    def _activations(self, layer: str | None, level: int, A: Array, formula: str) -> Quantity:
        """A layer's outputs, with x₀ = 1 before them where the next layer reads it."""
        after = self._symbols(level + 1) if level < len(self.names) else None
        if after is None or not after.is_extra:
            return Quantity("forward", "A", layer, formula, A.copy())
        extended = np.hstack([np.ones((len(A), 1), A.dtype), A])
        return Quantity("forward", "A", layer, rf"{after.X} = [1, {Symbols(level)('A')}], \quad {formula}", extended)

    def _parameters(
        self,
        stage: Stage,
        name: str,
        layer: str,
        views: LayerParameters,
        arrays: dict[str, Array],
        symbols: Symbols,
        rule: Callable[[str], str] | None = None,
    ) -> Iterator[Quantity]:
        """Something of each of a layer's arrays, or of W and b as one matrix; `name` has a place for the letter, `rule` gives
        its formula.
        """
        rule = rule or symbols
        if symbols.is_extra:
            both = np.vstack([arrays["b"], arrays["W"]])
            yield Quantity(stage, name.format("W"), layer, rule(EXTENDED), both)
            return
        for each in views.shapes:
            yield Quantity(stage, name.format(each.name), layer, rule(each.name), arrays[each.name].copy())


def _rule(formula: str, factor: str, level: int, symbol: str) -> str:
    """The optimizer's formula, and what θ and g are in it."""
    at = Symbols(level)
    return rf"{formula}, \quad \theta = {at(symbol)}, \; g = {factor}d{at(symbol)}"


def _change(level: int, symbol: str) -> str:
    at = Symbols(level)(symbol)
    return rf"\Delta {at} = {at}_t - {at}_{{t - 1}}"
