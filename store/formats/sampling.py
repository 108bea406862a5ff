"""The first rows of delimited text, as one delimiter and quote or another part them."""

import re
from dataclasses import dataclass
from functools import lru_cache

SPACES = "spaces"
"""The name of runs of spaces or tabs as a delimiter."""


RULER = re.compile(r"[-_=*+|: ]{3,}")


@dataclass(frozen=True)
class Row:
    """A row of a sample: the lines it begins in and that after it, where it ends in the sample, and its cells."""

    line: int
    after: int
    end: int
    cells: list[str]
    quoted: bool = False

    @property
    def is_blank(self) -> bool:
        return len(self.cells) < 2 and not "".join(self.cells).strip()

    @property
    def is_ruler(self) -> bool:
        """Whether it is a line that is drawn, as below a header and around the rows."""
        return not self.quoted and RULER.fullmatch("".join(self.cells).strip()) is not None

    @property
    def filled(self) -> int:
        """How many cells hold something."""
        return sum(1 for cell in self.cells if cell.strip())


@lru_cache
def _cell(delimiter: str, quote: str, escape: bool) -> re.Pattern[str]:
    mark = r"[ \t]" if delimiter == SPACES else re.escape(delimiter)
    many = mark + "+" if delimiter == SPACES else mark
    q = re.escape(quote)
    inner = rf"(?:[^{q}\\]|\\.|{q}{q})*+" if escape else rf"(?:[^{q}]|{q}{q})*+"
    plain = r"[^ \t\r\n]*" if delimiter == SPACES else rf"[^{mark}\n]*"
    pad = "" if delimiter == SPACES else " *+"
    return re.compile(rf"{pad}{q}({inner}){q}{pad}(?={mark}|\r?\n|\Z)({many})?|({plain})({many})?", re.DOTALL)


def rows_of_sample(
    text: str, delimiter: str, quote: str | None, escape: bool = False, limit: int = 1 << 30, line: int = 1
) -> list[Row]:
    """The rows. A quote that opens no cell that is closed as it should be is a letter."""
    if quote is None or quote not in text:
        return _plain_rows(text, delimiter, limit, line)
    rows: list[Row] = []
    pattern, place, size = _cell(delimiter, quote, escape), 0, len(text)
    while place < size and len(rows) < limit:
        start, cells, quoted = place, [], False
        if delimiter == SPACES:
            while place < size and text[place] in " \t":
                place += 1
        while True:
            found = pattern.match(text, place)
            assert found is not None
            place = found.end()
            if found[1] is not None:
                quoted = True
                cell = found[1].replace(quote * 2, quote)
                cells.append(re.sub(r"\\(.)", r"\1", cell) if escape else cell)
            else:
                cells.append(found[3].rstrip("\r") if found[4] is None else found[3])
            if found[2] is None and found[4] is None:
                break
            if delimiter == SPACES and (place >= size or text[place] in "\r\n"):
                break
        if text.startswith("\r\n", place):
            place += 2
        elif place < size and text[place] in "\r\n":
            place += 1
        after = line + text.count("\n", start, place)
        rows.append(Row(line, max(after, line + 1), place, cells, quoted))
        line = max(after, line + 1)
    return rows


def _plain_rows(text: str, delimiter: str, limit: int, line: int) -> list[Row]:
    rows: list[Row] = []
    place = 0
    while place < len(text) and len(rows) < limit:
        feed = text.find("\n", place)
        end = len(text) if feed < 0 else feed + 1
        whole = text[place:end].rstrip("\r\n")
        rows.append(Row(line, line + 1, end, whole.split() if delimiter == SPACES else whole.split(delimiter)))
        place, line = end, line + 1
    return rows
