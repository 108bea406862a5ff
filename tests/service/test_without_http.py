"""Boundaries, weights and coefficients by plain calls: no application, no client, no request."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.errors import InputError
from engine.tables.samples import IrisSample
from service.boundaries import boundary_of
from service.weights import coefficients_of, refuse_too_many, tensors_of, weights_of
from store import datasets, jobs, queue, submission
from store.connections import Store
from store.database import Database
from store.files import Files
from store.job_request import REQUEST
from store.keys import LOCAL
from store.predictors import PredictorAt, predictor_at
from store.settings import Settings
from worker.context import WorkerContext
from worker.training import run


@pytest.fixture
def store(sqlite_database: Database, files: Files, tmp_path: Path) -> Store:
    return Store(Settings(data=tmp_path), sqlite_database, files)


@pytest.fixture
def job_id(store: Store, monkeypatch: pytest.MonkeyPatch) -> str:
    """A logistic regression of iris, trained."""
    monkeypatch.setattr(queue, "send", lambda *_: True)
    with store.database.transaction() as session:
        made = datasets.create(session, store.files, LOCAL.owner, "iris", {}, b"iris", datasets.sample_table(IrisSample()))
        body = {"dataset_id": made.id, "target": "species", "model": "logistic_regression", "epochs": 3}
    job = submission.submit(store, LOCAL, REQUEST.validate_python(body))
    assert run(WorkerContext(store.settings, store.database, store.files, "worker 1"), job.id)
    return job.id


def at(store: Store, job_id: str) -> PredictorAt:
    with store.database.reading() as session:
        return predictor_at(session, store.files, jobs.get(session, job_id, None), "last")


def test_a_boundary_is_drawn(store: Store, job_id: str) -> None:
    found = boundary_of(store, LOCAL, job_id, "petal_length", "petal_width", resolution=4, fixed={"sepal_width": 3.5})
    assert np.shape(found.predictions) == (4, 4)
    assert found.fixed["sepal_width"] == 3.5
    asked: list[tuple[dict[str, Any], str]] = [
        ({"x": "colour"}, "/x"),
        ({"x": "petal_width", "y": "petal_width"}, "/y"),
        ({"fixed": {"colour": 1}}, "/fixed/colour"),
        ({"fixed": "{"}, "/fixed"),
    ]
    for given, pointer in asked:
        with pytest.raises(InputError) as caught:
            boundary_of(store, LOCAL, job_id, **given)
        assert [at for at, _ in caught.value.errors] == [pointer]


def test_weights_and_coefficients_are_told(store: Store, job_id: str) -> None:
    found = at(store, job_id)
    told = weights_of(job_id, found)
    tensors = tensors_of(found)
    assert told.epoch == 3
    np.testing.assert_array_equal(told.layers[0].weights, tensors["output.weights"])
    coefficients = coefficients_of(found.predictor)
    assert coefficients is not None
    assert coefficients == told.coefficients
    assert np.shape(coefficients.weights) == (4, 3)
    with pytest.raises(InputError) as caught:
        refuse_too_many(1, found)
    assert [at for at, _ in caught.value.errors] == ["/layer"]
