"""Planes through the weights of a trained network: along random directions, chosen parameters, or the way that the run took."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from engine.backend import Array
from engine.errors import InvalidSpec
from engine.forms import ByKind
from engine.network.layers.conv2d import Conv2d
from engine.network.network import Network
from engine.network.parameters import layer_views
from engine.randomness import generator
from engine.spec import Described, NonNegativeInt, Seed, spec

FEWEST = 3
"""The fewest points of a run that principal directions are found of: two span a line."""
MARGIN = 0.15
"""Share of a path's extent that is added at either end."""


@spec
class RandomDirections(Described):
    """Two random directions; in each unit or filter as long as its own weights, and 0 in what is no weight."""

    formula: ClassVar[str] = (
        r"\delta_{i,j} \leftarrow \frac{d_{i,j}}{|d_{i,j}|}\,|\theta^*_{i,j}|, \quad d \sim \mathcal{N}(0, I)"
    )
    source: ClassVar[str] = "Li, Xu, Taylor, Studer and Goldstein, Visualizing the Loss Landscape of Neural Nets, 2018"
    kind: Literal["random"] = "random"
    seed: Seed = 0


@spec
class ParameterPlace:
    """One parameter of a network."""

    layer: Annotated[str, Field(examples=["output"], description="the layer's name, as /weights has it")]
    name: str = Field(default="W", description="W or b; gamma, beta of a batch normalization")
    index: Annotated[
        tuple[NonNegativeInt, ...],
        Field(
            max_length=4,
            examples=[[0, 0]],
            description="(input, unit) of W, (row, column, channel, filter) of a filter's; (unit,) of b",
        ),
    ]


@spec
class WeightDirections(Described):
    """Two chosen parameters: the cost as these two alone change."""

    formula: ClassVar[str] = r"\delta = e_i, \quad \eta = e_j"
    source: ClassVar[str] = ""
    kind: Literal["weights"] = "weights"
    first: ParameterPlace
    second: ParameterPlace


@spec
class PrincipalDirections(Described):
    """The two directions in which the run's weights moved most: the first two principal components of its checkpoints."""

    formula: ClassVar[str] = r"M = [\theta_0 - \theta^*; \ldots; \theta_n - \theta^*], \quad \delta, \eta \text{ of PCA}(M)"
    source: ClassVar[str] = (
        "Li, Xu, Taylor, Studer and Goldstein, Visualizing the Loss Landscape of Neural Nets, 2018, section 7"
    )
    kind: Literal["principal"] = "principal"


Directions = Annotated[RandomDirections | WeightDirections | PrincipalDirections, ByKind()]


@dataclass(frozen=True)
class Plane:
    """The plane through θ* (p,) along δ and η (2, p), and the share of the run's movement that each explains, of principal
    ones.
    """

    center: Array
    along: Array
    explained: tuple[float, float] | None = None

    def at(self, alpha: float, beta: float) -> Array:
        """θ (p,) at a point of it."""
        point: Array = self.center + alpha * self.along[0] + beta * self.along[1]
        return point

    def nearest(self, theta: Array) -> tuple[float, float, float]:
        """The point (α, β) of the plane that is nearest to θ (p,), and how far off it θ lies."""
        moved = theta - self.center
        found = np.linalg.lstsq(self.along.T, moved, rcond=None)[0]
        return float(found[0]), float(found[1]), float(np.linalg.norm(moved - found @ self.along))


def plane_of(directions: Directions, network: Network, run: Sequence[Array]) -> Plane:
    """The plane through the network's θ. `run` are the weights (p,) of the run's checkpoints, the first one first.

    Raises InvalidSpec, at `/directions` or a field of it, where there is none.
    """
    center = network.parameters.theta.astype(np.float64)
    if center.size < 2:
        raise InvalidSpec([("/directions", "its model has one parameter, and a slice takes two; choose a model of more")])
    if isinstance(directions, PrincipalDirections):
        return _principal(center, run)
    if isinstance(directions, WeightDirections):
        places = [
            _place(network, each, f"/directions/{at}")
            for at, each in (("first", directions.first), ("second", directions.second))
        ]
        if places[0] == places[1]:
            raise InvalidSpec([("/directions/second", "both are the same parameter; choose two")])
        along = np.zeros((2, center.size))
        along[[0, 1], places] = 1
        return Plane(center, along)
    return Plane(center, np.stack([_random(network, directions.seed, which) for which in (0, 1)]))


