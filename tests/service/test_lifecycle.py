"""Pause, resume, fork and the limits, through HTTP."""

from dataclasses import replace
from typing import Any

import pytest

from store import workers
from store.tables import Job
from tests.service.conftest import Stage
from tests.worker.staging import Stopper
from worker.training import run

MLP = {"kind": "mlp", "hidden": [{"units": 8}]}


def posted(stage: Stage, **fields: Any) -> str:
    body = {"dataset_id": stage.iris(), "target": "species", "model": MLP, **fields}
    response = stage.client.post("/v1/jobs", json=body)
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


def act(stage: Stage, job_id: str, action: str, **options: Any) -> Any:
    return stage.client.post(f"/v1/jobs/{job_id}/{action}", **options)


def test_pause_and_resume(stage: Stage) -> None:
    job_id = posted(stage, epochs=20)
    refused = act(stage, job_id, "pause")
    assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICT")
    assert "it can be paused once it runs" in refused.json()["detail"]
    assert act(stage, job_id, "resume").status_code == 409
    answers = []

    def pause() -> bool:
        if not answers:
            answers.append(act(stage, job_id, "pause"))
        return len(answers) == 1 and answers.append(None) is None  # as its worker is stopped, too

    run(replace(stage.place, stopping=pause), job_id)
    assert (answers[0].status_code, answers[0].headers["location"]) == (202, f"/v1/jobs/{job_id}")
    assert (answers[0].json()["state"], answers[0].json()["done"]) == ("pausing", False)
    job = stage.client.get(f"/v1/jobs/{job_id}").json()
    assert (job["state"], job["state_reason"], job["progress"]["eta_seconds"]) == ("paused", "paused by the caller", None)
    assert act(stage, job_id, "pause").status_code == 409
    resumed = act(stage, job_id, "resume")
    assert (resumed.status_code, resumed.headers["location"]) == (202, f"/v1/jobs/{job_id}")
    assert (resumed.json()["state"], resumed.json()["queue_position"]) == ("queued", 1)
    assert stage.sent == [(job_id, "train")] * 2
    run(stage.place, job_id)
    job = stage.client.get(f"/v1/jobs/{job_id}").json()
    states = [entry["state"] for entry in job["transitions"]]
    assert states == ["queued", "running", "pausing", "paused", "queued", "running", "succeeded"]
    assert [entry["reason"] for entry in job["transitions"]][2:5] == ["paused by the caller"] * 2 + ["resumed by the caller"]
    assert (job["progress"]["fraction"], job["progress"]["eta_seconds"]) == (1.0, 0.0)
    assert act(stage, "job_none", "pause").status_code == 404
    log = stage.client.get(f"/v1/jobs/{job_id}/log").json()["items"]
    assert [entry["state"] for entry in log if entry["kind"] == "state"] == states[::-1]
    assert [entry["at"] for entry in log] == sorted((entry["at"] for entry in log), reverse=True)
    kept = {entry["epoch"] for entry in stage.client.get(f"/v1/jobs/{job_id}/checkpoints").json()["items"]} - {0}
    assert {entry["epoch"] for entry in log if entry["kind"] == "checkpoint"} == kept
    assert 20 in kept
    paged: list[Any] = []
    token = ""
    while token is not None:
        page = stage.client.get(
            f"/v1/jobs/{job_id}/log", params={"page_size": 2, **({"page_token": token} if token else {})}
        ).json()
        paged, token = paged + page["items"], page["next_page_token"]
    assert paged == log
    assert stage.client.get("/v1/jobs/job_none/log").status_code == 404


