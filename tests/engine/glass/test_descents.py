"""Descents of two parameters: the steps are training's, to the bit, and the surface is the cost that NumPy gives."""

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from engine.glass.descents import Cost, Path, Posed, minimum, path_of, span, worth_showing
from engine.models.run_state import State
from engine.parts.optimizers import Optimizer
from engine.spec import kind_of, members
from engine.tables.samples import InfantWeightSample
from engine.training.run import train
from tests.engine import Table, completed, prepared, table

DATA = InfantWeightSample().columns()
MONTHS, WEIGHT = DATA["months"].astype(float), DATA["weight"]
WEIGHTS = table({"months": MONTHS, "weight": WEIGHT})
HEAVY = table({"months": MONTHS, "heavy": np.where(WEIGHT + 2 * (np.arange(13) % 3 == 0) > 8.6, "yes", "no")})
OPTIMIZERS = ["gradient_descent", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"]


def request(data: Table, **fields: Any) -> dict[str, Any]:
    target = next(reversed(data.columns))
    kind = "linear_regression" if target == "weight" else "logistic_regression"
    model = {"kind": kind, "solver": "gradient_descent", **fields.pop("model", {})}
    return {"target": target, "features": ["months"], "model": model, "epochs": 7, "split": {"validation": 0.0}, **fields}


def posed(data: Table, **fields: Any) -> Posed:
    return Posed.of(completed(data, **request(data, **fields)), data.columns)


def walked(data: Table, **fields: Any) -> Path:
    return path_of(posed(data, **fields))


def test_every_optimizer_is_tried() -> None:
    assert [kind_of(cls) for cls in members(Optimizer)] == OPTIMIZERS


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("batch_size", ["full", 4, 1])
@pytest.mark.parametrize("data", [WEIGHTS, HEAVY], ids=["linear", "logistic"])
def test_a_path_ends_where_training_does_to_the_bit(data: Table, batch_size: int | str, optimizer: str) -> None:
    """And passes, at the end of each epoch, where training does, by its rate."""
    fields = {
        "optimizer": {"kind": optimizer, "learning_rate": 0.05},
        "batch_size": batch_size,
        "seed": 5,
        "schedule": {"kind": "exponential", "factor": 0.9},
        "preprocessing": {"scaling": "standard"},
    }
    found = walked(data, **fields)
    ready = prepared(data, **request(data, **fields))
    learned, state = ready.problem.network.parameters.theta, State()
    batches = -(-13 // (13 if batch_size == "full" else int(batch_size)))
    for epoch in train(ready.problem, state):
        place = batches * epoch.number
        assert np.array_equal(found.thetas[place], learned)
        assert (found.epochs[place - 1], found.rates[place - 1]) == (epoch.number, epoch.values["learning_rate"])
        assert all(np.array_equal(vectors[place], state.vectors[name]) for name, vectors in found.states.items())
    assert len(found.thetas) == len(found.costs) == len(found.gradients) == 7 * batches + 1
    assert found.warnings == []


def test_the_path_of_batch_descent_is_numpys() -> None:
    """From where it is told, on the feature as it is."""
    rate, theta = 0.004, np.array([-0.5, 3.0])
    fields = {"optimizer": {"kind": "gradient_descent", "learning_rate": rate}, "preprocessing": {"scaling": "none"}}
    found = path_of(posed(WEIGHTS, **fields), (-0.5, 3.0))
    for point, cost, gradient in zip(found.thetas, found.costs, found.gradients, strict=True):
        error = theta[0] * MONTHS + theta[1] - WEIGHT
        slope = np.array([(error * MONTHS).mean(), error.mean()])
        assert point == pytest.approx(theta, rel=1e-12)
        assert cost == pytest.approx((error**2).mean() / 2, rel=1e-12)
        assert gradient == pytest.approx(slope, rel=1e-9)
        theta = theta - rate * slope


def logistic_cost(w: float, b: float, l2: float) -> float:
    z = w * MONTHS + b
    y = HEAVY.columns["heavy"].values == 1
    return float(np.mean(np.logaddexp(0, np.where(y, -z, z))) + l2 / 2 / 13 * w**2)


@pytest.mark.parametrize("l2", [0.0, 1.0])
def test_the_surface_is_the_cost_penalty_and_all(l2: float) -> None:
    ready = posed(HEAVY, model={"penalty": {"l2": l2}}, preprocessing={"scaling": "none"})
    w, b = np.array([-1.0, 0.0, 0.4]), np.array([-2.0, 5.0])
    expected = [[logistic_cost(across, down, l2) for across in w] for down in b]
    assert Cost(ready.problem).grid(w, b) == pytest.approx(np.array(expected), rel=1e-12)
    cost, slope = Cost(ready.problem).with_slope(np.array([0.4, -2.0]))
    assert cost == pytest.approx(expected[0][2], rel=1e-12)
    step = 1e-6
    numeric = [
        (logistic_cost(0.4 + step, -2, l2) - logistic_cost(0.4 - step, -2, l2)) / (2 * step),
        (logistic_cost(0.4, -2 + step, l2) - logistic_cost(0.4, -2 - step, l2)) / (2 * step),
    ]
    assert slope == pytest.approx(numeric, rel=1e-6)


def test_the_minimum_is_the_other_solvers_in_any_units() -> None:
    for scaling in ("none", "standard", "min_max"):
        ready = posed(WEIGHTS, preprocessing={"scaling": scaling})
        least = minimum(ready, WEIGHTS.columns)
        assert least is not None
        assert ready.in_units(least[None])[0] == pytest.approx(np.polyfit(MONTHS, WEIGHT, 1), rel=1e-9)
        assert Cost(ready.problem)(least) == pytest.approx(0.1949535080, rel=1e-9)
    ready = posed(HEAVY, model={"penalty": {"l2": 2.0}}, preprocessing={"scaling": "none"})
    least = minimum(ready, HEAVY.columns)
    peer = LogisticRegression(C=0.5, tol=1e-12, max_iter=10_000).fit(MONTHS[:, None], HEAVY.columns["heavy"].values == 1)
    assert least == pytest.approx([peer.coef_[0, 0], peer.intercept_[0]], rel=1e-5)


def test_there_is_none_where_a_line_parts_the_classes_or_only_descent_helps() -> None:
    parted = table({"months": MONTHS, "heavy": np.where(MONTHS > 9, "yes", "no")})
    assert minimum(posed(parted, model={"penalty": {"l2": 0.0}}), parted.columns) is None
    assert minimum(posed(parted), parted.columns) is not None
    assert minimum(posed(WEIGHTS, loss={"kind": "mae"}), WEIGHTS.columns) is None


def test_a_target_that_is_scaled_comes_back_in_its_units() -> None:
    ready = posed(WEIGHTS, preprocessing={"target_scaling": "standard"})
    least = minimum(ready, WEIGHTS.columns)
    assert least is not None
    assert ready.in_units(least[None])[0] == pytest.approx(np.polyfit(MONTHS, WEIGHT, 1), rel=1e-9)


@pytest.mark.parametrize("optimizer", ["gradient_descent", "adamw"])
def test_a_parameter_that_is_held_stays_and_the_tangents_touch_the_curve(optimizer: str) -> None:
    ready = posed(WEIGHTS, optimizer={"kind": optimizer, "learning_rate": 0.5})
    found = path_of(ready, (20.0, 8.0), "b")
    assert (found.thetas[:, 1] == 8).all() and len(set(found.thetas[:, 0])) == 8
    cost = Cost(ready.problem)
    for (w, _), value, (slope, intercept) in zip(found.thetas, found.costs, found.tangents("b"), strict=True):
        assert slope * w + intercept == pytest.approx(value) == pytest.approx(cost(np.array([w, 8.0])))
        near = np.array([cost(np.array([w + step, 8.0])) for step in (-1e-4, 1e-4)])
        assert slope == pytest.approx(np.diff(near)[0] / 2e-4, abs=1e-6)
        assert (near >= intercept + slope * (w + np.array([-1e-4, 1e-4])) - 1e-12).all()  # which lies above its tangents
    if optimizer == "gradient_descent":
        assert found.thetas[1, 0] == pytest.approx(20 - 0.5 * found.gradients[0, 0])


def test_a_path_that_diverges_ends_early_and_says_why() -> None:
    wild = walked(WEIGHTS, optimizer={"kind": "gradient_descent", "learning_rate": 1e60}, batch_size=1)
    (warning,) = wild.warnings
    told = "the descent diverged in epoch 1, at a learning rate of 1e+60; try 1e+59, or scale the feature"
    assert warning == {"code": "DIVERGED", "detail": told}
    assert 1 < len(wild.thetas) == len(wild.costs) == len(wild.rates) + 1 < 13
    assert np.isfinite(wild.thetas).all() and np.isfinite(wild.costs).all()
    assert len(worth_showing(wild)) == 1
    lost = path_of(posed(WEIGHTS), (1e300, 0.0))
    assert ([each["code"] for each in lost.warnings], len(lost.thetas)) == (["NOT_FINITE"], 0)
    slow = walked(WEIGHTS, optimizer={"kind": "gradient_descent", "learning_rate": 1e9})  # an epoch a step: training says so
    assert slow.warnings and 1 < len(slow.thetas) < 8
    assert span(np.array([1.0, 1.0]), 3).tolist() == [0, 1, 2] and span(np.array([0.0, 1.0]), 2) == pytest.approx([-0.15, 1.15])
