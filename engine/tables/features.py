"""From a table's columns to matrices: encoding, missing values, scaling; fitted once, stored, used again at prediction."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Literal

import numpy as np

from engine.errors import UnusableData
from engine.parts.scaling import NoScaling, ScalingRule, blocks
from engine.tables.images import image_cells

ColumnKind = Literal["numeric", "integer", "boolean", "categorical", "text", "image", "vector"]
ClassLabel = str | int | float | bool
BLOCK_ROWS = 8192
"""Rows that are encoded column after column while their cache lines are at hand."""
OTHER = "other"
"""The feature of the categories that have none of their own."""
MOST_RARE = 1000
"""Categories without a feature of their own whose names are kept."""
MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?")
"""Words that stand for a cell that is missing, unless they are a category."""
BOOLEANS = {
    "false": False, "no": False, "f": False, "n": False, "0": False,
    "true": True, "yes": True, "t": True, "y": True, "1": True,
}  # fmt: skip
"""How yes and no are written, in small letters."""


def word(cell: Any) -> str:
    """The category that a cell names: true and false in small letters, whole numbers without a point."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def pointer(*parts: object) -> str:
    """The JSON pointer (RFC 6901) that leads through `parts`; a column may have a slash in its name."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


@dataclass(frozen=True)
class ColumnSummary:
    """A column's summary, for the checks of a spec: its kind, and how much of it is missing or distinct.

    `whole` says whether all its numbers are whole, where that was looked at: 0.0 and 1.0 may be classes, 0.5 is none.
    `shape` is that of a cell that is an array, and empty for any other; distinct arrays are not counted. An index numbers
    or names the rows.
    """

    name: str
    kind: ColumnKind
    missing: int
    distinct: int
    first_missing: int | None = None
    low: float | None = None
    high: float | None = None
    shape: tuple[int, ...] = ()
    whole: bool = False
    is_index: bool = False

    @property
    def width(self) -> int:
        """Numbers in a cell."""
        return math.prod(self.shape)

    def features(self, max_categories: int) -> int:
        """How many features the column gives at most."""
        if self.kind != "categorical":
            return self.width
        return 1 if self.distinct == 2 else min(self.distinct, max_categories + 1)


@dataclass(frozen=True)
class Column:
    """A column's cells: numbers (n,), NaN where missing; codes (n,) int32, −1 where missing, into categories; or arrays of
    a `shape`, flat: (n, size) in the data's own type, a row missing where it holds a NaN.
    """

    name: str
    kind: ColumnKind
    values: np.ndarray
    categories: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    words: tuple[str, str] | None = None
    """How the file wrote false and true in a column of booleans, where it used other words than these."""

    @property
    def missing(self) -> np.ndarray:
        """Whether each cell is missing (n,); of numbers that are no floats, none is."""
        if self.categories:
            return self.values < 0
        if self.values.dtype.kind != "f":
            return np.zeros(len(self.values), bool)
        gaps = np.isnan(self.values)
        return gaps.any(axis=1) if self.shape else gaps

    def take(self, rows: np.ndarray) -> "Column":
        return replace(self, values=self.values[rows])


@dataclass(frozen=True)
class Input:
    """One column as it was fitted: the value that fills its gaps, its categories, and its place on the scale.

    A numeric column gives one feature (x − center)/scale; an array one for each of its numbers, an image's all on one
    scale, a vector's each on its own; two categories give one 0/1 feature, more give one a category. Where the training
    rows held more categories than get a feature, `other` is one more, for the rare ones and for those never seen; `rare`
    names the former, or is None where they are over MOST_RARE or were not kept.
    """

    name: str
    kind: ColumnKind
    fill: float | None
    center: float | tuple[float, ...] = 0.0
    scale: float | tuple[float, ...] = 1.0
    categories: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    other: bool = False
    words: tuple[str, str] | None = None
    rare: tuple[str, ...] | None = None
    image: bool = False
    """Whether the features are an image's, (height, width, channels) row by row, however the cell stores it."""
    crop: tuple[int, int] | None = None
    """Height and width of the middle of the image that is read, where it is not all of it."""

    @property
    def width(self) -> int:
        """How many features the column gives."""
        if self.categories:
            return len(self._shown)
        return self.numbers if self._places is None else len(self._places)

    @property
    def numbers(self) -> int:
        """Numbers in a cell."""
        return math.prod(self.shape)

    @cached_property
    def _places(self) -> np.ndarray | None:
        """The index of each feature in a flattened cell (width,); None if each is at its own number."""
        found = image_cells(self.shape) if self.image else None
        if found is None or not (found.channels_first or self.crop):
            return None
        places = np.arange(self.numbers).reshape(self.shape)
        if found.channels_first:
            places = np.moveaxis(places, 0, -1)
        if self.crop is not None:
            top, left = ((size - kept) // 2 for size, kept in zip(places.shape, self.crop, strict=False))
            places = places[top : top + self.crop[0], left : left + self.crop[1]]
        return np.ascontiguousarray(places).reshape(-1)

    @property
    def _shown(self) -> tuple[str, ...]:
        if self.other:
            return (*self.categories, OTHER)
        return self.categories[1:] if len(self.categories) == 2 else self.categories

    @property
    def features(self) -> list[str]:
        if self.categories:
            return [f"{self.name}={category}" for category in self._shown]
        if self.shape:
            names = [f"{self.name}[{','.join(map(str, place))}]" for place in np.ndindex(*self.shape)]
            return names if self._places is None else [names[place] for place in self._places]
        return [self.name]

    def encode(self, column: Column, out: np.ndarray) -> None:
        """Write the column's features into `out` (n, width). A category not seen when fitting is `other`, or else all 0."""
        if not self.categories:
            values = column.values.reshape(len(out), self.numbers)
            for rows in blocks(*values.shape):
                block = values[rows] if self._places is None else values[rows, self._places]
                block = block.astype(np.float64)
                if self.fill is not None:
                    block[np.isnan(block)] = self.fill
                block -= self.center
                block /= self.scale
                out[rows] = block
            return
        codes = recode(column.values, column.categories, self.categories)
        codes = np.where(codes < 0, len(self.categories), codes)  # the place of `other`, where there is one
        if self.fill is not None:
            codes = np.where(column.missing, self.fill, codes)
        places = codes.astype(np.intp) - (len(self.categories) + self.other - self.width)
        shown = np.flatnonzero((places >= 0) & (places < self.width))
        out[...] = 0
        out[shown, places[shown]] = 1


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
    renamed: tuple[tuple[int, str], ...] = ()
    """Features, by place, whose usual name is another's too, each with a name of its own."""

    @classmethod
    def fit(
        cls,
        columns: Iterable[Column],
        missing: str,
        scaling: ScalingRule,
        max_categories: int | None = None,
        as_image: bool = False,
        crop: tuple[int, int] | None = None,
    ) -> "Features":
        """Fit fill values, scales and categories on the given rows, which must be the training rows alone. `as_image`: the
        columns are together one image, in one unit, of whose column of arrays only the middle is read where `crop` says so.
        """
        if as_image:
            return cls(_fit_image(columns, missing, scaling, crop))
        inputs = tuple(_fit_input(column, missing, scaling, max_categories) for column in columns)
        return cls(inputs, told_apart(inputs))

    @property
    def names(self) -> list[str]:
        """Names of all features, each once; the usual ones for a model stored before they were told apart."""
        names = [name for entry in self.inputs for name in entry.features]
        for place, name in self.renamed:
            names[place] = name
        return names

    @property
    def width(self) -> int:
        """How many features there are: d."""
        return sum(entry.width for entry in self.inputs)

    def transform(self, columns: Mapping[str, Column], dtype: Any = np.float64, rows: np.ndarray | None = None) -> np.ndarray:
        """X (n, d) of raw columns, or of those rows of them. Raises UnusableData, naming column and row, where a cell is
        missing and nothing fills it.
        """
        if rows is None:
            rows = np.arange(len(columns[self.inputs[0].name].values))
        for entry in self.inputs:
            if entry.fill is None:
                _check_whole(columns[entry.name], rows)
        X = np.empty((len(rows), self.width), dtype)
        for first in range(0, len(rows), BLOCK_ROWS):
            block, start = rows[first : first + BLOCK_ROWS], 0
            for entry in self.inputs:
                entry.encode(columns[entry.name].take(block), X[first : first + BLOCK_ROWS, start : start + entry.width])
                start += entry.width
        return X

    @property
    def center(self) -> np.ndarray:
        """Of each feature (d,)."""
        return np.concatenate([np.broadcast_to(entry.center, entry.width) for entry in self.inputs])

    @property
    def scale(self) -> np.ndarray:
        """Of each feature (d,)."""
        return np.concatenate([np.broadcast_to(entry.scale, entry.width) for entry in self.inputs])

    @property
    def unscaled(self) -> "Features":
        """The same features in the data's own units."""
        return Features(tuple(replace(entry, center=0.0, scale=1.0) for entry in self.inputs))

    @property
    def uncropped(self) -> "Features":
        """The same features, of the whole image."""
        return Features(tuple(replace(entry, crop=None) for entry in self.inputs))

    def unscale(self, W: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coefficients W (d, k), b (k,) of scaled features as those of the data's own units."""
        raw = W / self.scale[:, None]
        return raw, b - self.center @ raw


def told_apart(inputs: Sequence[Input]) -> tuple[tuple[int, str], ...]:
    """Another name, by place, for each feature whose usual one another has too. A column that is one feature keeps its name;
    a category is put in quotes, sex="male" beside a column 'sex=male', and so is an array's column; a number ends the doubt.
    """
    usual = [(entry, name) for entry in inputs for name in entry.features]
    counts = Counter(name for _, name in usual)
    if len(counts) == len(usual):
        return ()
    taken, found = set(counts), []
    for place, (entry, name) in enumerate(usual):
        if counts[name] == 1 or not (entry.categories or entry.shape):
            continue
        rest = name[len(entry.name) :]
        quoted = f'{entry.name}="{rest[1:]}"' if entry.categories else f'"{entry.name}"{rest}'
        other, number = quoted, 1
        while other in taken:
            number += 1
            other = f"{quoted} ({number})"
        taken.add(other)
        found.append((place, other))
    return tuple(found)


def _fit_input(column: Column, missing: str, scaling: ScalingRule, max_categories: int | None) -> Input:
    if column.categories:
        return _fit_categories(column, missing, max_categories)
    if column.shape:
        together = len(column.shape) > 1  # an image's numbers are of one unit; a vector's may be of many
        center, scale = scaling.fit(column.values.reshape(-1, 1) if together else column.values)
        return Input(column.name, column.kind, None, _stored(center), _stored(scale), shape=column.shape)
    fill = FILLS[missing](column) if missing in FILLS else None
    values = column.values if fill is None else np.where(column.missing, fill, column.values)
    center, scale = scaling.fit(values[:, None])
    return Input(column.name, column.kind, fill, float(center[0]), float(scale[0]), words=column.words)


def _fit_image(
    columns: Iterable[Column], missing: str, scaling: ScalingRule, crop: tuple[int, int] | None
) -> tuple[Input, ...]:
    """The columns as one image: all of its numbers on one scale."""
    inputs, values = [], []
    for column in columns:
        fitted = _fit_input(column, missing, NoScaling(), None)
        filled = column.values if fitted.fill is None else np.where(column.missing, fitted.fill, column.values)
        values.append(filled.reshape(-1))
        inputs.append(replace(fitted, image=bool(column.shape), crop=crop))
    numbers = values[0] if len(values) == 1 else np.concatenate(values)
    center, scale = scaling.fit(numbers[:, None])
    return tuple(replace(entry, center=float(center[0]), scale=float(scale[0])) for entry in inputs)


def _fit_categories(column: Column, missing: str, most: int | None) -> Input:
    """The categories that occur, in their order: all, or the most frequent; of equally frequent ones the first."""
    counts = np.bincount(column.values[~column.missing], minlength=len(column.categories))
    present = held = np.flatnonzero(counts)
    other = most is not None and len(present) > most
    if other:
        own = present[[column.categories[code] != OTHER for code in present]]  # that word is among the others by itself
        present = np.sort(own[np.argsort(-counts[own], kind="stable")[:most]])
    categories = tuple(column.categories[code] for code in present) or column.categories
    fill = float(counts[present].argmax()) if missing in FILLS and len(present) else 0.0
    rare = np.setdiff1d(held, present)
    names = tuple(column.categories[code] for code in rare) if other and len(rare) <= MOST_RARE else None
    filled = fill if missing in FILLS else None
    return Input(column.name, column.kind, filled, categories=categories, other=other, rare=names)


def _stored(fitted: np.ndarray) -> float | tuple[float, ...]:
    return float(fitted[0]) if len(fitted) == 1 else tuple(fitted.tolist())


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
"""The value for a missing cell, by `preprocessing.missing`: 0 if the training rows have no value at all. A categorical
column always takes its most frequent."""


def _check_whole(column: Column, rows: np.ndarray) -> None:
    gaps = column.missing[rows]
    if gaps.any():
        row = int(rows[gaps.argmax()])
        detail = f"column '{column.name}' is missing a value in row {row}; give it, or train with preprocessing.missing set"
        raise UnusableData([(pointer(column.name), detail)])
