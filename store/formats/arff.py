"""ARFF, Weka's form: a header that declares the attributes, and rows of delimited text below."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from store.errors import UnreadableFile
from store.formats.delimited import table_of
from store.formats.dialect import Dialect
from store.formats.reading import MAX_COLUMNS, Found, Source
from store.formats.text import Text, as_utf8

HEADER_BYTES = 8 << 20
NAME = r"""(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s{},%'"]+))"""
ATTRIBUTE = re.compile(rf"@attribute\s+{NAME}\s+(.+)", re.IGNORECASE)
VALUE = re.compile(rf"\s*{NAME}\s*(,|$)")
NUMBERS = ("numeric", "real", "integer")


@dataclass(frozen=True)
class Attribute:
    """A declared column; `values` are those it may take, where it is nominal."""

    name: str
    type: str
    values: tuple[str, ...] = ()


def read_arff(source: Source) -> Found:
    """ARFF with numeric, nominal, string and date attributes; sparse rows are refused."""
    options, folder = source.options, source.folder
    text = as_utf8(source.path, folder, options.encoding)
    attributes, start, line = _header(text)
    sample = Text(text.path, text.encoding, text.start + start).sample(1 << 16)
    body = next((row.strip() for row in sample.split(b"\n") if row.strip() and not row.lstrip().startswith(b"%")), b"")
    if body.startswith(b"{"):
        raise UnreadableFile("the rows are sparse ARFF; save them dense, as Weka's SparseToNonSparse does")
    quote = '"' if b'"' in sample and b"'" not in sample else "'"
    names = [attribute.name for attribute in attributes]
    rows = Text(text.path, text.encoding, text.start + start)
    if b"%" in sample:
        rows = _without_comments(rows, folder)
    texts = frozenset(attribute.name for attribute in attributes if attribute.type not in (*NUMBERS, "date"))
    dialect = Dialect(",", quote, names, False, options.markers if options.missing else ("", "?"), texts)
    found = table_of(rows, dialect, options, line)
    found.batches = _checked(found, found.batches, attributes)
    found.read |= {"attributes": {attribute.name: attribute.type for attribute in attributes}}
    return found


def _without_comments(rows: Text, folder: Path) -> Text:
    """Lines that begin with % emptied, so that those after them keep their number."""
    target = folder / f"{rows.path.name}.rows"
    with rows.path.open("rb") as file, target.open("wb") as out:
        file.seek(rows.start)
        for row in file:
            out.write(b"\n" if row.lstrip().startswith(b"%") else row)
    return Text(target, rows.encoding)


def _header(text: Text) -> tuple[list[Attribute], int, int]:
    """The attributes, where the rows begin, and in which line."""
    attributes: list[Attribute] = []
    place = 0
    for number, raw in enumerate(text.sample(HEADER_BYTES).split(b"\n"), start=1):
        place += len(raw) + 1
        line = raw.decode("utf-8", "replace").strip()
        word = line.lower()
        if word.startswith("@attribute"):
            attributes.append(_attribute(line, number))
        elif word.startswith("@data"):
            _check(attributes)
            return attributes, place, number + 1
        elif line and not line.startswith("%") and not word.startswith("@relation"):
            raise UnreadableFile(f"line {number} is neither @attribute, @data nor a comment; mend the ARFF header")
    raise UnreadableFile("the ARFF header has no line @data; add it above the rows")


def _attribute(line: str, number: int) -> Attribute:
    found = ATTRIBUTE.fullmatch(line)
    if found is None:
        raise UnreadableFile(f"line {number} declares no attribute; write it as in: @attribute height numeric")
    name = _unquoted(found.group(1, 2, 3))
    kind = found.group(4).partition("%")[0].strip() if not found.group(4).startswith("{") else found.group(4).strip()
    if kind.startswith("{"):
        return Attribute(name, "nominal", _values(kind, number))
    word = kind.split()[0].lower()
    if word not in (*NUMBERS, "string", "date"):
        raise UnreadableFile(
            f"line {number} declares type '{kind[:50]}', which is not read here; use numeric, string or {{a, b}}"
        )
    return Attribute(name, word)


def _values(kind: str, number: int) -> tuple[str, ...]:
    inner, values, place = kind[1 : kind.rfind("}")] if "}" in kind else "", [], 0
    while place < len(inner):
        found = VALUE.match(inner, place)
        if found is None:
            break
        values.append(_unquoted(found.group(1, 2, 3)))
        place = found.end()
    if not values or place < len(inner):
        raise UnreadableFile(f"line {number} does not list its values as in {{red, green}}; mend it")
    return tuple(values)


def _unquoted(groups: tuple[Any, ...]) -> str:
    return re.sub(r"\\(.)", r"\1", next(group for group in groups if group is not None))


def _check(attributes: list[Attribute]) -> None:
    names = [attribute.name for attribute in attributes]
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None) if len(names) < 10_000 else None
    if not names:
        raise UnreadableFile("the ARFF header declares no attribute; add one a column")
    if len(names) > MAX_COLUMNS:
        raise UnreadableFile(f"the header declares {len(names)} attributes; at most {MAX_COLUMNS} are read")
    if twice is not None:
        raise UnreadableFile(f"the header names attribute '{twice}' twice; give every one a name of its own")


def _checked(found: Found, batches: Iterator[pl.DataFrame], attributes: list[Attribute]) -> Iterator[pl.DataFrame]:
    """The rows, in which nominal cells are among the declared values and numeric ones are numbers."""
    first = 0
    restart = found.restart

    def begin_anew() -> None:
        nonlocal first
        first = 0
        restart()

    found.restart = begin_anew
    for batch in batches:
        yield pl.DataFrame(
            [_check_cells(column, attribute, first) for column, attribute in zip(batch.iter_columns(), attributes, strict=True)]
        )
        first += batch.height


def _check_cells(column: pl.Series, attribute: Attribute, first: int) -> pl.Series:
    if attribute.values:
        column = column.str.strip_chars()
        wrong = (~column.is_in(list(attribute.values))).fill_null(False)
        if wrong.any():
            row = int(wrong.arg_max() or 0)
            raise UnreadableFile(
                f"'{attribute.name}' holds '{str(column[row])[:50]}' in row {first + row}, which the header does not list"
            )
    elif attribute.type in NUMBERS and column.dtype == pl.String and column.null_count() < len(column):
        numbers = column.str.strip_chars().cast(pl.Float64, strict=False)
        row = int((numbers.is_null() & column.is_not_null()).arg_max() or 0)
        raise UnreadableFile(
            f"'{attribute.name}' is {attribute.type} and holds '{str(column[row])[:50]}' in row {first + row}; mend it"
        )
    return column