def test_a_fork_tells_where_it_came_from(stage: Stage) -> None:
    parent = stage.job(stage.iris(), "species", "mlp", epochs=20, record={"checkpoint_every": 5})
    body = {"epoch": 10, "overrides": {"name": "slower", "optimizer": {"learning_rate": 0.001}, "early_stopping": None}}
    key = {"Idempotency-Key": "once"}
    response = act(stage, parent["id"], "fork", json=body, headers=key)
    assert response.status_code == 202, response.text
    child = response.json()
    assert response.headers["location"] == f"/v1/jobs/{child['id']}"
    assert act(stage, parent["id"], "fork", json=body, headers=key).json()["id"] == child["id"]
    assert act(stage, parent["id"], "fork", json={"epoch": 5}, headers=key).status_code == 422
    assert child["forked_from"] == {"job_id": parent["id"], "epoch": 10}
    assert parent["forked_from"] is None
    assert child["request"] == parent["request"] | {
        "name": "slower",
        "optimizer": parent["request"]["optimizer"] | {"learning_rate": 0.001},
    }
    assert child["progress"] | {"eta_seconds": None} == {"epoch": 10, "epochs": 20, "fraction": 0.5, "eta_seconds": None}
    weights = [stage.client.get(f"/v1/jobs/{job['id']}/weights?epoch=10").json()["layers"] for job in (parent, child)]
    assert weights[0] == weights[1]
    run(stage.place, child["id"])
    job = stage.client.get(f"/v1/jobs/{child['id']}").json()
    assert (job["state"], job["progress"]["epoch"]) == ("succeeded", 20)
    curve = stage.client.get(f"/v1/jobs/{child['id']}/curves?series=train_loss").json()
    assert curve["series"]["train_loss"]["step"] == list(range(11, 21))
    assert curve["sampling"] == {"method": "none", "total": 10, "returned": 10, "exact": True}
    pages, token = [], None
    while True:
        parameters = {"page_size": 3, **({"page_token": token} if token else {})}
        accept = {"Accept": "application/json"}
        page = stage.client.get(f"/v1/jobs/{child['id']}/events", params=parameters, headers=accept).json()
        pages += page["items"]
        if (token := page["next_page_token"]) is None:
            break
    assert [entry["data"]["epoch"] for entry in pages if entry["event"] == "metric"] == list(range(11, 21))
    assert stage.client.get(f"/v1/models/{job['model_id']}").json()["epoch"] == 20


