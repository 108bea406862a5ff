"""Quotes of delimited text: every one opens a cell, closes one, or is doubled within one; where it does not, in which line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise

import numpy as np

from store.formats.text import count


@dataclass(frozen=True)
class Quotes:
    """The effect of the quotes in a stretch that begins with a row, as indices into it."""

    end: int
    """End of the last whole row, 0 if there is none."""
    wrong: int | None = None
    """Start of the cell whose quotes are wrong."""
    literal: Sequence[int] = ()
    """Quotes in the middle of cells that no quote opens."""
    opens: bool = False
    """Whether a quote opens a cell."""
    open: int | None = None
    """Start of the cell that the stretch does not close."""
    bounds: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    """Starts and ends of quoted cells, in turns."""

    def inside(self, place: int) -> bool:
        """Whether that place lies within a quoted cell, and is not its first."""
        return bool(np.searchsorted(self.bounds, place, side="left") % 2)


def quotes_of(data: bytes, delimiters: bytes, quote: bytes, escape: bool = False, padded: bool = False) -> Quotes:
    """Find the effect of the quotes in the stretch, which ends with a line feed or the text.

    Runs of quotes are looked at: outside of cells one must stand at a cell's beginning, within one an odd run must stand at
    its end. `escape`: a quote after a backslash is a letter. `padded`: spaces may stand between delimiters and quotes.
    """
    letters = np.frombuffer(data, np.uint8)
    places = np.flatnonzero(letters == quote[0])
    if escape:
        places = places[~_escaped(letters, places)]
    if not len(places):
        return Quotes(data.rfind(b"\n") + 1)
    first = np.flatnonzero(np.diff(places, prepend=-2) != 1)
    lengths = np.diff(first, append=len(places))
    starts = places[first]
    begins, ends = _at_bounds(letters, starts, starts + lengths, delimiters, padded)
    odd = lengths % 2 == 1
    inside = (np.cumsum(odd) - odd) % 2 == 1
    fine = np.where(inside, ~odd | ends, begins & (odd | ends))
    if not fine.all():
        return _one_by_one(data, starts, lengths, begins, ends)
    bounds = starts[odd]
    bounds[1::2] += lengths[odd][1::2]
    last = int(bounds[-1]) if len(bounds) % 2 else None
    return Quotes(data.rfind(b"\n", 0, last) + 1, opens=True, open=last, bounds=bounds)


def _escaped(letters: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Which of the places have an odd number of backslashes before them."""
    index = np.arange(len(letters))
    other = np.maximum.accumulate(np.where(letters != ord("\\"), index, -1))
    before = places - 1
    return np.where(before >= 0, (before - other[before]) % 2 == 1, False)


def _at_bounds(
    letters: np.ndarray, starts: np.ndarray, stops: np.ndarray, delimiters: bytes, padded: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Which runs of quotes begin where a cell does, and which end where one does."""
    before, after = starts - 1, stops
    if padded:
        index, size = np.arange(len(letters)), len(letters)
        filled = letters != ord(" ")
        earlier = np.maximum.accumulate(np.where(filled, index, -1))
        later = np.minimum.accumulate(np.where(filled, index, size)[::-1])[::-1]
        before = np.where(before >= 0, earlier[before], -1)
        after = np.where(after < size, later[np.minimum(after, size - 1)], size)
    opening, closing = np.zeros(256, bool), np.zeros(256, bool)
    opening[[*b"\n\r", *delimiters]] = closing[[*b"\n\r", *delimiters]] = True
    begins = (before < 0) | opening[letters[before]]
    ends = (after >= len(letters)) | closing[letters[np.minimum(after, len(letters) - 1)]]
    return begins, ends


def _one_by_one(data: bytes, starts: np.ndarray, lengths: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> Quotes:
    """The same where a quote is not as it should be: those in the middle of plain cells are letters, any other is wrong."""
    literal: list[int] = []
    bounds: list[int] = []
    inside = opens = False
    runs = zip(starts.tolist(), lengths.tolist(), begins.tolist(), ends.tolist(), strict=True)
    for start, length, at_beginning, at_end in runs:
        odd = length % 2 == 1
        if inside:
            if odd and not at_end:
                return Quotes(0, wrong=bounds[-1], literal=literal, opens=True)
            if odd:
                inside = False
                bounds.append(start + length)
        elif not at_beginning:
            literal.append(start)
        elif odd:
            inside = opens = True
            bounds.append(start)
        elif not at_end:
            return Quotes(0, wrong=start, literal=literal, opens=True)
        else:
            opens = True
    last = bounds[-1] if inside else None
    return Quotes(data.rfind(b"\n", 0, last) + 1, None, literal, opens, last, np.array(bounds, np.int64))


def line_at(data: bytes, place: int, line: int) -> int:
    """The line of that place in a stretch that begins in `line`."""
    return line + count(data[:place], b"\n")


def encloses_delimiter(data: bytes, literal: Sequence[int], delimiters: bytes) -> int | None:
    """The first of two quotes within the words of a line that have a delimiter between them, as a quoted cell would whose
    beginning is not where it should be.
    """
    for one, other in pairwise(literal):
        between = data[one:other]
        if b"\n" not in between and any(mark in between for mark in delimiters):
            return one
    return None


def rows_within(data: bytes, quotes: Quotes, delimiter: bytes, width: int) -> int | None:
    """The start of a quoted cell that has a line break, and a line in it with as many delimiters as a row."""
    starts, stops = quotes.bounds[0::2], quotes.bounds[1::2]
    feeds = np.flatnonzero(np.frombuffer(data, np.uint8) == 10)
    cells = np.flatnonzero(np.searchsorted(feeds, starts[: len(stops)]) < np.searchsorted(feeds, stops))
    for cell in cells[:10_000].tolist():
        lines = data[int(starts[cell]) : int(stops[cell])].split(b"\n")
        if width > 1 and any(line.count(delimiter) == width - 1 for line in lines[1:-1]):
            return int(starts[cell])
        first = data[data.rfind(b"\n", 0, int(starts[cell])) + 1 : int(starts[cell])] + lines[0]
        after = data.find(b"\n", int(stops[cell]))
        last = lines[-1] + data[int(stops[cell]) : after if after >= 0 else len(data)]
        if width > 1 and first.count(delimiter) == last.count(delimiter) == width - 1:
            return int(starts[cell])
    return None


def unescaped(data: bytes, quote: bytes) -> bytes:
    """The stretch with quotes doubled that a backslash escapes, and backslashes that one escapes alone."""
    pattern = rb"\\([\\" + re.escape(quote) + rb"])"
    return re.sub(pattern, lambda found: quote * 2 if found[1] == quote else b"\\", data)


@lru_cache
def _padded(delimiter: bytes, quote: bytes) -> re.Pattern[bytes]:
    mark, q = re.escape(delimiter), re.escape(quote)
    return re.compile(
        rb"(?:(?<=[\n"
        + mark
        + rb"])|^) *+("
        + q
        + rb"(?:[^"
        + q
        + rb"]|"
        + q
        + q
        + rb")*+"
        + q
        + rb") *+(?=[\r\n"
        + mark
        + rb"]|$)"
    )


def without_padding(data: bytes, delimiter: bytes, quote: bytes) -> bytes:
    """The stretch without spaces between delimiters and the quotes of cells."""
    return _padded(delimiter, quote).sub(rb"\1", data)
