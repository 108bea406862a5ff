"""The clusters of a job on a plane over HTTP: rows and centroids in the data's own units."""

from typing import Any

import numpy as np
import pytest

from tests.service.conftest import Stage

THREE = {"clusters": 3, "restarts": 3, "compare_with": "species"}


def clustered(stage: Stage, dataset_id: str, **fields: Any) -> dict[str, Any]:
    job = stage.job(dataset_id, None, "k_means", record={"checkpoint_every": 1}, **fields)
    assert job["state"] == "succeeded", job["error"]
    return job


def plane(stage: Stage, job: dict[str, Any], **query: Any) -> dict[str, Any]:
    response = stage.client.get(f"/v1/jobs/{job['id']}/clusters", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def test_rows_lie_where_the_data_has_them_and_centroids_at_their_means(stage: Stage) -> None:
    dataset = stage.iris()
    job = clustered(stage, dataset, model=THREE)
    found = plane(stage, job, x="petal_length", y="sepal_width")
    page = stage.client.get(f"/v1/datasets/{dataset}/rows?limit=150").json()
    records = [dict(zip(page["columns"], row, strict=True)) for row in page["rows"]]
    assert (found["rows"], found["of_rows"]) == (list(range(150)), 150)
    assert found["x"]["rows"] == [record["petal_length"] for record in records]
    assert found["y"]["rows"] == [record["sepal_width"] for record in records]
    asked = {"records": [{name: value for name, value in record.items() if name != "species"} for record in records]}
    assert found["clusters"] == stage.client.post(f"/v1/models/{job['model_id']}/predict", json=asked).json()["predictions"]
    for axis in (found["x"], found["y"]):
        means = [np.mean([x for x, of in zip(axis["rows"], found["clusters"], strict=True) if of == k]) for k in range(3)]
        np.testing.assert_allclose(axis["centroids"], means, rtol=1e-12)  # where Lloyd's algorithm is at rest
    usual, first = plane(stage, job), plane(stage, job, epoch=1)
    assert (usual["x"]["feature"], usual["y"]["feature"]) == ("sepal_length", "sepal_width")
    assert (first["epoch"], usual["epoch"]) == (1, job["progress"]["epoch"])
    rows, starts = (np.stack([first["x"][of], first["y"][of]], axis=1) for of in ("rows", "centroids"))
    assert (np.abs(starts[:, None] - rows).max(axis=2).min(axis=1) < 1e-12).all()  # epoch 1 measures at starts, which are rows


def test_many_rows_are_thinned_and_gaps_are_shown_as_filled(stage: Stage) -> None:
    rows = "\n".join(f"{row},{'' if row == 4 else row % 2},{'red' if row % 3 else 'blue'}" for row in range(30))
    job = clustered(
        stage,
        stage.csv(f"a,b,color\n{rows}\n").json()["id"],
        model={"clusters": 2, "restarts": 1},
        preprocessing={"missing": "mean"},
    )
    some = plane(stage, job, points=4, x="a")
    assert (some["rows"], some["of_rows"], some["y"], len(some["clusters"])) == ([0, 10, 19, 29], 30, None, 4)
    assert some["x"]["rows"] == some["rows"]
    all_of = plane(stage, job, y="b")
    assert (all_of["x"]["feature"], all_of["y"]["rows"][4]) == ("a", pytest.approx(15 / 29))
    of_category = stage.client.get(f"/v1/jobs/{job['id']}/weights").json()["centroids"]["features"][-1]
    assert set(plane(stage, job, x=of_category)["x"]["rows"]) == {0.0, 1.0}


def test_what_cannot_be_shown_is_refused_where_it_stands(stage: Stage) -> None:
    job = clustered(stage, stage.iris(), model=THREE)
    other = stage.job(job["dataset_id"], "species", "mlp", epochs=1)
    refused: list[tuple[str, dict[str, Any], str]] = [
        (job["id"], {"x": "color"}, "/query/x"),
        (job["id"], {"x": "petal_width", "y": "petal_width"}, "/query/y"),
        (job["id"], {"points": 0}, "/query/points"),
        (other["id"], {}, "/job_id"),
    ]
    for job_id, query, pointer in refused:
        answer = stage.client.get(f"/v1/jobs/{job_id}/clusters", params=query)
        assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [pointer]), answer.text
    assert stage.client.get(f"/v1/jobs/{job['id']}/clusters?epoch=0").status_code == 404
