import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from store import curves
from store.curves import FANOUT, Recorder, Span
from store.database import Database
from store.tables import CurveBucket, CurvePoint, Series
from tests.store.staging import make_job, together

Values = Sequence[float | None]
hypothesis_settings = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
few = st.lists(
    st.floats(allow_nan=True) | st.none() | st.sampled_from([0.0, math.nan, math.inf, -math.inf]), min_size=1, max_size=50
)
seeds = st.integers(0, 2**32 - 1)
lengths = st.integers(1, 700) | st.sampled_from([FANOUT, FANOUT**2 - 1, FANOUT**2, FANOUT**2 + 1])


def walk(length: int, seed: int = 0) -> Values:
    rng = np.random.default_rng(seed)
    found = rng.standard_normal(length).cumsum()
    found[rng.random(length) < 0.02] = np.nan
    return [float(value) for value in found]


def stored(values: Values) -> Values:
    """As they come back: a gap where there was none or NaN."""
    return [None if value is None or math.isnan(value) else value for value in values]


def batches(values: Values, cuts: Sequence[int]) -> Iterator[Values]:
    edges = [0, *sorted(cut % (len(values) + 1) for cut in cuts), len(values)]
    return (values[first:last] for first, last in pairwise(edges))


def record(database: Database, recorder: Recorder, parts: Iterator[Values], name: str = "loss", first: int = 1) -> None:
    for part in parts:
        for value in part:
            recorder.add(first, {name: value})
            first += 1
        with database.transaction() as session:
            recorder.write(session)


def recorded(database: Database, values: Values, cuts: Sequence[int] = (), name: str = "loss") -> int:
    number = make_job(database).number
    record(database, Recorder(number), batches(values, cuts), name)
    return number


def read(
    database: Database, number: int, first: int, last: int, max_points: int, name: str = "loss"
) -> tuple[list[Span], bool]:
    with database.reading() as session:
        return curves.read(session, number, name, first, last, max_points)


def tables(database: Database, number: int) -> list[Any]:
    """All that is stored of a job's curves."""
    point, bucket = CurvePoint, CurveBucket
    points = select(Series.name, point.step, point.value).join_from(point, Series).where(point.job_number == number)
    spans = (bucket.level, bucket.step, bucket.last_step, bucket.value, bucket.low, bucket.high)
    buckets = select(Series.name, *spans).join_from(bucket, Series).where(bucket.job_number == number)
    with database.reading() as session:
        rows = [*session.execute(points.order_by(Series.name, point.step))]
        rows += session.execute(buckets.order_by(Series.name, bucket.level, bucket.step))
        return [tuple(row) for row in rows]


def check(spans: list[Span], exact: bool, values: Values, first: int, last: int, max_points: int) -> None:
    """What the contract says of a curve's sample; `values` are those from `first` to `last`."""
    values = stored(values)
    present = [value for value in values if value is not None]
    assert len(spans) <= max_points
    assert (spans[0].step, spans[0].value) == (first, values[0])
    assert spans[-1].last_step == last
    if max_points > 1:
        assert (spans[-1].step, spans[-1].value) == (last, values[-1])
    assert min((span.low for span in spans if span.low is not None), default=None) == min(present, default=None)
    assert max((span.high for span in spans if span.high is not None), default=None) == max(present, default=None)
    for before, after in pairwise(spans):
        # The last point may stand both at the end of a span and for itself.
        assert after.step == before.last_step + 1 or (after is spans[-1] and after.step == before.last_step == last)
    for span in spans:
        inside = [value for value in values[span.step - first : span.last_step - first + 1] if value is not None]
        assert span.value == values[span.step - first]
        assert (span.low, span.high) == (min(inside, default=None), max(inside, default=None))
    assert exact == (len(values) <= max_points)
    if exact:
        assert [(span.step, span.value) for span in spans] == list(enumerate(values, start=first))


@hypothesis_settings
@given(
    values=few | st.builds(walk, lengths, seeds),
    cuts=st.lists(st.integers(0, 1000), max_size=4),
    stretches=st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 1000)), max_size=3),
    max_points=st.integers(1, 60) | st.just(1000),
)
def test_any_stretch_of_any_curve(
    database: Database, values: Values, cuts: list[int], stretches: list[tuple[int, int]], max_points: int
) -> None:
    number = recorded(database, values, cuts)
    for one, other in [(0, len(values) - 1), *stretches]:
        first, last = sorted([one % len(values) + 1, other % len(values) + 1])
        spans, exact = read(database, number, first, last, max_points)
        check(spans, exact, values[first - 1 : last], first, last, max_points)
        assert read(database, number, first, last, max_points) == (spans, exact)


