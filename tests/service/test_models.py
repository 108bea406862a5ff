"""Models and predictions over HTTP."""

import json
import math
from typing import Any

import pytest

from service.schemas.models import PredictionsResource
from store import stored_forms
from store.database import to_json
from store.tables import Model
from tests.service.conftest import Stage

ROW = {"sepal_length": 5.9, "sepal_width": 3.0, "petal_length": 5.1, "petal_width": 1.8}


def test_a_model_says_what_it_was_trained_on_and_takes(stage: Stage) -> None:
    dataset_id = stage.iris()
    job = stage.job(dataset_id, "species", "mlp", name="irises")
    model = stage.client.get(f"/v1/models/{job['model_id']}").json()
    assert model["dataset_sha256"] == stage.client.get(f"/v1/datasets/{dataset_id}").json()["sha256"]
    assert model["request"] == job["request"]
    assert model["name"] == "irises"
    assert model["classes"] == ["setosa", "versicolor", "virginica"]
    assert [column["name"] for column in model["inputs"]] == list(ROW)
    assert all(column["required"] for column in model["inputs"])
    assert set(model["versions"]) == {"python", "vidro", "numpy", "polars", "numba", "processor"}
    assert model["epoch"] == 100
    assert stage.client.get("/v1/models").json()["items"] == [model]


def test_records_and_tables_predict_alike(stage: Stage) -> None:
    job = stage.job(
        stage.iris(), "species", "logistic_regression", split={"validation": 0.0}, preprocessing={"scaling": "none"}
    )
    url = f"/v1/models/{job['model_id']}/predict"
    first = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
    by_record = stage.client.post(url, json={"records": [first, ROW]}).json()
    by_table = stage.client.post(url, json={"columns": list(ROW), "data": [list(first.values()), list(ROW.values())]}).json()
    assert by_record == by_table
    assert by_record["predictions"] == ["setosa", "virginica"]
    probabilities = by_record["probabilities"][0]
    assert probabilities["setosa"] == pytest.approx(0.98158350, abs=1e-7)
    assert probabilities["versicolor"] == pytest.approx(0.01841649, abs=1e-7)
    assert probabilities["virginica"] == pytest.approx(1.44987e-8, rel=1e-4)


def test_an_early_stopped_job_makes_its_model_of_the_best_epoch(stage: Stage) -> None:
    job = stage.job(
        stage.iris(),
        "species",
        "mlp",
        epochs=2000,
        early_stopping={"patience": 5},
        optimizer={"kind": "adam", "learning_rate": 0.05},
    )
    assert job["state_reason"] == "early_stopped"
    model = stage.client.get(f"/v1/models/{job['model_id']}").json()
    assert model["epoch"] == job["best"]["epoch"] < job["latest"]["epoch"] < 2000
    assert model["metrics"] == job["best"]


def test_records_may_carry_what_the_model_does_not_read(stage: Stage) -> None:
    """The target, and columns of its dataset that are no features; no others. Told once, by name."""
    job = stage.job(stage.iris(), "species", "logistic_regression", features=["petal_length", "petal_width"])
    url = f"/v1/models/{job['model_id']}/predict"
    whole, bare = {**ROW, "species": "virginica"}, {name: ROW[name] for name in ("petal_length", "petal_width")}
    expected = stage.client.post(url, json={"records": [bare, bare]}).json()
    assert expected["warnings"] == []
    table = {"columns": list(whole), "data": [list(whole.values())] * 2}
    for body in ({"records": [whole, whole]}, table):
        answer = stage.client.post(url, json=body).json()
        ((code, columns),) = [(told["code"], told["columns"]) for told in answer["warnings"]]
        assert (code, columns) == ("COLUMNS_NOT_READ", ["sepal_length", "sepal_width", "species"])
        assert "sepal_length, sepal_width, species" in answer["warnings"][0]["detail"]
        assert answer["predictions"] == expected["predictions"]
        assert answer["probabilities"] == expected["probabilities"]
    refused = stage.client.post(url, json={"records": [whole, {**whole, "wings": 2}]})
    assert [error["pointer"] for error in refused.json()["errors"]] == ["/records/1/wings"]


def test_a_model_stored_without_its_tables_columns_knows_those_of_its_dataset(stage: Stage) -> None:
    dataset_id = stage.iris()
    job = stage.job(dataset_id, "species", "logistic_regression", features=["petal_length", "petal_width"])
    with stage.place.database.transaction() as session:
        model = session.query(Model).one()
        model.fitted, model.form = {name: value for name, value in model.fitted.items() if name != "columns"}, 0
        session.flush()
        stored_forms.bring_up(session.connection())
    url = f"/v1/models/{job['model_id']}/predict"
    known, target = {"records": [ROW]}, {"records": [{"petal_length": 1, "petal_width": 1, "species": "setosa"}]}
    assert stage.client.post(url, json=known).json()["warnings"][0]["columns"] == ["sepal_length", "sepal_width"]
    assert stage.client.delete(f"/v1/datasets/{dataset_id}").status_code == 204
    assert stage.client.post(url, json=known).json()["warnings"][0]["columns"] == ["sepal_length", "sepal_width"]
    assert stage.client.post(url, json=target).json()["warnings"][0]["columns"] == ["species"]


