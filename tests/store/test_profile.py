from collections import Counter
from fractions import Fraction
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store.findings import warnings_of
from store.kinds import TEXT_MIN_DISTINCT
from store.profile import COUNTABLE, LONG, QUANTILES, TOP, profile

NUMBERS = st.floats(-1e6, 1e6) | st.integers(-1000, 1000).map(float)


def describe(values: list[Any], dtype: Any = None) -> dict[str, Any]:
    return profile(pl.DataFrame({"c": pl.Series(values, dtype=dtype)}))[0]


@given(st.lists(st.none() | NUMBERS, min_size=1, max_size=30))
def test_statistics_are_those_of_numpy(values: list[float | None]) -> None:
    found = describe(values, pl.Float64)
    present = np.array([value for value in values if value is not None])
    assert found["kind"] == "numeric"
    assert found["missing"] == values.count(None)
    assert found["first_missing"] == (values.index(None) if None in values else None)
    assert found["distinct"] == len(set(present.tolist()))
    if not len(present):
        assert all(found[name] is None for name in ("min", "max", "mean", "std", "quantiles"))
        return
    assert (found["min"], found["max"]) == (present.min(), present.max())
    assert found["mean"] == pytest.approx(present.mean(), rel=1e-9, abs=1e-9)
    if len(present) > 1:
        assert found["std"] == pytest.approx(present.std(ddof=1), rel=1e-6, abs=1e-6)
    else:
        assert found["std"] is None
    quantiles = np.quantile(present, QUANTILES)
    assert list(found["quantiles"]) == [str(q) for q in QUANTILES]
    assert list(found["quantiles"].values()) == pytest.approx(quantiles, rel=1e-9, abs=1e-9)
    assert found["top"] is None


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=30))
def test_integers_have_both_statistics_and_the_most_frequent(values: list[int]) -> None:
    found = describe(values, pl.Int64)
    assert found["kind"] == "integer"
    assert (found["min"], found["max"], found["distinct"]) == (min(values), max(values), len(set(values)))
    assert found["mean"] == pytest.approx(np.mean(values))
    assert all(isinstance(found[name], int) for name in ("min", "max"))
    assert found["top"] == most_frequent(values)


def most_frequent(values: list[Any]) -> list[dict[str, Any]]:
    ordered = sorted(Counter(values).items(), key=lambda entry: (-entry[1], entry[0]))
    return [{"value": value, "count": count} for value, count in ordered[:TOP]]


@given(st.lists(st.none() | st.text("abcdeé", max_size=2), min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_the_most_frequent_come_in_one_order(values: list[str | None], random: Any) -> None:
    """However the rows are ordered: by count, and those of the same count by value."""
    expected = most_frequent([value for value in values if value is not None])
    assert (describe(values, pl.String)["top"] or []) == expected
    random.shuffle(values)
    assert (describe(values, pl.String)["top"] or []) == expected


def test_booleans() -> None:
    found = describe([True, None, True, False])
    assert (found["kind"], found["distinct"], found["missing"], found["first_missing"]) == ("boolean", 2, 1, 1)
    assert found["top"] == [{"value": True, "count": 2}, {"value": False, "count": 1}]
    assert found["mean"] is None


@pytest.mark.parametrize(
    ("distinct", "repeated", "kind"),
    [
        (TEXT_MIN_DISTINCT, 0, "categorical"),  # too few to be free text
        (TEXT_MIN_DISTINCT + 1, 0, "text"),
        (TEXT_MIN_DISTINCT + 1, TEXT_MIN_DISTINCT, "text"),
        (TEXT_MIN_DISTINCT + 1, TEXT_MIN_DISTINCT + 1, "categorical"),  # half of the rows are repetitions
        (1, 10, "categorical"),
    ],
)
def test_words_are_text_where_most_of_many_differ(distinct: int, repeated: int, kind: str) -> None:
    found = describe([f"w{place}" for place in range(distinct)] + ["w0"] * repeated)
    assert found["kind"] == kind
    assert found["distinct"] == distinct
    assert found["top"][0] == {"value": "w0", "count": repeated + 1}


@pytest.mark.parametrize("dtype", [pl.String, pl.Float64, pl.Null])
def test_a_column_of_gaps_is_numeric(dtype: Any) -> None:
    found = describe([None, None], dtype)
    assert (found["kind"], found["missing"], found["first_missing"], found["distinct"]) == ("numeric", 2, 0, 0)
    assert (found["mean"], found["top"]) == (None, None)


def test_columns_come_in_their_order() -> None:
    assert [column["name"] for column in profile(pl.DataFrame({"z": [1], "a": ["x"], "m": [None]}))] == ["z", "a", "m"]


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ([1, 2, 4], []),
        ([1, 1, 1], ["CONSTANT_COLUMN"]),
        ([1, None, 2], ["MISSING_VALUES"]),
        ([1, None, 1], ["CONSTANT_COLUMN", "MISSING_VALUES"]),
        ([None, None, None], ["CONSTANT_COLUMN", "MISSING_VALUES"]),
        (["a", "b", "a"], []),
    ],
)
def test_warnings_have_their_evidence(values: list[Any], codes: list[str]) -> None:
    table = pl.DataFrame({"c": values, "fine": [1, 3, 2]})
    found = warnings_of(profile(table), table)
    assert [warning["code"] for warning in found] == codes
    assert all(warning["column"] == "c" and "'c'" in warning["detail"] for warning in found)
    if values == [1, None, 2]:
        assert "1 of 3 values (33.3%)" in found[0]["detail"]


