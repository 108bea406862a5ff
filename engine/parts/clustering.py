"""How good clusters are: close to their centroids, apart from each other, and like labels that were given."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[Any]
BLOCK_DISTANCES = 1 << 21
"""Distances between rows that are held at once, 16 MiB."""


def inertia(distances: Numbers, clusters: Numbers) -> float | None:
    """The sum of squares of each row's distance to its own cluster's centroid, of distances (n, k) and clusters (n,)."""
    if not len(distances):
        return None
    own = distances[np.arange(len(distances)), clusters]
    return float(np.square(own, dtype=np.float64).sum())


def silhouette(X: Numbers, clusters: Numbers) -> float | None:
    """The mean silhouette of rows X (n, d) in clusters (n,); None where all of them are in one."""
    values = silhouettes(X, clusters)
    return None if values is None else float(values.mean())


def silhouettes(X: Numbers, clusters: Numbers) -> Numbers | None:
    """Each row's silhouette (n,), in [−1, 1]: (b − a) / max(a, b), with a its mean distance to the others of its cluster, and
    b that to the rows of the nearest other cluster. A row alone in its cluster has 0. None where there are not two clusters.

    Rousseeuw, Silhouettes: A Graphical Aid to the Interpretation and Validation of Cluster Analysis (1987). It takes every
    distance between two rows: n² d products.
    """
    _, places, sizes = np.unique(clusters, return_inverse=True, return_counts=True)
    if len(sizes) < 2:
        return None
    order = np.argsort(places, kind="stable")
    places, starts = places[order], np.cumsum(sizes) - sizes
    rows = X[order].astype(np.float64)
    rows -= rows.mean(axis=0)
    squares, found = np.einsum("ij,ij->i", rows, rows), np.empty(len(rows))
    step = max(1, BLOCK_DISTANCES // len(rows))
    for first in range(0, len(rows), step):
        block = slice(first, first + step)
        own = places[block]
        distances = squares[block, None] + squares - 2 * (rows[block] @ rows.T)
        np.sqrt(np.maximum(distances, 0, out=distances), out=distances)
        index = np.arange(len(own))
        distances[index, first + index] = 0
        sums = np.add.reduceat(distances, starts, axis=1)
        a = sums[index, own] / np.maximum(sizes[own] - 1, 1)
        means = sums / sizes
        means[index, own] = np.inf
        b = means.min(axis=1)
        larger = np.maximum(a, b)
        found[block] = np.where((sizes[own] > 1) & (larger > 0), (b - a) / np.where(larger > 0, larger, 1), 0)
    given = np.empty_like(found)
    given[order] = found
    return given


def adjusted_rand_index(clusters: Numbers, labels: Numbers) -> float | None:
    """How far clusters (n,) and labels (n,) put the same rows together: 1 where they agree, about 0 by chance.

    Hubert and Arabie, Comparing Partitions (1985). 1 where both put all rows together, or each row apart.
    """
    if not len(clusters):
        return None
    _, down = np.unique(clusters, return_inverse=True)
    _, across = np.unique(labels, return_inverse=True)
    width = int(across.max()) + 1
    table = np.unique(down.astype(np.int64) * width + across, return_counts=True)[1]
    both = sum(map(_pairs, table.tolist()))
    in_clusters, in_labels = (sum(map(_pairs, np.bincount(each).tolist())) for each in (down, across))
    everything = _pairs(len(clusters))
    # Whole numbers of Python, which do not overflow: the square of the pairs of a million rows is 10²³.
    expected, most = in_clusters * in_labels, (in_clusters + in_labels) * everything
    if most == 2 * expected:
        return 1.0
    return 2 * (both * everything - expected) / (most - 2 * expected)


def _pairs(rows: int) -> int:
    return rows * (rows - 1) // 2
