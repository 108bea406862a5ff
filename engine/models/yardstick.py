"""Yardsticks that need no learning: the same answer to every row, and the loss at the initial weights."""

import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from engine.backend import to_host
from engine.errors import Diverged
from engine.models.base import Problem
from engine.models.scoring import labels, mean_loss
from engine.network.network import Network
from engine.parts.metrics import METRICS
from engine.parts.scaling import NoScaling
from engine.wording import Remedy, say

LOST = float(np.finfo(np.float32).eps)
"""Beside a loss that is 1 / LOST times as large another is lost: their sum in float32 is the larger one alone. A run that
ends so misses by some 2,900 standard deviations.
"""


def is_unscaled(problem: Problem) -> bool:
    """Whether a network learns a regression's target in its own unit, for which its first weights are not made."""
    return problem.target.task == "regression" and problem.target.scaling is None and len(problem.network.layers) > 1


SCALED: Mapping[str, Any] = {"preprocessing": {"scaling": {"kind": "standard"}}}
TARGET_SCALED: Mapping[str, Any] = {"preprocessing": {"target_scaling": {"kind": "standard"}}}
"""Patches of a request that scale the features, and a regression's target."""


def remedy(problem: Problem, rate: float) -> Remedy:
    """The remedy that keeps the training loss from growing at that learning rate."""
    slower = say("optimizer.learning_rate to {rate} or lower", rate=f"{rate / 10:g}")
    regularization, at_rate = problem.spec.regularization, {"optimizer": {"learning_rate": rate / 10}}
    if isinstance(problem.spec.preprocessing.scaling, NoScaling):
        return Remedy(say("Set preprocessing.scaling to standard"), SCALED)
    if is_unscaled(problem):
        return Remedy(say("Set preprocessing.target_scaling to standard"), TARGET_SCALED)
    if regularization is not None and (regularization.l1 or regularization.l2):
        lower = {"regularization": {"l1": regularization.l1 / 100, "l2": regularization.l2 / 100}}
        return Remedy(say("Set lower penalties in regularization, or {slower}", slower=slower), lower)
    return Remedy(say("Set {slower}, or regularization.clip_norm to 1", slower=slower), at_rate)


def advice(problem: Problem, rate: float) -> str:
    """The remedy that keeps numbers finite at that learning rate."""
    if isinstance(problem.spec.preprocessing.scaling, NoScaling) or is_unscaled(problem):
        return f"{remedy(problem, rate).said}; if it still diverges, optimizer.learning_rate to {rate / 10:g} or lower."
    return Diverged.advice(rate)


class Yardstick:
    """The cost and the score of a problem if the training rows' mean, or their classes' shares, answer every row."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    @cached_property
    def means(self) -> np.ndarray:
        """The training targets' means (k,), weighted as the rows are."""
        train = self.problem.train
        Y, weights = to_host(train.Y).astype(np.float64), None if train.weights is None else to_host(train.weights)
        if weights is None or not weights.any():
            return np.asarray(Y.mean(axis=0))
        return np.asarray(np.average(Y, axis=0, weights=weights))

    @cached_property
    def loss(self) -> float:
        """The training loss of that answer."""
        problem, loss = self.problem, self.problem.spec.loss
        if loss is None:
            return 0.0
        xp, network = problem.network.xp, problem.network
        with np.errstate(over="ignore", invalid="ignore"):
            constant = np.tile(loss.constant(self.means).astype(network.dtype), (problem.train.rows, 1))
            return mean_loss(problem, xp.asarray(constant), problem.train)

    @cached_property
    def start(self) -> float:
        """The training loss at the initial weights, drawn anew."""
        network, spec = self.problem.network, self.problem.spec
        fresh = Network(network.layers, network.dtype, network.xp)
        spec.model.initialize(fresh, spec.seed_of_weights)
        with np.errstate(over="ignore", invalid="ignore"):
            return mean_loss(self.problem, fresh.evaluate(self.problem.train.X), self.problem.train)

    def score(self, split: str) -> float | None:
        """The metric of that answer on the rows of a split."""
        matrices = self.problem.train if split == "train" else self.problem.validation
        if matrices is None:
            return None
        Y = to_host(matrices.Y).astype(np.float64)
        metric, everywhere = METRICS[self.problem.target.metric], np.broadcast_to(self.means, Y.shape)
        if metric.task == "classification":
            commonest = int(self.means.argmax()) if Y.shape[1] > 1 else int(self.means[0] > 0.5)
            return float(np.mean(labels(Y) == commonest))
        return metric.function(everywhere - 0.5 if metric.task == "tagging" else everywhere, Y)

    @cached_property
    def holds_by_weight(self) -> bool:
        """Whether that answer is right for as much of the training rows' weight as the model at the present weights is."""
        train = self.problem.train
        outputs, Y = to_host(self.problem.network.evaluate(train.X)), to_host(train.Y)
        weights = np.ones(len(Y)) if train.weights is None else to_host(train.weights)
        given = outputs.argmax(axis=1) if Y.shape[1] > 1 else (outputs[:, 0] > 0).astype(np.intp)
        commonest = int(self.means.argmax()) if Y.shape[1] > 1 else int(self.means[0] > 0.5)
        return float(weights @ (given == labels(Y))) <= float(weights @ (labels(Y) == commonest))


class Reason:
    """The largest training loss from which a run may still come back.

    Where the loss is 1/ε² times that of the yardstick, with ε the float type's, an output is 1/ε times as large as the
    targets' spread: y is lost in the rounding of z − y, and each further step would be the same whatever the targets are.
    Weights that begin further out than that are allowed to come nearer.
    """

    def __init__(self, problem: Problem) -> None:
        self.yardstick, self.problem = Yardstick(problem), problem

    def _beyond(self, loss: float) -> float:
        return loss / float(np.finfo(self.problem.network.dtype).eps) ** 2 if loss > 0 else math.inf

    @cached_property
    def most(self) -> float:
        """The loss beyond all reason, by the yardstick; nothing if the yardstick's loss is 0."""
        return self._beyond(self.yardstick.loss)

    def broken(self, epoch: int, rate: float) -> Diverged:
        """The error to raise if an epoch's loss is not finite."""
        found = f"The loss is no longer a finite number in epoch {epoch}, at a learning rate of {rate:g}"
        return Diverged(epoch, rate, f"{found}. {advice(self.problem, rate)}")

    def hold(self, loss: float, epoch: int, rate: float) -> None:
        """Raise Diverged where an epoch's loss is beyond it. One that is small in itself is left to the end of the run: to
        look at the targets takes them back from the device.
        """
        if loss <= 1 / float(np.finfo(self.problem.network.dtype).eps):
            return
        if not (loss > self.most and loss > self._beyond(self.yardstick.start)):
            return
        found = f"The loss is {loss:.4g} in epoch {epoch}, at a learning rate of {rate:g}"
        beside = f"the {self.yardstick.loss:.4g} of always answering the mean is lost in its rounding"
        raise Diverged(epoch, rate, f"{found}: {beside}. {advice(self.problem, rate)}")
