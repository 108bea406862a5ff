"""The contribution of each feature to one prediction of a linear model: they add up to it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import InvalidSpec
from engine.parts.scaling import blocks
from engine.tables.features import Column, Features
from engine.training.predict import Predictor

FORMULA = r"z = b + \sum_j w_j x_j"
FROM_MEAN = r"z = \bar{z} + \sum_j w_j (x_j - \bar{x}_j), \quad \bar{z} = b + \sum_j w_j \bar{x}_j"
SOURCE = (
    "Štrumbelj and Kononenko, Explaining Prediction Models and Individual Predictions with Feature Contributions, 2014: "
    "the Shapley values of a linear model"
)


@dataclass(frozen=True)
class Contributions:
    """A prediction of a linear model taken apart, in the data's own units, for each of k outputs: the row's features x and
    the means of the training rows' (d,), the weights W (d, k), the bias b (k,), and the outputs z (k,) as the model gives
    them.
    """

    x: np.ndarray
    means: np.ndarray
    W: np.ndarray
    b: np.ndarray
    outputs: np.ndarray

    @property
    def from_zero(self) -> np.ndarray:
        """What each feature adds to the bias (d, k)."""
        return self.W * self.x[:, None]

    @property
    def from_mean(self) -> np.ndarray:
        """What each feature adds to the answer to the mean training row (d, k)."""
        return self.W * (self.x - self.means)[:, None]

    @property
    def mean_outputs(self) -> np.ndarray:
        """The answer to the mean training row (k,)."""
        return np.asarray(self.b + self.means @ self.W)


def contributions(predictor: Predictor, columns: Mapping[str, Column], means: np.ndarray) -> Contributions:
    """The contributions to the prediction of the one row of the columns, beside the means (d,) of the training rows' features.

    Raises InvalidSpec at `/model_id` for a model that is not linear.
    """
    refuse_not_linear(predictor)
    found = predictor.coefficients()
    assert found is not None
    outputs = predictor.target.restored(predictor.outputs(columns))[0].astype(np.float64)
    x = predictor.features.unscaled.transform(columns)[0]
    return Contributions(x, means, *found, outputs)


def mean_features(features: Features, columns: Mapping[str, Column], rows: int) -> np.ndarray:
    """The means (d,) of the features of so many rows, in the data's own units."""
    own, total = features.unscaled, np.zeros(features.width)
    for block in blocks(rows, features.width):
        total += own.transform(columns, rows=np.arange(rows)[block]).sum(axis=0)
    return total / rows


def refuse_not_linear(predictor: Predictor) -> None:
    """Raise InvalidSpec, at `/model_id`, for a model whose predictions are no sum of what each feature adds."""
    if not predictor.is_linear:
        kind = predictor.training.model.kind
        detail = f"{kind} is not linear, so that no feature adds a part of its own; see /dependence, and what_if of its job"
        raise InvalidSpec([("/model_id", detail)])
