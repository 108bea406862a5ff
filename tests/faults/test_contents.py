"""Fault 10: bytes of stored contents overwritten while processes run on them."""

import os
import random
from collections.abc import Callable
from typing import Any

from sqlalchemy import select

from store.tables import Dataset, Job, Model
from tests.end_to_end.conftest import Server
from tests.faults.deployment import Deployment, count
from tests.faults.invariants import bits
from tests.faults.test_kills import NETWORK

DAMAGES = count(3, 30)
BYTES = 64
SAMPLE = {"sample": {"kind": "digits"}}
SHORT = NETWORK | {"epochs": 10}
READS = ("rows", "warnings?target=digit", "correlations?target=digit", "histogram?column=digit", "content")


def test_64_bytes_overwritten_anywhere_are_told_end_nothing_and_are_mended(
    embedded: Deployment, chance: random.Random, tally: Callable[..., None]
) -> None:
    deployment, api, worker = embedded, embedded.api(), embedded.worker()
    digits = deployment.digits(api)
    whole = api.done(api.post(digits, **SHORT))
    before = bits(deployment.database, deployment.files, whole["id"])
    digests = _digests(deployment, digits, whole["id"])
    told = 0
    for turn in range(DAMAGES):
        name, digest = list(digests.items())[turn % len(digests)]
        _overwrite(deployment, digest, chance)
        answers = [api.client.get(f"/v1/datasets/{digits}/{path}") for path in READS]
        answers += [api.client.get(f"/v1/jobs/{whole['id']}/evaluation")]
        codes = [answer.json()["code"] for answer in answers if answer.status_code == 500]
        assert codes, name
        assert set(codes) == {"CONTENT_DAMAGED"}, name
        assert {answer.status_code for answer in answers} <= {200, 500}, name
        if name == "table":
            _is_refused(api, digits)
        told += len(codes)
        assert api.client.post("/v1/datasets", json=SAMPLE).status_code == 201
        if name != "original":
            again = api.done(api.post(digits, **SHORT))
            assert (again["state"], again["attempt"]) == ("succeeded", 1)
        assert all(api.client.get(f"/v1/datasets/{digits}/{path}").status_code == 200 for path in READS)
        assert bits(deployment.database, deployment.files, whole["id"]) == before
    assert (api.process.poll(), worker.poll()) == (None, None)
    tally(contents_damaged=DAMAGES, refusals=told)


def _digests(deployment: Deployment, dataset_id: str, job_id: str) -> dict[str, str]:
    with deployment.database.reading() as session:
        dataset = session.scalars(select(Dataset).where(Dataset.id == dataset_id)).one()
        job = session.scalars(select(Job).where(Job.id == job_id)).one()
        model = session.scalars(select(Model).where(Model.id == job.model_id)).one()
        return {"table": dataset.table_digest, "original": dataset.digest, "weights": model.digest}


def _overwrite(deployment: Deployment, digest: str, chance: random.Random) -> None:
    path = deployment.files.path(digest)
    start, length = chance.randrange(path.stat().st_size - BYTES), BYTES
    with path.open("r+b") as file:
        file.seek(start)
        before = file.read(length)
        file.seek(start)
        file.write(bytes(byte ^ chance.randrange(1, 256) for byte in before))
        file.flush()
        os.fsync(file.fileno())


def _is_refused(api: Server, dataset_id: str) -> None:
    """A job on what is damaged is not taken, or fails at once with that error."""
    answer: Any = api.client.post("/v1/jobs", json={"dataset_id": dataset_id, "target": "digit", "model": {"kind": "mlp"}})
    if answer.status_code == 202:
        job = api.done(answer.json()["id"])
        assert (job["state"], job["attempt"], job["error"]["code"]) == ("failed", 1, "CONTENT_DAMAGED")
    else:
        assert (answer.status_code, answer.json()["code"]) == (500, "CONTENT_DAMAGED")
