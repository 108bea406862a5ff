"""The made-up houses, from their CSV to coefficients in their own units: those that they were made with."""

import io

import numpy as np
import polars as pl
import pytest

from engine.tables.samples import HOUSE_PRICE_COEFFICIENTS as WORTH
from tests.service.conftest import Stage

NUMBERS = ["area", "bedrooms", "bathrooms", "stories", "parking"]
KINDS = ["furnished", "semi-furnished", "unfurnished"]


def standard_errors(houses: pl.DataFrame) -> dict[str, float]:
    """Of every coefficient, by the normal equations, with the kinds of furnishing adding up to 0."""
    kind, road = houses["furnishing"].to_numpy(), houses["mainroad"].cast(pl.String).to_numpy()
    bare = kind == KINDS[2]
    effects = [(kind == name).astype(float) - bare for name in KINDS[:2]]
    X = np.column_stack([np.ones(len(kind)), *(houses[name].to_numpy() for name in NUMBERS), road == "yes", *effects])
    y = houses["price"].to_numpy()
    inverse = np.linalg.inv(X.T @ X)
    residual = y - X @ (inverse @ (X.T @ y))
    variance = residual @ residual / (len(y) - X.shape[1])
    names = ["intercept", *NUMBERS, "mainroad", *KINDS[:2]]
    errors = dict(zip(names, np.sqrt(variance * inverse.diagonal()).tolist(), strict=True))
    third = np.array([0] * (X.shape[1] - 2) + [-1, -1])
    return errors | {KINDS[2]: float(np.sqrt(variance * (third @ inverse @ third)))}


@pytest.mark.parametrize("scaling", ["mean_normalization", "standard", "none"])
def test_houses_train_straight_from_their_csv(stage: Stage, scaling: str) -> None:
    sample = stage.sample("house_prices", rows=2000)
    csv = stage.client.get(f"/v1/datasets/{sample}/content").content
    assert csv.startswith(b"price,area,bedrooms,bathrooms,stories,mainroad,parking,furnishing\n")
    errors = standard_errors(pl.read_csv(io.BytesIO(csv)))
    dataset_id = stage.csv(csv, "houses.csv").json()["id"]
    preprocessing, split = {"scaling": scaling}, {"validation": 0.0}
    job = stage.job(dataset_id, "price", "linear_regression", preprocessing=preprocessing, split=split)
    found = stage.client.get(f"/v1/jobs/{job['id']}/weights").json()["coefficients"]
    names = [name.removeprefix("furnishing=").removesuffix("=yes") for name in found["features"]]
    coefficients = dict(zip(names, np.array(found["weights"])[:, 0].tolist(), strict=True)) | {"intercept": found["bias"][0]}
    assert coefficients.keys() == errors.keys()
    for name, error in errors.items():
        assert abs(coefficients[name] - WORTH[name]) <= 4 * error, (name, coefficients[name], error)
    house = {"area": 5000, "bedrooms": 3, "bathrooms": "2", "stories": 2, "mainroad": "yes", "parking": 1}
    body = {"records": [house | {"furnishing": kind} for kind in (*KINDS, "partly")]}
    answer = stage.client.post(f"/v1/models/{job['model_id']}/predict", json=body).json()
    expected = 650_000 + 250 * 5000 + 3 * 120_000 + 2 * 900_000 + 2 * 400_000 + 500_000 + 250_000
    np.testing.assert_allclose(answer["predictions"], [expected + WORTH.get(kind, 0) for kind in (*KINDS, "")], rtol=0.02)
    assert [warning["code"] for warning in answer["warnings"]] == ["UNSEEN_CATEGORY"]


def test_the_list_of_samples_says_that_they_are_made_up_and_from_what(stage: Stage) -> None:
    samples = {entry["kind"]: entry for entry in stage.client.get("/v1/samples").json()["items"]}
    houses = samples["house_prices"]
    assert houses["summary"].startswith("Made-up houses, generated")
    for name, worth in WORTH.items():
        assert f"{abs(worth):,.0f}" in houses["description"], name
        assert f"{abs(worth):.0f}" in houses["formula"], name
