"""What k-means learns: the centroids of its clusters."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.backend import Array
from engine.models.lloyd import squared_distances
from engine.network.layers.base import BoundLayer
from engine.network.network import MOST_ROWS


class CentroidParameters:
    """θ (p,), and the centroids (k, d) as a view of it, row by row."""

    def __init__(self, clusters: int, inputs: int, dtype: Any, xp: Any) -> None:
        self.theta: Array = xp.zeros(clusters * inputs, dtype)
        self.centroids: Array = self.theta.reshape(clusters, inputs)

    @property
    def size(self) -> int:
        return int(self.theta.size)


class Centroids:
    """A centroid for each cluster, in the features' space as they are scaled."""

    layers: tuple[BoundLayer, ...] = ()

    def __init__(self, clusters: int, inputs: int, dtype: Any, xp: Any) -> None:
        self.dtype = np.dtype(dtype)
        self.xp = xp
        self.parameters = CentroidParameters(clusters, inputs, self.dtype, xp)

    @property
    def outputs(self) -> int:
        return int(self.parameters.centroids.shape[0])

    @property
    def products(self) -> int:
        return self.parameters.size

    def adopt(self, vectors: Mapping[str, Array]) -> dict[str, Array]:
        return {}

    def evaluate(self, X: Array) -> Array:
        """The Euclidean distance of rows X (n, d) to each centroid (n, k)."""
        distances = self.xp.empty((X.shape[0], self.outputs), self.dtype)
        for start in range(0, X.shape[0], MOST_ROWS):
            block = slice(start, start + MOST_ROWS)
            for cluster, centroid in enumerate(self.parameters.centroids):
                distances[block, cluster] = squared_distances(X[block], centroid)
        return self.xp.sqrt(distances, out=distances)
