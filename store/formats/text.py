"""Text files as UTF-8: the encoding found out, or as named; NUL bytes refused; read a piece at a time."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from engine.wording import notice, say
from store.errors import UnreadableFile
from store.formats.encodings import guess

PIECE = 1 << 20
EVIDENCE_BYTES = 64 * 1024
"""How much of the lines that are not ASCII is looked at to guess an encoding."""
END_OF_FILE = b"\x1a"
"""Ctrl-Z, which ends text files of DOS."""
BAD = re.compile("[\udc80-\udcff]")
SHOWN = 5


@dataclass(frozen=True)
class Text:
    """A file of UTF-8 without a byte order mark, from `start` on, its lines ended by line feeds (after what else may be)."""

    path: Path
    encoding: str
    start: int = 0
    end: int | None = None
    """End of the text, if it is not that of the file."""
    warnings: tuple[dict[str, Any], ...] = ()

    @property
    def size(self) -> int:
        return (self.path.stat().st_size if self.end is None else self.end) - self.start

    def sample(self, size: int, place: int = 0) -> bytes:
        """So many bytes from that place in the text, all where `size` is negative."""
        rest = max(0, self.size - place)
        with self.path.open("rb") as file:
            file.seek(self.start + place)
            return file.read(rest if size < 0 else min(size, rest))


def as_utf8(path: Path, folder: Path, encoding: str | None) -> Text:
    """The file as it is, where it is UTF-8; else written anew into the folder. Raises UnreadableFile with line or byte."""
    with path.open("rb") as file:
        mark = file.read(3)
    if encoding in (None, "utf-8"):
        start = 3 if mark == codecs.BOM_UTF8 else 0
        if encoding is None and mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return _tidied(_rewritten(path, folder, "utf-16", found=True), folder)
        seen = _survey(path, start)
        if seen.wrong is None:
            return _tidied(Text(path, "utf-8", start), folder, seen)
        if encoding == "utf-8":
            raise UnreadableFile(f"the file is not UTF-8 at byte {seen.wrong}; leave 'encoding' open, or name the right one")
        damage = _damage(path)
        if damage:
            return _tidied(_mended(path, folder, damage), folder)
        encoding = guess(_evidence(path))
        try:
            text = _rewritten(path, folder, encoding, found=False)
        except UnreadableFile:  # bytes that the lines looked at do not hold
            encoding = "latin-1"
            text = _rewritten(path, folder, encoding, found=False)
        text = _tidied(text, folder)
        return replace(text, warnings=(*text.warnings, _guessed(path, encoding, seen.wrong)))
    return _tidied(_rewritten(path, folder, encoding, found=False), folder)


def count(data: bytes, letter: bytes) -> int:
    """How often a letter occurs, as bytes.count would have it, which is slow where it does often."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == letter[0]))


def _pieces(path: Path, start: int = 0) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while piece := file.read(PIECE):
            yield piece


@dataclass
class _Seen:
    """Result of a look through the file: the first byte that is not UTF-8, whether lines end by carriage returns alone, and
    whether a byte order mark stands within.
    """

    wrong: int | None
    has_returns: bool
    has_marks: bool


def _survey(path: Path, start: int) -> _Seen:
    """Raises UnreadableFile for a NUL."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    has_feed = has_return = has_marks = False
    place, last = start, b""
    for piece in _pieces(path, start):
        if b"\0" in piece:
            before = islice(_pieces(path, start), (place - start) // PIECE)
            _refuse_nul(piece, 1 + sum(count(earlier, b"\n") for earlier in before))
        if not piece.isascii() or decoder.getstate()[0]:
            try:
                decoder.decode(piece)
            except UnicodeDecodeError as error:
                return _Seen(place + error.start, False, False)
            has_marks = has_marks or codecs.BOM_UTF8 in last + piece
        has_feed, has_return = has_feed or b"\n" in piece, has_return or b"\r" in piece
        place, last = place + len(piece), piece[-2:]
    return _Seen(place if decoder.getstate()[0] else None, has_return and not has_feed, has_marks)


def _refuse_nul(piece: bytes, line: int) -> None:
    if b"\0" in piece:
        line += piece[: piece.index(b"\0")].count(b"\n")
        raise UnreadableFile(
            f"line {line} holds a NUL byte, so the file is no text; upload text, or name its 'format' or 'encoding'"
        )


def _evidence(path: Path) -> bytes:
    """Lines that are not ASCII, from the beginning."""
    found: list[bytes] = []
    size = 0
    for piece in _pieces(path):
        if piece.isascii():
            continue
        for line in re.split(rb"[\r\n]+", piece):
            if not line.isascii():
                found.append(line[:PIECE])
                size += len(line)
            if size > EVIDENCE_BYTES:
                return b"\n".join(found)[:EVIDENCE_BYTES]
    return b"\n".join(found)


def _guessed(path: Path, encoding: str, wrong: int) -> dict[str, Any]:
    with path.open("rb") as file:
        line = 1 + count(file.read(wrong), b"\n")
    detail = say(
        "line {line} is not UTF-8; the file was read as {encoding}, in which its letters fit best; if words look wrong, "
        "upload it again with 'encoding' set",
        line=line,
        encoding=encoding,
    )
    return notice("READ_AS", detail, column=None)


def _damage(path: Path) -> list[int]:
    """The lines with bytes that are not UTF-8, where the letters beyond ASCII are four times as many; else none."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    lines: list[int] = []
    line = 1
    for piece in _pieces(path):
        text = decoder.decode(piece)
        if not text.isascii():
            wrong = [found.start() for found in BAD.finditer(text)]
            bad += len(wrong)
            good += sum(letter > "\x7f" for letter in text) - len(wrong)
            if bad > 4 * PIECE:
                return []
            lines += [line + text.count("\n", 0, place) for place in wrong[:100]]
        line += text.count("\n")
    if decoder.getstate()[0]:
        bad += 1
        lines.append(line)
    return sorted(set(lines)) if 4 * bad <= good else []


