"""JSON and JSON Lines: an array of objects, or an object a line, or an object of columns."""

import json
from collections.abc import Iterator

import polars as pl

from store.errors import UnreadableFile
from store.formats.reading import Found, Source, batches_of
from store.formats.text import Text, as_utf8

LOCATED_BYTES = 64 << 20
"""A broken JSON file up to that size is read again to find the place."""
DEPTH = 64
"""Brackets within brackets; no table needs as many."""


def read_json(source: Source) -> Found:
    """One array of objects, a row each; or an object of equally long arrays, a column each."""
    text = as_utf8(source.path, source.folder, source.options.encoding)
    _check_depth(text)
    data = text.path.read_bytes()[text.start :]
    try:
        is_columns = data.lstrip()[:1] == b"{"
        table = _columns(data) if is_columns else pl.read_json(data, infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OSError, RecursionError) as error:
        raise UnreadableFile(_where(data, error)) from None
    if table.width == 0:
        raise UnreadableFile('the file holds no columns; send an array of objects, as in [{"a": 1}, {"a": 2}]')
    return Found(batches_of(table), {"encoding": text.encoding})


def _columns(data: bytes) -> pl.DataFrame:
    """An object of columns: Polars reads it as one row of lists."""
    row = pl.read_json(b"[" + data + b"]", infer_schema_length=None)
    if not row.width or not all(isinstance(dtype, pl.List) for dtype in row.dtypes):
        return row
    lengths = {name: row[name].list.len()[0] for name in row.columns}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"'{name}' {length}" for name, length in list(lengths.items())[:5])
        raise UnreadableFile(f"the columns are not equally long ({shown}); give each column a value for every row")
    return row.explode(row.columns)


def read_lines(source: Source) -> Found:
    """An object a line."""
    text = as_utf8(source.path, source.folder, source.options.encoding)
    _check_depth(text)
    return Found(_line_batches(text), {"encoding": text.encoding})


def _line_batches(text: Text) -> Iterator[pl.DataFrame]:
    data = text.path.read_bytes()[text.start :]
    try:
        table = pl.read_ndjson(data, infer_schema_length=None)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OSError) as error:
        raise UnreadableFile(_which_line(text, error)) from None
    yield from batches_of(table)


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


def _where(data: bytes, error: Exception) -> str:
    if len(data) <= LOCATED_BYTES:
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
    return f"the file cannot be read as JSON Lines ({str(error).partition(chr(10))[0][:200]}); give each column one type"
