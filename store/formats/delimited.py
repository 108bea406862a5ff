"""Delimited text: delimiter and header found out, parsed by Polars a stretch of rows at a time, every row counted."""

import csv
import io
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import polars as pl

from store.errors import UnreadableFile
from store.formats.cells import NUMBERS, TEXT, Reading, readings
from store.formats.options import ReadOptions
from store.formats.reading import CELL_BYTES, MAX_COLUMNS, Found, Source
from store.formats.text import Text, as_utf8

DELIMITERS = "\t,;|"
SAMPLE_BYTES = 64 * 1024
SAMPLE_ROWS = 50
BLOCK_BYTES = 8 << 20
FIRST_BYTES = 1 << 20
ROW_BYTES = 64 << 20
"""A row of text longer than that is refused."""
BLANK_LINES = re.compile(rb"(?:\r?\n){2,}")

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


@dataclass(frozen=True)
class Block:
    """Whole rows of the text, and the line they begin in."""

    data: bytes
    line: int


def read_csv(source: Source) -> Found:
    """Delimited text: delimiter, header and encoding are found out, every row must have as many cells as the first."""
    return _read(source, source.options.delimiter)


def read_tsv(source: Source) -> Found:
    return _read(source, source.options.delimiter or "\t")


def _read(source: Source, delimiter: str | None) -> Found:
    options = source.options
    text = as_utf8(source.path, source.folder, options.encoding)
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
    dialect = Dialect(delimiter, quote, names, has_header, options.markers)
    start = Text(text.path, text.encoding, text.start + (size if has_header else 0))
    return table_of(start, dialect, options, line if has_header else 1)


def table_of(text: Text, dialect: Dialect, options: ReadOptions, line: int) -> Found:
    """The rows of a text that begins in that line, below any header."""
    ways = readings(options, dialect.delimiter)
    found = Found(batches=iter(()), read={}, warnings=[])
    found.batches = _batches(text, dialect, ways, line, found)
    found.read = {
        "encoding": text.encoding,
        "delimiter": dialect.delimiter,
        "quote": dialect.quote,
        "header": dialect.has_header,
        "missing": list(dialect.markers),
        "columns": {},
    }
    return found


class Misfit(Exception):
    """A column holds what the sample did not show."""


def _batches(text: Text, dialect: Dialect, ways: list[Reading], line: int, found: Found) -> Iterator[pl.DataFrame]:
    """Every row, each column read in the one way that fits all of it. What the first rows suggest is tried first; where
    a later row does not fit, all rows are looked at, and the batches begin anew.
    """
    chosen: list[Reading] = []
    for look in (_first_look, _whole_look, _careful_look):
        chosen = look(text, dialect, ways, line, chosen)
        found.restart()
        try:
            for block in _blocks(text, dialect, line):
                yield _typed(_parse(block, dialect, [way.dtype for way in chosen]), chosen, dialect)
        except Misfit:
            continue
        _report(found, text, dialect, ways, chosen, line)
        return
    raise AssertionError("a column of text always fits")


def _first_look(text: Text, dialect: Dialect, ways: list[Reading], line: int, _: list[Reading]) -> list[Reading]:
    """What fits the first rows."""
    block = next(_blocks(text, dialect, line, FIRST_BYTES), None)
    if block is None:
        return [TEXT] * dialect.width
    table = _parse(block, dialect, [pl.String] * dialect.width)
    plain = {way: _plain_columns(table, way, dialect) for way in NUMBERS if way in ways}
    return [
        TEXT
        if cells.name in dialect.texts
        else next(way for way in ways if (plain[way][place] if way in plain else _fits(way, cells, dialect)))
        for place, cells in enumerate(table.iter_columns())
    ]


def _plain_columns(table: pl.DataFrame, way: Reading, dialect: Dialect) -> list[bool]:
    """Which columns are numbers as they stand: what `apply` would find, of all columns at once."""
    blank = pl.all().str.strip_chars().is_in(list(dialect.markers)).sum()
    counts = (table.select(pl.all().cast(way.dtype, strict=False)).null_count(), table.null_count(), table.select(blank))
    places = zip(*(count.row(0) for count in counts), strict=True)
    return [nulls == gaps or (bool(blanks) and nulls == gaps + blanks) for nulls, gaps, blanks in places]


