"""Predictions row by row: the losses are those that training reports, the cells are the confusion matrix's, the rows are the
dataset's, whatever the model.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from tests.service.conftest import Stage, stages

TWO = "a,b,y,z\n" + "".join(f"{i},{(i * 7) % 11},{3 * i + (i * 5) % 4},{i % 9 - (i * 3) % 5}\n" for i in range(60))
TAGS = "a,b,hot,wet\n" + "".join(
    f"{i % 13},{(i * 7) % 11},{'yes' if i % 13 > 5 + i % 3 else 'no'},{int((i * 7) % 11 > 4)}\n" for i in range(60)
)
HELD: dict[str, Any] = {"split": {"validation": 0.3}}
BRIEF: dict[str, Any] = {**HELD, "epochs": 3, "precision": "float64"}
EXACT = ("numbers", "several", "weighted", "perceptron")
"""Jobs whose epochs are evaluated as the rows are here; others' by compiled code, which adds up in another order."""


class Here:
    """Jobs of every kind on one stage."""

    def __init__(self, stage: Stage) -> None:
        iris, houses = stage.iris(), stage.sample("house_prices")
        self.stage = stage
        self.datasets = {"iris": iris, "digits": stage.sample("digits")}
        clusters = {"clusters": 3}
        self.jobs = {
            "classes": stage.job(iris, "species", "mlp", **BRIEF),
            "numbers": stage.job(houses, "price", "linear_regression", **HELD),
            "several": stage.job(stage.csv(TWO).json()["id"], ["y", "z"], "linear_regression", **HELD),
            "tags": stage.job(stage.csv(TAGS).json()["id"], ["hot", "wet"], "mlp", **BRIEF),
            "weighted": stage.job(iris, "species", "logistic_regression", class_weight={"setosa": 2.0}, **HELD),
            "perceptron": stage.job(stage.sample("double_moons", distance=-4), "moon", "perceptron", epochs=4, **HELD),
            "clusters": stage.job(iris, None, "k_means", model=clusters, features=["sepal_length", "petal_length"], **HELD),
            "images": stage.job(self.datasets["digits"], "digit", "mlp", epochs=1, precision="float64", **HELD),
        }

    def get(self, job: str, what: str = "predictions", accept: str = "application/json", **query: Any) -> Any:
        return self.stage.client.get(f"/v1/jobs/{self.jobs[job]['id']}/{what}", params=query, headers={"Accept": accept})

    def rows(self, job: str, **query: Any) -> dict[str, Any]:
        answer = self.get(job, **{"limit": 1000, **query})
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Here]:
    with stages(tmp_path_factory.mktemp("predictions"), migrated) as make:
        yield Here(make())


@pytest.mark.parametrize("job", ["classes", "numbers", "several", "tags", "weighted", "perceptron", "clusters"])
def test_the_losses_are_those_that_training_reported(here: Here, job: str) -> None:
    """To the bit where they are evaluated by the same code, else to rounding. Of gradient descent, train_loss is another."""
    latest = here.jobs[job]["latest"]
    for split in ("train", "validation") if job not in ("classes", "tags") else ("validation",):
        found = here.rows(job, split=split, sort="row")
        losses = np.array([item["loss"] * (item["weight"] or 1.0) for item in found["items"]])
        assert found["rows"] == found["total"] == len(losses) > 10
        assert found["mean_loss"] == losses.mean()
        bound = 0 if job in EXACT else 1e-13
        assert found["mean_loss"] == pytest.approx(latest[f"{split}_loss"], rel=bound, abs=0)
        assert "\\ell" in found["formulas"]["loss"]["formula"] and found["formulas"]["loss"]["source"]
    assert [item["row"] for item in found["items"]] == sorted(item["row"] for item in found["items"])


def test_only_training_rows_have_a_weight(here: Here) -> None:
    for item in here.rows("weighted", split="train")["items"]:
        assert item["weight"] == (2.0 if item["target"] == "setosa" else 1.0)
    assert {item["weight"] for item in here.rows("weighted")["items"]} == {None}


@pytest.mark.parametrize("job", ["classes", "perceptron"])
def test_each_cell_of_the_confusion_matrix_is_a_list_of_rows(here: Here, job: str) -> None:
    evaluation = here.get(job, "evaluation").json()
    listed: list[int] = []
    for row, true in zip(evaluation["confusion_matrix"], evaluation["classes"], strict=True):
        for count, predicted in zip(row, evaluation["classes"], strict=True):
            found = here.rows(job, true=true, predicted=predicted)
            assert found["total"] == len(found["items"]) == count
            assert all((each["target"], each["prediction"]) == (true, predicted) for each in found["items"])
            listed += [each["row"] for each in found["items"]]
    everything = here.rows(job)
    assert sorted(listed) == sorted(each["row"] for each in everything["items"])
    wrong, right = (here.rows(job, only=only)["total"] for only in ("wrong", "right"))
    assert wrong == len(listed) - np.trace(evaluation["confusion_matrix"]) == everything["total"] - right


