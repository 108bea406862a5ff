"""Products of matrices in strips within compiled code against NumPy's, and one tile against another."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.fast.gemm import SHARE, products
from engine.fast.tiles import TILES, USED, Tile
from tests.engine.fast.test_kernels import call

SIZES = st.integers(1, 70)
WRONG = 1e9
"""What stands beside a matrix, where nothing may be read or written."""
both_types = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)


def strip_of(dtype: Any, tile: Tile = USED) -> int:
    return tile.strip // np.dtype(dtype).itemsize


def batch(matrix: np.ndarray, tile: Tile = USED) -> np.ndarray:
    """A batch in strips (strips, rows and a tile more, strip), with what is wrong wherever there is none of it."""
    strip, (rows, columns) = strip_of(matrix.dtype, tile), matrix.shape
    strips = np.full((-(-columns // strip), rows + tile.rows, strip), WRONG, matrix.dtype)
    for left in range(0, columns, strip):
        part = matrix[:, left : left + strip]
        strips[left // strip, :rows, : part.shape[1]] = part
    return strips


def flat(strips: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The matrix that lies in those strips."""
    return np.concatenate(list(strips[:, :rows]), axis=1)[:, :columns]


def weights(matrix: np.ndarray, tile: Tile = USED) -> np.ndarray:
    """Weights in strips, with what is wrong behind their end, which may be read and not counted."""
    strip = strip_of(matrix.dtype, tile)
    strips = [matrix[:, left : left + strip].ravel() for left in range(0, matrix.shape[1], strip)]
    return np.concatenate([*strips, np.full(strip, WRONG, matrix.dtype)])


