"""The glass box over HTTP."""

from typing import Any

import numpy as np
import pytest

from engine.glass.landscapes import LANDSCAPES
from tests.service.conftest import Stage


def test_every_landscape_is_listed_and_drawn(stage: Stage) -> None:
    listed = {item["kind"]: item for item in stage.client.get("/v1/landscapes").json()["items"]}
    assert set(listed) == set(LANDSCAPES)
    for name, item in listed.items():
        drawn = stage.client.get(f"/v1/landscapes/{name}", params={"resolution": 11}).json()
        assert {key: drawn[key] for key in item} == item
        assert len(drawn["costs"]) == len(drawn["w2"]) == 11
        assert [drawn["w1"][0], drawn["w1"][-1]] == item["range"][0]
    assert stage.client.get("/v1/landscapes/moon").status_code == 404


def test_optimizers_descend_side_by_side(stage: Stage) -> None:
    body = {
        "start": [1.0, -2.0],
        "optimizers": [{"kind": "gradient_descent", "learning_rate": 0.1}, {"kind": "gradient_descent", "learning_rate": 10.0}],
        "steps": 200,
    }
    paths = stage.client.post("/v1/landscapes/bowl/descend", json=body).json()["paths"]
    calm, wild = paths
    assert calm["optimizer"] == body["optimizers"][0]
    assert len(calm["points"]) == len(calm["costs"]) == len(calm["gradients"]) == 201
    assert calm["points"][1] == pytest.approx([0.8, -1.6])
    assert calm["costs"][0] == 5
    assert calm["gradients"][0] == [2, -4]
    assert calm["states"] == {}
    assert (calm["diverged"], wild["diverged"]) == (False, True)


def test_a_descent_shows_the_optimizers_vectors(stage: Stage) -> None:
    body = {"start": [1.0, -2.0], "optimizers": [{"kind": "momentum", "learning_rate": 0.1, "momentum": 0.5}], "steps": 2}
    (path,) = stage.client.post("/v1/landscapes/bowl/descend", json=body).json()["paths"]
    assert np.allclose(path["states"]["velocity"], [[0, 0], [0.2, -0.4], [0.26, -0.52]])
    assert np.allclose(path["points"], [[1, -2], [0.8, -1.6], [0.54, -1.08]])


def test_an_initialization_is_looked_at(stage: Stage) -> None:
    body = {"initializer": {"kind": "normal", "std": 1}, "activation": "tanh", "width": 20, "depth": 3, "rows": 50}
    found = stage.client.post("/v1/initializations", json=body).json()
    assert (found["weight_variance"], found["depth"], len(found["layers"])) == (1, 3, 3)
    first = found["layers"][0]
    assert first["layer"] == "hidden_1" and first["saturated"] > 0.3
    assert first["activations"]["count"] == sum(first["activations"]["counts"]) == 20 * 50
    assert stage.client.post("/v1/initializations", json=body).json() == found
    wrong = stage.client.post("/v1/initializations", json={**body, "activation": "softmax"})
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/activation")
    much = stage.client.post("/v1/initializations", json={**body, "width": 1024, "depth": 50, "rows": 2000})
    assert (much.status_code, much.json()["errors"][0]["pointer"]) == (422, "/depth")


def test_a_descent_takes_a_schedule(stage: Stage) -> None:
    """Rates 0.1, 0.05, 0.025: the bowl's point is multiplied by 0.8, 0.9 and 0.95."""
    body = {
        "start": [1.0, -2.0],
        "optimizers": [{"kind": "gradient_descent", "learning_rate": 0.1}],
        "schedule": {"kind": "exponential", "factor": 0.5},
        "steps": 3,
    }
    found = stage.client.post("/v1/landscapes/bowl/descend", json=body).json()
    assert found["schedule"] == body["schedule"]
    (path,) = found["paths"]
    assert path["learning_rates"] == pytest.approx([0.1, 0.05, 0.025])
    assert [point[0] for point in path["points"]] == pytest.approx([1, 0.8, 0.72, 0.684])
    plain = stage.client.post("/v1/landscapes/bowl/descend", json={**body, "schedule": {"kind": "constant"}}).json()
    del body["schedule"]
    assert stage.client.post("/v1/landscapes/bowl/descend", json=body).json() == plain


