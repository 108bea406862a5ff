"""Where a team's numbers lie."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.fast import packing
from engine.fast.team_step import BLOCK, FIRST, LAYER, OFFSET, OFFSET_B, PIECE, ROWS, SQUARES, WIDTH
from engine.fast.tiles import TILE
from engine.network.layers.dense import dense
from engine.network.network import Network
from engine.parts.activations import Relu


@st.composite
def networks(draw: Any) -> Network:
    widths = draw(st.lists(st.integers(1, 90), min_size=2, max_size=4))
    shapes = pairwise(widths)
    layers = [dense(inputs, outputs, Relu(), bias=draw(st.booleans())) for inputs, outputs in shapes]
    return Network(layers, draw(st.sampled_from([np.float32, np.float64])), np)


def counted(network: Network) -> np.ndarray:
    return np.arange(network.parameters.size).astype(network.dtype)


@given(networks())
@settings(max_examples=50, deadline=None)
def test_what_is_put_in_strips_comes_back(network: Network) -> None:
    flat, stripped, back = counted(network), packing.room(network), np.zeros(network.parameters.size, network.dtype)
    packing.put(network, flat, stripped)
    np.testing.assert_array_equal(np.sort(stripped[: flat.size]), flat)
    packing.put_back(network, stripped, back)
    np.testing.assert_array_equal(back, flat)


@given(networks())
@settings(max_examples=50, deadline=None)
def test_the_pieces_are_the_whole(network: Network) -> None:
    found: list[int] = []
    for piece in packing.pieces(network)[0]:
        size = piece[ROWS] * piece[WIDTH]
        assert piece[ROWS] <= PIECE
        found += range(piece[OFFSET], piece[OFFSET] + size)
        if piece[OFFSET_B] >= 0:
            assert piece[FIRST] == 0
            found += range(piece[OFFSET_B], piece[OFFSET_B] + piece[WIDTH])
    assert sorted(found) == list(range(network.parameters.size))


@given(networks())
@settings(max_examples=50, deadline=None)
def test_the_sums_of_squares_of_pieces_are_apart(network: Network) -> None:
    pieces, many = packing.pieces(network)
    found: list[int] = []
    for piece in pieces:
        block = piece[BLOCK]
        assert piece[FIRST] % block == 0
        outputs = network.layers[piece[LAYER]].outputs
        for index in range(-1 if piece[FIRST] == 0 else 0, -(-piece[ROWS] // block)):
            start = piece[SQUARES] + index * outputs
            found += range(start, start + piece[WIDTH])
    assert sorted(found) == list(range(many))


@given(networks())
@settings(max_examples=50, deadline=None)
def test_the_transpose_is_what_it_says(network: Network) -> None:
    """Wᵀ in packing, where the table has it, are the rows of W in strips of its own inputs."""
    network.parameters.theta[:] = counted(network)
    places, size = packing.transposed_table(network)
    transposed, strip = np.zeros(size, network.dtype), packing.strip_of(network)
    packing.put_transposed(network, transposed)
    for index, views in enumerate(network.parameters.layers[1:], start=1):
        parts = [views.W[first : first + strip].T.ravel() for first in range(0, len(views.W), strip)]
        np.testing.assert_array_equal(transposed[places[index] :][: views.W.size], np.concatenate(parts))


def test_a_large_layer_is_cut_into_enough_pieces_to_share_out() -> None:
    network = Network([dense(784, 256, Relu()), dense(256, 10, Relu())], np.float32, np)
    of_layer = np.bincount(packing.pieces(network)[0][:, LAYER])
    assert (of_layer >= 16).all()


@pytest.mark.parametrize("rows", [1, 8, 100])
def test_a_strip_has_room_for_whole_tiles(rows: int) -> None:
    assert packing.height(rows) >= rows + TILE
    assert packing.height(rows) % TILE == 0
