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


def names(answer: Any) -> list[str | None]:
    assert answer.status_code == 200, answer.text
    return [item["name"] for item in answer.json()["items"]]


@pytest.fixture
def listed(stage: Stage) -> Stage:
    """Five jobs, one done, one cancelled; two of them without a name."""
    body = {**BODY, "dataset_id": stage.sample("xor")}
    for name in ("Ärger 50%", "beta", None, "ALPHA_1", None):
        assert stage.client.post("/v1/jobs", json={**body, "name": name}).status_code == 202
    run(stage.place)
    newest = stage.client.get("/v1/jobs").json()["items"][0]
    stage.client.post(f"/v1/jobs/{newest['id']}/cancel")
    return stage


def test_a_list_by_any_order_and_name(listed: Stage) -> None:
    get = listed.client.get
    newest = get("/v1/jobs").json()["items"]
    oldest = newest[::-1]
    orders = {
        "created_at": oldest,
        "-created_at": newest,
        "name": sorted(oldest, key=lambda job: (job["name"] is None, (job["name"] or "").casefold())),
        "-finished_at": sorted(newest, key=lambda job: job["finished_at"] or "", reverse=True),
        "finished_at": sorted(oldest, key=lambda job: job["finished_at"] or "9"),
        "-state": sorted(newest, key=lambda job: job["state"], reverse=True),
    }
    for order_by, expected in orders.items():
        found, token = [], None
        while True:
            given = {"order_by": order_by, "page_size": 2, "total": True} | ({"page_token": token} if token else {})
            answer = get("/v1/jobs", params=given)
            assert answer.json()["total"] == 5
            found += answer.json()["items"]
            token = answer.json()["next_page_token"]
            if token is None:
                break
            for other in ({"order_by": "state"}, {"name": "a"}, {"state": "queued"}, {}):
                other = {"page_token": token, **other}
                refused = get("/v1/jobs", params=other).json().get("code") == "BAD_PAGE_TOKEN"
                assert refused == (order_by != "-created_at" or len(other) > 1), (order_by, other)
        assert [job["id"] for job in found] == [job["id"] for job in expected], order_by
    searched = {"alpha_": ["ALPHA_1"], "ärger": ["Ärger 50%"], "50%": ["Ärger 50%"], "%": ["Ärger 50%"], "_": ["ALPHA_1"]}
    for text, expected_names in searched.items():
        assert names(get("/v1/jobs", params={"name": text})) == expected_names
    assert names(get("/v1/datasets", params={"name": "XO", "order_by": "-bytes"})) == ["xor"]
    assert len(names(get("/v1/models", params={"model_kind": "mlp", "order_by": "-parameters", "view": "brief"}))) == 1
    for path in ("/v1/jobs?order_by=size", "/v1/datasets?view=short", "/v1/models?order_by=-x"):
        assert get(path).status_code == 422


def test_jobs_are_counted_by_state(listed: Stage) -> None:
    found = listed.client.get("/v1/jobs/summary").json()
    rest = dict.fromkeys(("running", "pausing", "paused", "cancelling", "failed"), 0)
    assert found == {"total": 5, "states": {"queued": 3, "succeeded": 1, "cancelled": 1, **rest}}
    found = listed.client.get("/v1/jobs/summary", params={"name": "b", "model_kind": "mlp"}).json()
    assert (found["total"], found["states"]["queued"]) == (1, 1)


def test_a_brief_list_says_the_same_as_the_whole(listed: Stage) -> None:
    get = listed.client.get
    brief, full = (get("/v1/jobs", params={"view": view}).json()["items"] for view in ("brief", "full"))
    for short, whole in zip(brief, full, strict=True):
        same = {name: value for name, value in short.items() if name in whole and name not in ("latest", "best")}
        assert len(same) >= 13
        assert same == {name: whole[name] for name in same}
        assert (short["target"], short["model_kind"], short["error_code"]) == ("y", "mlp", None)
        assert short["latest"].items() <= whole["latest"].items()
    assert {"epoch", "train_loss"} <= {*brief[-1]["latest"]} < {*full[-1]["latest"]}
    for path, left_out in (("/v1/datasets", {"columns"}), ("/v1/models", {"request", "inputs", "fitted", "scaling"})):
        short, whole = (get(path, params={"view": view}).json()["items"][0] for view in ("brief", "full"))
        assert not left_out & short.keys()
        assert {name: whole[name] for name in short} == short
        assert whole == get(f"{path}/{whole['id']}").json()
    assert get("/v1/datasets").json() == get("/v1/datasets?view=brief").json()
    assert get("/v1/datasets").json()["items"][0]["column_count"] == 3


def test_a_brief_list_of_datasets_never_reads_the_columns(listed: Stage) -> None:
    engine, asked = listed.client.app.state.store.database.engine, []  # type: ignore[attr-defined]
    event.listen(engine, "before_cursor_execute", lambda connection, cursor, statement, *_: asked.append(statement))
    listed.client.get("/v1/datasets")
    assert [statement for statement in asked if "FROM datasets" in statement]
    assert not [statement for statement in asked if "datasets.columns" in statement]
    listed.client.get("/v1/jobs?view=brief")
    assert not [statement for statement in asked if "jobs.fitted" in statement or "jobs.warnings" in statement]