def product(A: np.ndarray, B: np.ndarray, tile: Tile = USED, parts: int = 1) -> np.ndarray:
    """A B, strip by strip, its terms in so many parts."""
    strip, (rows, terms), columns = strip_of(A.dtype, tile), A.shape, B.shape[1]
    left, right = batch(A, tile), weights(B, tile)
    C = np.full((-(-columns // strip), rows + SHARE, strip), WRONG, A.dtype)
    depth = -(-terms // (parts * strip)) * strip
    for first in range(0, terms, depth):
        for index, start in enumerate(range(0, columns, strip)):
            width = min(strip, columns - start)
            here, there = left[first // strip :], right[start * terms + first * width :]
            block_gap, many = left[0].size - strip, min(depth, terms - first)
            call(products(tile).multiply, C[index], here, block_gap, rows, there, width, many, first, there)
    assert (C[:, -(-rows // SHARE) * SHARE :] == WRONG).all()
    return flat(C, rows, columns)


def product_of_a_transpose(A: np.ndarray, B: np.ndarray, first: int, tile: Tile = USED, more: int = 0) -> np.ndarray:
    """Aᵀ B from row `first` on, as many rows as a tile has; added to 2 if `more`. B is one strip."""
    strip, dtype, (terms, inputs) = strip_of(A.dtype, tile), A.dtype, A.shape
    rows, limit = min(tile.rows, inputs - first), strip - first % strip
    left = batch(A, tile)
    jump = left[0].size - strip if first + limit < inputs else 0
    C, scratch = np.full((rows + 2, B.shape[1]), 2.0, dtype), np.empty(tile.rows * strip, dtype)
    here = left[first // strip :].ravel()[first % strip :]
    call(
        products(tile).multiply_transposed,
        C[1:-1],
        rows,
        B.shape[1],
        here,
        limit,
        jump,
        batch(B, tile)[0],
        terms,
        more,
        scratch,
    )
    assert (C[[0, -1]] == 2.0).all()
    return C[1:-1]


def drawn(seed: int, rows: int, columns: int, dtype: Any) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, columns)).astype(dtype)


def agree(found: np.ndarray, A: np.ndarray, B: np.ndarray, before: float = 0.0) -> None:
    exact = before + A.astype(np.float64) @ B.astype(np.float64)
    most = abs(before) + np.abs(A).astype(np.float64) @ np.abs(B).astype(np.float64)
    assert (np.abs(found - exact) <= (A.shape[1] + 3) * np.finfo(found.dtype).eps * most).all()


@both_types
@given(rows=SIZES, terms=SIZES, columns=SIZES, seed=st.integers(0, 99), parts=st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_products_are_numpys(rows: int, terms: int, columns: int, seed: int, parts: int, dtype: Any) -> None:
    A, B = drawn(seed, rows, terms, dtype), drawn(seed + 1, terms, columns, dtype)
    agree(product(A, B, parts=parts), A, B)


@both_types
@pytest.mark.parametrize("more", [0, 1], ids=["written", "added"])
@given(terms=SIZES, inputs=SIZES, columns=st.integers(1, 32), seed=st.integers(0, 99), data=st.data())
@settings(max_examples=60, deadline=None)
def test_products_of_a_transpose_are_numpys(
    terms: int, inputs: int, columns: int, seed: int, data: Any, dtype: Any, more: int
) -> None:
    columns = min(columns, strip_of(dtype))
    A, B = drawn(seed, terms, inputs, dtype), drawn(seed + 1, terms, columns, dtype)
    first = data.draw(st.integers(0, (inputs - 1) // USED.rows)) * USED.rows
    found = product_of_a_transpose(A, B, first, more=more)
    agree(found, A[:, first : first + len(found)].T, B, before=2.0 * more)


@pytest.mark.parametrize("name", TILES)
@given(rows=SIZES, terms=SIZES, columns=SIZES, seed=st.integers(0, 99), dtype=st.sampled_from([np.float32, np.float64]),
       parts=st.integers(1, 3))  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_every_tile_gives_the_same_bits(
    name: str, rows: int, terms: int, columns: int, seed: int, dtype: Any, parts: int
) -> None:
    """So warm-up may take any, and a job may go on where another was taken."""
    tile = TILES[name]
    A, B = drawn(seed, rows, terms, dtype), drawn(seed + 1, terms, columns, dtype)
    found = product(A, B, tile, parts)
    np.testing.assert_array_equal(found, product(A, B))
    D = drawn(seed + 2, rows, min(columns, strip_of(dtype), strip_of(dtype, tile)), dtype)
    whole = np.concatenate([product_of_a_transpose(A, D, first) for first in range(0, terms, USED.rows)])
    for first in range(0, terms, tile.rows):
        part = product_of_a_transpose(A, D, first, tile)
        np.testing.assert_array_equal(part, whole[first : first + len(part)])


@both_types
@given(inputs=SIZES, outputs=SIZES, seed=st.integers(0, 99), data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_transpose_is_put_together_from_its_parts(inputs: int, outputs: int, seed: int, data: Any, dtype: Any) -> None:
    strip, W = strip_of(dtype), drawn(seed, inputs, outputs, dtype)
    cut = data.draw(st.integers(0, (inputs - 1) // USED.side)) * USED.side
    transposed, source = np.full(W.size + strip, WRONG, dtype), weights(W)
    for left in range(0, outputs, strip):
        width = min(strip, outputs - left)
        for first, rows in ((0, cut), (cut, inputs - cut)):
            part = source[left * inputs + first * width :]
            call(products(USED).transpose_part, transposed, part, first, rows, width, inputs, left, outputs)
    np.testing.assert_array_equal(transposed, weights(W.T))


def test_the_bits_of_a_number_do_not_depend_on_where_its_row_stands() -> None:
    """So a batch may be shared out in any way."""
    A, B = drawn(0, 40, 33, np.float32), drawn(1, 33, 47, np.float32)
    whole = product(A, B)
    for start, end in ((0, 1), (3, 17), (5, 40), (33, 40)):
        np.testing.assert_array_equal(product(A[start:end].copy(), B), whole[start:end])


def test_what_is_no_number_is_not_hidden() -> None:
    A, B = np.zeros((9, 5), np.float32), np.ones((5, 3), np.float32)
    A[4, 2] = np.nan
    C = product(A, B)
    assert np.isnan(C[4]).all()
    assert np.isfinite(np.delete(C, 4, axis=0)).all()
