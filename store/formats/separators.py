"""The delimiter and the quotes of delimited text, found by how well each fits a sample."""

from collections import Counter
from dataclasses import dataclass

from store.formats.cell_types import TYPED, type_of
from store.formats.quotes import quotes_of
from store.formats.sampling import SPACES, Row, rows_of_sample

COMMON = (",", ";", "\t", "|")
RARE = (":", "~", "^", SPACES)
ROWS, CELLS = 200, 60
"""How many rows of the sample are looked at, and cells of each."""
CLOSE = 0.8
"""From which share of the best fit on another delimiter is worth a warning."""


@dataclass(frozen=True)
class Separators:
    """Delimiter and quotes, and how well they fit."""

    delimiter: str
    quote: str | None
    escape: bool = False
    padded: bool = False
    """Whether spaces stand between delimiters and quotes."""
    fit: float = 0.0
    width: int = 1
    rival: str | None = None
    """Another delimiter that fits nearly as well."""

    @property
    def quality(self) -> float:
        """The fit, whatever the number of columns."""
        return self.fit / (1 - 1 / self.width) if self.width > 1 else 0.0


def separators_of(sample: str, delimiter: str | None, quote: str | None, escape: bool | None) -> Separators:
    """Those that fit best, of which some may be given: a quote of "none" is none.

    A fit is high where most rows have as many cells, where these look like numbers, dates or words with no delimiter in
    them, and where cells of a column look alike, after van den Burg, Nazábal and Sutton (2019).
    """
    quotes = [None if quote == "none" else quote] if quote else ['"', "'"] if "'" in sample else ['"']
    delimiters = (
        [delimiter] if delimiter else [mark for mark in (*COMMON, *RARE) if (" " if mark == SPACES else mark) in sample]
    )
    preferred = '"' if '"' in sample else quotes[-1]
    found = [_fitted(sample, mark, q, escape) for mark in delimiters or [","] for q in quotes]
    if delimiter:
        return max(found, key=lambda one: (one.fit, one.quote == preferred))
    alone = _typed_lines(sample)
    found = [one for one in found if one.delimiter in COMMON or (one.width > 1 and alone < 0.5 and _is_plain(sample, one))]
    if not found:
        return Separators(",", quotes[0], bool(escape))
    best = max(found, key=lambda one: (one.fit, one.quote == preferred, -(*COMMON, *RARE).index(one.delimiter)))
    if best.fit == 0:
        best = next((one for one in found if one.delimiter == ","), Separators(",", quotes[0], bool(escape)))
        return best
    tabs = next((one for one in found if one.delimiter == "\t" and one.quote == best.quote), None)
    if best.delimiter == SPACES and tabs and tabs.width > 1 and tabs.fit >= CLOSE * best.fit:
        best = tabs
    wide = max((one for one in found if one.delimiter in COMMON), key=lambda one: one.quality, default=best)
    if best.delimiter == SPACES and wide.quality >= best.quality and _has_spaces_in_numbers(sample, wide):
        best = wide
    rivals = [one for one in found if one.delimiter != best.delimiter and one.fit >= CLOSE * best.fit]
    if best.delimiter == "\t":
        rivals = [one for one in rivals if one.delimiter != SPACES]
    rival = max(rivals, key=lambda one: one.fit).delimiter if rivals else None
    return Separators(best.delimiter, best.quote, best.escape, best.padded, best.fit, best.width, rival)


def mark_of(delimiter: str) -> bytes:
    """The bytes that part cells."""
    return b" \t" if delimiter == SPACES else delimiter.encode()


