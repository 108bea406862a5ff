"""How the cells of one column are read: declared once, stored, and turned into values by Polars, whole columns at a time."""

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from math import isfinite
from typing import Any, Literal

import polars as pl

SPACES = " \u00a0\u202f\u2009"
AROUND = " \t\u00a0"
"""Spaces that do not count around a cell."""
MINUS = "\u2212-"
PLAIN_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
TIMED = ("%H", "%I", "%T", "%R", "%s")


@dataclass(frozen=True)
class ColumnReading:
    """How text in a column's cells becomes values.

    `kind` says what a cell holds. Of numbers: the marks before the fraction and between thousands, a `unit` that stands
    before or after each and is no part of it, whether (3) and 3- are negative (`accounting`). Of yes and no: the `words`
    for false and true, as the file writes them; none for the words true and false. Of dates: the strptime `format`, and
    whether they are `days` since 1970 or else text as ISO 8601 has it. `missing` are cells that stand for nothing in
    this column besides the file's markers; `kept` are markers of the file that are words here.
    """

    kind: Literal["integer", "number", "boolean", "date", "words"]
    decimal: str = "."
    thousands: str | None = None
    unit: str | None = None
    accounting: bool = False
    words: tuple[str, str] | None = None
    format: str | None = None
    days: bool = False
    missing: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def dtype(self) -> Any:
        """The type that Polars may parse the column as at once: that of plain numbers, else text."""
        return PLAIN.get(self, pl.String)

    @property
    def document(self) -> dict[str, Any]:
        """The reading as JSON, without what is as usual."""
        usual = {field.name: field.default for field in fields(self)}
        found = {name: value for name, value in asdict(self).items() if name == "kind" or value != usual[name]}
        if self.kind == "number" or (self.kind == "integer" and self.thousands):
            found["decimal"] = self.decimal
        return {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> "ColumnReading":
        """The reading that was stored as JSON."""
        given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in document.items()}
        return cls(**given)

    def apply(self, cells: pl.Series, markers: Sequence[str]) -> tuple[pl.Series, pl.Series]:
        """The values of cells of text (n,), null for a gap; and which cells (n,) are there and cannot be read so.

        `markers` are the file's words for nothing; of numbers they are compared as such. Spaces around a cell do not count.
        """
        bare = cells.str.strip_chars(AROUND)
        gaps = bare.is_in([*(mark for mark in markers if mark not in self.kept), *self.missing]).fill_null(True)
        if gaps.any():
            bare = bare.set(gaps, None)
        values = CONVERSIONS[self.kind](self, bare).alias(cells.name)
        numbers = numbers_in(tuple(markers)) if self.kind in ("integer", "number") else ()
        if numbers:  # -9999 in another notation, such as -9999.0
            whole = [int(number) for number in numbers if number.is_integer() and abs(number) < 2**53]
            gaps |= values.is_in(whole if self.kind == "integer" else list(numbers)).fill_null(False)
            values = values.set(gaps, None)
        return values, values.is_null() & ~gaps


@lru_cache
def numbers_in(markers: tuple[str, ...]) -> tuple[float, ...]:
    """The markers that are finite numbers, such as -9999."""
    found = (float(marker) for marker in markers if PLAIN_NUMBER.fullmatch(marker))
    return tuple(number for number in found if isfinite(number))


INTEGER, NUMBER = ColumnReading("integer"), ColumnReading("number")
BOOLEAN, WORDS = ColumnReading("boolean"), ColumnReading("words")
PLAIN = {INTEGER: pl.Int64, NUMBER: pl.Float64}
"""Numbers as Polars' own parser reads them."""


