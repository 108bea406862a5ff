"""What a dataset is made of: each column's kind, exact statistics, and warnings with their evidence."""

from typing import Any

import polars as pl

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
TOP = 10
TEXT_MIN_DISTINCT = 50
"""A column of words is free text, not categories, where more than that many differ and they are half of the rows."""


def profile(table: pl.DataFrame) -> list[dict[str, Any]]:
    """The contract's description of every column, in order; `first_missing` is the row of its first gap."""
    return [_column(table[name]) for name in table.columns]


def _column(column: pl.Series) -> dict[str, Any]:
    present = column.drop_nulls()
    distinct = present.n_unique()
    kind = _kind(column, distinct)
    described: dict[str, Any] = {
        "name": column.name,
        "kind": kind,
        "missing": column.null_count(),
        "first_missing": column.is_null().arg_max() if column.null_count() else None,
        "distinct": distinct,
        "min": None,
        "max": None,
        "mean": None,
        "std": None,
        "quantiles": None,
        "top": None,
    }
    if kind in ("numeric", "integer") and len(present):
        described |= _numbers(present)
    if kind != "numeric":
        described["top"] = _top(present)
    return described


def _kind(column: pl.Series, distinct: int) -> str:
    if column.dtype == pl.Boolean:
        return "boolean"
    if column.dtype.is_integer():
        return "integer"
    if column.dtype.is_numeric() or column.null_count() == len(column):
        return "numeric"
    return "text" if distinct > TEXT_MIN_DISTINCT and distinct > len(column) / 2 else "categorical"


def _numbers(present: pl.Series) -> dict[str, Any]:
    deviation = present.std() if len(present) > 1 else None
    return {
        "min": present.min(),
        "max": present.max(),
        "mean": present.mean(),
        "std": deviation,
        "quantiles": {str(q): present.quantile(q, "linear") for q in QUANTILES},
    }


def _top(present: pl.Series) -> list[dict[str, Any]]:
    """The most frequent values; of equally frequent ones the smallest first, so that the answer is always the same."""
    counts = present.alias("value").value_counts().sort(["count", "value"], descending=[True, False]).head(TOP)
    return [{"value": value, "count": count} for value, count in counts.iter_rows()]


def warnings_of(columns: list[dict[str, Any]], rows: int) -> list[dict[str, Any]]:
    """What is worth a look before training."""
    found = []
    for column in columns:
        name, share = column["name"], column["missing"] / rows
        if column["distinct"] <= 1:
            found.append((name, "CONSTANT_COLUMN", f"column '{name}' never changes, so nothing can be learned from it"))
        if share > 0:
            found.append(
                (
                    name,
                    "MISSING_VALUES",
                    f"column '{name}' is missing {column['missing']} of {rows} values ({share:.1%})",
                )
            )
    return [{"column": name, "code": code, "detail": detail} for name, code, detail in found]
