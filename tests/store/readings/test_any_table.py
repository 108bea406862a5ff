"""Tables written in any dialect, notation, encoding, with any marker and quotes, and read back: equal, or told."""

import csv
import io
import os
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.store.formats import read_all

EXAMPLES = int(os.environ.get("VIDRO_TEST_EXAMPLES", "60"))
"""Tables that are tried; scripts/test-tables tries 10,000."""


class Style(NamedTuple):
    """How numbers, gaps, dates, yes and no are written in one file."""

    decimal: str
    thousands: str
    marker: str
    date: str
    yes_no: tuple[str, str]


STYLES = st.builds(
    Style,
    decimal=st.sampled_from(".,"),
    thousands=st.sampled_from(["", ".", ",", " ", "'"]),
    marker=st.sampled_from(["", "NA", "-", "#N/A", "n/a", "?", "NULL"]),
    date=st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d"]),
    yes_no=st.sampled_from([("yes", "no"), ("True", "False"), ("TRUE", "FALSE"), ("Yes", "No")]),
).filter(lambda style: style.decimal != style.thousands)


def grouped(digits: str, mark: str) -> str:
    """Whole digits with a mark between thousands."""
    return re.sub(r"(?<=\d)(?=(?:\d{3})+$)", mark, digits) if mark else digits


def integer(value: int, style: Style) -> str:
    return ("-" if value < 0 else "") + grouped(str(abs(value)), style.thousands)


def number(value: float, style: Style) -> str:
    whole, _, fraction = f"{abs(value):.2f}".partition(".")
    return ("-" if value < 0 else "") + grouped(whole, style.thousands) + style.decimal + fraction


hundredths = st.integers(-(10**8), 10**8).map(lambda cents: cents / 100)
names = st.text(st.characters(categories=["L", "Nd"], max_codepoint=0xFF), max_size=4).map("w{}".format)
KINDS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any, Style], str]]] = {
    # what a column holds: (its values, how each is written)
    "integer": (st.integers(-(2**63), 2**63 - 1), integer),
    "small": (st.integers(0, 999), integer),
    "number": (hundredths, number),
    "percent": (hundredths, lambda value, style: number(value, style) + " %"),
    "price": (hundredths.map(abs), lambda value, style: "$" + number(value, style)),
    "yes_no": (st.booleans(), lambda value, style: style.yes_no[not value]),
    "date": (
        st.dates(date(1000, 1, 1), date(2999, 12, 31)).map(str),
        lambda value, style: date.fromisoformat(value).strftime(style.date),
    ),
    "words": (names, lambda value, style: value),
    "code": (st.integers(0, 999).map("{:04}".format), lambda value, style: value),
    "identifier": (st.integers(10**20, 10**22).map(str), lambda value, style: value),
}  # fmt: skip
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "latin-1"]


class Written(NamedTuple):
    """A table, the file it was written to, and whether that has a header."""

    columns: dict[str, list[Any]]
    content: bytes
    has_header: bool


@st.composite
def written(draw: st.DrawFn) -> Written:
    """A table of two columns or more, with gaps in all but the first, in one style: a row of nothing is left out."""
    style, rows = draw(STYLES), draw(st.integers(2, 12))
    kinds = draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=2, max_size=5))
    columns = {
        f"{kind}_{place}": draw(st.lists(KINDS[kind][0] | (st.none() if place else st.nothing()), min_size=rows, max_size=rows))
        for place, kind in enumerate(kinds)
    }
    texts = [
        [style.marker if value is None else KINDS[kind][1](value, style) for value in columns[name]]
        for kind, name in zip(kinds, columns, strict=True)
    ]
    buffer, has_header = io.StringIO(), draw(st.booleans())
    writer = csv.writer(
        buffer,
        delimiter=draw(st.sampled_from(",;\t|")),
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
        quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
    )
    writer.writerows([*([list(columns)] if has_header else []), *zip(*texts, strict=True)])
    encoding = draw(st.sampled_from(ENCODINGS))
    return Written(columns, buffer.getvalue().encode(encoding, "replace"), has_header)


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(table=written())
def test_a_table_is_read_as_it_was_meant_or_told(tmp_path: Path, table: Written) -> None:
    _, found, warnings = read_all(tmp_path, {"t.csv": table.content}, header=table.has_header)
    told = {warning.get("column") for warning in warnings}
    left_out = list(table.columns.values())[found.width :]
    assert all(set(cells) == {None} for cells in left_out)
    assert not left_out or "EMPTY_COLUMN" in {warning["code"] for warning in warnings}
    for name, expected in zip(found.columns, table.columns.values(), strict=False):
        cells = found[name].to_list()
        event("equal" if cells == expected else "told")
        assert cells == expected or name in told or None in told, (name, cells, expected, warnings)
