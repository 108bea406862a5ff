import csv
import io
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.tables.features import MISSING
from store.errors import UnknownFormat
from store.formats import FORMATS, format_of
from store.profile import profile
from store.readings.markers import GAPS, OF_NUMBERS
from tests.store.formats import read

N = None
WIDE = [f"x{place}" for place in range(200)]
GOOD: dict[str, tuple[str | bytes, list[str], list[tuple[Any, ...]]]] = {
    # what it is: (the file, the columns' names and kinds, the rows)
    "commas": ("a,b\n1,2\n3,4\n", ["a integer", "b integer"], [(1, 2), (3, 4)]),
    "semicolons": ("a;b\n1;2\n3;4\n", ["a integer", "b integer"], [(1, 2), (3, 4)]),
    "tabs": ("a\tb\n1\t2\n3\t4\n", ["a integer", "b integer"], [(1, 2), (3, 4)]),
    "pipes": ("a|b\n1|2\n3|4\n", ["a integer", "b integer"], [(1, 2), (3, 4)]),
    "semicolons by decimal commas": ("a;b\n1,5;x\n2,5;y\n", ["a numeric", "b categorical"], [(1.5, "x"), (2.5, "y")]),
    "semicolons in text": ("a,b\nx; y,1\nz; w,2\n", ["a categorical", "b integer"], [("x; y", 1), ("z; w", 2)]),
    "semicolons in quoted text": ('t,l\n"a ""b""; c",1\n"d",0\n', ["t categorical", "l integer"], [('a "b"; c', 1), ("d", 0)]),
    "commas in tabbed text": ("t\tl\nx,y,z\t1\nw\t2\n", ["t categorical", "l integer"], [("x,y,z", 1), ("w", 2)]),
    "a delimiter in the header's quotes": ('"a;1";"b"\n1;2\n', ["a;1 integer", "b integer"], [(1, 2)]),
    "no newline at the end": ("a,b\n1,2", ["a integer", "b integer"], [(1, 2)]),
    "what begins as a packed file does": ("x^2,b\n1,2\n", ["x^2 integer", "b integer"], [(1, 2)]),
    "a cell that begins as a packed file does": ("a,b\nx^2,2\n", ["a categorical", "b integer"], [("x^2", 2)]),
    "CRLF": ("a,b\r\n1,x\r\n3,y\r\n", ["a integer", "b categorical"], [(1, "x"), (3, "y")]),
    "CR": ("a,b\r1,x\r3,y\r", ["a integer", "b categorical"], [(1, "x"), (3, "y")]),
    "a blank line between": ("a,b\n1,2\n\n3,4\n", ["a integer", "b integer"], [(1, 2), (3, 4)]),
    "blank lines at the end": ("a,b\n1,2\n3,4\n\n\n", ["a integer", "b integer"], [(1, 2), (3, 4)]),
    "blank lines at the start": ("\n\na,b\n1,2\n", ["a integer", "b integer"], [(1, 2)]),
    "blank lines, CRLF": ("a,b\r\n1,2\r\n\r\n3,4\r\n", ["a integer", "b integer"], [(1, 2), (3, 4)]),
    "blank lines and quotes": ('a,b\n"x\n\ny",2\n\nz,4\n', ["a categorical", "b integer"], [("x\n\ny", 2), ("z", 4)]),
    "a row with nothing in it": ("a,b\n1,2\nNA,NA\n3,4\n", ["a integer", "b integer"], [(1, 2), (N, N), (3, 4)]),
    "a row with nothing in it, and quotes": ('a,b\n"1",2\n,\n\n3,4\n', ["a integer", "b integer"], [(1, 2), (3, 4)]),
    "quoted": ('"a","b"\n"x, y","1"\n"z","2"\n', ["a categorical", "b integer"], [("x, y", 1), ("z", 2)]),
    "quotes within quotes": ('a,b\n"x ""q"" y",1\n', ["a categorical", "b integer"], [('x "q" y', 1)]),
    "quotes within the header": ('"a ""q"" b",c\n1,2\n', ['a "q" b integer', "c integer"], [(1, 2)]),
    "quotes within words": ('a,b\n5" pipe,1\n6" pipe,2\n', ["a categorical", "b integer"], [('5" pipe', 1), ('6" pipe', 2)]),
    "a newline in quotes": ('a,b\n"x\ny",1\nz,2\n', ["a categorical", "b integer"], [("x\ny", 1), ("z", 2)]),
    "CRLF in quotes": ('a,b\r\n"x\r\ny",1\r\n', ["a categorical", "b integer"], [("x\r\ny", 1)]),
    "apostrophes": ("name,b\nO'Neil,1\nD'Arcy,2\n", ["name categorical", "b integer"], [("O'Neil", 1), ("D'Arcy", 2)]),
    "UTF-8": ("größe,名\nJosé,1\n", ["größe categorical", "名 integer"], [("José", 1)]),
    "UTF-8 with a mark": ("\ufeffa,b\n1,2\n", ["a integer", "b integer"], [(1, 2)]),
    "UTF-8 with a mark and quotes": ('\ufeff"a","b"\n1,2\n', ["a integer", "b integer"], [(1, 2)]),
    "UTF-16, little end first": ("\ufeffa,b\n1,é\n".encode("utf-16-le"), ["a integer", "b categorical"], [(1, "é")]),
    "UTF-16, big end first": ("\ufeffa,b\r\n1,é\r\n".encode("utf-16-be"), ["a integer", "b categorical"], [(1, "é")]),
    "Latin-1": ("a,b\nJosé,1\n".encode("latin-1"), ["a categorical", "b integer"], [("José", 1)]),
    "separators of Unicode in text": ("a,b\n1,x\u2028y\x85\n", ["a integer", "b categorical"], [(1, "x\u2028y\x85")]),
    "no header": ("1,x\n3,y\n", ["column_0 integer", "column_1 categorical"], [(1, "x"), (3, "y")]),
    "no header, and a gap first": (",2\n1,4\n", ["column_0 integer", "column_1 integer"], [(N, 2), (1, 4)]),
    "a column named nan": ("a,nan,inf\n1,2,3\n", ["a integer", "nan integer", "inf integer"], [(1, 2, 3)]),
    "one column": ("a\n1\n2\n", ["a integer"], [(1,), (2,)]),
    "one column of words": ("word\nhello\nworld\n", ["word categorical"], [("hello",), ("world",)]),
    "one column with gaps": ("a\n1\n\n2\n", ["a integer"], [(1,), (N,), (2,)]),
    "one column in quotes": ('a\n"x,y"\n"z"\n', ["a categorical"], [("x,y",), ("z",)]),
    "one row": ("a,b\n1,2\n", ["a integer", "b integer"], [(1, 2)]),
    "missing": ("a,b\n" + ",1\n".join([*MISSING, "5,1"]), ["a integer", "b integer"], [*[(N, 1)] * len(MISSING), (5, 1)]),
    "missing markers with spaces": ("a, b\n1, ?\n2, 4\n", ["a integer", "b integer"], [(1, N), (2, 4)]),
    "a quoted gap": ('a,b\n"",1\nx,2\n', ["a categorical", "b integer"], [(N, 1), ("x", 2)]),
    "a column of gaps": ("a,b\n,1\nNA,2\n", ["a numeric", "b integer"], [(N, 1), (N, 2)]),
    "the largest integers": ("a\n9223372036854775807\n-9223372036854775808\n", ["a integer"], [(2**63 - 1,), (-(2**63),)]),
    "an integer of fifty digits": ("a\n" + "1" * 50 + "\n1\n", ["a categorical"], [("1" * 50,), ("1",)]),
    "larger integers": ("a\n9223372036854775808\n1\n", ["a categorical"], [("9223372036854775808",), ("1",)]),
    "integers with signs": ("a\n-5\n+3\n0\n", ["a integer"], [(-5,), (3,), (0,)]),
    "integers with leading zeros": ("a\n5\n+3\n007\n", ["a categorical"], [("5",), ("+3",), ("007",)]),
    "integers with spaces": ("a,b\n 1 ,  2\n3, 4 \n", ["a integer", "b integer"], [(1, 2), (3, 4)]),
    "numbers with spaces": ("a,b\n 1.5 ,x\n2, y\n", ["a numeric", "b categorical"], [(1.5, "x"), (2.0, "y")]),
    "exponents": ("a\n1e3\n2.5E-2\n", ["a numeric"], [(1000.0,), (0.025,)]),
    "integers, then a fraction": ("a\n" + "1\n" * 300 + "1.5\n", ["a numeric"], [*[(1.0,)] * 300, (1.5,)]),
    "integers, then a word": ("a\n" + "1\n" * 300 + "x\n", ["a categorical"], [*[("1",)] * 300, ("x",)]),
    "NaN in any case": ("a\nNAN\n1.5\n", ["a numeric"], [(N,), (1.5,)]),
    "booleans": ("a,b\ntrue,True\nfalse,False\n", ["a boolean", "b boolean"], [(True, True), (False, False)]),
    "booleans in capitals": ("a\nTRUE\nFALSE\n", ["a boolean"], [(True,), (False,)]),
    "booleans with gaps": ("a,b\ntrue,1\n,2\n", ["a boolean", "b integer"], [(True, 1), (N, 2)]),
    "booleans and numbers": ("a\ntrue\n1\n", ["a categorical"], [("true",), ("1",)]),
    "dates": ("d,v\n2024-01-01,1\n2024-02-30,2\n", ["d categorical", "v integer"], [("2024-01-01", 1), ("2024-02-30", 2)]),
    "times": ("d,v\n2024-01-01T00:00:00Z,1\n", ["d categorical", "v integer"], [("2024-01-01T00:00:00Z", 1)]),
    "other notations of numbers": ("a,b\n0x10,1_000\n", ["a categorical", "b categorical"], [("0x10", "1_000")]),
    "200 columns": (",".join(WIDE) + "\n" + "1," * 199 + "1\n", [f"{name} integer" for name in WIDE], [(1,) * 200]),
}  # fmt: skip


