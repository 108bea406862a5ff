"""Columns as they are stored: checked, whole numbers in the narrowest type, lists of one length as arrays."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import polars as pl

from store.errors import UnreadableFile
from store.formats.reading import CELL_BYTES

WHOLE = (pl.UInt8, pl.Int16, pl.Int32, pl.Int64)
"""The types of whole numbers that are stored, the narrowest first."""
WIDER = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt16, pl.UInt32)
"""Types of whole numbers that may be stored narrower, and that have a common type which is one."""
BOUNDS = ((0, 2**8 - 1), (-(2**15), 2**15 - 1), (-(2**31), 2**31 - 1), (-(2**63), 2**63 - 1))


def stored_columns(batch: pl.DataFrame, row: int) -> list[pl.Series]:
    """The columns of a batch, which begins in that row, as they are stored. Raises UnreadableFile where one cannot be."""
    plain = _plain(batch)
    return [
        (column if plain[place] is None else column.cast(plain[place])) if place in plain else stored(column, row)
        for place, column in enumerate(batch.iter_columns())
    ]


def _plain(batch: pl.DataFrame) -> dict[int, Any]:
    """Which columns hold plain numbers, and the type that each is stored in where it is another. They are looked at all at
    once, for a call costs more than a short column does.
    """
    gaps, dtypes = batch.null_count().row(0), batch.dtypes
    there = [(place, dtype) for place, dtype in enumerate(dtypes) if gaps[place] < batch.height]
    found: dict[int, Any] = {place: None for place, dtype in there if dtype == pl.UInt8}
    fractions = [place for place, dtype in there if dtype in (pl.Float32, pl.Float64)]
    if fractions:
        finite = np.isfinite(batch[:, fractions].to_numpy()).sum(axis=0)
        whole = zip(fractions, finite.tolist(), strict=True)
        found |= {place: None for place, count in whole if count == batch.height - gaps[place]}
    wholes = [place for place, dtype in there if dtype in WIDER and not gaps[place]]
    if wholes:
        cells = batch[:, wholes].to_numpy()
        bounds = zip(wholes, cells.min(axis=0).tolist(), cells.max(axis=0).tolist(), strict=True)
        found |= {place: narrowest(low, high) for place, low, high in bounds}
    return found


def narrowest(low: int, high: int) -> Any:
    """The type that whole numbers from `low` to `high` are stored in: words, where no number holds them exactly."""
    fitting = (dtype for dtype, (least, most) in zip(WHOLE, BOUNDS, strict=True) if least <= low and high <= most)
    return next(fitting, pl.String)


def stored(column: pl.Series, row: int = 0) -> pl.Series:
    """The column of a batch, which begins in that row, as it is stored. Raises UnreadableFile where it cannot be."""
    dtype = column.dtype
    for matches, convert in CONVERSIONS:
        if matches(dtype):
            return convert(column, row)
    raise UnreadableFile(
        f"column '{column.name}' holds {_shown(dtype)}{_paths(column)}, which is no value to learn from; leave it out, or "
        f"flatten it into "
        "columns of numbers or words"
    )


def _paths(column: pl.Series) -> str:
    """The paths of an object's values."""
    if not isinstance(column.dtype, pl.Struct):
        return ""
    paths = [f"{column.name}.{field.name}"[:60] for field in column.dtype.fields]
    return f" ({', '.join(paths[:3])}{' …' if len(paths) > 3 else ''})" if paths else ""


def _shown(dtype: Any) -> str:
    return {"Struct": "objects", "List": "lists", "Binary": "bytes"}.get(type(dtype).__name__, str(dtype))


def _whole(column: pl.Series, row: int) -> pl.Series:
    low: Any = column.min()
    high: Any = column.max()
    if low is None:
        return column.cast(pl.Null, strict=False) if column.null_count() == len(column) else column
    return column.cast(narrowest(low, high))


def _decimal(column: pl.Series, row: int) -> pl.Series:
    """Whole numbers exactly; fractions as the float nearest to each."""
    assert isinstance(column.dtype, pl.Decimal)
    if column.dtype.scale:
        return _float(column, row)
    whole = column.cast(pl.Int64, strict=False)
    return _whole(whole, row) if whole.null_count() == column.null_count() else column.cast(pl.String)


def _float(column: pl.Series, row: int) -> pl.Series:
    column = column.cast(pl.Float32 if column.dtype in (pl.Float32, pl.Float16) else pl.Float64).fill_nan(None)
    infinite = column.is_infinite().fill_null(False)
    if infinite.any():
        at = row + (infinite.arg_max() or 0)
        raise UnreadableFile(
            f"column '{column.name}' holds an infinite number in row {at}; replace it by a number or leave the cell empty"
        )
    return _or_null(column)


