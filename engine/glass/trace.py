"""Steps of gradient descent as numbers: every quantity from the inputs to the new weights, in the order in which it is
worked out, with its formula. The network, the losses and the optimisers are those that train.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from engine.backend import Array
from engine.glass.histograms import layer_names
from engine.models.descent import clip_factor
from engine.network.backpropagation import Backpropagation
from engine.network.parameters import layer_views
from engine.parts.optimizers import OptimizerRule

BiasForm = Literal["separate", "extra_input"]
"""How a bias is shown: b beside W, or as the first row of W, whose input x₀ is always 1. The network is the same."""
Stage = Literal["forward", "loss", "backward", "update"]


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
    """An optimiser on its way: its vectors (p,) by the order of its slots, the rate, and the steps that were taken."""

    optimizer: OptimizerRule
    rate: float
    slots: list[Array]
    clip_norm: float | None = None
    step: int = 0


def count_numbers(descent: Backpropagation, update: Update) -> int:
    """How many numbers a step shows, nearly."""
    units = sum(layer.outputs for layer in descent.network.layers)
    return len(descent.X) * (descent.X.shape[1] + 5 * units + 5) + (5 + len(update.slots)) * descent.network.parameters.size


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
        self.names = layer_names(len(self.network.layers))
        self.weight = r"\omega_i " if descent.row_weights is not None else ""

    def forward(self) -> Iterator[Quantity]:
        yield self._activations(None, 0, self.descent.X, "A^{(0)} = X")
        for level, (name, layer) in enumerate(zip(self.names, self.network.layers, strict=True), 1):
            views, is_last = self.network.parameters.layers[level - 1], level == len(self.names)
            yield from self._parameters("forward", "{}", name, views.W, views.b, partial(_at, level=level))
            plus = f" + {_at('b', level)}" if layer.bias and not self.is_extra else ""
            formula = f"{_at('Z', level)} = {self._into(level)} {self._weights(level)}{plus}"
            yield Quantity("forward", "Z", name, formula, self.workspace.Z[level - 1].copy())
            function = self.descent.output if is_last else layer.activation
            rule = f"{_at('A', level)} = f({_at('Z', level)})"
            mask = self.workspace.masks[level - 1] if self.descent.has_masks else None
            if mask is not None:
                yield Quantity(
                    "forward", "mask", name, rf"{_at('M', level)} \in \{{0, 1 / (1 - {_number(layer.dropout)})\}}", mask.copy()
                )
                rule += rf" \odot {_at('M', level)}"
            A = self.descent.A if is_last else self.workspace.A[level - 1]
            yield self._activations(name, level, A, rf"{rule}, \quad {function.formula}")

    def losses(self, cost: float) -> Iterator[Quantity]:
        descent, z = self.descent, f"z = {_at('A', len(self.names))}"
        predictions = np.empty_like(descent.A)
        descent.loss.link(np, descent.A, predictions)
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
            l1, l2 = map(_number, descent.penalties)
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
        for level in range(len(self.names), 0, -1):
            name, views = self.names[level - 1], self.network.parameters.layers[level - 1]
            yield self._slope_of_outputs(level)
            function = self.descent.output if level == len(self.names) else self.network.layers[level - 1].activation
            Z, A = _at("Z", level), _at("A", level)
            rule = rf"d{Z} = d{A} \odot f'({Z})" if function.is_elementwise else rf"d{Z}_i = {{f'({Z}_i)}}^\top d{A}_i"
            formula = rf"{rule}, \quad {function.derivative}"
            yield Quantity("backward", "dZ", name, formula, self.workspace.dZ[level - 1].copy())
            yield from self._parameters("backward", "d{}", name, views.dW, views.db, partial(self._slope, level))
        norm = np.array(self._gradient_norm())
        yield Quantity("backward", "gradient_norm", None, r"|\nabla J| = \sqrt{\sum dW^2 + \sum db^2}", norm)

    def _slope(self, level: int, symbol: str) -> str:
        """The formula of dW, of db, or of both as one."""
        dZ, W, (l1, l2) = f"d{_at('Z', level)}", _at("W", level), self.descent.penalties
        if symbol == "b":
            return rf"d{_at(symbol, level)} = \sum_i {dZ}_i"
        if symbol != "W":  # the first row is b's, which is not penalised
            W = rf"\begin{{bmatrix}} 0 \\ {W} \end{{bmatrix}}"
        penalty = f" + {_number(l2)} {W}" * bool(l2) + rf" + {_number(l1)} \operatorname{{sign}} {W}" * bool(l1)
        return rf"d{_at(symbol, level)} = {{{self._into(level)}}}^\top {dZ}{penalty}"

    def _slope_of_outputs(self, level: int) -> Quantity:
        """∂J/∂A of a layer: from the loss for the last, from the next layer for the others."""
        name, layer = self.names[level - 1], self.network.layers[level - 1]
        if level == len(self.names):
            rule = rf"\frac{{1}}{{n}} {self.weight}\frac{{\partial \ell}}{{\partial z}}, \quad {self.descent.loss.derivative}"
            return Quantity("backward", "dA", name, f"d{_at('A', level)} = {rule}", self.descent.dA.copy())
        dA = self.workspace.dZ[level] @ self.network.parameters.layers[level].W.T
        rule = rf"d{_at('Z', level + 1)} {{{_at('W', level + 1)}}}^\top"
        if self.descent.has_masks and layer.dropout:
            dA *= self.workspace.masks[level - 1]
            rule += rf" \odot {_at('M', level)}"
        return Quantity("backward", "dA", name, f"d{_at('A', level)} = {rule}", dA)

    def update(self, update: Update) -> Iterator[Quantity]:
        parameters = self.network.parameters
        before, g = parameters.theta.copy(), ""
        if update.clip_norm is not None:
            factor, g = clip_factor(np, self._gradient_norm(), update.clip_norm), r"c\, "
            parameters.gradient *= factor
            yield Quantity("update", "clip", None, rf"c = \min(1, {_number(update.clip_norm)} / |\nabla J|)", np.array(factor))
        update.step += 1
        yield Quantity("update", "t", None, "t", np.array(update.step))
        yield Quantity("update", "learning_rate", None, r"\eta", np.array(update.rate))
        work = np.empty_like(before)
        update.optimizer.update(np, parameters.theta, parameters.gradient, update.slots, work, update.step, update.rate)
        by_rule: Callable[[int, str], str] = partial(_rule, update.optimizer.formula, g)
        vectors = [(f"{slot}_{{}}", vector, by_rule) for slot, vector in zip(update.optimizer.slots, update.slots, strict=True)]
        vectors += [("change_{}", parameters.theta - before, _change), ("new_{}", parameters.theta, by_rule)]
        shapes = [layer.shape for layer in self.network.layers]
        for level, name in enumerate(self.names, 1):
            for title, vector, rule in vectors:
                views = layer_views(vector, vector, shapes)[level - 1]
                yield from self._parameters("update", title, name, views.W, views.b, partial(rule, level))

    def _gradient_norm(self) -> Any:
        gradient = self.network.parameters.gradient
        return np.sqrt(np.dot(gradient, gradient))

    def _reads_one(self, level: int) -> bool:
        """Whether that layer's bias is shown as the weight of an input x₀ = 1."""
        return self.is_extra and level <= len(self.names) and self.network.layers[level - 1].bias

    def _weights(self, level: int) -> str:
        return _at(r"\tilde W" if self._reads_one(level) else "W", level)

    def _into(self, level: int) -> str:
        """What goes into that layer."""
        return _at(r"\tilde A" if self._reads_one(level) else "A", level - 1)

    def _activations(self, layer: str | None, level: int, A: Array, formula: str) -> Quantity:
        """A layer's outputs, with x₀ = 1 before them where the next layer reads it."""
        if not self._reads_one(level + 1):
            return Quantity("forward", "A", layer, formula, A.copy())
        extended = np.hstack([np.ones((len(A), 1), A.dtype), A])
        return Quantity("forward", "A", layer, rf"{self._into(level + 1)} = [1, {_at('A', level)}], \quad {formula}", extended)

    def _parameters(
        self, stage: Stage, name: str, layer: str, W: Array, b: Array | None, rule: Callable[[str], str]
    ) -> Iterator[Quantity]:
        """Something of W and of b, or of both as one matrix; `name` has a place for the letter, `rule` gives its formula."""
        if b is not None and self.is_extra:
            yield Quantity(stage, name.format("W"), layer, rule(r"\tilde W"), np.vstack([b, W]))
            return
        yield Quantity(stage, name.format("W"), layer, rule("W"), W.copy())
        if b is not None:
            yield Quantity(stage, name.format("b"), layer, rule("b"), b.copy())


def _at(symbol: str, level: int) -> str:
    return f"{symbol}^{{({level})}}"


def _number(value: float) -> str:
    """As LaTeX: 1e-05 would be read as a product."""
    digits, _, power = f"{value:g}".partition("e")
    return rf"{digits} \cdot 10^{{{int(power)}}}" if power else digits


def _rule(formula: str, factor: str, level: int, symbol: str) -> str:
    """The optimiser's formula, and what θ and g are in it."""
    return rf"{formula}, \quad \theta = {_at(symbol, level)}, \; g = {factor}d{_at(symbol, level)}"


def _change(level: int, symbol: str) -> str:
    return rf"\Delta {_at(symbol, level)} = {_at(symbol, level)}_t - {_at(symbol, level)}_{{t - 1}}"
