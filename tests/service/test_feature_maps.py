"""Filters and feature maps of a job over HTTP: as numbers, as pictures, of any layer, image and epoch."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.service.conftest import Stage

CONV: dict[str, Any] = {"kind": "conv2d", "filters": 3, "kernel": 3, "activation": "tanh"}
LAYERS: dict[str, Any] = {"layers": [CONV, "average_pool2d", {"kind": "conv2d", "filters": 2, "kernel": 2}]}
PNG = {"Accept": "image/png"}


@pytest.fixture
def job(stage: Stage) -> dict[str, Any]:
    """Few digits of 8 × 8 pixels, through two convolutions, for two epochs."""
    found = stage.job(stage.sample("digits"), "digit", "network", model=LAYERS, epochs=2, record={"checkpoint_every": 1})
    assert found["state"] == "succeeded", found["error"]
    return found


def asked(stage: Stage, job: dict[str, Any], what: str, **query: Any) -> dict[str, Any]:
    response = stage.client.get(f"/v1/jobs/{job['id']}/{what}", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def picture(stage: Stage, job: dict[str, Any], what: str, **query: Any) -> np.ndarray:
    response = stage.client.get(f"/v1/jobs/{job['id']}/{what}", params={"scale": 1, **query}, headers=PNG)
    assert (response.status_code, response.headers["content-type"]) == (200, "image/png"), response.text
    return np.array(Image.open(io.BytesIO(response.content)))


def test_filters_are_the_weights_and_maps_what_they_answer(stage: Stage, job: dict[str, Any]) -> None:
    found = asked(stage, job, "filters")
    assert (found["layer"], found["layers"], found["shape"]) == ("conv2d_1", ["conv2d_1", "conv2d_2"], [3, 3, 1, 3])
    assert (found["epoch"], found["reads"], found["activation"]["kind"]) == (2, None, "tanh")
    assert "LeCun" in found["source"] and "W" in found["formula"]
    W, b = np.array(found["weights"]), np.array(found["bias"])
    image = np.array(asked(stage, job, "feature_maps", row=5, layer="input")["maps"])
    maps = asked(stage, job, "feature_maps", row=5)
    assert (maps["layer"], maps["row"], maps["shape"]) == ("conv2d_1", 5, [6, 6, 3])
    assert maps["layers"] == ["input", "conv2d_1", "average_pool2d_1", "conv2d_2"]
    Z = np.array([[(image[y : y + 3, x : x + 3, :, None] * W).sum(axis=(0, 1, 2)) + b for x in range(6)] for y in range(6)])
    np.testing.assert_allclose(maps["sums"], Z, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(maps["maps"], np.tanh(Z), rtol=1e-4, atol=1e-5)
    assert asked(stage, job, "feature_maps", row=5, layer="average_pool2d_1")["sums"] is None
    earlier = [asked(stage, job, what, epoch=0)[field] for what, field in (("filters", "weights"), ("feature_maps", "maps"))]
    assert earlier[0] != found["weights"] and earlier[1] != maps["maps"]


def test_pictures_are_of_the_same_numbers(stage: Stage, job: dict[str, Any]) -> None:
    found = asked(stage, job, "feature_maps", row=1)
    sheet = picture(stage, job, "feature_maps", row=1, columns=2)
    assert sheet.shape == (6 + 2 + 6, 6 + 2 + 6, 2)
    values = np.array(found["maps"])[:, :, 1]
    grey = np.rint((values - found["low"]) * 255 / (found["high"] - found["low"]))
    assert (np.abs(sheet[:6, 8:, 0] - grey) <= 1).all()
    assert (sheet[6:8, :, 1] == 0).all() and (sheet[8:, 8:, 1] == 0).all() and (sheet[:6, :6, 1] == 255).all()
    filters = picture(stage, job, "filters", layer="conv2d_2")
    assert filters.shape[:2] == (2 + 2 + 2, 3 * 2 + 2 * 2)  # a line a filter, a picture a channel
    url, headers = f"/v1/jobs/{job['id']}/filters", {**PNG}
    headers["If-None-Match"] = stage.client.get(url, headers=headers).headers["ETag"]
    assert stage.client.get(url, headers=headers).status_code == 304
    assert stage.client.get(f"{url}?layer=conv2d_2", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "pointer", "told"),
    [
        ("filters?layer=average_pool2d_1", 422, "/query/layer", "there are conv2d_1, conv2d_2"),
        ("feature_maps?layer=output", 422, "/query/layer", "there are input, conv2d_1, average_pool2d_1, conv2d_2"),
        ("feature_maps?row=1797", 422, "/query/row", "1797 rows"),
        ("feature_maps?epoch=7", 404, None, "there are those of 1, 2"),
    ],
)
def test_what_is_not_there_is_told(
    stage: Stage, job: dict[str, Any], path: str, status: int, pointer: str | None, told: str
) -> None:
    problem = stage.client.get(f"/v1/jobs/{job['id']}/{path}").json()
    assert problem["status"] == status and told in problem["detail"]
    assert [error["pointer"] for error in problem.get("errors", [])] == ([pointer] if pointer else [])


def test_a_job_without_a_convolution_says_which_layers_it_has(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=1)
    for what in ("filters", "feature_maps"):
        problem = stage.client.get(f"/v1/jobs/{job['id']}/{what}").json()
        assert problem["status"] == 422 and problem["errors"][0]["pointer"] == "/job_id"
        assert "its layers are hidden_1 (dense, 16), output (dense, 3)" in problem["detail"]
