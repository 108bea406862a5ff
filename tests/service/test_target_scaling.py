"""Targets of any scale: what they are learned in, and what is told in their own units."""

from typing import Any

import numpy as np
import pytest

from tests.service.conftest import Stage
from worker.training import run

MADE_UP = ((1, 0), (100, 0), (1e4, 0), (1e6, 0), (1e6, 3e6), (1, 1e3), (1, 1e5), (1e-6, 0), (1e-100, 0))
"""A factor and an offset of the target's unit."""


def made_up(stage: Stage, factor: float, offset: float, rows: int = 1000) -> tuple[str, np.ndarray]:
    """A regression that a default network learns, its target in that unit."""
    rng = np.random.default_rng(19)
    x = rng.uniform(0, 1, (rows, 3))
    s = 3 * x[:, 0] + 2 * np.sin(4 * x[:, 1]) + x[:, 2] ** 2 + 0.1 * rng.normal(size=rows)
    y = factor * s + offset
    lines = [f"{a!r},{b!r},{c!r},{d!r}" for (a, b, c), d in zip(x.tolist(), y.tolist(), strict=True)]
    return stage.csv("a,b,c,y\n" + "\n".join(lines) + "\n").json()["id"], y


def curve(stage: Stage, job: dict[str, Any], series: str) -> list[float]:
    curves = stage.client.get(f"/v1/jobs/{job['id']}/curves").json()
    assert curves["units"]["train_loss"] == "scaled_target^2"
    return curves["series"][series]["value"]


def test_the_same_problem_in_another_unit_is_learned_alike(stage: Stage) -> None:
    split, first = {"validation": 0.2}, None
    for factor, offset in MADE_UP:
        dataset_id, y = made_up(stage, factor, offset)
        job = stage.job(dataset_id, "y", "mlp", split=split)
        assert job["latest"]["validation_r2"] > 0.99, (factor, offset)
        assert job["warnings"] == []
        curves = [curve(stage, job, series) for series in ("train_loss", "validation_loss", "train_r2")]
        first = first or curves
        np.testing.assert_allclose(curves, first, rtol=0.02, atol=1e-4, err_msg=str((factor, offset)))
        ((fitted),) = job["target_scaling"]
        assert fitted["column"] == "y"
        assert abs(fitted["center"] - y.mean()) < 0.1 * y.std()
        evaluation = stage.client.get(f"/v1/jobs/{job['id']}/evaluation").json()
        assert evaluation["units"] == {"mae": "target", "rmse": "target"}
        assert evaluation["metrics"]["r2"] == pytest.approx(job["latest"]["validation_r2"], abs=1e-4)
        residuals = evaluation["residuals"]["y"]
        assert np.std(np.subtract(residuals["actual"], residuals["predicted"])) < 0.1 * y.std()
        assert evaluation["metrics"]["rmse"] < 0.1 * y.std()


def test_the_sample_of_houses_is_learned_by_default(stage: Stage) -> None:
    dataset_id = stage.sample("house_prices", rows=2000)
    found = {kind: stage.job(dataset_id, "price", kind)["latest"]["validation_r2"] for kind in ("linear_regression", "mlp")}
    assert found["linear_regression"] > 0.9
    assert found["mlp"] > found["linear_regression"] - 0.02


def test_every_target_has_a_scale_of_its_own_and_is_told_in_its_unit(stage: Stage) -> None:
    rng = np.random.default_rng(3)
    a, b = rng.uniform(0, 1, (2, 200)).round(3)
    rows = zip(a, b, 1e6 * (a + b), (a - b) / 1000, np.full(200, 7.0), strict=True)
    text = "\n".join(",".join(map(repr, map(float, row))) for row in rows)
    dataset_id = stage.csv(f"a,b,large,small,same\n{text}\n").json()["id"]
    fields = {"features": ["a", "b"], "epochs": 60, "split": {"validation": 0.2}}
    job = stage.job(dataset_id, ["large", "small", "same"], "mlp", **fields)
    scales = {entry["column"]: (entry["center"], entry["scale"]) for entry in job["target_scaling"]}
    assert scales["same"] == (7.0, 1.0)
    assert scales["large"][1] == pytest.approx(1e6 * (a + b).std(), rel=0.1)
    model = stage.client.get(f"/v1/models/{job['model_id']}").json()
    assert model["target_scaling"] == job["target_scaling"]
    record = {"records": [{"a": 0.9, "b": 0.1}]}
    (found,) = stage.client.post(f"/v1/models/{job['model_id']}/predict", json=record).json()["predictions"]
    assert found == {name: pytest.approx(value, rel=0.1) for name, value in {"large": 1e6, "small": 8e-4, "same": 7}.items()}
    boundary = stage.client.get(f"/v1/jobs/{job['id']}/boundary?resolution=3").json()
    assert [row["same"] for line in boundary["predictions"] for row in line] == [pytest.approx(7, abs=0.5)] * 9


