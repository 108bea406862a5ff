"""The best value of each loss and metric: written with the curves, cut back with them, and what jobs are ordered by."""

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.parts.metrics import METRICS
from store import best_values
from store.best_values import BETTER
from store.curves import Recorder
from store.database import Database
from store.leases import update_row
from store.pages import page
from store.tables import Job
from tests.store.staging import claim, make_job

Curve = Sequence[float | None]
NAMES = ("validation_accuracy", "train_loss")
VALUES = st.none() | st.floats(-1e6, 1e6) | st.sampled_from([math.nan, math.inf])


def best(database: Database, job: Job) -> dict[str, float]:
    with database.reading() as session:
        return best_values.of_jobs(session, [job.number])[job.number]


def expected(curve: Curve) -> dict[str, float]:
    finite = [value for value in curve if value is not None and math.isfinite(value)]
    return {"validation_accuracy": max(finite), "train_loss": min(finite)} if finite else {}


def record(database: Database, recorder: Recorder, curve: Curve, first: int) -> None:
    with database.transaction() as session:
        for epoch, value in enumerate(curve, start=first):
            recorder.add(epoch, {**dict.fromkeys(NAMES, value), "seconds": 1.0})
        recorder.write(session)


def test_every_metric_says_which_way_is_better() -> None:
    names = {"loss", *METRICS}
    assert BETTER.keys() == {f"{part}_{name}" for part in ("train", "validation") for name in names}


@example([*[None] * 13, 0.0, 1.0, math.inf], [], 16)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(VALUES, min_size=1, max_size=40), st.lists(VALUES, max_size=40), st.integers(0, 40))
def test_they_are_those_of_the_curve_also_when_it_is_cut_back(
    sqlite_database: Database, curve: Curve, rest: Curve, kept: int
) -> None:
    """A lost attempt's epochs after its checkpoint are trained again, and count for nothing until they are."""
    job = make_job(sqlite_database)
    recorder, kept = Recorder(job.number), min(kept, len(curve))
    record(sqlite_database, recorder, curve, 1)
    assert best(sqlite_database, job) == expected(curve)
    again = Recorder(job.number)
    with sqlite_database.transaction() as session:
        again.rewind(session, kept, 0)
    assert best(sqlite_database, job) == expected(curve[:kept])
    record(sqlite_database, again, rest, kept + 1)
    assert best(sqlite_database, job) == expected([*curve[:kept], *rest])


def test_what_is_rolled_back_is_written_the_next_time(database: Database) -> None:
    job = make_job(database)
    lease, recorder = claim(database, job), Recorder(job.number)
    recorder.add(1, {"train_loss": 0.5})
    with suppress(RuntimeError), database.transaction() as session:
        update_row(session, lease, epoch=1)
        recorder.write(session)
        raise RuntimeError
    assert best(database, job) == {}
    record(database, recorder, [], 2)
    assert best(database, job) == {"train_loss": 0.5}


@pytest.mark.parametrize("descending", [True, False])
def test_jobs_come_by_their_best_value_and_those_without_last(database: Database, descending: bool) -> None:
    given: list[float | None] = [0.5, None, 0.9, 0.5, -1.0, None, 1.0, 0.9]
    rows = [make_job(database) for _ in given]
    for job, value in zip(rows, given, strict=True):
        if value is not None:
            record(database, Recorder(job.number), [value - 1, value, value - 2], 1)
    sign = -1 if descending else 1
    pairs: list[Any] = list(zip(rows, given, strict=True))
    in_order = sorted(pairs, key=lambda pair: (pair[1] is None, sign * (pair[1] or 0), sign * pair[0].number))
    found: list[int] = []
    token = None
    with database.reading() as session:
        while True:
            order = best_values.order("validation_accuracy", descending)
            some, token = page(session, Job, [], 3, token, order, "scope")
            found += [job.number for job in some]
            if token is None:
                break
        nobody_has_it, _ = page(session, Job, [], 100, None, best_values.order("train_rmse", True))
    assert found == [job.number for job, _ in in_order]
    assert len(nobody_has_it) == len(rows)
