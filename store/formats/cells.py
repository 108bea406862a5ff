"""What words in cells mean: numbers in several notations, yes and no, dates. Each is tried on a whole column of text."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from store.formats.options import ReadOptions

PAIRS = (("true", "false"), ("yes", "no"))
SPACES = " \u00a0\u202f"
GROUPED: tuple[tuple[str, str], ...] = ((".", ","), (",", "."), (",", " "), (".", "'"), (".", " "))
"""Marks before a fraction and between thousands, as they go together."""
DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y")
TIMES = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f")
ZONED = ("%Y-%m-%dT%H:%M:%S%#z", "%Y-%m-%dT%H:%M:%S%.f%#z")
AMBIGUOUS = ("%d/%m/%Y", "%m/%d/%Y")
"""Of these, days and months cannot be told apart up to the twelfth."""


@dataclass(frozen=True)
class Reading:
    """One way to read a column: what Polars parses it as, how text becomes values, and how the report names it."""

    dtype: Any
    convert: Callable[[pl.Series], pl.Series]
    report: str | None = None
    ambiguous: str | None = None
    """Which form field settles it, where the cells may not have."""
    notation: str | None = None
    """Readings of another notation and the same field are its rivals."""

    def apply(self, cells: pl.Series, markers: Sequence[str]) -> pl.Series | None:
        """The column's values, or None where a cell has none though it is there. A missing marker may have spaces around."""
        values = self.convert(cells)
        gaps = cells.null_count()
        if values.null_count() == gaps:
            return values
        if cells.dtype != pl.String or self is TEXT:
            return None
        blank = int(cells.str.strip_chars().is_in(list(markers)).sum())
        return values if blank and values.null_count() == gaps + blank else None


def _plain(dtype: Any) -> Callable[[pl.Series], pl.Series]:
    def convert(cells: pl.Series) -> pl.Series:
        return cells if cells.dtype == dtype else cells.cast(dtype, strict=False)

    return convert


def _stripped(dtype: Any) -> Callable[[pl.Series], pl.Series]:
    def convert(cells: pl.Series) -> pl.Series:
        return cells.str.strip_chars().cast(dtype, strict=False)

    return convert


INTEGER, FLOAT = Reading(pl.Int64, _plain(pl.Int64)), Reading(pl.Float64, _plain(pl.Float64))
NUMBERS = (INTEGER, FLOAT)
SPACED = [Reading(pl.String, _stripped(dtype)) for dtype in (pl.Int64, pl.Float64)]
"""Numbers with spaces around."""
TEXT = Reading(pl.String, _plain(pl.String))


def readings(options: ReadOptions, delimiter: str) -> list[Reading]:
    """The ways to read a column, the first that fits is taken; text, which comes last, always does."""
    found: list[Reading] = []
    if (options.booleans or "").lower() in ("1/0", "0/1"):
        found += _booleans(options)
    if options.decimal != "," and options.thousands != ".":
        found += [INTEGER, FLOAT, *SPACED]
    else:
        found += [INTEGER]
    found += _numbers(options, delimiter)
    found += _booleans(options)
    if options.dates != "keep":
        found += _dates(options)
    return [*found, TEXT]


def _numbers(options: ReadOptions, delimiter: str) -> Iterator[Reading]:
    """Numbers with marks between thousands, or a comma before the fraction."""
    styles: list[tuple[str, str]] = list(GROUPED)
    if options.decimal or options.thousands:
        decimal: str = options.decimal or ("," if options.thousands == "." else ".")
        groups = [options.thousands] if options.thousands else [group for point, group in GROUPED if point == decimal]
        styles = [(decimal, group) for group in groups]
    elif delimiter != ",":  # who parts cells by something else does so because numbers hold commas
        styles.sort(key=lambda style: style[0] != ",")
    for point, group in styles:
        name = f"decimal {point!r}" + (f", thousands {group!r}" if group != "none" else "")
        settled = options.decimal or options.thousands or delimiter == "," or "," not in (point, group)
        for dtype, kind in ((pl.Int64, "integer"), (pl.Float64, "number")):
            yield Reading(pl.String, _grouped(point, group, dtype), f"{kind} ({name})", None if settled else "decimal", point)


def _grouped(decimal: str, group: str, dtype: Any) -> Callable[[pl.Series], pl.Series]:
    mark, point = f"[{SPACES}]" if group == " " else re.escape(group), re.escape(decimal)
    whole = r"\d+" if group == "none" else rf"(?:\d{{1,3}}(?:{mark}\d{{3}})+|\d+)"
    pattern = rf"^[+-]?{whole}(?:{point}\d+)?(?:[eE][+-]?\d+)?$" if dtype == pl.Float64 else rf"^[+-]?{whole}$"

    def convert(cells: pl.Series) -> pl.Series:
        bare = cells.str.strip_chars()
        bare = bare.set(~bare.str.contains(pattern).fill_null(False), None)
        if group != "none":
            bare = bare.str.replace_all(mark, "")
        return bare.str.replace(decimal, ".", literal=True).cast(dtype, strict=False)

    return convert


def _booleans(options: ReadOptions) -> Iterator[Reading]:
    if options.booleans == "keep":
        return
    given = options.booleans
    for yes, no in [tuple(given.lower().split("/"))] if given else PAIRS:
        report = None if (yes, no) == PAIRS[0] else f"boolean ({yes}/{no})"
        yield Reading(pl.String, _pair(yes, no), report)


def _pair(yes: str, no: str) -> Callable[[pl.Series], pl.Series]:
    def convert(cells: pl.Series) -> pl.Series:
        bare = cells.str.strip_chars().str.to_lowercase()
        return (bare == yes).set(~bare.is_in([yes, no]).fill_null(False), None)

    return convert


def _dates(options: ReadOptions) -> Iterator[Reading]:
    if options.date_format:
        timed = any(mark in options.date_format for mark in ("%H", "%I", "%T", "%R", "%s"))
        yield _date(options.date_format, pl.Datetime("us") if timed else pl.Date, options)
        return
    for pattern in DAYS:
        yield _date(pattern, pl.Date, options)
    for pattern in TIMES:
        yield _date(pattern, pl.Datetime("us"), options)
    for pattern in ZONED:
        yield _date(pattern, pl.Datetime("us", "UTC"), options)


def _date(pattern: str, dtype: Any, options: ReadOptions) -> Reading:
    in_days = options.dates == "days"

    def convert(cells: pl.Series) -> pl.Series:
        moments = cells.str.strip_chars().str.strptime(dtype, pattern, strict=False)
        if in_days:
            days = moments.to_physical()
            return days if dtype == pl.Date else days / 86_400_000_000
        if pattern[:8] == "%Y-%m-%d":
            return cells.set(moments.is_null(), None)  # ISO 8601 as it is
        return moments.dt.to_string("%Y-%m-%d" if dtype == pl.Date else "%Y-%m-%dT%H:%M:%S")

    report = f"date ({pattern})" + (", as days since 1970" if in_days else "")
    is_open = pattern in AMBIGUOUS and not options.date_format
    return Reading(pl.String, convert, report, "date_format" if is_open else None, pattern)
