"""The filters of a network's convolutions, and the maps that each layer of images makes of one image."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from engine.backend import Array, to_host
from engine.errors import InvalidSpec
from engine.network.layers.base import BoundLayer, spelled
from engine.network.layers.conv2d import Conv2d
from engine.network.network import Network

INPUT = "input"
"""The name that stands for the image itself, as it reaches the network."""


@dataclass(frozen=True)
class Filters:
    """A convolution's weights (height, width, channels that a filter reads, filters) and bias (filters,), None without one.

    `reads` (channels, filters) says which of these channels each filter is connected to; where it is not, the weight is 0.
    `layers` names all convolutions of the network; `sees_image` says whether the filters read the image itself.
    """

    name: str
    layers: list[str]
    layer: BoundLayer
    weights: Array
    bias: Array | None
    reads: Array
    sees_image: bool


@dataclass(frozen=True)
class FeatureMaps:
    """What a layer answers to one image, A (height, width, maps), and the sums Z that its activation bends, None where it has
    none. `layer` is None for the image itself. `layers` names all that make images, and the image.
    """

    name: str
    layers: list[str]
    layer: BoundLayer | None
    maps: Array
    sums: Array | None


def filters(network: Network, name: str | None = None) -> Filters:
    """The filters of the convolution of that name, by default of the first.

    Raises InvalidSpec, at `/layer` for a name of none, at `/job_id` for a network without any.
    """
    known = [each for each, layer in _named(network) if isinstance(layer.rule, Conv2d)]
    if not known:
        raise InvalidSpec([("/job_id", f"its model has no convolution, so it has no filters; {_layers_told(network)}")])
    place = _place(network, known, known[0] if name is None else name)
    layer, views = network.layers[place], network.parameters.layers[place]
    rule = layer.rule
    assert isinstance(rule, Conv2d)
    channels = layer.input_shape[-1] // rule.groups
    reads = np.ones((channels, rule.filters), bool)
    if rule.connections is not None:
        reads[:] = [[channel in read for read in rule.connections] for channel in range(channels)]
    bias = None if views.b is None else to_host(views.b)
    return Filters(network.names[place], known, layer, to_host(rule.full(views.W, channels)), bias, reads, place == 0)


@np.errstate(over="ignore", invalid="ignore")  # weights that went astray are shown as they are
def feature_maps(network: Network, X: Array, name: str | None = None) -> FeatureMaps:
    """What the layer of that name answers to an image, X (1, d), by default the first that makes images; `input` is the
    image itself. Dropout silences nothing, and batch normalization goes by its running statistics.

    Raises InvalidSpec as `filters` does.
    """
    images = [each for each, layer in _named(network) if len(layer.output_shape) == 3]
    if not images:
        raise InvalidSpec([("/job_id", f"no layer of its model makes images, so it has no maps; {_layers_told(network)}")])
    known = [INPUT, *images]
    if name == INPUT:
        return FeatureMaps(INPUT, known, None, to_host(X).reshape(network.layers[0].input_shape), None)
    place = _place(network, known, images[0] if name is None else name)
    workspace = network.new_workspace(1)
    network.forward(network.xp.asarray(X), workspace)
    layer, at = network.layers[place], workspace.passes[place]
    bent = layer.rule.bent(at)
    sums = None if bent is None or bent is at.A else to_host(bent)[0]
    return FeatureMaps(network.names[place], known, layer, to_host(at.A)[0], sums)


def _named(network: Network) -> Iterator[tuple[str, BoundLayer]]:
    return zip(network.names, network.layers, strict=True)


def _place(network: Network, known: list[str], name: str) -> int:
    if name not in known:
        raise InvalidSpec([("/layer", f"no such layer '{name}'; there are {', '.join(known)}")])
    return network.names.index(name)


def _layers_told(network: Network) -> str:
    told = ", ".join(f"{name} ({layer.kind}, {spelled(layer.output_shape)})" for name, layer in _named(network))
    return f"its layers are {told}; train a network with a conv2d layer, or lenet5"


def extent(values: Array, around_zero: bool = False) -> tuple[float, float]:
    """The numbers that are drawn black and white: the least and the greatest that are finite, or as far below 0 as above."""
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    if around_zero:
        high = max(abs(low), abs(high))
        low = -high
    return (low, high) if low < high else (low - 0.5, high + 0.5)
