"""The inside of the layers: how weights, activations and gradients are spread, and which units are dead."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.backend import Array, to_host
from engine.models.base import Problem
from engine.network.backpropagation import backpropagate
from engine.network.workspace import Workspace
from engine.parts.losses import LossFunction

Of = Literal["weights", "weighted_sums", "activations", "gradients"]
BINS = 30
ROWS = 256
"""Training rows, the first ones of the set, on which activations and gradients are looked at."""
HUGE = 1e100
"""Largest value that is counted; larger ones, and what is no number, are left out: a run that diverges has some."""
FLAT = 0.01
"""A unit whose activation's slope is smaller at a row is saturated there: next to nothing is learned through it."""


@dataclass(frozen=True)
class LayerHistogram:
    """How one layer's numbers are spread. `dead` and `saturated` are shares, for the activations of a hidden layer alone:
    of units flat at every row looked at, and of units and rows where the slope is under FLAT.
    """

    layer: str
    of: Of
    count: int
    mean: float
    std: float
    min: float
    max: float
    edges: list[float]
    counts: list[int]
    dead: float | None = None
    saturated: float | None = None


@np.errstate(over="ignore", invalid="ignore")  # a run that diverges is looked at, too, until its loss says so
def layer_histograms(problem: Problem) -> list[LayerHistogram]:
    """Every layer's weights, and, for a network trained by its gradient, activations and gradients of the mean loss on
    the first rows, at the present θ. Writes ∇ and a workspace of its own; θ stays.
    """
    network = problem.network
    found = [
        histogram(name, "weights", W)
        for name, views in zip(network.names, network.parameters.layers, strict=True)
        for W, _ in views.weights()
    ]
    if problem.spec.loss is None:
        return found
    workspace = _passed(problem, problem.spec.loss)
    for name, layer, at in zip(network.names, network.layers, workspace.passes, strict=True):
        slopes, Z = None, layer.rule.bent(at)
        if name != network.names[-1] and Z is not None:
            slopes = network.xp.ones_like(Z)
            layer.activation.gradient(network.xp, Z, at.A, slopes, slopes)
        found.append(histogram(name, "activations", at.A, None if slopes is None else to_host(slopes)))
        found += [histogram(name, "gradients", dW) for _, dW in at.parameters.weights()]
    return found


def _passed(problem: Problem, loss: LossFunction) -> Workspace:
    """A workspace after a forward and a backward pass over the first rows."""
    network, X, Y = problem.network, problem.train.X[:ROWS], problem.train.Y[:ROWS]
    workspace = network.new_workspace(X.shape[0])
    network.forward(X, workspace, training=True)
    no_penalties = (0.0, 0.0)
    backpropagate(network, workspace, loss, Y, None, no_penalties, network.parameters.gradient)
    return workspace


def histogram(layer: str, of: Of, values: Array, slopes: np.ndarray | None = None) -> LayerHistogram:
    """How those numbers are spread; `slopes` of the activation at each of them give the shares."""
    numbers = to_host(values).ravel().astype(np.float64)
    numbers = numbers[np.abs(numbers) < HUGE]
    counts, edges = np.histogram(numbers, BINS, _range(numbers))
    shares: dict[str, Any] = {}
    if slopes is not None:
        shares = {
            "dead": float((slopes == 0).all(axis=tuple(range(slopes.ndim - 1))).mean()),
            "saturated": float((np.abs(slopes) < FLAT).mean()),
        }
    numbers = numbers if len(numbers) else np.zeros(1)
    spread = {"mean": numbers.mean(), "std": numbers.std(), "min": numbers.min(), "max": numbers.max()}
    return LayerHistogram(
        layer=layer,
        of=of,
        count=int(counts.sum()),
        edges=edges.tolist(),
        counts=counts.tolist(),
        **{name: float(value) for name, value in spread.items()},
        **shares,
    )


def _range(numbers: np.ndarray) -> tuple[float, float]:
    """From the smallest to the largest; numbers that are all but one are given room on both sides, for bins to fit."""
    low, high = (float(numbers.min()), float(numbers.max())) if len(numbers) else (0.0, 0.0)
    room = max(abs(low), abs(high), 1.0) * 1e-6
    return (low, high) if high - low > room else (low - room, high + room)
