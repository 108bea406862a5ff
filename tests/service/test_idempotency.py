"""Idempotency-Key on what creates: done once, answered alike."""

from typing import Any

from cli.demo import IRIS
from store import idempotency
from tests.service.conftest import Stage


def body(dataset_id: str, **fields: Any) -> dict[str, Any]:
    return {"dataset_id": dataset_id, "target": "species", "model": {"kind": "mlp"}, **fields}


def test_the_same_key_and_body_start_one_job(stage: Stage) -> None:
    iris, headers = stage.iris(), {"Idempotency-Key": "order 66"}
    first = stage.client.post("/v1/jobs", json=body(iris), headers=headers)
    second = stage.client.post("/v1/jobs", json=body(iris), headers=headers)
    assert (second.status_code, second.text, second.headers["location"]) == (202, first.text, first.headers["location"])
    assert len(stage.client.get("/v1/jobs").json()["items"]) == 1
    assert len(stage.sent) == 1


def test_another_body_under_the_same_key_is_refused(stage: Stage) -> None:
    iris, headers = stage.iris(), {"Idempotency-Key": "order 66"}
    stage.client.post("/v1/jobs", json=body(iris), headers=headers)
    other = stage.client.post("/v1/jobs", json=body(iris, epochs=7), headers=headers)
    assert other.status_code == 422
    assert other.json()["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_a_request_that_failed_frees_its_key(stage: Stage) -> None:
    iris, headers = stage.iris(), {"Idempotency-Key": "order 66"}
    assert stage.client.post("/v1/jobs", json=body(iris, target="nope"), headers=headers).status_code == 422
    assert stage.client.post("/v1/jobs", json=body(iris), headers=headers).status_code == 202


def test_a_key_whose_request_still_runs_is_409(stage: Stage) -> None:
    headers = {"Idempotency-Key": "order 66"}
    first = stage.client.post("/v1/datasets", json={"sample": {"kind": "xor"}}, headers=headers)
    assert first.status_code == 201
    with stage.place.database.transaction() as session:
        session.execute(idempotency.update(idempotency.IdempotencyKey).values(status=None, response=None))
    again = stage.client.post("/v1/datasets", json={"sample": {"kind": "xor"}}, headers=headers)
    assert again.status_code == 409
    assert again.json()["code"] == "IDEMPOTENCY_KEY_IN_USE"


def test_an_upload_is_known_by_its_content_not_by_its_boundary(stage: Stage) -> None:
    headers = {"Idempotency-Key": "iris"}
    answers = [
        stage.client.post("/v1/datasets", files={"file": ("iris.csv", IRIS.read_bytes())}, headers=headers) for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert len(stage.client.get("/v1/datasets").json()["items"]) == 1
    other = stage.client.post("/v1/datasets", files={"file": ("iris.csv", b"a,b\n1,2\n")}, headers=headers)
    assert other.status_code == 422
