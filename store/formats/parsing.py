"""A stretch of delimited text as a table: parsed by Polars, every cell counted."""

import csv
import io
import re
from typing import Any

import numpy as np
import polars as pl

from store.errors import UnreadableFile
from store.formats.dialect import Dialect
from store.formats.stretches import Block, count_rows, records

BLANK_LINES = re.compile(rb"(?:\r?\n){2,}")


class Misfit(Exception):
    """A column holds what the sample did not show."""


def parse(block: Block, dialect: Dialect, dtypes: list[Any]) -> pl.DataFrame:
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
    rows = count_rows(block, dialect)  # names the row, where that is what is wrong
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


def _rewritten(block: Block, dialect: Dialect) -> bytes:
    """The same rows without blank lines, quoted in the plainest way."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=dialect.delimiter, quotechar=dialect.quote or '"', lineterminator="\n")
    writer.writerows(cells for _, cells in records(block, dialect.delimiter, dialect.quote))
    return text.getvalue().encode()
