"""The spread of a number over repeated runs, against SciPy."""

import math

import numpy as np
import pytest
from scipy import stats

from engine.training.spread import LEVEL, spread, student_t


@pytest.mark.parametrize("freedom", [*range(1, 31), 99, 1000])
@pytest.mark.parametrize("probability", [0.6, 0.9, 0.975, 0.9995])
def test_quantiles_of_students_t_are_scipys(probability: float, freedom: int) -> None:
    assert student_t(probability, freedom) == pytest.approx(stats.t.ppf(probability, freedom), rel=1e-9)


def test_quantiles_are_those_of_the_printed_table() -> None:
    """t(0.975) as the tables have it for 1, 2, 4, 9, 29 and 99 degrees of freedom."""
    printed = {1: 12.706, 2: 4.303, 4: 2.776, 9: 2.262, 29: 2.045, 99: 1.984}
    assert {freedom: round(student_t(0.975, freedom), 3) for freedom in printed} == printed


@pytest.mark.parametrize("count", [2, 3, 10, 100])
def test_mean_deviation_and_interval_are_scipys(count: int) -> None:
    values = np.random.default_rng(count).normal(3, 2, count)
    found = spread(values.tolist())
    assert (found.count, found.low, found.high) == (count, values.min(), values.max())
    assert found.mean == pytest.approx(values.mean(), rel=1e-14)
    assert found.deviation == pytest.approx(stats.tstd(values), rel=1e-12)
    expected = stats.t.interval(LEVEL, count - 1, values.mean(), stats.sem(values))
    assert found.interval == pytest.approx(expected, rel=1e-9)


def test_one_number_has_no_spread_and_equal_ones_have_none() -> None:
    one, equal = spread([0.5]), spread([0.5] * 4)
    assert (one.mean, one.deviation, one.interval) == (0.5, None, None)
    assert (equal.deviation, equal.interval) == (0.0, (0.5, 0.5))


def test_what_is_not_finite_stays_in_sight() -> None:
    found = spread([1.0, math.inf])
    assert found.mean == math.inf and found.deviation is not None and math.isnan(found.deviation)
