"""An image column, from its table to a prediction: described as a whole, learned number by number."""

import numpy as np
import polars as pl

from store import datasets
from tests.service.conftest import Stage


def image_dataset(stage: Stage) -> tuple[str, np.ndarray]:
    """Bars that stand or lie, in noise, and which they are."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 60, (80, 5, 4)).astype(np.uint8)
    stands = np.arange(80) % 2 == 0
    pixels[stands, :, 1] = 220
    pixels[~stands, 2, :] = 220
    words = np.where(stands, "stands", "lies")
    table = pl.DataFrame({"pixels": pl.Series(pixels, dtype=pl.Array(pl.UInt8, (5, 4))), "bar": words})
    with stage.place.database.transaction() as session:
        source = {"kind": "upload", "filename": "bars.npz", "format": "npz"}
        dataset = datasets.create(session, stage.place.files, "local", "bars", source, b"", table)
        return dataset.id, pixels


def test_images_are_described_learned_and_predicted(stage: Stage) -> None:
    dataset_id, pixels = image_dataset(stage)
    found = stage.client.get(f"/v1/datasets/{dataset_id}").json()
    column = found["columns"][0]
    assert (column["kind"], column["shape"], column["distinct"], column["max"]) == ("image", [5, 4], None, 220)
    assert np.isclose(column["mean"], pixels.mean())
    assert stage.client.get(f"/v1/datasets/{dataset_id}/rows?limit=1").json()["rows"][0][0] == pixels[0].tolist()
    assert stage.client.get(f"/v1/datasets/{dataset_id}/warnings?target=bar").json()["items"] == []
    assert stage.client.get(f"/v1/datasets/{dataset_id}/warnings?target=pixels").status_code == 422
    job = stage.job(dataset_id, "bar", "logistic_regression", split={"validation": 0.25})
    assert job["latest"]["validation_accuracy"] == 1
    coefficients = stage.client.get(f"/v1/jobs/{job['id']}/weights").json()["coefficients"]
    assert coefficients["features"][:5] == ["pixels[0,0]", "pixels[0,1]", "pixels[0,2]", "pixels[0,3]", "pixels[1,0]"]
    assert stage.client.get(f"/v1/jobs/{job['id']}/evaluation").json()["metrics"]["accuracy"] == 1
    model = stage.client.get(f"/v1/models/{job['model_id']}").json()
    [entry] = model["inputs"]
    assert (entry.pop("words"), entry.pop("read")) == (None, None)  # it was no text
    assert entry == {"name": "pixels", "kind": "image", "required": True, "categories": None, "other": False, "shape": [5, 4]}
    url = f"/v1/models/{job['model_id']}/predict"
    body = {"records": [{"pixels": pixels[0].tolist()}, {"pixels": pixels[1].ravel().tolist()}]}
    assert stage.client.post(url, json=body).json()["predictions"] == ["stands", "lies"]
    wrong = stage.client.post(url, json={"columns": ["pixels"], "data": [[pixels[0].tolist()], [[1, 2]]]})
    assert wrong.status_code == 422
    ((error),) = wrong.json()["errors"]
    assert error["pointer"] == "/data/1/0"
    assert "an array of 5 × 4 finite numbers" in error["detail"]


def test_an_image_may_be_taken_for_a_vector_and_for_nothing_else(stage: Stage) -> None:
    dataset_id, _ = image_dataset(stage)

    def correct(kind: str) -> tuple[int, dict]:
        body = {"columns": [{"name": "pixels", "kind": kind}]}
        response = stage.client.patch(f"/v1/datasets/{dataset_id}", json=body)
        return response.status_code, response.json()

    assert correct("numeric")[0] == 422
    status, found = correct("vector")
    assert (status, found["columns"][0]["kind"]) == (200, "vector")
    job = stage.job(dataset_id, "bar", "mlp", epochs=2, preprocessing={"scaling": "standard"})
    assert job["state"] == "succeeded"
    fitted = stage.client.get(f"/v1/models/{job['model_id']}").json()["inputs"][0]
    assert (fitted["kind"], fitted["shape"]) == ("vector", [20])
