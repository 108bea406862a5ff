"""The compiled readings of k-means, held to the definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.fast import threads
from engine.fast.k_means import FastRows
from engine.fast.nearest import SIDE_BY_SIDE
from engine.models.lloyd import LEAST_ROWS, Rows, Totals


@settings(max_examples=30)
@given(
    seed=st.integers(0, 2**32),
    rows=st.integers(1, LEAST_ROWS * 2 + SIDE_BY_SIDE),
    runs=st.integers(1, 3),
    k=st.integers(1, 7),
    d=st.integers(1, 9),
)
def test_readings_are_the_definitions(seed: int, rows: int, runs: int, k: int, d: int) -> None:
    rng = np.random.default_rng(seed)
    X, centroids = rng.normal(size=(rows, d)), rng.normal(size=(runs, k, d))
    centroids[:, -1] = centroids[:, 0]  # equally near: the first takes the row
    slow, fast = Rows(X, 1 << 40), FastRows(X, 1 << 40)
    expected, found = Totals.zeros(runs, k, d), Totals.zeros(runs, k, d)
    slow.add(centroids, 0, len(slow.pieces), expected)
    fast.add(centroids, 0, len(fast.pieces), found)
    assert found.counts.tolist() == expected.counts.tolist()
    np.testing.assert_allclose(found.sums, expected.sums, atol=1e-12)
    np.testing.assert_allclose(found.inertias, expected.inertias, rtol=1e-12)
    labels, squares = fast.label(centroids[0])
    assert labels.tolist() == slow.label(centroids[0])[0].tolist()
    np.testing.assert_allclose(squares, slow.label(centroids[0])[1], rtol=1e-12)
    ours, theirs = np.full(rows, 1.0), np.full(rows, 1.0)
    np.testing.assert_allclose(fast.approach(X[0], ours), slow.approach(X[0], theirs), rtol=1e-12)
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("members", [2, 3])
def test_any_number_of_threads_gives_the_same_bits(members: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X, centroids = rng.normal(size=(20 * LEAST_ROWS + 5, 3)), rng.normal(size=(2, 5, 3))
    found = []
    for count in (1, members):
        monkeypatch.setattr(threads, "count", lambda count=count: count)
        rows = FastRows(X, 1 << 40)
        totals, squares = Totals.zeros(2, 5, 3), np.full(len(X), np.inf)
        for first in range(0, len(rows.pieces), rows.stride):
            rows.add(centroids, first, min(rows.stride, len(rows.pieces) - first), totals)
        arrays = [*totals.arrays().values(), *rows.label(centroids[0]), rows.approach(X[7], squares), squares]
        found.append([array.tobytes() for array in arrays])
        assert rows.team.size == count
    assert found[0] == found[1]
