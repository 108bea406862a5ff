"""The layout of a large network's numbers while a team trains it: every W in strips (see gemm.py), and scratch space."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.backend import Array
from engine.fast.team_step import MOST, PIECE, SUMS
from engine.fast.tiles import STRIP, TILE
from engine.network.network import Network

LINE = 64
"""Bytes of a line of the cache."""
PIECES = 32
"""Pieces that a layer is cut into where it is large enough, so that there is something to share out."""
BLOCK, SMALL_BLOCK = 48, 16
"""Rows of W whose gradient's squares are added up, column by column; the second where a layer has few weights. Pieces consist
of blocks, which depend on no tile: so neither does |∇|.
"""
FEW = 1 << 16
"""Weights of a layer that are not few any more."""


def strip_of(network: Network) -> int:
    """How many columns a strip has in the network's float type."""
    return STRIP // network.dtype.itemsize


def height(rows: int) -> int:
    """Rows allotted to each strip of a batch: room for whole tiles, and one more, so that its strips do not all fall on the
    same lines of a cache.
    """
    return -(-rows // TILE) * TILE + TILE


def table(network: Network, rows: int) -> tuple[Array, int]:
    """One row a layer, with the columns that fused_step.py names: its sizes, and where its weights stand in θ and its arrays in
    the space of a batch; and how large the space is.
    """
    strip = strip_of(network)

    def area(columns: int) -> int:
        return -(-columns // strip) * strip * height(rows)

    found, weights, A_in, free = [], 0, 0, area(network.layers[0].inputs)
    for layer in network.layers:
        bias = weights + layer.inputs * layer.outputs if layer.bias else -1
        Z, A, D = (free + i * area(layer.outputs) for i in range(3))
        found.append((layer.inputs, layer.outputs, weights, bias, A_in, Z, A, D))
        weights, A_in, free = weights + layer.size, A, free + 3 * area(layer.outputs)
    return np.array(found, np.int64), free


def transposed_table(network: Network) -> tuple[Array, int]:
    """The start of each layer's Wᵀ, except the first one's, which nobody asks for; and how large the space is."""
    sizes = [0, *(layer.inputs * layer.outputs for layer in network.layers[1:])]
    ends = np.cumsum(sizes)
    return (ends - sizes).astype(np.int64), int(ends[-1]) + strip_of(network)


def pieces(network: Network) -> tuple[Array, int]:
    """Pieces of the second phase, in which gradients are taken, with the columns that team_step.py names, and how many sums of
    squares there are: of each layer one for each b, then one for each column of each block of rows.

    Pieces that follow each other have the same rows, whose activations so stay in the cache. The first layer, whose weights
    the next pass needs first, comes last.
    """
    strip, found, squares = strip_of(network), [], 0
    end = network.parameters.size
    for index in range(len(network.layers) - 1, -1, -1):
        layer = network.layers[index]
        weights = end = end - layer.size
        lefts = range(0, layer.outputs, strip)
        rows = min(PIECE, -(-layer.inputs * len(lefts) // PIECES))
        block = SMALL_BLOCK if layer.inputs * layer.outputs < FEW else BLOCK
        rows = -(-rows // block) * block
        for first in range(0, layer.inputs, rows):
            for left in lefts:
                width = min(strip, layer.outputs - left)
                bias = weights + layer.inputs * layer.outputs + left if layer.bias and first == 0 else -1
                offset = weights + left * layer.inputs + first * width
                sums = squares + (1 + first // block) * layer.outputs + left
                found.append((index, first, min(rows, layer.inputs - first), left, width, offset, bias, sums, block))
        squares += (1 + -(-layer.inputs // block)) * layer.outputs
    return np.array(found, np.int64), squares


def zeros(size: int, dtype: Any) -> Array:
    """An array that begins a line of the cache, so that whole registers of it do, too."""
    spare = np.zeros(size * np.dtype(dtype).itemsize + LINE, np.uint8)
    start = -spare.ctypes.data % LINE
    return spare[start : start + size * np.dtype(dtype).itemsize].view(dtype)


def room(network: Network) -> Array:
    """For a vector of parameters in strips, which may be read beyond its end."""
    return zeros(network.parameters.size + strip_of(network), network.dtype)


def _pairs(network: Network, flat: Array, stripped: Array) -> Iterator[tuple[Array, Array]]:
    """The same numbers of a vector of parameters (p,) as it is elsewhere and in strips, as views of one shape each."""
    strip, start = strip_of(network), 0
    for layer in network.layers:
        inputs, outputs = layer.inputs, layer.outputs
        whole, end = outputs // strip * strip, start + inputs * outputs
        W, rest = flat[start:end].reshape(inputs, outputs), start + inputs * whole
        yield W[:, :whole].reshape(inputs, -1, strip), stripped[start:rest].reshape(-1, inputs, strip).swapaxes(0, 1)
        yield W[:, whole:], stripped[rest:end].reshape(inputs, outputs - whole)
        start += layer.size
        yield flat[end:start], stripped[end:start]


def put(network: Network, flat: Array, stripped: Array) -> None:
    """Write a vector of parameters (p,) in strips."""
    for here, there in _pairs(network, flat, stripped):
        there[...] = here


def put_back(network: Network, stripped: Array, flat: Array) -> None:
    """The reverse of `put`."""
    for here, there in _pairs(network, flat, stripped):
        here[...] = there


def put_transposed(network: Network, transposed: Array) -> None:
    """Write every layer's Wᵀ but the first one's in strips."""
    strip, start = strip_of(network), 0
    for views in network.parameters.layers[1:]:
        for first in range(0, len(views.W), strip):
            part = views.W[first : first + strip]
            transposed[start : start + part.size].reshape(part.T.shape)[...] = part.T
            start += part.size


def own_size(network: Network) -> int:
    """Scratch of a member: for the losses of its rows, or for a piece's gradient, its bias's, and a tile."""
    strip = strip_of(network)
    return max(3 * (network.outputs + 1) * MOST, SUMS, (PIECE + 1 + TILE) * strip)
