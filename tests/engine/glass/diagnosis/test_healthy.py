"""Healthy runs over real tables: nothing above `info` is said of them."""

from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from engine.tables.samples import CirclesSample, DoubleMoonsSample, HousePricesSample, InfantWeightSample, IrisSample
from tests.engine import Table, table
from tests.engine.glass.diagnosis import diagnosed

MLP: dict[str, Any] = {"model": {"kind": "mlp"}}
LOGISTIC: dict[str, Any] = {"model": {"kind": "logistic_regression"}}
LINEAR: dict[str, Any] = {"model": {"kind": "linear_regression"}}
STEEP: dict[str, Any] = {
    "model": {"kind": "linear_regression", "solver": "gradient_descent"},
    "optimizer": {"kind": "gradient_descent", "learning_rate": 1.0},
    "epochs": 300,
}


def bundled(load: Any, classes: bool) -> Table:
    """A table that scikit-learn brings along."""
    found = load()
    cells: dict[str, Any] = {f"x{place}": column for place, column in enumerate(np.asarray(found.data, float).T)}
    return table(cells | {"target": [f"c{label}" for label in found.target] if classes else found.target.astype(float)})


RUNS: dict[str, tuple[Table, dict[str, Any]]] = {
    "iris, mlp": (table(IrisSample().columns()), {"target": "species", **MLP}),
    "iris, logistic": (table(IrisSample().columns()), {"target": "species", **LOGISTIC}),
    "infants, by formula": (table(InfantWeightSample().columns()), {"target": "weight", **LINEAR}),
    "infants, by descent": (table(InfantWeightSample().columns()), {"target": "weight", **STEEP}),
    "houses, by formula": (table(HousePricesSample().columns()), {"target": "price", **LINEAR}),
    "houses, mlp": (table(HousePricesSample().columns()), {"target": "price", "epochs": 30, **MLP}),
    "circles, mlp": (table(CirclesSample().columns()), {"target": "circle", "epochs": 40, **MLP}),
    "moons, mlp": (table(DoubleMoonsSample(distance=-4).columns()), {"target": "moon", "epochs": 40, **MLP}),
    "cancer, logistic": (bundled(datasets.load_breast_cancer, True), {"target": "target", **LOGISTIC}),
    "wine, mlp": (bundled(datasets.load_wine, True), {"target": "target", "epochs": 20, **MLP}),
    "diabetes, by formula": (bundled(datasets.load_diabetes, False), {"target": "target", **LINEAR}),
    "diabetes, mlp": (bundled(datasets.load_diabetes, False), {"target": "target", "epochs": 20, **MLP}),
    "digits, mlp": (bundled(datasets.load_digits, True), {"target": "target", "epochs": 6, **MLP}),
}


@pytest.mark.parametrize("name", RUNS)
def test_nothing_above_info_is_said_of_a_healthy_run(name: str) -> None:
    data, request = RUNS[name]
    found = diagnosed(data, **request)
    values = found.case.values or {}
    assert values[f"train_{found.case.metric}"] > (0.5 if found.case.metric == "r2" else 0.9)
    assert {code: finding.explanation for code, finding in found.found.items() if finding.severity != "info"} == {}
