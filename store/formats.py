"""Readers of dataset files: one function and one entry in FORMATS each (rule 2). Polars parses; this finds out how."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from store.errors import UnknownFormat, UnreadableFile

MISSING = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?"]
DELIMITERS = ",;\t|"
SAMPLE_BYTES = 64 * 1024

csv.field_size_limit(SAMPLE_BYTES * 16)


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
    sample = data[:SAMPLE_BYTES].decode("utf-8", "ignore")
    delimiter = delimiter or _delimiter(sample)
    first = next(csv.reader(io.StringIO(sample), delimiter=delimiter), [])
    has_header = not any(_is_number(cell) for cell in first)
    if has_header:
        _check_header(first)
    try:
        table = pl.read_csv(
            data,
            separator=delimiter,
            has_header=has_header,
            null_values=MISSING,
            infer_schema_length=None,
        )
    except (pl.exceptions.PolarsError, ValueError) as error:
        _check_rows(data, delimiter)  # names the row, where that is what is wrong
        raise UnreadableFile(f"the file cannot be read as delimited text ({str(error).splitlines()[0]}); check it") from None
    # Polars fills short rows up without a word: count the delimiters before believing the gaps.
    if len(first) > 1 and (b'"' in data or data.count(delimiter.encode()) < (len(first) - 1) * (table.height + has_header)):
        _check_rows(data, delimiter)
        table = table.filter(~pl.all_horizontal(pl.all().is_null()))  # what is left of blank lines
    return table.select(_typed(table[name]) for name in table.columns)


def _utf8(path: Path) -> bytes:
    """The file's text as UTF-8 without a byte order mark; what is not UTF-8 is read as UTF-16 by its mark, or Latin-1."""
    data = path.read_bytes()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    if b"\0" in data:
        raise UnreadableFile("the file holds NUL bytes, so it is no text; upload text, or name its format")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1").encode()
    return data


def _delimiter(sample: str) -> str:
    try:
        return csv.Sniffer().sniff("\n".join(sample.splitlines()[:50]), DELIMITERS).delimiter
    except csv.Error:
        line = sample.partition("\n")[0]
        return max(DELIMITERS, key=line.count)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _check_header(names: list[str]) -> None:
    seen: set[str] = set()
    for place, name in enumerate(names, start=1):
        if not name.strip():
            raise UnreadableFile(f"column {place} has no name in the header; name every column")
        if name in seen:
            raise UnreadableFile(f"the header names column '{name}' twice; give every column a name of its own")
        seen.add(name)


def _check_rows(data: bytes, delimiter: str) -> None:
    """Raise UnreadableFile for the first row that has not as many cells as the first line."""
    lines = csv.reader(io.StringIO(data.decode(), newline=""), delimiter=delimiter)
    width = 0
    try:
        for line, cells in _numbered(lines):
            width = width or len(cells)
            if len(cells) != width:
                raise UnreadableFile(
                    f"line {line} has {len(cells)} cells where the first line has {width}; mend that line, or quote "
                    f"cells that hold the delimiter {delimiter!r}"
                )
    except csv.Error as error:
        raise UnreadableFile(f"line {lines.line_num} cannot be read ({error}); mend that line") from None


def _numbered(lines: "csv._reader") -> Iterator[tuple[int, list[str]]]:  # type: ignore[name-defined]
    for cells in lines:
        if cells:
            yield lines.line_num, cells


def _typed(column: pl.Series) -> pl.Series:
    """Wide integers as floats; text that is all numbers as numbers. Raises UnreadableFile for an infinite number."""
    if column.dtype.is_integer() and column.dtype != pl.Int64:
        column = column.cast(pl.Float64)
    if column.dtype == pl.String:
        numbers = column.str.strip_chars().cast(pl.Float64, strict=False)
        if numbers.null_count() == column.null_count() and len(numbers) > numbers.null_count():
            column = numbers
    if column.dtype.is_float():
        column = column.cast(pl.Float64).fill_nan(None)
        infinite = column.is_infinite().fill_null(False)
        if infinite.any():
            row = infinite.arg_max()
            raise UnreadableFile(
                f"column '{column.name}' holds an infinite number in row {row}; replace it by a number or leave the cell empty"
            )
    return column
