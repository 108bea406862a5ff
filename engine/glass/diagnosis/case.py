"""The case that a diagnosis looks at: a run with its curves, its weights after an epoch, and rows of its table."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from engine.backend import to_host
from engine.glass.histograms import FLAT, alike, pass_over
from engine.models.base import Matrices, Problem
from engine.models.yardstick import Yardstick
from engine.network.layers.base import IDENTITY
from engine.network.network import Network
from engine.parts.metrics import METRICS
from engine.tables.features import Column
from engine.training.prepare import Fitted, build_learner, fit, pose
from engine.training.spec import Training

MOST_ROWS = 20_000
MOST_CELLS = 10_000_000
MOST_PRODUCTS = 10**10
LEAST_ROWS = 256
"""Rows of each split that are looked at, evenly over it, with their cells and the multiplications of a pass; LEAST_ROWS at
least.
"""
FAR = 20.0
"""An argument at which an activation that saturates is flat."""

Course = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""By its name, a curve's steps and values, one an epoch, NaN where there is none."""


@dataclass(frozen=True)
class Layer:
    """A hidden layer at some weights, on the first training rows: root mean squares of A and ∂J/∂Z, the shares of dead and of
    saturated units, of units that are alike, and whether its activation is flat far from 0 on both sides.
    """

    name: str
    activation: float
    error: float
    dead: float | None
    saturated: float | None
    alike: float | None
    saturates: bool


