"""Lists of jobs, datasets and models: what a page says, what it costs, and how many jobs may wait."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from tests.service.conftest import Stage
from worker.training import run

BODY: dict[str, Any] = {"target": "y", "model": {"kind": "mlp", "hidden": [{"units": 2}]}, "epochs": 2}


@pytest.fixture
def limited(make_stage: Callable[..., Stage]) -> Stage:
    return make_stage(max_queued_per_owner=2)


def test_how_many_jobs_of_an_owner_may_be_queued(limited: Stage) -> None:
    client = limited.client
    body = {**BODY, "dataset_id": limited.sample("xor")}
    done = client.post("/v1/jobs", json=body).json()["id"]
    assert run(limited.place)
    waiting = [client.post("/v1/jobs", json=body).json() for _ in range(2)]
    assert [job["queue_position"] for job in waiting] == [1, 2]
    refused = [
        client.post("/v1/jobs", json=body),
        client.post("/v1/jobs", params={"validate_only": True}, json=body),
        client.post(f"/v1/jobs/{done}/fork", json={"epoch": "last", "overrides": {"epochs": 4}}),
    ]
    for answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_QUEUED"), answer.text
        assert "cancel" in answer.json()["detail"]
        assert int(answer.headers["Retry-After"]) > 0
    assert client.post(f"/v1/jobs/{waiting[0]['id']}/cancel").status_code == 202
    assert client.post("/v1/jobs", json=body).json()["queue_position"] == 2


def test_a_page_of_jobs_is_as_many_queries_as_one_job(stage: Stage) -> None:
    body = {**BODY, "dataset_id": stage.sample("xor")}
    engine, asked = stage.client.app.state.store.database.engine, []  # type: ignore[attr-defined]
    event.listen(engine, "before_cursor_execute", lambda connection, cursor, statement, *_: asked.append(statement))

    def queries() -> int:
        asked.clear()
        found = stage.client.get("/v1/jobs").json()["items"]
        places = [job["queue_position"] for job in found]
        assert places == list(range(len(found), 0, -1))
        assert all([step["state"] for step in job["transitions"]] == ["queued"] for job in found)
        return len(asked)

    stage.client.post("/v1/jobs", json=body)
    one = queries()
    for _ in range(4):
        stage.client.post("/v1/jobs", json=body)
    assert queries() == one
