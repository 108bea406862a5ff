"""The numbers that the rules go by, held to what NumPy, SciPy and scikit-learn work out."""

import numpy as np
import pytest
from scipy import optimize, stats
from sklearn.neighbors import KNeighborsClassifier

from engine.glass.diagnosis.curvature import around
from engine.glass.diagnosis.fit import nearest
from engine.glass.diagnosis.rows import distance
from engine.glass.diagnosis.separability import largest_margin
from engine.models.least_squares import least_squares
from engine.parts.optimizers import GradientDescent, Momentum, Nesterov, OptimizerRule
from tests.engine import table
from tests.engine.glass.diagnosis import diagnosed, run
from tests.engine.glass.diagnosis.test_rules import CIRCLES, LINE, LOGISTIC, NUMBERS, SUM, at_rate


def test_the_curvature_is_the_largest_eigenvalue_of_the_hessian() -> None:
    """Of half the mean square it is XᵀX/n, with the bias's column of ones."""
    case = run(NUMBERS, **LINE | {"regularization": {"l2": 0.5}})
    X = np.hstack([case.problem.train.X, np.ones((case.problem.train.rows, 1))])
    H = X.T @ X / len(X) + np.diag([0.5, 0.5, 0.0])
    found = around(case, case.problem.network.parameters.theta * 0 + np.array([0.3, -0.2, 0.1]))
    assert found is not None
    assert found.sharpest == pytest.approx(np.linalg.eigvalsh(H)[-1], rel=0.01)
    Y, theta = case.problem.train.Y, np.array([[0.3], [-0.2], [0.1]])
    g = X.T @ (X @ theta - Y) / len(X) + 0.5 * theta * np.array([[1], [1], [0]])
    assert found.gradient == pytest.approx(float(np.linalg.norm(g)), rel=1e-9)
    assert found.along == pytest.approx((g.T @ H @ g / (g.T @ g)).item(), rel=1e-5)
    assert found.gain == pytest.approx((g.T @ g).item() ** 2 / (2 * (g.T @ H @ g).item()), rel=1e-5)


RULES = [
    GradientDescent(learning_rate=1.0),
    Momentum(learning_rate=1.0, momentum=0.9),
    Nesterov(learning_rate=1.0, momentum=0.6),
]


@pytest.mark.parametrize("optimizer", RULES, ids=lambda rule: rule.kind)
def test_beyond_the_largest_rate_steps_on_a_parabola_diverge(optimizer: OptimizerRule) -> None:
    curvature = 3.0
    limit = optimizer.largest_rate(curvature)
    assert limit is not None
    ends = []
    for rate in (0.99 * limit, 1.01 * limit):
        theta, slots = np.ones(1), [np.zeros(1) for _ in optimizer.slots]
        for step in range(1, 3000):
            optimizer.update(np, theta, curvature * theta, slots, np.empty(1), step, rate)
        ends.append(abs(theta.item()))
    assert ends[0] < 1e-3
    assert ends[1] > 1e3


def test_the_rate_that_diverges_is_above_the_largest_and_its_remedy_below() -> None:
    for rate, error in ((2.2, "DIVERGED"), (1.7, None)):
        found = diagnosed(NUMBERS, **at_rate(rate, epochs=200))
        assert found.case.error == error
        if error:
            evidence, patch = found.found[error].evidence, found.found[error].remedy.changes
            largest = evidence["largest_rate"]
            assert largest is not None and patch is not None
            assert patch["optimizer"]["learning_rate"] < 1.7 < largest < rate


def test_distances_of_distributions_are_scipys() -> None:
    rng = np.random.default_rng(0)
    for a, b in ((rng.normal(size=80), rng.normal(1, 2, size=33)), (rng.integers(0, 3, 50), rng.integers(1, 4, 20))):
        assert distance(a, b) == pytest.approx(stats.ks_2samp(a, b).statistic)


def test_neighbors_are_scikit_learns() -> None:
    case = run(CIRCLES, target="circle", **LOGISTIC)
    train, validation = case.problem.train, case.problem.validation
    assert validation is not None
    theirs = KNeighborsClassifier(5).fit(train.X, train.Y[:, 0]).predict_proba(validation.X)[:, 1:] - 0.5
    np.testing.assert_allclose(nearest(case, train, validation, True), theirs, atol=1e-12)


def test_the_condition_number_is_the_solvers() -> None:
    found = diagnosed(table(SUM), target="y", model={"kind": "linear_regression"})
    X = found.case.problem.train.X
    assert found.found["COLLINEAR_FEATURES"].evidence["condition"] == pytest.approx(least_squares(X, X[:, :1])[3], rel=1e-3)


@pytest.mark.parametrize("gap", [0.5, 2.0, 3.5, 6.0])
def test_a_margin_is_ruled_out_where_no_line_parts_the_classes_and_nowhere_else(gap: float) -> None:
    """Whether one does, SciPy finds by linear programming: s(wᵀx + b) ≥ 1 for every row."""
    rng = np.random.default_rng(4)
    signs = np.where(np.arange(60) % 2, 1.0, -1.0)
    a, b = rng.normal(size=60) + gap * signs / 2, rng.normal(size=60)
    case = run(table({"a": a, "b": b, "y": np.where(signs > 0, "p", "q")}), target="y", model={"kind": "perceptron"}, epochs=1)
    X, s = case.problem.train.X, np.where(case.problem.train.Y[:, :1] > 0.5, 1, -1)
    rows = -s * np.hstack([X, np.ones((len(X), 1))])
    parted = optimize.linprog(np.zeros(3), rows, -np.ones(len(X)), bounds=(None, None)).status == 0
    assert largest_margin(case).is_none == (not parted)
