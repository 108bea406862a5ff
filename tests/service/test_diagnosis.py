"""A job's diagnosis over HTTP: in both languages, with a patch that is taken as it is, and of a job that still runs."""

from dataclasses import replace
from typing import Any

import pytest

from tests.service.conftest import Stage
from worker import training, writing

LINE = {"solver": "gradient_descent"}
SGD = {"kind": "gradient_descent"}
SCALED = {"preprocessing": {"scaling": "standard"}}


def line(stage: Stage) -> str:
    """Twenty rows with y = 2a − b, near enough."""
    rows = [f"{n % 7 - 3},{n % 5 - 2},{2 * (n % 7 - 3) - (n % 5 - 2) + n % 3 / 10}" for n in range(60)]
    return str(stage.csv("\n".join(["a,b,y", *rows])).json()["id"])


def diagnosis(stage: Stage, job: dict[str, Any], language: str = "en", **query: Any) -> dict[str, Any]:
    answer = stage.client.get(f"/v1/jobs/{job['id']}/diagnosis", params=query, headers={"Accept-Language": language})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-language"] == {"en": "en", "pt": "pt-BR"}[language]
    return answer.json()


def finding(found: dict[str, Any], rule: str) -> dict[str, Any]:
    return next(each for each in found["findings"] if each["rule"] == rule)


def test_what_diverged_is_told_the_largest_rate_and_mended_by_its_patch(stage: Stage) -> None:
    given = {"model": LINE, "optimizer": SGD | {"learning_rate": 3.0}, "epochs": 200, **SCALED}
    job = stage.job(line(stage), "y", "linear_regression", **given)
    assert job["state"] == "failed"
    found = diagnosis(stage, job)
    worst = found["findings"][0]
    assert (worst["rule"], worst["severity"], found["state"]) == ("DIVERGED", "error", "failed")
    assert worst["evidence"]["largest_rate"] == pytest.approx(2 / worst["evidence"]["curvature"])
    assert "a curvatura do custo, " in finding(diagnosis(stage, job, "pt"), "DIVERGED")["explanation"]
    patch = worst["patch"]
    assert (patch["by"], patch["path"]) == ("job", "/v1/jobs")
    assert 0.5 < patch["body"]["optimizer"]["learning_rate"] < worst["evidence"]["largest_rate"]
    mended = stage.run(stage.client.post(patch["path"], json=patch["body"]).json()["id"])
    assert (mended["state"], mended["latest"]["train_r2"] > 0.99) == ("succeeded", True)
    assert [each for each in diagnosis(stage, mended)["findings"] if each["severity"] != "info"] == []


def test_a_rate_that_is_too_low_goes_on_as_a_fork(stage: Stage) -> None:
    given = {"model": LINE, "optimizer": SGD | {"learning_rate": 1e-4}, "epochs": 20, **SCALED}
    job = stage.job(line(stage), "y", "linear_regression", **given)
    patch = finding(diagnosis(stage, job), "LEARNING_RATE_TOO_LOW")["patch"]
    assert (patch["by"], patch["path"]) == ("fork", f"/v1/jobs/{job['id']}/fork")
    fork = stage.run(stage.client.post(patch["path"], json=patch["body"]).json()["id"])
    assert fork["forked_from"]["job_id"] == job["id"]
    assert fork["latest"]["train_loss"] < job["latest"]["train_loss"] / 100


WRONG: list[tuple[str, str, str, dict[str, Any]]] = [
    ("xor", "y", "perceptron", {"epochs": 3}),
    ("xor", "y", "logistic_regression", {}),
    ("circles", "circle", "logistic_regression", {}),
    ("iris", "species", "mlp", {"model": {"initializer": "zeros"}, "epochs": 12}),
    ("iris", "species", "mlp", {"model": {"hidden": [{"units": 9, "activation": "sigmoid"}] * 7}, "epochs": 5}),
]


@pytest.mark.parametrize(("sample", "target", "kind", "given"), WRONG)
def test_every_patch_is_taken_as_it_is(stage: Stage, sample: str, target: str, kind: str, given: dict[str, Any]) -> None:
    job = stage.job(stage.sample(sample), target, kind, **given)
    found = diagnosis(stage, job)["findings"]
    assert found
    for each in found:
        if each["patch"] is not None:
            path = f"{each['patch']['path']}?validate_only=true"
            answer = stage.client.post(path, json=each["patch"]["body"])
            assert answer.status_code == 200, f"{each['rule']}: {answer.text}"


def test_a_running_job_is_asked_too(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """After every epoch: before the first checkpoint of the weights that it began with, then of those that are kept."""
    given = {"optimizer": SGD | {"learning_rate": 1e-4}, "record": {"checkpoint_every": 12}, **SCALED}
    model = {"kind": "linear_regression", **LINE}
    body = {"dataset_id": line(stage), "target": "y", "model": model, "epochs": 20, **given}
    job = stage.client.post("/v1/jobs", json=body).json()
    asked: list[dict[str, Any]] = []

    def look() -> bool:
        asked.append(stage.client.get(f"/v1/jobs/{job['id']}/diagnosis").json())
        return False

    monkeypatch.setattr(writing, "FLUSH_SECONDS", -1.0)
    assert training.run(replace(stage.place, stopping=look), job["id"])
    eighth, last = asked[8], asked[15]
    assert (eighth["state"], eighth["epoch"], last["epoch"]) == ("running", 0, 12)
    slow = finding(last, "LEARNING_RATE_TOO_LOW")
    assert slow["epochs"] == [1, 14]
    assert slow["patch"]["body"]["overrides"].keys() == {"optimizer", "epochs"}


def test_what_has_not_begun_says_so_and_not_every_rule_can_be_asked(stage: Stage) -> None:
    body = {"dataset_id": line(stage), "target": "y", "model": {"kind": "mlp"}, "epochs": 3}
    job = stage.client.post("/v1/jobs", json=body).json()
    answer = stage.client.get(f"/v1/jobs/{job['id']}/diagnosis")
    assert (answer.status_code, "has not begun" in answer.json()["detail"]) == (404, True)
    stage.run(job["id"])
    found = diagnosis(stage, job)
    assert found["epoch"] == 3
    reasons = {each["rule"]: each["reason"] for each in found["not_asked"]}
    assert reasons["NOT_SEPARABLE"] == "the model is no perceptron"
    assert reasons["PLATEAU"] == "fewer than 5 epochs are recorded"
    assert set(reasons) & set(found["asked"]) == set()


def test_clusters_and_a_deleted_dataset(stage: Stage) -> None:
    dataset = stage.iris()
    body = {"dataset_id": dataset, "features": ["petal_width"], "model": {"kind": "k_means", "clusters": 3}}
    job = stage.run(stage.client.post("/v1/jobs", json=body).json()["id"])
    assert diagnosis(stage, job)["findings"] == []
    assert stage.client.delete(f"/v1/datasets/{dataset}").status_code == 204
    answer = stage.client.get(f"/v1/jobs/{job['id']}/diagnosis")
    assert (answer.status_code, "has been deleted" in answer.json()["detail"]) == (404, True)
