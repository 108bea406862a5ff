"""Checks of what a parser of JSON passes over: names that come twice, cells of several types, numbers that are none."""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl

from engine.wording import Sentence, say
from store.errors import UnreadableFile
from store.formats.conversion import leaf

ESCAPED = re.compile(rb"\\.", re.DOTALL)
TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b|-?\d[\d.]*(?:[eE][+-]?\d+)?', re.DOTALL)
LONG_DIGITS = 38
KINDS: tuple[tuple[Any, Sentence], ...] = (
    (bool, say("a boolean")),
    (int | float, say("a number")),
    (str, say("a word")),
    (list, say("a list")),
    (dict, say("an object")),
)


def check_stretch(data: bytes, table: pl.DataFrame, row: int, told: dict[str, Sentence]) -> None:
    """Hold the table of a stretch, which begins in that row, to what its text holds; tell of each column of several types.

    Only where the letters do not add up is the text parsed again. Raises UnreadableFile for a name that an object has twice.
    """
    letters = np.frombuffer(ESCAPED.sub(b"__", data), np.uint8).copy()
    quotes = letters == ord('"')
    inside = np.bitwise_xor.accumulate(quotes.view(np.uint8)) == 1
    letters[inside] = ord(" ")
    names = int(np.count_nonzero(letters == ord(":")))
    words = int(np.count_nonzero(quotes)) // 2 - names
    bare = letters.tobytes()
    booleans = bare.count(b"true") + bare.count(b"false")
    cells = dict.fromkeys((pl.String, pl.Boolean), 0)
    there = 0
    for column in table.iter_columns():
        count = len(column) - column.null_count()
        there += count
        if isinstance(column.dtype, pl.List | pl.Array | pl.Struct):
            if leaf_type(column.dtype) in (pl.String, pl.Boolean):
                return  # which is refused
        elif column.dtype in (pl.String, pl.Boolean):
            cells[pl.String if column.dtype == pl.String else pl.Boolean] += count
    if names > there + bare.count(b"null"):
        _refuse_twice(data, row)
    if words < cells[pl.String] or booleans > cells[pl.Boolean] + max(0, cells[pl.String] - words):
        _tell_mixed(data, row, told)


def leaf_type(dtype: Any) -> Any:
    """The type of what lies within lists."""
    while isinstance(dtype, pl.List):
        dtype = dtype.inner
    return leaf(dtype)


def _objects(data: bytes, hook: Any = None) -> Iterator[Any]:
    text = data.decode("utf-8", "replace")
    if text.lstrip().startswith("["):
        yield from json.loads(text, object_pairs_hook=hook)
        return
    for line in text.split("\n"):
        if line.strip():
            yield json.loads(line, object_pairs_hook=hook)


def _refuse_twice(data: bytes, row: int) -> None:
    for place, pairs in enumerate(_objects(data, list)):
        names = [name for name, _ in pairs]
        twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
        if twice is not None:
            raise UnreadableFile(f"row {row + place} names '{twice[:100]}' twice; keep one of the two")


def _tell_mixed(data: bytes, row: int, told: dict[str, Sentence]) -> None:
    first: dict[str, tuple[Sentence, int]] = {}
    for place, record in enumerate(_objects(data)):
        for name, cell in record.items():
            if cell is None or name in told:
                continue
            kind = kind_of(cell)
            before = first.setdefault(name, (kind, row + place))
            if before[0] != kind:
                told[name] = say(
                    "{earlier} in row {first} and {kind} in row {row}, {cell}",
                    earlier=before[0],
                    first=before[1],
                    kind=kind,
                    row=row + place,
                    cell=json.dumps(cell)[:50],
                )


def kind_of(cell: Any) -> Sentence:
    """A value's type in plain words."""
    return next((text for kind, text in KINDS if isinstance(cell, kind)), say("null"))


def no_number(data: bytes) -> str | None:
    """The position of NaN, Infinity or a number beyond all floats in the text, and what to do about it."""
    for found in TOKEN.finditer(data):
        token = found[0]
        if token.startswith(b'"'):
            continue
        if token.endswith((b"NaN", b"Infinity")):
            why = "which is no JSON; write null for a value that is not there"
        elif token.lstrip(b"-").isdigit() and len(token) > LONG_DIGITS:
            why = "which has more digits than are read here; write it as text"
        elif b"e" in token.lower() and _is_infinite(token):
            why = "which is beyond all numbers that are read here; write it as text, or smaller"
        else:
            continue
        line = data.count(b"\n", 0, found.start()) + 1
        column = found.start() - data.rfind(b"\n", 0, found.start())
        return f"line {line}, column {column} holds {token[:30].decode()}, {why}"
    return None


def _is_infinite(token: bytes) -> bool:
    return math.isinf(float(token))


def several_types(rows: list[Any]) -> str | None:
    """The first column whose values a parser cannot bring together, with a row of each type, where there is one."""
    first: dict[str, tuple[str, int]] = {}
    for place, row in enumerate(rows):
        for name, cell in row.items():
            if cell is None:
                continue
            kind, at = first.setdefault(name, (kind_of(cell), place))
            other = kind_of(cell)
            if kind != other and not {kind, other} <= {"a number", "a word"}:
                return f"column '{name[:100]}' holds {kind} in row {at} and {other} in row {place}; give it values of one type"
    return None
