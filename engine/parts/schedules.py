"""How the learning rate moves from epoch to epoch. To lengthen the list, add one class and its name.

t is the epoch, counted from 0, T the number of epochs, η₀ the optimizer's learning rate.
"""

import math
from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from engine.forms import ByKind
from engine.spec import Described, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, renamed, spec

State = tuple[float, ...]
Factor = Annotated[PositiveFloat, Field(le=1, description="What the rate is multiplied by.")]


class LearningRateSchedule(Described, ABC):
    """A rule that gives each epoch its learning rate."""

    def start(self) -> State:
        """The state before the first epoch."""
        return ()

    @abstractmethod
    def rate(self, base: float, epoch: int, epochs: int, state: State) -> float:
        """The learning rate of `epoch` (from 0) of `epochs`, where `base` is the optimizer's."""

    def observe(self, state: State, loss: float) -> State:
        """The state after an epoch that ended with `loss`, the monitored one."""
        return state


@spec
class ConstantRate(LearningRateSchedule):
    """The same rate in every epoch."""

    formula: ClassVar[str] = r"\eta_t = \eta_0"
    source: ClassVar[str] = "Goodfellow, Bengio and Courville, Deep Learning, 2016, section 8.3.1"
    title: ClassVar[str] = "Constant rate"
    kind: Literal["constant"] = "constant"

    def rate(self, base: float, epoch: int, epochs: int, state: State) -> float:
        return base


@spec
class StepDecay(LearningRateSchedule):
    """Cuts the rate by a factor every so many epochs."""

    formula: ClassVar[str] = r"\eta_t = \eta_0\,\gamma^{\lfloor t / s \rfloor}"
    source: ClassVar[str] = "He, Zhang, Ren and Sun, Deep Residual Learning for Image Recognition, 2016, section 3.4"
    title: ClassVar[str] = "Step decay"
    kind: Literal["step"] = "step"
    every: PositiveInt = Field(default=10, description="The epochs s from one cut to the next.")
    factor: Factor = 0.5

    def rate(self, base: float, epoch: int, epochs: int, state: State) -> float:
        return float(base * self.factor ** (epoch // self.every))


@spec
class ExponentialDecay(LearningRateSchedule):
    """Multiplies the rate by a factor in every epoch."""

    formula: ClassVar[str] = r"\eta_t = \eta_0\,\gamma^{t}"
    source: ClassVar[str] = "Géron, Hands-On Machine Learning with Scikit-Learn, Keras and TensorFlow, 2019, chapter 11"
    title: ClassVar[str] = "Exponential decay"
    kind: Literal["exponential"] = "exponential"
    factor: Factor = 0.95

    def rate(self, base: float, epoch: int, epochs: int, state: State) -> float:
        return float(base * self.factor**epoch)


@spec
class InverseTimeDecay(LearningRateSchedule):
    """Learning-rate decay: divides the rate by a number that grows evenly with the epochs."""

    formula: ClassVar[str] = r"\eta_t = \frac{\eta_0}{1 + \lambda t}"
    source: ClassVar[str] = "Robbins and Monro, A Stochastic Approximation Method, 1951"
    title: ClassVar[str] = "Inverse time decay"
    kind: Literal["inverse_time"] = "inverse_time"
    decay_rate: NonNegativeFloat = renamed(
        "decay_rate", "decay", default=0.01, le=1e6, description="The growth λ of the divisor in an epoch."
    )

    def rate(self, base: float, epoch: int, epochs: int, state: State) -> float:
        return base / (1 + self.decay_rate * epoch)


@spec
class CosineDecay(LearningRateSchedule):
    """Lets the rate fall along half a cosine: slowly at both ends, quickly between, without restarts."""

    formula: ClassVar[str] = r"\eta_t = \eta_{min} + \tfrac{1}{2}(\eta_0 - \eta_{min})\left(1 + \cos\frac{\pi t}{T}\right)"
    source: ClassVar[str] = "Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, 2017"
    title: ClassVar[str] = "Cosine decay"
    kind: Literal["cosine"] = "cosine"
    minimum: NonNegativeFloat = Field(default=0.0, description="The rate that the curve leads to after the last epoch.")

    def rate(self, base: float, epoch: int, epochs: int, state: State) -> float:
        return self.minimum + 0.5 * (base - self.minimum) * (1 + math.cos(math.pi * epoch / epochs))


@spec
class ReduceOnPlateau(LearningRateSchedule):
    """Cuts the rate by a factor when the loss has not improved for more than `patience` epochs.

    As in PyTorch, with an absolute threshold. The state is (best loss, epochs since, product of the cuts). A loss that
    is not a number is no improvement.
    """

    formula: ClassVar[str] = r"\eta_t = \eta_0\,\gamma^{c_t}, \quad c_t = \text{number of plateaus before } t"
    source: ClassVar[str] = "Bengio, Practical Recommendations for Gradient-Based Training of Deep Architectures, 2012"
    kind: Literal["reduce_on_plateau"] = "reduce_on_plateau"
    factor: Factor = 0.1
    patience: NonNegativeInt = Field(default=10, description="Epochs without improvement that are let pass.")
    min_delta: NonNegativeFloat = Field(default=0.0, description="What the loss must fall by to count as improved.")

    def start(self) -> State:
        return (math.inf, 0.0, 1.0)

    def rate(self, base: float, epoch: int, epochs: int, state: State) -> float:
        return base * state[2]

    def observe(self, state: State, loss: float) -> State:
        best, waited, product = state
        if loss < best - self.min_delta:
            return (loss, 0.0, product)
        if waited >= self.patience:
            return (best, 0.0, product * self.factor)
        return (best, waited + 1, product)


@spec
class WarmUp(LearningRateSchedule):
    """Raises the rate evenly over the first epochs and then holds it."""

    formula: ClassVar[str] = r"\eta_t = \eta_0 \min\left(1, \frac{t + 1}{w}\right)"
    source: ClassVar[str] = "Goyal and others, Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour, 2017"
    title: ClassVar[str] = "Warm-up"
    kind: Literal["warm_up"] = "warm_up"
    epochs: PositiveInt = Field(default=5, description="The epochs w until the whole rate is reached.")

    def rate(self, base: float, epoch: int, epochs: int, state: State) -> float:
        return base * min(1.0, (epoch + 1) / self.epochs)


Schedule = Annotated[
    ConstantRate | StepDecay | ExponentialDecay | InverseTimeDecay | CosineDecay | ReduceOnPlateau | WarmUp,
    ByKind(),
]
