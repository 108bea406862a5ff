"""What a column may be corrected to: the cells as that kind holds them, or the first row that it cannot hold."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tables.features import word
from store.kinds import CASTS, Misfit, infer, read, recast
from store.profile import describe

CORRECTIONS: dict[str, tuple[list[Any], str, list[Any]]] = {
    "codes are categories": ([8001, None, 8002], "categorical", ["8001", None, "8002"]),
    "fractions as written": ([1.0, 2.5, None], "categorical", ["1", "2.5", None]),
    "yes and no as categories": ([True, None, False], "categorical", ["true", None, "false"]),
    "words as text": (["a", None], "text", ["a", None]),
    "text is numbers after all": ([" 1.5", "2", None, "-3e2"], "numeric", [1.5, 2.0, None, -300.0]),
    "text is whole numbers": (["1", " 2", None, "3.0"], "integer", [1, 2, None, 3]),
    "floats that are whole": ([1.0, None, -2.0], "integer", [1, None, -2]),
    "whole numbers as quantities": ([1, None], "numeric", [1.0, None]),
    "0 and 1 are no and yes": ([0, 1, None], "boolean", [False, True, None]),
    "0.0 and 1.0, too": ([0.0, 1.0], "boolean", [False, True]),
    "yes and no": (["Yes", "no", None, " T", "false"], "boolean", [True, False, None, True, False]),
    "yes and no as 1 and 0": ([True, False, None], "integer", [1, 0, None]),
    "yes and no as quantities": ([True, False, None], "numeric", [1.0, 0.0, None]),
    "no number is a gap": ([1.0, float("nan"), None], "categorical", ["1", None, None]),
    "nothing at all": ([None, None], "integer", [None, None]),
}


@pytest.mark.parametrize(("cells", "kind", "expected"), CORRECTIONS.values(), ids=CORRECTIONS.keys())
def test_a_column_is_corrected(cells: list[Any], kind: Any, expected: list[Any]) -> None:
    assert recast(pl.Series("c", cells), kind).to_list() == expected
    assert read(pl.Series("c", cells), kind).kind == kind


MISFITS: dict[str, tuple[list[Any], str, int, str]] = {
    "a word is no number": (["1", None, "two", "three"], "numeric", 2, "holds 'two', which is no number"),
    "nor is infinity": (["1", "inf"], "numeric", 1, "holds 'inf'"),
    "a fraction is not whole": ([1.0, 2.5], "integer", 1, "holds '2.5', which is no whole number"),
    "nor is that as text": (["1", "2.5"], "integer", 1, "holds"),
    "a number too large to be whole": ([1.0, 1e300], "integer", 1, "holds"),
    "two is neither yes nor no": ([0, None, 1, 2], "boolean", 3, "holds '2', which is no yes or no"),
    "nor is perhaps": (["yes", "perhaps"], "boolean", 1, "holds 'perhaps'"),
    "a number is no picture": ([1, 2], "image", 0, "is no array"),
    "a long cell is cut": (["x" * 1000], "numeric", 0, "x" * 50 + "'"),
}


@pytest.mark.parametrize(("cells", "kind", "row", "text"), MISFITS.values(), ids=MISFITS.keys())
def test_what_does_not_fit_is_named_by_its_first_row(cells: list[Any], kind: Any, row: int, text: str) -> None:
    with pytest.raises(Misfit) as raised:
        recast(pl.Series("c", cells), kind)
    assert raised.value.row == row
    assert text in raised.value.detail


@given(cells=st.lists(st.none() | st.integers(-(2**40), 2**40) | st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_are_the_categories_that_a_record_names(cells: list[Any]) -> None:
    series = pl.Series("c", [None if cell is None else float(cell) for cell in cells], dtype=pl.Float64)
    assert recast(series, "categorical").to_list() == [None if cell is None else word(float(cell)) for cell in cells]


ARRAY = pl.Series("a", np.arange(24).reshape(2, 3, 4).astype(np.uint8), dtype=pl.Array(pl.UInt8, (3, 4)))


def test_arrays_are_read_flat_in_their_own_type() -> None:
    assert infer(ARRAY, 0) == "image"
    assert infer(ARRAY.reshape((2, 12)), 0) == "vector"
    image = read(ARRAY, "image")
    assert (image.shape, image.values.dtype, image.values.tolist()) == ((3, 4), np.uint8, np.arange(24).reshape(2, 12).tolist())
    assert read(ARRAY, "vector").shape == (12,)
    for kind in CASTS.keys() - {"image", "vector"}:
        with pytest.raises(Misfit, match="is an array"):
            recast(ARRAY, kind)  # type: ignore[arg-type]
    with pytest.raises(Misfit, match="one row of 12 numbers"):
        recast(ARRAY.reshape((2, 12)), "image")


def test_an_array_that_is_missing_is_missing() -> None:
    column = read(pl.Series("a", [[1, 2], None], dtype=pl.Array(pl.UInt8, 2)), "vector")
    assert column.missing.tolist() == [False, True]


@pytest.mark.parametrize("dtype", [pl.UInt8, pl.Int64, pl.Float32, pl.Float64])
def test_whole_columns_of_numbers_are_not_copied(dtype: Any) -> None:
    series = pl.Series("n", [1, 2, 3], dtype=dtype)
    assert np.shares_memory(read(series, infer(series, 3)).values, series.to_numpy())


def test_labels_beyond_what_a_fraction_holds_stay_apart() -> None:
    """Gaps make fractions of whole numbers, and fractions would make one label of two."""
    labels = pl.Series("c", [2**53, 2**53 + 1, None, 2**53])
    assert describe(labels)["kind"] == "categorical"
    assert read(labels, "categorical").categories == (str(2**53), str(2**53 + 1))
    assert describe(labels.drop_nulls())["kind"] == "integer"
    assert read(labels.drop_nulls(), "integer").values.tolist() == [2**53, 2**53 + 1, 2**53]
