from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from sklearn.datasets import load_digits, load_iris
from sklearn.linear_model import LogisticRegression

from engine.spec import kind_of, members
from engine.tables.samples import (
    HOUSE_PRICE_COEFFICIENTS,
    AndSample,
    AnscombeSample,
    BlobsSample,
    CirclesSample,
    DigitsSample,
    DoubleMoonsSample,
    HousePricesSample,
    InfantWeightSample,
    IrisSample,
    OrSample,
    Sample,
    SampleSet,
    SpiralSample,
    XorSample,
)

SAMPLES: list[SampleSet] = [cls() for cls in members(Sample)]
every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.kind)
GENERATORS: list[Any] = [cls for cls in members(Sample) if "seed" in cls.__annotations__]
every_generator = pytest.mark.parametrize("generator", GENERATORS, ids=kind_of)


def matrix(columns: dict[str, Any], *names: str) -> np.ndarray:
    return np.stack([columns[name] for name in names], axis=1)


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return list(a) == list(b) and all(np.array_equal(a[name], b[name]) for name in a)


@every_sample
def test_columns_are_whole_and_made_anew(sample: SampleSet) -> None:
    columns = sample.columns()
    assert len({len(column) for column in columns.values()}) == 1
    for column in columns.values():
        assert column.ndim == 1
        assert column.dtype.kind in "ifU"
        assert column.dtype.kind == "U" or np.isfinite(column).all()
    assert same(columns, sample.columns())
    for column in columns.values():
        column[:] = column[0]
    assert not same(columns, sample.columns())


@every_generator
@pytest.mark.parametrize("rows", [1, 2, 7, 500])
def test_generators_give_as_many_rows_as_asked(generator: Any, rows: int) -> None:
    assert {len(column) for column in generator(rows=rows).columns().values()} == {rows}


@every_generator
def test_generators_depend_on_the_seed_alone(generator: Any) -> None:
    assert same(generator(seed=3).columns(), generator(seed=3).columns())
    assert not same(generator(seed=3).columns(), generator(seed=4).columns())


@every_generator
@pytest.mark.parametrize("rows", [0, -1, 1_000_001, 2.5, True])
def test_rows_are_bounded(generator: Any, rows: Any) -> None:
    with pytest.raises(ValueError, match="rows"):
        generator(rows=rows)


def test_the_contracts_samples_are_there() -> None:
    assert [kind_of(cls) for cls in members(Sample)] == [
        "iris", "infant_weight", "anscombe", "double_moons", "xor", "and", "or", "blobs", "circles", "spiral",
        "house_prices", "digits",
    ]  # fmt: skip
    schema = TypeAdapter(DoubleMoonsSample).json_schema()["properties"]
    assert set(schema) == {"kind", "distance", "radius", "width", "rows", "seed"}


def test_iris_is_scikit_learns() -> None:
    columns, iris = IrisSample().columns(), load_iris()
    assert list(columns) == ["sepal_length", "sepal_width", "petal_length", "petal_width", "species"]
    np.testing.assert_array_equal(matrix(columns, *list(columns)[:4]), iris.data)
    np.testing.assert_array_equal(columns["species"], iris.target_names[iris.target])


def test_iris_gives_the_courses_model() -> None:
    columns = IrisSample().columns()
    X, y = matrix(columns, *list(columns)[:4]), columns["species"]
    model = LogisticRegression(C=1, solver="newton-cholesky", tol=1e-12).fit(X, y)
    coefficients = [
        [-0.42351, 0.96735, -2.51715, -1.07934],
        [0.53446, -0.32159, -0.20639, -0.94430],
        [-0.11095, -0.64576, 2.72354, 2.02364],
    ]
    printed = 5.01e-6  # the course gives five decimals
    np.testing.assert_allclose(model.coef_, coefficients, rtol=0, atol=printed)
    np.testing.assert_allclose(model.intercept_, [9.84957, 2.23721, -12.08677], rtol=0, atol=printed)
    assert model.score(X, y) == pytest.approx(0.97333, abs=printed)


def test_digits_are_scikit_learns() -> None:
    columns, digits = DigitsSample().columns(), load_digits()
    pixels = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]
    assert list(columns) == [*pixels, "digit"]
    np.testing.assert_array_equal(matrix(columns, *pixels), digits.data)
    np.testing.assert_array_equal(columns["digit"], digits.target)


