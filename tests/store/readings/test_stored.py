"""How a file was read, as its dataset keeps it: written today, and in versions before."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.readings.column import INTEGER, NUMBER, WORDS, ColumnReading
from store.readings.stored import BOOLEAN, Readings, indexes, listed, readings_of
from store.stored_forms import reading_1
from tests.store.readings import columns_read

DTYPES: dict[str, Any] = {
    "whole": pl.Int16,
    "half": pl.Float64,
    "yes": pl.Boolean,
    "word": pl.String,
    "none": pl.Null,
    "image": pl.Array(pl.UInt8, 4),
}


def source(columns: dict[str, Any], **read: Any) -> dict[str, Any]:
    return {"kind": "upload", "read": {"missing": ["", "NA"], "missing_in_numbers": ["-"], "columns": columns, **read}}


@given(st.dictionaries(st.text(max_size=5), columns_read()))
def test_what_is_stored_comes_back(columns: dict[str, ColumnReading]) -> None:
    readings = Readings(columns, ("", "NA"), ("-",))
    assert Readings.of_document(readings.document) == readings


def test_a_column_that_is_not_listed_is_plain() -> None:
    found = readings_of(source({}), DTYPES, DTYPES)
    assert found is not None
    assert found.columns == {"whole": INTEGER, "half": NUMBER, "yes": BOOLEAN, "word": WORDS, "none": NUMBER}
    assert (found.missing, found.missing_in_numbers, found.bare) == (("", "NA"), ("-",), True)


@pytest.mark.parametrize(
    ("reported", "reading"),
    [
        ("integer (decimal '.', thousands ',')", ColumnReading("integer", ".", ",")),
        ("number (decimal ',', thousands ' ')", ColumnReading("number", ",", " ")),
        ("number (decimal '.', thousands \"'\")", ColumnReading("number", ".", "'")),
        ("number (decimal ',')", ColumnReading("number", ",")),
        ("boolean (yes/no)", ColumnReading("boolean", words=("no", "yes"))),
        ("date (%d.%m.%Y)", ColumnReading("date", format="%d.%m.%Y")),
        ("date (%Y-%m-%d), as days since 1970", ColumnReading("date", format="%Y-%m-%d", days=True)),
    ],
)
def test_what_was_reported_before_is_understood(reported: str, reading: ColumnReading) -> None:
    before = {"read": {"missing": ["", "NA"], "columns": {"x": reading_1(reported)}}}
    assert listed(before) == {"x": reading}
    found = readings_of(before, {"x": pl.Float64}, ["x"])
    assert found is not None
    assert (found.columns, found.bare) == ({"x": reading}, False)


def test_what_cannot_be_understood_is_no_reading() -> None:
    assert reading_1("by hand") is None


def test_plain_whole_numbers_have_the_marks_of_the_files_other_numbers() -> None:
    german = ColumnReading("number", ",", ".").document
    for columns, dtypes, wanted in (
        ({"x": german}, {"x": pl.Float64, "n": pl.Int64}, ColumnReading("integer", ",", ".")),
        ({"x": german}, {"x": pl.Float64, "n": pl.Int64, "plain": pl.Float64}, ColumnReading("integer", thousands=None)),
        ({}, {"n": pl.Int64}, INTEGER),
    ):
        found = readings_of(source(columns), dtypes, ["n"])
        assert found is not None
        assert found.columns["n"] == wanted, columns
    given = readings_of({**source({}), "given": {"decimal": ","}}, {"n": pl.Int64}, ["n"])
    assert given is not None
    assert given.columns["n"] == ColumnReading("integer", ",")


def test_what_has_no_text_has_no_reading() -> None:
    for before in ({"kind": "sample"}, {"read": {}}, {"files": [{"read": {}}, {"read": {"encoding": "utf-8"}}]}):
        assert readings_of(before, DTYPES, DTYPES) is None
    assert readings_of({"files": [{"read": {}}, source({})]}, DTYPES, DTYPES) is not None


def test_an_index_is_named() -> None:
    assert indexes(source({}, index="id")) == {"id"}
    assert indexes(source({})) == indexes(source({}, index=None)) == set()
