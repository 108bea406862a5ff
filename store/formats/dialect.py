"""How delimited text is laid out: delimiter and header found out from its first rows."""

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from store.errors import UnreadableFile
from store.formats.options import ReadOptions
from store.formats.reading import CELL_BYTES, MAX_COLUMNS
from store.formats.text import Text

DELIMITERS = "\t,;|"
SAMPLE_BYTES = 64 * 1024
SAMPLE_ROWS = 50
ROW_BYTES = 64 << 20
"""A row of text longer than that is refused."""

csv.field_size_limit(CELL_BYTES)


@dataclass
class Dialect:
    """How the text is laid out."""

    delimiter: str
    quote: str | None
    names: list[str]
    has_header: bool
    markers: tuple[str, ...]
    texts: frozenset[str] = frozenset()
    """Columns that are text, whatever it looks like."""

    @property
    def width(self) -> int:
        return len(self.names)


def dialect_of(text: Text, options: ReadOptions, delimiter: str | None) -> tuple[Dialect, Text, int]:
    """The dialect, the rows below any header, and the line they begin in. Raises UnreadableFile."""
    quote = None if options.quote == "none" else options.quote or '"'
    sample = text.sample(SAMPLE_BYTES).decode("utf-8", "ignore")
    delimiter = delimiter or _delimiter(sample, quote)
    first, size, line = _first_record(text, delimiter, quote)
    has_header = options.header if options.header is not None else not any(_is_number(cell) for cell in first)
    if has_header:
        _check_header(first)
    if len(first) > MAX_COLUMNS:
        raise UnreadableFile(f"the first line has {len(first)} cells; at most {MAX_COLUMNS} columns are read, leave some out")
    names = first if has_header else [f"column_{place}" for place in range(len(first))]
    rows = Text(text.path, text.encoding, text.start + (size if has_header else 0))
    return Dialect(delimiter, quote, names, has_header, options.markers), rows, line if has_header else 1


def _first_record(text: Text, delimiter: str, quote: str | None) -> tuple[list[str], int, int]:
    """The cells of the first row that is not blank, the bytes up to its end, and the line after it."""
    size = SAMPLE_BYTES
    while True:
        data = text.sample(size)
        whole = len(data) < size
        taken = 0

        def lines(data: bytes = data) -> Iterator[str]:
            nonlocal taken
            for line in io.BytesIO(data):
                taken += len(line)
                yield line.decode("utf-8", "replace")

        reader = csv.reader(lines(), delimiter=delimiter, **quoting_of(quote))
        try:
            first = next(filter(None, reader), None)
        except csv.Error as error:
            if "limit" in str(error):
                raise UnreadableFile(
                    f"the first line holds more than {CELL_BYTES} bytes in one cell; end it, or shorten it"
                ) from None
            if whole:
                raise UnreadableFile(unreadable(1, str(error))) from None
            first = None
        if first is not None and (whole or taken < len(data)):
            return first, taken, 1 + reader.line_num
        if whole:
            raise UnreadableFile("the file holds blank lines alone; upload a file with a header and at least one row")
        if size > ROW_BYTES:
            raise UnreadableFile(f"the first line is longer than {ROW_BYTES} bytes; shorten it, or end it")
        size *= 16


def quoting_of(quote: str | None) -> dict[str, Any]:
    return {"quotechar": quote, "strict": True} if quote else {"quoting": csv.QUOTE_NONE, "strict": True}


def _delimiter(sample: str, quote: str | None) -> str:
    """The one that cuts the most of the first rows into as many cells as the first row; of equals, into the most cells."""
    quoting = {**quoting_of(quote), "strict": False}

    def score(delimiter: str) -> tuple[int, int]:
        rows = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, **quoting)
        try:
            widths = [len(cells) for cells in islice(filter(None, rows), SAMPLE_ROWS)]
        except csv.Error:
            return (0, 0)
        return (widths.count(widths[0]), widths[0]) if widths and widths[0] > 1 else (0, 0)

    best = max(DELIMITERS, key=score)
    return best if score(best) > (0, 0) else ","


def _is_number(cell: str) -> bool:
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False


def _check_header(names: list[str]) -> None:
    seen: set[str] = set()
    for place, name in enumerate(names, start=1):
        if not name.strip():
            raise UnreadableFile(f"column {place} has no name in the header; name every column")
        if name in seen:
            raise UnreadableFile(f"the header names column '{name[:100]}' twice; give every column a name of its own")
        seen.add(name)


def unreadable(line: int, reason: str) -> str:
    return f"the row that begins in line {line} cannot be read ({reason}); mend it: a quote that opens a cell must close it"
