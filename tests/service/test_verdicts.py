"""A run that learned nothing says so: with numbers, and with a remedy that works."""

from typing import Any

import numpy as np
import pytest

from tests.service.conftest import Stage
from worker.training import run

LINE = {"solver": "gradient_descent"}
RATE = {"kind": "gradient_descent", "learning_rate": 0.1}


def table(stage: Stage, **columns: Any) -> str:
    lines = [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    return stage.csv("\n".join([",".join(columns), *lines]) + "\n").json()["id"]


def numbers(rows: int = 200) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=rows).round(4), rng.normal(size=rows).round(4)
    return {"a": a, "b": b, "y": (2 * a - b + rng.normal(size=rows) / 10).round(4)}


def codes(job: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in job["warnings"]]


def told(job: dict[str, Any], code: str) -> str:
    (detail,) = [warning["detail"] for warning in job["warnings"] if warning["code"] == code]
    return str(detail)


def test_worse_than_the_mean(stage: Stage) -> None:
    found = numbers()
    found["y"] = found["y"] * 1e6 + 3e6
    dataset_id = table(stage, **found)
    job = stage.job(dataset_id, "y", "mlp", preprocessing={"target_scaling": "none"}, epochs=20)
    assert job["state"] == "succeeded"
    detail = told(job, "WORSE_THAN_MEAN")
    assert f"r2 is {job['latest']['validation_r2']:.4g} on the 40 validation rows" in detail
    assert "preprocessing.target_scaling to standard" in detail
    mended = stage.job(dataset_id, "y", "mlp", preprocessing={"target_scaling": "standard"}, epochs=20)
    assert mended["warnings"] == []
    record = {"a": 0.5, "b": 0.5}
    assert stage.client.post(f"/v1/models/{job['model_id']}/predict", json={"records": [record]}).status_code == 200


def test_noise_is_no_better_than_its_mean(stage: Stage) -> None:
    found = numbers() | {"y": np.random.default_rng(6).normal(size=200)}
    assert codes(stage.job(table(stage, **found), "y", "mlp")) == ["WORSE_THAN_MEAN"]


def test_worse_than_the_commonest_class(stage: Stage) -> None:
    job = stage.job(stage.sample("xor"), "y", "logistic_regression")
    assert "WORSE_THAN_COMMONEST" in codes(job)
    assert "accuracy is 0.5 on the 4 train rows, and 0.5 by always" in told(job, "WORSE_THAN_COMMONEST")
    assert stage.job(stage.iris(), "species", "logistic_regression")["warnings"] == []


@pytest.mark.parametrize(("rate", "epochs"), [(3.0, 6), (2.5, 10)])
def test_a_loss_that_rose(stage: Stage, rate: float, epochs: int) -> None:
    dataset_id, model = table(stage, **numbers()), LINE
    given = {"model": model, "preprocessing": {"scaling": "standard"}, "epochs": epochs}
    job = stage.job(dataset_id, "y", "linear_regression", optimizer=RATE | {"learning_rate": rate}, **given)
    assert (job["state"], codes(job)) == ("succeeded", ["LOSS_ROSE", "WORSE_THAN_MEAN"])
    assert f"was {job['latest']['train_loss']:.4g} in epoch {epochs}" in told(job, "LOSS_ROSE")
    assert f"Set optimizer.learning_rate to {rate / 10:g}" in told(job, "LOSS_ROSE")
    mended = stage.job(dataset_id, "y", "linear_regression", optimizer=RATE | {"learning_rate": rate / 10}, **given)
    assert mended["warnings"] == []


@pytest.mark.parametrize(("rate", "epochs"), [(10.0, 12), (10.0, 100), (30.0, 60)])
def test_a_finite_loss_beyond_all_reason_has_diverged(stage: Stage, rate: float, epochs: int) -> None:
    given = {"preprocessing": {"scaling": "standard"}, "epochs": epochs, "optimizer": RATE | {"learning_rate": rate}}
    job = stage.job(table(stage, **numbers()), "y", "linear_regression", model=LINE, **given)
    assert (job["state"], job["model_id"]) == ("failed", None)
    error = job["error"]
    assert (error["code"], error["status"], error["errors"][0]["pointer"]) == ("DIVERGED", 422, "/optimizer/learning_rate")
    assert "e+" in error["detail"]
    losses = stage.client.get(f"/v1/jobs/{job['id']}/curves").json()["series"]["train_loss"]["value"]
    assert all(isinstance(loss, float) for loss in losses)