NUMBER_TYPES = [pl.Int8, pl.UInt8, pl.Int16, pl.UInt32, pl.Int64, pl.UInt64, pl.Float32, pl.Float64]


@settings(max_examples=20)
@given(data=st.data(), dtype=st.sampled_from(NUMBER_TYPES), long=st.booleans())
def test_statistics_of_every_type_and_length(data: Any, dtype: Any, long: bool) -> None:
    """Also whole numbers far out, where a float64 has lost the last digits, and columns long enough for another sort."""
    if dtype.is_integer():
        info = np.iinfo(str(dtype()).lower())
        low = data.draw(st.sampled_from([int(info.min), 0, int(info.max) - 100]))
        cells = st.integers(low, min(low + data.draw(st.sampled_from([9, 2 * COUNTABLE])), int(info.max)))
    else:
        cells = st.integers(-99, 99).map(lambda n: n / 4)
    values = data.draw(st.lists(cells, min_size=4, max_size=9)) * (LONG // 4 if long else 1)
    column = pl.Series("c", values, dtype=dtype)
    found = profile(column.to_frame())[0]
    assert found["distinct"] == column.n_unique()
    assert (found["min"], found["max"]) == (column.min(), column.max())
    exact = sum(Fraction(value) * count for value, count in Counter(values).items()) / len(values)
    assert found["mean"] == pytest.approx(float(exact), rel=1e-12, abs=1e-12)
    if len(values) > 1:
        squares = sum((Fraction(value) - exact) ** 2 * count for value, count in Counter(values).items())
        variance = squares / (len(values) - 1)
        assert found["std"] == pytest.approx(float(variance) ** 0.5, rel=1e-9, abs=1e-9)
    assert found["quantiles"]["0.5"] == pytest.approx(column.cast(pl.Float64).quantile(0.5, "linear"), rel=1e-9)
    assert found["top"] == (most_frequent(values) if dtype.is_integer() else None)


@pytest.mark.parametrize("rows", [4, LONG + 4])
def test_a_number_that_is_none_is_missing(rows: int) -> None:
    found = describe([1.0, None, float("nan"), 2.0] + [1.0] * (rows - 4), pl.Float64)
    assert (found["missing"], found["first_missing"], found["distinct"], found["max"]) == (2, 1, 2, 2.0)
    found = describe([float("nan")] * 3, pl.Float64)
    assert (found["missing"], found["first_missing"], found["distinct"], found["mean"]) == (3, 0, 0, None)


def test_arrays_are_described_as_a_whole() -> None:
    cells = np.random.default_rng(0).integers(0, 256, (50, 4, 3)).astype(np.uint8)
    found = profile(pl.DataFrame({"pixels": pl.Series(cells, dtype=pl.Array(pl.UInt8, (4, 3)))}))[0]
    assert (found["kind"], found["shape"], found["distinct"], found["missing"]) == ("image", [4, 3], None, 0)
    assert (found["min"], found["max"]) == (cells.min(), cells.max())
    assert found["mean"] == pytest.approx(cells.mean())
    assert found["std"] == pytest.approx(cells.std(ddof=1))
    assert (found["quantiles"], found["top"]) == (None, None)


def test_a_gap_in_a_vector_is_a_gap_of_its_row() -> None:
    series = pl.Series("v", [[1.0, 2.0], [3.0, float("nan")], None, [5.0, 6.0]], dtype=pl.Array(pl.Float32, 2))
    found = profile(series.to_frame())[0]
    assert (found["kind"], found["shape"]) == ("vector", [2])
    assert (found["missing"], found["first_missing"], found["min"], found["max"], found["mean"]) == (2, 1, 1, 6, 3.5)
