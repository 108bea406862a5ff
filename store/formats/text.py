"""Text files as UTF-8: the encoding found out, or as named; NUL bytes refused; read a piece at a time."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from store.errors import UnreadableFile

PIECE = 1 << 20
UNDEFINED = (b"\x81", b"\x8d", b"\x8f", b"\x90", b"\x9d")
"""Bytes that are no letter in Windows-1252."""


@dataclass(frozen=True)
class Text:
    """A file of UTF-8 without a byte order mark, from `start` on, its lines ended by line feeds (after what else may be)."""

    path: Path
    encoding: str
    start: int = 0

    def sample(self, size: int) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.start)
            return file.read(size)


def as_utf8(path: Path, folder: Path, encoding: str | None) -> Text:
    """The file as it is, where it is UTF-8; else written anew into the folder. Raises UnreadableFile with line or byte."""
    with path.open("rb") as file:
        mark = file.read(3)
    if encoding in (None, "utf-8"):
        start = 3 if mark == codecs.BOM_UTF8 else 0
        if encoding is None and mark.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return _rewritten(path, folder, "utf-16", found=True)
        wrong, needs_lines = _check(path, start)
        if wrong is None:
            return _with_lines(Text(path, "utf-8", start), folder) if needs_lines else Text(path, "utf-8", start)
        if encoding == "utf-8":
            raise UnreadableFile(f"the file is not UTF-8 at byte {wrong}; leave 'encoding' open, or name the right one")
        encoding = "windows-1252" if _is_windows(path) else "latin-1"
    return _rewritten(path, folder, encoding or "utf-8", found=False)


def count(data: bytes, letter: bytes) -> int:
    """How often a letter occurs, as bytes.count would have it, which is slow where it does often."""
    return int(np.count_nonzero(np.frombuffer(data, np.uint8) == letter[0]))


def _pieces(path: Path, start: int = 0) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while piece := file.read(PIECE):
            yield piece


def _check(path: Path, start: int) -> tuple[int | None, bool]:
    """The first byte that is not UTF-8, and whether lines are ended by carriage returns alone. Raises on a NUL."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    has_feed, has_return, place = False, False, start
    for piece in _pieces(path, start):
        if b"\0" in piece:
            before = islice(_pieces(path, start), (place - start) // PIECE)
            _refuse_nul(piece, 1 + sum(count(earlier, b"\n") for earlier in before))
        if not piece.isascii() or decoder.getstate()[0]:
            try:
                decoder.decode(piece)
            except UnicodeDecodeError as error:
                return place + error.start, False
        has_feed, has_return = has_feed or b"\n" in piece, has_return or b"\r" in piece
        place += len(piece)
    return (place if decoder.getstate()[0] else None), has_return and not has_feed


def _refuse_nul(piece: bytes, line: int) -> None:
    if b"\0" in piece:
        line += piece[: piece.index(b"\0")].count(b"\n")
        raise UnreadableFile(
            f"line {line} holds a NUL byte, so the file is no text; upload text, or name its 'format' or 'encoding'"
        )


def _is_windows(path: Path) -> bool:
    """Whether bytes from 0x80 to 0x9f, which Latin-1 has no letters for, are letters of Windows-1252."""
    seen: set[int] = set()
    for piece in _pieces(path):
        if not piece.isascii():
            seen |= {value for value in set(piece) if 0x80 <= value < 0xA0}
    return bool(seen) and not any(mark[0] in seen for mark in UNDEFINED)


def _rewritten(path: Path, folder: Path, encoding: str, found: bool) -> Text:
    """The file as UTF-8, with line feeds where it has none."""
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
    return _with_lines(Text(target, encoding), folder) if lines == 0 else Text(target, encoding)


def _with_lines(text: Text, folder: Path) -> Text:
    """Carriage returns, which end lines on old Macs, as line feeds."""
    target = folder / f"{text.path.name}.lines"
    with target.open("wb") as out:
        for piece in _pieces(text.path, text.start):
            out.write(piece.replace(b"\r", b"\n"))
    return Text(target, text.encoding)