INFANT_WEIGHTS = {
    0: 3.2, 2: 5.1, 4: 6.4, 6: 7.3, 8: 7.9, 10: 8.5, 12: 8.9, 14: 9.4, 16: 9.8, 18: 10.2, 20: 10.6, 22: 11.1, 24: 11.5,
}  # fmt: skip
"""The course's own table: kilograms at an age in months."""


def test_infant_weight_gives_the_courses_line() -> None:
    columns = InfantWeightSample().columns()
    assert dict(zip(columns["months"].tolist(), columns["weight"].tolist(), strict=True)) == INFANT_WEIGHTS
    slope, intercept = np.polyfit(columns["months"], columns["weight"], 1)
    assert slope == pytest.approx(0.3021978022, abs=5e-11)
    assert intercept == pytest.approx(4.8274725275, abs=5e-11)
    assert slope * 19 + intercept == pytest.approx(10.5692307692, abs=5e-11)
    error = slope * columns["months"] + intercept - columns["weight"]
    assert np.mean(error**2) / 2 == pytest.approx(0.1949535080, abs=5e-11)


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_anscombes_sets_share_their_statistics(number: int) -> None:
    columns = AnscombeSample(set=number).columns()
    x, y = columns["x"], columns["y"]
    assert len(x) == 11
    assert (x.mean(), x.var(ddof=1)) == (9, 11)
    assert y.mean() == pytest.approx(7.5, abs=0.01)
    np.testing.assert_allclose(np.polyfit(x, y, 1), [0.5, 3], atol=0.003)


@pytest.mark.parametrize("number", [0, 5, 1.5, True])
def test_there_is_no_fifth_set(number: Any) -> None:
    with pytest.raises(ValueError, match="set"):
        AnscombeSample(set=number)


@pytest.mark.parametrize(
    ("sample", "function"), [(XorSample(), np.bitwise_xor), (AndSample(), np.bitwise_and), (OrSample(), np.bitwise_or)]
)
def test_truth_tables(sample: SampleSet, function: Any) -> None:
    columns = sample.columns()
    assert list(columns) == ["x1", "x2", "y"]
    assert len(set(zip(columns["x1"].tolist(), columns["x2"].tolist(), strict=True))) == 4
    np.testing.assert_array_equal(columns["y"], function(columns["x1"], columns["x2"]))


@given(
    distance=st.floats(-20, 20), radius=st.floats(1, 20), share=st.floats(0.01, 2), rows=st.integers(1, 300),
    seed=st.integers(0, 2**53 - 1),
)  # fmt: skip
def test_moons_lie_on_their_rings(distance: float, radius: float, share: float, rows: int, seed: int) -> None:
    moons = DoubleMoonsSample(distance=distance, radius=radius, width=share * radius, rows=rows, seed=seed).columns()
    lower = moons["moon"] == "lower"
    X = matrix(moons, "x", "y") - np.where(lower[:, None], [radius, -distance], 0)
    assert (np.abs(np.hypot(*X.T) - radius) <= share * radius / 2 + 1e-9).all()
    assert (X[~lower, 1] >= -1e-9).all()
    assert (X[lower, 1] <= 1e-9).all()
    assert 0 <= (~lower).sum() - lower.sum() <= 1


def test_moons_are_the_courses_unless_asked_otherwise() -> None:
    moons = DoubleMoonsSample()
    assert (moons.radius, moons.width, moons.distance) == (10, 6, 1)


def test_moons_are_separable_at_distance_1_and_not_at_minus_4() -> None:
    def halves(distance: float) -> tuple[np.ndarray, np.ndarray]:
        moons = DoubleMoonsSample(distance=distance).columns()
        X, lower = matrix(moons, "x", "y"), moons["moon"] == "lower"
        return X[~lower], X[lower]

    upper, lower = halves(1)
    assert upper[:, 1].min() >= 0
    assert lower[:, 1].max() <= -1
    upper, lower = halves(-4)
    angles = np.linspace(0, 2 * np.pi, 720)
    directions = np.stack([np.cos(angles), np.sin(angles)])
    # No direction has all of one moon on one side of all of the other.
    assert ((upper @ directions).min(axis=0) <= (lower @ directions).max(axis=0)).all()


