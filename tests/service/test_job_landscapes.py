"""Slices of a job's loss over HTTP, with its path drawn in."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from service.routes.job_landscapes import EXAMPLES
from store import checkpoints
from store.tables import Checkpoint, Position
from tests.service.conftest import Stage
from worker.errors import Stopped
from worker.lease import HeldLease
from worker.slicing import Slicing
from worker.training import run


def landscape(stage: Stage, job: dict[str, Any], **body: Any) -> dict[str, Any]:
    response = stage.client.post(f"/v1/jobs/{job['id']}/landscape", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def iris_job(stage: Stage, **fields: Any) -> dict[str, Any]:
    given = {"epochs": 6, "precision": "float64", "record": {"checkpoint_every": 1}, **fields}
    return stage.job(stage.iris(), "species", "mlp", model={"hidden": [{"units": 4}]}, **given)


def test_the_examples_are_slices_of_one_valley(stage: Stage) -> None:
    job = iris_job(stage)
    losses = stage.client.get(f"/v1/jobs/{job['id']}/evaluation?split=train").json()["metrics"]
    for name, example in EXAMPLES.items():
        found = landscape(stage, job, **{**example["value"], "resolution": 5, "rows": 1000})
        assert (found["epoch"], found["rows"], found["rows_left_out"]) == (6, 120, 0)
        assert np.shape(found["costs"]) == (5, 5)
        assert found["cost"] == pytest.approx(losses["log_loss"], rel=1e-9)
        if name != "principal":  # whose middle is the path's
            assert found["costs"][2][2] == found["cost"]
        assert [point["epoch"] for point in found["path"]] == list(range(7)) and found["path_left_out"] == 0
        assert found["path"][-1] | {"epoch": 6} == {
            "epoch": 6, "alpha": pytest.approx(0, abs=1e-9), "beta": pytest.approx(0, abs=1e-9),
            "distance": pytest.approx(0, abs=1e-9), "cost": found["cost"],
        }  # fmt: skip
        assert found["path"][0]["cost"] > found["cost"]
        assert (found["explained"] is None) == (name != "principal")
        assert set(found["formulas"]) == {"costs", "directions", "path"}
    early = landscape(stage, job, epoch=0, resolution=3, split="validation", rows=7)
    assert (early["epoch"], early["rows"], early["rows_left_out"]) == (0, 7, 23)
    assert early["directions"] == {"kind": "random", "seed": 0}


def test_what_has_no_slice_says_why(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(max_work=10**9, slice_seconds=0.5)
    job = iris_job(stage, split={"validation": 0.0})
    corrected = stage.job(stage.sample("and"), "y", "perceptron", epochs=2)
    wrong: list[tuple[dict[str, Any], dict[str, Any], int, str | None, str]] = [
        (job, {"resolution": 100}, 422, "/resolution", "ask for fewer points a side, or for fewer rows"),
        (job, {"resolution": 10**9}, 422, "/resolution", "less than or equal to 200"),
        (job, {"split": "validation", "resolution": 2}, 422, "/split", "the job set no validation rows apart; there are train"),
        (job, {"epoch": 99}, 404, None, "no weights of epoch 99 are kept"),
        (job, {"directions": "weights"}, 422, "/directions/first", "needed"),
        (corrected, {}, 422, "/job_id", "its model, perceptron, makes no loss small"),
    ]
    for asked, body, status, pointer, said in wrong:
        response = stage.client.post(f"/v1/jobs/{asked['id']}/landscape", json=body)
        assert response.status_code == status, f"{body} {response.text}"
        assert said in response.json()["detail"]
        if pointer is not None:
            assert response.json()["errors"][0]["pointer"] == pointer
    assert stage.client.delete(f"/v1/datasets/{job['dataset_id']}").status_code == 204
    gone = stage.client.post(f"/v1/jobs/{job['id']}/landscape", json={"resolution": 2})
    assert gone.status_code == 404 and "has been deleted" in gone.json()["detail"]


def sliced(stage: Stage, job: dict[str, Any], **body: Any) -> dict[str, Any]:
    """The job that a slice becomes as one call may take almost nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage.client.app.state.store.settings, "max_work", 10**6)  # type: ignore[attr-defined]
        response = stage.client.post(f"/v1/jobs/{job['id']}/landscape", json=body, headers={"Idempotency-Key": str(body)})
    assert response.status_code == 202, response.text
    found: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/v1/jobs/{found['id']}"
    return found


def result(stage: Stage, job: dict[str, Any]) -> Any:
    return stage.client.get(f"/v1/jobs/{job['id']}/result").json()


