"""Whether a line parts two classes: a proof that none does, from a logistic regression without penalty."""

from dataclasses import dataclass, replace

import numpy as np

from engine.glass.diagnosis.case import Case
from engine.models.base import Matrices, Problem
from engine.models.logistic import LogisticRegression, Penalty
from engine.models.newton import NEWTON, Objective
from engine.models.run_state import State
from engine.network.layers.dense import dense
from engine.network.network import Network
from engine.parts.losses import BinaryCrossEntropy

ROWS = 2000
"""Training rows, evenly over the set: where no line parts some of them, none parts all."""
ITERATIONS = 50
NOTHING = 1e-6
"""Margin, beside the length of the longest row, under which there is none."""


@dataclass(frozen=True)
class Margin:
    """The largest margin that a line can have on the rows, at most, and the length of the longest row."""

    most: float
    longest: float

    @property
    def is_none(self) -> bool:
        return self.most <= NOTHING * self.longest


def largest_margin(case: Case) -> Margin:
    """The bound that the optimum of a logistic regression gives: with residuals r_i = |y_i − p_i| > 0 and s_i = ±1, a unit w
    of margin γ has ‖Σ r_i s_i x_i‖ ≥ Σ r_i s_i wᵀx_i ≥ γ Σ r_i, and at the optimum that sum is 0 (Gordan's theorem).
    """
    rows = case.some(case.problem.train, ROWS)
    X, Y = rows.X.astype(np.float64), (rows.Y[:, :1] > 0.5).astype(np.float64)
    training = replace(
        case.training, model=LogisticRegression(penalty=Penalty(l2=0.0)), loss=BinaryCrossEntropy(), epochs=ITERATIONS,
        optimizer=None, schedule=None,
    )  # fmt: skip
    network = Network([dense(X.shape[1], 1)], np.float64, np)
    problem = Problem(training, network, case.problem.target, Matrices(X, Y), None)
    for _ in NEWTON.epochs(problem, State(), Objective):
        pass
    outputs = network.evaluate(X)
    linked = np.empty_like(outputs)
    training.loss.link(np, outputs, linked)  # type: ignore[union-attr]
    residuals = (Y - linked)[:, 0]
    extended = np.hstack([X, np.ones((len(X), 1))])
    weight = float(np.abs(residuals).sum())
    most = float(np.linalg.norm(extended.T @ residuals)) / weight if weight else float("inf")
    return Margin(most, float(np.linalg.norm(extended, axis=1).max()))