def _numbers(reading: ColumnReading, cells: pl.Series) -> pl.Series:
    dtype = pl.Int64 if reading.kind == "integer" else pl.Float64
    if reading.dtype != pl.String:
        return cells.str.replace("\u2212", "-", literal=True).cast(dtype, strict=False)
    negative = None
    if reading.unit or reading.accounting:
        negative = cells.str.contains(rf"^\(.*\)$|[{MINUS}]\)?$") if reading.accounting else None
        if reading.accounting:
            cells = cells.str.replace(r"^\((.*)\)$", "$1").str.replace(rf"[{MINUS}]$", "").str.strip_chars(AROUND)
        if reading.unit:
            cells = without_unit(cells, reading.unit)
    cells = cells.str.replace_all("\u2212", "-", literal=True)
    cells = cells.set(~cells.str.contains(pattern(reading)).fill_null(False), None)
    if reading.thousands is not None:
        cells = cells.str.replace_all(_mark(reading.thousands), "")
    numbers = cells.str.replace(reading.decimal, ".", literal=True).cast(dtype, strict=False)
    if negative is not None and negative.any():
        numbers = pl.select(pl.when(negative.fill_null(False)).then(-numbers).otherwise(numbers)).to_series()
    return numbers


def without_unit(cells: pl.Series, unit: str) -> pl.Series:
    """Cells without a unit that stands before or after the number; null where it does not stand there."""
    mark = re.escape(unit)
    bare = cells.str.replace(rf"^([+{MINUS}]?)\s*{mark}[\s{SPACES}]*", "$1")
    bare = pl.select(pl.when(bare != cells).then(bare).otherwise(cells.str.replace(rf"[\s{SPACES}]*{mark}$", ""))).to_series()
    return bare.set((bare == cells).fill_null(False), None)


def pattern(reading: ColumnReading) -> str:
    """The regular expression of a number in that notation, without unit."""
    point, mark = re.escape(reading.decimal), reading.thousands
    whole = r"\d+" if mark is None else rf"(?:{GROUPS.format(mark=_mark(mark))}|\d+)"
    if reading.kind == "integer":
        return rf"^[+-]?{whole}$"
    return rf"^[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?$"


GROUPS = r"[1-9]\d{{0,2}}(?:{mark}\d{{3}})+|[1-9]\d?(?:{mark}\d{{2}})+{mark}\d{{3}}"
"""Digits in groups of three; or, as in India, of two before the last three."""


def _mark(thousands: str) -> str:
    return f"[{SPACES}]" if thousands == " " else "['\u2019]" if thousands == "'" else re.escape(thousands)


def _booleans(reading: ColumnReading, cells: pl.Series) -> pl.Series:
    no, yes = (word.casefold() for word in reading.words or ("false", "true"))
    bare = cells.str.to_lowercase()
    return (bare == yes).set(~bare.is_in([yes, no]).fill_null(False), None)


def _dates(reading: ColumnReading, cells: pl.Series) -> pl.Series:
    moments = parsed_dates(cells, reading.format or "")
    if reading.days:
        days = moments.to_physical()
        return days if moments.dtype == pl.Date else days / 86_400_000_000
    if (reading.format or "")[:8] == "%Y-%m-%d":
        return cells.set(moments.is_null(), None)  # ISO 8601 as it is
    return moments.dt.to_string("%Y-%m-%d" if moments.dtype == pl.Date else "%Y-%m-%dT%H:%M:%S")


def parsed_dates(cells: pl.Series, form: str) -> pl.Series:
    """Dates or moments that text names in a strptime format; null where it names none."""
    if "%Y" in form:  # strptime would take 31 for the year 31
        cells = cells.set(~cells.str.contains(r"\d{4}").fill_null(False), None)
    dtype: Any = pl.Date if not any(mark in form for mark in TIMED) else pl.Datetime("us", "UTC" if "%#z" in form else None)
    return cells.str.strptime(dtype, form, strict=False)


def _words(reading: ColumnReading, cells: pl.Series) -> pl.Series:
    return cells.str.normalize("NFC")


CONVERSIONS: dict[str, Callable[[ColumnReading, pl.Series], pl.Series]] = {
    "integer": _numbers,
    "number": _numbers,
    "boolean": _booleans,
    "date": _dates,
    "words": _words,
}
"""How cells without markers and spaces around become values, by kind; null where one cannot."""
