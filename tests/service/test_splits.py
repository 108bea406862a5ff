"""Shares of the rows, and weights of the classes, as a job asks for them: given as asked, or refused before it is taken."""

from typing import Any

import numpy as np
import pytest

from store.migrate import migrate
from store.tables import Job
from tests.service.conftest import Stage
from worker.training import run

MLP: Any = {"kind": "mlp", "hidden": [{"units": 4}]}
PQ = "a,y\n" + "".join(f"{row},{'pq'[row % 2]}\n" for row in range(100))
PAIRS = "a,y\n" + "".join(f"{row},c{row % 50}\n" for row in range(100))
TRIPLES = "a,y\n" + "".join(f"{row},c{row % 40}\n" for row in range(120))
GAPS = "a,y\n" + "".join(f"{row if row % 20 == 0 else ''},{row}.5\n" for row in range(100))
STOPPING = {"patience": 2}


def asked(stage: Stage, text: str, **fields: Any) -> Any:
    body = {"dataset_id": stage.csv(text).json()["id"], "target": "y", "model": MLP, "epochs": 5, **fields}
    looked_at = stage.client.post("/v1/jobs", params={"validate_only": True}, json=body)
    response = stage.client.post("/v1/jobs", json=body)
    assert (looked_at.status_code == 422) == (response.status_code == 422), looked_at.text
    if response.status_code == 202:
        run(stage.place, response.json()["id"])
        return stage.client.get(f"/v1/jobs/{response.json()['id']}").json()
    return response.json()


@pytest.mark.parametrize(("text", "split", "held"), [
    (PQ, {"validation": 0.01}, {"train": 99, "validation": 1}),
    (PAIRS, {"validation": 0.2}, {"train": 80, "validation": 20}),
    (TRIPLES, {"validation": 0.2, "test": 0.2}, {"train": 72, "validation": 24, "test": 24}),
    (TRIPLES, {"validation": 0.1, "test": 0.1}, {"train": 96, "validation": 12, "test": 12}),
])  # fmt: skip
def test_shares_are_those_asked_for(stage: Stage, text: str, split: Any, held: dict[str, int]) -> None:
    job = asked(stage, text, split=split, early_stopping=STOPPING)
    assert job["state"] == "succeeded", job["error"]
    assert job["request"]["split"]["rounding"] == "total"
    for name, rows in held.items():
        found = stage.client.get(f"/v1/jobs/{job['id']}/evaluation", params={"split": name}).json()
        assert (found["split"], found["rows"]) == (name, rows)


@pytest.mark.parametrize(("text", "fields", "pointer", "detail"), [
    (GAPS, {"split": {"validation": 0.05}}, "/split/validation", "0.05 of the 5 rows that can be used is none"),
    (GAPS, {"split": {"validation": 0.05}, "early_stopping": STOPPING}, "/split/validation", "0.05 of the 5 rows"),
    (GAPS, {"split": {"test": 0.09, "shuffle": False}}, "/split/test", "0.09 of the 5 rows"),
    (GAPS, {"split": {"validation": 0.6, "test": 0.39}}, "/split", "of 5 rows 3 for validation and 2 for test"),
    (PQ.replace("99,q", "99,r"), {"split": {"validation": 0.98}}, "/split", "one of each of 3 classes"),
])  # fmt: skip
def test_a_share_that_cannot_be_had_is_refused_at_once(
    stage: Stage, text: str, fields: dict[str, Any], pointer: str, detail: str
) -> None:
    problem = asked(stage, text, preprocessing={"missing": "drop"}, **fields)
    assert (problem["status"], problem["code"]) == (422, "EMPTY_SPLIT"), problem
    assert problem["errors"][0]["pointer"] == pointer
    assert detail in problem["errors"][0]["detail"]


def test_what_dropping_leaves_is_looked_at_before_the_job_is_taken(stage: Stage) -> None:
    text = "a,y\n1,p\n,q\n2,p\n3,p\n"
    problem = asked(stage, text, preprocessing={"missing": "drop"})
    assert (problem["status"], problem["errors"][0]["pointer"]) == (422, "/preprocessing/missing")
    assert "rows of one class only" in problem["errors"][0]["detail"]


def as_before(stage: Stage, text: str, **fields: Any) -> str:
    """A job as it was stored when a split's rounding had no name: taken, changed in its row, and run."""
    body = {"dataset_id": stage.csv(text).json()["id"], "target": "y", "model": MLP, "epochs": 5, **fields}
    job_id: str = stage.client.post("/v1/jobs", json=body).json()["id"]
    with stage.place.database.transaction() as session:
        job = session.query(Job).filter_by(id=job_id).one()
        split = {name: value for name, value in job.request["split"].items() if name != "rounding"}
        job.request, job.form = {**job.request, "split": split, "early_stopping": fields.get("later")}, 0
    migrate(stage.place.database)
    run(stage.place, job_id)
    return job_id