def _whole_look(text: Text, dialect: Dialect, ways: list[Reading], line: int, first: list[Reading]) -> list[Reading]:
    """What fits all rows: of the ways that the first rows left open, plain numbers first, the others where those fail."""
    left = [ways[ways.index(way) :] for way in first]
    for wanted in (NUMBERS, ways):
        if wanted is ways and all(still[0] in NUMBERS or len(still) == 1 for still in left):
            break
        for block in _blocks(text, dialect, line):
            table = _parse(block, dialect, [pl.String] * dialect.width)
            left = [
                [way for way in still if (way in NUMBERS) != (wanted is NUMBERS) or _fits(way, cells, dialect)]
                if wanted is NUMBERS or still[0] not in NUMBERS
                else still
                for still, cells in zip(left, table.iter_columns(), strict=True)
            ]
    return [still[0] for still in left]


def _careful_look(text: Text, dialect: Dialect, ways: list[Reading], line: int, whole: list[Reading]) -> list[Reading]:
    """The same, with nothing parsed as a number that Polars' parser may see otherwise than its cast."""
    return [replace(way, dtype=pl.String) for way in whole]


def _fits(way: Reading, cells: pl.Series, dialect: Dialect) -> bool:
    return way is TEXT or way.apply(cells, dialect.markers) is not None


def _typed(table: pl.DataFrame, chosen: list[Reading], dialect: Dialect) -> pl.DataFrame:
    columns = []
    for way, cells in zip(chosen, table.iter_columns(), strict=True):
        values = way.apply(cells, dialect.markers) if cells.dtype == pl.String else cells
        if values is None:
            raise Misfit
        columns.append(values)
    return pl.DataFrame(columns)


def _report(found: Found, text: Text, dialect: Dialect, ways: list[Reading], chosen: list[Reading], line: int) -> None:
    """Name what is not read as it stands, and warn where the first rows could as well be read in another way."""
    named = {name: way for name, way in zip(dialect.names, chosen, strict=True) if way.report}
    found.read["columns"] = {name: way.report for name, way in named.items()}
    if not any(way.ambiguous for way in named.values()):
        return
    sample = _parse(next(_blocks(text, dialect, line, FIRST_BYTES)), dialect, [pl.String] * dialect.width)
    for name, way in named.items():
        rivals = [other for other in ways if other.ambiguous == way.ambiguous and other.notation != way.notation]
        if way.ambiguous and any(_fits(rival, sample[name], dialect) for rival in rivals):
            detail = f"column '{name}' was read as {way.report}; if that is wrong, upload it again with '{way.ambiguous}' set"
            found.warnings.append({"code": "READ_AS", "column": name, "detail": detail})


def _parse(block: Block, dialect: Dialect, dtypes: list[Any]) -> pl.DataFrame:
    """The block's rows. Raises UnreadableFile with the line that is wrong, or Misfit for a cell of another type."""
    reason: UnreadableFile | None = None
    for form in (_as_it_is, _without_blank_lines, _rewritten):
        data = form(block, dialect)
        try:
            table = _polars(data, dialect, dtypes)
        except UnreadableFile as error:
            reason = error
            continue
        if not _looks_short(data, dialect, table.height):
            return table
        reason = None
    rows = _count_rows(block, dialect)  # names the row, where that is what is wrong
    if reason is not None:
        raise reason
    assert rows == table.height
    return table


def _as_it_is(block: Block, dialect: Dialect) -> bytes:
    return block.data


def _polars(data: bytes, dialect: Dialect, dtypes: list[Any]) -> pl.DataFrame:
    schema = dict(zip(dialect.names, dtypes, strict=True))
    try:
        return pl.read_csv(
            b"\n" + data,  # or Polars would unpack text that begins as a packed file does, such as "x^2"
            skip_lines=1,
            separator=dialect.delimiter,
            quote_char=dialect.quote,
            has_header=False,
            schema=schema,
            null_values=list(dialect.markers),
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OSError) as error:
        reason = str(error).partition("\n")[0][:200]
        if any(dtype != pl.String for dtype in dtypes) and ("could not parse" in reason or "primitive value" in str(error)):
            raise Misfit from None
        raise UnreadableFile(f"the file cannot be read as delimited text ({reason}); check it") from None


def _without_blank_lines(block: Block, dialect: Dialect) -> bytes:
    """Polars takes a blank line for a row of gaps; in a table of one column it is one."""
    if dialect.width == 1 or (dialect.quote and dialect.quote.encode() in block.data):
        return block.data
    return BLANK_LINES.sub(b"\n", block.data).lstrip(b"\r\n")


