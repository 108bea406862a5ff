"""What the layers look like inside: how weights, activations and gradients are spread, and which units are dead."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.backend import Array, to_host
from engine.models.run_state import Problem
from engine.network.network import Workspace

Of = Literal["weights", "weighted_sums", "activations", "gradients"]
BINS = 30
ROWS = 256
"""Training rows, the first ones of the set, on which activations and gradients are looked at."""
HUGE = 1e100
"""What is larger, or no number, is left out: a run that diverges passes through there."""
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


def layer_names(layers: int) -> list[str]:
    """hidden_1, hidden_2, …, output."""
    return [*(f"hidden_{index}" for index in range(1, layers)), "output"]


@np.errstate(over="ignore", invalid="ignore")  # a run that diverges is looked at, too, until its loss says so
def layer_histograms(problem: Problem) -> list[LayerHistogram]:
    """Every layer's weights, and, for a network trained by its gradient, activations and gradients of the mean loss on
    the first rows, at the present θ. Writes ∇ and a workspace of its own; θ stays.
    """
    network = problem.network
    names = layer_names(len(network.layers))
    found = [histogram(name, "weights", views.W) for name, views in zip(names, network.parameters.layers, strict=True)]
    if problem.spec.loss is None:
        return found
    workspace = _passed(problem)
    for index, (name, layer) in enumerate(zip(names, network.layers, strict=True)):
        slopes = network.xp.ones_like(workspace.Z[index])
        layer.activation.gradient(network.xp, workspace.Z[index], workspace.A[index], slopes, slopes)
        is_hidden = index < len(names) - 1
        found.append(histogram(name, "activations", workspace.A[index], to_host(slopes) if is_hidden else None))
        found.append(histogram(name, "gradients", network.parameters.layers[index].dW))
    return found


def _passed(problem: Problem) -> Workspace:
    """A workspace after a forward and a backward pass over the first rows."""
    network, loss, xp = problem.network, problem.spec.loss, problem.network.xp
    assert loss is not None
    X, Y = problem.train.X[:ROWS], problem.train.Y[:ROWS]
    workspace = Workspace(network.layers, X.shape[0], network.dtype, xp)
    Z = network.forward(X, workspace)
    loss.gradient(xp, Z, Y, workspace.dZ[-1])
    workspace.dZ[-1] *= 1.0 / X.shape[0]
    network.backward(X, workspace)
    return workspace


def histogram(layer: str, of: Of, values: Array, slopes: np.ndarray | None = None) -> LayerHistogram:
    """How those numbers are spread; `slopes` of the activation at each of them give the shares."""
    numbers = to_host(values).ravel().astype(np.float64)
    numbers = numbers[np.abs(numbers) < HUGE]
    counts, edges = np.histogram(numbers, BINS, _range(numbers))
    shares: dict[str, Any] = {}
    if slopes is not None:
        shares = {"dead": float((slopes == 0).all(axis=0).mean()), "saturated": float((np.abs(slopes) < FLAT).mean())}
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