def kinds(table: pl.DataFrame) -> list[str]:
    return [f"{column['name']} {column['kind']}" for column in profile(table)]


@pytest.mark.parametrize("case", GOOD)
def test_delimited_text(tmp_path: Path, case: str) -> None:
    content, columns, rows = GOOD[case]
    table = read(tmp_path, content)
    assert kinds(table) == columns
    assert table.rows() == rows


@pytest.mark.parametrize("case", ["tabs", "commas in tabbed text"])
def test_tabbed_text(tmp_path: Path, case: str) -> None:
    content, columns, rows = GOOD[case]
    table = read(tmp_path, content, "table.tsv")
    assert (kinds(table), table.rows()) == (columns, rows)


def test_tsv_looks_for_no_other_delimiter(tmp_path: Path) -> None:
    assert kinds(read(tmp_path, "a,b\nx,y\n", "table.tsv")) == ["a,b categorical"]


def test_a_header_longer_than_any_sample(tmp_path: Path) -> None:
    names = [f"x{place}" for place in range(12_000)]
    table = read(tmp_path, ",".join(names) + "\n" + ",".join("1" * 12_000) + "\n")
    assert table.columns == names


def test_quotes_do_not_make_finding_the_delimiter_slow(tmp_path: Path) -> None:
    """The standard library's Sniffer takes several seconds here: its expressions go back over the text again and again."""
    cell = "it's, that's; 'x " * 3000 + "end"
    table = read(tmp_path, f'text,label\n"{cell}",1\n')
    assert table.rows() == [(cell, 1)]