@dataclass
class Case:
    """A run: its completed spec, the table, the problem with the weights to look at, those before training, and what is
    recorded of it. `error` is the code of what it failed with.
    """

    training: Training
    columns: Mapping[str, Column]
    fitted: Fitted
    problem: Problem
    epoch: int
    start: np.ndarray | None = None
    course: Course | None = None
    values: Mapping[str, Any] | None = None
    error: str | None = None
    started_at: float | None = None
    """The training loss that a fork began from."""
    is_whole: bool = True
    """Whether every row was looked at."""

    @classmethod
    def of(
        cls,
        training: Training,
        columns: Mapping[str, Column],
        arrays: Mapping[str, np.ndarray] | None,
        epoch: int,
        start: np.ndarray | None = None,
        **recorded: Any,
    ) -> "Case":
        """At the weights of a checkpoint's arrays, or before training without. `start` are those that a fork began from."""
        training = replace(training, device="cpu")
        fitted = fit(training, columns)
        products = build_learner(training, fitted.features.width, fitted.target).products
        most = most_rows(fitted.features.width, products)
        rows = {split: _evenly(places, most) for split, places in fitted.rows.items()}
        is_whole = all(len(rows[split]) == len(fitted.rows[split]) for split in rows)
        posed = pose(training, columns, replace(fitted, rows=rows))
        problem, learner = posed.problem, posed.problem.learner
        if start is None and training.model.has_start:
            start = np.array(learner.parameters.theta)
        if arrays is not None:
            learner.parameters.theta[...] = arrays["theta"]
            if isinstance(learner, Network):
                learner.adopt(arrays)
        return cls(training, columns, fitted, problem, epoch, start, is_whole=is_whole, **recorded)

    # --- what is recorded

    def values_of(self, name: str) -> np.ndarray:
        """A curve's values, one an epoch, without those that are no number."""
        return self._curve(name)[1]

    def _curve(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        steps, values = (self.course or {}).get(name, (np.empty(0, np.int64), np.empty(0)))
        finite = np.isfinite(values)
        return steps[finite], values[finite]

    @cached_property
    def losses(self) -> np.ndarray:
        """The training loss of each epoch."""
        return self.values_of("train_loss")

    @property
    def epochs(self) -> tuple[int, int]:
        """The first and the last epoch of the training loss."""
        steps, _ = self._curve("train_loss")
        return (int(steps[0]), int(steps[-1])) if len(steps) else (self.epoch, self.epoch)

    def at_last(self, name: str) -> float | None:
        """A value of the last epoch recorded."""
        found = self.values_of(name)
        return float(found[-1]) if len(found) else None

    @property
    def metric(self) -> str:
        """The name of the epoch's metric."""
        return METRICS[self.problem.target.metric].name

    @property
    def rate(self) -> float:
        """The learning rate of the last epoch, or the base rate before any."""
        assert self.training.optimizer is not None
        return self.at_last("learning_rate") or self.training.optimizer.learning_rate

    # --- rows and weights

    @cached_property
    def yardstick(self) -> Yardstick:
        return Yardstick(self.problem)

    @property
    def rows(self) -> dict[str, int]:
        """The rows of each split that are looked at."""
        validation = self.problem.validation
        return {"train": self.problem.train.rows, "validation": 0 if validation is None else validation.rows}

    def some(self, matrices: Matrices, most: int) -> Matrices:
        """Rows of a split, evenly over it, on the host."""
        places = _evenly(np.arange(matrices.rows), most)
        weights = None if matrices.weights is None else to_host(matrices.weights)[places]
        return Matrices(to_host(matrices.X)[places], to_host(matrices.Y)[places], weights)

    @property
    def is_network(self) -> bool:
        return isinstance(self.problem.learner, Network)

    @property
    def has_hidden_layers(self) -> bool:
        return self.is_network and len(self.problem.network.layers) > 1

    @cached_property
    def layers(self) -> Sequence[Layer]:
        """The hidden layers that bend, at the present weights."""
        return _layers(self.problem)

    @cached_property
    def first_layers(self) -> Sequence[Layer]:
        """The same before training."""
        assert self.start is not None
        return _layers(self.at(self.start))

    def at(self, theta: np.ndarray) -> Problem:
        """The problem with a network of its own at θ."""
        network = self.problem.network
        other = Network(network.layers, network.dtype, network.xp)
        other.parameters.theta[...] = theta
        return replace(self.problem, learner=other)


def most_rows(width: int, products: int) -> int:
    """How many rows of a split are looked at, of so many features and multiplications each."""
    return max(LEAST_ROWS, min(MOST_ROWS, MOST_CELLS // max(1, width), MOST_PRODUCTS // max(1, products)))


def _evenly(places: np.ndarray, most: int) -> np.ndarray:
    """At most so many of them, evenly spaced."""
    if len(places) <= most:
        return places
    return places[np.linspace(0, len(places) - 1, most).round().astype(np.intp)]


@np.errstate(over="ignore", invalid="ignore")
def _layers(problem: Problem) -> Sequence[Layer]:
    assert problem.spec.loss is not None
    network, found = problem.network, []
    workspace = pass_over(problem, problem.spec.loss)
    for name, layer, at in zip(network.names[:-1], network.layers, workspace.passes, strict=False):
        Z = layer.rule.bent(at)
        if Z is None or layer.activation == IDENTITY:
            continue
        dead = saturated = None
        if layer.activation.is_elementwise:
            slopes = np.ones_like(Z)
            layer.activation.gradient(np, Z, at.A, slopes, slopes)
            dead = float((slopes == 0).all(axis=tuple(range(slopes.ndim - 1))).mean())
            saturated = float((np.abs(slopes) < FLAT).mean())
        has_weights = any(shape.is_weight for shape in at.parameters.shapes)
        found.append(
            Layer(
                name, _size(at.A), _size(at.dZ), dead, saturated, alike(layer, at.parameters) if has_weights else None,
                _saturates(layer.activation),
            )
        )  # fmt: skip
    return found


def _size(values: np.ndarray) -> float:
    """The root of the mean square."""
    return float(np.sqrt(np.mean(np.square(values, dtype=np.float64))))


def _saturates(activation: Any) -> bool:
    if not activation.is_elementwise:
        return False
    Z = np.array([[-FAR], [FAR]])
    A, slopes = np.empty_like(Z), np.ones_like(Z)
    activation.apply(np, Z, A)
    activation.gradient(np, Z, A, slopes, slopes)
    return bool((np.abs(slopes) < FLAT).all())
