"""A loss, an activation or one neuron at given numbers: every intermediate number as a quantity with its formula."""

from collections.abc import Iterator
from typing import Annotated

import numpy as np
from pydantic import Field

from engine.backend import Array
from engine.errors import InvalidSpec
from engine.glass.trace import Quantity
from engine.glass.trace_input import Matrix, Vector
from engine.parts.activations import Activation, ActivationFunction, Sigmoid
from engine.parts.losses import Loss
from engine.spec import FiniteFloat, spec
from engine.tables.features import pointer

MOST_NUMBERS = 1_000_000
"""Numbers of an answer."""
BEYOND_NUMBERS = np.errstate(over="ignore", invalid="ignore")
"""Context in which a value that overflows is shown as it is."""


@spec
class LossAt:
    """A loss of given raw outputs or probabilities, held against targets. Arithmetic is in float64."""

    loss: Loss
    z: Annotated[Matrix, Field(description="raw outputs: a row for each example, a column for each output")] | None = None
    probabilities: Annotated[Matrix, Field(description="instead of z, of a loss whose link gives probabilities")] | None = None
    targets: tuple[FiniteFloat | Vector, ...] = Field(
        description="one for each row: its number, or its class counted from 0; or a list with a target for each output"
    )

    @BEYOND_NUMBERS
    def quantities(self) -> list[Quantity]:
        """Raises InvalidSpec where shapes do not fit, or the loss is of other targets."""
        loss, formula, Z = self.loss, "z", self._raw_outputs()
        if self.z is None:
            formula = loss.unlink_formula
        Y = self._targets(Z)
        predictions, row_losses, gradient = np.empty_like(Z), np.empty(len(Z)), np.empty_like(Z)
        loss.link(np, Z, predictions)
        loss.rows(np, Z, Y, row_losses, np.empty_like(Z))
        loss.gradient(np, Z, Y, gradient)
        linked = "p(z)" if loss.probabilistic else r"\hat y = z"
        return [
            Quantity("forward", "z", None, formula, Z),
            Quantity("loss", "targets", None, "y", Y),
            Quantity("loss", "predictions", None, linked, predictions),
            Quantity("loss", "row_losses", None, rf"\ell_i, \quad {loss.formula}", row_losses),
            Quantity("loss", "J", None, r"J = \frac{1}{n} \sum_i \ell_i", np.array(row_losses.mean())),
            Quantity("backward", "gradient", None, loss.derivative, gradient),
        ]

    def _raw_outputs(self) -> Array:
        if (self.z is None) == (self.probabilities is None):
            raise InvalidSpec([("/z", "give either z, the raw outputs, or probabilities")])
        if self.probabilities is None:
            return _matrix(self.z or (), "/z")
        if not self.loss.probabilistic:
            raise InvalidSpec([("/probabilities", f"{self.loss.kind} is a loss of raw outputs; give z")])
        P = _matrix(self.probabilities, "/probabilities")
        Z, back = self.loss.unlink(np, P), np.empty_like(P)
        self.loss.link(np, Z, back)
        if not np.allclose(back, P, rtol=0, atol=1e-6):
            detail = f"are none that {self.loss.kind} can give: they lie between 0 and 1"
            shared = "" if self.loss.outputs(2) == 1 else ", and those of a row add up to 1"
            raise InvalidSpec([("/probabilities", detail + shared)])
        return Z

    def _targets(self, Z: Array) -> Array:
        rows, outputs = Z.shape
        if len(self.targets) != rows:
            raise InvalidSpec([("/targets", f"there are {len(self.targets)} for {rows} rows; give one for each")])
        Y, problems = np.zeros_like(Z), []
        for row, target in enumerate(self.targets):
            if isinstance(target, tuple) or outputs == 1:
                given = target if isinstance(target, tuple) else (target,)
                if len(given) == outputs:
                    Y[row] = given
                else:
                    problems.append((pointer("targets", row), f"holds {len(given)} for {outputs} outputs"))
            elif "regression" in self.loss.tasks:
                problems.append((pointer("targets", row), f"give a list of {outputs} numbers, one for each output"))
            elif target in range(outputs):
                Y[row, int(target)] = 1
            else:
                detail = f"{target:g} is no class: with {outputs} outputs they are 0 to {outputs - 1}"
                problems.append((pointer("targets", row), detail))
        wrong = self.loss.wrong_with(Y)
        if not problems and wrong:
            problems = [("/targets", f"{self.loss.kind} needs {wrong}")]
        if problems:
            raise InvalidSpec(problems[:20])
        return Y


