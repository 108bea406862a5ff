"""Feature scaling x' = (x − center) / scale, column by column. To lengthen the list, add one class and its name.

Fitted on the training rows X (n, d) alone. Missing values (NaN) are left out. A constant column keeps scale 1 and has
its value as the center, so that it scales to 0; a column without any value keeps center 0 and scale 1.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from engine.spec import Described, named, spec

Columns = NDArray[np.float64]


class ScalingRule(Described, ABC):
    """A center and a scale for each column."""

    def fit(self, X: Columns) -> tuple[Columns, Columns]:
        """The center (d,) and the scale (d,) of X (n, d), both in the columns' units."""
        # fmin and fmax pass over NaN; starting from NaN they also take an empty column.
        low = np.fmin.reduce(X, axis=0, initial=np.nan)
        high = np.fmax.reduce(X, axis=0, initial=np.nan)
        center, scale = self.measure(X, low, high)
        # A deviation that is not 0 may still come out as 0, when its square is too small for a float64.
        constant = ~((high > low) & (scale > 0))
        return np.where(constant, np.nan_to_num(low), center), np.where(constant, 1.0, scale)

    @abstractmethod
    def measure(self, X: Columns, low: Columns, high: Columns) -> tuple[Columns, Columns]:
        """Center and scale of columns that vary, given the least and the greatest value of each (d,)."""


def mean_of(X: Columns) -> Columns:
    """The mean (d,) of the values that are there."""
    mean: Columns = np.nansum(X, axis=0) / np.maximum(1, np.count_nonzero(~np.isnan(X), axis=0))
    return mean


@spec
class NoScaling(ScalingRule):
    """Leaves every column as it is."""

    formula: ClassVar[str] = r"x' = x"
    derivative: ClassVar[str] = r"\frac{dx'}{dx} = 1"
    source: ClassVar[str] = "Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, section 3.4"
    kind: Literal["none"] = "none"

    def fit(self, X: Columns) -> tuple[Columns, Columns]:
        return self.measure(X, X, X)

    def measure(self, X: Columns, low: Columns, high: Columns) -> tuple[Columns, Columns]:
        return np.zeros(X.shape[1]), np.ones(X.shape[1])


@spec
class MeanNormalization(ScalingRule):
    """Moves the mean to 0 and divides by the range, so that a column spans 1."""

    formula: ClassVar[str] = r"x' = \frac{x - \mu}{\max x - \min x}"
    derivative: ClassVar[str] = r"\frac{dx'}{dx} = \frac{1}{\max x - \min x}"
    source: ClassVar[str] = "Ng, Machine Learning (Coursera), 2011, Gradient Descent in Practice I: Feature Scaling"
    kind: Literal["mean_normalization"] = "mean_normalization"

    def measure(self, X: Columns, low: Columns, high: Columns) -> tuple[Columns, Columns]:
        return mean_of(X), high - low


@spec
class Standardization(ScalingRule):
    """Moves the mean to 0 and divides by the standard deviation (over n), so that the variance is 1."""

    formula: ClassVar[str] = r"x' = \frac{x - \mu}{\sigma}, \quad \sigma^2 = \frac{1}{n}\sum_i (x_i - \mu)^2"
    derivative: ClassVar[str] = r"\frac{dx'}{dx} = \frac{1}{\sigma}"
    source: ClassVar[str] = "LeCun, Bottou, Orr and Müller, Efficient BackProp, 1998, section 4.3"
    kind: Literal["standard"] = "standard"

    def measure(self, X: Columns, low: Columns, high: Columns) -> tuple[Columns, Columns]:
        mean = mean_of(X)
        deviation = X - mean
        return mean, np.sqrt(mean_of(np.multiply(deviation, deviation, out=deviation)))


@spec
class MinMax(ScalingRule):
    """Moves the least value to 0 and the greatest to 1."""

    formula: ClassVar[str] = r"x' = \frac{x - \min x}{\max x - \min x}"
    derivative: ClassVar[str] = r"\frac{dx'}{dx} = \frac{1}{\max x - \min x}"
    source: ClassVar[str] = "Han, Kamber and Pei, Data Mining: Concepts and Techniques, 2011, section 3.5.2"
    kind: Literal["min_max"] = "min_max"

    def measure(self, X: Columns, low: Columns, high: Columns) -> tuple[Columns, Columns]:
        return low, high - low


Scaling = named(NoScaling | MeanNormalization | Standardization | MinMax)