@pytest.mark.parametrize(
    ("name", "given", "found"),
    [
        ("a.csv", None, "csv"),
        ("A.CSV", None, "csv"),
        ("a.b.tsv", None, "tsv"),
        ("a.txt", "csv", "csv"),
        ("noending", "tsv", "tsv"),
        ("a.tsv", "csv", "csv"),
        ("noending", None, "csv"),
        ("a.data", None, "csv"),
    ],
)
def test_the_format_is_given_or_the_endings(tmp_path: Path, name: str, given: str | None, found: str) -> None:
    path = tmp_path / "upload"
    path.write_text("a\n1\n")
    assert format_of(path, name, given) == found


@pytest.mark.parametrize(("name", "given"), [("a.docx", None), ("a.csv", "parquet?"), ("a.csv", "CSV")])
def test_any_other_format_is_refused_with_those_there_are(tmp_path: Path, name: str, given: str | None) -> None:
    path = tmp_path / "upload"
    path.write_text("a\n1\n")
    with pytest.raises(UnknownFormat, match=", ".join(FORMATS)):
        format_of(path, name, given)


DELIMITERS = "\t,;|"
letters = st.characters(codec="utf-8", exclude_characters="\0\r\ufeff")
MARKERS = {marker.lower() for marker in (*GAPS, *OF_NUMBERS)}
"""No names: a row that holds one is a row of cells."""
names = (
    st.text(letters.filter(lambda letter: letter not in DELIMITERS), max_size=5)
    .map("n{}".format)
    .map(str.strip)
    .filter(lambda name: name.lower() not in MARKERS)
)
CELLS: list[st.SearchStrategy[Any]] = [
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.text(letters, max_size=6).map("w{}".format),
]


@st.composite
def tables(draw: st.DrawFn) -> pl.DataFrame:
    """A table of two columns or more, each all integers, fractions, booleans or words, with gaps but in the first: a row of
    delimiters alone is left out.
    """
    rows = draw(st.integers(1, 5))
    header = draw(st.lists(names, min_size=2, max_size=4, unique=True))
    kinds = [draw(st.sampled_from(CELLS)) for _ in header]
    cells = [
        draw(st.lists(st.none() | kind if place else kind, min_size=rows, max_size=rows)) for place, kind in enumerate(kinds)
    ]
    return pl.DataFrame(dict(zip(header, cells, strict=True)))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    table=tables(),
    delimiter=st.sampled_from(DELIMITERS),
    ending=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC, None]),
)
def test_what_is_written_reads_back(
    tmp_path: Path, table: pl.DataFrame, delimiter: str, ending: str, encoding: str, quoting: Literal[0, 1, 2] | None
) -> None:
    """Whoever wrote it: Polars, or the standard library in any of its ways; but for spaces around words, and for letters that
    are composed of several.
    """
    if quoting is None:
        text = table.write_csv(separator=delimiter, line_terminator=ending)
    else:
        buffer = io.StringIO()
        writer = csv.writer(buffer, delimiter=delimiter, lineterminator=ending, quoting=quoting)
        writer.writerows([table.columns, *table.rows()])
        text = buffer.getvalue()
    found = read(tmp_path, text.encode(encoding))
    assert found.columns == table.columns
    words = pl.col(pl.String).str.strip_chars(" \t\u00a0").str.normalize("NFC")
    assert found.rows() == table.with_columns(words).rows()
