"""Products of matrices in strips within compiled code against NumPy's."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.fast.gemm import MULTIPLY, MULTIPLY_TURNED, TURN_PART
from engine.fast.microkernel import STRIP, TILE
from tests.engine.fast.test_kernels import call

SIZES = st.integers(1, 70)
WRONG = 1e9
"""What stands beside a matrix, where nothing may be read or written."""
both_types = pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)


def strip_of(dtype: Any) -> int:
    return STRIP // np.dtype(dtype).itemsize


def batch(matrix: np.ndarray) -> np.ndarray:
    """A batch in strips (strips, rows and a tile more, strip), with what is wrong wherever there is none of it."""
    strip, (rows, columns) = strip_of(matrix.dtype), matrix.shape
    strips = np.full((-(-columns // strip), rows + TILE, strip), WRONG, matrix.dtype)
    for left in range(0, columns, strip):
        part = matrix[:, left : left + strip]
        strips[left // strip, :rows, : part.shape[1]] = part
    return strips


def flat(strips: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The matrix that lies in those strips."""
    return np.concatenate(list(strips[:, :rows]), axis=1)[:, :columns]


def weights(matrix: np.ndarray) -> np.ndarray:
    """Weights in strips, with what is wrong behind their end, which may be read and not counted."""
    strip = strip_of(matrix.dtype)
    strips = [matrix[:, left : left + strip].ravel() for left in range(0, matrix.shape[1], strip)]
    return np.concatenate([*strips, np.full(strip, WRONG, matrix.dtype)])


def product(A: np.ndarray, B: np.ndarray) -> np.ndarray:
    """A B, strip by strip."""
    strip, (rows, terms), columns = strip_of(A.dtype), A.shape, B.shape[1]
    left, right = batch(A), weights(B)
    C = np.full((-(-columns // strip), rows + TILE, strip), WRONG, A.dtype)
    for index, start in enumerate(range(0, columns, strip)):
        width = min(strip, columns - start)
        call(MULTIPLY, C[index], left, left[0].size - strip, rows, right[start * terms :], width, terms)
    assert (C[:, -(-rows // TILE) * TILE :] == WRONG).all()
    return flat(C, rows, columns)


def drawn(seed: int, rows: int, columns: int, dtype: Any) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, columns)).astype(dtype)


def agree(found: np.ndarray, A: np.ndarray, B: np.ndarray, before: float = 0.0) -> None:
    exact = before + A.astype(np.float64) @ B.astype(np.float64)
    most = abs(before) + np.abs(A).astype(np.float64) @ np.abs(B).astype(np.float64)
    assert (np.abs(found - exact) <= (A.shape[1] + 3) * np.finfo(found.dtype).eps * most).all()


@both_types
@given(rows=SIZES, terms=SIZES, columns=SIZES, seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_products_are_numpys(rows: int, terms: int, columns: int, seed: int, dtype: Any) -> None:
    A, B = drawn(seed, rows, terms, dtype), drawn(seed + 1, terms, columns, dtype)
    agree(product(A, B), A, B)


@both_types
@pytest.mark.parametrize("more", [0, 1], ids=["written", "added"])
@given(terms=SIZES, inputs=SIZES, columns=st.integers(1, 32), seed=st.integers(0, 99), data=st.data())
@settings(max_examples=60, deadline=None)
def test_products_of_a_transpose_are_numpys(
    terms: int, inputs: int, columns: int, seed: int, data: Any, dtype: Any, more: int
) -> None:
    strip = strip_of(dtype)
    columns = min(columns, strip)
    A, B = drawn(seed, terms, inputs, dtype), drawn(seed + 1, terms, columns, dtype)
    first = data.draw(st.integers(0, (inputs - 1) // TILE)) * TILE
    rows = min(TILE, inputs - first)
    left = batch(A)[first // strip].ravel()[first % strip :]
    C, scratch = np.full((rows + 2, columns), 2.0, dtype), np.empty(TILE * strip, dtype)
    call(MULTIPLY_TURNED, C[1:-1], rows, columns, left, batch(B)[0], terms, more, scratch)
    agree(C[1:-1], A[:, first : first + rows].T, B, before=2.0 * more)
    assert (C[[0, -1]] == 2.0).all()


@both_types
@given(inputs=SIZES, outputs=SIZES, seed=st.integers(0, 99), data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_transpose_is_put_together_from_its_parts(inputs: int, outputs: int, seed: int, data: Any, dtype: Any) -> None:
    strip, W = strip_of(dtype), drawn(seed, inputs, outputs, dtype)
    cut = data.draw(st.integers(0, (inputs - 1) // TILE)) * TILE
    turned, source = np.full(W.size + strip, WRONG, dtype), weights(W)
    for left in range(0, outputs, strip):
        width = min(strip, outputs - left)
        for first, rows in ((0, cut), (cut, inputs - cut)):
            part = source[left * inputs + first * width :]
            call(TURN_PART, turned, part, first, rows, width, inputs, left, outputs)
    np.testing.assert_array_equal(turned, weights(W.T))


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
