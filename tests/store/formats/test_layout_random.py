"""Tables of known cells in random layouts: read back as they are, or told of, or refused with a line."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.errors import UnreadableFile
from tests.store.formats import read_all

EXAMPLES = int(os.environ.get("VIDRO_TEST_EXAMPLES", "60"))
WORDS = ["red", "blue", "New York", "Smith, J.", "it's", "O'Brien", "a;b", "a:b", "50/50", 'say "hi"', "line\nbreak", "x1"]
CELLS: dict[str, st.SearchStrategy[str]] = {
    "whole": st.integers(-500, 5000).map(str),
    "fraction": st.floats(-9, 99).map("{:.2f}".format),
    "word": st.sampled_from(WORDS),
    "date": st.dates().filter(lambda day: day.year >= 1900).map(str),
    "boolean": st.sampled_from(["true", "false"]),
}
NAMES = ["alpha", "beta", "gamma", "delta size", "epsilon", "zeta"]


@dataclass(frozen=True)
class Layout:
    """How a table is written."""

    delimiter: str
    quote: str
    quotes_all: bool
    backslash: bool
    ending: str
    header: bool
    above: tuple[str, ...]
    below: tuple[str, ...]
    trailing: bool
    blank: int | None
    mark: bool
    last_ending: bool

    def cell(self, text: str) -> str:
        needs = (
            self.quotes_all
            or not text
            or text[0] in "'\"#%"
            or any(mark in text for mark in (self.delimiter, self.quote, '"', "\n"))
        )
        if not needs:
            return text
        inner = text.replace(self.quote, "\\" + self.quote if self.backslash else self.quote * 2)
        return self.quote + inner + self.quote

    def write(self, names: list[str], rows: list[list[str]]) -> bytes:
        table = [names, *rows] if self.header else rows
        lines = [self.delimiter.join(map(self.cell, row)) + self.delimiter * self.trailing for row in table]
        if self.blank is not None:
            lines.insert(1 + self.blank % len(lines), "")
        text = self.ending.join([*self.above, *lines, *self.below]) + self.ending * self.last_ending
        return text.encode("utf-8-sig" if self.mark else "utf-8")


LAYOUTS = st.builds(
    Layout,
    delimiter=st.sampled_from(",;\t|:~^"),
    quote=st.sampled_from("\"'"),
    quotes_all=st.booleans(),
    backslash=st.booleans(),
    ending=st.sampled_from(["\n", "\r\n"]),
    header=st.booleans(),
    above=st.sampled_from([(), (), ("# made by hand",), ("Report of the year",), ("Report of the year", ""), ("",)]),
    below=st.sampled_from([(), (), ("Source: the census office",), ("", "These are notes on the table")]),
    trailing=st.booleans(),
    blank=st.none() | st.integers(0, 30),
    mark=st.booleans(),
    last_ending=st.booleans(),
)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[str]]]:
    kinds = draw(st.lists(st.sampled_from(list(CELLS)), min_size=2, max_size=5))
    rows = draw(st.lists(st.tuples(*(CELLS[kind] for kind in kinds)).map(list), min_size=4, max_size=12))
    return draw(st.permutations(NAMES))[: len(kinds)], rows


def plain(cell: Any) -> Any:
    """A cell to compare: a number where it is one."""
    text = "" if cell is None else str(cell).lower() if isinstance(cell, bool) else str(cell).strip()
    try:
        return float(text)
    except ValueError:
        return text


@settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(table=tables(), layout=LAYOUTS)
def test_a_table_in_any_layout(tmp_path: Path, table: tuple[list[str], list[list[str]]], layout: Layout) -> None:
    """VIDRO_TEST_EXAMPLES=10000 for the long form."""
    names, rows = table
    refusal = ""
    try:
        _, found, warnings = read_all(tmp_path, {"t.csv": layout.write(names, rows)})
    except UnreadableFile as error:
        refusal = str(error)
    if refusal:
        assert "line " in refusal
        return
    same = [[plain(cell) for cell in row] for row in found.rows()] == [[plain(cell) for cell in row] for row in rows]
    if not same or (layout.header and found.columns != names):
        assert {warning["code"] for warning in warnings} & {"READ_AS", "ONE_COLUMN", "QUOTES", "HEADER_ROWS", "INDEX_COLUMN"}
