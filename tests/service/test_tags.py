"""Jobs are named and tagged, found by a tag, and say how much they will train while they wait."""

from typing import Any

import pytest

from tests.service.conftest import Stage
from tests.service.test_auth import bearer
from worker.training import run


def posted(stage: Stage, dataset_id: str, target: str = "species", kind: str = "mlp", **fields: Any) -> dict[str, Any]:
    body = {"dataset_id": dataset_id, "target": target, "model": {"kind": kind}, **fields}
    response = stage.client.post("/v1/jobs", json=body)
    assert response.status_code == 202, response.text
    return response.json()


def tagged(stage: Stage, tag: str) -> list[str]:
    return [job["id"] for job in stage.client.get("/v1/jobs", params={"tag": tag}).json()["items"]]


def test_a_job_is_renamed_and_tagged_in_any_state(stage: Stage) -> None:
    job = posted(stage, stage.iris(), name="first", tags=["week 3", "ã"], epochs=3)
    url = f"/v1/jobs/{job['id']}"
    assert (job["name"], job["tags"], job["request"]["tags"]) == ("first", ["week 3", "ã"], ["week 3", "ã"])
    changed = stage.client.patch(url, json={"name": "second"}).json()
    assert changed == {**job, "name": "second"} == stage.client.get(url).json()
    run(stage.place, job["id"])
    done = stage.client.get(url).json()
    assert stage.client.get(f"/v1/models/{done['model_id']}").json()["name"] == "second"
    changed = stage.client.patch(url, json={"tags": ["b", "a"]}).json()
    assert changed == {**done, "tags": ["b", "a"]} == stage.client.get("/v1/jobs").json()["items"][0]
    assert stage.client.patch(url, json={}).json() == changed
    bare = stage.client.patch(url, json={"name": None, "tags": None}).json()
    assert bare == {**done, "name": None, "tags": []}
    events = stage.client.get(f"{url}/events", headers={"accept": "application/json"}).json()["items"]
    assert events[-1]["data"] == bare


def test_jobs_are_found_by_a_tag(stage: Stage) -> None:
    dataset_id = stage.iris()
    tags = (["a", "b"], ["A"], [",", 'say "b"'], ["ab"], [])
    jobs = [posted(stage, dataset_id, tags=each)["id"] for each in tags]
    assert tagged(stage, "a") == [jobs[0]]
    assert tagged(stage, "A") == [jobs[1]]
    assert tagged(stage, "b") == [jobs[0]]
    assert tagged(stage, ",") == tagged(stage, 'say "b"') == [jobs[2]]
    assert tagged(stage, "%") == tagged(stage, '","') == tagged(stage, "") == []
    stage.client.patch(f"/v1/jobs/{jobs[4]}", json={"tags": ["a"]})
    assert tagged(stage, "a") == [jobs[4], jobs[0]]
    first = stage.client.get("/v1/jobs", params={"tag": "a", "page_size": 1}).json()
    rest = stage.client.get("/v1/jobs", params={"tag": "a", "page_token": first["next_page_token"]}).json()
    assert [job["id"] for job in first["items"] + rest["items"]] == [jobs[4], jobs[0]]
    assert stage.client.get("/v1/jobs", params={"tag": "a", "state": "running"}).json()["items"] == []


def test_a_key_makes_a_tagged_job_once(stage: Stage) -> None:
    body = {"dataset_id": stage.iris(), "target": "species", "model": {"kind": "mlp"}, "tags": ["a"]}
    key = {"Idempotency-Key": "once"}
    first = stage.client.post("/v1/jobs", json=body, headers=key).json()
    assert stage.client.post("/v1/jobs", json=body, headers=key).json() == first
    assert stage.client.post("/v1/jobs", json={**body, "tags": ["b"]}, headers=key).status_code == 422


def test_a_fork_is_called_and_tagged_as_its_parent_is_by_now(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=4, name="old", tags=["old"])
    stage.client.patch(f"/v1/jobs/{job['id']}", json={"name": "new", "tags": ["new"]})
    body: dict[str, Any] = {"overrides": {"epochs": 8}}
    fork = stage.client.post(f"/v1/jobs/{job['id']}/fork", json=body).json()
    assert (fork["name"], fork["tags"]) == ("new", ["new"])
    body["overrides"]["tags"] = None
    assert stage.client.post(f"/v1/jobs/{job['id']}/fork", json=body).json()["tags"] == []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"tags": ["a", "b", "a"]}, "/tags"),
        ({"tags": [""]}, "/tags/0"),
        ({"tags": ["a", "new\nline"]}, "/tags/1"),
        ({"tags": ["x" * 101]}, "/tags/0"),
        ({"tags": [str(tag) for tag in range(51)]}, "/tags"),
        ({"tags": "a"}, "/tags"),
        ({"tags": [3]}, "/tags/0"),
        ({"name": 3}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"epochs": 3}, "/epochs"),
    ],
)
def test_a_wrong_name_or_tag_is_pointed_at(stage: Stage, change: dict[str, Any], pointer: str) -> None:
    job = posted(stage, stage.iris(), name="first", tags=["a"])
    response = stage.client.patch(f"/v1/jobs/{job['id']}", json=change)
    assert response.status_code == 422, response.text
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert stage.client.get(f"/v1/jobs/{job['id']}").json() == job
    if pointer != "/epochs":
        body = {"dataset_id": job["dataset_id"], "target": "species", "model": {"kind": "mlp"}, **change}
        assert stage.client.post("/v1/jobs", json=body).status_code == 422