@pytest.mark.parametrize("job", ["classes", "numbers", "several", "tags", "clusters"])
def test_a_row_is_answered_as_the_model_answers_it(here: Here, job: str) -> None:
    client, made = here.stage.client, here.jobs[job]
    found = here.rows(job, limit=7, cells=True)["items"]
    known = {entry["name"] for entry in client.get(f"/v1/models/{made['model_id']}").json()["inputs"]}
    records = [{name: cell for name, cell in item["cells"].items() if name in known} for item in found]
    answer = client.post(f"/v1/models/{made['model_id']}/predict", json={"records": records}).json()
    assert [item["prediction"] for item in found] == (
        pytest.approx(answer["predictions"]) if job == "numbers" else answer["predictions"]
    )
    rows = client.get(f"/v1/datasets/{made['dataset_id']}/rows", params={"limit": 10_000}).json()
    for item, probabilities in zip(found, answer["probabilities"] or [None] * 7, strict=True):
        assert list(item["cells"].values()) == rows["rows"][item["row"]]
        if job == "classes":
            assert item["probabilities"] == pytest.approx(probabilities)
            assert item["confidence"] == max(item["probabilities"].values())
            assert item["loss"] == pytest.approx(-np.log(item["probabilities"][item["target"]]))
            assert item["right"] == (item["prediction"] == item["target"] == item["cells"]["species"])
        if job == "numbers":
            assert item["target"] == item["cells"]["price"]
            assert item["residual"] == item["target"] - item["prediction"]
            assert item["loss"] == pytest.approx(item["residual"] ** 2 / 2)
        if job == "several":
            assert item["residual"] == {name: item["target"][name] - item["prediction"][name] for name in ("y", "z")}
        if job == "tags":
            assert item["target"] == {"hot": "yes" if item["cells"]["hot"] else "no", "wet": bool(item["cells"]["wet"])}
            assert item["right"] == (item["prediction"] == item["target"])
            sure = [max(item["probabilities"]["hot"].values()), abs(item["probabilities"]["wet"] - 0.5) + 0.5]
            assert item["confidence"] == pytest.approx(min(sure))
        if job == "clusters":
            assert (item["target"], item["right"]) == (None, None)
            assert item["loss"] == pytest.approx(min(item["distances"]) ** 2)


def test_the_leverage_is_the_hat_matrixs(here: Here) -> None:
    """Of all rows by the same training rows; and the rows with the most come first."""
    train, held = (here.rows("several", split=split, cells=True, sort="leverage")["items"] for split in ("train", "validation"))
    design, further = (np.array([[1.0, item["cells"]["a"], item["cells"]["b"]] for item in items]) for items in (train, held))
    inverse = np.linalg.inv(design.T @ design)
    for rows, items in ((design, train), (further, held)):
        found = [item["leverage"] for item in items]
        np.testing.assert_allclose(found, np.einsum("ij,jk,ik->i", rows, inverse, rows), rtol=1e-9)
        assert found == sorted(found, reverse=True)
    assert sum(item["leverage"] for item in train) == pytest.approx(3)


def test_an_order_and_its_pages(here: Here) -> None:
    everything = here.rows("classes")["items"]
    assert everything == sorted(everything, key=lambda item: (-item["loss"], item["row"]))
    assert [*here.rows("classes", limit=20)["items"], *here.rows("classes", offset=20)["items"]] == everything
    surest = here.rows("classes", sort="confidence", order="desc", only="wrong")["items"]
    wrong = [item for item in everything if item["prediction"] != item["target"]]
    assert surest == sorted(wrong, key=lambda item: (-item["confidence"], item["row"])) != []
    assert here.rows("classes", offset=99) | {"offset": 0, "items": everything} == here.rows("classes")
    cluster = here.rows("clusters", predicted="1")["items"]
    assert cluster == [item for item in here.rows("clusters")["items"] if item["prediction"] == 1] != []


def test_an_epoch_answers_by_its_own_weights(here: Here) -> None:
    start = here.rows("classes", epoch=0)
    assert (start["epoch"], start["mean_loss"] == here.rows("classes")["mean_loss"]) == (0, False)


def test_the_same_rows_as_a_spreadsheet(here: Here) -> None:
    query = {"only": "wrong", "cells": True, "split": "train", "limit": 1000}
    answer = here.get("classes", accept="text/csv", **query)
    found, items = pl.read_csv(answer.content), here.rows("classes", **query)["items"]
    assert found["row"].to_list() == [item["row"] for item in items]
    assert found["probabilities.setosa"].to_list() == [item["probabilities"]["setosa"] for item in items]
    assert found["cells.species"].to_list() == [item["cells"]["species"] for item in items]
    assert not {"leverage", "weight", "distances"} & set(found.columns)
    several = pl.read_csv(here.get("several", accept="text/csv").content)
    assert {"target.y", "prediction.z", "residual.z", "leverage"} <= set(several.columns)
    assert pl.read_csv(here.get("classes", accept="text/csv", offset=999).content).columns == ["row"]


