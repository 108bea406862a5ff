"""The kinds of a column: what is inferred from its cells, what it may be corrected to, and how the engine reads it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl

from engine.tables.features import BOOLEANS, Column, ColumnKind, word

TEXT_MIN_DISTINCT = 50
"""A column of words is free text, not categories, where more than that many differ and they are half of the rows."""
FALSE, TRUE = ([text for text, value in BOOLEANS.items() if value is wanted] for wanted in (False, True))


class Misfit(Exception):
    """A cell that the wanted kind cannot hold: the first row of it, counted from 0, and what is wrong with it."""

    def __init__(self, row: int, detail: str) -> None:
        super().__init__(detail)
        self.row, self.detail = row, detail


def infer(column: pl.Series, distinct: int) -> ColumnKind:
    """The kind of a column as it was parsed, with so many different values."""
    if isinstance(column.dtype, pl.Array):
        return "image" if len(column.dtype.shape) > 1 else "vector"
    if column.dtype == pl.Boolean:
        return "boolean"
    if column.dtype.is_integer() and not (column.null_count() and _is_beyond_floats(column)):
        return "integer"
    if column.dtype.is_float() or column.null_count() == len(column):
        return "numeric"
    return "text" if distinct > TEXT_MIN_DISTINCT and distinct > len(column) / 2 else "categorical"


def _is_beyond_floats(column: pl.Series) -> bool:
    """Whether whole numbers would be rounded where their gaps make fractions of them: two labels would become one."""
    low: Any = column.min()
    high: Any = column.max()
    return low is not None and not -(2**53) <= low <= high <= 2**53


def recast(column: pl.Series, kind: ColumnKind) -> pl.Series:
    """The same cells as that kind holds them: booleans, whole numbers, floats, text or arrays. Raises Misfit."""
    if isinstance(column.dtype, pl.Array) != (kind in ("image", "vector")):
        raise Misfit(0, "is an array" if isinstance(column.dtype, pl.Array) else "is no array")
    if column.dtype.is_float() and kind != "numeric":
        column = column.fill_nan(None)
    return CASTS[kind](column)


def _checked(column: pl.Series, cast: pl.Series, name: str) -> pl.Series:
    """`cast`, which must not have lost a cell. Raises Misfit."""
    lost = cast.is_null() & column.is_not_null()
    if lost.any():
        row = int(lost.arg_max() or 0)
        raise Misfit(row, f"holds {str(column[row])[:50]!r}, which is no {name}")
    return cast


def _boolean(column: pl.Series) -> pl.Series:
    if column.dtype == pl.Boolean:
        return column
    if column.dtype.is_numeric():
        found = pl.select(pl.when(column == 1).then(True).when(column == 0).then(False)).to_series()
    else:
        text = _text(column).str.strip_chars().str.to_lowercase()
        found = pl.select(pl.when(text.is_in(TRUE)).then(True).when(text.is_in(FALSE)).then(False)).to_series()
    return _checked(column, found.alias(column.name), f"yes or no ({', '.join(BOOLEANS)})")


def _integer(column: pl.Series) -> pl.Series:
    if column.dtype.is_integer():
        return column
    if column.dtype == pl.Boolean:
        return column.cast(pl.UInt8)
    numbers = _numeric(column)
    whole = numbers.set((numbers != numbers.round(0)) | (numbers.abs() >= 2.0**53), None)
    return _checked(column, whole.cast(pl.Int64), "whole number")


def is_whole(column: pl.Series) -> bool:
    """Whether every number of a numeric column is whole, as 1.0 is, and exact."""
    numbers = recast(column, "numeric").drop_nans().drop_nulls()
    return bool(((numbers == numbers.round(0)) & (numbers.abs() < 2.0**53)).all())


def _numeric(column: pl.Series) -> pl.Series:
    if column.dtype.is_float():
        return column
    if column.dtype.is_float() or column.dtype in (pl.Boolean, pl.Null):
        return column.cast(pl.Float64)
    numbers = _text(column).str.strip_chars().cast(pl.Float64, strict=False)
    return _checked(column, numbers.set(~numbers.is_finite(), None), "number")


def _text(column: pl.Series) -> pl.Series:
    if column.dtype.is_float() or column.dtype == pl.Boolean:
        cells = column.unique().drop_nulls()
        words = pl.Series([word(cell) for cell in cells.to_list()], dtype=pl.String)
        return column.replace_strict(cells, words, default=None, return_dtype=pl.String)
    return column.cast(pl.String)


def _vector(column: pl.Series) -> pl.Series:
    return column


def _image(column: pl.Series) -> pl.Series:
    assert isinstance(column.dtype, pl.Array)
    if len(column.dtype.shape) == 1:
        raise Misfit(0, f"is one row of {column.dtype.shape[0]} numbers, and an image has rows of its own")
    return column


CASTS: dict[str, Callable[[pl.Series], pl.Series]] = {
    "numeric": _numeric,
    "integer": _integer,
    "boolean": _boolean,
    "categorical": _text,
    "text": _text,
    "image": _image,
    "vector": _vector,
}


def read(column: pl.Series, kind: ColumnKind) -> Column:
    """The column as the engine reads it: numbers in their own type where none is missing, codes into sorted categories,
    or arrays laid flat. Nothing is copied that need not be.
    """
    cells = recast(column, kind)
    if isinstance(cells.dtype, pl.Array):
        shape = cells.dtype.shape
        flat = np.ascontiguousarray(cells.to_numpy().reshape(len(cells), -1))
        return Column(column.name, kind, flat, shape=(flat.shape[1],) if kind == "vector" else shape)
    if cells.dtype == pl.String:
        ordered = (column if column.dtype.is_numeric() else cells).drop_nulls().unique().sort()  # 9 before 10, not after
        categories = _text(ordered)
        codes = cells.cast(pl.Enum(categories)).to_physical().cast(pl.Int32).fill_null(-1)
        return Column(column.name, kind, codes.to_numpy(), tuple(categories))
    if cells.dtype == pl.Boolean:
        cells = cells.cast(pl.UInt8)
    if cells.null_count():
        cells = cells.cast(pl.Float64).fill_null(float("nan"))
    return Column(column.name, kind, np.ascontiguousarray(cells.to_numpy()))
