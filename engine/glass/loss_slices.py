"""Slices of a real loss: the cost of a trained network on a plane through its weights."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from engine.backend import Array
from engine.errors import InvalidSpec
from engine.glass.directions import Plane
from engine.models.base import Matrices
from engine.network.backpropagation import penalty
from engine.network.network import Network
from engine.parts.losses import LossFunction
from engine.tables.features import Column
from engine.training.predict import Predictor
from engine.training.prepare import fit, row_weights

COST = r"f(\alpha, \beta) = J(\theta^* + \alpha\,\delta + \beta\,\eta)"
PROJECTION = r"(\alpha_k, \beta_k) = \arg\min_{\alpha, \beta} \left|\theta_k - \theta^* - \alpha\,\delta - \beta\,\eta\right|"


@dataclass
class SliceCost:
    """J of a network at any θ on some rows, penalties and all: nothing is silenced, and batch normalization goes by its running
    statistics, as where a model is evaluated. `split_rows` is how many rows the split has, of which some were taken.
    """

    network: Network
    loss: LossFunction
    rows: Matrices
    penalties: tuple[float, float]
    split_rows: int

    @classmethod
    def of(cls, predictor: Predictor, columns: Mapping[str, Column], split: str, most: int) -> "SliceCost":
        """On a split's rows, or about `most` of them, evenly taken. Raises InvalidSpec where there are none, or nothing that is
        made small.
        """
        training, target = predictor.training, predictor.target
        network, loss = network_of(predictor)
        places = fit(training, columns).rows
        rows = places[split]
        if not len(rows):
            there = ", ".join(name for name, each in places.items() if len(each))
            raise InvalidSpec([("/split", f"the job set no {split} rows apart; there are {there}")])
        evenly = np.unique(np.linspace(0, len(rows) - 1, min(most, len(rows))).round().astype(np.intp))
        answers = {name: columns[name].take(rows) for name in training.targets}
        weights = row_weights(training, target, answers) if split == "train" else None
        chosen = {name: column.take(evenly) for name, column in answers.items()}
        X = predictor.features.transform(columns, network.dtype, rows[evenly])
        Y = target.matrix(chosen, network.outputs, network.dtype)
        matrices = Matrices(X, Y, None if weights is None else weights[evenly].astype(network.dtype))
        return cls(network, loss, matrices, training.penalties(len(places["train"])), len(rows))

    @np.errstate(over="ignore", invalid="ignore")  # far out it is infinite
    def __call__(self, theta: Array) -> float:
        self.network.parameters.theta[...] = theta
        outputs = self.network.evaluate(self.rows.X)
        losses = np.empty(self.rows.rows, self.network.dtype)
        self.loss.rows(np, outputs, self.rows.Y, losses, np.empty_like(outputs))
        if self.rows.weights is not None:
            losses *= self.rows.weights
        return float(losses.mean(dtype=np.float64)) + penalty(self.network, self.penalties)

    def lines(self, plane: Plane, alphas: Array, betas: Array) -> Iterator[Array]:
        """J along α (len(alphas),) for each β, a line at a time: who takes them knows how far it is, and may stop between."""
        for beta in betas:
            yield np.array([self(plane.at(alpha, beta)) for alpha in alphas])


def network_of(predictor: Predictor) -> tuple[Network, LossFunction]:
    """What a slice is of. Raises InvalidSpec for a model that makes no loss small."""
    loss = predictor.training.loss
    if loss is None or not isinstance(predictor.learner, Network):
        detail = f"its model, {predictor.training.model.kind}, makes no loss small; choose a network, or a regression"
        raise InvalidSpec([("/job_id", detail)])
    return predictor.learner, loss