def test_a_trace_shows_the_target_in_both_units(stage: Stage) -> None:
    dataset_id, y = made_up(stage, 1e4, 3e4, rows=100)
    job = stage.job(dataset_id, "y", "mlp", epochs=2, split={"validation": 0.0})
    moment = {"job_id": job["id"], "rows": [3, 8]}
    (step,) = stage.client.post("/v1/traces", json=moment).json()["steps"]
    found = {each["name"]: np.array(each["values"]) for each in step["quantities"] if each["stage"] == "loss"}
    ((fitted),) = job["target_scaling"]
    assert (found["target_center"], found["target_scale"]) == (fitted["center"], fitted["scale"])
    np.testing.assert_allclose(found["targets_in_units"][:, 0], y[[3, 8]], rtol=1e-6)
    np.testing.assert_allclose(found["targets"][:, 0], (y[[3, 8]] - fitted["center"]) / fitted["scale"], rtol=1e-5)
    rows = stage.client.get(f"/v1/datasets/{dataset_id}/rows?limit=9").json()["rows"]
    records = [dict(zip("abc", rows[place], strict=False)) for place in (3, 8)]
    predicted = stage.client.post(f"/v1/models/{job['model_id']}/predict", json={"records": records}).json()["predictions"]
    np.testing.assert_allclose(found["predictions_in_units"][:, 0], predicted, rtol=1e-6)
    assert stage.client.post("/v1/gradient_checks", json=moment).json()["agrees"]


def test_coefficients_are_in_the_targets_unit(stage: Stage) -> None:
    rng = np.random.default_rng(4)
    a, b = rng.uniform(0, 1, (2, 100))
    rows = zip(a, b, 1e4 * (2 * a - b) + 5e4, strict=True)
    text = "\n".join(",".join(map(repr, map(float, row))) for row in rows)
    dataset_id = stage.csv(f"a,b,y\n{text}\n").json()["id"]
    scaled = {"preprocessing": {"target_scaling": "standard"}}
    for model in ({}, {"solver": "gradient_descent"}):
        fields = scaled if not model else scaled | {"epochs": 3000}
        job = stage.job(dataset_id, "y", "linear_regression", model=model, **fields)
        found = stage.client.get(f"/v1/jobs/{job['id']}/weights").json()["coefficients"]
        np.testing.assert_allclose(found["weights"], [[2e4], [-1e4]], rtol=1e-3)
        np.testing.assert_allclose(found["bias"], [5e4], rtol=1e-3)


def test_it_is_refused_where_it_means_nothing(stage: Stage) -> None:
    body = {"dataset_id": stage.iris(), "target": "species", "model": {"kind": "mlp"}}
    body["preprocessing"] = {"target_scaling": "standard"}
    response = stage.client.post("/v1/jobs", json=body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/preprocessing/target_scaling"
    job = stage.job(body["dataset_id"], "species", "mlp", epochs=2)
    assert "target_scaling" not in job["request"]["preprocessing"]
    assert (job["units"], job["target_scaling"]) == ({}, None)


def test_a_fork_goes_on_with_the_scale_it_began_with(stage: Stage) -> None:
    dataset_id, _ = made_up(stage, 1e6, 0, rows=100)
    fields = {"record": {"checkpoint_every": 5}, "epochs": 10}
    for scaling in ("none", "standard", "min_max"):
        parent = stage.job(dataset_id, "y", "mlp", preprocessing={"target_scaling": scaling}, **fields)
        fork = {"epoch": 5, "overrides": {"preprocessing": {"target_scaling": None}}}
        response = stage.client.post(f"/v1/jobs/{parent['id']}/fork", json=fork)
        assert response.status_code == 202, response.text
        run(stage.place, response.json()["id"])
        forked = stage.client.get(f"/v1/jobs/{response.json()['id']}").json()
        weights = [stage.client.get(f"/v1/jobs/{job['id']}/weights").json()["layers"] for job in (parent, forked)]
        assert weights[0] == weights[1]
        other = {"epoch": 5, "overrides": {"preprocessing": {"target_scaling": "mean_normalization"}}}
        assert stage.client.post(f"/v1/jobs/{parent['id']}/fork", json=other).status_code == 422


def test_hubers_delta_and_min_delta_are_in_the_scaled_unit(stage: Stage) -> None:
    fields: dict[str, Any] = {"loss": {"kind": "huber", "delta": 0.5}, "early_stopping": {"patience": 3, "min_delta": 0.01}}
    ends = []
    for factor in (1, 1e5):
        dataset_id, _ = made_up(stage, factor, 0, rows=200)
        job = stage.job(dataset_id, "y", "mlp", split={"validation": 0.2}, **fields)
        ends.append((job["progress"]["epoch"], job["best"]["epoch"], job["best"]["validation_loss"]))
    assert ends[0] == pytest.approx(ends[1], rel=1e-3)
    assert job["state_reason"] == "early_stopped"
