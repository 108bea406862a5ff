"""Refinement against rational arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.models.least_squares import least_squares
from engine.models.refinement import Halves, blocks, dot, residuals
from tests.engine.models.test_least_squares import exact_least_squares

EPSILON = Fraction(1, 2**52)
SEEDS = st.integers(0, 2**32)


def exact(numbers: np.ndarray) -> list[Fraction]:
    return [Fraction(float(number)) for number in numbers]


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, terms=st.integers(1, 300), spread=st.integers(0, 40))
def test_a_sum_of_products_is_as_good_as_in_twice_the_precision(seed: int, terms: int, spread: int) -> None:
    """However much cancels: what is left may be off by ε of itself and n² ε² of the terms (Ogita, Rump and Oishi, 5.2)."""
    rng = np.random.default_rng(seed)
    a, b = (rng.normal(size=terms) * 2.0 ** rng.integers(-spread, spread + 1, terms) for _ in range(2))
    products = [x * y for x, y in zip(exact(a), exact(b), strict=True)]
    first = -float(sum(products))  # all but a rounding of the sum cancels
    whole, lost = dot(np.array([[first]]), Halves.of(a[:, None]), Halves.of(b[:, None]))
    expected = sum(products) + Fraction(first)
    size = sum(map(abs, products)) + abs(Fraction(first))
    assert abs(Fraction(float(whole[0] + lost[0])) - expected) <= EPSILON * abs(expected) + (terms + 2) ** 2 * EPSILON**2 * size


@pytest.mark.parametrize("bias", [False, True])
def test_residuals_are_rounded_once(bias: bool) -> None:
    """Also those of a table of several blocks."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(1e6, 1, (4000, 40)), rng.normal(size=(4000, 2))
    assert len(list(blocks(*X.shape))) > 1
    x, r = rng.normal(size=(40 + bias, 2)), rng.normal(size=(4000, 2))
    f, g = residuals(X, y, bias, x, r)
    D = np.hstack([np.ones((len(X), int(bias))), X])
    for row in (0, 2000, 3999):
        expected = Fraction(y[row, 1]) - Fraction(r[row, 1])
        expected -= sum(a * b for a, b in zip(exact(D[row]), exact(x[:, 1]), strict=True))
        assert abs(Fraction(f[row, 1]) - expected) <= EPSILON * abs(expected)
    for column in (0, 1, 39):
        expected = -sum(a * b for a, b in zip(exact(D[:, column]), exact(r[:, 1]), strict=True))
        assert abs(Fraction(g[column, 1]) - expected) <= EPSILON * abs(expected)


@settings(max_examples=30, deadline=None)
@given(seed=SEEDS, rows=st.integers(8, 30), columns=st.integers(1, 4), near=st.integers(0, 9))
def test_every_coefficient_has_all_its_digits(seed: int, rows: int, columns: int, near: int) -> None:
    """Of columns that are dependent but for 10^−near, with targets that fit badly; ε allows for the last rounding."""
    rng = np.random.default_rng(seed)
    X = rng.integers(-1000, 1000, (rows, columns)).astype(float)
    X = X + 10**near * X[:, :1]  # whole numbers: exact
    Y = rng.integers(-(10**6), 10**6, (rows, 2)).astype(float)
    W, b, rank, _ = least_squares(X, Y)
    assert rank == columns
    for target in range(2):
        expected = exact_least_squares(X, Y[:, target])
        for found, value in zip([b[target], *W[:, target]], expected, strict=True):
            assert abs(Fraction(float(found)) - value) <= EPSILON * abs(value)


def test_a_target_is_refined_as_if_it_were_alone() -> None:
    rng = np.random.default_rng(1)
    X, Y = rng.normal(100, 1, (50, 3)), rng.normal(size=(50, 4)) * [1e-9, 1, 1e9, 0]
    W, b, _, _ = least_squares(X, Y)
    for target in range(4):
        alone, own, _, _ = least_squares(X, Y[:, [target]])
        np.testing.assert_allclose(W[:, target], alone[:, 0], rtol=np.finfo(float).eps)
        np.testing.assert_allclose(b[target], own[0], rtol=np.finfo(float).eps)


def test_numbers_near_the_largest_stay_as_they_are() -> None:
    """Their halves would be infinite; the solution is that of the working precision."""
    X = np.array([[1.0], [2.0], [4.0]])
    W, _, _, _ = least_squares(X, np.array([[1e305], [2e305], [4e305]]))
    np.testing.assert_allclose(W, [[1e305]], rtol=1e-14)
