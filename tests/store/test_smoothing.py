import math
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.curves import Recorder
from store.database import Database
from store.smoothing import Average, Smoothed, first_read, reach, smooth
from tests.store.staging import make_job

Values = Sequence[float | None]
BETAS = (0.0, 0.3, 0.6, 0.9, 0.99)
finite = st.floats(-1e6, 1e6)
values_of_curves = st.lists(finite | st.none() | st.sampled_from([math.nan, math.inf, -math.inf]), min_size=1, max_size=120)


def recorded(database: Database, values: Values, begin: int = 1) -> int:
    recorder = Recorder(make_job(database).number)
    for step, value in enumerate(values, start=begin):
        recorder.add(step, {"loss": value})
    with database.transaction() as session:
        recorder.write(session)
    return recorder.job_number


def smoothed(database: Database, number: int, begin: int, steps: Sequence[int], beta: float) -> Smoothed:
    with database.reading() as session:
        return smooth(session, number, "loss", begin, steps, beta)


def defined(values: Values, place: int, beta: float) -> tuple[float | None, float]:
    """The definition, as it stands: numerator and denominator summed over all that counts; the denominator beside it."""
    counted = [
        (beta ** (place - k) if place > k else 1.0, value)
        for k, value in enumerate(values[: place + 1])
        if value is not None and math.isfinite(value) and place - k < reach(beta)
    ]
    weight = math.fsum(share for share, _ in counted)
    return (math.fsum(share * value for share, value in counted) / weight if counted else None), weight


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(values=values_of_curves, beta=st.sampled_from(BETAS), begin=st.integers(1, 50), data=st.data())
def test_every_point_is_averaged_as_defined(
    database: Database, values: Values, beta: float, begin: int, data: st.DataObject
) -> None:
    """Whichever points are asked for: the average is over all of the curve, not over those."""
    places = sorted(data.draw(st.sets(st.integers(0, len(values) - 1), min_size=1)))
    number = recorded(database, values, begin)
    found = smoothed(database, number, begin, [begin + place for place in places], beta)
    expected = [defined(values, place, beta) for place in places]
    assert [value is None for value in found.values] == [value is None for value, _ in expected]
    pairs = zip(found.values, expected, strict=True)
    scale = max((abs(value) for value in values if value is not None and math.isfinite(value)), default=0.0)
    for value, (wanted, _) in pairs:
        if value is not None:
            assert value == pytest.approx(wanted, abs=1e-12 * scale + 1e-300)
    assert found.weight == pytest.approx(expected[-1][1], rel=1e-12)


def test_what_follows_is_worked_out_from_value_and_weight(database: Database) -> None:
    """As pages do that append what the event stream tells."""
    values = [math.sin(k) + k / 50 for k in range(200)]
    number = recorded(database, values)
    at = smoothed(database, number, 1, [120], 0.9)
    s, w = at.values[0], at.weight
    assert s is not None
    for y in values[120:]:
        w = 0.9 * w + 1
        s += (y - s) / w
    assert s == pytest.approx(smoothed(database, number, 1, [200], 0.9).values[0], rel=1e-12)


@pytest.mark.parametrize("beta", BETAS)
def test_the_cost_is_that_of_the_stretch_and_of_what_counts_before_it(database: Database, beta: float) -> None:
    assert reach(beta) == 1 if beta == 0 else beta ** reach(beta) <= 2**-53 < beta ** (reach(beta) - 1)
    assert first_read(beta, 1, 10**6) == 10**6 - reach(beta) + 1
    assert first_read(beta, 7, 8) == (8 if beta == 0 else 7)


def test_what_lies_too_far_back_does_not_count(database: Database) -> None:
    average = Average(0.3)
    average.add(5.0)
    for _ in range(reach(0.3) - 1):
        average.add(None)
        assert average.value == 5.0
    average.add(None)
    assert (average.value, average.weight) == (None, 0.0)


def test_numbers_near_the_largest_do_not_overflow() -> None:
    average = Average(0.5)
    for value in (1.7e308, -1.7e308, 1.7e308):
        average.add(value)
    assert average.value == pytest.approx(1.7e308 * (1 - 0.5 + 0.25) / 1.75)


def test_a_curve_that_is_not_there(database: Database) -> None:
    assert smoothed(database, make_job(database).number, 1, [1, 2], 0.9) == Smoothed([], 0.0)
    assert smoothed(database, recorded(database, [1.0]), 1, [], 0.9) == Smoothed([], 0.0)
