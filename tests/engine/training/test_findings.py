"""What is worth a look once the target is known."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr

from engine.tables.samples import IrisSample
from engine.training.findings import MOST_CELLS, MOST_ROWS, _ranks, of_target, of_training, rows_to_look_at, scales_matter
from tests.engine import completed, table

RNG = np.random.default_rng(1)
ROWS = 300
X = RNG.normal(0, 1, ROWS)
CLASSES = RNG.choice(["a", "b", "c"], ROWS)
CODE = np.select([CLASSES == "a", CLASSES == "b"], [10, 20], 30)


def found(target: Any, task: str, **cells: Any) -> list[tuple[str, str, str]]:
    data = table({"target": target, **cells}).columns
    features = [column for name, column in data.items() if name != "target"]
    return of_target(features, data["target"], data["target"], task)


LEAKS: dict[str, tuple[Any, str, Any, str]] = {
    "a code of the class": (CLASSES, "classification", CODE, "each of its 3 values goes with one value of the target alone"),
    "finer words": (CLASSES, "classification", np.char.add(CLASSES, RNG.choice(["1", "2"], ROWS)), "each of its 6 values"),
    "the answer as yes or no": (X > 0, "classification", np.where(X > 0, "paid", "due"), "each of its 2 values"),
    "a score that the class was cut from": (X > 0.3, "classification", X, "each class has a range of its values to itself"),
    "another unit": (X, "regression", 1.8 * X + 32, "their rank correlation is 1.00000"),
    "turned about": (X, "regression", -np.exp(X), "their rank correlation is -1.00000"),
    "a name of the price": (np.round(X), "regression", np.char.mod("%d", np.round(X)), "goes with one value of the target"),
}


@pytest.mark.parametrize(("target", "task", "cells", "text"), LEAKS.values(), ids=LEAKS.keys())
def test_a_column_that_gives_the_target_away(target: Any, task: str, cells: Any, text: str) -> None:
    ((column, code, detail),) = found(target, task, leak=cells, honest=RNG.normal(0, 1, ROWS))
    assert (column, code) == ("leak", "TARGET_LEAK")
    assert text in detail
    assert "300 rows" in detail


def test_with_gaps_a_leak_is_one_still() -> None:
    cells = [None if row % 7 == 0 else float(code) for row, code in enumerate(CODE)]
    assert [code for _, code, _ in found(CLASSES, "classification", leak=cells)] == ["TARGET_LEAK"]


def test_a_feature_that_only_helps_is_none() -> None:
    flipped = CODE.copy()
    flipped[5] = 10 + flipped[5] % 30
    for target, task, cells in (
        (CLASSES, "classification", flipped),
        (CLASSES, "classification", X),
        (CLASSES, "classification", [f"w{n}" for n in range(ROWS)]),
        (X, "regression", X + RNG.normal(0, 0.05, ROWS)),
        (CLASSES, "classification", [1] * ROWS),
        (X, "regression", [1.0] * ROWS),
        (CLASSES[:10], "classification", CODE[:10]),
    ):
        assert found(target, task, feature=cells) == []


def test_iris_has_no_leak() -> None:
    columns = IrisSample().columns()
    assert found(columns.pop("species"), "classification", **columns) == []


@pytest.mark.parametrize("values", [RNG.normal(0, 1, 50), RNG.integers(0, 5, 50).astype(float)])
def test_ranks_are_scipys(values: np.ndarray) -> None:
    other = RNG.integers(0, 9, 50).astype(float)
    ours = np.corrcoef(_ranks(values), _ranks(other))[0, 1]
    assert ours == pytest.approx(spearmanr(values, other).statistic)


def test_imbalance_says_what_a_dull_answer_would_reach() -> None:
    ((column, code, detail),) = found(["rare"] * 5 + ["common"] * 95, "classification", x=RNG.normal(0, 1, 100))
    assert (column, code) == ("target", "CLASS_IMBALANCE")
    assert "class 'rare'" in detail
    assert "5 of 100 rows" in detail
    assert "always to answer 'common' is right in 95.0%" in detail
    assert "class 'true'" in found([True] * 5 + [False] * 95, "classification", x=RNG.normal(0, 1, 100))[0][2]
    assert "class '7'" in found([7] * 5 + [1] * 95, "classification", x=RNG.normal(0, 1, 100))[0][2]
    assert found(["a"] * 10 + ["b"] * 90, "classification", x=RNG.normal(0, 1, 100)) == []
    assert found([0.0] * 5 + [1.0] * 95, "regression", x=RNG.normal(0, 1, 100)) == []


def of_job(**request: Any) -> list[tuple[str | None, str]]:
    data = table(
        {"area": X * 5000, "rate": RNG.normal(0, 1, ROWS), "y": RNG.normal(0, 1, ROWS), "class": CLASSES, "code": CODE}
    )
    spec = completed(data, **request)
    targets = {name: data.columns[name] for name in spec.targets}
    features = [data.columns[name] for name in spec.features or ()]
    found = of_training(features, data.columns, targets, spec.task or "", scales_matter(spec))
    return [(warning.get("column"), warning["code"]) for warning in found]


def test_a_job_is_told_of_its_own_features_alone() -> None:
    assert of_job(target="class", model={"kind": "mlp"}) == [("code", "TARGET_LEAK")]
    assert of_job(target="class", features=["rate"], model={"kind": "mlp"}) == []


def test_scales_matter_where_nothing_scales_and_something_descends() -> None:
    none = {"scaling": "none"}
    gradient = {"kind": "linear_regression", "solver": "gradient_descent"}
    assert of_job(target="y", model=gradient, preprocessing=none) == [("area", "SCALES_DIFFER")]
    assert of_job(target="y", model={"kind": "linear_regression"}, preprocessing=none) == []
    assert of_job(target="y", model=gradient) == []


@pytest.mark.parametrize(("rows", "features"), [(1, 1), (150, 4), (10**6, 5), (10**7, 20), (60_000, 784), (10**5, 10_000)])
def test_the_looking_is_bounded(rows: int, features: int) -> None:
    places = rows_to_look_at(rows, features)
    assert len(places) <= min(rows, MOST_ROWS)
    assert len(places) * features <= MOST_CELLS or len(places) == 200
    assert (places[0], places[-1]) == (0, rows - 1)
    assert (np.diff(places) > 0).all()