@pytest.mark.parametrize(
    ("kind", "layers", "name"),
    [
        ("mlp", {"hidden": [{"units": 4}]}, "hidden_1"),
        ("network", {"layers": ["batch_normalization", {"kind": "dense", "units": 4}]}, "dense_1"),
    ],
)
def test_weights_that_are_all_zero(stage: Stage, kind: str, layers: dict[str, Any], name: str) -> None:
    given = {"model": {"initializer": {"kind": "zeros"}, **layers}, "epochs": 3}
    job = stage.job(table(stage, **numbers()), "y", kind, **given)
    assert f"all weights of layer {name} are 0" in told(job, "WEIGHTS_ZERO")
    assert "he_normal" in told(job, "WEIGHTS_ZERO")


@pytest.mark.parametrize("solver", ["newton", "gradient_descent"])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("multi_class", ["multinomial", "one_vs_rest"])
def test_classes_that_a_line_parts(stage: Stage, solver: str, classes: int, multi_class: str) -> None:
    kind = np.arange(90) % classes
    a = np.where(kind == 1, 1, 0) + np.linspace(0, 0.2, 90)
    b = np.where(kind == 2, 1, 0) + np.linspace(0.2, 0, 90)
    dataset_id = table(stage, a=a.round(4), b=b.round(4), kind=np.array(["p", "q", "r"])[kind])
    model = {"solver": solver, "multi_class": multi_class, "penalty": {"l2": 0.0}}
    job = stage.job(dataset_id, "kind", "logistic_regression", model=model)
    assert "grow without bound" in told(job, "SEPARABLE")
    assert "model.penalty.l2" in told(job, "SEPARABLE")
    assert "SEPARABLE" not in codes(stage.job(dataset_id, "kind", "logistic_regression", model={"solver": solver}))


def test_a_category_that_goes_with_one_class_alone(stage: Stage) -> None:
    """Quasi-complete separation: not every row is right, and yet one weight has no end."""
    rng = np.random.default_rng(7)
    word = np.array(["u", "v", "w"])[rng.integers(0, 3, 120)]
    kind = np.where((word == "u") | (rng.random(120) < 0.5), "p", "q")
    dataset_id = table(stage, word=word, a=rng.normal(size=120).round(3), kind=kind)
    model = {"penalty": {"l2": 0.0}}
    assert "SEPARABLE" in codes(stage.job(dataset_id, "kind", "logistic_regression", model=model))
    assert "SEPARABLE" not in codes(stage.job(dataset_id, "kind", "logistic_regression"))


def test_a_fork_whose_loss_rises_above_its_parents(stage: Stage) -> None:
    dataset_id = table(stage, **numbers())
    given = {"preprocessing": {"scaling": "standard"}, "epochs": 20, "optimizer": RATE, "record": {"checkpoint_every": 10}}
    parent = stage.job(dataset_id, "y", "linear_regression", model=LINE, **given)
    overrides = {"optimizer": {"learning_rate": 2.2}, "epochs": 24}
    response = stage.client.post(f"/v1/jobs/{parent['id']}/fork", json={"epoch": 20, "overrides": overrides})
    assert response.status_code == 202, response.text
    run(stage.place, response.json()["id"])
    job = stage.client.get(f"/v1/jobs/{response.json()['id']}").json()
    assert f"began at {parent['latest']['train_loss']:.4g}" in told(job, "LOSS_ROSE")


@pytest.mark.parametrize("kind", ["linear_regression", "mlp"])
def test_a_target_that_never_changes(stage: Stage, kind: str) -> None:
    found = numbers() | {"y": np.full(200, 5.5)}
    job = stage.job(table(stage, **found), "y", kind)
    assert job["state"] == "succeeded"
    assert "'y' is 5.5 in all" in told(job, "CONSTANT_TARGET")
    assert (job["latest"]["train_r2"], codes(job)) == (None, ["CONSTANT_TARGET"])


def test_one_of_several_targets_that_never_changes(stage: Stage) -> None:
    job = stage.job(table(stage, **numbers(), z=[7] * 200), ["y", "z"], "mlp", task="regression", features=["a"], epochs=3)
    assert "'z' is 7 in all 160 training rows" in told(job, "CONSTANT_TARGET")


def test_penalties_that_undo_what_is_learned(stage: Stage) -> None:
    dataset_id, given = table(stage, **numbers()), {"epochs": 20}
    job = stage.job(dataset_id, "y", "mlp", regularization={"l2": 1000.0}, **given)
    assert "Set lower penalties in regularization" in told(job, "LOSS_ROSE")
    assert stage.job(dataset_id, "y", "mlp", regularization={"l2": 0.0}, **given)["warnings"] == []


