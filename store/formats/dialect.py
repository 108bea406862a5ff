"""How delimited text is laid out, and what of it is told."""

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from engine.wording import Sentence, notice, say, template
from store.formats.reading import CELL_BYTES
from store.formats.sampling import SPACES

ROW_BYTES = 64 << 20
"""A row of text longer than that is refused."""
SHOWN = 5
"""Lines that a warning names."""

csv.field_size_limit(CELL_BYTES)

LEFT_OUT = "LINES_LEFT_OUT"
REASONS: dict[str, tuple[str, str]] = {
    "title": (
        LEFT_OUT,
        template("{lines} above the header {were} left out; if {they} {are} data, set 'skip_lines' to 0"),
    ),
    "ruler": (
        LEFT_OUT,
        template("{lines} below the header {hold} a drawn line and {were} left out"),
    ),
    "hint": (
        LEFT_OUT,
        template("{lines} {names} the delimiter and {were} left out; if {they} {are} data, set 'skip_lines' to 0"),
    ),
    "comment": (
        LEFT_OUT,
        template("{lines} {begin} as a comment and {were} left out; to read {them}, set 'comment' to none"),
    ),
    "header again": (
        LEFT_OUT,
        template("{lines} {repeat} the header and {were} left out; if {they} {are} data, set 'header' to false"),
    ),
    "no cell": (
        LEFT_OUT,
        template("{lines} {hold} delimiters and nothing else and {were} left out; write NA where a gap is meant"),
    ),
    "spaces": (
        LEFT_OUT,
        template("{lines} {hold} spaces alone and {were} left out"),
    ),
    "footnote": (
        LEFT_OUT,
        template("{lines} below the rows {were} left out as notes; if {they} {are} data, set 'skip_footer' to 0"),
    ),
    "delimiters at the end": (
        LEFT_OUT,
        template("{lines} {end} in delimiters with nothing behind them, which {were} left out"),
    ),
    "quote within words": (
        "QUOTES",
        template("{lines} {hold} a quote within words, which was read as a letter; double quotes within quotes"),
    ),
    "rows within quotes": (
        "QUOTES",
        template(
            "the quoted cell that begins in {lines} holds line breaks and what looks like rows, and was read as one cell; if "
            "that is wrong, close its quote, or set 'quote' to none"
        ),
    ),
}
"""Warnings about lines: the code, and the words."""
SINGULAR = {
    "were": say("was"),
    "they": say("it"),
    "them": say("it"),
    "are": say("is"),
    "begin": say("begins"),
    "repeat": say("repeats"),
    "hold": say("holds"),
    "end": say("ends"),
    "names": say("names"),
}
PLURAL = {
    "were": say("were"),
    "they": say("they"),
    "them": say("them"),
    "are": say("are"),
    "begin": say("begin"),
    "repeat": say("repeat"),
    "hold": say("hold"),
    "end": say("end"),
    "names": say("name"),
}


