"""Lines below the rows of delimited text: notes, which are left out, and totals, which a warning names."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from store.formats.cell_types import TYPED, type_of
from store.formats.sampling import SPACES, Row, rows_of_sample
from store.formats.separators import Separators
from store.formats.text import Text, count

TAIL_BYTES = 64 * 1024
MAX_NOTES = 30
NOTE = re.compile(
    r"[\"'(\[]*(?:sources?|notes?|remarks?|footnotes?|quellen?|anmerkung(?:en)?|hinweise?|stand|fontes?|notas?|fuentes?|"
    r"legende?|key|copyright|(?:last )?updated|generated|retrieved|disclaimer|data source)\b\s*[:：.\-–]|"
    r"[*†‡©]|\[\d+\] |\(\d+\) ",
    re.IGNORECASE,
)
COUNT_OF_ROWS = re.compile(r"\(\d+ rows?(?: affected)?\)$|\d+ rows? in set\b")
"""Lines that clients of databases write below a table."""
TOTAL = re.compile(
    r"(?:grand |sub|over)?(?:total|totals|sum|summe|gesamt|insgesamt|gesamtsumme|totaal|totale|totali|totaux|somme|soma|suma|"
    r"итого|всего|合計|合计|总计|kokku|yhteensä|celkem|razem|összesen|toplam)\b.{0,20}",
    re.IGNORECASE,
)


@dataclass
class Bottom:
    """The end of the rows, and the lines below them that are left out or hold totals."""

    end: int | None = None
    notes: list[int] = field(default_factory=list)
    total: int | None = None
    """The line of a row of totals, which is read."""
    skip: int = 0
    """How many lines at the end hold notes and totals."""


def bottom_of(text: Text, separators: Separators, kinds: Sequence[str | None], skip: int | None, from_line: int) -> Bottom:
    """The footer: `skip` lines that hold something, or what is found. `kinds`: what the cells of each column
    look like, None for words. `from_line`: the line that the text begins in.
    """
    width = len(kinds)
    size = text.size
    start = max(0, size - TAIL_BYTES)
    data = text.sample(size - start, start)
    if start:
        cut = data.find(b"\n") + 1
        start, data = start + cut, data[cut:]
    tail = data.decode("utf-8", "replace")
    rows = rows_of_sample(tail, separators.delimiter, separators.quote, separators.escape)
    there = [place for place, row in enumerate(rows) if not row.is_blank]
    bottom = Bottom()
    if not there:
        return bottom

    def end_above(place: int) -> int:
        above = rows[place - 1].end if place else 0
        return text.start + start + len(tail[:above].encode())

    def line_of(place: int) -> int:
        before = count(text.sample(start), b"\n") if start else 0
        return from_line + before + rows[place].line - 1

    if skip is not None:
        if 0 < skip < len(there):
            left = there[len(there) - skip :]
            bottom.end, bottom.notes = end_above(left[0]), [line_of(place) for place in left]
        return bottom
    count_of_notes = 0
    for number, place in enumerate(reversed(there[1:][-MAX_NOTES:]), 1):
        is_apart = place > 0 and (rows[place - 1].is_blank or rows[place - 1].is_ruler)
        if not _is_note(rows[place], separators, kinds, True):
            break
        if is_apart or (count_of_notes == number - 1 and _is_note(rows[place], separators, kinds, False)):
            count_of_notes = number
    if count_of_notes:
        left = there[len(there) - count_of_notes :]
        bottom.end, bottom.notes = end_above(left[0]), [line_of(place) for place in left]
    last = there[len(there) - count_of_notes - 1]
    if len(there) > count_of_notes + 1 and width > 1 and any(TOTAL.fullmatch(cell.strip()) for cell in rows[last].cells[:2]):
        bottom.total, bottom.skip = line_of(last), count_of_notes + 1
    return bottom


def _is_note(row: Row, separators: Separators, kinds: Sequence[str | None], is_apart: bool) -> bool:
    """Whether a row is a note below the table: words, alone in their line, or that look like none of the column. `is_apart`:
    it stands below a blank line, or with others that do.
    """
    width = len(kinds)
    bare = row.cells[0].strip()
    if width > 1 and len(row.cells) != width and row.is_ruler:
        return True
    if width < 2 or not bare:
        return False
    line = (" " if separators.delimiter == SPACES else separators.delimiter).join(row.cells).strip()
    if len(row.cells) == 1 and COUNT_OF_ROWS.match(line):
        return True
    if type_of(bare) in TYPED or type_of(bare) == "gap":
        return False
    if NOTE.match(line) or (len(row.cells) == 1 and len(bare.split()) > 3):
        return True
    if row.filled > 1:  # a sentence with the delimiter in it
        words = all(type_of(cell) in ("words", "gap") for cell in row.cells)
        differs = len(row.cells) != width or any(kinds)
        return words and differs and " " in bare and (is_apart or (kinds[0] is not None and len(row.cells) != width))
    return (is_apart or kinds[0] is not None) and " " in bare