def _mended(path: Path, folder: Path, lines: list[int]) -> Text:
    """The file with U+FFFD in place of bytes that are not UTF-8, which stand in those lines."""
    target = folder / f"{path.name}.utf8"
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    with target.open("wb") as out:
        for piece in _pieces(path):
            out.write(decoder.decode(piece).encode())
        out.write(decoder.decode(b"", final=True).encode())
    first = ", ".join(map(str, lines[:SHOWN]))
    more = say("{first} and {more} more", first=first, more=len(lines) - SHOWN)
    detail = say(
        "the file is UTF-8 but for bytes in line {lines}, which were read as U+FFFD (\ufffd); mend them, or set 'encoding' if "
        "the file is something else",
        lines=more if len(lines) > SHOWN else first,
    )
    with target.open("rb") as file:
        start = 3 if file.read(3) == codecs.BOM_UTF8 else 0
    return Text(target, "utf-8", start, warnings=(notice("ENCODING", detail, column=None),))


def _rewritten(path: Path, folder: Path, encoding: str, found: bool) -> Text:
    """The file as UTF-8."""
    target = folder / f"{path.name}.utf8"
    decoder = codecs.getincrementaldecoder(encoding)()
    place = lines = 0
    with target.open("wb") as out:
        try:
            for piece in _pieces(path):
                pending = len(decoder.getstate()[0])
                text = decoder.decode(piece).encode()
                if lines == 0 and place == 0:
                    text = text.removeprefix(codecs.BOM_UTF8)
                _refuse_nul(text, lines + 1)
                out.write(text)
                lines += text.count(b"\n")
                place += len(piece)
            pending = len(decoder.getstate()[0])
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            at = max(0, place - pending + error.start)
            said = f"begins as {encoding.upper()} and is none" if found else f"is not {encoding}"
            raise UnreadableFile(f"the file {said} at byte {at}; save it as UTF-8, or name its 'encoding'") from None
    return Text(target, encoding)


def _tidied(text: Text, folder: Path, seen: _Seen | None = None) -> Text:
    """The text with line feeds where it has carriage returns alone, without byte order marks within and Ctrl-Z at its end."""
    seen = seen or _survey(text.path, text.start)
    if seen.has_returns or seen.has_marks:
        target = folder / f"{text.path.name}.lines"
        kept = b""
        with target.open("wb") as out:
            for piece in _pieces(text.path, text.start):
                piece = kept + (piece.replace(b"\r", b"\n") if seen.has_returns else piece)
                if seen.has_marks:
                    piece = piece.replace(codecs.BOM_UTF8, b"")
                    kept = piece[-2:] if piece[-2:-1] == b"\xef" or piece[-1:] == b"\xef" or piece[-2:] == b"\xef\xbb" else b""
                    piece = piece[: len(piece) - len(kept)]
                out.write(piece)
            out.write(kept)
        text = replace(text, path=target, start=0)
    if seen.has_marks:
        detail = say("byte order marks within the text were left out, as stand where files were put together")
        text = replace(text, warnings=(*text.warnings, notice("ENCODING", detail, column=None)))
    end = text.sample(64, max(0, text.size - 64))
    if END_OF_FILE in end and not end[end.index(END_OF_FILE) :].strip(END_OF_FILE + b"\r\n "):
        detail = say("the mark with which DOS ends a file (Ctrl-Z) was left out")
        text = replace(
            text,
            end=text.start + text.size - len(end) + end.index(END_OF_FILE),
            warnings=(*text.warnings, notice("ENCODING", detail, column=None)),
        )
    return text