@hypothesis_settings
@given(values=st.builds(walk, lengths, seeds), cuts=st.lists(st.integers(0, 1000), max_size=5))
def test_how_it_was_written_in_pieces_does_not_show(database: Database, values: Values, cuts: list[int]) -> None:
    assert tables(database, recorded(database, values, cuts)) == tables(database, recorded(database, values))


@hypothesis_settings
@given(
    values=st.builds(walk, lengths, seeds),
    kept=st.integers(0, 1000),
    lost=st.integers(0, 600),
    cuts=st.lists(st.integers(0, 1000), max_size=2),
)
def test_going_back_to_a_checkpoint_leaves_no_trace(
    database: Database, values: Values, kept: int, lost: int, cuts: list[int]
) -> None:
    """A worker dies after recording `lost` points past the checkpoint; the next goes on from there."""
    kept %= len(values) + 1
    number = recorded(database, [*values[:kept], *[99.0] * lost], cuts)
    recorder = Recorder(number)
    with database.transaction() as session:
        recorder.rewind(session, kept, 0)
    record(database, recorder, batches(values[kept:], cuts), first=kept + 1)
    assert tables(database, number) == tables(database, recorded(database, values))


def test_going_back_knows_steps_from_epochs(database: Database) -> None:
    """Curves of batches count steps: three an epoch here."""
    epochs, steps = walk(40, 1), walk(120, 2)
    undisturbed, number = make_job(database).number, make_job(database).number
    for each in (undisturbed, number):
        recorder = Recorder(each)
        record(database, recorder, iter([epochs]))
        record(database, recorder, iter([steps]), "batch_loss")
    recorder = Recorder(number)
    with database.transaction() as session:
        recorder.rewind(session, 20, 60)
        assert curves.last_step(session, number, "loss") == 20
        assert curves.last_step(session, number, "batch_loss") == 60
        assert curves.last_step(session, undisturbed, "batch_loss") == 120
    record(database, recorder, iter([epochs[20:]]), first=21)
    record(database, recorder, iter([steps[60:]]), "batch_loss", first=61)
    assert tables(database, number) == tables(database, undisturbed)


def test_going_back_forgets_what_was_not_written(database: Database) -> None:
    recorder = Recorder(make_job(database).number)
    recorder.add(1, {"loss": 1.0})
    with database.transaction() as session:
        recorder.rewind(session, 0, 0)
        recorder.write(session)
    assert tables(database, recorder.job_number) == []


