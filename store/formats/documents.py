"""JSON and JSON Lines: an array of objects, or an object a line, a stretch of them at a time; or an object of columns."""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import polars as pl

from engine.wording import Sentence, notice, say
from store.errors import UnreadableFile
from store.formats.json_checks import ESCAPED, check_stretch, no_number, several_types
from store.formats.reading import Found, Source, batches_of
from store.formats.text import Text, as_utf8

STRETCH_BYTES = 4 << 20
LOCATED_BYTES = 64 << 20
"""A broken JSON file up to that size is read again to find the place."""
DEPTH = 64
"""Brackets within brackets; no table needs as many."""
UNREADABLE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OSError, RecursionError)
"""Errors that Polars raises over text that is no JSON."""
STEPS = np.zeros(256, np.int8)
"""How much deeper a letter leads into brackets."""
STEPS[list(b"[{")], STEPS[list(b"]}")] = 1, -1


def read_json(source: Source) -> Found:
    """Read one array of objects, a row each; or an object of equally long arrays, a column each; or JSON Lines."""
    text = as_utf8(source.path, source.folder, source.options.encoding)
    _check_depth(text)
    start = text.sample(STRETCH_BYTES).lstrip()
    if start[:1] == b"{" and _is_lines(start):
        return _read_lines(text)
    if start[:1] == b"{":
        return Found((batch for table in _columns(text) for batch in batches_of(table)), {"encoding": text.encoding})
    found = Found(iter(()), {"encoding": text.encoding})
    tables = _rows(found, partial(_elements, text), pl.read_json, partial(_where, text))
    found.batches = (batch for table in tables for batch in batches_of(table))
    return found


def read_lines(source: Source) -> Found:
    """Read an object a line."""
    text = as_utf8(source.path, source.folder, source.options.encoding)
    _check_depth(text)
    return _read_lines(text)


def _read_lines(text: Text) -> Found:
    found = Found(iter(()), {"encoding": text.encoding, "lines": True})
    tables = _rows(found, partial(_lines, text), pl.read_ndjson, partial(_which_line, text))
    found.batches = (batch for table in tables for batch in batches_of(table))
    return found


def _is_lines(start: bytes) -> bool:
    """Whether the first line is an object by itself, and another object follows."""
    first, _, rest = start.partition(b"\n")
    if not first.rstrip().endswith(b"}") or not rest.lstrip().startswith(b"{"):
        return False
    try:
        return isinstance(json.loads(first), dict)
    except (ValueError, RecursionError):
        return False


def _rows(
    found: Found,
    stretches: Callable[[], Iterator[bytes]],
    parse: Callable[..., pl.DataFrame],
    place: Callable[[Exception], str],
) -> Iterator[pl.DataFrame]:
    """The table, a stretch at a time. Where there are several they are read twice: what a column is, all rows decide."""
    known, table, count, row = pl.DataFrame(), pl.DataFrame(), 0, 0
    told: dict[str, Sentence] = {}
    try:
        for data in stretches():
            table = parse(data, infer_schema_length=None)
            check_stretch(data, table, row, told)
            before = known.schema
            known = pl.concat([known, table.clear()], how="diagonal_relaxed")
            for name, dtype in before.items():  # of one type in each stretch, and of several in all
                if (
                    name in table.columns
                    and pl.String in (dtype, table.schema[name])
                    and dtype != table.schema[name] != pl.Null
                ):
                    told.setdefault(
                        name, say("values of several types, those from row {row} on others than those before", row=row)
                    )
            count, row = count + 1, row + table.height
        if not known.width:
            raise UnreadableFile('the file holds no columns; send an array of objects, as in [{"a": 1}, {"a": 2}]')
        found.warnings += [_mixed(name, how, known.schema[name] == pl.String) for name, how in told.items()]
        if count == 1:
            yield table
            return
        for data in stretches():
            yield parse(data, schema=dict(known.schema))
    except UNREADABLE as error:
        raise UnreadableFile(place(error)) from None


def _mixed(name: str, how: Sentence, are_words: bool) -> dict[str, Any]:
    outcome = say("all are read as words") if are_words else say("booleans are read as 1 and 0")
    detail = say(
        "column '{name}' holds {how}: {outcome}; write all of them in one type where another is meant",
        name=name,
        how=how,
        outcome=outcome,
    )
    return notice("MIXED_TYPES", detail, column=name)


def _lines(text: Text) -> Iterator[bytes]:
    """Whole lines; those of white space alone are left out where they come together."""
    rest = b""
    with text.path.open("rb") as file:
        file.seek(text.start)
        while piece := file.read(STRETCH_BYTES):
            lines, end, rest = (rest + piece).rpartition(b"\n")
            if lines.strip():
                yield lines + end
    if rest.strip():
        yield rest