def quantities(stage: Stage, path: str, body: object) -> dict[str, Any]:
    response = stage.client.post(f"/v1/functions/{path}", json=body)
    assert response.status_code == 200, response.text
    found = response.json()
    assert found["formula"] and found["derivative"]
    assert all(each["formula"] and np.shape(each["values"]) == tuple(each["shape"]) for each in found["quantities"])
    return {each["name"]: each["values"] for each in found["quantities"]}


def test_the_courses_losses_come_out_by_http(stage: Stage) -> None:
    Z = [[-0.39, 1.49, 4.21], [-4.61, 3.28, 1.46], [1.03, -2.37, -2.27]]
    hinge = quantities(stage, "loss", {"loss": {"kind": "hinge"}, "z": Z, "targets": [0, 1, 2]})
    assert hinge["row_losses"] == pytest.approx([8.48, 0, 5.2])
    assert hinge["J"] == pytest.approx(4.56)
    body = {"loss": {"kind": "cross_entropy"}, "probabilities": [[0.7, 0.2, 0.1]], "targets": [0]}
    assert quantities(stage, "loss", body)["J"] == pytest.approx(0.3566749439, abs=1e-10)
    softmax = quantities(stage, "activation", {"activation": "softmax", "z": [[0, 0]]})
    assert (softmax["a"], softmax["jacobian"]) == ([[0.5, 0.5]], [[[0.25, -0.25], [-0.25, 0.25]]])
    neuron = quantities(stage, "neuron", {"weights": [2, -3], "inputs": [-1, -2], "bias": -3})
    assert (neuron["products"], neuron["z"]) == ([-2, 6], 1)
    assert neuron["a"] == pytest.approx(0.7310585786)
    far = quantities(stage, "neuron", {"weights": [1e300], "inputs": [1e300], "activation": "identity"})
    assert (far["z"], far["a"]) == ("Infinity", "Infinity")


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("loss", {"loss": {"kind": "hinge"}, "z": [[1, 2]], "targets": [7]}, "/targets/0"),
        ("loss", {"loss": {"kind": "hinge", "margin": -1}, "z": [[1, 2]], "targets": [0]}, "/loss/margin"),
        ("activation", {"activation": "softmax", "z": [[1, 2], [3]]}, "/z"),
        ("neuron", {"weights": [1], "inputs": [1, 2]}, "/inputs"),
    ],
)
def test_numbers_that_do_not_fit_are_pointed_at(stage: Stage, path: str, body: object, pointer: str) -> None:
    response = stage.client.post(f"/v1/functions/{path}", json=body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"optimizers": []}, "/optimizers"),
        ({"optimizers": [{"kind": "adam", "beta_1": 2.0}]}, "/optimizers/0/beta_1"),
        ({"optimizers": [{"kind": "adam"}], "start": [1]}, "/start"),
        ({"optimizers": [{"kind": "adam"}], "steps": 10**9}, "/steps"),
        ({"optimizers": [{"kind": "adam"}], "schedule": {"kind": "step", "every": 0}}, "/schedule/every"),
    ],
)
def test_a_bad_descent_is_pointed_at(stage: Stage, body: object, pointer: str) -> None:
    response = stage.client.post("/v1/landscapes/bowl/descend", json=body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer


def test_built_in_things_go_by_their_kind(stage: Stage) -> None:
    """And by `name`, which they had before; the API's document says that it is deprecated."""
    found = [entry for entries in stage.client.get("/v1/catalog").json().values() for entry in entries]
    found += stage.client.get("/v1/landscapes").json()["items"]
    found += [stage.client.get("/v1/landscapes/bowl").json(), stage.client.get("/v1/functions/loss/mse").json()]
    found += [stage.client.post("/v1/landscapes/bowl/descend", json={"optimizers": [{"kind": "adam"}]}).json()]
    assert all(entry["kind"] == entry["name"] for entry in found)
    schemas = stage.client.get("/openapi.json").json()["components"]["schemas"]
    for resource in ("CatalogEntry", "LandscapeResource", "LandscapeGrid", "FunctionCurve", "Descent"):
        properties = schemas[resource]["properties"]
        assert properties["name"]["deprecated"] is True
        assert "deprecated" not in properties["kind"]
