"""Readers of dataset files: one function and one entry in FORMATS each (rule 2). Polars parses; this finds out how."""

import csv
import io
import math
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import polars as pl

from store.errors import UnknownFormat, UnreadableFile

MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"]
DELIMITERS = "\t,;|"
SAMPLE_BYTES = 64 * 1024
SAMPLE_ROWS = 50
CELL_BYTES = 2**20

csv.field_size_limit(CELL_BYTES)


def read_table(path: Path, name: str, given: str | None) -> tuple[str, pl.DataFrame]:
    """The format and the table of a file: by the format that is given, else by the ending of its name.

    Raises UnknownFormat, or UnreadableFile with the row and column that are wrong and what to do.
    """
    ending = given or name.rpartition(".")[2].lower()
    if ending not in FORMATS:
        known = ", ".join(FORMATS)
        raise UnknownFormat(f"'{ending or name}' is no format read here; upload {known}, or name one of them in 'format'")
    if path.stat().st_size == 0:
        raise UnreadableFile(f"the file '{name}' is empty; upload a file with a header and at least one row")
    table = FORMATS[ending](path)
    if table.height == 0:
        raise UnreadableFile(f"the file '{name}' holds a header and no rows; add at least one row below it")
    return ending, table


def read_csv(path: Path) -> pl.DataFrame:
    """Delimited text: delimiter, header and encoding are found out, every row must have as many cells as the first."""
    return _read_delimited(path, None)


def read_tsv(path: Path) -> pl.DataFrame:
    return _read_delimited(path, "\t")


FORMATS: dict[str, Callable[[Path], pl.DataFrame]] = {"csv": read_csv, "tsv": read_tsv}


def _read_delimited(path: Path, delimiter: str | None) -> pl.DataFrame:
    data = _utf8(path)
    delimiter = delimiter or _delimiter(data[:SAMPLE_BYTES].decode("utf-8", "ignore"))
    first = next((cells for _, cells in _records(data, delimiter)), [])
    if not first:
        raise UnreadableFile("the file holds blank lines alone; upload a file with a header and at least one row")
    has_header = not any(_is_number(cell) for cell in first)
    if has_header:
        _check_header(first)
    try:
        table = _parse(data, delimiter, has_header)
    except UnreadableFile:
        _count_rows(data, delimiter)  # names the row, where that is what is wrong
        table = _parse(_rewritten(data, delimiter), delimiter, has_header)  # quotes that Polars does not take
    # Polars fills short rows up without a word: count the delimiters before believing the gaps.
    short = data.count(delimiter.encode()) < (len(first) - 1) * (table.height + has_header)
    if short or b'"' in data or table.width != len(first):
        rows = _count_rows(data, delimiter) - has_header
        if table.width != len(first) or (table.height != rows and table.width > 1):  # other line ends, or blank lines
            table = _parse(_rewritten(data, delimiter), delimiter, has_header)
    if has_header:
        table.columns = first  # where Polars leaves doubled quotes doubled
    return table.select(_typed(table[name]) for name in table.columns)


def _parse(data: bytes, delimiter: str, has_header: bool) -> pl.DataFrame:
    try:
        return pl.read_csv(data, separator=delimiter, has_header=has_header, null_values=MISSING, infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError) as error:
        reason = str(error).partition("\n")[0][:200]
        raise UnreadableFile(f"the file cannot be read as delimited text ({reason}); check it") from None


def _rewritten(data: bytes, delimiter: str) -> bytes:
    """The same rows without blank lines, quoted in the plainest way."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(cells for _, cells in _records(data, delimiter))
    return text.getvalue().encode()


def _utf8(path: Path) -> bytes:
    """The file's text as UTF-8 without a byte order mark; what is not UTF-8 is read as UTF-16 by its mark, or Latin-1."""
    data = path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            data = data.decode("utf-16").encode()
        except UnicodeDecodeError as error:
            raise UnreadableFile(f"the file begins as UTF-16 and is none at byte {error.start}; save it as UTF-8") from None
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in data:
        line = data[: data.index(b"\0")].count(b"\n") + 1
        raise UnreadableFile(f"line {line} holds a NUL byte, so the file is no text; upload text, or name its format")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        data = data.decode("latin-1").encode()
    return data if b"\n" in data else data.replace(b"\r", b"\n")  # as old Macs end lines


def _delimiter(sample: str) -> str:
    """The one that cuts the most of the first rows into as many cells as the first row; of equals, into the most cells."""

    def score(delimiter: str) -> tuple[int, int]:
        rows = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        widths = [len(cells) for cells in islice(filter(None, rows), SAMPLE_ROWS)]
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
            raise UnreadableFile(f"the header names column '{name}' twice; give every column a name of its own")
        seen.add(name)


def _count_rows(data: bytes, delimiter: str) -> int:
    """The number of rows, header and all. Raises UnreadableFile for the first that has not as many cells as the first."""
    width = count = 0
    for line, cells in _records(data, delimiter):
        width, count = width or len(cells), count + 1
        if len(cells) != width:
            raise UnreadableFile(
                f"line {line} has {len(cells)} cells where the first line has {width}; mend that line, or quote "
                f"cells that hold the delimiter {delimiter!r}"
            )
    return count


def _records(data: bytes, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line it begins in. Raises UnreadableFile for quotes that do not close."""
    lines = csv.reader(io.TextIOWrapper(io.BytesIO(data), "utf-8", newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in lines:
            if cells:
                yield line, cells
            line = lines.line_num + 1
    except csv.Error as error:
        raise UnreadableFile(
            f"the row that begins in line {line} cannot be read ({error}); mend it: a quote that opens a cell must close it"
        ) from None


def _typed(column: pl.Series) -> pl.Series:
    """Wide integers as floats; text that is all numbers as numbers. Raises UnreadableFile for an infinite number."""
    if column.dtype.is_integer() and column.dtype != pl.Int64:
        column = column.cast(pl.Float64)
    if column.dtype == pl.String:
        column = _numbers(column)
    if column.dtype == pl.String:
        oversized = column.str.len_bytes() > CELL_BYTES
        if oversized.any():
            row = oversized.arg_max()
            raise UnreadableFile(f"column '{column.name}' holds more than {CELL_BYTES} bytes in row {row}; shorten that cell")
    if column.dtype.is_float():
        column = column.cast(pl.Float64).fill_nan(None)
        infinite = column.is_infinite().fill_null(False)
        if infinite.any():
            row = infinite.arg_max()
            raise UnreadableFile(
                f"column '{column.name}' holds an infinite number in row {row}; replace it by a number or leave the cell empty"
            )
    return column


def _numbers(column: pl.Series) -> pl.Series:
    """Text that is all numbers, with or without spaces around, as integers or else floats; any other as it is."""
    bare = column.str.strip_chars()
    bare = bare.set(bare.is_in(MISSING), None)
    for dtype in (pl.Int64, pl.Float64):
        numbers = bare.cast(dtype, strict=False)
        if numbers.null_count() == bare.null_count() < len(bare):
            return numbers
    return column
