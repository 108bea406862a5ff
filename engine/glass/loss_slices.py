"""Slices of a real loss: the cost of a trained network on a plane through its weights."""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from engine.backend import Array
from engine.errors import InvalidSpec
from engine.glass.directions import Directions, Plane, RandomDirections, frame, plane_of
from engine.models.base import Matrices
from engine.network.backpropagation import penalty
from engine.network.network import Network
from engine.network.workspace import count_numbers
from engine.parts.losses import LossFunction
from engine.spec import WHOLE, NonNegativeInt, PositiveFloat, PositiveInt, spec
from engine.tables.features import Column
from engine.training.predict import Predictor
from engine.training.prepare import fit, row_weights

COST = r"f(\alpha, \beta) = J(\theta^* + \alpha\,\delta + \beta\,\eta)"
BREATH_PRODUCTS = 500_000_000
"""Multiplications of some 50 ms: rows of so many go through a network between two questions whether to stop."""
PROJECTION = r"(\alpha_k, \beta_k) = \arg\min_{\alpha, \beta} \left|\theta_k - \theta^* - \alpha\,\delta - \beta\,\eta\right|"


@spec
class LossSlice:
    """Which slice of a job's loss is wanted."""

    epoch: NonNegativeInt | Literal["model", "last", "best"] = Field(
        default="model",
        description="through the weights of which epoch: 0 is before training; model: the one that the job's model has",
    )
    directions: Directions | None = Field(default=None, description="along what; random by default")
    resolution: Annotated[int, Field(strict=True, ge=2, le=200), WHOLE] = Field(default=25, description="points a side")
    extent: PositiveFloat | None = Field(
        default=None,
        le=1e6,
        description="how far to either side, in lengths of the directions: 1 by default, and of principal ones as far as the "
        "run's path",
    )
    split: Literal["train", "validation", "test"] = Field(default="train", description="the rows whose loss it is")
    rows: PositiveInt = Field(default=1000, le=1_000_000, description="about so many of them, evenly taken")

    @property
    def chosen(self) -> Directions:
        """The directions, those by default if none are named."""
        return self.directions or RandomDirections()


@dataclass(frozen=True)
class PathPoint:
    """Where a run was after an epoch: the nearest point of the plane, how far off it the weights lie, and J at these."""

    epoch: int
    alpha: float
    beta: float
    distance: float
    cost: float


@dataclass(frozen=True)
class Slice:
    """J at θ* and on the plane through it, β down and α across, on so many rows of a split, with the run's path."""

    plane: Plane
    alpha: Array
    beta: Array
    costs: Array
    cost: float
    rows: int
    split_rows: int
    path: list[PathPoint]


def nothing() -> None:
    """Heed nothing."""


def slice_of(
    wanted: LossSlice,
    predictor: Predictor,
    columns: Mapping[str, Column],
    run: Mapping[int, Network],
    costs: list[float] | None = None,
    heed: Callable[[], None] = nothing,
) -> Generator[float, None, Slice]:
    """The slice through a model's weights, with the run's networks by epoch. After each line of points it yields the share that
    is done: who asks for it tells how far it is, and stops between two lines by asking no more. `costs` are those of the first
    points, which were worked out before, and it adds the others; `heed` is called after each breath, and may raise.

    Raises InvalidSpec, which names a field of what is wanted, or `/job_id`.
    """
    network, _ = network_of(predictor)
    center = network.parameters.theta.copy()
    plane = plane_of(wanted.chosen, network, [each.parameters.theta for each in run.values()])
    cost = SliceCost.of(predictor, columns, wanted.split, wanted.rows, heed)
    path = list(_path(plane, cost, run))
    alpha, beta = frame(plane, [(point.alpha, point.beta) for point in path], wanted.extent, wanted.resolution)
    lines = []
    for line in cost.lines(plane, alpha, beta, [] if costs is None else costs):
        lines.append(line)
        yield len(lines) / len(beta)
    return Slice(plane, alpha, beta, np.array(lines), cost(center), cost.rows.rows, cost.split_rows, path)


def check(wanted: LossSlice, predictor: Predictor, run: Mapping[int, Network], rows: Mapping[str, int]) -> None:
    """Raise InvalidSpec where `slice_of` would, with so many rows in each split, before any cost is worked out."""
    network, _ = network_of(predictor)
    _refuse_empty(wanted.split, rows)
    plane_of(wanted.chosen, network, [each.parameters.theta for each in run.values()])


def _refuse_empty(split: str, rows: Mapping[str, int]) -> None:
    if not rows[split]:
        there = ", ".join(name for name, count in rows.items() if count)
        raise InvalidSpec([("/split", f"the job set no {split} rows apart; there are {there}")])