def test_a_fork_is_looked_at_before_it_is_made(stage: Stage) -> None:
    parent = stage.job(stage.iris(), "species", "mlp", epochs=20, record={"checkpoint_every": 5})
    body = {"epoch": 15, "overrides": {"epochs": 30, "optimizer": {"learning_rate": 0.001}}}
    looked_at = act(stage, parent["id"], "fork", json=body, params={"validate_only": "true"})
    assert looked_at.status_code == 200, looked_at.text
    assert len(stage.client.get("/v1/jobs").json()["items"]) == 1
    made = act(stage, parent["id"], "fork", json=body).json()
    found = looked_at.json()
    assert found["request"] == made["request"]
    assert found["parameters"] == parent["parameters"] == sum(layer["parameters"] for layer in found["layers"])
    again = stage.client.post("/v1/jobs", json=made["request"], params={"validate_only": "true"}).json()
    assert found["seconds"] == pytest.approx(again["seconds"] / 2)  # half of its epochs are behind it
    wrong = act(stage, parent["id"], "fork", json={"epoch": 20}, params={"validate_only": "true"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/overrides/epochs")


@pytest.mark.parametrize(("body", "pointer", "words"), [
    ({"epoch": 3}, "/epoch", "there are those of"),
    ({"overrides": {"epochs": 15}, "epoch": 20}, "/overrides/epochs", "set epochs above that"),
    ({"epoch": "last"}, "/overrides/epochs", "begins after epoch 20"),
    ({"epoch": 10, "overrides": {"target": "sepal_width"}}, "/overrides/target", "start a new job"),
    ({"epoch": 10, "overrides": {"features": ["petal_width"]}}, "/overrides/features", "start a new job"),
    ({"epoch": 10, "overrides": {"model": {"hidden": [{"units": 9}]}}}, "/overrides/model", "start a new job"),
    ({"epoch": 10, "overrides": {"split": {"seed": 5}}}, "/overrides/split", "start a new job"),
    ({"epoch": 10, "overrides": {"preprocessing": {"scaling": "standard"}}}, "/overrides/preprocessing", "start a new job"),
    ({"epoch": 10, "overrides": {"precision": "float64"}}, "/overrides/precision", "start a new job"),
    ({"epoch": 10, "overrides": {"optimizer": {"learning_rate": -1}}}, "/overrides/optimizer/learning_rate", "greater than 0"),
    ({"epoch": 10, "overrides": {"speed": 3}}, "/overrides/speed", "no such field"),
    ({"epoch": "first"}, "/epoch", ""),
    ({"epoch": 0}, "/epoch", ""),
    ({"weights": 3}, "/weights", "no such field"),
])  # fmt: skip
def test_what_a_fork_cannot_change(stage: Stage, body: dict[str, Any], pointer: str, words: str) -> None:
    parent = stage.job(stage.iris(), "species", "mlp", epochs=20, record={"checkpoint_every": 5})
    answer = act(stage, parent["id"], "fork", json=body)
    assert answer.status_code == 422, answer.text
    assert pointer in [entry["pointer"] for entry in answer.json()["errors"]]
    assert words in answer.json()["detail"]
    assert len(stage.client.get("/v1/jobs").json()["items"]) == 1


def test_a_fork_of_what_was_stored_by_an_earlier_name(stage: Stage) -> None:
    """Of an RMSProp whose share was called decay: the fork goes on with it, and may change it by either name."""
    parent = stage.job(stage.iris(), "species", "mlp", epochs=4, optimizer={"kind": "rmsprop", "decay": 0.8})
    assert parent["request"]["optimizer"]["rho"] == 0.8
    with stage.place.database.transaction() as session:
        row = session.query(Job).one()
        optimizer = {("decay" if name == "rho" else name): value for name, value in row.request["optimizer"].items()}
        row.request = {**row.request, "optimizer": optimizer}
    for overrides, expected in (({}, 0.8), ({"decay": 0.7}, 0.7), ({"rho": 0.6}, 0.6)):
        body = {"overrides": {"epochs": 8, "optimizer": overrides}}
        answer = act(stage, parent["id"], "fork", json=body)
        assert answer.status_code == 202, answer.text
        assert answer.json()["request"]["optimizer"] == {**parent["request"]["optimizer"], "rho": expected}
        run(stage.place, answer.json()["id"])
        assert stage.client.get(f"/v1/jobs/{answer.json()['id']}").json()["state"] == "succeeded"


def test_a_fork_may_repeat_its_model_as_it_was_posted(stage: Stage) -> None:
    """The completed model has a flatten at its end and its images' channels, which the posted one leaves out."""
    model = {"kind": "network", "layers": [{"kind": "conv2d", "filters": 2, "kernel": 2}], "input_shape": [2, 2]}
    parent = stage.job(stage.iris(), "species", "network", epochs=2, model=model)
    assert [layer["kind"] for layer in parent["request"]["model"]["layers"]] == ["conv2d", "flatten"]
    answer = act(stage, parent["id"], "fork", json={"overrides": {"epochs": 3, "model": model}})
    assert answer.status_code == 202, answer.text
    assert answer.json()["request"]["model"] == parent["request"]["model"]
    wider = model | {"layers": [model["layers"][0] | {"filters": 3}]}  # type: ignore[index]
    answer = act(stage, parent["id"], "fork", json={"overrides": {"epochs": 3, "model": wider}})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/overrides/model")


def test_what_is_solved_at_once_is_not_forked(stage: Stage) -> None:
    parent = stage.job(stage.sample("infant_weight"), "weight", "linear_regression")
    answer = act(stage, parent["id"], "fork", json={})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/epoch")


def test_progress_and_the_time_to_the_end(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.writing.FLUSH_SECONDS", -1.0)
    job_id = posted(stage, epochs=10)
    seen: list[dict[str, Any]] = []

    def look() -> bool:
        seen.append(stage.client.get(f"/v1/jobs/{job_id}").json()["progress"])
        return False

    run(replace(stage.place, stopping=look), job_id)
    assert [progress["fraction"] for progress in seen] == pytest.approx([0.0, *(epoch / 10 for epoch in range(10))])
    assert [progress["epoch"] for progress in seen] == [0, *range(10)]
    assert seen[0]["eta_seconds"] is None
    assert all(progress["eta_seconds"] > 0 for progress in seen[4:])
    run(replace(stage.place, stopping=Stopper(0)), posted(stage))
    assert stage.client.get("/v1/jobs").json()["items"][0]["progress"]["eta_seconds"] is None


def test_a_job_that_no_worker_has_room_for_is_refused(stage: Stage) -> None:
    wide = {"kind": "mlp", "hidden": [{"units": 4000}, {"units": 4000}]}
    body = {"dataset_id": stage.iris(), "target": "species", "model": wide}
    assert stage.client.post("/v1/jobs", json=body, params={"validate_only": True}).status_code == 200

    def says(name: str, most: int, queues: list[str]) -> None:
        with stage.place.database.transaction() as session:
            workers.beat(session, name, queues, most)

    says("small", 200 * 2**20, ["train"])
    says("another's", 2**40, ["gpu"])
    for parameters in ({}, {"validate_only": True}):
        refused = stage.client.post("/v1/jobs", json=body, params=parameters)
        assert (refused.status_code, refused.json()["code"]) == (422, "TOO_MUCH_MEMORY")
        assert refused.json()["errors"][0]["pointer"] == "/model"
        assert "a job may take 200 MiB" in refused.json()["detail"]
    says("large", 2**40, ["train", "gpu"])
    assert stage.client.post("/v1/jobs", json=body).status_code == 202


def test_the_setting_counts_while_no_worker_has_spoken(make_stage: Any) -> None:
    stage = make_stage(max_job_bytes=200 * 2**20)
    body = {"dataset_id": stage.iris(), "target": "species", "model": {"kind": "mlp", "hidden": [{"units": 4000}] * 2}}
    assert stage.client.post("/v1/jobs", json=body).json()["code"] == "TOO_MUCH_MEMORY"
    assert stage.client.post("/v1/jobs", json=body | {"model": MLP}).status_code == 202