def _random(network: Network, seed: int, which: int) -> Array:
    """A direction (p,) drawn from the seed, each filter's part as long as the filter."""
    rng, theta = generator(seed, "slice", which), network.parameters.theta.astype(np.float64)
    direction = np.zeros_like(theta)
    shapes = [layer.parameters for layer in network.layers]
    parts = zip(network.layers, layer_views(direction, theta, shapes), strict=True)
    for layer, views in parts:
        for drawn, weights in views.weights():
            drawn[...] = rng.standard_normal(drawn.shape)
            filters = _filters(layer.rule, drawn.shape[-1])
            drawn *= _lengths(weights, filters) / _lengths(drawn, filters)
    return direction


def _filters(rule: object, last: int) -> Array:
    """Which filter or unit each place of the last axis of its weights belongs to (last,)."""
    connections = rule.connections if isinstance(rule, Conv2d) else None
    return (
        np.arange(last) if connections is None else np.repeat(np.arange(len(connections)), [len(read) for read in connections])
    )


def _lengths(weights: Array, filters: Array) -> Array:
    """The length of the filter that each place of the last axis belongs to (last,)."""
    squares = np.square(weights).reshape(-1, weights.shape[-1]).sum(axis=0)
    lengths: Array = np.sqrt(np.bincount(filters, squares))[filters]
    return lengths


def _place(network: Network, wanted: ParameterPlace, pointer: str) -> int:
    """Its place in θ."""
    start = 0
    for name, layer in zip(network.names, network.layers, strict=True):
        for array in layer.parameters:
            if (name, array.name) == (wanted.layer, wanted.name):
                if len(wanted.index) != len(array.shape) or any(
                    a >= b for a, b in zip(wanted.index, array.shape, strict=False)
                ):
                    shape = " × ".join(map(str, array.shape))
                    detail = f"{array.name} of {name} is {shape}, counted from 0; {list(wanted.index)} is no place in it"
                    raise InvalidSpec([(f"{pointer}/index", detail)])
                return start + int(np.ravel_multi_index(wanted.index, array.shape))
            start += array.size
    known = ", ".join(
        f"{array.name} of {name}"
        for name, layer in zip(network.names, network.layers, strict=True)
        for array in layer.parameters
    )
    raise InvalidSpec([(pointer, f"there is no {wanted.name} of {wanted.layer}; there is {known}")])


def _principal(center: Array, run: Sequence[Array]) -> Plane:
    """By the products of the checkpoints with each other, of which there are fewer than parameters."""
    remedy = "lower record.checkpoint_every in a new job, or choose random directions"
    if len(run) < FEWEST:
        detail = f"of this run the weights of {len(run)} epochs are kept, and principal directions take {FEWEST}; {remedy}"
        raise InvalidSpec([("/directions", detail)])
    moved = np.stack(run).astype(np.float64) - center
    moved -= moved.mean(axis=0)
    _, lengths, along = np.linalg.svd(moved, full_matrices=False)
    if lengths[1] <= np.finfo(np.float64).eps * max(moved.shape) * lengths[0]:
        raise InvalidSpec([("/directions", f"the weights of this run moved along one line, or not at all; {remedy}")])
    shares = lengths**2 / np.sum(lengths**2)
    return Plane(center, along[:2], (float(shares[0]), float(shares[1])))


def frame(plane: Plane, path: Sequence[tuple[float, float]], extent: float | None, resolution: int) -> tuple[Array, Array]:
    """α and β (resolution,) each, evenly spaced from −extent to extent; of principal directions by default over the path."""
    if extent is not None or plane.explained is None:
        reach = extent or 1.0
        return np.linspace(-reach, reach, resolution), np.linspace(-reach, reach, resolution)
    first, second = (_over(np.array([0.0, *places]), resolution) for places in zip(*path, strict=True))
    return first, second


def _over(places: Array, resolution: int) -> Array:
    beyond = MARGIN * float(np.ptp(places)) or 1.0
    return np.linspace(places.min() - beyond, places.max() + beyond, resolution)
