"""Slices of a job's loss over HTTP, with its path drawn in."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from service.routes.job_landscapes import EXAMPLES
from tests.service.conftest import Stage


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
        found = landscape(stage, job, **{**example["value"], "resolution": 5})
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
    stage = make_stage(max_work=10**9)
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