def test_what_takes_long_is_a_job_that_comes_to_the_same_bits(stage: Stage) -> None:
    """Whatever becomes of its parent."""
    parent = iris_job(stage)
    asked = [{**example["value"], "resolution": 7, "rows": 50} for example in EXAMPLES.values()]
    at_once = [landscape(stage, parent, **body) for body in asked]
    made = [sliced(stage, parent, **body) for body in asked]
    assert sliced(stage, parent, **asked[0]) == made[0]  # by its key
    assert len(stage.client.get("/v1/jobs").json()["items"]) == 1
    listed = stage.client.get("/v1/jobs", params={"kind": "slice", "parent": parent["id"]}).json()["items"]
    assert [each["id"] for each in listed] == [each["id"] for each in reversed(made)]
    first = made[0]
    assert (first["kind"], first["parent"], first["asked"]["resolution"], first["asked"]["epoch"]) == (
        "slice", parent["id"], 7, 6,
    )  # fmt: skip
    assert (first["progress"]["epoch"], first["progress"]["epochs"]) == (0, 7)
    missing = stage.client.get(f"/v1/jobs/{first['id']}/result")
    assert missing.status_code == 404 and "is not done (queued)" in missing.json()["detail"]
    assert stage.client.delete(f"/v1/jobs/{parent['id']}").status_code == 204
    assert stage.client.delete(f"/v1/datasets/{parent['dataset_id']}").status_code == 409
    for job, expected in zip(made, at_once, strict=True):
        done = stage.run(job["id"])
        assert (done["state"], done["model_id"]) == ("succeeded", None), done["error"]
        assert done["progress"] == {"epoch": 7, "epochs": 7, "fraction": 1.0, "eta_seconds": 0.0}
        assert result(stage, job) == expected
    with stage.place.database.transaction() as session:
        checkpoints.forget_positions_of_done(session, stage.place.files)
        assert (session.query(Checkpoint).count(), session.query(Position).count()) == (0, 0)
    assert stage.client.delete(f"/v1/jobs/{first['id']}").status_code == 204


def test_a_slice_goes_on_from_where_it_was_stopped(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Given back by a worker that ends, and paused: the costs are the same."""
    parent = iris_job(stage)
    expected = landscape(stage, parent, resolution=6)
    job, heed = sliced(stage, parent, resolution=6), Slicing._heed
    seen: list[list[int]] = []

    def stopped_at(most: int, ask: Callable[[HeldLease], None]) -> dict[str, Any]:
        seen.append([])

        def heeded(self: Slicing) -> None:
            seen[-1].append(len(self.costs))
            if len(self.costs) == most:
                ask(self.held)
            heed(self)

        monkeypatch.setattr(Slicing, "_heed", heeded)
        assert run(stage.place, job["id"])
        found: dict[str, Any] = stage.client.get(f"/v1/jobs/{job['id']}").json()
        return found

    def give_back(_: HeldLease) -> None:
        raise Stopped

    def pause(held: HeldLease) -> None:
        stage.client.post(f"/v1/jobs/{job['id']}/pause")
        held.state = "pausing"

    given_back = stopped_at(9, give_back)
    assert (given_back["state"], given_back["progress"]["epoch"], given_back["progress"]["fraction"]) == ("queued", 1, 0.25)
    assert stopped_at(20, pause)["state"] == "paused"
    assert stage.client.post(f"/v1/jobs/{job['id']}/resume").status_code == 202
    assert stopped_at(99, give_back)["state"] == "succeeded"
    assert [(each[0], each[-1]) for each in seen] == [(0, 9), (9, 20), (20, 36)]
    assert result(stage, job) == expected


def test_a_slice_trains_nothing_and_says_so(stage: Stage) -> None:
    parent = iris_job(stage)
    job = sliced(stage, parent, resolution=3)
    for call in ("replay", "repeat", "fork"):
        answer = stage.client.post(f"/v1/jobs/{job['id']}/{call}", json={})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/job_id"), call
        assert f"a slice of the loss of '{parent['id']}'" in answer.json()["detail"]
    for part in ("diagnosis", "layers", "histograms"):
        answer = stage.client.get(f"/v1/jobs/{job['id']}/{part}")
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/job_id"), part
    weights = stage.client.get(f"/v1/jobs/{job['id']}/weights")
    assert weights.status_code == 404 and "look at that one's" in weights.json()["detail"]
    assert stage.client.post(f"/v1/jobs/{job['id']}/cancel").json()["state"] == "cancelled"
    ended = stage.client.get(f"/v1/jobs/{job['id']}/result")
    assert ended.status_code == 404 and "has no result (cancelled)" in ended.json()["detail"]
