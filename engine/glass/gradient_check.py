"""The gradient of backpropagation held against the slope of the cost itself, parameter by parameter."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.network.backpropagation import Backpropagation
from engine.network.network import Network

STEP = float(np.finfo(np.float64).eps ** (1 / 3))
"""Step of a central difference, relative to the parameter; it balances rounding and curvature (Press et al. 2007, 5.7)."""
CLOSE = 1e-5
"""Two slopes agree whose difference is that small beside the larger, but for rounding."""
ROUNDING = 16 * float(np.finfo(np.float64).eps)
"""How far J, which sums many numbers up, may be from what it should be, beside its size."""
UNIT, LAYER, SIZE = 15, 30_000, 25
"""Costs, in multiplications, nearly: a unit's activation of a row, the calls of a layer, and |W| for its penalty."""


@dataclass(frozen=True)
class Slope:
    """∂J/∂θᵢ twice. `index` is the place within the layer's W (input, output) or b (output)."""

    layer: str
    name: str
    index: tuple[int, ...]
    value: float
    analytic: float
    numeric: float
    error: float
    """Their difference beside the larger of the two, 0 where both are."""
    agrees: bool


def count_products(descent: Backpropagation) -> int:
    """How many multiplications' time a parameter's slope takes, nearly: J twice."""
    network, rows, (l1, _) = descent.network, len(descent.X), descent.penalties
    units = sum(layer.outputs for layer in network.layers)
    products = network.products * rows + network.parameters.size * SIZE * bool(l1)
    return 2 * (products + UNIT * units * rows + LAYER * len(network.layers))


@np.errstate(over="ignore", invalid="ignore")  # what is no number does not agree
def check_gradient(descent: Backpropagation, most: int) -> list[Slope]:
    """Both slopes at the present θ, of every parameter or of `most` of them that lie evenly over all. θ stays as it is.

    At a corner of the cost (ReLU at 0, a hinge) the two differ honestly: the difference looks at both sides of it.
    """
    assert descent.network.dtype == np.float64 and descent.masked is None
    theta, gradient = descent.network.parameters.theta, descent.network.parameters.gradient
    cost = descent.forward()
    descent.backward()
    analytic = gradient.copy()
    chosen = np.unique(np.linspace(0, theta.size - 1, min(most, theta.size)).round().astype(int))
    numeric = [_difference(descent, place) for place in chosen]
    rounding = ROUNDING * abs(cost) / STEP
    return [
        _slope(named, theta[place], analytic[place], found, rounding)
        for named, place, found in zip(_named(descent.network, chosen), chosen, numeric, strict=True)
    ]


def _named(network: Network, chosen: np.ndarray) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """The layer, the name and the index of each of those places (m,) in θ, which are in order."""
    start = 0
    for layer, bound in zip(network.names, network.layers, strict=True):
        for array in bound.parameters:
            end = start + array.size
            for place in chosen[(chosen >= start) & (chosen < end)]:
                yield layer, array.name, tuple(int(part) for part in np.unravel_index(place - start, array.shape))
            start = end


def _difference(descent: Backpropagation, place: int) -> float:
    """(J(θᵢ + h) − J(θᵢ − h)) / 2h."""
    theta = descent.network.parameters.theta
    value, step = theta[place], STEP * max(1.0, abs(theta[place]))
    costs = []
    for moved in (value + step, value - step):
        theta[place] = moved
        costs.append(descent.forward())
    theta[place] = value
    return (costs[0] - costs[1]) / ((value + step) - (value - step))


def _slope(place: tuple[str, str, tuple[int, ...]], value: float, analytic: float, numeric: float, rounding: float) -> Slope:
    difference, larger = abs(analytic - numeric), max(abs(analytic), abs(numeric))
    error = difference / larger if larger else 0.0
    agrees = math.isfinite(difference) and difference <= CLOSE * larger + rounding
    return Slope(*place, float(value), float(analytic), float(numeric), float(error), bool(agrees))
