"""Jobs and forks that are submitted, checked and refused without HTTP."""

from pathlib import Path
from typing import Any

import pytest

from engine.errors import InputError
from engine.tables.samples import IrisSample
from store import checkpoints, datasets, forks, jobs, leases, queue, submission
from store.connections import Store
from store.database import Database
from store.errors import NotFound, TooManyQueued
from store.files import Files
from store.job_request import REQUEST, JobRequest
from store.keys import LOCAL, Caller
from store.settings import Settings
from store.tables import Job


@pytest.fixture
def store(database: Database, files: Files, tmp_path: Path) -> Store:
    return Store(Settings(data=tmp_path, max_queued_per_owner=2), database, files)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The messages that are sent, each a job's id and its queue."""
    found: list[tuple[str, str]] = []
    monkeypatch.setattr(queue, "send", lambda job_id, queue_name: found.append((job_id, queue_name)))
    return found


@pytest.fixture
def dataset_id(store: Store) -> str:
    table = datasets.sample_table(IrisSample())
    with store.database.transaction() as session:
        return datasets.create(session, store.files, LOCAL.owner, "iris", {}, b"iris", table).id


def request(dataset_id: str, **fields: Any) -> JobRequest:
    return REQUEST.validate_python({"dataset_id": dataset_id, "target": "species", "model": "logistic_regression", **fields})


def test_a_job_is_completed_stored_and_sent(store: Store, sent: list[tuple[str, str]], dataset_id: str) -> None:
    checked = submission.check(store, LOCAL, request(dataset_id))
    assert sent == []
    job = submission.submit(store, LOCAL, request(dataset_id))
    assert sent == [(job.id, submission.CPU_QUEUE)]
    assert (job.state, job.parameters) == ("queued", checked.estimate().parameters)
    assert job.request["task"] == checked.request.task == "classification"


def test_what_settles_fails_with_the_job(store: Store, sent: list[tuple[str, str]], dataset_id: str) -> None:
    def settle(session: Any, job: Job) -> None:
        raise KeyError(job.id)

    with pytest.raises(KeyError):
        submission.submit(store, LOCAL, request(dataset_id), settle)
    assert sent == []
    with store.database.reading() as session:
        assert jobs.counts(session, None, [])["queued"] == 0


def test_what_cannot_be_trained_is_refused(store: Store, sent: list[tuple[str, str]], dataset_id: str) -> None:
    for caller, fields, error, pointer in [
        (Caller("ana", frozenset({"write"})), {}, NotFound, None),
        (LOCAL, {"target": "colour"}, InputError, "/target"),
        (LOCAL, {"split": {"test": 0.0001}}, InputError, "/split/test"),
    ]:
        with pytest.raises(error) as caught:
            submission.submit(store, caller, request(dataset_id, **fields))
        assert pointer is None or caught.value.errors[0][0] == pointer
    for _ in range(2):
        submission.submit(store, LOCAL, request(dataset_id))
    with pytest.raises(TooManyQueued):
        submission.submit(store, LOCAL, request(dataset_id))
    assert len(sent) == 2


def test_a_fork_begins_at_a_checkpoint(store: Store, sent: list[tuple[str, str]], dataset_id: str) -> None:
    """Of a parent that has a checkpoint without ever having been trained: what a fork needs of it is read, not run."""
    parent = submission.submit(store, LOCAL, request(dataset_id, epochs=5))
    with pytest.raises(InputError, match="they come with the first checkpoint"):
        forks.check(store, LOCAL, parent.id, "last", {})
    with store.database.transaction() as session:
        job = leases.claim(session, parent.id, "worker 1", 60)
        assert job is not None
        checkpoints.save(session, store.files, leases.lease_of(job), 3, b"", values={"epoch": 3})
    with pytest.raises(forks.InvalidOverrides) as caught:
        forks.check(store, LOCAL, parent.id, "last", {"epochs": "many"})
    assert caught.value.document["epochs"] == "many"
    with pytest.raises(InputError) as refused:
        forks.check(store, LOCAL, parent.id, 3, {"epochs": 2})
    assert refused.value.errors[0][0] == "/overrides/epochs"