def test_a_loss_that_rose_has_one_remedy(stage: Stage) -> None:
    given = {"optimizer": RATE | {"learning_rate": 3.0}, "preprocessing": {"scaling": "standard"}, "epochs": 6}
    job = stage.job(table(stage, **numbers()), "y", "linear_regression", model=LINE, **given)
    for code in ("LOSS_ROSE", "WORSE_THAN_MEAN"):
        assert ". Set optimizer.learning_rate to 0.3 or lower, or regularization.clip_norm to 1" in told(job, code)


def test_a_class_that_does_not_count(stage: Stage) -> None:
    found = numbers()
    found["y"] = np.where(found["y"] > 0, "p", "q")
    dataset_id = table(stage, **found)
    job = stage.job(dataset_id, "y", "logistic_regression", class_weight={"p": 0})
    assert "class_weight of 0 do not count: set it above 0" in told(job, "WORSE_THAN_COMMONEST")
    assert stage.job(dataset_id, "y", "logistic_regression", class_weight={"p": 0.5})["warnings"] == []


@pytest.mark.parametrize(("kind", "field", "unit"), [("mlp", "target_scaling", 1e4), ("linear_regression", "scaling", 1.0)])
@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_what_diverged_in_another_unit_is_mended_as_it_says(
    stage: Stage, kind: str, field: str, unit: float, rate: float
) -> None:
    found = numbers()
    found["y"] = found["y"] * unit
    found["a"] = found["a"] if kind == "mlp" else found["a"] * 1e6
    dataset_id, model = table(stage, **found), {} if kind == "mlp" else LINE
    given: dict[str, Any] = {"model": model, "optimizer": RATE | {"learning_rate": rate}, "epochs": 60}
    job = stage.job(dataset_id, "y", kind, preprocessing={field: "none"}, **given)
    assert (job["state"], job["error"]["code"]) == ("failed", "DIVERGED")
    assert f"Set preprocessing.{field} to standard; if it still diverges, " in job["error"]["detail"]
    mended = stage.job(dataset_id, "y", kind, preprocessing={field: "standard"}, **given)
    assert (mended["state"], mended["latest"]["validation_r2"] > 0.9) == ("succeeded", True)


def test_what_early_stopping_waited_for(stage: Stage) -> None:
    dataset_id = table(stage, **numbers())
    for min_delta, waited in ((0.0, "validation_loss has not fallen for 3 epochs"), (10.0, "fallen by more than 10 for 3 ep")):
        stopping = {"patience": 3, "min_delta": min_delta}
        job = stage.job(dataset_id, "y", "mlp", early_stopping=stopping, split={"validation": 0.2})
        assert waited in told(job, "EARLY_STOPPED")


def test_a_loss_out_of_range_is_told_with_what_brings_it_back(stage: Stage) -> None:
    found = numbers()
    found["y"] = found["y"] * 1e200
    dataset_id = table(stage, **found)
    job = stage.job(dataset_id, "y", "linear_regression")
    assert (job["latest"]["train_loss"], codes(job)) == ("Infinity", ["NOT_FINITE"])
    detail = told(job, "NOT_FINITE")
    assert detail.startswith("train_loss is Infinity in epoch 1")
    assert detail.endswith(". Set preprocessing.target_scaling to standard")
    mended = stage.job(dataset_id, "y", "linear_regression", preprocessing={"target_scaling": "standard"})
    assert (mended["warnings"], mended["latest"]["train_r2"] > 0.99) == ([], True)
    metrics = stage.client.get(f"/v1/jobs/{job['id']}/evaluation").json()["metrics"]
    assert metrics["r2"] == pytest.approx(job["latest"]["validation_r2"])
    assert 0 < metrics["mae"] <= metrics["rmse"] < 1e200


def test_a_target_that_is_constant_only_as_it_is_rounded(stage: Stage) -> None:
    found = numbers()
    found["y"] = 1e9 + found["y"] / 100
    dataset_id = table(stage, **found)
    job = stage.job(dataset_id, "y", "mlp", preprocessing={"target_scaling": "none"}, epochs=3)
    assert "'y' is 1e+09 in all 160 training rows, rounded to float32" in told(job, "CONSTANT_TARGET")
    assert told(job, "CONSTANT_TARGET").endswith("set preprocessing.target_scaling to standard")
    assert "CONSTANT_TARGET" not in codes(stage.job(dataset_id, "y", "mlp"))
