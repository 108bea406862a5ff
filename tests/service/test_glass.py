"""The glass box over HTTP."""

import pytest

from engine.landscapes import LANDSCAPES
from tests.service.conftest import Stage


def test_every_landscape_is_listed_and_drawn(stage: Stage) -> None:
    listed = {item["name"]: item for item in stage.client.get("/v1/landscapes").json()["items"]}
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
    assert (calm["diverged"], wild["diverged"]) == (False, True)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"optimizers": []}, "/optimizers"),
        ({"optimizers": [{"kind": "adam", "beta_1": 2.0}]}, "/optimizers/0/beta_1"),
        ({"optimizers": [{"kind": "adam"}], "start": [1]}, "/start"),
        ({"optimizers": [{"kind": "adam"}], "steps": 10**9}, "/steps"),
    ],
)
def test_a_bad_descent_is_pointed_at(stage: Stage, body: object, pointer: str) -> None:
    response = stage.client.post("/v1/landscapes/bowl/descend", json=body)
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == pointer
