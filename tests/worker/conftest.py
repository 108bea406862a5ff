"""A worker's context on either database, and a way to post jobs to it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from engine.fast import steps
from engine.tables.samples import Sample
from engine.training.completion import complete
from store import datasets, jobs
from store.database import Database
from store.files import Files
from store.job_request import REQUEST, document_of
from store.settings import Settings
from worker.context import WorkerContext

SAMPLE: TypeAdapter[Sample] = TypeAdapter(Sample)


@pytest.fixture
def place(database: Database, files: Files, tmp_path: Path) -> WorkerContext:
    return WorkerContext(Settings(data=tmp_path), database, files, "worker 1")


@pytest.fixture
def post(place: WorkerContext) -> Callable[..., str]:
    """Store a sample and a job on it, as the API would; its id."""

    def make(sample: str, target: str | list[str] | None, **fields: Any) -> str:
        table = datasets.sample_table(SAMPLE.validate_python({"kind": sample}))
        with place.database.transaction() as session:
            dataset = datasets.create(session, place.files, "ana", sample, {}, sample.encode(), table)
            request = REQUEST.validate_python({"dataset_id": dataset.id, "target": target, **fields})
            completed = complete(request, datasets.summaries(dataset), dataset.rows)
            return jobs.create(session, "ana", document_of(completed)).id

    return make


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The ways that networks take their steps, as they are chosen: small, large or definition."""
    found: set[str] = set()
    choose = steps.fast

    def told(*given: Any) -> steps.Fast | None:
        steps = choose(*given)
        found.add("definition" if steps is None else type(steps).__name__.lower())
        return steps

    monkeypatch.setattr(steps, "fast", told)
    return found