def _or_null(column: pl.Series) -> pl.Series:
    return column.cast(pl.Null, strict=False) if column.null_count() == len(column) else column


def _text(column: pl.Series, row: int) -> pl.Series:
    column = column.cast(pl.String)
    oversized = (column.str.len_bytes() > CELL_BYTES).fill_null(False)
    if oversized.any():
        at = row + (oversized.arg_max() or 0)
        raise UnreadableFile(f"column '{column.name}' holds more than {CELL_BYTES} bytes in row {at}; shorten that cell")
    return _or_null(column)


def _moments(column: pl.Series, row: int) -> pl.Series:
    pattern = "%Y-%m-%dT%H:%M:%S%.f" if isinstance(column.dtype, pl.Datetime) else "%Y-%m-%d"
    return _or_null(column.dt.to_string(pattern))


def _list(column: pl.Series, row: int) -> pl.Series:
    """Lists of one length each as arrays; lists of lists likewise."""
    shape: list[int] = []
    flat = column
    inner: Any = column.dtype
    while isinstance(inner, pl.List):
        lengths = flat.list.len().drop_nulls()
        if lengths.len() == 0:
            return column.cast(pl.Null, strict=False) if not shape else _unequal(column, row)
        if lengths.min() != lengths.max():
            at = row + int((flat.list.len() != lengths[0]).fill_null(False).arg_max() or 0)
            raise UnreadableFile(
                f"column '{column.name}' holds lists of {lengths.min()!r} to {lengths.max()!r} items, as in row {at}; "
                "give all as many"
            )
        shape.append(int(lengths[0]))
        flat, inner = flat.list.explode(), inner.inner
    if not all(shape):
        return _unequal(column, row)
    return _array(column.cast(pl.Array(inner, tuple(shape))), row)


def _unequal(column: pl.Series, row: int) -> pl.Series:
    raise UnreadableFile(f"column '{column.name}' holds empty lists; leave it out, or fill them")


def leaf(dtype: Any) -> Any:
    """The type of an array's numbers."""
    return leaf(dtype.inner) if isinstance(dtype, pl.Array) else dtype


def _array(column: pl.Series, row: int) -> pl.Series:
    """Arrays of numbers, none of them missing within, in the narrowest type."""
    assert isinstance(column.dtype, pl.Array)
    shape, inner = column.dtype.shape, leaf(column.dtype)
    size = max(1, int(prod(shape)))
    if not (inner.is_numeric() or inner == pl.Boolean) or inner.is_decimal() or not all(shape):
        raise UnreadableFile(f"column '{column.name}' holds arrays of {inner}; give arrays of numbers, or leave it out")
    flat = column.drop_nulls().reshape((-1,))
    whole = flat.cast(pl.UInt8) if inner == pl.Boolean else stored(flat.alias(column.name), row)
    if whole.dtype == pl.String:
        raise UnreadableFile(
            f"column '{column.name}' holds arrays of whole numbers beyond 64 bits; give smaller ones, or fractions"
        )
    if whole.null_count() or whole.dtype == pl.Null:
        at = row + int((flat.is_null() | flat.is_nan() if flat.dtype.is_float() else flat.is_null()).arg_max() or 0) // size
        raise UnreadableFile(
            f"column '{column.name}' holds an array with a gap in it in row {at}: an array is read as a whole; give all its "
            "numbers, or null for all of it, which is a missing value"
        )
    if column.null_count():
        return column.cast(pl.Array(whole.dtype, shape))
    return whole.reshape((len(column), *shape)).alias(column.name)


CONVERSIONS: tuple[tuple[Callable[[Any], bool], Callable[[pl.Series, int], pl.Series]], ...] = (
    (lambda dtype: dtype.is_integer(), _whole),
    (lambda dtype: dtype.is_decimal(), _decimal),
    (lambda dtype: dtype.is_float(), _float),
    (lambda dtype: dtype == pl.Boolean, lambda column, row: _or_null(column)),
    (lambda dtype: dtype in (pl.String, pl.Categorical, pl.Enum, pl.Time), _text),
    (lambda dtype: dtype in (pl.Date, pl.Datetime), _moments),
    (lambda dtype: dtype == pl.Duration, lambda column, row: column.dt.total_microseconds() / 1e6),
    (lambda dtype: dtype == pl.Null, lambda column, row: column),
    (lambda dtype: dtype == pl.List, _list),
    (lambda dtype: dtype == pl.Array, _array),
)
"""How each of Polars' types is stored: the first that matches."""
