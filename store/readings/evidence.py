"""Evidence of how a column is written: its cells by shape, every digit a 9, and what is special about single ones."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from store.readings.column import AROUND, parsed_dates

MOST_SHAPES = 4096
"""A column with more shapes is words; no more are kept."""
FORMS = (
    "%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y.%m.%d",
    "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%#z", "%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%#z",
    "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S",
    "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p",
    "%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y",
    "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%y/%m/%d", "%d-%m-%y", "%m-%d-%y", "%y-%m-%d", "%d-%b-%y", "%d %b %y",
    "%d/%m/%y %H:%M", "%m/%d/%y %H:%M", "%d.%m.%y %H:%M",
)  # fmt: skip
"""Dates and times that are found, in strptime's letters; of two that fit, the earlier is taken."""
LETTERS = {
    "%Y": r"\d{4}", "%y": r"\d{2}", "%m": r"\d{1,2}", "%d": r"\d{1,2}", "%H": r"\d{1,2}", "%I": r"\d{1,2}", "%M": r"\d{1,2}",
    "%S": r"\d{1,2}", "%b": r"[A-Za-z]{3}", "%B": r"[A-Za-z]{3,9}", "%p": r"[AaPp][Mm]", "%.f": r"\.\d+",
    "%#z": r"(?:Z|[+-]\d\d:?(?:\d\d)?)",
}  # fmt: skip


def _shape_of(form: str) -> re.Pattern[str]:
    parts = re.split(r"(%\.f|%#z|%[A-Za-z])", form)
    return re.compile("".join(LETTERS.get(part, re.escape(part)) for part in parts))


SHAPES = {form: _shape_of(form) for form in FORMS}


@dataclass
class Seen:
    """How often something occurs, the first row with it, and the cell there."""

    count: int
    row: int
    cell: str

    def add(self, other: "Seen") -> None:
        if other.row < self.row:
            self.row, self.cell = other.row, other.cell
        self.count += other.count


@dataclass
class Evidence:
    """How the cells of one column are written, in the rows looked at so far.

    `shapes` are those of the cells that no marker stands for; `gaps` and `doubtful` are markers, those of any column and
    those of columns of numbers alone. `dates` are the formats that every cell fits; `pair` is whether every cell is a word
    of the pair given for yes and no. `beyond` is a whole number of more than 64 bits, or one that no float holds; `wide`
    whether all shapes are known.
    """

    shapes: dict[str, Seen] = field(default_factory=dict)
    gaps: dict[str, Seen] = field(default_factory=dict)
    doubtful: dict[str, Seen] = field(default_factory=dict)
    dates: frozenset[str] | None = None
    pair: bool = True
    beyond: Seen | None = None
    wide: bool = False

    @property
    def cells(self) -> int:
        """Cells that are there."""
        return sum(seen.count for seen in self.shapes.values())

    def add(self, other: "Evidence") -> None:
        """Evidence of further rows."""
        for mine, theirs in ((self.shapes, other.shapes), (self.gaps, other.gaps), (self.doubtful, other.doubtful)):
            for name, seen in theirs.items():
                if name in mine:
                    mine[name].add(seen)
                elif len(mine) < MOST_SHAPES:
                    mine[name] = seen
                else:
                    self.wide = True
        if other.shapes and other.dates is not None:
            self.dates = other.dates if self.dates is None else self.dates & other.dates
        self.pair = self.pair and other.pair
        self.wide = self.wide or other.wide
        self.beyond = self.beyond or other.beyond


def look(
    cells: pl.Series,
    row: int,
    markers: Sequence[str],
    doubtful: Sequence[str] = (),
    pair: tuple[str, str] | None = None,
    form: str | None = None,
) -> Evidence:
    """Evidence of a stretch of a column's text (n,), which begins in that row.

    `markers` stand for nothing in any column, those that are `doubtful` in columns of numbers alone. `pair` are the words
    given for no and yes, `form` the format given for dates.
    """
    different = _different(cells, row)
    known = [*markers, *doubtful]
    marks = different.filter(pl.col("cell").is_in(known))
    found = _marks(marks, doubtful)
    different = different.filter(~pl.col("cell").is_in(known)) if marks.height else different
    if not different.height:
        return found
    words = different["cell"]
    shaped = different.with_columns(
        words.str.replace(r"^([^0-9]*)0([0-9.,])", "${1}\x01${2}")
        .str.replace_all("[0-9]", "9")
        .str.replace("\x01", "0", literal=True)
        .alias("shape")
    )
    shapes = shaped.sort("row").group_by("shape", maintain_order=True).agg(pl.col("count").sum(), pl.col("row", "cell").first())
    found.wide = shapes.height > MOST_SHAPES
    found.shapes = {shape: Seen(count, first, cell) for shape, count, first, cell in shapes.head(MOST_SHAPES).iter_rows()}
    found.pair = pair is not None and bool(words.str.to_lowercase().is_in([word.casefold() for word in pair]).all())
    found.dates = frozenset(() if found.wide else _dates(words, list(found.shapes), form))
    found.beyond = _beyond(different)
    return found


def marks_of(cells: pl.Series, row: int, markers: Sequence[str], doubtful: Sequence[str]) -> Evidence:
    """Evidence of the markers alone, in a stretch that begins in that row."""
    bare = cells.str.strip_chars(AROUND)
    known = bare.is_in([*markers, *doubtful]).fill_null(False)
    return (
        _marks(_different(cells, row).filter(pl.col("cell").is_in([*markers, *doubtful])), doubtful)
        if known.any()
        else Evidence()
    )