def test_a_moon_wider_than_its_ring_is_refused() -> None:
    with pytest.raises(ValueError, match="at most twice the radius"):
        DoubleMoonsSample(radius=1, width=2.1)


def test_blobs_lie_about_their_centers() -> None:
    blobs = BlobsSample(centers=4, rows=8000, features=3, std=0.5, seed=1).columns()
    assert list(blobs) == ["x1", "x2", "x3", "blob"]
    X = matrix(blobs, "x1", "x2", "x3")
    names, counts = np.unique(blobs["blob"], return_counts=True)
    assert names.tolist() == ["blob_0", "blob_1", "blob_2", "blob_3"]
    assert (counts == 2000).all()
    for name in names:
        cloud = X[blobs["blob"] == name]
        np.testing.assert_allclose(cloud.std(axis=0), 0.5, rtol=0.1)
        assert (np.abs(cloud.mean(axis=0)) < 10.1).all()


def test_blobs_are_bounded_in_all() -> None:
    with pytest.raises(ValueError, match="rows × features"):
        BlobsSample(rows=1_000_000, features=11)


def test_circles_without_noise() -> None:
    circles = CirclesSample(noise=0, factor=0.4).columns()
    radius = np.hypot(circles["x"], circles["y"])
    np.testing.assert_allclose(radius, np.where(circles["circle"] == "inner", 0.4, 1.0))


def test_spiral_arms_are_turned_copies_of_one_curve() -> None:
    spiral = SpiralSample(classes=4, turns=1.5, noise=0, rows=400).columns()
    t = np.hypot(spiral["x"], spiral["y"])
    arm = np.char.replace(spiral["arm"], "arm_", "").astype(int)
    angle = 2 * np.pi * (1.5 * t + arm / 4)
    np.testing.assert_allclose(spiral["x"], t * np.cos(angle), atol=1e-9)
    np.testing.assert_allclose(spiral["y"], t * np.sin(angle), atol=1e-9)
    assert set(arm) == {0, 1, 2, 3}


def test_house_prices_follow_their_coefficients() -> None:
    """Each within four of its standard errors, by the normal equations: no reader of ours is in between."""
    houses = HousePricesSample(rows=20_000).columns()
    worth = HOUSE_PRICE_COEFFICIENTS
    numbers = ["area", "bedrooms", "bathrooms", "stories", "parking"]
    furnished, semi, bare = (houses["furnishing"] == name for name in ("furnished", "semi-furnished", "unfurnished"))
    yes = houses["mainroad"] == "yes"
    # What the three kinds of furnishing add sums to 0: the third is told by the first two.
    X = np.column_stack([np.ones(20_000), matrix(houses, *numbers), yes, furnished * 1.0 - bare, semi * 1.0 - bare])
    inverse = np.linalg.inv(X.T @ X)
    found = inverse @ (X.T @ houses["price"])
    noise = np.std(houses["price"] - X @ found)
    expected = np.array([worth[name] for name in ("intercept", *numbers, "mainroad", "furnished", "semi-furnished")])
    assert (np.abs(found - expected) <= 4 * noise * np.sqrt(inverse.diagonal())).all()
    assert noise == pytest.approx(worth["noise"], rel=0.02)
    assert worth["furnished"] + worth["semi-furnished"] + worth["unfurnished"] == 0
    assert set(houses["mainroad"]) == {"yes", "no"}
    assert set(houses["furnishing"]) == {"furnished", "semi-furnished", "unfurnished"}
    assert houses["price"].min() >= 1
    assert np.median(houses["area"]) == pytest.approx(np.exp(8.5), rel=0.02)


def test_house_prices_document_their_coefficients() -> None:
    text = (HousePricesSample.__doc__ or "").replace(",", "")
    for name, worth in HOUSE_PRICE_COEFFICIENTS.items():
        assert f"{abs(worth):.0f}" in text, name
        assert f"{abs(worth):.0f}" in HousePricesSample.formula, name
    assert "Made-up" in HousePricesSample.summary()


@every_generator
def test_numbers_change_step_by_step(generator: Any) -> None:
    """Rows come shuffled: no class or value stands in one long run."""
    columns = generator(rows=200).columns()
    last = columns[list(columns)[-1]].tolist()
    assert sum(a == b for a, b in pairwise(last)) < 150
