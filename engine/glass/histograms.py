"""The inside of the layers: how weights, activations and gradients are spread, which units are dead, and which are alike."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from engine.backend import Array, to_host
from engine.models.base import Problem
from engine.models.descent import clip_factor, scheduled_rate
from engine.models.run_state import State
from engine.network.backpropagation import add_penalties, backpropagate
from engine.network.layers.base import BoundLayer
from engine.network.parameters import LayerParameters
from engine.network.workspace import Workspace
from engine.parts.losses import LossFunction

Of = Literal["weights", "weighted_sums", "activations", "gradients"]
BINS = 48
"""Most bins of a histogram; one that holds more than a single value has half as many or more."""
ROWS = 256
"""Training rows, the first ones of the set, on which activations and gradients are looked at."""
HUGE = 1e100
"""Largest value that is counted; larger ones, and what is no number, are left out: a run that diverges has some."""
FLAT = 0.01
"""A unit whose activation's slope is smaller at a row is saturated there: next to nothing is learned through it."""
ALIKE = 1e-3
"""Difference of two units' weights, beside their length, up to which the units are alike. Units that began alike differ by
rounding, which float32 lets grow to some 1e-4; two that were drawn differ by their length itself.
"""
NARROWEST = 1e-6
"""Narrowest range of numbers that is told apart, beside the largest of them."""
AT_ONCE = 1 << 20
"""Parameters that a step is worked out for at a time, beside which copies of all would be large."""
BLOCK, COLUMNS = 1 << 16, 64
"""Numbers, and units, that are looked at together: their copies are small, whatever the layer."""


