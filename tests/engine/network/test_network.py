from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.parts.activations import Activation
from engine.spec import kind_of, members
from engine.training.prepare import Prepared
from tests.engine import LOSSES, Table, finish, one_step, prepared, table, trained

ACTIVATIONS = [kind_of(cls) for cls in members(Activation)]
TARGETS: dict[str, Any] = {"regression": "y", "classification": "class", "tagging": ["t0", "t1"]}


def drawn(seed: int, rows: int, features: int, classes: int) -> Table:
    """Normal features, normal answers `y` and `y1`, classes of which each occurs, and tags `t0` and `t1`."""
    rng = np.random.default_rng(seed)
    cells = {f"x{j}": rng.normal(0, 1, rows) for j in range(features)}
    cells |= {"y": rng.normal(0, 1, rows), "y1": rng.normal(0, 3, rows)}
    tags = {name: rng.integers(0, 2, rows) for name in TARGETS["tagging"]}
    return table({**cells, **tags, "class": [f"c{i % classes}" for i in range(rows)]})


RAW = {"scaling": "none", "target_scaling": "none"}
"""A network learns the table's own numbers, as they are written in a test by hand."""


def posed(data: Table, task: str = "regression", **request: Any) -> Prepared:
    """A network about to take one step of full-batch gradient descent at a rate of 1, on the table's own numbers."""
    settings: dict[str, Any] = {
        "target": TARGETS[task], "task": task,
        "features": [name for name in data.columns if name.startswith("x")],
        "optimizer": {"kind": "gradient_descent", "learning_rate": 1.0}, "epochs": 1, "batch_size": "full", "shuffle": False,
        "precision": "float64", "split": {"validation": 0.0}, "preprocessing": {"scaling": "none"},
    }  # fmt: skip
    return prepared(data, **settings | request)


def mlp(units: Sequence[int], activation: str = "tanh", dropout: float = 0.0, bias: bool = True) -> dict[str, Any]:
    hidden = [{"units": count, "activation": activation, "dropout": dropout} for count in units]
    return {"kind": "mlp", "hidden": hidden, "bias": bias}


def check_gradient(problem: Prepared, seed: int, size: float = 0.7) -> None:
    """Backpropagation against the slopes of train_loss, parameter by parameter; a corner has none."""
    theta = np.random.default_rng(seed).normal(0, size, problem.problem.network.parameters.size)
    gradient, loss = one_step(problem, theta)
    assert np.isfinite(gradient).all()
    step = 1e-6
    for index in range(len(theta)):
        ends = []
        for sign in (1, -1):
            moved = theta.copy()
            moved[index] += sign * step
            ends.append((one_step(problem, moved)[1] - loss) * sign / step)
        if abs(ends[0] - ends[1]) < 1e-3:
            assert gradient[index] == pytest.approx(np.mean(ends), rel=1e-6, abs=1e-8), index


@st.composite
def architectures(draw: Any) -> dict[str, Any]:
    layer = st.fixed_dictionaries(
        {
            "units": st.integers(1, 4),
            "activation": st.sampled_from(ACTIVATIONS),
            "dropout": st.sampled_from([0.0, 0.0, 0.4]),
        }
    )
    return {"kind": "mlp", "hidden": draw(st.lists(layer, max_size=3)), "bias": draw(st.booleans())}


@settings(max_examples=25, deadline=None)
@given(
    model=architectures(), loss=st.sampled_from(LOSSES), features=st.integers(1, 3), classes=st.integers(2, 3),
    extra=st.integers(0, 2), seed=st.integers(0, 2**32),
)  # fmt: skip
def test_backpropagation_is_the_slope(
    model: dict[str, Any], loss: tuple[str, str], features: int, classes: int, extra: int, seed: int
) -> None:
    data = drawn(seed, classes + extra, features, classes)
    kind, task = loss
    check_gradient(posed(data, task, model=model, loss={"kind": kind}, seed=seed % 1000), seed)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_backpropagation_through_every_activation(activation: str, dropout: float) -> None:
    check_gradient(posed(drawn(0, 5, 2, 2), model=mlp([3, 3], activation, dropout)), seed=1)


