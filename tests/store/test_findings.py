"""Warnings of a table: what is worth a look, with numbers, and nothing where there is nothing."""

from typing import Any

import numpy as np
import polars as pl
import pytest

from engine.training.findings import MOST_NAMED
from store.findings import warnings_of
from store.profile import profile

RNG = np.random.default_rng(0)
ROWS = 200
X = RNG.normal(0, 1, ROWS)


def found(**columns: Any) -> list[tuple[str | None, str, str]]:
    table = pl.DataFrame(columns)
    return [(w.get("column"), w["code"], w["detail"]) for w in warnings_of(profile(table), table)]


def codes(**columns: Any) -> list[tuple[str | None, str]]:
    return [(column, code) for column, code, _ in found(**columns)]


WORDS = RNG.choice(["a", "b", "c"], ROWS)


def test_a_good_table_has_none() -> None:
    assert found(x=X, n=RNG.integers(0, 9, ROWS), word=WORDS, flag=X > 0) == []


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"id": np.arange(100, 100 + ROWS)}, "numbers the 200 rows from 100 to 299"),
        ({"id": RNG.permutation(ROWS)}, "numbers the 200 rows from 0 to 199"),
        ({"id": np.cumsum(RNG.integers(1, 9, ROWS))}, "only ever rises over the 200 rows"),
        ({"id": -np.cumsum(RNG.integers(1, 9, ROWS))}, "only ever falls over the 200 rows"),
        ({"id": [f"row {n}" for n in range(ROWS)]}, "has a different value in each of the 200 rows"),
    ],
)
def test_what_names_a_row_is_id_like(columns: Any, text: str) -> None:
    ((column, code, detail),) = found(**columns)
    assert (column, code) == ("id", "ID_LIKE")
    assert text in detail


def test_what_differs_in_every_row_is_no_name_by_that_alone() -> None:
    assert codes(x=X * 1e5, n=RNG.permutation(10**6)[:ROWS], few=[*"abcdefghij"] * (ROWS // 10)) == []
    assert codes(few=[1, 2, 3]) == []


def test_duplicates_name_the_first_that_they_repeat() -> None:
    shuffled = RNG.permutation(X)
    seen = found(a=X, b=shuffled, c=X.copy(), w=WORDS, d=X, v=WORDS, n=RNG.integers(0, 9, ROWS))
    assert [(column, code) for column, code, _ in seen] == [(name, "DUPLICATE_COLUMN") for name in ("c", "d", "v")]
    assert "the same 200 cells as column 'a'" in seen[0][2]
    assert "column 'w'" in seen[2][2]


def test_numbers_are_duplicates_whatever_their_type() -> None:
    n = RNG.integers(0, 9, ROWS)
    assert codes(a=n, b=n.astype(np.float32), c=n.astype(np.uint8)) == [("b", "DUPLICATE_COLUMN"), ("c", "DUPLICATE_COLUMN")]
    gap = pl.Series([None, *n[1:].tolist()])
    other = pl.Series([*n[:-1].tolist(), None])
    assert ("b", "DUPLICATE_COLUMN") not in codes(a=gap, b=other)
    assert ("b", "DUPLICATE_COLUMN") in codes(a=gap, b=gap)


def test_arrays_are_compared_too() -> None:
    cells = RNG.integers(0, 9, (ROWS, 4)).astype(np.uint8)
    arrays = [pl.Series(part, dtype=pl.Array(pl.UInt8, 4)) for part in (cells, cells.copy(), cells[::-1].copy())]
    assert codes(a=arrays[0], b=arrays[1], c=arrays[2]) == [("b", "DUPLICATE_COLUMN")]
    still = pl.Series(np.ones((ROWS, 4), np.uint8), dtype=pl.Array(pl.UInt8, 4))
    assert codes(a=still) == [("a", "CONSTANT_COLUMN")]


def test_many_words_are_text_or_many_categories() -> None:
    text = [f"w{n}" for n in range(150)] + ["w0"] * 50
    assert [(c, code) for c, code, _ in found(t=text)] == [("t", "FREE_TEXT")]
    assert "150 different words in 200 rows" in found(t=text)[0][2]
    many = [f"w{n % 150}" for n in range(400)]
    assert codes(m=many) == [("m", "MANY_CATEGORIES")]


def test_scales_far_apart() -> None:
    ((column, code, detail),) = found(area=X * 2000, rate=X[::-1] / 10)
    assert (column, code) == ("area", "SCALES_DIFFER")
    assert "'rate'" in detail
    assert f"{np.std(X * 2000, ddof=1):.3g}" in detail
    assert found(area=X * 90, rate=X[::-1]) == []


def test_of_one_code_some_are_told_and_the_others_counted() -> None:
    seen = found(**{f"c{n}": [1] * 30 for n in range(100)})
    assert len(seen) == MOST_NAMED + 1
    assert seen[-1] == (None, "CONSTANT_COLUMN", "the same holds for 80 more columns")