@dataclass(frozen=True)
class LayerHistogram:
    """How one layer's numbers are spread. Bins are [k w, (k + 1) w) for whole k, with w a power of two: those of a narrower
    w lie within those of a wider, so that counts of several epochs can be brought to common bins exactly.

    `dead` and `saturated` are shares, for the activations of a hidden layer alone: of units flat at every row looked at, and
    of units and rows where the slope is under FLAT. For weights, `update_ratio` is ‖ΔW‖/‖W‖ for the step that the optimizer
    would take next on the rows looked at, and `alike`, of a hidden layer, the share of units that have the weights of another.
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
    update_ratio: float | None = None
    alike: float | None = None

    @property
    def norm(self) -> float:
        """The root of the sum of the squares."""
        return math.sqrt(self.count) * math.hypot(self.mean, self.std)

    @property
    def is_aligned(self) -> bool:
        """Whether its edges are multiples of a power of two; those that earlier versions stored are not."""
        low, width = self.edges[0], self.edges[1] - self.edges[0]
        return math.frexp(width)[0] == 0.5 and (low / width).is_integer()


@np.errstate(over="ignore", invalid="ignore", divide="ignore")  # a run that diverges is looked at, until its loss says so
def layer_histograms(problem: Problem, state: State | None = None) -> list[LayerHistogram]:
    """Every layer's weights, and, for a network trained by its gradient, activations and gradients of the mean loss on
    the first rows, at the present θ; with the `state` of its run also how far the next step would go. Writes ∇ and a workspace
    of its own; θ and the state stay.
    """
    network, loss = problem.network, problem.spec.loss
    layers = list(zip(network.names, network.layers, network.parameters.layers, strict=True))
    seen: list[LayerHistogram] = []
    ratios: list[float | None] = [None] * sum(1 for _ in network.parameters.weights())
    if loss is not None:
        workspace = pass_over(problem, loss)
        for name, layer, at in zip(network.names, network.layers, workspace.passes, strict=True):
            slopes, Z = None, layer.rule.bent(at)
            if name != network.names[-1] and Z is not None:
                slopes = network.xp.ones_like(Z)
                layer.activation.gradient(network.xp, Z, at.A, slopes, slopes)
            seen.append(histogram(name, "activations", at.A, None if slopes is None else to_host(slopes)))
            seen += [histogram(name, "gradients", dW) for _, dW in at.parameters.weights()]
        if state is not None and problem.spec.optimizer is not None:
            step_into_gradient(problem, state)
            ratios = [_ratio(dW, W) for W, dW in network.parameters.weights()]
    hidden, each = set(network.names[:-1]), iter(ratios)
    found = [
        histogram(name, "weights", W, update_ratio=next(each), alike=alike(layer, views) if name in hidden else None)
        for name, layer, views in layers
        for W, _ in views.weights()
    ]
    return found + seen


def pass_over(problem: Problem, loss: LossFunction) -> Workspace:
    """A workspace after a forward and a backward pass over the first rows, without dropout and penalties."""
    network, train = problem.network, problem.train
    X, Y, weights = train.X[:ROWS], train.Y[:ROWS], None if train.weights is None else train.weights[:ROWS]
    workspace = network.new_workspace(X.shape[0])
    network.forward(X, workspace, training=True)
    no_penalties = (0.0, 0.0)
    backpropagate(network, workspace, loss, Y, weights, no_penalties, network.parameters.gradient)
    return workspace


def step_into_gradient(problem: Problem, state: State) -> None:
    """Replace ∇, as a pass has left it, by the change Δθ that the optimizer would make of it, with the penalties and clipping
    of the job: its next step, if that were on these rows. θ and the state stay.
    """
    spec, network = problem.spec, problem.network
    xp, theta, gradient = network.xp, network.parameters.theta, network.parameters.gradient
    assert spec.optimizer is not None
    state.settle()
    add_penalties(network, spec.penalties(problem.train.rows), xp.empty_like(theta))
    if spec.regularization is not None and spec.regularization.clip_norm is not None:
        gradient *= clip_factor(xp, xp.sqrt(xp.dot(gradient, gradient)), spec.regularization.clip_norm)
    rate, kept = scheduled_rate(spec, state), [state.vectors.get(name) for name in spec.optimizer.slots]
    for start in range(0, network.parameters.size, AT_ONCE):
        part = slice(start, start + AT_ONCE)
        moved, g = theta[part].copy(), gradient[part]
        slots = [xp.zeros_like(g) if vector is None else vector[part].copy() for vector in kept]
        spec.optimizer.update(xp, moved, g, slots, xp.empty_like(g), state.step + 1, rate)
        xp.subtract(moved, theta[part], out=g)


def _ratio(change: Array, weights: Array) -> float | None:
    """‖ΔW‖/‖W‖; None for weights that are all 0, and for what is no number."""
    moved, length = (math.sqrt(_squares(to_host(each).reshape(-1))) for each in (change, weights))
    ratio = moved / length if length else math.nan
    return ratio if math.isfinite(ratio) else None


def _squares(numbers: np.ndarray) -> float:
    """Their sum in float64."""
    parts = (numbers[start : start + BLOCK].astype(np.float64) for start in range(0, len(numbers), BLOCK))
    return float(sum(part @ part for part in parts))


def alike(layer: BoundLayer, views: LayerParameters) -> float | None:
    """The share of a layer's units whose weights and bias are those of another, to within ALIKE; None of a single unit.

    A unit is compared with the next in the order of a sum rᵀw of its weights, in which those that are alike are neighbors:
    these sums differ by ‖r‖ times the difference of the weights at most.
    """
    W = to_host(layer.rule.exported(views, {}, layer.input_shape)["weights"])
    W = W.reshape(-1, W.shape[-1])
    if W.shape[1] < 2:
        return None
    b = np.zeros(W.shape[1], W.dtype) if views.b is None else to_host(views.b)
    r = np.sin(np.arange(1, len(W) + 2)).astype(W.dtype)
    sums, lengths = r[:-1] @ W + r[-1] * b, np.sqrt(np.einsum("ij,ij->j", W, W) + b * b)
    order = np.argsort(sums, kind="stable")
    most = ALIKE * np.maximum(lengths[order[1:]], lengths[order[:-1]])
    same = np.diff(sums[order]) <= np.linalg.norm(r) * most
    near = np.flatnonzero(same)
    for start in range(0, len(near), COLUMNS):
        places = near[start : start + COLUMNS]
        one, other = order[places], order[places + 1]
        apart = np.sqrt(((W[:, one] - W[:, other]) ** 2).sum(axis=0) + (b[one] - b[other]) ** 2)
        same[places] = apart <= most[places]
    return float((np.append(same, False) | np.insert(same, 0, False)).mean())


def histogram(layer: str, of: Of, values: Array, slopes: np.ndarray | None = None, **shares: float | None) -> LayerHistogram:
    """How those numbers are spread; `slopes` of the activation at each of them give the shares."""
    numbers = to_host(values).ravel().astype(np.float64)
    numbers = numbers[np.abs(numbers) < HUGE]
    if slopes is not None:
        shares = {
            "dead": float((slopes == 0).all(axis=tuple(range(slopes.ndim - 1))).mean()),
            "saturated": float((np.abs(slopes) < FLAT).mean()),
        }
    count = len(numbers)
    numbers = numbers if count else np.zeros(1)
    low, high = float(numbers.min()), float(numbers.max())
    width = _width(low, high)
    first, last = math.floor(low / width), math.floor(high / width)
    counts = np.zeros(last - first + 1, np.int64)
    for start in range(0, count, BLOCK):
        places = np.floor(numbers[start : start + BLOCK] / width).astype(np.int64)
        counts += np.bincount(places - first, minlength=len(counts))
    return LayerHistogram(
        layer=layer,
        of=of,
        count=count,
        mean=float(numbers.mean()),
        std=float(numbers.std()),
        min=low,
        max=high,
        edges=[place * width for place in range(first, last + 2)],
        counts=counts.tolist(),
        **shares,
    )


def _width(low: float, high: float) -> float:
    """The narrowest power of two by which so wide a range fits into the bins; numbers that are all but one are given room."""
    largest = max(abs(low), abs(high))
    span = max(high - low, NARROWEST * largest) or NARROWEST
    return math.ldexp(1.0, max(-1000, math.frexp(span / (BINS - 1))[1]))


def in_common_bins(found: Sequence[LayerHistogram]) -> tuple[list[float], list[list[int] | None]]:
    """Edges that are common to those histograms, and the counts of each between them: the same numbers, counted exactly.
    None for one whose edges are not aligned.
    """
    aligned = [each for each in found if each.is_aligned]
    if not aligned:
        return [], [None] * len(found)
    low, high = min(each.edges[0] for each in aligned), max(each.edges[-1] for each in aligned)
    width = max(_width(low, high), *(each.edges[1] - each.edges[0] for each in aligned))
    first, last = math.floor(low / width), math.ceil(high / width)
    counted: list[list[int] | None] = []
    for each in found:
        places = np.floor(np.array(each.edges[:-1]) / width).astype(np.int64) - first
        counts = np.bincount(places, weights=each.counts, minlength=last - first) if each.is_aligned else None
        counted.append(None if counts is None else counts.astype(np.int64).tolist())
    return [place * width for place in range(first, last + 1)], counted
