"""Every call's work is counted before it is done: what is too much is refused with the count, the limit and a remedy."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from service.work import COSTS
from tests.service.conftest import Stage

LIMIT = 10**6
ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
WORKED: dict[str, Any] = {"layers": [{"weights": [[0.1]]}], "loss": {"kind": "half_mse"}, "inputs": [[2]], "targets": [[1]]}
DESCENT = {"kind": "gradient_descent", "learning_rate": 0.01}


def test_all_of_the_glass_box_and_predictions_are_held_against_one_limit(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(max_work=LIMIT)
    dataset = stage.iris()
    job = stage.job(dataset, "species", "mlp", epochs=60)
    of_clusters = f"/v1/jobs/{stage.job(dataset, None, 'k_means')['id']}"
    of_job, of_model = f"/v1/jobs/{job['id']}", f"/v1/models/{job['model_id']}"
    refused = {
        f"/v1/datasets/{dataset}/rows": "/query/limit",
        f"/v1/datasets/{dataset}/correlations?target=petal_width": None,  # 600 values are few
        f"{of_job}/curves": "/query/max_points",
        f"{of_job}/weights": "/query/layer",
        f"{of_job}/boundary": "/query/resolution",
        f"{of_clusters}/clusters": "/query/points",
        "/v1/functions/activation/relu": "/query/points",
        "/v1/landscapes/bowl": "/query/resolution",
    }
    for path, pointer in refused.items():
        expect(stage.client.get(path), pointer)
    expect(stage.client.get(f"{of_job}/weights?format=safetensors"), None)
    expect(stage.client.get(f"{of_job}/curves?max_points=2&series=train_loss"), None)
    expect(stage.client.get(f"{of_job}/curves?max_points=2&series=train_loss&smoothing=0.9"), "/query/smoothing")
    expect(stage.client.get(f"{of_job}/curves?max_points=2&series=train_loss&smoothing=0&from_step=20"), None)
    bodies: list[tuple[str, dict[str, Any], str | None]] = [
        ("/v1/landscapes/bowl/descend", {"optimizers": [DESCENT], "steps": 1}, "/steps"),
        ("/v1/traces", {**WORKED, "optimizer": DESCENT}, "/steps"),
        ("/v1/functions/activation", {"activation": "relu", "z": [[1.0] * 11]}, ""),
        ("/v1/functions/activation", {"activation": "softmax", "z": [[1.0] * 5]}, ""),
        ("/v1/functions/loss", {"loss": {"kind": "mse"}, "z": [[1.0]] * 10, "targets": [0] * 10}, ""),
        ("/v1/functions/neuron", {"weights": [1.0] * 9, "inputs": [1.0] * 9}, ""),
        ("/v1/functions/neuron", {"weights": [1.0], "inputs": [1.0]}, None),
        (f"{of_model}/predict", {"records": [ROW] * 9}, ""),
        (f"{of_model}/predict", {"records": [ROW]}, None),
    ]
    for path, body, pointer in bodies:
        expect(stage.client.post(path, json=body), pointer)


def expect(answer: Any, pointer: str | None) -> None:
    """A refusal at that place, or none."""
    if pointer is None:
        assert answer.status_code == 200, answer.text
        return
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "TOO_MUCH_WORK"), problem
    (error,) = problem["errors"]
    assert error["pointer"] == pointer
    assert f"VIDRO_MAX_WORK allows {LIMIT:,}; " in error["detail"]


@pytest.mark.parametrize(("optimizers", "steps"), [(20, 10_000), (5, 10_000)])
def test_a_long_descent_is_refused_before_its_first_step(stage: Stage, optimizers: int, steps: int) -> None:
    body = {"optimizers": [DESCENT] * optimizers, "steps": steps}
    began = time.process_time()
    answer = stage.client.post("/v1/landscapes/bowl/descend", json=body)
    assert time.process_time() - began < 1
    assert answer.status_code == 422
    assert f"{optimizers * steps:,} steps are too many for one call" in answer.json()["detail"]
    assert optimizers * steps > 10**11 // COSTS["steps"] == 40_000


def test_a_series_that_is_named_again_is_one(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "logistic_regression", model={"solver": "gradient_descent"}, epochs=3)
    found = stage.client.get(f"/v1/jobs/{job['id']}/curves", params={"series": ",".join(["train_loss"] * 5000)})
    assert list(found.json()["series"]) == ["train_loss"]
    assert found.json()["sampling"]["returned"] == 3