def test_a_job_stored_before_keeps_its_split(stage: Stage) -> None:
    job_id = as_before(stage, TRIPLES, split={"validation": 0.2, "test": 0.2})
    found = {
        name: stage.client.get(f"/v1/jobs/{job_id}/evaluation", params={"split": name}).json()["rows"]
        for name in ("train", "validation", "test")
    }
    assert found == {"train": 40, "validation": 40, "test": 40}
    fork = stage.client.post(f"/v1/jobs/{job_id}/fork", json={"overrides": {"epochs": 7}})
    assert fork.status_code == 202, fork.text
    run(stage.place, fork.json()["id"])
    forked = stage.client.get(f"/v1/jobs/{fork.json()['id']}").json()
    assert (forked["state"], forked["request"]["split"]["rounding"]) == ("succeeded", "class")
    evaluation = stage.client.get(f"/v1/jobs/{forked['id']}/evaluation", params={"split": "test"}).json()
    assert evaluation["rows"] == 40
    traced = stage.client.post("/v1/traces", json={"job_id": job_id, "epoch": 0}).json()
    assert len(traced["rows"]) == 16 and max(np.bincount(np.array(traced["rows"]) % 40)) == 1  # one row of a class trains


def test_a_stored_job_whose_share_came_to_nothing(stage: Stage) -> None:
    job_id = as_before(stage, TRIPLES, split={"validation": 0.1})
    assert stage.client.get(f"/v1/jobs/{job_id}").json()["state"] == "succeeded"  # as then, on all rows
    missing = stage.client.get(f"/v1/jobs/{job_id}/evaluation", params={"split": "validation"})
    assert missing.status_code == 404
    assert "split.validation is 0.1, which came to none" in missing.json()["detail"]
    missing = stage.client.get(f"/v1/jobs/{job_id}/evaluation", params={"split": "test"})
    assert "it was not asked to set any apart" in missing.json()["detail"]
    fork = stage.client.post(f"/v1/jobs/{job_id}/fork", json={"overrides": {"epochs": 9, "early_stopping": STOPPING}})
    assert (fork.status_code, fork.json()["code"]) == (422, "EMPTY_SPLIT")
    assert fork.json()["errors"][0]["pointer"] == "/overrides/early_stopping/monitor"


def test_a_stored_job_that_has_nothing_to_watch_fails_and_says_so(stage: Stage) -> None:
    body = {"dataset_id": stage.csv(TRIPLES).json()["id"], "target": "y", "model": MLP, "early_stopping": STOPPING}
    job_id = stage.client.post("/v1/jobs", json=body | {"split": {"validation": 0.1}}).json()["id"]
    with stage.place.database.transaction() as session:
        job = session.query(Job).filter_by(id=job_id).one()
        split = {"validation": 0.1, "test": 0.0, "stratify": True, "seed": 0}
        job.request, job.form = {**job.request, "split": split}, 0
    migrate(stage.place.database)
    run(stage.place, job_id)
    job = stage.client.get(f"/v1/jobs/{job_id}").json()
    assert (job["state"], job["error"]["code"], job["error"]["status"]) == ("failed", "EMPTY_SPLIT", 422)
    assert "set split.validation higher, or monitor train_loss" in job["error"]["detail"]


# --- class weights ---


@pytest.mark.parametrize(("weights", "pointer", "detail"), [
    ({"zz": 2}, "/class_weight/zz", "no class 'zz' in column 'y'; there are p, q"),
    ({"p": 0, "q": 0}, "/class_weight", "every class has a weight of 0"),
    ({"True": 1}, "/class_weight/True", "there are p, q"),
    ({"p": 1e308, "q": 1e308}, "/class_weight", "1e+308 leaves the range of 1e-18 to 1e+18; give weights nearer to 1"),
    ({"p": 1e-300}, "/class_weight", "1e-300 leaves the range"),
])  # fmt: skip
def test_class_weights_are_held_against_the_column(stage: Stage, weights: Any, pointer: str, detail: str) -> None:
    problem = asked(stage, PQ, class_weight=weights)
    assert (problem["status"], problem["errors"][0]["pointer"]) == (422, pointer)
    assert detail in problem["errors"][0]["detail"]


def test_a_forks_class_weights_are_held_against_the_classes(stage: Stage) -> None:
    job = asked(stage, PQ, class_weight={"p": 0})
    assert job["state"] == "succeeded"
    for weights, pointer in (({"zz": 2}, "/class_weight/zz"), ({"q": 0}, "/class_weight")):
        fork = {"overrides": {"epochs": 9, "class_weight": weights}}
        response = stage.client.post(f"/v1/jobs/{job['id']}/fork", json=fork)
        assert (response.status_code, response.json()["errors"][0]["pointer"]) == (422, f"/overrides{pointer}")