def test_the_work_is_bounded_by_the_points_asked_for(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten times as long a curve is read at the same cost, whichever stretch is asked for."""
    fetched: list[int] = []
    real = curves.read_level

    def counted(*given: Any) -> list[Span]:
        found = real(*given)
        fetched.append(len(found))
        return found

    monkeypatch.setattr(curves, "read_level", counted)
    for length in (2_500, 25_000):
        number = recorded(database, walk(length))
        for max_points in (2, 30, 300):
            bound = FANOUT * max_points // 2 + 6 * 2 * FANOUT  # a level's worth, and the unfinished ends of all finer ones
            for first, last in [(1, length), (7, length - 5), (length // 3, length)]:
                fetched.clear()
                spans, _ = read(database, number, first, last, max_points)
                assert sum(fetched) <= bound
                assert len(fetched) <= 12
                assert 2 <= len(spans) <= max_points


@pytest.mark.parametrize(
    ("values", "span"),
    [
        ([1.0, math.nan, 3.0], Span(1, 3, 1.0, 1.0, 3.0)),
        ([math.nan, None], Span(1, 2, None, None, None)),
        ([math.inf, 1.0, -math.inf], Span(1, 3, math.inf, -math.inf, math.inf)),
        ([math.nan, math.inf], Span(1, 2, None, math.inf, math.inf)),
    ],
)
def test_nan_is_a_gap_and_the_infinite_stays(database: Database, values: list[float], span: Span) -> None:
    number = recorded(database, values)
    spans, exact = read(database, number, 1, len(values), 10)
    assert ([found.value for found in spans], exact) == (stored(values), True)
    assert read(database, number, 1, len(values), 1) == ([span], False)


def test_curves_and_jobs_are_kept_apart(database: Database) -> None:
    one, other = make_job(database).number, make_job(database).number
    curves_of = {one: {"loss": walk(50, 1), "accuracy": walk(50, 2)}, other: {"loss": walk(300, 3)}}
    for number, found in curves_of.items():
        recorder = Recorder(number)
        for step in range(len(found["loss"])):
            recorder.add(step + 1, {name: values[step] for name, values in found.items()})
        with database.transaction() as session:
            recorder.write(session)
    for number, found in curves_of.items():
        with database.reading() as session:
            assert curves.names(session, number) == sorted(found)
            assert curves.names(session, 999) == []
            assert curves.last_step(session, number, "loss") == len(found["loss"])
            assert curves.last_step(session, other, "accuracy") == 0
            assert curves.last_step(session, number, "no such") == 0
        for name, values in found.items():
            for max_points in (5, 1000):
                spans, exact = read(database, number, 1, len(values), max_points, name)
                check(spans, exact, values, 1, len(values), max_points)


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [("loss", 11, 10), ("loss", 11, 20), ("loss", 11, 10**9), ("accuracy", 1, 10**9), ("no such", 1, 10)],
)
def test_where_there_is_nothing_nothing_is_read(database: Database, name: str, first: int, last: int) -> None:
    number = recorded(database, walk(10))
    recorded(database, walk(3), name="accuracy")
    assert read(database, number, first, last, 2, name) == ([], True)


def test_values_are_epoch_by_epoch_what_the_stream_sends(database: Database) -> None:
    recorder = Recorder(make_job(database).number)
    for epoch in range(1, 6):
        recorder.add(epoch, {"loss": 1 / epoch, "r2": math.nan if epoch == 3 else 0.5})
        recorder.add(epoch, {"batch_loss": 7.0})
    recorder.add(6, {"loss": 0.0, "batchless": 1.0})

    def values(session: Session, first: int, last: int) -> dict[int, dict[str, Any]]:
        return curves.values(session, recorder.job_number, first, last)

    with database.transaction() as session:
        recorder.write(session)
        assert values(session, 2, 3) == {2: {"loss": 0.5, "r2": 0.5}, 3: {"loss": 1 / 3, "r2": None}}
        assert list(values(session, 1, 100)) == [1, 2, 3, 4, 5, 6]
        assert values(session, 6, 6) == {6: {"loss": 0.0, "batchless": 1.0}}
        assert values(session, 7, 9) == {}


def test_names_get_one_number_each_however_many_ask(database: Database) -> None:
    wanted = ["train_loss", "validation_loss", "accuracy", "é"]

    def ask(place: int) -> dict[str, int]:
        with database.transaction() as session:
            return curves.series_numbers(session, wanted[place % 2 :] + wanted[: place % 2])

    found = together(8, ask)
    assert all(numbers == found[0] for numbers in found), found
    assert isinstance(found[0], dict)
    assert len(set(found[0].values())) == len(wanted)


def test_nothing_to_write_writes_nothing(database: Database) -> None:
    recorder = Recorder(make_job(database).number)
    with database.transaction() as session:
        recorder.write(session)
        assert session.scalars(select(Series)).all() == []


def test_what_was_rolled_back_is_written_again(database: Database) -> None:
    number = make_job(database).number
    recorder, calm = Recorder(number), Recorder(number)
    for step in range(1, 40):
        recorder.add(step, {"train_loss": step / 7})
    with database.transaction() as session:
        recorder.write(session)
        session.rollback()
    assert len(recorder.points) == 39
    with database.transaction() as session:
        recorder.write(session)
    assert recorder.points == []
    with database.reading() as session:
        spans, exact = curves.read(session, number, "train_loss", 1, 39, 100)
    assert exact
    assert [span.value for span in spans] == [step / 7 for step in range(1, 40)]
    with database.transaction() as session:
        calm.rewind(session, 39, 0)
    assert {key: spans for key, spans in recorder.unfinished.items() if spans} == calm.unfinished
