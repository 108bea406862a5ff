"""ARFF as Weka and liac-arff write it. What liac-arff and SciPy read is the oracle."""

import io
from pathlib import Path
from typing import Any

import arff as liac
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import arff as scipy_arff

from store.errors import UnreadableFile
from store.formats import arff_rows
from tests.store.formats import read, read_all

HEAD = "@relation r\n"
words = st.text(st.sampled_from("ab'\"%,?\\ \té"), max_size=8).map(lambda word: word.strip("? \t") or "w")
nominal = st.lists(words, min_size=2, max_size=4).map(lambda values: list(dict.fromkeys([*values, "v"])))
NAMES = (["a", "b", "c"], ["it is", "b%", "c,d"], ["%a", "é", "{b}"])


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """What liac-arff writes: a number, a listed value and a word a row."""
    values = draw(nominal)
    number = st.none() | st.integers(-1000, 1000).map(float) | st.floats(-1e6, 1e6)
    row = st.tuples(number, st.none() | st.sampled_from(values), words).map(list)
    names = draw(st.sampled_from(NAMES))
    attributes = [(names[0], "REAL"), (names[1], values), (names[2], "STRING")]
    return {"relation": "r", "description": 'it\'s "so" %', "attributes": attributes, "data": draw(st.lists(row, min_size=1))}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(table=tables(), block=st.sampled_from([7, 64, 1 << 22]))
def test_what_liac_arff_writes_comes_back(tmp_path: Path, table: dict[str, Any], block: int) -> None:
    text = liac.dumps(table)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(arff_rows, "BLOCK_BYTES", block)
        found = read(tmp_path, text, "t.arff")
    assert found.columns == [name for name, _ in table["attributes"]]
    assert [list(row) for row in found.rows()] == table["data"]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(table=tables())
def test_sparse_rows_of_liac_arff_come_back(tmp_path: Path, table: dict[str, Any]) -> None:
    sparse = [dict(enumerate(row)) for row in table["data"]]
    for row in sparse:
        if row[0] == 0:
            del row[0]
        if row[1] == table["attributes"][1][1][0]:
            del row[1]
    found = read(tmp_path, liac.dumps(table | {"data": sparse}), "t.arff")
    assert [list(row) for row in found.rows()] == table["data"]


READ: dict[str, tuple[str, str, list[tuple[Any, ...]]]] = {
    # what it is: (attributes, rows, what is meant)
    "both quotes": ("a string|b {x, 'y z'}", "\"O'Brien, T\",'y z'\n'D\\'Arcy',x\n", [("O'Brien, T", "y z"), ("D'Arcy", "x")]),
    "spaces before quotes": ("a numeric|b {'very good',bad}", " 1 , 'very good' \n2 ,\tbad\n", [(1, "very good"), (2, "bad")]),
    "percent within": ("a string|b string", "'50 % off',90%\n% 'it''s a comment\n\"%\",x % a comment, it's one\n",
                       [("50 % off", "90%"), ("%", "x")]),
    "a declared question mark": ("a {'?',A}|b numeric", "'?',1\nA,2\n", [("?", 1), ("A", 2)]),
    "a question mark in words": ("a string|b string", "who?,'?'\n?,\"why?\"\n", [("who?", "?"), (None, "why?")]),
    "escapes": ("a string|b string", "'a\\nb','\\\\'\n'\\u00e9\\t\\%','\\\"'\n", [("a\nb", "\\"), ("é\t%", '"')]),
    "sparse": ("a numeric|b {u,v}|c numeric", "{0 5, 2 -1.5}\n{}\n { 1 v } \n{0 ?,1 'v',2 3}\n",
               [(5, "u", -1.5), (0, "u", 0), (0, "v", 0), (None, "v", 3)]),
    "sparse and dense": ("a numeric|b numeric", "{1 2}\n3,4\n", [(0, 2), (3, 4)]),
    "tabs between": ("a numeric|b string", "1\tx\n2\t'y\tz'\n", [(1, "x"), (2, "y\tz")]),
    "one attribute": ("a numeric", "1\n\n?\n% c\n3\n", [(1,), (None,), (3,)]),
    "lines of Windows": ("a numeric|b {x,y}", "1,x\r\n\r\n?,'y'\r\n", [(1, "x"), (None, "y")]),
    "braces and types": ("'a b' REAL [0,1]|\"c'd\"{x, y z ,'}'} % }|e Integer % it's", "1,y z,2\n0.5,'}',3\n",
                         [(1, "y z", 2), (0.5, "}", 3)]),
    "dates": ("d date \"yyyy-MM-dd HH:mm:ss\"|e DATE 'dd.MM.yy'|f date",
              "\"2001-04-03 12:12:12\",03.04.01,2001-04-03T12:00:00\n?,?,?\n",
              [("2001-04-03T12:12:12", "2001-04-03", "2001-04-03T12:00:00"), (None, None, None)]),
    "codes that are numbers": ("a numeric|b string", "007,007\n010,010\n", [(7, "007"), (10, "010")]),
    "long numbers": ("a numeric|b numeric", "9007199254740993,1\n1,1e3\n",
                     [(9007199254740993, 1), (1, 1000)]),
}  # fmt: skip


