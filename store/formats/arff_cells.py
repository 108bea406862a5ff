"""ARFF's cells held to what the header declares: numbers, listed values, dates in a format."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from engine.wording import notice, say
from store.errors import UnreadableFile
from store.formats.reading import Found
from store.readings.options import ReadOptions

NUMBERS = ("numeric", "real", "integer")
LETTERS = {
    "yyyy": "%Y", "yy": "%y", "uuuu": "%Y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%m", "dd": "%d", "d": "%d", "HH": "%H",
    "H": "%H", "hh": "%I", "h": "%I", "mm": "%M", "ss": "%S", "SSS": "%3f", "a": "%p", "Z": "%z", "XXX": "%:z", "EEE": "%a",
}  # fmt: skip
"""Letters of Java's SimpleDateFormat, which ARFF's dates are declared in, as chrono has them."""
TOKEN = re.compile(r"'([^']*)'|([A-Za-z])\2*|[^A-Za-z']+")
LONG = r"^[+-]?\d{16,}$"
"""A whole number that a float may not hold."""


@dataclass(frozen=True)
class Attribute:
    """A declared column: `values` are those that a nominal one may take, `pattern` is how a date is written."""

    name: str
    type: str
    values: tuple[str, ...] = ()
    pattern: str | None = None

    @property
    def default(self) -> bytes | None:
        """The cell that a sparse row leaves out, as delimited text has it; None where ARFF defines none."""
        if self.values:
            return b'"' + self.values[0].replace('"', '""').encode() + b'"'
        return b"0" if self.type in NUMBERS else None


def date_pattern(written: str) -> str | None:
    """A format of Java's as Polars has it; None where it holds what is not known."""
    parts = []
    for found in TOKEN.finditer(written):
        if found[1] is not None:
            parts.append(found[1].replace("%", "%%") or "'")
        elif found[2]:
            if found[0] not in LETTERS:
                return None
            parts.append(LETTERS[found[0]])
        else:
            parts.append(found[0].replace("%", "%%"))
    pattern = "".join(parts).replace(".%3f", "%.3f")
    return pattern if "%" in pattern else None


def checked(
    found: Found, batches: Iterator[pl.DataFrame], attributes: list[Attribute], options: ReadOptions
) -> Iterator[pl.DataFrame]:
    """The rows, each cell as its attribute declares it. Raises UnreadableFile with the attribute and the row."""
    first = 0
    restart = found.restart
    gaps = dict.fromkeys((attribute.name for attribute in attributes if "?" in attribute.values), 0)

    def begin_anew() -> None:
        nonlocal first
        first = 0
        gaps.update(dict.fromkeys(gaps, 0))
        restart()

    found.restart = begin_anew
    for batch in batches:
        yield pl.DataFrame([_cells(batch[attribute.name], attribute, first, options) for attribute in attributes])
        first += batch.height
        for name in gaps:
            gaps[name] += batch[name].null_count()
    for name in (name for name, count in gaps.items() if count):
        detail = say(
            "'{name}' declares the value '?', and {cells} cells hold a ? without quotes, which is a gap in ARFF, and was read "
            "as one; quote them where the value is meant",
            name=name,
            cells=gaps[name],
        )
        found.warnings.append(notice("DECLARED_QUESTION_MARK", detail, column=name))


def _cells(column: pl.Series, attribute: Attribute, first: int, options: ReadOptions) -> pl.Series:
    if column.dtype != pl.String or column.null_count() == len(column):
        return column
    if attribute.values:
        column = column.str.strip_chars()
        wrong = ~column.is_in([value.strip() for value in attribute.values])
        _refuse(column, wrong, attribute, first, "which the header does not list; list it, or mend the cell")
        return column
    if attribute.type in NUMBERS:
        return _numbers(column, attribute, first)
    if attribute.pattern and options.dates != "keep":
        return _dates(column, attribute, first, options)
    return column


def _refuse(column: pl.Series, wrong: pl.Series, attribute: Attribute, first: int, why: str) -> None:
    wrong = wrong.fill_null(False)
    if wrong.any():
        row = int(wrong.arg_max() or 0)
        raise UnreadableFile(f"'{attribute.name}' holds '{str(column[row])[:50]}' in row {first + row}, {why}")


def _numbers(column: pl.Series, attribute: Attribute, first: int) -> pl.Series:
    """Numbers that were read as words: codes with leading zeros are numbers here; whole ones of more than 64 bits stay."""
    bare = column.str.strip_chars()
    numbers = bare.cast(pl.Float64, strict=False)
    why = f"and is declared {attribute.type}; mend the cell, or declare the attribute string"
    _refuse(column, numbers.is_null() & column.is_not_null(), attribute, first, why)
    whole = bare.cast(pl.Int64, strict=False)
    if whole.null_count() == column.null_count():
        return whole
    return column if bare.str.contains(LONG).any() else numbers


def _dates(column: pl.Series, attribute: Attribute, first: int, options: ReadOptions) -> pl.Series:
    """Dates as ISO 8601 has them, or as days since 1970."""
    pattern = options.date_format or attribute.pattern or ""
    is_timed = any(mark in pattern for mark in ("%H", "%I", "%T", "%R"))
    dtype = (pl.Datetime("us", "UTC") if "z" in pattern else pl.Datetime("us")) if is_timed else pl.Date
    moments = column.str.strip_chars().str.strptime(dtype, pattern, strict=False)
    why = f"and dates are declared as in {pattern}; mend the cell, or name the format in 'date_format'"
    _refuse(column, moments.is_null() & column.is_not_null(), attribute, first, why)
    if options.dates == "days":
        return moments.to_physical() / (86_400_000_000 if is_timed else 1)
    return moments.dt.to_string("%Y-%m-%dT%H:%M:%S%.f" if is_timed else "%Y-%m-%d")
