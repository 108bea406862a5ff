"""Newton's method against scikit-learn."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier

from engine.tables.samples import BlobsSample, IrisSample
from tests.engine import Table, table, trained

IRIS = table(IrisSample().columns())
X_IRIS = np.stack([IRIS.columns[name].values for name in list(IRIS.columns)[:4]], axis=1)
SPECIES = np.array(IRIS.columns["species"].categories)[IRIS.columns["species"].values]


def fit(data: Table, **request: Any) -> tuple[np.ndarray, np.ndarray, Any]:
    """Coefficients (k, d) and intercepts (k,) on all rows, unscaled, as scikit-learn gives them."""
    request = {"split": {"validation": 0.0}, "preprocessing": {"scaling": "none"}} | request
    run = trained(data, **request)
    return run.layers[0].W.T, run.layers[0].b, run


def reference(l2: float, **options: Any) -> LogisticRegression:
    """By Newton's method, asked for all that float64 holds: the course of a first-order rule ends where rounding has it."""
    C = np.inf if l2 == 0 else 1 / l2
    return LogisticRegression(C=C, solver="newton-cholesky", tol=1e-12, max_iter=1000, **options)


def close(actual: Any, expected: Any) -> None:
    """Both have converged. Newton's method squares the error in every step: the step that brings the gradient below 1e-9
    leaves an error below 1e-8 of the largest coefficient, which neither method's rounding comes near.
    """
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-8 * np.abs(expected).max())


@pytest.mark.parametrize("l2", [0.01, 1.0, 25.0])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_multinomial(l2: float, class_weight: Any) -> None:
    keep = slice(0, 120)  # 50, 50 and 20 of a kind
    data = table({name: column[keep] for name, column in IrisSample().columns().items()})
    model = {"kind": "logistic_regression", "penalty": {"l2": l2}}
    coefficients, intercepts, run = fit(data, target="species", model=model, class_weight=class_weight)
    expected = reference(l2, class_weight=class_weight).fit(X_IRIS[keep], SPECIES[keep])
    close(coefficients, expected.coef_)
    close(intercepts, expected.intercept_)
    assert run.epochs[-1].converged
    assert run.codes == []


@pytest.mark.parametrize("l2", [0.0, 0.01, 1.0, 25.0])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_binary(l2: float, class_weight: Any) -> None:
    keep = slice(65, 150)  # 35 versicolor, 50 virginica: no line separates them
    data = table({name: column[keep] for name, column in IrisSample().columns().items()})
    model = {"kind": "logistic_regression", "penalty": {"l2": l2}}
    coefficients, intercepts, run = fit(data, target="species", model=model, class_weight=class_weight)
    expected = reference(l2, class_weight=class_weight).fit(X_IRIS[keep], SPECIES[keep])
    assert coefficients.shape == (1, 4)  # two classes share one output
    close(coefficients, expected.coef_)
    close(intercepts, expected.intercept_)
    assert run.epochs[-1].converged


@pytest.mark.parametrize("l2", [0.1, 1.0])
def test_one_vs_rest(l2: float) -> None:
    model = {"kind": "logistic_regression", "penalty": {"l2": l2}, "multi_class": "one_vs_rest"}
    coefficients, intercepts, _ = fit(IRIS, target="species", model=model)
    expected = OneVsRestClassifier(reference(l2)).fit(X_IRIS, SPECIES)
    close(coefficients, np.vstack([one.coef_ for one in expected.estimators_]))
    close(intercepts, np.hstack([one.intercept_ for one in expected.estimators_]))


def test_one_vs_rest_is_one_model_for_each_class() -> None:
    model = {"kind": "logistic_regression", "multi_class": "one_vs_rest"}
    coefficients, intercepts, run = fit(IRIS, target="species", model=model)
    for index, species in enumerate(run.prepared.target.classes or ()):
        cells = {name: column.values for name, column in IRIS.columns.items() if name != "species"}
        alone = table({**cells, "is_it": [bool(name == species) for name in SPECIES]})
        own_coefficients, own_intercepts, _ = fit(alone, target="is_it", model={"kind": "logistic_regression"})
        np.testing.assert_allclose(coefficients[index], own_coefficients[0], atol=1e-7)
        np.testing.assert_allclose(intercepts[index], own_intercepts[0], atol=1e-7)


@pytest.mark.parametrize("multi_class", ["multinomial", "one_vs_rest"])
@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_class_weights_are_repeated_rows(multi_class: str, penalty: float) -> None:
    """Exactly so: the penalty stands beside the sum over rows, not beside their mean."""
    cells = BlobsSample(rows=90, std=6.0, seed=3).columns()
    twice = {name: np.concatenate([column, column[cells["blob"] == "blob_1"]]) for name, column in cells.items()}
    model = {"kind": "logistic_regression", "multi_class": multi_class, "penalty": {"l2": penalty}}
    weighted = fit(table(cells), target="blob", model=model, class_weight={"blob_1": 2.0})
    repeated = fit(table(twice), target="blob", model=model)
    assert len(weighted[2].epochs) == len(repeated[2].epochs)  # the curvature is weighted too, or it would take longer
    np.testing.assert_allclose(weighted[0], repeated[0], atol=1e-7)
    np.testing.assert_allclose(weighted[1], repeated[1], atol=1e-7)


@pytest.mark.parametrize("multi_class", ["multinomial", "one_vs_rest"])
@pytest.mark.parametrize("classes", [2, 3])
def test_separable_classes_without_a_penalty_have_no_optimum(multi_class: str, classes: int) -> None:
    """The weights grow until the gradient vanishes or the epochs end; nothing breaks, and no row is wrong."""
    data = table(BlobsSample(rows=60, centers=classes, std=0.3, seed=1).columns())
    model = {"kind": "logistic_regression", "multi_class": multi_class, "penalty": {"l2": 0.0}}
    _, _, run = fit(data, target="blob", model=model, epochs=12)
    assert run.last["train_accuracy"] == 1
    assert np.isfinite(run.theta).all()
    assert run.codes == ["NOT_CONVERGED", "SEPARABLE"]
    assert not run.epochs[-1].converged


def test_too_few_epochs_say_so() -> None:
    _, _, run = fit(IRIS, target="species", model={"kind": "logistic_regression"}, epochs=3)
    assert len(run.epochs) == 3
    assert run.codes == ["NOT_CONVERGED"]
    assert "gradient" in run.epochs[-1].warnings[0]["detail"]


def test_newton_never_climbs() -> None:
    _, _, run = fit(IRIS, target="species", model={"kind": "logistic_regression", "penalty": {"l2": 0.0}})
    losses = run.course("train_loss")
    assert all(after <= before + 1e-12 for before, after in pairwise(losses))


@pytest.mark.parametrize("multi_class", ["multinomial", "one_vs_rest"])
def test_dependent_columns_are_no_obstacle(multi_class: str) -> None:
    cells = {name: column.values for name, column in IRIS.columns.items() if name != "species"}
    data = table({**cells, "again": cells["petal_width"], "flat": np.ones(150), "species": SPECIES})
    model = {"kind": "logistic_regression", "multi_class": multi_class, "penalty": {"l2": 0.0}}
    _, _, run = fit(data, target="species", model=model)
    _, _, plain = fit(IRIS, target="species", model=model)
    assert run.last["train_loss"] == pytest.approx(plain.last["train_loss"], abs=1e-6)
