"""A decision boundary over HTTP: the same predictions as the model's own, over a grid."""

import json
from itertools import chain
from typing import Any

import jsonschema
import numpy as np
import pytest

from tests.service.conftest import Stage
from tests.service.test_images import image_dataset

HOUSES = "price,area,mainroad,stories\n" + "".join(
    f"{100 + 3 * i + 20 * (i % 2)},{50 + i},{'yes' if i % 2 else 'no'},{1 + i % 3}\n" for i in range(40)
)


def boundary(stage: Stage, job: dict[str, Any], **query: Any) -> dict[str, Any]:
    response = stage.client.get(f"/v1/jobs/{job['id']}/boundary", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def flat(rows: list[list[Any]]) -> list[Any]:
    return list(chain.from_iterable(rows))


def predicted(stage: Stage, job: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """What the model answers for every point of the grid, row by row."""
    records = [
        {**found["fixed"], found["x"]["column"]: x, found["y"]["column"]: y}
        for y in found["y"]["values"]
        for x in found["x"]["values"]
    ]
    response = stage.client.post(f"/v1/models/{job['model_id']}/predict", json={"records": records})
    assert response.status_code == 200, response.text
    return response.json()


def test_the_moons_are_told_apart(stage: Stage) -> None:
    job = stage.job(stage.sample("double_moons", distance=1), "moon", "perceptron")
    found = boundary(stage, job, resolution=21)
    assert (found["x"]["column"], found["y"]["column"], found["fixed"], found["probabilities"]) == ("x", "y", {}, None)
    assert len(found["predictions"]) == len(found["predictions"][0]) == 21
    columns = {c["name"]: c for c in stage.client.get(f"/v1/datasets/{job['dataset_id']}").json()["columns"]}
    assert found["x"]["values"][0] < columns["x"]["min"] < columns["x"]["max"] < found["x"]["values"][-1]
    weights = stage.client.get(f"/v1/jobs/{job['id']}/weights").json()["coefficients"]
    x, y = np.meshgrid(found["x"]["values"], found["y"]["values"])
    score = weights["weights"][0][0] * x + weights["weights"][1][0] * y + weights["bias"][0]
    assert (np.array(found["predictions"]) == np.where(score > 0, *found["classes"][::-1])).all()


def test_other_features_are_held_at_what_is_usual_or_was_asked_for(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=3)
    found = boundary(stage, job, x="petal_width", y="petal_length", resolution=7)
    assert found["fixed"] == {"sepal_length": 5.8, "sepal_width": 3.0}
    answer = predicted(stage, job, found)
    assert flat(found["predictions"]) == answer["predictions"]
    for label in found["classes"]:
        expected = [row[label] for row in answer["probabilities"]]
        assert flat(found["probabilities"][label]) == pytest.approx(expected, rel=1e-5)
    other = boundary(stage, job, x="petal_width", y="petal_length", resolution=7, fixed=json.dumps({"sepal_width": 4}))
    assert other["fixed"] == {"sepal_length": 5.8, "sepal_width": 4}
    assert other["probabilities"] != found["probabilities"]
    assert flat(other["predictions"]) == predicted(stage, job, other)["predictions"]


def test_categories_are_an_axis_and_numbers_a_prediction(stage: Stage) -> None:
    job = stage.job(stage.csv(HOUSES).json()["id"], "price", "linear_regression")
    found = boundary(stage, job, x="area", y="mainroad", resolution=5)
    assert len(found["y"]["values"]) == 2 and found["classes"] is None
    assert flat(found["predictions"]) == pytest.approx(predicted(stage, job, found)["predictions"])
    gap = np.diff(np.array(found["predictions"], float), axis=0)
    assert np.abs(gap) == pytest.approx(20, abs=1)


def test_an_epoch_has_a_boundary_of_its_own(stage: Stage) -> None:
    job = stage.job(stage.sample("xor"), "y", "mlp", epochs=40, record={"checkpoint_every": 20})
    early, late = (boundary(stage, job, epoch=epoch, resolution=4) for epoch in (20, 40))
    assert (early["epoch"], late["epoch"]) == (20, 40)
    assert early["probabilities"] != late["probabilities"]


def test_weights_beyond_all_numbers_have_a_boundary_that_says_so(stage: Stage) -> None:
    """Of a job that failed; and the document of the API says that a share may be no number."""
    job = stage.job(
        stage.iris(), "species", "mlp", epochs=6, batch_size="full", split={"validation": 0.0},
        model={"hidden": [{"units": 5}, {"units": 5}]}, record={"checkpoint_every": 1},
        optimizer={"kind": "gradient_descent", "learning_rate": 1e15},
    )  # fmt: skip
    assert job["state"] == "failed"
    found = boundary(stage, job, resolution=3)
    assert {share for rows in found["probabilities"].values() for share in flat(rows)} == {"NaN"}
    document = stage.client.get("/openapi.json").json()
    schema = {"$ref": "#/components/schemas/Boundary", "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(found)


@pytest.mark.parametrize(
    ("query", "status", "pointer"),
    [
        ({"x": "color"}, 422, "/query/x"),
        ({"x": "petal_width", "y": "petal_width"}, 422, "/query/y"),
        ({"resolution": 1}, 422, "/query/resolution"),
        ({"resolution": 999}, 422, "/query/resolution"),
        ({"fixed": "petal"}, 422, "/query/fixed"),
        ({"fixed": '{"color": 1}'}, 422, "/query/fixed/color"),
        ({"fixed": '{"a/b": 1}'}, 422, "/query/fixed/a~1b"),
        ({"fixed": '{"petal_width": "wide"}'}, 422, "/query/fixed/petal_width"),
        ({"x": "petal_width", "fixed": '{"petal_width": 1}'}, 422, "/query/fixed/petal_width"),
        ({"epoch": 99}, 404, None),
    ],
)
def test_what_cannot_be_drawn_says_why(stage: Stage, query: dict[str, Any], status: int, pointer: str | None) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=1)
    response = stage.client.get(f"/v1/jobs/{job['id']}/boundary", params=query)
    assert response.status_code == status, response.text
    if pointer:
        assert response.json()["errors"][0]["pointer"] == pointer


def test_a_column_counts_as_what_the_job_read(stage: Stage) -> None:
    """Whatever its kind has been corrected to since: along an axis, and held still."""
    rows = "".join(f"{i % 7},{i % 3},{(i * 7) % 5}.5,{i % 2}\n" for i in range(60))
    job = stage.job(stage.csv("a,b,c,y\n" + rows).json()["id"], "y", "mlp", epochs=2)
    queries: list[dict[str, Any]] = [{"x": "a", "y": "b"}, {"x": "b", "y": "c"}]
    before = [boundary(stage, job, resolution=3, **query) for query in queries]
    kinds = [{"name": "a", "kind": "categorical"}, {"name": "b", "kind": "text"}]
    assert stage.client.patch(f"/v1/datasets/{job['dataset_id']}", json={"columns": kinds}).status_code == 200
    assert [boundary(stage, job, resolution=3, **query) for query in queries] == before


def test_a_column_of_gaps_is_drawn_around_what_fills_it(stage: Stage) -> None:
    rows = "".join(f"{i},,5,{i % 2}\n" for i in range(40))
    dataset_id = stage.csv("a,gaps,same,y\n" + rows).json()["id"]
    job = stage.job(dataset_id, "y", "mlp", epochs=2, preprocessing={"missing": "mean"})
    across = boundary(stage, job, x="gaps", y="same", resolution=3)
    assert (across["x"]["values"], across["y"]["values"]) == ([-1, 0, 1], [4, 5, 6])
    held = boundary(stage, job, x="a", y="same", resolution=3)
    assert held["fixed"] == {"gaps": None}
    assert flat(held["predictions"]) == predicted(stage, job, held)["predictions"]


def test_too_many_points_are_refused(stage: Stage) -> None:
    """Of many classes, each with its share; and of categories, which no resolution makes fewer."""
    rows = "".join(f"{i % 37},{i % 41},k{i % 1500},m{i % 1499},c{i % 400}\n" for i in range(3000))
    dataset_id = stage.csv("a,b,k,m,y\n" + rows).json()["id"]
    job = stage.job(dataset_id, "y", "mlp", epochs=1, features=["a", "b"])
    assert len(boundary(stage, job, resolution=30)["probabilities"]) == 400
    words = stage.job(
        dataset_id, "a", "mlp", epochs=1, features=["k", "m"], task="regression", preprocessing={"max_categories": 2000}
    )
    for refused in (job, words):
        response = stage.client.get(f"/v1/jobs/{refused['id']}/boundary", params={"resolution": 100})
        assert response.status_code == 422, response.text
        (error,) = response.json()["errors"]
        assert error["pointer"] == "/query/resolution" and "are too many for one call" in error["detail"]


def curve_predicted(stage: Stage, job: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """What the model answers for every point of the curve."""
    records = [{**found["fixed"], found["x"]["column"]: x} for x in found["x"]["values"]]
    return stage.client.post(f"/v1/models/{job['model_id']}/predict", json={"records": records}).json()


def test_one_feature_is_a_curve(stage: Stage) -> None:
    """The course's line, w = 0.3021978 and b = 4.8274725, also where neither x nor y is named."""
    job = stage.job(stage.sample("infant_weight"), "weight", "linear_regression", split={"validation": 0.0})
    found = boundary(stage, job, resolution=9)
    assert found == boundary(stage, job, resolution=9, x="months")
    assert (found["x"]["column"], found["y"], found["fixed"], found["probabilities"]) == ("months", None, {}, None)
    months = np.array(found["x"]["values"])
    assert (len(months), months[0] < 0, months[-1] > 24) == (9, True, True)
    assert found["predictions"] == pytest.approx((0.3021978022 * months + 4.8274725275).tolist(), rel=1e-8)
    refused = stage.client.get(f"/v1/jobs/{job['id']}/boundary", params={"y": "months"})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/query/y")


def test_x_alone_is_a_curve_with_the_others_held(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=3)
    found = boundary(stage, job, x="petal_width", resolution=7, fixed=json.dumps({"sepal_width": 4}))
    assert found["y"] is None
    assert found["fixed"] == {"sepal_length": 5.8, "sepal_width": 4, "petal_length": pytest.approx(4.35)}
    answer = curve_predicted(stage, job, found)
    assert found["predictions"] == answer["predictions"]
    for label in found["classes"]:
        expected = [row[label] for row in answer["probabilities"]]
        assert found["probabilities"][label] == pytest.approx(expected, rel=1e-5)
    document = stage.client.get("/openapi.json").json()
    schema = {"$ref": "#/components/schemas/Boundary", "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(found)


def test_a_curve_over_categories(stage: Stage) -> None:
    job = stage.job(stage.csv(HOUSES).json()["id"], "price", "linear_regression")
    found = boundary(stage, job, x="mainroad")
    assert len(found["x"]["values"]) == 2
    assert found["predictions"] == pytest.approx(curve_predicted(stage, job, found)["predictions"])


def test_images_have_no_plane(stage: Stage) -> None:
    dataset_id, _ = image_dataset(stage)
    job = stage.job(dataset_id, "bar", "logistic_regression")
    response = stage.client.get(f"/v1/jobs/{job['id']}/boundary")
    assert response.status_code == 422
    assert "column 'pixels' holds arrays" in response.json()["detail"]


def test_every_hidden_unit_has_a_plane_of_its_own(stage: Stage) -> None:
    """Worked out again from the weights: scaled inputs, W and b of the first layer, ReLU."""
    hidden = [{"units": 3, "activation": "relu", "dropout": 0.5}, {"units": 2, "activation": "tanh"}]
    job = stage.job(stage.sample("xor"), "y", "mlp", epochs=2, model={"kind": "mlp", "hidden": hidden}, precision="float64")
    assert boundary(stage, job, resolution=5)["units"] is None
    found = boundary(stage, job, resolution=5, hidden=True, epoch=1)
    layer, *_ = stage.client.get(f"/v1/jobs/{job['id']}/weights", params={"epoch": 1}).json()["layers"]
    scaling = stage.client.get(f"/v1/jobs/{job['id']}").json()["scaling"]["columns"]
    scaled = [
        (np.array(found[axis]["values"]) - column["center"]) / column["scale"]
        for axis, column in zip(("x", "y"), scaling, strict=True)
    ]
    x, y = np.meshgrid(*scaled)
    for unit, plane in enumerate(found["units"]["hidden_1"]):
        z = layer["weights"][0][unit] * x + layer["weights"][1][unit] * y + layer["bias"][unit]
        assert np.array(plane) == pytest.approx(np.maximum(z, 0), abs=1e-12)
    assert [len(found["units"][name]) for name in ("hidden_1", "hidden_2")] == [3, 2]