def _different(cells: pl.Series, row: int) -> pl.DataFrame:
    """The different cells, without spaces around, how often each occurs, and the first row with it."""
    table = pl.DataFrame({"cell": cells.str.strip_chars(AROUND)}).with_row_index("row", row).drop_nulls("cell")
    return table.group_by("cell").agg(pl.len().alias("count"), pl.col("row").min())


def _marks(marks: pl.DataFrame, doubtful: Sequence[str]) -> Evidence:
    found = Evidence()
    for cell, count, first in marks.sort("row").select("cell", "count", "row").iter_rows():
        (found.doubtful if cell in doubtful else found.gaps)[cell] = Seen(count, first, cell)
    return found


def _dates(words: pl.Series, shapes: list[str], form: str | None) -> list[str]:
    """The formats that all words fit."""
    if form is not None:
        return [form] if not parsed_dates(words, form).null_count() else []
    alike = [form for form, shape in SHAPES.items() if all(map(shape.fullmatch, shapes))]
    return [form for form in alike if not parsed_dates(words, form).null_count()]


def _beyond(different: pl.DataFrame) -> Seen | None:
    """The first whole number beyond 64 bits, or number beyond any float."""
    words = different["cell"]
    whole = words.str.contains("^[+-]?[0-9]{19,}$")
    large = whole & words.cast(pl.Int64, strict=False).is_null() if whole.any() else whole
    powers = words.str.contains("^[+-]?[0-9][0-9.,]*[eE][+]?[0-9]{3,}$")
    if powers.any():
        large |= powers & words.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False).is_infinite().fill_null(
            False
        )
    if not large.any():
        return None
    row = different.filter(large).sort("row").row(0, named=True)
    return Seen(int(large.sum()), row["row"], row["cell"])


def plain(table: pl.DataFrame, row: int) -> dict[str, Evidence]:
    """Evidence of those columns of a stretch of text whose cells all are plain numbers or empty, found all at once.

    Fractions that may be thousands (2.155) are none, nor are leading zeros, which the caller looks for.
    """
    gaps, names = table.null_count().row(0), table.columns
    numbers = table.select(pl.all().cast(pl.Float64, strict=False))
    fitting = [place for place, nulls in enumerate(numbers.null_count().row(0)) if nulls == gaps[place]]
    wholes = some_columns(table, fitting).select(pl.all().cast(pl.Int64, strict=False))
    found: dict[str, Evidence] = {}
    fractions = []
    for place, whole in zip(fitting, wholes.iter_columns(), strict=True):
        if gaps[place] == table.height:
            found[names[place]] = Evidence()
        elif whole.null_count() > gaps[place]:
            fractions.append(place)
        else:
            low: Any = whole.min()
            high: Any = whole.max()
            shape = "9" if low > -1000 and high < 1000 else "9999"
            found[names[place]] = _plain_evidence(shape, table.to_series(place), table.height - gaps[place], row)
    if fractions:
        size = np.abs(some_columns(numbers, fractions).to_numpy())
        counts = np.isfinite(size).sum(axis=0).tolist()
        for place, count, is_plain in zip(fractions, counts, has_plain_fraction(size).tolist(), strict=True):
            if is_plain and count == table.height - gaps[place]:
                found[names[place]] = _plain_evidence("9.99", table.to_series(place), count, row)
    return found


def some_columns(table: pl.DataFrame, places: list[int]) -> pl.DataFrame:
    """The columns at those places; the table itself where these are all, for picking them out one by one takes its time."""
    return table if len(places) == table.width else table[:, places]


def _plain_evidence(shape: str, cells: pl.Series, count: int, row: int) -> Evidence:
    first = 0 if cells[0] is not None else int(cells.is_not_null().arg_max() or 0)
    return Evidence({shape: Seen(count, row + first, cells[first])}, dates=frozenset(), pair=False)


def has_plain_fraction(size: np.ndarray) -> np.ndarray:
    """Whether one of a column's absolute values (n, k), NaN for gaps, can be no thousands (k,): it has not three digits
    after the point, or too many or a zero before.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        fractional = np.isfinite(size) & (size != np.floor(size))
        thousandths = np.where(size < 1000, size, 0.5) * 1000
        found = fractional & ((size < 1) | (size >= 1000) | (np.abs(thousandths - np.rint(thousandths)) > 1e-6))
    return np.asarray(found.any(axis=0))


def has_leading_zeros(data: bytes, delimiter: str) -> bool:
    """Whether some cell of the text begins with a zero and a further digit, as 007 does (and 01.02.2024)."""
    letters = np.frombuffer(data, np.uint8)
    before, zeros, after = letters[:-2], letters[1:-1] == ord("0"), letters[2:]
    begins = before == ord(delimiter)
    for letter in b"\n\"' +-":
        if letter == ord("\n") or bytes([letter]) in data:
            begins |= before == letter
    begins &= zeros
    begins &= (after - np.uint8(ord("0"))) < 10
    return bool(begins.any()) or (data[:1] == b"0" and data[1:2].isdigit())


def is_canonical(table: pl.DataFrame, data: bytes, lead: int) -> bool:
    """Whether a table of whole numbers, parsed from text below a lead of so many bytes, is written as it is parsed: without
    a leading zero, a sign or a space. A quick look: it may say no where it is.
    """
    if any(dtype != pl.UInt8 for dtype in table.dtypes) or not table.height:
        return False
    cells = table.to_numpy()
    digits = cells.size + np.count_nonzero(cells > 9) + np.count_nonzero(cells > 99)
    return bool(len(data) - lead == digits + cells.size - (not data.endswith(b"\n")))
