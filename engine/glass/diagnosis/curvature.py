"""The cost and its curvature around some weights: how far a step may go."""

from dataclasses import dataclass

import numpy as np

from engine.glass.diagnosis.case import Case
from engine.network.backpropagation import Backpropagation
from engine.network.network import Network

ROWS, LEAST_ROWS = 500, 32
"""Training rows that the cost is taken of, evenly over the set: so many, or fewer of a network that takes long."""
PRODUCTS = 2 * 10**10
"""Multiplications that are spent on it; where the least rows take five times as many, it is not looked for."""
TURNS = 20
"""Most steps of power iteration; each takes two gradients."""
STEADY = 1e-3
"""Relative change of the curvature at which the iteration ends."""
NEAR = float(np.cbrt(np.finfo(np.float64).eps))
"""Half of a difference quotient's width beside θ: where its error and that of rounding are alike (Press and others, Numerical
Recipes, 5.7).
"""
PASSES = 4 * (2 * TURNS + 2)
"""Passes of a row through the network that looking around takes: forward, and two as dear for backward."""


@dataclass(frozen=True)
class Around:
    """The cost J at θ, the length of its gradient g, the curvature along g, gᵀHg/gᵀg, and the largest found on the way from g
    along the powers of H, which steps that are too long turn to.
    """

    cost: float
    gradient: float
    along: float
    sharpest: float

    @property
    def gain(self) -> float:
        """By how much one step of the best length along g would lower J, if J were as curved everywhere: gᵀg / 2κ."""
        return self.gradient**2 / (2 * self.along) if self.along > 0 else 0.0


@np.errstate(over="ignore", invalid="ignore")
def around(case: Case, theta: np.ndarray) -> Around | None:
    """The surroundings of θ in float64, without dropout; None where they are no numbers, flat, or
    beyond what is spent on it.
    """
    spec, rows = case.problem.spec, PRODUCTS // (PASSES * max(1, case.problem.network.products))
    if 5 * rows < LEAST_ROWS:
        return None
    train = case.some(case.problem.train, min(ROWS, max(LEAST_ROWS, rows)))
    assert spec.loss is not None
    network = Network(case.problem.network.layers, np.float64, np)
    X, Y = train.X.astype(np.float64), train.Y.astype(np.float64)
    weights = None if train.weights is None else train.weights.astype(np.float64)
    descent = Backpropagation(network, X, Y, spec.loss, weights, spec.penalties(case.problem.train.rows))
    center = theta.astype(np.float64)

    def at(place: np.ndarray) -> tuple[float, np.ndarray]:
        network.parameters.theta[...] = place
        cost = descent.forward()
        descent.backward()
        return cost, network.parameters.gradient.copy()

    cost, g = at(center)
    length = float(np.linalg.norm(g))
    if not (np.isfinite(length) and length > 0):
        return None
    step, v = NEAR * max(1.0, float(np.linalg.norm(center))), g / length
    along = sharpest = last = 0.0
    for turn in range(TURNS):
        Hv = (at(center + step * v)[1] - at(center - step * v)[1]) / (2 * step)
        curvature, size = float(v @ Hv), float(np.linalg.norm(Hv))
        if not np.isfinite(size):
            return None
        along = curvature if turn == 0 else along
        sharpest = max(sharpest, curvature)
        if size == 0 or (turn and abs(curvature - last) <= STEADY * abs(curvature)):
            break
        v, last = Hv / size, curvature
    return Around(cost, length, along, sharpest)
