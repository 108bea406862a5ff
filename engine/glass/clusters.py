"""The rows and the centroids of a clustering on the plane of two of its features, in the data's own units."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import InvalidSpec
from engine.glass.boundary import pair
from engine.tables.features import Column
from engine.training.predict import Predictor


@dataclass(frozen=True)
class Along:
    """Where rows (n,) and centroids (k,) lie along a feature."""

    feature: str
    rows: np.ndarray
    centroids: np.ndarray


@dataclass(frozen=True)
class Clusters:
    """The cluster of each row (n,), and where rows and centroids lie along one feature or two."""

    clusters: np.ndarray
    x: Along
    y: Along | None


def clusters(predictor: Predictor, columns: Mapping[str, Column], x: str | None = None, y: str | None = None) -> Clusters:
    """The rows of raw columns, each in the cluster of the nearest centroid, which all features decide; along the features
    that are named, or the first two.

    Raises InvalidSpec at `/x`, `/y`, or at "" where the model has no centroids, and UnusableData.
    """
    centroids = predictor.centroids()
    if centroids is None:
        raise InvalidSpec([("", f"its model, {predictor.training.model.kind}, puts rows in no clusters")])
    names = predictor.features.names
    X = predictor.features.unscaled.transform(columns)

    def along(name: str) -> Along:
        place = names.index(name)
        return Along(name, X[:, place], centroids[1][:, place])

    first, second = pair(names, x, y)
    nearest = predictor.outputs(columns).argmin(axis=1)
    return Clusters(nearest, along(first), None if second is None else along(second))