@pytest.mark.parametrize(
    ("table", "row", "predicted"),
    [
        ("x,y\n0,1\n1,1\n8,2\n9,2\n", {"x": 9}, 2),
        ("x,y\n0,true\n1,true\n8,false\n9,false\n", {"x": 9}, False),
        ("x,y\n0,a\n1,a\n8,b\n9,b\n", {"x": 0}, "a"),
        ("x,y\nred,a\nred,a\nblue,b\nblue,b\n", {"x": "blue"}, "b"),
        ("x,y\nred,a\nred,a\nblue,b\nblue,b\ngreen,b\n", {"x": "mauve"}, "b"),
    ],
)
def test_labels_come_back_as_they_were(stage: Stage, table: str, row: dict[str, Any], predicted: object) -> None:
    job = stage.job(stage.csv(table).json()["id"], "y", "logistic_regression")
    answer = stage.client.post(f"/v1/models/{job['model_id']}/predict", json={"records": [row]}).json()
    assert answer["predictions"] == [predicted]
    assert type(answer["predictions"][0]) is type(predicted)


BAD_RECORDS: dict[str, tuple[Any, str, str]] = {
    "missing column": ({"records": [ROW, {"sepal_length": 1}]}, "/records/1/sepal_width", "is missing"),
    "unknown column": ({"records": [{**ROW, "wings": 2}]}, "/records/0/wings", "no column 'wings'"),
    "null": ({"records": [{**ROW, "sepal_width": None}]}, "/records/0/sepal_width", "is missing"),
    "text for a number": ({"records": [{**ROW, "sepal_width": "wide"}]}, "/records/0/sepal_width", "finite number"),
    "a list for a number": ({"records": [{**ROW, "sepal_width": [1]}]}, "/records/0/sepal_width", "number"),
    "no rows": ({"records": []}, "/records", "at least 1"),
    "unknown column of a table": ({"columns": [*ROW, "wings"], "data": [[1, 2, 3, 4, 5]]}, "/columns/4", "no column"),
    "short row": ({"columns": list(ROW), "data": [[1, 2, 3, 4], [1, 2]]}, "/data/1", "row 1 has 2 cells"),
    "neither form": ({"rows": []}, "/rows", "no such field"),
}


@pytest.mark.parametrize(("body", "pointer", "text"), BAD_RECORDS.values(), ids=BAD_RECORDS.keys())
def test_a_bad_record_is_pointed_at(stage: Stage, body: Any, pointer: str, text: str) -> None:
    job = stage.job(stage.iris(), "species", "logistic_regression")
    response = stage.client.post(f"/v1/models/{job['model_id']}/predict", json=body)
    assert response.status_code == 422
    found = {error["pointer"]: error["detail"] for error in response.json()["errors"]}
    assert text in found[pointer], found
    for detail in found.values():  # whatever else the body could have been, a remedy is told once
        assert len(set(detail.split(", or: "))) == len(detail.split(", or: ")), detail


def test_predictions_that_are_no_numbers_say_so() -> None:
    """Wherever they stand: never null, which is for what there is not."""
    predictions = [math.nan, {"a": math.inf, "b": -math.inf}]
    notice = {"code": "C", "detail": "d", "evidence": math.inf}
    answer = PredictionsResource(model_id="m", predictions=predictions, probabilities=[{"a": math.nan}], warnings=[notice])
    for body in (to_json(answer.document()), answer.model_dump_json()):
        found = json.loads(body)
        assert found["predictions"] == ["NaN", {"a": "Infinity", "b": "-Infinity"}]
        assert found["probabilities"] == [{"a": "NaN"}]
        assert found["warnings"][0]["evidence"] == "Infinity"


def test_an_infinite_cell_is_refused(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "logistic_regression")
    body = '{"records": [{"sepal_length": 1e999, "sepal_width": 1, "petal_length": 1, "petal_width": 1}]}'
    headers = {"content-type": "application/json"}
    response = stage.client.post(f"/v1/models/{job['model_id']}/predict", content=body, headers=headers)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


def test_a_deleted_model_is_gone_and_its_job_says_so(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp")
    url = f"/v1/models/{job['model_id']}"
    assert stage.client.post(f"{url}/predict", json={"records": [ROW]}).status_code == 200
    assert stage.client.delete(url).status_code == 204
    assert stage.client.get(url).status_code == 404
    assert stage.client.post(f"{url}/predict", json={"records": [ROW]}).status_code == 404
    assert stage.client.get(f"/v1/jobs/{job['id']}").json()["model_id"] is None
    assert stage.client.get(f"/v1/jobs/{job['id']}/weights").status_code == 200