@spec
class ActivationAt:
    """An activation of given numbers, row by row, with its derivative. Arithmetic is in float64."""

    activation: Activation
    z: Annotated[Matrix, Field(description="a row for each example, a column for each unit")]

    @BEYOND_NUMBERS
    def quantities(self) -> list[Quantity]:
        """Raises InvalidSpec where rows differ in length, or the answer would be too long."""
        function, Z = self.activation, _matrix(self.z, "/z")
        if not function.is_elementwise and Z.size * Z.shape[1] > MOST_NUMBERS:
            detail = f"the derivatives would be {Z.size * Z.shape[1]:,} numbers, over {MOST_NUMBERS:,}; give fewer"
            raise InvalidSpec([("/z", detail)])
        A = np.empty_like(Z)
        function.apply(np, Z, A)
        return [
            Quantity("forward", "z", None, "z", Z),
            Quantity("forward", "a", None, rf"a = f(z), \quad {function.formula}", A),
            _derivative(function, Z, A),
        ]


@spec
class NeuronAt:
    """One neuron a = f(wᵀx + b) with every number on the way, and its derivatives. Arithmetic is in float64."""

    weights: Annotated[Vector, Field(description="w, one for each input")]
    inputs: Annotated[Vector, Field(description="x")]
    bias: FiniteFloat = 0.0
    activation: Activation = Sigmoid()

    @BEYOND_NUMBERS
    def quantities(self) -> list[Quantity]:
        """Raises InvalidSpec where w and x differ in length, or the activation is of several numbers at once."""
        if len(self.weights) != len(self.inputs):
            detail = f"there are {len(self.inputs)} inputs for {len(self.weights)} weights; give one for each"
            raise InvalidSpec([("/inputs", detail)])
        if not self.activation.is_elementwise:
            raise InvalidSpec([("/activation", f"{self.activation.kind} is of several numbers at once; a neuron has one")])
        return [*self._quantities()]

    def _quantities(self) -> Iterator[Quantity]:
        function, w, x = self.activation, np.array(self.weights), np.array(self.inputs)
        products = w * x
        z = np.array([[products.sum() + self.bias]])
        A = np.empty_like(z)
        function.apply(np, z, A)
        slope = _derivative(function, z, A)
        rate = slope.values[0, 0]
        yield Quantity("forward", "inputs", None, "x", x)
        yield Quantity("forward", "weights", None, "w", w)
        yield Quantity("forward", "bias", None, "b", np.array(self.bias))
        yield Quantity("forward", "products", None, "w_j x_j", products)
        yield Quantity("forward", "weighted_sum", None, r"w^\top x = \sum_j w_j x_j", np.array(products.sum()))
        yield Quantity("forward", "z", None, r"z = w^\top x + b", z[0, 0])
        yield Quantity("forward", "a", None, rf"a = f(z), \quad {function.formula}", A[0, 0])
        yield Quantity("backward", "slope", None, slope.formula, rate)
        yield Quantity("backward", "da_dw", None, r"\frac{\partial a}{\partial w_j} = f'(z)\, x_j", rate * x)
        yield Quantity("backward", "da_dx", None, r"\frac{\partial a}{\partial x_j} = f'(z)\, w_j", rate * w)
        yield Quantity("backward", "da_db", None, r"\frac{\partial a}{\partial b} = f'(z)", rate)


def _matrix(rows: Matrix, at: str) -> Array:
    if len({len(row) for row in rows}) > 1:
        raise InvalidSpec([(at, "its rows differ in length; give each the same")])
    if len(rows) * len(rows[0]) > MOST_NUMBERS:
        raise InvalidSpec([(at, f"holds over {MOST_NUMBERS:,} numbers; give fewer")])
    return np.array(rows, np.float64)


def _derivative(function: ActivationFunction, Z: Array, A: Array) -> Quantity:
    """The slope f'(z) (n, k) of each number; or, of a function of a whole row, its Jacobian (n, k, k), ∂a_i/∂z_j."""
    if function.is_elementwise:
        slope = np.ones_like(Z)
        function.gradient(np, Z, A, slope, slope)
        return Quantity("backward", "slope", None, rf"f'(z), \quad {function.derivative}", slope)
    rows, units = Z.shape
    jacobian = np.zeros((rows, units, units))
    for unit in range(units):
        dA, dZ = np.zeros_like(Z), np.empty_like(Z)
        dA[:, unit] = 1
        function.gradient(np, Z, A, dA, dZ)
        jacobian[:, unit] = dZ
    return Quantity("backward", "jacobian", None, function.derivative, jacobian)
