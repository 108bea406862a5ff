"""Jobs of several targets over HTTP: numbers, and columns of yes and no."""

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as oracle

from service.schemas.jobs import JobResource
from service.schemas.models import ModelResource
from tests.service.conftest import Stage

RNG = np.random.default_rng(0)
X = RNG.normal(0, 1, (80, 2)).round(4)
NUMBERS = np.stack([3 * X[:, 0] - X[:, 1] + 1, X[:, 1] - 40], axis=1).round(4) + RNG.normal(0, 1, (80, 2)).round(3)
HELD = np.stack([X[:, 0] + RNG.normal(0, 0.5, 80) > 0, X.sum(axis=1) + RNG.normal(0, 0.5, 80) > 0.5], axis=1)
CSV = "x1,x2,a,b,t1,t2\n" + "".join(
    f"{x[0]},{x[1]},{y[0]},{y[1]},{str(t[0]).lower()},{'yes' if t[1] else 'no'}\n"
    for x, y, t in zip(X, NUMBERS, HELD, strict=True)
)
RECORDS = [{"x1": x[0], "x2": x[1]} for x in X.tolist()]
CLASSES = {"t1": [False, True], "t2": ["no", "yes"]}
"""The labels of each tag as the table has them, the second of which is held."""
FEATURES, WHOLE = ["x1", "x2"], {"split": {"validation": 0.0}}


