"""Lloyd's algorithm by its definition, held against scikit-learn."""

from collections.abc import Generator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans as Oracle

from engine.models import lloyd
from engine.models.lloyd import Rows, Totals


def ended(generator: Generator[Any, None, np.ndarray]) -> np.ndarray:
    """What a generator returns in the end."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return np.asarray(end.value)


def descend(rows: Rows, centroids: np.ndarray, times: int = 300) -> tuple[np.ndarray, list[float]]:
    """Centroids (k, d) after so many moves, or once nothing moves, and the inertia before each."""
    inertias: list[float] = []
    for _ in range(times):
        totals = Totals.zeros(1, *centroids.shape)
        rows.add(centroids[None], 0, len(rows.pieces), totals)
        inertias.append(float(totals.inertias[0]))
        before, centroids = centroids, lloyd.moved(rows, centroids, totals.sums[0], totals.counts[0])
        if (before == centroids).all():
            break
    return centroids, inertias


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), rows=st.integers(20, 120), k=st.integers(1, 6), d=st.integers(1, 5))
def test_from_equal_starts_it_ends_where_scikit_learns_ends(seed: int, rows: int, k: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, d))
    start = X[rng.choice(rows, k, replace=False)]
    centroids, inertias = descend(Rows(X, k), start)
    theirs = Oracle(k, init=start, n_init=1, tol=0, max_iter=300).fit(X)
    np.testing.assert_allclose(centroids, theirs.cluster_centers_, atol=1e-10)
    assert inertias[-1] == pytest.approx(theirs.inertia_, rel=1e-12)
    assert all(later <= earlier * (1 + 1e-12) for earlier, later in pairwise(inertias))


def test_an_empty_cluster_takes_the_row_farthest_from_its_centroid_as_scikit_learns_does() -> None:
    X = np.array([[0.0], [1], [2], [10], [11], [30]])
    start = np.array([[1.0], [12], [100]])
    totals = Totals.zeros(1, 3, 1)
    rows = Rows(X, 3)
    rows.add(start[None], 0, 1, totals)
    assert totals.counts[0].tolist() == [3, 3, 0]
    assert lloyd.moved(rows, start, totals.sums[0], totals.counts[0]).ravel().tolist() == [1, 10.5, 30]
    theirs = Oracle(3, init=start, n_init=1, tol=0, max_iter=1).fit(X)
    assert theirs.cluster_centers_.ravel().tolist() == [1, 10.5, 30]


@pytest.mark.parametrize("copies", [1, 3, 7])
def test_clusters_that_no_row_is_left_for_stay_empty_and_the_rest_arrives(copies: int) -> None:
    X = np.repeat(np.array([[0.1, 0.7], [0.3, 0.1], [1 / 3, 5.0]]), copies, axis=0)
    start = X[[0] * 5]
    centroids, inertias = descend(Rows(X, 5), start)
    assert len(inertias) < 20
    assert inertias[-1] == pytest.approx(0, abs=1e-28)
    assert len(np.unique(np.round(centroids, 12), axis=0)) == 3


@given(seed=st.integers(0, 2**32), rows=st.integers(1, 700))
def test_totals_have_the_same_bits_however_the_pieces_are_asked_for(seed: int, rows: int) -> None:
    rng = np.random.default_rng(seed)
    X, centroids = rng.normal(size=(rows, 2)), rng.normal(size=(3, 4, 2))
    read = Rows(X, 1 << 40)  # pieces of LEAST_ROWS
    whole, parts = Totals.zeros(3, 4, 2), Totals.zeros(3, 4, 2)
    read.add(centroids, 0, len(read.pieces), whole)
    for piece in range(len(read.pieces)):
        read.add(centroids, piece, 1, parts)
    assert len(read.pieces) == -(-rows // lloyd.LEAST_ROWS)
    for name, array in whole.arrays().items():
        assert array.tobytes() == parts.arrays()[name].tobytes()
    assert whole.counts.sum() == 3 * rows


def test_the_next_row_of_k_means_plus_plus_is_drawn_in_proportion_to_its_squared_distance() -> None:
    """The chi-squared statistic of 4,000 draws over five rows has four degrees of freedom: it is over 23.5 once in 10⁴."""
    X = np.array([[0.0], [1], [2], [3], [0]])
    rows, squares, rng = Rows(X, 1 << 40), np.full(5, np.inf), np.random.default_rng(0)
    sums = rows.approach(X[0], squares)
    assert squares.tolist() == [0, 1, 4, 9, 0]
    drawn = np.bincount([lloyd.drawn(rows, squares, sums, share) for share in rng.random(4_000)], minlength=5)
    expected = 4_000 * squares / 14
    assert drawn[0] == drawn[4] == 0
    assert (np.square(drawn - expected)[1:4] / expected[1:4]).sum() < 23.5


def test_rows_are_drawn_across_pieces() -> None:
    squares = np.zeros(3 * lloyd.LEAST_ROWS)
    squares[[5, 300, 600]] = 1.0
    rows = Rows(np.zeros((len(squares), 1)), 1 << 40)
    sums = np.array([squares[start:end].sum() for start, end in rows.pieces])
    assert [lloyd.drawn(rows, squares, sums, share) for share in (0, 0.3, 0.34, 0.66, 0.67, 1 - 2**-53)] == [
        5, 5, 300, 300, 600, 600,
    ]  # fmt: skip


@pytest.mark.parametrize("draw", [lloyd.plus_plus, lloyd.at_random])
def test_starts_are_rows_each_once_and_the_same_for_a_seed(draw: Any) -> None:
    X = np.random.default_rng(0).normal(size=(40, 2))
    found = [ended(draw(Rows(X, 40), 40, np.random.default_rng(seed))) for seed in (1, 1, 2)]
    assert sorted(found[0]) == list(range(40))
    assert found[0].tolist() == found[1].tolist() != found[2].tolist()


def test_more_starts_than_different_rows_are_drawn_all_the_same() -> None:
    assert len(ended(lloyd.plus_plus(Rows(np.ones((4, 2)), 3), 3, np.random.default_rng(0)))) == 3


def test_a_row_near_its_centroid_and_far_from_0_keeps_its_digits() -> None:
    X = 1e8 + np.array([[0.0], [1e-3], [1.0], [1.001]])
    labels, squares = Rows(X, 2).label(X[[0, 2]])
    assert labels.tolist() == [0, 0, 1, 1]
    np.testing.assert_allclose(squares[[1, 3]], 1e-6, rtol=1e-4)  # ε · 10⁸ of 10⁻³
