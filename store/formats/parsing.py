"""A stretch of delimited text as a table: parsed by Polars, every cell counted."""

import re
from contextlib import suppress
from typing import Any

import numpy as np
import polars as pl

from store.errors import UnreadableFile
from store.formats.conversion import WHOLE, narrowest
from store.formats.dialect import Dialect, Relaid
from store.formats.stretches import LEAD, Block, count_rows, requoted
from store.formats.text import count

BLANK_LINES = re.compile(rb"(?:\r?\n){2,}")


class Misfit(Exception):
    """A column holds what the rows before did not show."""


class Parser:
    """Parses blocks of one text, each column as a type: a number's own, or text. It expects whole numbers as small as those
    before: parsed so, a block takes less time and much less memory. One that is not so is parsed again.
    """

    def __init__(self, dialect: Dialect, dtypes: list[Any]) -> None:
        self.dialect, self.dtypes = dialect, dtypes
        self._narrow: list[Any] | None = None

    def parse(self, block: Block) -> pl.DataFrame:
        """The block's rows. Raises UnreadableFile with the line that is wrong, or Misfit."""
        if self._narrow is not None:
            with suppress(Misfit):
                return rows_of(block, self.dialect, self._narrow)
        table = rows_of(block, self.dialect, self.dtypes)
        self._narrow = _narrowed(table, self._narrow)
        return table


def _narrowed(table: pl.DataFrame, before: list[Any] | None) -> list[Any]:
    """The narrowest types for whole numbers such as these and those before."""
    found = []
    for place, column in enumerate(table.iter_columns()):
        if column.dtype == pl.Int64:
            low: Any = column.min()
            high: Any = column.max()
            wide = narrowest(low or 0, high or 0)
            if wide == pl.Int16:  # there is room for more, or it would soon be too narrow
                wide = pl.Int32
            found.append(max(wide, before[place] if before else wide, key=WHOLE.index))
        else:
            found.append(column.dtype)
    return found


def rows_of(block: Block, dialect: Dialect, dtypes: list[Any]) -> pl.DataFrame:
    """The block's rows, an empty cell a gap. Raises UnreadableFile with the line that is wrong, or Misfit for a cell of
    another type.
    """
    reason: UnreadableFile | None = None
    for form in (_as_it_is, _without_blank_lines, requoted):
        data = form(block, dialect)
        try:
            table = _polars(data, block.quote, dialect, dtypes)
        except UnreadableFile as error:
            reason = error
            continue
        if not _looks_short(data, block.quote, dialect, table.height):
            return _without_dropped(table, dialect)
        reason = None
    rows = count_rows(block, dialect)  # names the row, where that is what is wrong
    if reason is not None:
        raise reason
    assert rows == table.height
    return table


def _as_it_is(block: Block, dialect: Dialect) -> bytes:
    return block.data


def _without_dropped(table: pl.DataFrame, dialect: Dialect) -> pl.DataFrame:
    """The columns that have a name, or hold something. Raises Relaid where one that held nothing does so no longer."""
    if not dialect.dropped:
        return table
    filled = [
        place
        for place in dialect.dropped
        if table.to_series(place).null_count() < table.height and (table.to_series(place).str.strip_chars() != "").any()
    ]
    if filled:
        raise Relaid(dropped=dialect.dropped - set(filled))
    return table.select(dialect.names)


def _schema(dialect: Dialect, dtypes: list[Any]) -> dict[str, Any]:
    """The names and types of all cells of a row; of those that are dropped, names that no column has."""
    if not dialect.dropped:
        return dict(zip(dialect.names, dtypes, strict=True))
    columns = zip(dialect.names, dtypes, strict=True)
    return dict((f"\0{place}", pl.String) if place in dialect.dropped else next(columns) for place in range(dialect.cells))


def _polars(data: bytes, quote: str | None, dialect: Dialect, dtypes: list[Any]) -> pl.DataFrame:
    try:
        return pl.read_csv(
            data,
            skip_lines=1,  # the lead
            separator=dialect.mark,
            quote_char=quote,
            has_header=False,
            schema=_schema(dialect, dtypes),
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OSError) as error:
        reason = str(error).partition("\n")[0][:200]
        if any(dtype != pl.String for dtype in dtypes) and ("could not parse" in reason or "primitive value" in str(error)):
            raise Misfit from None
        raise UnreadableFile(f"the file cannot be read as delimited text ({reason}); check it") from None


def _without_blank_lines(block: Block, dialect: Dialect) -> bytes:
    """Polars takes a blank line for a row of gaps; in a table of one column it is one."""
    if dialect.cells == 1 or (block.quote and block.quote.encode() in block.data):
        return block.data
    return LEAD + BLANK_LINES.sub(b"\n", block.data).lstrip(b"\r\n")


def _looks_short(data: bytes, enclosing: str | None, dialect: Dialect, rows: int) -> bool:
    """Polars fills short rows up without a word: count the delimiters before believing the gaps."""
    wanted = (dialect.cells - 1) * rows
    delimiter, quote = dialect.mark.encode(), (enclosing or "").encode()
    if not quote or quote not in data:
        return count(data, delimiter) != wanted
    letters = np.frombuffer(data, np.uint8)
    inside = np.bitwise_xor.accumulate((letters == quote[0]).view(np.uint8))
    return bool(np.count_nonzero((letters == delimiter[0]) & (inside == 0)) != wanted) or inside[-1] == 1