def count_work(wanted: LossSlice, predictor: Predictor, rows: int, epochs: int) -> dict[str, int]:
    """What a slice over so many rows takes, with a path of so many epochs: by unit, how many."""
    network, _ = network_of(predictor)
    points, rows = wanted.resolution**2 + epochs, min(rows, wanted.rows)
    return {
        "costs": points,
        "products": points * rows * network.products + epochs**2 * network.parameters.size,
        "passed numbers": points * rows * count_numbers(network.layers, 1),
        "row losses": points * rows,
        "cells": rows * predictor.features.width,
    }


def _path(plane: Plane, cost: "SliceCost", run: Mapping[int, Network]) -> Iterator[PathPoint]:
    """The run as the plane has it, and its cost as each network has it, running statistics and all."""
    for epoch, network in run.items():
        theta = network.parameters.theta.copy()
        yield PathPoint(epoch, *plane.nearest(theta), replace(cost, network=network)(theta))


@dataclass
class SliceCost:
    """J of a network at any θ on some rows, penalties and all: nothing is silenced, and batch normalization goes by its running
    statistics, as where a model is evaluated. `split_rows` is how many rows the split has, of which some were taken; `heed` is
    called after each breath.
    """

    network: Network
    loss: LossFunction
    rows: Matrices
    penalties: tuple[float, float]
    split_rows: int
    heed: Callable[[], None] = nothing

    @classmethod
    def of(
        cls,
        predictor: Predictor,
        columns: Mapping[str, Column],
        split: str,
        most: int,
        heed: Callable[[], None] = nothing,
    ) -> "SliceCost":
        """On a split's rows, or about `most` of them, evenly taken. Raises InvalidSpec where there are none, or nothing that is
        made small.
        """
        training, target = predictor.training, predictor.target
        network, loss = network_of(predictor)
        places = fit(training, columns).rows
        rows = places[split]
        _refuse_empty(split, {name: len(each) for name, each in places.items()})
        evenly = np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(np.intp))
        answers = {name: columns[name].take(rows) for name in training.targets}
        weights = row_weights(training, target, answers) if split == "train" else None
        chosen = {name: column.take(evenly) for name, column in answers.items()}
        X = predictor.features.transform(columns, network.dtype, rows[evenly])
        Y = target.matrix(chosen, network.outputs, network.dtype)
        matrices = Matrices(X, Y, None if weights is None else weights[evenly].astype(network.dtype))
        return cls(network, loss, matrices, training.penalties(len(places["train"])), len(rows), heed)

    @np.errstate(over="ignore", invalid="ignore")  # far out it is infinite
    def __call__(self, theta: Array) -> float:
        self.network.parameters.theta[...] = theta
        outputs = self._outputs()
        losses = np.empty(self.rows.rows, self.network.dtype)
        self.loss.rows(np, outputs, self.rows.Y, losses, np.empty_like(outputs))
        if self.rows.weights is not None:
            losses *= self.rows.weights
        return float(losses.mean(dtype=np.float64)) + penalty(self.network, self.penalties)

    def _outputs(self) -> Array:
        """What the network gives for the rows (n, k), a breath at a time."""
        network, X = self.network, self.rows.X
        outputs = np.empty((len(X), network.outputs), network.dtype)
        breath = max(1, min(network.most_rows, BREATH_PRODUCTS // max(1, network.products)))
        for start in range(0, len(X), breath):
            network.evaluate(X[start : start + breath], outputs[start : start + breath])
            self.heed()
        return outputs

    def lines(self, plane: Plane, alphas: Array, betas: Array, costs: list[float] | None = None) -> Iterator[Array]:
        """J along α (len(alphas),) for each β, a line at a time; `costs` as `slice_of` says."""
        costs = [] if costs is None else costs
        for start, beta in zip(range(0, len(alphas) * len(betas), len(alphas)), betas, strict=True):
            for alpha in alphas[max(0, len(costs) - start) :]:
                costs.append(self(plane.at(alpha, beta)))
            yield np.array(costs[start : start + len(alphas)])


def network_of(predictor: Predictor) -> tuple[Network, LossFunction]:
    """What a slice is of. Raises InvalidSpec for a model that makes no loss small."""
    loss = predictor.training.loss
    if loss is None or not isinstance(predictor.learner, Network):
        detail = f"its model, {predictor.training.model.kind}, makes no loss small; choose a network, or a regression"
        raise InvalidSpec([("/job_id", detail)])
    return predictor.learner, loss
