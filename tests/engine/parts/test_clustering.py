"""Measures of clusters, held against scikit-learn."""

import numpy as np
import pytest
import sklearn.metrics as oracle
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.parts import clustering


def clustered(seed: int, rows: int, clusters: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows (rows, 3), some of them alike, and clusters (rows,), some of one row or none."""
    rng = np.random.default_rng(seed)
    return np.round(rng.normal(100, 1, (rows, 3)), 1), rng.integers(clusters, size=rows)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), rows=st.integers(5, 60), clusters=st.integers(2, 7))
def test_silhouettes_are_scikit_learns(seed: int, rows: int, clusters: int) -> None:
    X, given_to = clustered(seed, rows, clusters)
    found = clustering.silhouettes(X, given_to)
    if len(np.unique(given_to)) < 2:
        assert found is None
    elif len(np.unique(given_to)) < rows:  # as many clusters as rows are too many for scikit-learn
        assert found is not None
        # Two products of length 100 · √3 are subtracted: √(10⁴ ε) is what rounding may leave of a distance of 0.
        np.testing.assert_allclose(found, oracle.silhouette_samples(X, given_to), atol=1e-6)
        assert clustering.silhouette(X, given_to) == pytest.approx(oracle.silhouette_score(X, given_to), abs=1e-6)


def test_silhouettes_are_the_same_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    X, given_to = clustered(0, 50, 4)
    whole = clustering.silhouettes(X, given_to)
    monkeypatch.setattr(clustering, "BLOCK_DISTANCES", 7 * 50)
    parts = clustering.silhouettes(X, given_to)
    assert whole is not None and parts is not None
    np.testing.assert_allclose(parts, whole, rtol=1e-12)


def test_a_row_alone_in_its_cluster_has_a_silhouette_of_0() -> None:
    found = clustering.silhouettes(np.array([[0.0], [1], [9]]), np.array([4, 4, 7]))
    assert found is not None
    np.testing.assert_allclose(found, [(9 - 1) / 9, (8 - 1) / 8, 0])


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), rows=st.integers(1, 60), clusters=st.integers(1, 6), labels=st.integers(1, 6))
def test_the_adjusted_rand_index_is_scikit_learns(seed: int, rows: int, clusters: int, labels: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = rng.integers(clusters, size=rows), rng.integers(labels, size=rows)
    expected = oracle.adjusted_rand_score(other, one)
    assert clustering.adjusted_rand_index(one, other) == pytest.approx(expected, abs=1e-12)


def test_the_adjusted_rand_index_of_many_rows_does_not_overflow() -> None:
    labels = np.arange(200_000) % 3
    assert clustering.adjusted_rand_index(labels, 2 - labels) == 1


def test_inertia_sums_the_squares_of_the_rows_own_distances() -> None:
    distances = np.array([[3.0, 1], [0.5, 2]])
    assert clustering.inertia(distances, np.array([1, 0])) == 1.25
    assert clustering.inertia(distances[:0], np.empty(0, int)) is None
