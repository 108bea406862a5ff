"""Delimited text read in small stretches: the same table as all at once, however its numbers grow and its gaps are written."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.errors import UnreadableFile
from store.formats import assembly, stretches
from tests.store.formats import read

GAPS = st.sampled_from(["", "NA", "null", "NaN", "?", '""'])
COLUMNS: dict[str, Any] = {
    "bytes": st.integers(0, 255).map(str),
    "whole": st.sampled_from([0, 7, 255, 256, -1, 32_768, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1]).map(str),
    "quoted": st.integers(-300, 300).map(lambda number: f'"{number}"'),
    "fractions": st.floats(-1e6, 1e6).map(str),
    "either": st.integers(0, 300).map(str) | st.floats(0, 1).map(str),
    "words": st.sampled_from(["a", '"b, c"', '"d\ne"', "NAN", "-"]),
    "all but words": st.integers(0, 9).map(str) | st.just("x"),
}


@st.composite
def texts(draw: st.DrawFn) -> str:
    names = draw(st.lists(st.sampled_from(list(COLUMNS)), min_size=2, max_size=5, unique=True))
    cells = st.tuples(*(COLUMNS[name] | GAPS for name in names))
    rows = draw(st.lists(cells, min_size=1, max_size=60))
    return "\n".join(",".join(row) for row in [names, *rows]) + "\n"


def table_or_refusal(folder: Path, text: str) -> pl.DataFrame | str:
    """The table; or what is said of a text whose rows all hold delimiters alone."""
    try:
        return read(folder, text)
    except UnreadableFile as error:
        return str(error)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(text=texts(), first=st.integers(8, 200), block=st.integers(80, 300))
def test_in_stretches_it_is_the_same_table(tmp_path: Path, text: str, first: int, block: int) -> None:
    whole = table_or_refusal(tmp_path, text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stretches, "FIRST_BYTES", first)
        patch.setattr(stretches, "BLOCK_BYTES", block)
        patch.setattr(assembly, "HELD_BYTES", 100)
        patch.setattr(assembly, "COLUMN_BYTES", 0)
        found = table_or_refusal(tmp_path, text)
    if isinstance(whole, str) or isinstance(found, str):
        assert found == whole
    else:
        assert found.schema == whole.schema
        assert found.equals(whole)


@pytest.mark.parametrize(
    ("missing", "cells", "wanted"),
    [
        ("-999,x", ["1", "-999", "x", "3"], [1, None, None, 3]),
        ("1e3", ["1", "1e3", "2.5"], [1.0, None, 2.5]),
        (None, ["1", "NA", "300", "70000", "-1", "?"], [1, None, 300, 70_000, -1, None]),
        (None, ["0.5", "NaN", "nan", "null", "2"], [0.5, None, None, None, 2.0]),
    ],
)
def test_what_stands_for_nothing_does_so_wherever_it_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str | None, cells: list[str], wanted: list[Any]
) -> None:
    """Also where the numbers before had no gap, and where a word for nothing is a number."""
    monkeypatch.setattr(stretches, "FIRST_BYTES", 4)
    monkeypatch.setattr(stretches, "BLOCK_BYTES", 4)
    options = {} if missing is None else {"missing": missing}
    table = read(tmp_path, "a,b\n" + "".join(f"{cell},1\n" for cell in cells), **options)
    assert table["a"].to_list() == wanted
    assert table["b"].dtype == pl.UInt8