def _looks_short(data: bytes, dialect: Dialect, rows: int) -> bool:
    """Polars fills short rows up without a word: count the delimiters before believing the gaps."""
    wanted = (dialect.width - 1) * rows
    delimiter, quote = dialect.delimiter.encode(), (dialect.quote or "").encode()
    if not quote or quote not in data:
        return data.count(delimiter) != wanted
    letters = np.frombuffer(data, np.uint8)
    inside = np.bitwise_xor.accumulate((letters == quote[0]).view(np.uint8))
    return bool(np.count_nonzero((letters == delimiter[0]) & (inside == 0)) != wanted) or inside[-1] == 1


def _blocks(text: Text, dialect: Dialect, line: int, size: int = BLOCK_BYTES) -> Iterator[Block]:
    """The text in stretches of whole rows. Raises UnreadableFile for a row that does not end."""
    quote = dialect.quote.encode() if dialect.quote else None
    with text.path.open("rb") as file:
        file.seek(text.start)
        rest = b""
        while True:
            piece = file.read(size)
            data = rest + piece
            if len(piece) < size:
                if data:
                    yield Block(data, line)
                return
            cut = _last_row_end(data, quote)
            if cut == 0 and len(data) > ROW_BYTES:
                raise UnreadableFile(
                    f"the row that begins in line {line} is longer than {ROW_BYTES} bytes; shorten it, or close its quotes"
                )
            if cut:
                yield Block(data[:cut], line)
                line += data.count(b"\n", 0, cut)
            rest = data[cut:]


def _last_row_end(data: bytes, quote: bytes | None) -> int:
    """Where the last whole row ends: after a line feed with an even number of quotes before it, else the last of all."""
    last = end = data.rfind(b"\n")
    if quote is None or quote not in data:
        return last + 1
    before = data.count(quote, 0, max(0, end))
    for _ in range(10_000):
        if end < 0 or before % 2 == 0:
            break
        earlier = data.rfind(b"\n", 0, end)
        before -= data.count(quote, max(0, earlier), end)
        end = earlier
    return (end if end >= 0 and before % 2 == 0 else last) + 1


def _rewritten(block: Block, dialect: Dialect) -> bytes:
    """The same rows without blank lines, quoted in the plainest way."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=dialect.delimiter, quotechar=dialect.quote or '"', lineterminator="\n")
    writer.writerows(cells for _, cells in _records(block, dialect.delimiter, dialect.quote))
    return text.getvalue().encode()


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

        reader = csv.reader(lines(), delimiter=delimiter, **_quoting(quote))
        try:
            first = next(filter(None, reader), None)
        except csv.Error as error:
            if "limit" in str(error):
                raise UnreadableFile(
                    f"the first line holds more than {CELL_BYTES} bytes in one cell; end it, or shorten it"
                ) from None
            if whole:
                raise UnreadableFile(_unreadable(1, str(error))) from None
            first = None
        if first is not None and (whole or taken < len(data)):
            return first, taken, 1 + reader.line_num
        if whole:
            raise UnreadableFile("the file holds blank lines alone; upload a file with a header and at least one row")
        if size > ROW_BYTES:
            raise UnreadableFile(f"the first line is longer than {ROW_BYTES} bytes; shorten it, or end it")
        size *= 16


def _quoting(quote: str | None) -> dict[str, Any]:
    return {"quotechar": quote, "strict": True} if quote else {"quoting": csv.QUOTE_NONE, "strict": True}


def _delimiter(sample: str, quote: str | None) -> str:
    """The one that cuts the most of the first rows into as many cells as the first row; of equals, into the most cells."""
    quoting = {**_quoting(quote), "strict": False}

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


def _count_rows(block: Block, dialect: Dialect) -> int:
    """The number of rows. Raises UnreadableFile for the first that has not as many cells as the first line of the file."""
    count = 0
    for line, cells in _records(block, dialect.delimiter, dialect.quote):
        count += 1
        if len(cells) != dialect.width:
            raise UnreadableFile(
                f"line {line} has {len(cells)} cells where the first line has {dialect.width}; mend that line, or quote "
                f"cells that hold the delimiter {dialect.delimiter!r}"
            )
    return count


def _records(block: Block, delimiter: str, quote: str | None) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line it begins in. Raises UnreadableFile for quotes that do not close."""
    text = io.TextIOWrapper(io.BytesIO(block.data), "utf-8", newline="")
    lines = csv.reader(text, delimiter=delimiter, **_quoting(quote))
    line = block.line
    try:
        for cells in lines:
            if cells:
                yield line, cells
            line = block.line + lines.line_num
    except csv.Error as error:
        raise UnreadableFile(_unreadable(line, str(error))) from None


def _unreadable(line: int, reason: str) -> str:
    return f"the row that begins in line {line} cannot be read ({reason}); mend it: a quote that opens a cell must close it"