def document(attributes: str, rows: str) -> str:
    return HEAD + "".join(f"@attribute {attribute}\n" for attribute in attributes.split("|")) + "@data\n" + rows


@pytest.mark.parametrize("case", READ)
def test_what_is_meant_is_read(tmp_path: Path, case: str) -> None:
    attributes, rows, meant = READ[case]
    assert read(tmp_path, document(attributes, rows), "t.arff").rows() == meant


def test_scipy_reads_the_same(tmp_path: Path) -> None:
    text = document("a real|'b c' {'x y',z}|d numeric", "1.5, 'x y',-3\n% c\n?,z,1e3\n")
    data, meta = scipy_arff.loadarff(io.StringIO(text))
    found = read(tmp_path, text, "t.arff")
    assert found.columns == meta.names()
    assert found["d"].to_list() == data["d"].tolist()
    assert found["b c"].to_list() == [word.decode() for word in data["b c"]]


REFUSED: dict[str, tuple[str, str, str]] = {
    # what it is: (attributes, rows, what is said of it); the first row stands in the line after @data
    "too many cells": ("a numeric|b {x,y}", "1,x\n% c\n\n2,y,3\n", "line 8 has 3 cells where the header declares 2"),
    "a quote within a cell": ("a string|b {x}", "1,x\n5' pipe,x\n", "line 6 holds a ' that opens or closes no cell"),
    "a quote that does not close": ("a string|b {x}", "1,x\n'pipe,x\n", "line 6 holds a '"),
    "more after a quote": ("a string|b {x}", "'a' b,x\n", "line 5 goes on with .* after 'a'"),
    "a weight": ("a numeric|b {x}", "1,x\n2,x,{5}\n", r"line 6 gives its row the weight \{5\}"),
    "a value that is not declared": ("a numeric|b {x}", "1,x\n2,z\n", "'b' holds 'z' in row 1, which the header does not list"),
    "a word among numbers": ("a numeric|b {x}", "1,x\nmany,x\n", "'a' holds 'many' in row 1, and is declared numeric"),
    "a date in another form": ("a date yyyy-MM-dd|b {x}", "2001-01-01,x\n01.02.2001,x\n", "'a' holds '01.02.2001' in row 1"),
    "a relation": ("bag relational|b {x}", "", "line 2 declares type 'relational', a table in each cell of 'bag'"),
    "an unknown type": ("a complex|b {x}", "", "line 2 declares type 'complex'"),
    "a format of dates unknown": ("a date 'QQQ'|b {x}", "", "line 2 declares dates"),
    "values that do not end": ("a {x, y|b {x}", "", "line 2 does not list its values"),
    "a sparse index too high": ("a numeric|b numeric", "{0 1}\n{2 1}\n", "line 6 names attribute 2"),
    "a sparse index twice": ("a numeric|b numeric", "{0 1, 0 2}\n", "line 5 names attribute 0"),
    "a sparse row that does not end": ("a numeric|b numeric", "{0 1\n", "line 5 opens a sparse row"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, case: str) -> None:
    attributes, rows, said = REFUSED[case]
    with pytest.raises(UnreadableFile, match=said):
        read(tmp_path, document(attributes, rows), "t.arff")


def test_what_is_left_open_is_told(tmp_path: Path) -> None:
    _, table, warnings = read_all(tmp_path, {"t.arff": document("a {'?',A}|b string", "?,x\nA,y\n")})
    assert table["a"].to_list() == [None, "A"]
    assert [(found["code"], found["column"]) for found in warnings] == [("DECLARED_QUESTION_MARK", "a")]
    _, table, warnings = read_all(tmp_path, {"t.arff": document("a numeric|b string", "{0 1}\n{1 'w'}\n")})
    assert table.rows() == [(1, None), (0, "w")]
    assert [(found["code"], found["column"]) for found in warnings] == [("SPARSE_WORDS", "b")]


def test_dates_as_days(tmp_path: Path) -> None:
    text = document("a date 'dd/MM/yyyy'|b numeric", "02/01/1970,1\n")
    assert read(tmp_path, text, "t.arff", dates="days")["a"].to_list() == [1]
    assert read(tmp_path, text, "t.arff", dates="keep")["a"].to_list() == ["02/01/1970"]