def _fitted(sample: str, delimiter: str, quote: str | None, escape: bool | None) -> Separators:
    data = sample.encode()
    padded = False
    if quote is not None:
        marks = mark_of(delimiter)

        def is_right(escaped: bool, spaced: bool) -> bool:
            found = quotes_of(data, marks, quote.encode(), escaped, spaced)
            return found.wrong is None and not found.literal

        spaced = delimiter != SPACES and delimiter + " " in sample
        has_escape = "\\" + quote in sample if escape is None else escape
        ways = [(bool(escape), False)] if escape is not None else [(False, False)]
        ways += [(False, True)] * (spaced and not escape) + [(True, False)] * (has_escape and not escape)
        ways += [(True, True)] * (spaced and has_escape)
        fitting = (way for way in ways if is_right(*way))
        way = next(fitting, None)
        if quote == "'" and way is None:
            return Separators(delimiter, quote)  # apostrophes
        escape, padded = way or ways[0]
    rows = [row for row in rows_of_sample(sample, delimiter, quote, bool(escape), ROWS) if not row.is_blank]
    fit, width = _fit(rows, quote)
    if quote == "'" and sum(row.quoted for row in rows) < min(2, len(rows)):
        fit = 0.0
    return Separators(delimiter, quote, bool(escape), padded, fit, width)


def _fit(rows: list[Row], quote: str | None) -> tuple[float, int]:
    """How well the rows fit together, and how many cells most have."""
    widths = Counter(len(row.cells) for row in rows)
    if not widths:
        return 0.0, 1
    width = max(widths, key=lambda cells: (widths[cells] * (1 - 1 / cells), cells))
    if width == 1:
        return 0.0, 1
    fitting = [row for row in rows if len(row.cells) == width]
    good = total = 0
    columns: list[Counter[str]] = [Counter() for _ in range(min(width, CELLS))]
    is_mixed = 0
    for place, row in enumerate(fitting):
        for cell, column in zip(row.cells, columns, strict=False):
            kind = type_of(cell)
            if kind == "odd" and row.quoted and not (quote and (cell.startswith(quote) or cell.endswith(quote))):
                kind = "words"
            total += 1
            good += kind != "odd"
            if quote == "'" and cell.startswith("'") != cell.endswith("'"):
                is_mixed += 1
            if place and kind != "gap":
                column[kind] += 1
    alike = [max(column.values()) / column.total() for column in columns if column]
    likeness = sum(alike) / len(alike) if alike else 1.0
    if is_mixed:
        return 0.0, width
    return len(fitting) / len(rows) * (1 - 1 / width) * (good / total) ** 2 * (0.5 + likeness / 2), width


def _typed_lines(sample: str) -> float:
    """The share of lines that as a whole are a date, a time or the like."""
    lines = [line for line in sample.split("\n")[:ROWS] if line.strip()]
    return sum(type_of(line.strip()) in TYPED for line in lines) / max(1, len(lines))


def _has_spaces_in_numbers(sample: str, one: Separators) -> bool:
    """Whether spaces stand within cells, all of which are typed, as 1 000 is."""
    rows = rows_of_sample(sample, one.delimiter, one.quote, one.escape, ROWS)
    spaced = [cell for row in rows for cell in row.cells[:CELLS] if " " in cell.strip()]
    return bool(spaced) and all(type_of(cell) in TYPED for cell in spaced)


def _is_plain(sample: str, one: Separators) -> bool:
    """Whether a rare delimiter, which words hold as well, parts columns for sure: enough of them hold no words."""
    rows = [row for row in rows_of_sample(sample, one.delimiter, one.quote, one.escape, ROWS) if not row.is_blank]
    fitting = [row for row in rows if len(row.cells) == one.width]
    below = fitting[1:] or fitting
    odd = sum(type_of(cell) == "odd" for row in fitting for cell in row.cells[:CELLS] if not row.quoted)
    if odd > 0.1 * sum(len(row.cells[:CELLS]) for row in fitting):
        return False
    typed = 0
    for column in range(min(one.width, CELLS)):
        kinds = [type_of(row.cells[column]) for row in below]
        typed += sum(kind in TYPED or kind == "gap" for kind in kinds) >= 0.8 * len(kinds)
    if one.delimiter == SPACES:
        if one.quote and any(one.quote in cell for row in below for cell in row.cells):
            return False
        if len(fitting) == len(rows) > 2 and any(" " in cell for row in rows for cell in row.cells):
            return True  # cells with spaces are in quotes
        wanted = one.width if one.width == 2 else one.width / 2
        return len(fitting) >= 0.8 * (len(rows) - 1) and (typed >= wanted or (typed > 0 and all(row.quoted for row in below)))
    return len(fitting) >= 0.5 * len(rows) and (typed > 0 or one.width > 2 or all(row.quoted for row in fitting))
