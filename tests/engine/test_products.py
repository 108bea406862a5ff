"""Products within compiled code against NumPy's."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.micro import STRIP, TILE
from engine.products import MULTIPLY, PACK, PACK_TURNED, packed_size
from tests.engine.test_kernels import call

SIZES = st.integers(1, 70)
WRONG = 1e9
"""What stands beside a matrix, where nothing may be read or written."""


def product(C: np.ndarray, A: np.ndarray, turned: bool, B: np.ndarray, cut: int) -> None:
    """C, a part of a larger matrix, = A B; Aᵀ is what lies in the memory if it is turned. B is packed in two parts."""
    (rows, terms), columns, width = A.shape, B.shape[1], C.strides[0] // C.itemsize
    left, across, along = (np.ascontiguousarray(A.T), 1, rows) if turned else (np.ascontiguousarray(A), terms, 1)
    packed = room(terms, columns, C.dtype)
    for first, part in ((0, B[:cut]), (cut, B[cut:])):
        call(PACK, part, columns, first, len(part), columns, packed, terms)
    call(MULTIPLY, C, width, left, across, along, rows, packed, terms, columns, np.empty(TILE * STRIP, C.dtype))


def product_with_transpose(C: np.ndarray, A: np.ndarray, B: np.ndarray, cut: int) -> None:
    """C = A Bᵀ, of which Bᵀ is packed in two parts."""
    (rows, terms), columns = A.shape, len(B)
    packed = room(terms, columns, C.dtype)
    for first, part in ((0, B[:cut]), (cut, B[cut:])):
        call(PACK_TURNED, part, terms, first, len(part), terms, packed)
    call(MULTIPLY, C, columns, A, terms, 1, rows, packed, terms, columns, np.empty(TILE * STRIP, C.dtype))


def room(rows: int, columns: int, dtype: Any) -> np.ndarray:
    """For a packed matrix."""
    return np.zeros(packed_size(rows, columns, np.dtype(dtype).itemsize), dtype)


def drawn(seed: int, rows: int, columns: int, dtype: Any) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, columns)).astype(dtype)


def agree(found: np.ndarray, A: np.ndarray, B: np.ndarray) -> None:
    exact = A.astype(np.float64) @ B.astype(np.float64)
    most = np.abs(A).astype(np.float64) @ np.abs(B).astype(np.float64)
    assert (np.abs(found - exact) <= (A.shape[1] + 2) * np.finfo(found.dtype).eps * most).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)
@pytest.mark.parametrize("turned", [False, True], ids=["as it is", "left transposed"])
@given(rows=SIZES, terms=SIZES, columns=SIZES, seed=st.integers(0, 99), data=st.data())
@settings(max_examples=60, deadline=None)
def test_products_are_numpys(rows: int, terms: int, columns: int, seed: int, data: Any, dtype: Any, turned: bool) -> None:
    A, B = drawn(seed, rows, terms, dtype), drawn(seed + 1, terms, columns, dtype)
    cut, beside = data.draw(st.integers(0, terms)), data.draw(st.integers(0, 5))
    C = np.full((rows + 2, columns + beside), WRONG, dtype)
    product(C[1:-1], A, turned, B, cut)
    agree(C[1:-1, :columns], A, B)
    C[1:-1, :columns] = WRONG
    assert (dtype(WRONG) == C).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda dtype: dtype.__name__)
@given(rows=SIZES, terms=SIZES, columns=SIZES, seed=st.integers(0, 99), data=st.data())
@settings(max_examples=60, deadline=None)
def test_products_with_a_transpose_are_numpys(rows: int, terms: int, columns: int, seed: int, data: Any, dtype: Any) -> None:
    A, B = drawn(seed, rows, terms, dtype), drawn(seed + 1, columns, terms, dtype)
    cut = data.draw(st.integers(0, columns // TILE)) * TILE
    C = np.empty((rows, columns), dtype)
    product_with_transpose(C, A, B, cut)
    agree(C, A, B.T)


def test_the_bits_of_a_number_do_not_depend_on_where_its_row_stands() -> None:
    """So the shares of a team may be cut anywhere."""
    A, B = drawn(0, 40, 33, np.float32), drawn(1, 33, 47, np.float32)

    def bits(rows: np.ndarray) -> np.ndarray:
        C = np.empty((len(rows), 47), np.float32)
        product(C, rows, False, B, 33)
        return C

    whole = bits(A)
    for start, end in ((0, 1), (3, 17), (5, 40), (33, 40)):
        np.testing.assert_array_equal(bits(A[start:end].copy()), whole[start:end])


def test_what_is_no_number_is_not_hidden() -> None:
    A, B = np.zeros((9, 5), np.float32), np.ones((5, 3), np.float32)
    A[4, 2] = np.nan
    C = np.empty((9, 3), np.float32)
    product(C, A, False, B, 5)
    assert np.isnan(C[4]).all()
    assert np.isfinite(np.delete(C, 4, axis=0)).all()
