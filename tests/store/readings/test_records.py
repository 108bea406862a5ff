"""The cells of records: what the same text is in a file, or refused."""

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import UnusableData
from engine.tables.features import Features, Input
from engine.training.predict import columns_of
from store.kinds import infer, read
from store.readings.column import INTEGER, NUMBER, WORDS, ColumnReading
from store.readings.records import read_records
from store.readings.stored import Readings
from tests.store.readings import columns_read

GERMAN = ColumnReading("number", ",", ".")
PERCENT = ColumnReading("number", unit="%")
JA = ColumnReading("boolean", words=("nein", "ja"))
NAMED_DAY, DAY = ColumnReading("date", format="%d.%m.%Y"), ColumnReading("date", format="%d.%m.%Y", days=True)
MISSING, IN_NUMBERS = ("", "NA", "-9999"), ("-",)
NUMERALS = st.from_regex(r"[ ]?[+-]?\(?[0-9]{1,3}([., '][0-9]{3}){0,2}([.,][0-9]{1,3})?\)?-?([ ]?(%|EUR))?[ ]?", fullmatch=True)
DATES = st.dates().map(str) | st.dates().map(lambda day: day.strftime("%d.%m.%Y"))
WORDS_OF_FILES = st.sampled_from(
    ["ja", "Nein", "YES", "no", "true", "1", "0", "2", "", "NA", "-", "none", "-9999", " x ", "e\u0301"]
)
CELLS = st.lists(NUMERALS | DATES | WORDS_OF_FILES, min_size=1, max_size=8)


def entry(kind: Any, *categories: str, fill: float | None = -1.0) -> Input:
    return Input("x", kind, fill, categories=categories)


def cells_of(reading: ColumnReading, given: Input, *cells: Any) -> list[Any]:
    """The numbers, or the codes of categories, that the engine makes of cells of records."""
    readings = Readings({"x": reading}, MISSING, IN_NUMBERS)
    records = read_records(readings, Features((given,)), [{"x": cell} for cell in cells])
    found = columns_of(Features((given,)), records)["x"]
    return [None if gap else value for value, gap in zip(found.values.tolist(), found.missing, strict=True)]


def refusal(reading: ColumnReading, given: Input, cell: Any) -> str:
    with pytest.raises(UnusableData) as raised:
        cells_of(reading, given, cell)
    ((at, detail),) = raised.value.errors
    assert at == "/records/0/x"
    return detail


@pytest.mark.parametrize(
    ("reading", "kind", "cells", "values"),
    [
        (GERMAN, "numeric", ["12.345", "12.345,6", "12,5", " 3 ", 12.5, "-9999", -9999, -9999.0, "-", "NA", "", None],
         [12345, 12345.6, 12.5, 3, 12.5, None, None, None, None, None, None, None]),
        (ColumnReading("integer", ",", "."), "integer", ["12.345", "12,5", 7, "-9999", "-9999,0"],
         [12345, 12.5, 7, None, None]),
        (INTEGER, "integer", ["7", "7.5", "+7", "1e3"], [7, 7.5, 7, 1000]),
        (PERCENT, "numeric", ["12 %", "12%", "12", 12, "-9999"], [12, 12, 12, 12, None]),
        (JA, "boolean", ["ja", "Nein", " JA ", "true", "n", 1, 0, True, "NA"], [1, 0, 1, 1, 0, 1, 0, 1, None]),
        (ColumnReading("boolean", words=("2", "1")), "boolean", ["2", "1", 2, 1, 2.0], [0, 1, 0, 1, 0]),
        (ColumnReading("boolean"), "boolean", ["TRUE", "no", "1"], [1, 0, 1]),
        (DAY, "integer", ["31.12.2024", "2024-12-31", 20088, "-9999"], [20088, 20088, 20088, None]),
        (JA, "integer", ["ja", "nein", True], [1, 0, 1]),
        (WORDS, "numeric", ["7", "7.5", "-9999"], [7, 7.5, None]),
        (WORDS, "boolean", ["yes", "f"], [1, 0]),
    ],
)  # fmt: skip
def test_text_is_read_as_the_files_was(reading: ColumnReading, kind: str, cells: list[Any], values: list[Any]) -> None:
    assert cells_of(reading, entry(kind), *cells) == values