class Relaid(Exception):
    """A later row shows that the text is laid out otherwise than its first rows do: the fields of the dialect that change."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(str(changes))
        self.changes = changes


@dataclass
class Dialect:
    """How the text is laid out.

    The rows are read by `delimiter`, one character or "spaces" (runs of spaces and tabs), and `quote`. Everything from
    `escape` on changes nothing by default: who knows the layout gives the first fields alone.
    """

    delimiter: str
    quote: str | None
    names: list[str]
    has_header: bool
    markers: tuple[str, ...]
    texts: frozenset[str] = frozenset()
    """Columns that are text, whatever it looks like."""
    escape: bool = False
    """Whether a backslash makes a quote in a quoted cell a letter."""
    padded: bool = False
    """Whether spaces stand between delimiters and quotes."""
    comment: str | None = None
    """Prefix of lines that are left out."""
    dropped: frozenset[int] = frozenset()
    """Places of cells that every row has, none of which holds anything: they are no columns."""
    header: bytes | None = None
    """The line that names the columns, where it is left out if it comes again."""
    leaves_out: bool = False
    """Whether rows of delimiters alone are left out."""
    index: str | None = None
    """The column that may number or name the rows."""
    header_line: int = 1
    """The line that says how many cells a row has."""
    notes: set[tuple[int, str]] = field(default_factory=set)
    """Lines, and which of REASONS there is to tell of them."""
    report: dict[str, Any] = field(default_factory=dict)
    """Facts about the layout, besides what `read` names."""
    warnings: list[dict[str, Any]] = field(default_factory=list)

    @property
    def width(self) -> int:
        """The number of columns."""
        return len(self.names)

    @property
    def cells(self) -> int:
        """The number of cells in a row."""
        return len(self.names) + len(self.dropped)

    @property
    def mark(self) -> str:
        """The one character between cells, once runs of spaces are tabs."""
        return "\t" if self.delimiter == SPACES else self.delimiter

    @property
    def reference(self) -> str:
        """The line that says how many cells a row has, in words."""
        return "the first line" if self.header_line == 1 else f"line {self.header_line}"

    def note(self, line: int, reason: str) -> None:
        self.notes.add((line, reason))

    def warn(self, code: str, detail: Sentence, column: str | None = None) -> None:
        self.warnings.append(notice(code, detail, column=column))

    def read(self) -> dict[str, Any]:
        """How the text was laid out, as `source.read` shows it.

        `delimiter`, `quote` and `escape` (`backslash`, or null for quotes that are doubled); `header`, whether a row names the
        columns; `skip_lines`, how many lines stand above that row; `comment`, what lines begin with that are none;
        `skip_footer`, how many lines below the rows are left out; `index`, a column that numbers or names the rows; `renamed`,
        names of the file and what became of them; `left_out`, lines and why.
        """
        left_out = [
            {"lines": lines[:100], "count": len(lines), "reason": reason}
            for reason, lines in self._by_reason()
            if REASONS[reason][0] == LEFT_OUT
        ]
        return {
            "delimiter": self.delimiter,
            "quote": self.quote,
            "escape": "backslash" if self.escape else None,
            "header": self.has_header,
            "skip_lines": 0,
            "comment": self.comment,
            "skip_footer": 0,
            "index": self.index,
            "renamed": {},
            **self.report,
            "left_out": left_out,
        }

    def told(self) -> list[dict[str, Any]]:
        """The warnings about the layout, once all rows are read."""
        found = list(self.warnings)
        for reason, lines in self._by_reason():
            code, words = REASONS[reason]
            forms = SINGULAR if len(lines) == 1 else PLURAL
            found.append(notice(code, say(words, lines=shown(lines), **forms), column=None))
        return found

    def _by_reason(self) -> list[tuple[str, list[int]]]:
        lines: defaultdict[str, list[int]] = defaultdict(list)
        for line, reason in self.notes:
            lines[reason].append(line)
        return [(reason, sorted(lines[reason])) for reason in REASONS if reason in lines]


def shown(lines: Iterable[int]) -> Sentence:
    """Lines in words: line 3; lines 3, 5 and 9; lines 1, 2, 3, 4, 5 and 20 more."""
    numbers = [f"{line}" for line in lines]
    if len(numbers) == 1:
        return say("line {line}", line=numbers[0])
    if len(numbers) > SHOWN:
        return say("lines {lines} and {more} more", lines=", ".join(numbers[:SHOWN]), more=len(numbers) - SHOWN)
    return say("lines {lines} and {last}", lines=", ".join(numbers[:-1]), last=numbers[-1])


def quoting_of(quote: str | None) -> dict[str, Any]:
    return {"quotechar": quote, "strict": True} if quote else {"quoting": csv.QUOTE_NONE, "strict": True}


def unreadable(line: int, reason: str) -> str:
    return (
        f"the row that begins in line {line} cannot be read ({reason}); mend it: a quote that opens a cell must close it, and "
        "one within it must be doubled; or set 'quote' to none"
    )
