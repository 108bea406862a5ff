"""The images of a dataset: columns of arrays, and tables that hold each pixel in a column of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from engine.tables.features import ColumnKind
from engine.tables.images import CHANNELS, ImageSize, image_cells, numbered_columns, pixel_grids
from store.errors import NotFound, UnreadableFile

Described = Sequence[Mapping[str, Any]]
"""What is told of each column of a table, as a dataset has it."""
NUMERIC: tuple[ColumnKind, ...] = ("numeric", "integer", "boolean")
DARKEST_BYTE = 16
"""Whole numbers up to 255, of which none is larger, are no bytes but a scale of their own, as in the sample `digits`."""
MOST_NAMED = 20


@dataclass(frozen=True)
class Images:
    """Images of one size, one a row: in a column of arrays, or in `columns` that hold a pixel each, row by row of the image.

    `low` is drawn black and `high` white.
    """

    name: str
    size: ImageSize
    columns: tuple[str, ...]
    low: float
    high: float
    channels_first: bool = False

    def pixels(self, table: pl.DataFrame, offset: int, limit: int) -> tuple[np.ndarray, np.ndarray]:
        """The images (n, h, w, c) of up to `limit` rows from `offset` on as they are stored, a missing pixel as NaN; and
        which rows (n,) have one.
        """
        cells = table.select(self.columns).slice(offset, limit)
        rows = cells.height
        if len(self.columns) > 1:
            found = cells.select(pl.all().cast(pl.Float64)).to_numpy().reshape(rows, *self.size)
            return found, ~np.isnan(found).all((1, 2, 3))
        series = cells.to_series()
        there = series.is_not_null().to_numpy()
        found = series.drop_nulls().to_numpy().reshape(int(there.sum()), *self._stored)
        if self.channels_first:
            found = np.moveaxis(found, 1, -1)
        images = np.zeros((rows, *self.size), found.dtype)
        images[there] = found.reshape(-1, *self.size)
        return images, there

    @property
    def _stored(self) -> tuple[int, ...]:
        height, width, channels = self.size
        return (channels, height, width) if self.channels_first else self.size


def images_of(described: Described, table: Callable[[], pl.DataFrame]) -> list[Images]:
    """Parts that can be shown as images: columns of arrays, then tables of pixels, in the order of the columns. The
    `table` is looked into where there are arrays.
    """
    arrays = [_of_array(column, table().schema[column["name"]]) for column in described if column["kind"] == "image"]
    return [*filter(None, arrays), *_of_columns({column["name"]: column for column in described})]


def image_named(
    described: Described, table: Callable[[], pl.DataFrame], name: str | None, size: tuple[int, int] | None
) -> Images:
    """The images of that name, the dataset's first by default. With a `size`, width and height, the vectors of that column,
    or the columns that are numbered behind that name, are images, row by row.

    Raises UnreadableFile with the names that there are, or NotFound.
    """
    if size is not None:
        return _of_size(described, name, ImageSize(size[1], size[0]))
    known = images_of(described, table)
    for images in known:
        if name is None or images.name == name:
            return images
    remedy = _remedy(described, [images.name for images in known])
    if name is None:
        raise UnreadableFile(f"this dataset holds no images; {remedy}", "/query/column")
    if all(column["name"] != name for column in described):
        raise NotFound(f"no images are named '{name[:100]}'; {remedy}", "/query/column")
    raise UnreadableFile(f"column '{name}' holds no images; {remedy}", "/query/column")


def _remedy(described: Described, known: list[str]) -> str:
    vectors = [column["name"] for column in described if column["kind"] == "vector"]
    if known:
        return f"choose {_listed(known)}"
    if vectors:
        return f"with a size, as in size=28x28, those of {_listed(vectors)} can be shown"
    return "columns that are numbered, as p0, p1, … to p63, are shown with column=p and size=8x8"


def _listed(names: list[str]) -> str:
    more = f" or {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(f"'{name}'" for name in names[:MOST_NAMED]) + more


def _of_array(column: Mapping[str, Any], dtype: Any) -> Images | None:
    """The images of a column of arrays (h, w), (h, w, c) or (c, h, w); None where it is of so many channels as no image is."""
    found = image_cells(dtype.shape)
    if found is None or found.size.channels not in CHANNELS:
        return None
    inner = dtype
    while isinstance(inner, pl.Array):
        inner = inner.inner
    low, high = _range([column], is_whole=not inner.is_float())
    return Images(column["name"], found.size, (column["name"],), low, high, found.channels_first)


def _of_columns(columns: Mapping[str, Mapping[str, Any]]) -> list[Images]:
    """Tables of pixels, by the names of their columns."""
    return [_flat(grid.prefix, grid.size, grid.columns, columns) for grid in pixel_grids(_numbers(columns))]


def _numbers(columns: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The columns of numbers that are learned from."""
    return [name for name, column in columns.items() if column["kind"] in NUMERIC and not column.get("role")]


def _flat(prefix: str, size: ImageSize, names: Sequence[str], columns: Mapping[str, Mapping[str, Any]]) -> Images:
    used = [columns[name] for name in names]
    low, high = _range(used, all(column["kind"] != "numeric" for column in used))
    return Images(prefix.rstrip("_-. ") or prefix, size, tuple(names), low, high)


def _of_size(described: Described, name: str | None, size: ImageSize) -> Images:
    """Vectors, or numbered columns, as images of that size. Raises UnreadableFile or NotFound."""
    columns = {column["name"]: column for column in described}
    vectors = [each for each, column in columns.items() if column["kind"] == "vector"]
    numbered = {
        prefix.rstrip("_-. ") or prefix: names
        for prefix, names in numbered_columns(_numbers(columns)).items()
        if len(names) > 1
    }
    name = name if name is not None else next(iter([*vectors, *numbered]), None)
    if name is None:
        raise UnreadableFile("no column of this dataset holds vectors, and none are numbered", "/query/column")
    count = size.height * size.width
    if name in vectors:
        numbers = int(np.prod(columns[name]["shape"]))
        low, high = _range([columns[name]], is_whole=_is_whole(columns[name]))
        found = Images(name, size, (name,), low, high)
    elif name in numbered:
        numbers = len(numbered[name])
        found = _flat(name, size, numbered[name], columns)
    elif name in columns:
        raise UnreadableFile(f"column '{name}' holds no vectors, so that a size says nothing; leave it out", "/query/size")
    else:
        raise NotFound(f"no column is named '{name[:100]}', and none are numbered behind it", "/query/column")
    if numbers != count:
        detail = f"{size.width} × {size.height} pixels are {count}, and '{name}' has {numbers} numbers a row"
        raise UnreadableFile(f"{detail}; give width and height whose product that is", "/query/size")
    return found


def _is_whole(column: Mapping[str, Any]) -> bool:
    return all(isinstance(column[name], int) for name in ("min", "max"))


def _range(columns: list[Mapping[str, Any]], is_whole: bool) -> tuple[float, float]:
    """The numbers drawn black and white: 0 and 255 of bytes, 0 and 1 of fractions within, else the smallest and the largest."""
    lows = [column["min"] for column in columns if column["min"] is not None]
    highs = [column["max"] for column in columns if column["max"] is not None]
    low, high = float(min(lows, default=0)), float(max(highs, default=1))
    if is_whole and low >= 0 and DARKEST_BYTE < high <= 255:
        return 0.0, 255.0
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    return low, high if high > low else low + 1
