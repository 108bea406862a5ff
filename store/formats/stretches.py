"""Delimited text in stretches of whole rows, each with the line it begins in, without what is left out."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from store.errors import UnreadableFile
from store.formats.dialect import ROW_BYTES, Dialect, Relaid, quoting_of, unreadable
from store.formats.quotes import Quotes, encloses_delimiter, line_at, quotes_of, rows_within, unescaped, without_padding
from store.formats.sampling import SPACES
from store.formats.separators import mark_of
from store.formats.text import Text

FIRST_BYTES, BLOCK_BYTES = 1 << 20, 8 << 20
"""How much is taken at first, to see what it is like, and then."""
LEAD = b"\n"
"""Prefix of each block; without it Polars would unpack a block that begins as a packed file does, such as "x^2"."""
MAX_NOTES = 1_000
"""Lines that are noted for one reason, of each block."""


@dataclass(frozen=True)
class Block:
    """Whole rows of the text below an empty line, the line of the text they begin in, and what encloses cells in them."""

    data: bytes
    line: int
    quote: str | None = None


def blocks_of(text: Text, dialect: Dialect, line: int) -> Iterator[Block]:
    """The text in stretches of whole rows. Raises UnreadableFile for a row that does not end and quotes that are wrong, and
    Relaid.
    """
    quote = dialect.quote.encode() if dialect.quote else None
    marks = mark_of(dialect.delimiter)
    place, size, stop = text.start, FIRST_BYTES, text.start + text.size
    with text.path.open("rb") as file:
        while True:
            file.seek(place)
            data = file.read(min(size, stop - place))
            is_all = place + len(data) >= stop
            cut = len(data) if is_all else data.rfind(b"\n") + 1
            found = None
            if quote is not None and quote in data:
                found = quotes_of(data[:cut], marks, quote, dialect.escape, dialect.padded)
                if found.wrong is not None or (is_all and found.open is not None):
                    raise _wrong(data[:cut], found, dialect, line)
                cut = cut if is_all else found.end
            if cut == 0 and len(data) > ROW_BYTES:
                raise UnreadableFile(
                    f"the row that begins in line {line} is longer than {ROW_BYTES} bytes; shorten it, or close its quotes"
                )
            if not data:
                return
            size = BLOCK_BYTES if cut else 2 * size
            if cut:
                rows = b"".join((LEAD, memoryview(data)[:cut]))
                del data  # so that the rows are not in memory twice while they are parsed
                feeds = np.flatnonzero(np.frombuffer(rows, np.uint8) == LEAD[0])
                yield _plain(rows, feeds, found, dialect, line)
                place, line = place + cut, line + len(feeds) - 1


def _wrong(data: bytes, found: Quotes, dialect: Dialect, line: int) -> Exception:
    """The mistake in the quotes, unless backslashes make letters of them."""
    assert dialect.quote is not None
    quote = dialect.quote.encode()
    if not dialect.escape and b"\\" + quote in data:
        other = quotes_of(data, mark_of(dialect.delimiter), quote, True, dialect.padded)
        if other.wrong is None and not other.literal:
            return Relaid(escape=True)
    if found.wrong is None:
        assert found.open is not None
        return UnreadableFile(unreadable(line_at(data, found.open, line), "its quote does not close"))
    return UnreadableFile(unreadable(line_at(data, found.wrong, line), "letters stand behind a quote that closes"))


def _plain(rows: bytes, feeds: np.ndarray, found: Quotes | None, dialect: Dialect, line: int) -> Block:
    """Rows as Polars and the csv module read them: quotes doubled or none, one character between cells, without lines that
    are left out.
    """
    quote = dialect.quote
    is_mixed = False
    if found is not None:
        end = len(rows) - len(LEAD)
        literal = [place for place in found.literal if place < end]
        opens = found.opens and (len(found.bounds) == 0 or int(found.bounds[0]) < end)
        if literal:
            is_mixed = opens
            quote = quote if opens else None
            _check_literal(rows[len(LEAD) :], literal, opens, dialect, line)
        within = rows_within(rows[len(LEAD) :], found, dialect.delimiter.encode(), dialect.cells) if len(found.bounds) else None
        if within is not None and within < end:
            dialect.note(line_at(rows, within + len(LEAD), line - 1), "rows within quotes")
    rows = _without_lines(rows, feeds, found, dialect, line)
    if quote and quote.encode() in rows:
        if dialect.escape and b"\\" in rows:
            rows = unescaped(rows, quote.encode())
        if dialect.padded:
            rows = without_padding(rows, dialect.delimiter.encode(), quote.encode())
    if dialect.delimiter == SPACES:
        rows = _with_tabs(rows, quote)
    block = Block(rows, line, quote)
    return Block(requoted(block, dialect), line, quote) if is_mixed else block


def _check_literal(rows: bytes, literal: Sequence[int], opens: bool, dialect: Dialect, line: int) -> None:
    """Note quotes in the middle of words. Raises UnreadableFile where they may be meant to enclose a delimiter."""
    wrong = encloses_delimiter(rows, literal, mark_of(dialect.delimiter)) if opens else None
    if wrong is not None:
        raise UnreadableFile(unreadable(line_at(rows, wrong, line), "a quote stands within words, not where a cell begins"))
    for place in literal[:MAX_NOTES]:
        dialect.note(line_at(rows, place, line), "quote within words")


def _without_lines(rows: bytes, feeds: np.ndarray, found: Quotes | None, dialect: Dialect, line: int) -> bytes:
    """The rows with lines emptied that are left out, so that those after them keep their number. In a table of one column
    an empty line is a gap: there they go.
    """
    if not (dialect.leaves_out or dialect.header or dialect.comment):
        return rows
    letters = np.frombuffer(rows, np.uint8)
    starts = feeds + 1
    stops = np.append(feeds[1:], len(rows))
    there = starts < stops
    numbers = np.flatnonzero(there)
    starts, stops = starts[there], stops[there]
    lengths, firsts = stops - starts - (letters[stops - 1] == 13), letters[starts]
    reasons: dict[int, str] = {}

    def look(wanted: np.ndarray, is_it: re.Pattern[bytes], reason: str) -> None:
        for at in np.flatnonzero(wanted).tolist():
            if is_it.fullmatch(rows, int(starts[at]), int(stops[at])) and not (
                found and found.inside(int(starts[at]) - len(LEAD))
            ):
                reasons[at] = reason

    if dialect.leaves_out:
        mark = dialect.mark.encode()
        if dialect.delimiter != SPACES:
            spaced = np.isin(firsts, np.frombuffer(mark + b" \t", np.uint8)) & np.isin(
                letters[stops - 1], np.frombuffer(mark + b" \t\r", np.uint8)
            )
            only = re.compile(rb"(?:[ \t]*" + re.escape(mark) + rb")+[ \t]*\r?")
            look(spaced & (lengths >= dialect.cells - 1), only, "no cell")
        blank = np.isin(firsts, np.frombuffer(b" \t".replace(mark, b""), np.uint8)) & (firsts != mark[0])
        look(blank & np.isin(letters[stops - 1], np.frombuffer(b" \t\r", np.uint8)), re.compile(rb"[ \t]+\r?"), "spaces")
    if dialect.header:
        wanted = (lengths == len(dialect.header)) & (firsts == dialect.header[0])
        for place in range(1, min(8, len(dialect.header))):
            wanted[wanted] = letters[starts[wanted] + place] == dialect.header[place]
        if wanted.any():  # a header of many names takes its time to become a pattern
            look(wanted, re.compile(re.escape(dialect.header) + rb"\r?"), "header again")
    if dialect.comment:
        look(
            firsts == dialect.comment.encode()[0],
            re.compile(re.escape(dialect.comment.encode()) + rb".*", re.DOTALL),
            "comment",
        )
    if not reasons:
        return rows
    kept: list[bytes] = []
    place = 0
    for number, at in enumerate(sorted(reasons)):
        if number < MAX_NOTES:
            dialect.note(line + int(numbers[at]), reasons[at])
        kept.append(rows[place : int(starts[at])])
        place = int(stops[at]) + (dialect.cells == 1)
    kept.append(rows[place:])
    return b"".join(kept)


def _with_tabs(rows: bytes, quote: str | None) -> bytes:
    """Rows with a tab for each run of spaces between cells, and none around the row."""
    if quote is None or quote.encode() not in rows:
        return b"\n".join([b"\t".join(line.split()) for line in rows.split(b"\n")])
    q = re.escape(quote.encode())
    return re.sub(
        rb"(?<=\n)[ \t]+|[ \t]+(?=\r?\n|\Z)|(" + q + rb"(?:[^" + q + rb"]|" + q + q + rb")*+" + q + rb")|[ \t]+", _tab, rows
    )


def _tab(found: re.Match[bytes]) -> bytes:
    if found[1] is not None:
        return found[1]
    text, start, stop = found.string, found.start(), found.end()
    at_edge = text[start - 1 : start] in (b"\n", b"") or text[stop : stop + 1] in (b"\n", b"\r", b"")
    return b"" if at_edge else b"\t"


def count_rows(block: Block, dialect: Dialect) -> int:
    """The number of rows. Raises UnreadableFile for the first that has not as many cells as the first line of the file."""
    number = 0
    for line, cells in records(block, dialect.mark, block.quote):
        number += 1
        if len(fitted(cells, dialect, line)) != dialect.cells:
            name = dialect.delimiter if dialect.delimiter == SPACES else repr(dialect.delimiter)
            raise UnreadableFile(
                f"line {line} has {len(cells)} cells where {dialect.reference} has {dialect.cells}; mend that line, or quote "
                f"cells that hold the delimiter {name}"
            )
    return number


def fitted(cells: list[str], dialect: Dialect, line: int) -> list[str]:
    """The cells of a row without those too many at its end that hold nothing, and with those that no row fills."""
    if len(cells) > dialect.cells and not "".join(cells[dialect.cells :]).strip():
        dialect.note(line, "delimiters at the end")
        return cells[: dialect.cells]
    if len(cells) < dialect.cells and all(place in dialect.dropped for place in range(len(cells), dialect.cells)):
        return cells + [""] * (dialect.cells - len(cells))
    return cells


def requoted(block: Block, dialect: Dialect) -> bytes:
    """The same rows without blank lines, quoted in the plainest way."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=dialect.mark, quotechar=block.quote or '"', lineterminator="\n")
    writer.writerows(fitted(cells, dialect, line) for line, cells in records(block, dialect.mark, block.quote))
    return LEAD + text.getvalue().encode()


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
