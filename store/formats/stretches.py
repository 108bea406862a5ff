"""Delimited text in stretches of whole rows, each with the line it begins in."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from store.errors import UnreadableFile
from store.formats.dialect import ROW_BYTES, Dialect, quoting_of, unreadable
from store.formats.text import Text, count

FIRST_BYTES, BLOCK_BYTES = 1 << 20, 8 << 20
"""How much is taken at first, to see what it is like, and then."""
LEAD = b"\n"
"""What a block begins with, or Polars would unpack one that begins as a packed file does, such as "x^2"."""


@dataclass(frozen=True)
class Block:
    """Whole rows of the text below an empty line, and the line of the text they begin in."""

    data: bytes
    line: int


def blocks_of(text: Text, dialect: Dialect, line: int) -> Iterator[Block]:
    """The text in stretches of whole rows. Raises UnreadableFile for a row that does not end."""
    quote = dialect.quote.encode() if dialect.quote else None
    place, size = text.start, FIRST_BYTES
    with text.path.open("rb") as file:
        while True:
            file.seek(place)
            data = file.read(size)
            is_all = len(data) < size
            cut = len(data) if is_all else _last_row_end(data, quote)
            if cut == 0 and not is_all and len(data) >= 2 * BLOCK_BYTES:
                cut = data.rfind(b"\n") + 1  # a quote that opens nothing, as in 5" pipe
            if cut == 0 and len(data) > ROW_BYTES:
                raise UnreadableFile(
                    f"the row that begins in line {line} is longer than {ROW_BYTES} bytes; shorten it, or close its quotes"
                )
            if not data:
                return
            size = BLOCK_BYTES if cut else 2 * size
            if cut:
                block = Block(b"".join((LEAD, memoryview(data)[:cut])), line)
                del data  # so that the rows are not in memory twice while they are parsed
                yield block
                place, line = place + cut, line + count(block.data, b"\n") - 1


def _last_row_end(data: bytes, quote: bytes | None) -> int:
    """Where the last whole row ends: after a line feed with an even number of quotes before it. 0 where none is found."""
    end = data.rfind(b"\n")
    if quote is None or quote not in data:
        return end + 1
    before = data.count(quote, 0, max(0, end))
    for _ in range(10_000):
        if end < 0 or before % 2 == 0:
            return end + 1
        earlier = data.rfind(b"\n", 0, end)
        before -= data.count(quote, max(0, earlier), end)
        end = earlier
    return 0


def count_rows(block: Block, dialect: Dialect) -> int:
    """The number of rows. Raises UnreadableFile for the first that has not as many cells as the first line of the file."""
    count = 0
    for line, cells in records(block, dialect.delimiter, dialect.quote):
        count += 1
        if len(cells) != dialect.width:
            raise UnreadableFile(
                f"line {line} has {len(cells)} cells where the first line has {dialect.width}; mend that line, or quote "
                f"cells that hold the delimiter {dialect.delimiter!r}"
            )
    return count


def records(block: Block, delimiter: str, quote: str | None) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the line it begins in. Raises UnreadableFile for quotes that do not close."""
    text = io.TextIOWrapper(io.BytesIO(block.data[len(LEAD) :]), "utf-8", newline="")
    lines = csv.reader(text, delimiter=delimiter, **quoting_of(quote))
    line = block.line
    try:
        for cells in lines:
            if cells:
                yield line, cells
            line = block.line + lines.line_num
    except csv.Error as error:
        raise UnreadableFile(unreadable(line, str(error))) from None