@pytest.mark.parametrize(("loss", "task"), LOSSES)
@pytest.mark.parametrize("classes", [2, 3])
def test_backpropagation_from_every_loss(loss: str, task: str, classes: int) -> None:
    data = drawn(1, 6, 2, classes)
    check_gradient(posed(data, task, model=mlp([3]), loss={"kind": loss}), seed=2)
    if task == "regression":
        check_gradient(posed(data, task, target=["y1", "y"], model=mlp([3]), loss={"kind": loss}), seed=2)


@pytest.mark.parametrize("loss", [loss for loss, task in LOSSES if task == "classification"])
def test_backpropagation_with_weighted_rows(loss: str) -> None:
    data = drawn(2, 7, 2, 3)
    weights = {"c0": 3.0, "c1": 0.5}
    check_gradient(posed(data, "classification", model=mlp([3]), loss={"kind": loss}, class_weight=weights), seed=3)


# --- dropout: the gradient of the last layer shows the mask, since dW = Aᵀ dZ ---


def masks(rate: float, units: int, rows: int, seed: int) -> np.ndarray:
    """The masks (rows, units) of the first step, read off one gradient.

    Every A is 1, the outputs are 0, and row i has the error 2^i: a unit's gradient is Σ mask_i 2^i / rows.
    """
    data = table({"x0": np.ones(rows), "y": -(2.0 ** np.arange(rows))})
    problem = posed(
        data, model=mlp([units], "identity", rate, bias=False), seed=seed, loss={"kind": "half_mse"}, preprocessing=RAW
    )
    gradient, _ = one_step(problem, np.concatenate([np.ones(units), np.zeros(units)]))
    assert (gradient[:units] == 0).all()
    scale = 1 / (1 - rate)
    bits = np.rint(gradient[units:] * rows / scale).astype(np.int64)
    np.testing.assert_allclose(bits * scale / rows, gradient[units:], rtol=1e-12)
    return ((bits[None, :] >> np.arange(rows)[:, None]) & 1) * scale


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_silences_its_share_and_makes_up_for_it(rate: float) -> None:
    mask = masks(rate, units=500, rows=20, seed=0)
    assert set(np.unique(mask)) == {0.0, 1 / (1 - rate)}
    error = np.sqrt(rate * (1 - rate) / mask.size)
    assert (mask == 0).mean() == pytest.approx(rate, abs=5 * error)
    assert mask.mean() == pytest.approx(1, abs=5 * error / (1 - rate))
    by_row, by_unit = (mask == 0).mean(axis=1), (mask == 0).mean(axis=0)
    assert by_row.std() == pytest.approx(np.sqrt(rate * (1 - rate) / 500), rel=0.6)  # every unit of every row by itself
    assert by_unit.std() == pytest.approx(np.sqrt(rate * (1 - rate) / 20), rel=0.3)


def test_dropout_depends_on_the_seed_alone() -> None:
    mask = masks(0.5, units=50, rows=10, seed=3)
    np.testing.assert_array_equal(mask, masks(0.5, units=50, rows=10, seed=3))
    assert (mask != masks(0.5, units=50, rows=10, seed=4)).any()


