"""Targets of any scale: what they are learned in, and what is told in their own units."""

from typing import Any

import numpy as np
import pytest

from tests.service.conftest import Stage

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