def trained(stage: Stage, target: list[str], kind: str, **fields: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A job on the table above, and its model."""
    dataset_id = stage.csv(CSV).json()["id"]
    job = stage.job(dataset_id, target, kind, features=FEATURES, **fields)
    assert job["state"] == "succeeded", job
    return job, stage.client.get(f"/v1/models/{job['model_id']}").json()


def predicted(stage: Stage, job: dict[str, Any], records: list[dict[str, Any]] = RECORDS) -> dict[str, Any]:
    response = stage.client.post(f"/v1/models/{job['model_id']}/predict", json={"records": records})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def held(answer: dict[str, Any]) -> np.ndarray:
    """Which tags the predictions say are held (rows, 2), t1 first. Raises ValueError at any other label."""
    return np.array([[labels.index(row[name]) for name, labels in CLASSES.items()] for row in answer["predictions"]]) == 1


def shares_held(answer: dict[str, Any]) -> np.ndarray:
    """The probability of each tag (rows, 2), t1 first."""
    return np.array([[row["t1"], row["t2"]["yes"]] for row in answer["probabilities"]])


def evaluated(stage: Stage, job: dict[str, Any], **parameters: str) -> dict[str, Any]:
    response = stage.client.get(f"/v1/jobs/{job['id']}/evaluation", params=parameters)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


@pytest.mark.parametrize(("target", "kind", "task", "classes"), [
    (["a", "b"], "linear_regression", "regression", None), (["b", "a"], "mlp", "regression", None),
    (["t2", "t1"], "mlp", "tagging", CLASSES),
])  # fmt: skip
def test_the_list_of_targets_comes_back_as_it_was(
    stage: Stage, target: list[str], kind: str, task: str, classes: dict[str, list[Any]] | None
) -> None:
    job, model = trained(stage, target, kind)
    assert job["request"]["target"] == model["request"]["target"] == model["target"] == target
    assert job["request"]["task"] == model["task"] == task
    assert model["classes"] == classes
    assert [column["name"] for column in model["inputs"]] == FEATURES
    assert JobResource.model_validate(job).document() == job
    assert ModelResource.model_validate(model).document() == model
    metric = {"regression": "r2", "tagging": "tag_accuracy"}[task]
    assert {f"train_{metric}", f"validation_{metric}"} <= set(model["metrics"])
    again = stage.client.post("/v1/jobs", json=job["request"])
    assert again.status_code == 202, again.text
    assert again.json()["request"] == job["request"]
    asked = stage.client.post("/v1/jobs", json=job["request"], params={"validate_only": "true"}).json()
    assert (asked["request"], asked["parameters"]) == (job["request"], model["parameters"])


def test_a_list_of_one_is_kept_a_list_and_predicted_bare(stage: Stage) -> None:
    job, model = trained(stage, ["a"], "linear_regression")
    assert job["request"]["target"] == model["target"] == ["a"]
    assert {type(value) for value in predicted(stage, job)["predictions"]} == {float}


def test_several_numbers_by_linear_regression(stage: Stage) -> None:
    job, _ = trained(stage, ["a", "b"], "linear_regression", **WHOLE)
    found = predicted(stage, job)
    design = np.column_stack([X, np.ones(80)])
    solution = np.linalg.lstsq(design, NUMBERS, rcond=None)[0]
    assert found["probabilities"] is None
    assert [list(row) for row in found["predictions"]] == [["a", "b"]] * 80
    np.testing.assert_allclose([list(row.values()) for row in found["predictions"]], design @ solution, rtol=1e-9)
    coefficients = stage.client.get(f"/v1/jobs/{job['id']}/weights").json()["coefficients"]
    assert (coefficients["features"], coefficients["outputs"]) == (FEATURES, ["a", "b"])
    np.testing.assert_allclose(coefficients["weights"], solution[:2], rtol=1e-9)
    np.testing.assert_allclose(coefficients["bias"], solution[2], rtol=1e-9)
    table = {"columns": ["x2", "x1"], "data": X[:, ::-1].tolist()}
    assert stage.client.post(f"/v1/models/{job['model_id']}/predict", json=table).json() == found


def test_several_numbers_are_evaluated_by_target(stage: Stage) -> None:
    job, _ = trained(stage, ["b", "a"], "linear_regression", **WHOLE)
    rows = np.array([list(row.values()) for row in predicted(stage, job)["predictions"]])
    found = evaluated(stage, job)
    actual = NUMBERS[:, ::-1]
    assert found["metrics"] == pytest.approx(
        {
            "r2": oracle.r2_score(actual, rows),
            "mae": oracle.mean_absolute_error(actual, rows),
            "rmse": oracle.root_mean_squared_error(actual, rows),
        }
    )
    assert list(found["residuals"]) == ["b", "a"]
    for index, name in enumerate(["b", "a"]):
        residuals = found["residuals"][name]
        np.testing.assert_allclose(residuals["actual"], actual[:, index])
        np.testing.assert_allclose(residuals["predicted"], rows[:, index])
        assert residuals["std"] == pytest.approx(np.std(actual[:, index] - rows[:, index]))
        of_this = {
            "r2": oracle.r2_score(actual[:, index], rows[:, index]),
            "mae": oracle.mean_absolute_error(actual[:, index], rows[:, index]),
            "rmse": oracle.root_mean_squared_error(actual[:, index], rows[:, index]),
        }
        assert residuals["metrics"] == pytest.approx(of_this)
    assert found["classes"] is found["confusion_matrix"] is found["by_class"] is found["roc"] is None


def test_several_numbers_by_a_network(stage: Stage) -> None:
    job, model = trained(stage, ["a", "b"], "mlp", epochs=200, precision="float64")
    layers = stage.client.get(f"/v1/jobs/{job['id']}/weights").json()["layers"]
    assert np.shape(layers[-1]["weights"]) == (16, 2)
    [first] = predicted(stage, job, RECORDS[:1])["predictions"]
    assert list(first) == ["a", "b"]
    assert {type(value) for value in first.values()} == {float}
    found = evaluated(stage, job)
    assert found["split"] == "validation"
    assert found["metrics"]["r2"] == pytest.approx(model["metrics"]["validation_r2"])
    assert found["metrics"]["r2"] == pytest.approx(job["latest"]["validation_r2"])


def test_tags_by_a_network(stage: Stage) -> None:
    job, model = trained(stage, ["t1", "t2"], "mlp", epochs=60)
    found = predicted(stage, job)
    assert [list(row) for row in found["predictions"]] == [["t1", "t2"]] * 80
    assert model["classes"] == CLASSES
    for row, shares in zip(found["predictions"], found["probabilities"], strict=True):
        assert list(shares) == ["t1", "t2"]
        assert row == {"t1": shares["t1"] > 0.5, "t2": "yes" if shares["t2"]["yes"] > 0.5 else "no"}
        assert type(row["t1"]) is bool
        assert list(shares["t2"]) == ["no", "yes"]
        assert sum(shares["t2"].values()) == pytest.approx(1)
    right = np.mean(held(found) == HELD)
    assert right > 0.8
    shares = (
        evaluated(stage, job, split="train")["metrics"]["tag_accuracy"] * 64 + model["metrics"]["validation_tag_accuracy"] * 16
    )
    assert shares / 80 == pytest.approx(right)


def test_tags_are_evaluated_by_tag(stage: Stage) -> None:
    job, _ = trained(stage, ["t1", "t2"], "mlp", precision="float64", **WHOLE)
    answer, found = predicted(stage, job), evaluated(stage, job)
    given, shares = held(answer), shares_held(answer)
    assert (found["split"], found["rows"], found["classes"]) == ("train", 80, ["t1", "t2=yes"])
    assert found["metrics"] == {"tag_accuracy": pytest.approx(1 - oracle.hamming_loss(HELD, given))}
    assert found["confusion_matrix"] is found["residuals"] is None
    scores = np.transpose(oracle.precision_recall_fscore_support(HELD, given, average=None))
    for index, name in enumerate(["t1", "t2=yes"]):
        entry, roc = found["by_class"][index], found["roc"][index]
        assert entry["class"] == roc["class"] == found["precision_recall"][index]["class"] == name
        ours = [entry[what] for what in ("precision", "recall", "f1", "support")]
        assert ours == pytest.approx(scores[index].tolist())
        area = oracle.auc(roc["false_positive_rate"], roc["true_positive_rate"])
        assert area == pytest.approx(oracle.roc_auc_score(HELD[:, index], shares[:, index]))


def test_a_network_without_a_layer_has_a_coefficient_for_each_tag(stage: Stage) -> None:
    job, _ = trained(stage, ["t2", "t1"], "mlp", model={"hidden": []}, precision="float64")
    coefficients = stage.client.get(f"/v1/jobs/{job['id']}/weights").json()["coefficients"]
    assert (coefficients["features"], coefficients["outputs"]) == (FEATURES, ["t2=yes", "t1"])
    Z = X @ coefficients["weights"] + coefficients["bias"]
    found = shares_held(predicted(stage, job))
    np.testing.assert_allclose(found[:, ::-1], 1 / (1 + np.exp(-Z)), rtol=1e-9)


BAD_TARGETS: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown": ({"target": ["a", "c"]}, "/target/1", "no column 'c'"),
    "twice": ({"target": ["a", "b", "a"]}, "/target/2", "twice"),
    "none": ({"target": []}, "/target", "at least 1"),
    "a number": ({"target": 5}, "/target", "text"),
    "a number in the list": ({"target": ["a", 5]}, "/target/1", "text"),
    "text among numbers": ({"target": ["a", "word"]}, "/target/1", "holds text"),
    "several words among tags": ({"target": ["t1", "word"]}, "/target/1", "it has 3 different cells, and a tag has two: leave"),
    "a number among tags": ({"target": ["t1", "a"], "task": "tagging"}, "/target/1", "no tag"),
    "one target for classes": ({"target": ["t1", "t2"], "task": "classification"}, "/target", "tagging"),
    "no tagging for this model": ({"target": ["t1", "t2"], "model": {"kind": "logistic_regression"}}, "/target", "tagging"),
    "target among the features": ({"target": ["a", "b"], "features": ["x1", "b"]}, "/features/1", "is the target"),
    "class weights of tags": ({"target": ["t1", "t2"], "class_weight": "balanced"}, "/class_weight", "remove it"),
    "strata of tags": ({"target": ["t1", "t2"], "split": {"stratify": True}}, "/split/stratify", "no classes"),
}


@pytest.mark.parametrize(("change", "pointer", "text"), BAD_TARGETS.values(), ids=BAD_TARGETS.keys())
def test_a_bad_target_is_pointed_at(stage: Stage, change: dict[str, Any], pointer: str, text: str) -> None:
    header, *rows = CSV.splitlines()
    table = "\n".join([f"{header},word", *(f"{row},{'abc'[place % 3]}" for place, row in enumerate(rows))])
    body = {"dataset_id": stage.csv(table).json()["id"], "features": FEATURES, "model": {"kind": "mlp"}, **change}
    response = stage.client.post("/v1/jobs", json=body)
    assert response.status_code == 422, response.text
    found = {error["pointer"]: error["detail"] for error in response.json()["errors"]}
    assert text in found[pointer], found


def test_whole_numbers_other_than_0_and_1_are_no_tags(stage: Stage) -> None:
    rows = "".join(f"{x},{x % 2},{1 + x % 2}\n" for x in range(10))
    dataset_id = stage.csv(f"x,t,rank\n{rows}").json()["id"]
    body = {"dataset_id": dataset_id, "target": ["t", "rank"], "model": {"kind": "mlp"}}
    refused = stage.client.post("/v1/jobs", json={**body, "task": "tagging"})
    assert refused.status_code == 422
    [error] = refused.json()["errors"]
    assert error["pointer"] == "/target/1"
    assert "column 'rank' is no tag" in error["detail"]
    job = stage.job(dataset_id, ["t", "rank"], "mlp")
    assert (job["state"], job["request"]["task"]) == ("succeeded", "regression")
