"""Update rules over one flat vector of parameters θ (p,). To lengthen the list, add one class and its name.

A rule holds its hyperparameters; its state stands apart, in one vector (p,) for each name in `slots`, all 0 at first.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from engine.backend import Array
from engine.forms import ByKind
from engine.spec import Decay, Described, NonNegativeFloat, PositiveFloat, renamed, spec

# From 1e−30 on, neither the number nor its root is lost in float32.
Epsilon = Annotated[PositiveFloat, Field(ge=1e-30, le=1, description="Keeps the division away from 0.")]
Rate = Annotated[PositiveFloat, Field(description="The base learning rate η, before the schedule.")]


class OptimizerRule(Described, ABC):
    """A rule that moves θ by its gradient."""

    slots: ClassVar[tuple[str, ...]] = ()
    """The names of the state vectors, in the order in which `update` takes them."""

    learning_rate: float

    @abstractmethod
    def update(
        self, xp: Any, theta: Array, gradient: Array, slots: Sequence[Array], work: Array, step: int, rate: float
    ) -> None:
        """Move `theta` and `slots` in place by one step; every array is a flat (p,) of one float type.

        `gradient` and `work` are left with anything in them. `step` counts from 1; `rate` is the scheduled rate η.
        """

    def largest_rate(self, curvature: float) -> float | None:
        """The rate η from which on steps along a parabola of that curvature κ go further and further from its minimum; None
        where the length of a step is not in proportion to the gradient, or nobody has worked it out.
        """
        return None


@spec
class GradientDescent(OptimizerRule):
    """Steps straight downhill, in proportion to the gradient."""

    formula: ClassVar[str] = r"\theta \leftarrow \theta - \eta\,g, \quad g = \nabla J(\theta)"
    source: ClassVar[str] = "Robbins and Monro, A Stochastic Approximation Method, 1951"
    kind: Literal["gradient_descent"] = "gradient_descent"
    learning_rate: Rate = 0.01

    def update(
        self, xp: Any, theta: Array, gradient: Array, slots: Sequence[Array], work: Array, step: int, rate: float
    ) -> None:
        xp.multiply(gradient, rate, out=work)
        xp.subtract(theta, work, out=theta)

    def largest_rate(self, curvature: float) -> float | None:
        return 2 / curvature


@spec
class Momentum(OptimizerRule):
    """Rolls downhill with a velocity that remembers the steps before.

    The rate enters the velocity, so that a changed rate leaves the speed already gained (PyTorch multiplies the whole
    velocity by the rate instead; under a constant rate the two agree).
    """

    formula: ClassVar[str] = r"v \leftarrow \gamma v + \eta\,g, \quad \theta \leftarrow \theta - v"
    source: ClassVar[str] = "Polyak, Some Methods of Speeding Up the Convergence of Iteration Methods, 1964"
    kind: Literal["momentum"] = "momentum"
    slots: ClassVar[tuple[str, ...]] = ("velocity",)
    learning_rate: Rate = 0.01
    momentum: Decay = Field(default=0.9, description="The share γ of the velocity that is kept.")

    def update(
        self, xp: Any, theta: Array, gradient: Array, slots: Sequence[Array], work: Array, step: int, rate: float
    ) -> None:
        (velocity,) = slots
        xp.multiply(velocity, self.momentum, out=velocity)
        xp.multiply(gradient, rate, out=work)
        xp.add(velocity, work, out=velocity)
        xp.subtract(theta, velocity, out=theta)

    def largest_rate(self, curvature: float) -> float | None:
        return 2 * (1 + self.momentum) / curvature


@spec
class Nesterov(OptimizerRule):
    """Momentum that looks ahead: the gradient counts as taken where the velocity is about to lead.

    In the form of Sutskever and others, and of PyTorch, in which θ is the point looked ahead to. The rate enters the
    velocity, as with momentum.
    """

    formula: ClassVar[str] = r"v \leftarrow \gamma v + \eta\,g, \quad \theta \leftarrow \theta - (\gamma v + \eta\,g)"
    source: ClassVar[str] = (
        "Nesterov, A Method of Solving a Convex Programming Problem with Convergence Rate O(1/k²), 1983; "
        "Sutskever, Martens, Dahl and Hinton, On the Importance of Initialization and Momentum, 2013"
    )
    kind: Literal["nesterov"] = "nesterov"
    slots: ClassVar[tuple[str, ...]] = ("velocity",)
    learning_rate: Rate = 0.01
    momentum: Decay = Field(default=0.9, description="The share γ of the velocity that is kept.")

    def update(
        self, xp: Any, theta: Array, gradient: Array, slots: Sequence[Array], work: Array, step: int, rate: float
    ) -> None:
        (velocity,) = slots
        xp.multiply(gradient, rate, out=gradient)
        xp.multiply(velocity, self.momentum, out=velocity)
        xp.add(velocity, gradient, out=velocity)
        xp.multiply(velocity, self.momentum, out=work)
        xp.add(work, gradient, out=work)
        xp.subtract(theta, work, out=theta)

    def largest_rate(self, curvature: float) -> float | None:
        return 2 * (1 + self.momentum) / ((1 + 2 * self.momentum) * curvature)


@spec
class Adagrad(OptimizerRule):
    """Gives each parameter its own rate, which falls as its squared gradients add up.

    ε stands inside the root (PyTorch adds it to the root).
    """

    formula: ClassVar[str] = r"s \leftarrow s + g^2, \quad \theta \leftarrow \theta - \frac{\eta\,g}{\sqrt{s + \epsilon}}"
    source: ClassVar[str] = "Duchi, Hazan and Singer, Adaptive Subgradient Methods for Online Learning, 2011"
    kind: Literal["adagrad"] = "adagrad"
    slots: ClassVar[tuple[str, ...]] = ("squares",)
    learning_rate: Rate = 0.01
    epsilon: Epsilon = 1e-8

    def update(
        self, xp: Any, theta: Array, gradient: Array, slots: Sequence[Array], work: Array, step: int, rate: float
    ) -> None:
        (squares,) = slots
        xp.multiply(gradient, gradient, out=work)
        xp.add(squares, work, out=squares)
        xp.add(squares, self.epsilon, out=work)
        xp.sqrt(work, out=work)
        xp.divide(gradient, work, out=work)
        xp.multiply(work, rate, out=work)
        xp.subtract(theta, work, out=theta)


@spec
class RMSProp(OptimizerRule):
    """Divides each step by a moving root mean square of its gradients, so that old ones are forgotten.

    ε is added to the root, as in PyTorch; the lecture leaves it out.
    """

    formula: ClassVar[str] = (
        r"s \leftarrow \rho s + (1 - \rho)\,g^2, \quad"
        r" \theta \leftarrow \theta - \frac{\eta\,g}{\sqrt{s} + \epsilon}"
    )
    source: ClassVar[str] = "Tieleman and Hinton, Neural Networks for Machine Learning, lecture 6.5, 2012"
    title: ClassVar[str] = "RMSProp"
    kind: Literal["rmsprop"] = "rmsprop"
    slots: ClassVar[tuple[str, ...]] = ("squares",)
    learning_rate: Rate = 0.001
    rho: Decay = renamed("rho", "decay", default=0.9, description="The share ρ of the mean square that is kept.")
    epsilon: Epsilon = 1e-8

    def update(
        self, xp: Any, theta: Array, gradient: Array, slots: Sequence[Array], work: Array, step: int, rate: float
    ) -> None:
        (squares,) = slots
        _average_squares(xp, squares, gradient, self.rho, work)
        xp.sqrt(squares, out=work)
        xp.add(work, self.epsilon, out=work)
        xp.divide(gradient, work, out=work)
        xp.multiply(work, rate, out=work)
        xp.subtract(theta, work, out=theta)


@spec
class Adam(OptimizerRule):
    """Steps along a moving mean of the gradients over the root of their mean square, both freed of their bias to 0."""

    formula: ClassVar[str] = (
        r"m \leftarrow \beta_1 m + (1 - \beta_1)\,g, \quad v \leftarrow \beta_2 v + (1 - \beta_2)\,g^2, \quad"
        r" \hat m = \frac{m}{1 - \beta_1^t}, \quad \hat v = \frac{v}{1 - \beta_2^t}, \quad"
        r" \theta \leftarrow \theta - \frac{\eta\,\hat m}{\sqrt{\hat v} + \epsilon}"
    )
    source: ClassVar[str] = "Kingma and Ba, Adam: A Method for Stochastic Optimization, 2015"
    kind: Literal["adam"] = "adam"
    slots: ClassVar[tuple[str, ...]] = ("mean", "squares")
    learning_rate: Rate = 0.001
    beta_1: Decay = Field(default=0.9, description="The share β₁ of the mean that is kept.")
    beta_2: Decay = Field(default=0.999, description="The share β₂ of the mean square that is kept.")
    epsilon: Epsilon = 1e-8

    def update(
        self, xp: Any, theta: Array, gradient: Array, slots: Sequence[Array], work: Array, step: int, rate: float
    ) -> None:
        _move_by_moments(self, xp, theta, gradient, slots, work, step, rate)


@spec
class AdamW(OptimizerRule):
    """Adam with weight decay apart from the gradient: every step first shrinks the parameters by a fixed share.

    All of the given θ decays; a caller who would spare the biases updates them apart, with weight_decay 0.
    """

    formula: ClassVar[str] = (
        r"\theta \leftarrow (1 - \eta\lambda)\,\theta, \quad"
        r" m \leftarrow \beta_1 m + (1 - \beta_1)\,g, \quad v \leftarrow \beta_2 v + (1 - \beta_2)\,g^2, \quad"
        r" \theta \leftarrow \theta - \frac{\eta\, m / (1 - \beta_1^t)}{\sqrt{v / (1 - \beta_2^t)} + \epsilon}"
    )
    source: ClassVar[str] = "Loshchilov and Hutter, Decoupled Weight Decay Regularization, 2019"
    title: ClassVar[str] = "AdamW"
    kind: Literal["adamw"] = "adamw"
    slots: ClassVar[tuple[str, ...]] = ("mean", "squares")
    learning_rate: Rate = 0.001
    beta_1: Decay = Field(default=0.9, description="The share β₁ of the mean that is kept.")
    beta_2: Decay = Field(default=0.999, description="The share β₂ of the mean square that is kept.")
    epsilon: Epsilon = 1e-8
    weight_decay: NonNegativeFloat = Field(default=0.01, le=1e6, description="The decay λ, taken times the rate.")

    def update(
        self, xp: Any, theta: Array, gradient: Array, slots: Sequence[Array], work: Array, step: int, rate: float
    ) -> None:
        xp.multiply(theta, 1 - rate * self.weight_decay, out=theta)
        _move_by_moments(self, xp, theta, gradient, slots, work, step, rate)


def _average_squares(xp: Any, squares: Array, gradient: Array, decay: float, work: Array) -> None:
    """squares ← decay · squares + (1 − decay) · gradient², in place."""
    xp.multiply(squares, decay, out=squares)
    xp.multiply(gradient, gradient, out=work)
    xp.multiply(work, 1 - decay, out=work)
    xp.add(squares, work, out=squares)


def _move_by_moments(
    rule: Adam | AdamW,
    xp: Any,
    theta: Array,
    gradient: Array,
    slots: Sequence[Array],
    work: Array,
    step: int,
    rate: float,
) -> None:
    """Adam's step. The two bias corrections are numbers, so they are taken out of the vectors' arithmetic."""
    mean, squares = slots
    _average_squares(xp, squares, gradient, rule.beta_2, work)
    xp.multiply(mean, rule.beta_1, out=mean)
    xp.multiply(gradient, 1 - rule.beta_1, out=work)
    xp.add(mean, work, out=mean)
    xp.sqrt(squares, out=work)
    xp.divide(work, math.sqrt(1 - rule.beta_2**step), out=work)
    xp.add(work, rule.epsilon, out=work)
    xp.divide(mean, work, out=work)
    xp.multiply(work, rate / (1 - rule.beta_1**step), out=work)
    xp.subtract(theta, work, out=theta)


Optimizer = Annotated[GradientDescent | Momentum | Nesterov | Adagrad | RMSProp | Adam | AdamW, ByKind()]