def test_anothers_job_is_not_there_to_be_renamed(stage: Stage) -> None:
    ana, ben = (bearer(stage, name, "read", "write") for name in ("ana", "ben"))
    reader = bearer(stage, "ana", "read")
    dataset = stage.client.post("/v1/datasets", json={"sample": {"kind": "iris"}}, headers=ana).json()
    body = {"dataset_id": dataset["id"], "target": "species", "model": {"kind": "mlp"}, "tags": ["a"]}
    job = stage.client.post("/v1/jobs", json=body, headers=ana).json()
    url = f"/v1/jobs/{job['id']}"
    assert stage.client.patch(url, json={"name": "mine"}, headers=ben).status_code == 404
    assert stage.client.patch(url, json={"name": "mine"}, headers=reader).status_code == 403
    assert stage.client.get("/v1/jobs?tag=a", headers=ben).json()["items"] == []
    assert stage.client.get("/v1/jobs?tag=a", headers=ana).json()["items"] == [job]


WORDS = "word,x,y\n" + "".join(f"{'abcdefgh'[i % 8]},{i},{'pqr'[i % 3]}\n" for i in range(60))
GAPS = "x,y\n" + "".join(f"{i if i % 9 else ''},{'pqr'[i % 3]}\n" for i in range(60))
HIDDEN = {"hidden": [{"units": 5}]}


@pytest.mark.parametrize(
    ("fields", "parameters"),
    [
        ({"target": "y"}, 9 * 5 + 5 + 5 * 3 + 3),
        ({"target": "y", "split": {"validation": 0.0}}, 9 * 5 + 5 + 5 * 3 + 3),
        ({"target": "y", "preprocessing": {"max_categories": 3}}, 5 * 5 + 5 + 5 * 3 + 3),
        ({"target": "x", "features": ["word"], "task": "regression"}, 8 * 5 + 5 + 5 + 1),
    ],
)
def test_the_number_of_parameters_is_known_from_the_start(stage: Stage, fields: dict[str, Any], parameters: int) -> None:
    """And is what the worker finds."""
    body = {"dataset_id": stage.csv(WORDS).json()["id"], "model": {"kind": "mlp", **HIDDEN}, "epochs": 1, **fields}
    job = stage.client.post("/v1/jobs", json=body).json()
    assert (job["state"], job["parameters"]) == ("queued", parameters)
    run(stage.place, job["id"])
    assert stage.client.get(f"/v1/jobs/{job['id']}").json()["parameters"] == parameters


@pytest.mark.parametrize(
    ("sample", "target", "kind"),
    [
        ("iris", "species", "mlp"),
        ("iris", "species", "logistic_regression"),
        ("infant_weight", "weight", "linear_regression"),
        ("double_moons", "moon", "perceptron"),
        ("double_moons", "moon", "logistic_regression"),
        ("house_prices", "price", "linear_regression"),
        ("xor", "y", "mlp"),
    ],
)
def test_every_model_says_its_parameters_while_it_waits(stage: Stage, sample: str, target: str, kind: str) -> None:
    job = posted(stage, stage.sample(sample), target, kind)
    assert job["parameters"] is not None
    run(stage.place, job["id"])
    assert stage.client.get(f"/v1/jobs/{job['id']}").json()["parameters"] == job["parameters"]


def test_what_only_the_training_rows_tell_is_not_guessed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a table too large to be posed at the door: how many categories its training rows hold."""
    monkeypatch.setattr("store.submission.MOST_CELLS", 10)
    dataset_id = stage.csv(WORDS).json()["id"]
    assert posted(stage, dataset_id, "y")["parameters"] is None
    assert posted(stage, dataset_id, "y", features=["x"])["parameters"] is not None
    gaps = stage.csv(GAPS).json()["id"]
    assert posted(stage, gaps, "y", preprocessing={"missing": "drop"})["parameters"] is None
    assert posted(stage, gaps, "y", preprocessing={"missing": "mean"})["parameters"] is not None