def _elements(text: Text) -> Iterator[bytes]:
    """The elements of an array, in stretches that are each an array: cut at commas that lie in no string and no element."""
    rest, is_cut, depth, inside, is_escaped = b"", False, 0, False, False
    with text.path.open("rb") as file:
        file.seek(text.start)
        while piece := file.read(STRETCH_BYTES):
            plain = ESCAPED.sub(b"__", b"_" + piece[1:] if is_escaped else piece)
            is_escaped = plain.endswith(b"\\")
            letters = np.frombuffer(plain, np.uint8)
            within = np.bitwise_xor.accumulate((letters == ord('"')).view(np.uint8)) ^ inside
            depths = depth + np.cumsum(STEPS[letters] * (within == 0), dtype=np.int32)
            cuts = np.flatnonzero((letters == ord(",")) & (within == 0) & (depths == 1))
            depth, inside = int(depths[-1]), bool(within[-1])
            if len(cuts) and len(piece) == STRETCH_BYTES:
                yield _whole(rest + piece[: cuts[-1]] + b"]", is_cut)
                rest, is_cut, piece = b"[", True, piece[cuts[-1] + 1 :]
            rest += piece
    yield _whole(rest, is_cut)


def _whole(elements: bytes, is_cut: bool) -> bytes:
    """An array of elements. Raises ValueError where there is none after a comma that the text was cut at."""
    if is_cut and not elements.strip(b"[] \t\r\n"):
        raise ValueError("no element follows a comma")
    return elements


def _columns(text: Text) -> Iterator[pl.DataFrame]:
    """An object of columns: Polars reads it as one row of lists."""
    try:
        row = pl.read_json(b"[" + text.sample(-1) + b"]", infer_schema_length=None)
    except UNREADABLE as error:
        raise UnreadableFile(_where(text, error)) from None
    if not row.width or not all(isinstance(dtype, pl.List) for dtype in row.dtypes):
        yield row
        return
    lengths = {name: row[name].list.len()[0] for name in row.columns}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"'{name}' {length}" for name, length in list(lengths.items())[:5])
        raise UnreadableFile(f"the columns are not equally long ({shown}); give each column a value for every row")
    yield row.explode(row.columns)


def _check_depth(text: Text) -> None:
    """Refuse brackets nested so deep that a parser's stack may end before they do."""
    depth = deepest = 0
    with text.path.open("rb") as file:
        file.seek(text.start)
        while piece := file.read(1 << 20):
            if piece.count(b"[") + piece.count(b"{") <= DEPTH - max(0, depth):
                depth += piece.count(b"[") + piece.count(b"{") - piece.count(b"]") - piece.count(b"}")
                continue
            for letter in piece.translate(None, UNBRACKETED):
                depth += 1 if letter in b"[{" else -1
                deepest = max(deepest, depth)
            if deepest > DEPTH:
                raise UnreadableFile(f"the file nests brackets more than {DEPTH} deep; flatten it into rows of values")


UNBRACKETED = bytes(set(range(256)) - set(b"[]{}"))


def _where(text: Text, error: Exception) -> str:
    if text.path.stat().st_size <= LOCATED_BYTES:
        data = text.sample(-1)
        try:
            rows = json.loads(data)
        except json.JSONDecodeError as found:
            return f"line {found.lineno}, column {found.colno} is no JSON ({found.msg}); mend it"
        except (RecursionError, ValueError):
            return "the file is no JSON; mend it"
        if not isinstance(rows, list | dict):
            return 'the file holds one value; send an array of objects, as in [{"a": 1}, {"a": 2}]'
        for place, row in enumerate(rows if isinstance(rows, list) else []):
            if not isinstance(row, dict):
                return f'row {place} is no object; send an array of objects, as in [{{"a": 1}}, {{"a": 2}}]'
        wrong = no_number(data) or (several_types(rows) if isinstance(rows, list) else None)
        if wrong is not None:
            return wrong
    return f"the file cannot be read as JSON ({str(error).partition(chr(10))[0][:200]}); give each column values of one type"


def _which_line(text: Text, error: Exception) -> str:
    with text.path.open("rb") as file:
        file.seek(text.start)
        for number, line in enumerate(file, start=1):
            try:
                row = json.loads(line) if line.strip() else {}
            except (json.JSONDecodeError, RecursionError) as found:
                reason = getattr(found, "msg", "nested too deep")
                return f"line {number} is no JSON ({reason}); mend it: every line must be one object"
            if not isinstance(row, dict):
                return f'line {number} is no object; every line must be one, as in {{"a": 1}}'
            wrong = no_number(b"\n" * (number - 1) + line)
            if wrong is not None:
                return wrong
    if text.path.stat().st_size <= LOCATED_BYTES:
        mixed = several_types([json.loads(line) for line in text.sample(-1).split(b"\n") if line.strip()])
        if mixed is not None:
            return mixed
    return f"the file cannot be read as JSON Lines ({str(error).partition(chr(10))[0][:200]}); give each column one type"