@pytest.mark.parametrize(
    ("reading", "categories", "cells", "codes"),
    [
        (WORDS, ["01730", "A"], ["01730", " A ", "NA", "-9999", -9999, None, "B"], [0, 1, None, None, None, None, 2]),
        (WORDS, ["-", "x"], ["-", "x"], [0, 1]),
        (ColumnReading("words", kept=("NA",)), ["NA", "ZA"], ["NA", "ZA", ""], [0, 1, None]),
        (NAMED_DAY, ["2024-12-30", "2024-12-31"], ["31.12.2024", "2024-12-30"], [1, 0]),
        (INTEGER, ["1730", "7"], ["01730", "007", 7, 7.0, "8"], [0, 1, 1, 1, 2]),
        (GERMAN, ["1.5", "2"], ["1,5", "2", 1.5], [0, 1, 0]),
        (JA, ["false", "true"], ["ja", "nein", True], [1, 0, 1]),
        (WORDS, ["\u00e9"], ["e\u0301"], [0]),
    ],
)
def test_words_are_those_of_the_file(reading: ColumnReading, categories: list[str], cells: list[Any], codes: list[Any]) -> None:
    assert cells_of(reading, entry("categorical", *categories), *cells) == codes


@pytest.mark.parametrize(
    ("reading", "kind", "cell", "told"),
    [
        (ColumnReading("number", ","), "numeric", "12.345", "a finite number written with decimal ',', not '12.345'"),
        (GERMAN, "numeric", "12,345.6", "decimal ',' and thousands '.', not '12,345.6'"),
        (GERMAN, "numeric", "12.34", "decimal ',' and thousands '.'"),
        (NUMBER, "numeric", "12,345", "decimal '.', not '12,345'"),
        (NUMBER, "numeric", "1e999", "a finite number"),
        (PERCENT, "numeric", "12 $", "decimal '.' and unit '%', not '12 $'"),
        (JA, "boolean", "vielleicht", "yes or no written as 'ja' or 'nein'"),
        (DAY, "integer", "12/31/2024", "a date written as %d.%m.%Y or as in 2024-12-31"),
        (ColumnReading("date", format="%Y-%d-%m", days=True), "integer", "2024-12-31", "a date written as %Y-%d-%m"),
    ],
)
def test_what_the_file_could_not_say_is_refused(reading: ColumnReading, kind: str, cell: str, told: str) -> None:
    assert told in refusal(reading, entry(kind), cell)


def test_a_date_that_is_a_word_is_refused_where_it_is_none() -> None:
    assert "a date written as" in refusal(NAMED_DAY, entry("categorical", "2024-12-31"), "soon")


@given(columns_read(), CELLS)
def test_a_text_is_what_it_is_in_a_file(reading: ColumnReading, texts: list[str]) -> None:
    """Where the reading reads it; the column as the engine has it of the file, and of records."""
    readings = Readings({"x": reading}, MISSING, IN_NUMBERS)
    values, unread = reading.apply(pl.Series("x", texts, pl.String), readings.markers(reading))
    values = values.filter(~unread)
    texts = [text for text, is_unread in zip(texts, unread, strict=True) if not is_unread]
    if (
        not texts
        or values.null_count() == len(values)
        or (values.dtype.is_float() and not values.drop_nulls().is_finite().all())
    ):
        return
    column = read(values, infer(values, values.n_unique()))
    given = Input("x", column.kind, -1.0, categories=column.categories)
    records = read_records(readings, Features((given,)), [{"x": text} for text in texts])
    found = columns_of(Features((given,)), records)["x"]
    wanted = [math.nan if gap else value for value, gap in zip(column.values.tolist(), column.missing, strict=True)]
    again = [math.nan if gap else value for value, gap in zip(found.values.tolist(), found.missing, strict=True)]
    np.testing.assert_array_equal(wanted, again)


def test_names_are_read_as_the_files_were() -> None:
    features = Features((entry("numeric"), Input("\u00e9", "numeric", -1.0)))
    readings = Readings({"x": GERMAN, "\u00e9": GERMAN}, MISSING, IN_NUMBERS)
    records = read_records(readings, features, [{" x": "1,5", "e\u0301 ": "2"}, {"x": "3", " x": "4"}])
    assert records == [{"x": 1.5, "\u00e9": 2}, {"x": 3, " x": "4"}]


def test_records_without_text_stay_as_they_are() -> None:
    records = [{"x": 1.5}, {"x": None}, {"x": 7}, {"y": "text of no column that is read"}]
    readings = Readings({"x": GERMAN}, ("", "NA"), ("-",))
    assert read_records(readings, Features((entry("numeric"),)), records) is records


def test_words_that_were_stored_with_their_spaces_are_left_to_the_engine() -> None:
    before = Readings({"x": WORDS}, ("", "NA"), bare=False)
    records = [{"x": " A"}]
    assert read_records(before, Features((entry("categorical", " A"),)), records) is records
