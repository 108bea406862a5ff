"""From a table's columns to matrices: encoding, missing values, scaling; fitted once, stored, used again at prediction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from engine.errors import UnusableData
from engine.scaling import ScalingRule

ColumnKind = Literal["numeric", "integer", "boolean", "categorical", "text"]
ClassLabel = str | int | float | bool


def pointer(*parts: object) -> str:
    """The JSON pointer (RFC 6901) that leads through `parts`; a column may have a slash in its name."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


@dataclass(frozen=True)
class ColumnSummary:
    """What the checks of a spec need to know of a column: its kind, and how much of it is missing or distinct."""

    name: str
    kind: ColumnKind
    missing: int
    distinct: int
    first_missing: int | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Column:
    """A column's cells: numbers (n,) float64 with NaN where missing, or codes (n,) int32, −1 where missing, into categories."""

    name: str
    kind: ColumnKind
    values: np.ndarray
    categories: tuple[str, ...] = ()

    @property
    def missing(self) -> np.ndarray:
        return self.values < 0 if self.categories else np.isnan(self.values)

    def take(self, rows: np.ndarray) -> "Column":
        return Column(self.name, self.kind, self.values[rows], self.categories)


@dataclass(frozen=True)
class Input:
    """One column as it was fitted: the value that fills its gaps, its categories, and its place on the scale.

    A numeric column gives one feature (x − center)/scale; two categories give one 0/1 feature, more give one a category.
    """

    name: str
    kind: ColumnKind
    fill: float | None
    center: float = 0.0
    scale: float = 1.0
    categories: tuple[str, ...] = ()

    @property
    def features(self) -> list[str]:
        if not self.categories:
            return [self.name]
        shown = self.categories[1:] if len(self.categories) == 2 else self.categories
        return [f"{self.name}={category}" for category in shown]

    def encode(self, column: Column, out: np.ndarray) -> None:
        """Write the column's features into `out` (n, len(features)). A category not seen when fitting gives all 0."""
        if not self.categories:
            values = column.values if self.fill is None else np.where(column.missing, self.fill, column.values)
            out[:, 0] = (values - self.center) / self.scale
            return
        codes = recode(column.values, column.categories, self.categories)
        if self.fill is not None:
            codes = np.where(column.missing, self.fill, codes)
        first = 1 if len(self.categories) == 2 else 0
        for index in range(out.shape[1]):
            out[:, index] = codes == index + first


def recode(codes: np.ndarray, given: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    """Codes into one list of categories as codes into another, −1 where the category is not in it."""
    if tuple(given) == tuple(wanted):
        return codes
    places = {category: code for code, category in enumerate(wanted)}
    table = np.array([places.get(category, -1) for category in given] + [-1], np.int64)
    return table[codes.astype(np.int64)]


@dataclass(frozen=True)
class Features:
    """The columns that a model reads, in order, each as fitted on the training rows."""

    inputs: tuple[Input, ...]

    @classmethod
    def fit(cls, columns: Sequence[Column], missing: str, scaling: ScalingRule) -> "Features":
        """Fit fill values and scales on the given rows, which must be the training rows alone."""
        return cls(tuple(_fit_input(column, missing, scaling) for column in columns))

    @property
    def names(self) -> list[str]:
        return [name for entry in self.inputs for name in entry.features]

    def transform(self, columns: Mapping[str, Column], dtype: Any = np.float64) -> np.ndarray:
        """X (n, d) of raw columns. Raises UnusableData, naming column and row, where a cell is missing and nothing fills it."""
        rows = len(columns[self.inputs[0].name].values)
        X = np.empty((rows, len(self.names)), dtype)
        start = 0
        for entry in self.inputs:
            column = columns[entry.name]
            if entry.fill is None and column.missing.any():
                raise UnusableData([(pointer(entry.name), _missing_cell(column))])
            width = len(entry.features)
            entry.encode(column, X[:, start : start + width])
            start += width
        return X

    def unscale(self, W: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients W (d, k), b (k,) of scaled features as those of the data's own units."""
        center = np.concatenate([[entry.center] * len(entry.features) for entry in self.inputs])
        scale = np.concatenate([[entry.scale] * len(entry.features) for entry in self.inputs])
        raw = W / scale[:, None]
        return raw, b - center @ raw


def _fit_input(column: Column, missing: str, scaling: ScalingRule) -> Input:
    if column.categories:
        present = np.unique(column.values[~column.missing])
        categories = tuple(column.categories[code] for code in present) or column.categories
        seen = Column(column.name, column.kind, recode(column.values, column.categories, categories), categories)
        fill = _most_frequent(seen) if missing in FILLS else None
        return Input(column.name, column.kind, fill, categories=categories)
    fill = FILLS[missing](column) if missing in FILLS else None
    values = column.values if fill is None else np.where(column.missing, fill, column.values)
    center, scale = scaling.fit(values[:, None])
    return Input(column.name, column.kind, fill, float(center[0]), float(scale[0]))


def _most_frequent(column: Column) -> float:
    present = column.values[~column.missing]
    values, counts = np.unique(present, return_counts=True)
    return float(values[counts.argmax()]) if len(values) else 0.0


def _center(of: Callable[[np.ndarray], Any], column: Column) -> float:
    present = column.values[~column.missing]
    return float(of(present)) if len(present) else 0.0


FILLS: dict[str, Callable[[Column], float]] = {
    "mean": partial(_center, np.mean),
    "median": partial(_center, np.median),
    "most_frequent": _most_frequent,
}
"""What replaces a missing cell, by `preprocessing.missing`: 0 where the training rows have no value at all. A categorical
column always takes its most frequent."""


def _missing_cell(column: Column) -> str:
    row = int(column.missing.argmax())
    return f"column '{column.name}' is missing a value in row {row}; give it, or train with preprocessing.missing set"
