"""ARFF's rows as plain delimited text: quoted in one way, without comments, sparse rows filled up, gaps as empty cells."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from store.errors import TooLarge, UnreadableFile
from store.formats.text import Text

BLOCK_BYTES = 4 << 20
ROW_BYTES = 64 << 20
COMMENT_LINE = re.compile(rb"(?m)^[ \t]*%[^\n]*\n?")
BLANK_LINES = re.compile(rb"\n(?:[ \t]*\n)+")
SINGLE, DOUBLE = rb"'((?:[^'\\\n]|\\[^\n])*)'", rb'"((?:[^"\\\n]|\\[^\n])*)"'
TOKEN = re.compile(SINGLE + rb"|'|" + DOUBLE + rb'|"|\?|\{[^\n]*| [ \t]*%[^\n]*|\t[ \t]*%[^\n]*| [ \t]*|\t[ \t]*')
"""Characters with a meaning of their own in a row. Every alternative begins with a letter, which makes the search quick."""
TAB = re.compile(SINGLE + rb"|" + DOUBLE + rb"|\t")
SPARSE_CELL = re.compile(rb"[ \t]*(\d+)[ \t]+(?:" + SINGLE + rb"|" + DOUBLE + rb"|([^\s,'\"{}]+))[ \t]*(?:,|$)")
WEIGHT = re.compile(rb"\{[ \t]*[-+.\deE]+[ \t]*\}[ \t]*(?:%.*)?$")
ESCAPE = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
LETTERS = {b"n": b"\n", b"r": b"\r", b"t": b"\t"}


class _Misread(Exception):
    """The mistake in a row, and what to do about it."""


@dataclass
class Rows:
    """Turns rows as Weka and liac-arff write them into comma-separated text with doubled quotes.

    `defaults` are the cells that a sparse row may leave out, one an attribute, as they are written; None where no value is
    defined: Weka leaves out the first word of a string attribute.
    """

    defaults: Sequence[bytes | None]
    limit: int
    delimiter: bytes = b","
    undefined: list[int] = field(default_factory=list)
    """Attributes of words that a sparse row left out, each once."""

    def rewrite(self, text: Text, line: int, folder: Path) -> Text:
        """The rows of a text that begins in that line, written anew into the folder. Raises UnreadableFile with the line."""
        target, rest, written = folder / f"{text.path.name}.rows", b"", 0
        with text.path.open("rb") as file, target.open("wb") as out:
            file.seek(text.start)
            while piece := file.read(BLOCK_BYTES):
                block, end, rest = (rest + piece).rpartition(b"\n")
                if len(rest) > ROW_BYTES:
                    raise UnreadableFile(f"the row after line {line} is longer than {ROW_BYTES} bytes; shorten it")
                if end:
                    written += out.write(self._block(block + end, line))
                    line += block.count(b"\n") + 1
                if written > self.limit:
                    raise TooLarge(f"the rows take more than {self.limit} bytes; send less, or raise VIDRO_MAX_UNPACKED_BYTES")
            out.write(self._block(rest, line))
        return Text(target, text.encoding)

    def find_delimiter(self, sample: bytes) -> None:
        """Weka takes tabs for commas."""
        row = next((row for row in sample.split(b"\n") if row.strip() and not row.lstrip().startswith(b"%")), b"")
        if b"," not in row and row.count(b"\t") == len(self.defaults) - 1 and not row.lstrip().startswith(b"{"):
            self.delimiter = b"\t"

    def _block(self, block: bytes, line: int) -> bytes:
        try:
            return self._rows(block)
        except _Misread:
            for place, row in enumerate(block.split(b"\n")):
                try:
                    self._rows(row)
                except _Misread as error:
                    raise UnreadableFile(f"line {line + place} {error}") from None
            raise AssertionError("a block is as good as its lines") from None

    def _rows(self, block: bytes) -> bytes:
        data = block.replace(b"\r\n", b"\n")
        if b"%" in data:
            data = COMMENT_LINE.sub(b"\n", data)
        if self.delimiter == b"\t":
            data = TAB.sub(lambda found: b"," if found[0] == b"\t" else found[0], data)
        data = BLANK_LINES.sub(b"\n", b"\n" + data + b"\n")
        if b"'" not in data and b'"' not in data:
            data = _squeezed(data)
        if any(mark in data for mark in (b"'", b'"', b"?", b"{", b" ", b"\t")):
            data = TOKEN.sub(self._token, data)
        if data == b"\n":
            return b""
        self._check_widths(data[1:])
        return data[1:]

    def _token(self, found: re.Match[bytes]) -> bytes:
        token, text = found[0], found.string
        mark = token[:1]
        if mark in b" \t":
            if b"%" in token or text[found.start() - 1] in b",\n" or text[found.end()] in b",\n":
                return b""
            return token
        begins, after = _begins(text, found.start()), text[found.end() : found.end() + 1]
        if mark == b"?":
            return self._gap if begins and _ends(text, found.end()) else token
        if mark == b"{":
            if begins == b"\n":
                return self._sparse(token)
            if WEIGHT.search(token):
                raise _Misread(f"gives its row the weight {_shown(token)}, which is not read here; leave the weights out")
            raise _Misread(f"holds {_shown(token)} outside quotes; quote a cell that holds a brace")
        if len(token) < 2:
            raise _Misread(
                f"holds a {_shown(token)} that opens or closes no cell; quote the whole cell, and write \\{_shown(token)} in it"
            )
        if not begins or not _ends(text, found.end()):
            raise _Misread(f"goes on with {_shown(after)} after {_shown(token)}; part the cells by commas")
        return _quoted(token[1:-1])

    @property
    def _gap(self) -> bytes:
        return b"" if len(self.defaults) > 1 else b'""'

    def _sparse(self, row: bytes) -> bytes:
        """A sparse row with all its cells."""
        inner, _, rest = row.rpartition(b"}")
        if not row.startswith(b"{") or not inner or (rest.strip() and not rest.strip().startswith(b"%")):
            raise _Misread("opens a sparse row with { and does not end with }; mend it")
        cells: list[bytes | None] = list(self.defaults)
        place, last, inner = 0, -1, inner[1:]
        while place < len(inner) and inner[place:].strip():
            found = SPARSE_CELL.match(inner, place)
            if found is None:
                raise _Misread(f"holds {_shown(inner[place:])} in a sparse row; write {{index value, index value}}")
            index = int(found[1])
            if index <= last or index >= len(cells):
                raise _Misread(
                    f"names attribute {index}, and the next may be {last + 1} to {len(cells) - 1}; mend the sparse row"
                )
            quoted = next((text for text in found.group(2, 3) if text is not None), None)
            cells[index] = _quoted(quoted) if quoted is not None else self._gap if found[4] == b"?" else found[4]
            place, last = found.end(), index
        for index, cell in enumerate(cells):
            if cell is None:
                if index not in self.undefined:
                    self.undefined.append(index)
                cells[index] = self._gap
        return b",".join(cell for cell in cells if cell is not None)

    def _check_widths(self, data: bytes) -> None:
        """Every row must have a cell for each attribute."""
        letters = np.frombuffer(data, np.uint8)
        is_comma, is_end = letters == ord(","), letters == ord("\n")
        if b'"' in data:
            outside = np.bitwise_xor.accumulate((letters == ord('"')).view(np.uint8)) == 0
            is_comma, is_end = is_comma & outside, is_end & outside
        commas = np.diff(np.cumsum(is_comma)[is_end], prepend=0)
        wrong = commas != len(self.defaults) - 1
        if wrong.any():
            has = int(commas[wrong.argmax()]) + 1
            raise _Misread(
                f"has {has} cells where the header declares {len(self.defaults)} attributes; mend that line, or quote cells "
                "that hold a comma"
            )


def _squeezed(data: bytes) -> bytes:
    """Without the spaces around cells, of which none is quoted."""
    data = data.replace(b"\t", b" ")
    for spaced, bare in ((b", ", b","), (b" ,", b","), (b"\n ", b"\n"), (b" \n", b"\n")):
        while spaced in data:
            data = data.replace(spaced, bare)
    return data


def _begins(text: bytes, place: int) -> bytes:
    """The comma or line feed that a cell begins after; nothing where what stands there begins none."""
    place -= 1
    while text[place] in b" \t":
        place -= 1
    found = text[place : place + 1]
    return found if found in b",\n" else b""


def _ends(text: bytes, place: int) -> bool:
    """Whether the cell ends there, before a comma, the line's end or a comment."""
    start = place
    while text[place] in b" \t":
        place += 1
    return text[place] in b",\n" or (text[place] == ord("%") and place > start)


def _quoted(inner: bytes) -> bytes:
    return b'"' + unescaped(inner).replace(b'"', b'""') + b'"'


def unescaped(inner: bytes) -> bytes:
    """The letters between quotes."""
    if b"\\" not in inner:
        return inner
    return ESCAPE.sub(
        lambda found: chr(int(found[1], 16)).encode("utf-8", "replace") if found[1] else LETTERS.get(found[2], found[2]), inner
    )


def _shown(token: bytes) -> str:
    return token[:50].decode("utf-8", "replace").strip()
