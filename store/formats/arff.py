"""ARFF, Weka's form: a header that declares the attributes, and rows of cells below."""

import re
from typing import Any

from engine.wording import notice, say
from store.errors import UnreadableFile
from store.formats.arff_cells import NUMBERS, Attribute, checked, date_pattern
from store.formats.arff_rows import Rows, unescaped
from store.formats.delimited import table_of
from store.formats.dialect import Dialect
from store.formats.reading import MAX_COLUMNS, Found, Source
from store.formats.text import Text, as_utf8

HEADER_BYTES = 8 << 20
QUOTED = r"""'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)\""""
ATTRIBUTE = re.compile(rf"@attribute\s+(?:{QUOTED}|([^\s{{}},'\"]+))(?:\s+|(?=\{{))(\S.*)", re.IGNORECASE)
VALUE = re.compile(rf"\s*(?:{QUOTED}|([^,{{}}'\"]*[^,{{}}'\"\s]))\s*([,}}])")
DATE = re.compile(rf"date\s*(?:{QUOTED}|([^\s%]+))?\s*", re.IGNORECASE)
COMMENT = re.compile(r"\s+%.*")
DATE_FORMAT = "yyyy-MM-dd'T'HH:mm:ss"
"""Format of dates that ARFF assumes."""


def read_arff(source: Source) -> Found:
    """Read ARFF with numeric, nominal, string and date attributes, dense or sparse.

    Both ' and " quote a cell, and a backslash goes before one within. An unquoted ? is a gap, a quoted one a word. A cell
    that a sparse row leaves out is 0, or the first of a nominal attribute's values. Raises UnreadableFile with the line, or
    with the attribute and the row, counted from 0.
    """
    options, folder = source.options, source.folder
    text = as_utf8(source.path, folder, options.encoding)
    attributes, start, line = _header(text)
    body = Text(text.path, text.encoding, text.start + start)
    rows = Rows([attribute.default for attribute in attributes], source.limit)
    rows.find_delimiter(body.sample(1 << 16))
    names = [attribute.name for attribute in attributes]
    words = frozenset(attribute.name for attribute in attributes if attribute.type not in NUMBERS)
    dialect = Dialect(",", '"', names, False, options.markers if options.missing else ("",), words)
    found = table_of(rows.rewrite(body, line, folder), dialect, options, line)
    found.batches = checked(found, found.batches, attributes, options)
    declared = {attribute.name: attribute.type for attribute in attributes}
    found.read |= {
        "attributes": declared,
        "delimiter": rows.delimiter.decode(),
        "missing": ["?", *(options.markers if options.missing else ())],
    }
    del found.read["quote"]
    found.warnings += [_left_out(names[place]) for place in rows.undefined]
    return found


def _left_out(name: str) -> dict[str, Any]:
    detail = say(
        "sparse rows leave out string attribute '{name}', for which ARFF defines no value (Weka leaves out the first word "
        "that it met): these cells are gaps; save the rows dense, as Weka's SparseToNonSparse does",
        name=name,
    )
    return notice("SPARSE_WORDS", detail, column=name)


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
    name, kind = _unquoted(found.group(1, 2, 3)), found[4]
    if kind.startswith("{"):
        return Attribute(name, "nominal", _values(kind, number))
    word = re.split(r"[\s\[%'\"]", kind)[0].lower()
    if word == "date":
        return Attribute(name, word, pattern=_date(kind, number))
    if word == "relational":
        raise UnreadableFile(
            f"line {number} declares type 'relational', a table in each cell of '{name}', which is not read here; flatten it "
            "into attributes of its own"
        )
    if word not in (*NUMBERS, "string"):
        raise UnreadableFile(
            f"line {number} declares type '{kind[:50]}', which is not read here; use numeric, string, date or {{a, b}}"
        )
    return Attribute(name, word)


def _date(kind: str, number: int) -> str:
    found = DATE.fullmatch(COMMENT.sub("", kind)) or DATE.fullmatch(kind)
    written = None if found is None else next((text for text in found.groups() if text), DATE_FORMAT)
    pattern = date_pattern(written) if written else None
    if pattern is None:
        raise UnreadableFile(
            f"line {number} declares dates as in {kind[4:].strip()[:50]}, which is not read here; write years as yyyy, "
            f"months as MM, "
            "days as dd, and the time as HH:mm:ss"
        )
    return pattern


def _values(kind: str, number: int) -> tuple[str, ...]:
    values, place, end = [], 1, ","
    while end == ",":
        found = VALUE.match(kind, place)
        if found is None:
            break
        values.append(_unquoted(found.group(1, 2, 3)))
        place, end = found.end(), found[4]
    rest = kind[place:].strip()
    if end == "," or (rest and not rest.startswith("%")):
        raise UnreadableFile(f"line {number} does not list its values as in {{red, 'dark green'}}; mend it")
    return tuple(values)


def _unquoted(groups: tuple[Any, ...]) -> str:
    return unescaped(next(group for group in groups if group is not None).encode()).decode("utf-8", "replace")


def _check(attributes: list[Attribute]) -> None:
    names = [attribute.name for attribute in attributes]
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None) if len(names) < 10_000 else None
    if not names:
        raise UnreadableFile("the ARFF header declares no attribute; add one a column")
    if len(names) > MAX_COLUMNS:
        raise UnreadableFile(f"the header declares {len(names)} attributes; at most {MAX_COLUMNS} are read")
    if twice is not None:
        raise UnreadableFile(f"the header names attribute '{twice}' twice; give every one a name of its own")