def test_the_misclassified_digits_are_one_picture(here: Here) -> None:
    """In the order of the list: each as the dataset shows it."""
    query = {"only": "wrong", "limit": 6}
    rows = [item["row"] for item in here.rows("images", **query)["items"]]
    answer = here.get("images", accept="image/png", scale=1, columns=3, **query)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png"), answer.text
    sheet = np.array(Image.open(io.BytesIO(answer.content)))
    assert sheet.shape == (8 + 2 + 8, 3 * 8 + 2 * 2, 2)
    for place, row in enumerate(rows):
        top, left = place // 3 * 10, place % 3 * 10
        single = here.stage.client.get(f"/v1/datasets/{here.datasets['digits']}/images/{row}").content
        assert (sheet[top : top + 8, left : left + 8, 0] == np.array(Image.open(io.BytesIO(single)))).all()
    url, headers = f"/v1/jobs/{here.jobs['images']['id']}/predictions?only=wrong&limit=6", {"Accept": "image/png"}
    headers["If-None-Match"] = here.stage.client.get(url, headers=headers).headers["ETag"]
    assert here.stage.client.get(url, headers=headers).status_code == 304
    assert here.stage.client.get(f"{url}&sort=row", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("job", "query", "status", "pointer", "told"),
    [
        ("classes", {"split": "test"}, 404, "/query/split", "not asked to set any apart"),
        ("classes", {"epoch": 2}, 404, None, "there are those of 3"),
        ("classes", {"true": "tulip"}, 422, "/query/true", "there are setosa, versicolor, virginica"),
        ("classes", {"sort": "leverage"}, 422, "/query/sort", "mlp is none here"),
        ("classes", {"limit": 1001}, 422, "/query/limit", "1000"),
        ("numbers", {"only": "wrong"}, 422, "/query/only", "sort them by loss"),
        ("numbers", {"predicted": "7"}, 422, "/query/predicted", "leave it out"),
        ("numbers", {"sort": "confidence"}, 422, "/query/sort", "sort by loss"),
        ("tags", {"true": "hot"}, 422, "/query/true", "only=wrong"),
        ("clusters", {"true": "0"}, 422, "/query/true", "predicted takes a cluster"),
        ("clusters", {"predicted": "3"}, 422, "/query/predicted", "there are 0, 1, 2"),
        ("perceptron", {"sort": "confidence"}, 422, "/query/sort", "no probabilities"),
        ("classes", {"accept": "image/png"}, 422, "/query/column", "holds no images"),
        ("images", {"accept": "image/png", "only": "right", "true": "1", "predicted": "2"}, 404, "/query/only", "no row"),
        ("images", {"accept": "image/png", "limit": 500, "scale": 32}, 422, "/query/limit", "fewer rows"),
        ("images", {"accept": "text/html"}, 406, None, "image/png"),
    ],
)
def test_what_cannot_be_listed_says_why(
    here: Here, job: str, query: dict[str, Any], status: int, pointer: str | None, told: str
) -> None:
    problem = here.get(job, **query).json()
    assert (problem["status"], told in problem["detail"]) == (status, True), problem
    assert [error["pointer"] for error in problem.get("errors", [])] == ([pointer] if pointer else [])


def test_too_many_numbers_are_refused_and_leverages_left_out(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = here.stage.client.app.state.store.settings  # type: ignore[attr-defined]
    monkeypatch.setattr(settings, "max_work", 4_000_000)
    few = here.get("several", limit=2, split="train")
    assert few.status_code == 200
    monkeypatch.setattr("engine.glass.leverage.products", lambda *counts: 10**9)
    left_out = here.get("several", limit=2, split="train").json()
    assert [item["leverage"] for item in left_out["items"]] == [None, None]
    assert [warning["code"] for warning in left_out["warnings"]] == ["LEVERAGE_LEFT_OUT"]
    monkeypatch.setattr(settings, "max_work", 500_000)
    many = here.get("several", limit=1000).json()
    assert (many["code"], many["errors"][0]["pointer"]) == ("TOO_MUCH_WORK", "/query/limit")
    monkeypatch.setattr(settings, "max_work", 1000)
    split = here.get("several").json()
    assert (split["code"], split["errors"][0]["pointer"]) == ("TOO_MUCH_WORK", "/query/split")


def test_a_deleted_dataset_is_told(stage: Stage) -> None:
    dataset = stage.iris()
    job = stage.job(dataset, "species", "logistic_regression")
    assert stage.client.delete(f"/v1/datasets/{dataset}").status_code == 204
    answer = stage.client.get(f"/v1/jobs/{job['id']}/predictions")
    assert (answer.status_code, "has been deleted" in answer.json()["detail"]) == (404, True)