def test_gradient_with_the_mask_by_hand() -> None:
    """The same mask, real weights: tanh and its derivative are of what stood before the mask."""
    rng, rows, units, rate = np.random.default_rng(5), 6, 4, 0.5
    mask = masks(rate, units, rows, seed=9)
    x, y = rng.normal(0, 1, rows), rng.normal(0, 1, rows)
    problem = posed(
        table({"x0": x, "y": y}),
        model=mlp([units], "tanh", rate, bias=False),
        seed=9,
        loss={"kind": "half_mse"},
        preprocessing=RAW,
    )
    w1, w2 = rng.normal(0, 1, (2, units))
    gradient, loss = one_step(problem, np.concatenate([w1, w2]))
    A = np.tanh(np.outer(x, w1))
    error = (A * mask) @ w2 - y
    assert loss == pytest.approx(np.mean(error**2) / 2, rel=1e-12)
    dA = np.outer(error, w2) * mask / rows
    np.testing.assert_allclose(gradient[units:], (A * mask).T @ error / rows, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(gradient[:units], x @ (dA * (1 - A**2)), rtol=1e-10, atol=1e-14)


def test_every_step_draws_new_masks_and_prediction_none() -> None:
    data = drawn(3, 8, 2, 2)
    request = {"target": "y", "features": ["x0", "x1"], "split": {"validation": 0.0}}
    still = {"kind": "gradient_descent", "learning_rate": 1e-300}
    run = trained(data, **request, model=mlp([30], dropout=0.5), epochs=4, batch_size="full", optimizer=still)
    assert len(set(run.course("train_loss"))) == 4
    plain = trained(data, **request, model=mlp([30]), epochs=1, batch_size="full", optimizer=still)
    np.testing.assert_array_equal(run.theta, plain.theta)
    assert run.predictor().predict(data.columns).values == plain.predictor().predict(data.columns).values


# --- sizes ---


@pytest.mark.parametrize("activation", ["relu", "softmax"])
def test_many_rows_at_once_are_the_same_as_in_blocks(activation: str) -> None:
    """More rows than are worked on at once, and every smaller number after it, in any order."""
    run = trained(drawn(4, 60, 3, 3), target="class", features=["x0", "x1", "x2"], model=mlp([6, 5], activation), epochs=2)
    predictor = run.predictor()
    data = drawn(5, 9001, 3, 3)
    whole = predictor.outputs(data.columns)
    kept = whole.copy()
    for start, end in [(0, 1), (1, 4097), (0, 4096), (4097, 9001), (5, 6), (8999, 9001), (0, 9001)]:
        part = predictor.outputs(data.take(np.arange(start, end)))
        np.testing.assert_allclose(part, kept[start:end], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(whole, kept)  # no later pass wrote into what an earlier one gave


def test_outputs_are_the_callers_own() -> None:
    run = trained(drawn(4, 60, 2, 2), target="y", features=["x0", "x1"], model=mlp([4]), epochs=1)
    data, predictor = drawn(6, 20, 2, 2), run.predictor()
    first = predictor.outputs(data.take(np.arange(10)))
    kept = first.copy()
    second = predictor.outputs(data.take(np.arange(10, 20)))
    np.testing.assert_array_equal(first, kept)
    assert (first != second).any()


@pytest.mark.parametrize("dropout", [0.0, 0.3])
@pytest.mark.parametrize("validation", [0.125, 0.25, 0.5])
def test_validation_does_not_disturb_training(validation: float, dropout: float) -> None:
    """Also where it has as many rows as a batch, or as the last batch (64 rows: 8, 16 or 32 validate, the last has 8)."""
    data = drawn(7, 64, 2, 2)
    request: dict[str, Any] = {
        "target": "y", "features": ["x0", "x1"], "model": mlp([5, 4], dropout=dropout), "epochs": 3, "batch_size": 16,
        "preprocessing": {"scaling": "none"}, "seed": 1,
    }  # fmt: skip
    with_validation = prepared(data, **request, split={"validation": validation})
    rows = with_validation.rows["train"]
    alone = {name: column.values for name, column in data.take(rows).items() if column.name != "class"}
    watched = finish(with_validation)
    unwatched = trained(table(alone), **request, split={"validation": 0.0})
    np.testing.assert_array_equal(watched.theta, unwatched.theta)
    assert watched.course("train_loss") == unwatched.course("train_loss")


def test_two_networks_share_nothing() -> None:
    data = drawn(8, 30, 2, 2)
    request: dict[str, Any] = {"target": "y", "features": ["x0", "x1"], "model": mlp([5]), "epochs": 2}
    first = trained(data, **request)
    kept = first.theta.copy()
    second = trained(data, **request)
    np.testing.assert_array_equal(first.theta, kept)
    np.testing.assert_array_equal(second.theta, kept)
    assert first.theta is not second.theta


def test_requests_that_come_at_once_get_their_own_answers() -> None:
    """One network answers many threads."""
    network = posed(drawn(1, 20, 3, 2), model=mlp([64] * 4)).problem.network
    rng = np.random.default_rng(0)
    asked = [rng.normal(0, 1, (200, 3)) for _ in range(8)]
    alone = [network.evaluate(X) for X in asked]
    with ThreadPoolExecutor(len(asked)) as threads:
        for _ in range(20):
            for answer, expected in zip(threads.map(network.evaluate, asked), alone, strict=True):
                np.testing.assert_array_equal(answer, expected)
