"""Feature scaling x' = (x − center) / scale, column by column. To lengthen the list, add one class and its name.

Fitted on the training rows X (n, d) alone, of any type of number; read a block of rows at a time, so that no copy in
float64 is ever whole. Missing values (NaN) are left out. A constant column keeps scale 1 and has its value as the center,
so that it scales to 0; a column without any value keeps center 0 and scale 1.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from engine.forms import ByKind
from engine.spec import Described, spec

Columns = NDArray[np.float64]
Numbers = NDArray[Any]
BLOCK_CELLS = 2**18
"""Cells read at once: 2 MiB as float64."""


def blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices of the rows that hold about BLOCK_CELLS cells each."""
    size = max(1, BLOCK_CELLS // max(1, columns))
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))


def in_float64(X: Numbers) -> Iterator[Columns]:
    """X (n, d) block by block as float64."""
    return (X[rows].astype(np.float64, copy=False) for rows in blocks(*X.shape))


class ScalingRule(Described, ABC):
    """A center and a scale for each column."""

    def fit(self, X: Numbers) -> tuple[Columns, Columns]:
        """The center (d,) and the scale (d,) of X (n, d), both in the columns' units."""
        # fmin and fmax pass over NaN; starting from NaN they also take an empty column.
        low = high = np.full(X.shape[1], np.nan)
        for block in in_float64(X):
            low = np.fmin(low, np.fmin.reduce(block, axis=0))
            high = np.fmax(high, np.fmax.reduce(block, axis=0))
        center, scale = self.measure(X, low, high)
        # A deviation that is not 0 may still come out as 0, when its square is too small for a float64.
        constant = ~((high > low) & (scale > 0))
        return np.where(constant, np.nan_to_num(low), center), np.where(constant, 1.0, scale)

    @abstractmethod
    def measure(self, X: Numbers, low: Columns, high: Columns) -> tuple[Columns, Columns]:
        """Center and scale of columns that vary, given the least and the greatest value of each (d,)."""


def mean_of(X: Numbers) -> Columns:
    """The mean (d,) of the values that are there."""
    total, count = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    for block in in_float64(X):
        total += np.nansum(block, axis=0)
        count += np.count_nonzero(~np.isnan(block), axis=0)
    return total / np.maximum(1, count)


def deviation_of(X: Numbers, mean: Columns) -> Columns:
    """The standard deviation σ (d,), over n, of the values that are there, given their mean."""
    total, count = np.zeros(X.shape[1]), np.zeros(X.shape[1])
    for block in in_float64(X):
        deviation = block - mean
        count += np.count_nonzero(~np.isnan(block), axis=0)
        total += np.nansum(np.multiply(deviation, deviation, out=deviation), axis=0)
    return np.sqrt(total / np.maximum(1, count))


@spec
class NoScaling(ScalingRule):
    """Leaves every column as it is."""

    formula: ClassVar[str] = r"x' = x"
    derivative: ClassVar[str] = r"\frac{dx'}{dx} = 1"
    source: ClassVar[str] = "Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, 2009, section 3.4"
    title: ClassVar[str] = "No scaling"
    kind: Literal["none"] = "none"

    def fit(self, X: Numbers) -> tuple[Columns, Columns]:
        nothing = np.zeros(X.shape[1])
        return self.measure(X, nothing, nothing)

    def measure(self, X: Numbers, low: Columns, high: Columns) -> tuple[Columns, Columns]:
        return np.zeros(X.shape[1]), np.ones(X.shape[1])


@spec
class MeanNormalization(ScalingRule):
    """Moves the mean to 0 and divides by the range, so that a column spans 1."""

    formula: ClassVar[str] = r"x' = \frac{x - \mu}{\max x - \min x}"
    derivative: ClassVar[str] = r"\frac{dx'}{dx} = \frac{1}{\max x - \min x}"
    source: ClassVar[str] = "Ng, Machine Learning (Coursera), 2011, Gradient Descent in Practice I: Feature Scaling"
    kind: Literal["mean_normalization"] = "mean_normalization"

    def measure(self, X: Numbers, low: Columns, high: Columns) -> tuple[Columns, Columns]:
        return mean_of(X), high - low


@spec
class Standardization(ScalingRule):
    """Moves the mean to 0 and divides by the standard deviation (over n), so that the variance is 1."""

    formula: ClassVar[str] = r"x' = \frac{x - \mu}{\sigma}, \quad \sigma^2 = \frac{1}{n}\sum_i (x_i - \mu)^2"
    derivative: ClassVar[str] = r"\frac{dx'}{dx} = \frac{1}{\sigma}"
    source: ClassVar[str] = "LeCun, Bottou, Orr and Müller, Efficient BackProp, 1998, section 4.3"
    title: ClassVar[str] = "Standardization"
    kind: Literal["standard"] = "standard"

    def measure(self, X: Numbers, low: Columns, high: Columns) -> tuple[Columns, Columns]:
        mean = mean_of(X)
        return mean, deviation_of(X, mean)


@spec
class MinMax(ScalingRule):
    """Moves the least value to 0 and the greatest to 1."""

    formula: ClassVar[str] = r"x' = \frac{x - \min x}{\max x - \min x}"
    derivative: ClassVar[str] = r"\frac{dx'}{dx} = \frac{1}{\max x - \min x}"
    source: ClassVar[str] = "Han, Kamber and Pei, Data Mining: Concepts and Techniques, 2011, section 3.5.2"
    title: ClassVar[str] = "Min–max scaling"
    kind: Literal["min_max"] = "min_max"

    def measure(self, X: Numbers, low: Columns, high: Columns) -> tuple[Columns, Columns]:
        return low, high - low


Scaling = Annotated[NoScaling | MeanNormalization | Standardization | MinMax, ByKind(is_brief=True)]
