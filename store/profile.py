"""The profile of a dataset: each column's kind and exact statistics.

A column of numbers is tallied once, its different values in order with how often each occurs, and every statistic is
read off that.
"""

from typing import Any, NamedTuple

import numpy as np
import polars as pl

from engine.parts.scaling import blocks, in_float64
from engine.tables.features import ColumnKind
from store.formats.assembly import let_go
from store.kinds import infer, recast

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
NAMES = tuple(map(str, QUANTILES))
TOP = 10
COUNTABLE = 1 << 16
"""Whole numbers that lie that close together are counted, which is faster than to sort them."""
LONG = 20_000
"""From that many values on Polars sorts faster than NumPy; below, a call of it costs more than the sorting."""
LARGE_BYTES = 1 << 20
"""A column that takes more is let go of before the next is looked at, where the table is mapped."""
NOTHING: dict[str, Any] = dict.fromkeys(("min", "max", "mean", "std", "quantiles", "top", "shape"))


def profile(table: pl.DataFrame) -> list[dict[str, Any]]:
    """The contract's description of every column, in order; `first_missing` is the row of its first gap."""
    described = []
    for column in table.iter_columns():
        described.append(describe(column))
        if column.estimated_size() > LARGE_BYTES:
            let_go()
    return described


def describe(column: pl.Series, kind: ColumnKind | None = None) -> dict[str, Any]:
    """The description of one column, read as that `kind`, by default the one its cells suggest. Raises Misfit."""
    if kind is not None:
        column = recast(column, kind)
    if isinstance(column.dtype, pl.Array):
        kind, found = kind or infer(column, 0), _array(column)
    elif column.dtype.is_numeric():
        tally, gaps = _tally(column)
        kind = kind or infer(column, len(tally.values))
        if kind in ("categorical", "text"):
            return describe(column, kind)
        found = _numbers(tally) | {"distinct": len(tally.values), "top": _top_numbers(tally) if kind == "integer" else None}
        found |= {"missing": int(gaps.sum()), "first_missing": int(gaps.argmax())} if gaps is not None else {}
    else:
        counts = column.drop_nulls().alias("value").value_counts(name="count")
        kind = kind or infer(column, counts.height)
        found = {"distinct": counts.height, "top": None if kind == "numeric" else _top(counts)}
    missing = column.null_count()
    first = column.is_null().arg_max() if missing else None
    return {"name": column.name, "kind": kind, "missing": missing, "first_missing": first, **NOTHING, **found}


class Tally(NamedTuple):
    """A column's different values, sorted, and how often each occurs (both (distinct,))."""

    values: np.ndarray
    counts: np.ndarray


def _tally(column: pl.Series) -> tuple[Tally, np.ndarray | None]:
    """The tally of the numbers that are there; and which cells are gaps, where some are NaN and not null."""
    values = (column.drop_nulls() if column.null_count() else column).to_numpy()
    if not len(values):
        return Tally(values, np.empty(0)), None
    if values.dtype.kind in "iu":
        low, high = values.min(), values.max()
        if int(high) - int(low) < COUNTABLE:
            counts = np.bincount(_above(values, low).astype(np.intp, copy=False))
            places = np.flatnonzero(counts)
            return Tally(places.astype(values.dtype) + low, counts[places].astype(np.float64)), None
    ordered = column.drop_nulls().sort().to_numpy() if len(values) > LONG else np.sort(values)
    gaps = None
    if values.dtype.kind == "f" and np.isnan(ordered[-1]):  # NaN is sorted to the end
        gaps = column.is_nan().fill_null(True).to_numpy()
        ordered = ordered[: len(column) - np.count_nonzero(gaps)]
    return _runs(ordered), gaps


def _runs(ordered: np.ndarray) -> Tally:
    changes = ordered[1:] != ordered[:-1]
    if changes.all():
        return Tally(ordered, np.ones(len(ordered)))
    starts = np.flatnonzero(np.append(True, changes))
    return Tally(ordered[starts], np.diff(starts, append=len(ordered)).astype(np.float64))


def _above(values: np.ndarray, low: Any) -> np.ndarray:
    """How far each value lies above the lowest. Of whole numbers exact, however large: what wraps around wraps back."""
    if values.dtype.kind == "f":
        return values.astype(np.float64) - float(low)
    unsigned = np.dtype(f"u{values.dtype.itemsize}")
    return values.view(unsigned) - low.view(unsigned)


def _numbers(tally: Tally) -> dict[str, Any]:
    count = tally.counts.sum()
    if not count:
        return {}
    low, high = tally.values[0], tally.values[-1]
    with np.errstate(over="ignore", invalid="ignore"):
        deviation = _above(tally.values, low).astype(np.float64)
        mean = float((deviation * tally.counts).sum() / count)  # no product of BLAS, whose threads would only wait here
        deviation -= mean
        deviation *= deviation
        deviation *= tally.counts
        variance = float(deviation.sum()) / max(1, count - 1)
    return {
        "min": low.item(),
        "max": high.item(),
        "mean": float(low) + mean,
        "std": variance**0.5 if count > 1 else None,
        "quantiles": _quantiles(tally),
    }


def _quantiles(tally: Tally) -> dict[str, float]:
    """On the straight line between the two nearest of the sorted cells (Hyndman and Fan's seventh kind)."""
    ends = np.cumsum(tally.counts)
    places = np.array(QUANTILES) * (ends[-1] - 1)
    edges = np.searchsorted(ends, (np.floor(places), np.ceil(places)), "right")
    below, above = tally.values[edges].astype(np.float64)
    share = places - np.floor(places)
    with np.errstate(invalid="ignore"):  # an infinite cell, which no file brings in
        found = np.where(below == above, below, below * (1 - share) + above * share)
    return dict(zip(NAMES, found.tolist(), strict=True))


def _top_numbers(tally: Tally) -> list[dict[str, Any]]:
    chosen = np.argsort(-tally.counts, kind="stable")[:TOP]
    pairs = zip(tally.values[chosen].tolist(), tally.counts[chosen].tolist(), strict=True)
    return [{"value": value, "count": int(count)} for value, count in pairs]


def _top(counts: pl.DataFrame) -> list[dict[str, Any]]:
    """The most frequent values; of equally frequent ones the smallest first, so that the answer is always the same."""
    most = counts.top_k(TOP, by=["count", "value"], reverse=[False, True])
    return most.sort(["count", "value"], descending=[True, False]).to_dicts()


def _array(column: pl.Series) -> dict[str, Any]:
    """The shape of an array column's cells, and statistics of all the numbers of those without a gap together."""
    assert isinstance(column.dtype, pl.Array)
    cells = column.to_numpy().reshape(len(column), -1)
    found: dict[str, Any] = {"distinct": None, "shape": list(column.dtype.shape)}
    if cells.dtype.kind == "f":
        gaps = np.concatenate([np.isnan(cells[rows]).any(axis=1) for rows in blocks(*cells.shape)])
        if gaps.any():
            found |= {"missing": int(gaps.sum()), "first_missing": int(gaps.argmax())}
            cells = cells[~gaps]
    if not cells.size:
        return found
    low, high, numbers = cells.min(), cells.max(), cells.reshape(-1, 1)
    with np.errstate(over="ignore", invalid="ignore"):
        above = sum(float((block - float(low)).sum()) for block in in_float64(numbers)) / numbers.size
        mean = float(low) + above
        squares = sum(float(np.square(block - mean).sum()) for block in in_float64(numbers))
    return found | {"min": low.item(), "max": high.item(), "mean": mean, "std": (squares / max(1, numbers.size - 1)) ** 0.5}
