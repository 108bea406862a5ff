"""Findings about a table before training, each with its evidence.

What can only be said once the target is known: engine/training/findings.py.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import polars as pl

from engine.training.findings import Finding, notices, scales_differ
from engine.training.spec import MAX_CATEGORIES
from engine.wording import say
from store.kinds import recast

Described = dict[str, Any]
NEARLY_NUMBERS = ("ALMOST_NUMBERS", "MIXED_NUMBERS")
FEW_ROWS = 20
"""Below so many rows a column whose cells all differ says nothing."""
SCALES_APART = 1000
"""Standard deviations that are so many times one another want scaling."""


def warnings_of(
    columns: Sequence[Described], table: pl.DataFrame, told: Sequence[Mapping[str, Any]] = ()
) -> list[dict[str, Any]]:
    """Findings in a described table, in the order of the columns; of one code at most some are named.

    Of columns that nearly are numbers, as is `told` of them, nothing is said that holds of words.
    """
    numbers = {warning.get("column") for warning in told if warning["code"] in NEARLY_NUMBERS}
    found: list[Finding] = []
    duplicates, rows = _duplicates(columns, table), table.height
    for column, cells in zip(columns, table.iter_columns(), strict=True):
        checks = [check for check in CHECKS if column["name"] not in numbers or check not in OF_WORDS]
        found += [finding for check in checks for finding in check(column, cells, rows)]
        found += duplicates[column["name"]]
    return notices([*found, *_scales(columns)])


def _missing(column: Described, cells: pl.Series, rows: int) -> Iterator[Finding]:
    if column["missing"]:
        detail = say(
            "column '{name}' is missing {missing} of {rows} values ({share:.1%}), the first in row {first}; "
            "preprocessing.missing says what becomes of such rows",
            name=column["name"],
            missing=column["missing"],
            rows=rows,
            share=column["missing"] / rows,
            first=column["first_missing"],
        )
        yield column["name"], "MISSING_VALUES", detail


def _constant(column: Described, cells: pl.Series, rows: int) -> Iterator[Finding]:
    array_alike = column["distinct"] is None and column["min"] == column["max"]
    if array_alike or (column["distinct"] is not None and column["distinct"] <= 1):
        detail = say("column '{name}' never changes, so nothing can be learned from it", name=column["name"])
        yield column["name"], "CONSTANT_COLUMN", detail


def _identity(column: Described, cells: pl.Series, rows: int) -> Iterator[Finding]:
    """Whole numbers that count the rows, or words of which each row has its own."""
    if rows < FEW_ROWS or column["distinct"] != rows or column.get("role") == "index":
        return
    if column["kind"] == "integer":
        if column["max"] - column["min"] == rows - 1:
            how = say("numbers the {rows} rows from {low} to {high}", rows=rows, low=column["min"], high=column["max"])
        elif _is_monotone(cells.to_numpy()):
            rises = cells[0] < cells[-1]
            how = (
                say("only ever rises over the {rows} rows, and no value comes twice", rows=rows)
                if rises
                else say("only ever falls over the {rows} rows, and no value comes twice", rows=rows)
            )
        else:
            return
    elif column["kind"] in ("categorical", "text"):
        how = say("has a different value in each of the {rows} rows", rows=rows)
    else:
        return
    detail = say(
        "column '{name}' {how}, as what names rows does; if it describes nothing, leave it out", name=column["name"], how=how
    )
    yield column["name"], "ID_LIKE", detail


def _is_monotone(values: np.ndarray) -> bool:
    rises = values[1:] > values[:-1]
    return bool(rises.all() or not rises.any())


def _free_text(column: Described, cells: pl.Series, rows: int) -> Iterator[Finding]:
    if column["kind"] == "text" and column["distinct"] != rows:
        detail = say(
            "column '{name}' holds {distinct} different words in {rows} rows and is taken for free text, which is left out of "
            "the features; if these are categories, correct its kind to categorical",
            name=column["name"],
            distinct=column["distinct"],
            rows=rows,
        )
        yield column["name"], "FREE_TEXT", detail


def _many_categories(column: Described, cells: pl.Series, rows: int) -> Iterator[Finding]:
    if column["kind"] == "categorical" and column["distinct"] > MAX_CATEGORIES:
        detail = say(
            "column '{name}' holds {distinct} categories; the {most} most frequent get a feature each and the rest share one, "
            "unless preprocessing.max_categories says otherwise",
            name=column["name"],
            distinct=column["distinct"],
            most=MAX_CATEGORIES,
        )
        yield column["name"], "MANY_CATEGORIES", detail


OF_TABLE = frozenset(
    ("CONSTANT_COLUMN", "MISSING_VALUES", "ID_LIKE", "DUPLICATE_COLUMN", "FREE_TEXT", "MANY_CATEGORIES", "SCALES_DIFFER")
)
"""Codes of what is found in a table, however it was read."""
OF_WORDS = (_identity, _free_text, _many_categories)
CHECKS = (_constant, _missing, _identity, _free_text, _many_categories)


def _duplicates(columns: Sequence[Described], table: pl.DataFrame) -> dict[str, list[Finding]]:
    """Columns that hold what an earlier one holds. Only those whose statistics are alike are read again, each once."""
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for place, column in enumerate(columns):
        if column["distinct"] is None or column["distinct"] > 1:
            alike[_marks(column)].append(place)
    found: dict[str, list[Finding]] = defaultdict(list)
    for places in alike.values():
        first: dict[bytes, str] = {}
        for place in places if len(places) > 1 else ():
            name = columns[place]["name"]
            original = first.setdefault(_digest(table.to_series(place), columns[place]["kind"]), name)
            if original != name:
                detail = say(
                    "column '{name}' holds the same {rows} cells as column '{original}'; leave one of them out",
                    name=name,
                    rows=table.height,
                    original=original,
                )
                found[name].append((name, "DUPLICATE_COLUMN", detail))
    return found


def _marks(column: Described) -> tuple[Any, ...]:
    """A key that columns with equal contents share; whole numbers equal the same fractions."""
    marks = tuple(column[name] for name in ("missing", "first_missing", "distinct", "min", "max", "mean", "std"))
    words = column["top"][:1] if column["min"] is None and column["top"] else ()
    return (*marks, *(str(entry) for entry in words), *(column["shape"] or ()))


def _digest(cells: pl.Series, kind: Any) -> bytes:
    cells = recast(cells, kind)
    if isinstance(cells.dtype, pl.Array):
        return blake2b(np.ascontiguousarray(cells.to_numpy()).data).digest()
    hashes = (cells.cast(pl.Float64) if cells.dtype.is_numeric() else cells).hash()
    return blake2b(hashes.to_numpy().data).digest()


def _scales(columns: Iterable[Described]) -> Iterator[Finding]:
    spread = {column["name"]: column["std"] or 0.0 for column in columns if column["kind"] in ("numeric", "integer")}
    return scales_differ(spread, SCALES_APART, say("wants them scaled, as preprocessing.scaling does by default"))
