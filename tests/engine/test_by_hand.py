"""The course's update of linear models, written out in NumPy, beside jobs that train by it."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from engine.models.run_state import State
from engine.randomness import Shuffles
from engine.tables.samples import InfantWeightSample, IrisSample
from engine.training.run import train
from tests.engine import Table, prepared, table

EPOCHS, SEED = 12, 3
Link = Callable[[np.ndarray], np.ndarray]


def identity(Z: np.ndarray) -> np.ndarray:
    return Z


def sigmoid(Z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-Z))


def softmax(Z: np.ndarray) -> np.ndarray:
    return np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)


INFANTS, IRIS = InfantWeightSample().columns(), IrisSample().columns()
LAST_TWO = {name: column[50:] for name, column in IRIS.items()}
LOGISTIC, FREE = {"kind": "logistic_regression"}, {"penalty": {"l2": 0.0}}
CASES: dict[str, tuple[Link, float, dict[str, Any], dict[str, Any]]] = {
    "linear": (identity, 0.005, INFANTS, {"kind": "linear_regression"}),
    "binary": (sigmoid, 0.05, LAST_TWO, LOGISTIC | FREE),
    "one for each class": (sigmoid, 0.02, IRIS, LOGISTIC | FREE | {"multi_class": "one_vs_rest"}),
    "multinomial": (softmax, 0.02, IRIS, LOGISTIC | FREE),
    "with a penalty": (sigmoid, 0.05, LAST_TWO, LOGISTIC | {"penalty": {"l2": 25.0}}),
}
every_case = pytest.mark.parametrize(("link", "rate", "columns", "model"), CASES.values(), ids=CASES)


def inputs(columns: dict[str, Any]) -> np.ndarray:
    """X (n, d + 1), the last input always 1: θ ends in the bias."""
    *features, _ = columns.values()
    return np.stack([*features, np.ones(len(features[0]))], axis=1)


def answers(columns: dict[str, Any]) -> np.ndarray:
    """y (n, k): the numbers, whether a row is of the second class, or which class (K > 2) it is of."""
    values = list(columns.values())[-1]
    if values.dtype.kind == "f":
        return np.array(values[:, None])
    classes = sorted(set(values))
    return np.stack([values == name for name in classes[1 if len(classes) == 2 else 0 :]], axis=1).astype(float)


def climb(
    columns: dict[str, Any], link: Link, rate: float, batch: int, orders: Iterator[np.ndarray], l2: float
) -> Iterator[np.ndarray]:
    """θ (d + 1, k) from zero on, after each epoch: θ ← θ + η · mean of (y − h) x over the batch, h = link(θᵀx).

    With classes that is up the log-likelihood, with a line down the squared error. `l2` is that of ½ l2 ‖w‖² beside the sum
    over the rows; the bias is not penalized.
    """
    X, Y = inputs(columns), answers(columns)
    theta = np.zeros((X.shape[1], Y.shape[1]))
    penalized = (np.arange(X.shape[1]) < X.shape[1] - 1)[:, None]
    for order in orders:
        for start in range(0, len(X), batch):
            rows = order[start : start + batch]
            ascent = X[rows].T @ (Y[rows] - link(X[rows] @ theta)) / len(rows)
            theta += rate * (ascent - l2 / len(X) * penalized * theta)
        yield theta.copy()


def job(data: Table, model: dict[str, Any], rate: float, batch: Any) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """θ (d + 1, k) after each epoch of a job, and the epoch's values."""
    posed = prepared(
        data, target=list(data.columns)[-1], model={**model, "solver": "gradient_descent"}, batch_size=batch,
        optimizer={"kind": "gradient_descent", "learning_rate": rate}, epochs=EPOCHS, seed=SEED, precision="float64",
        split={"validation": 0.0}, preprocessing={"scaling": "none"},
    )  # fmt: skip
    network, state = posed.problem.network, State()
    for epoch in train(posed.problem, state):
        if epoch.whole:  # on a slow machine there are breaths between them
            state.settle()
            yield np.vstack([network.parameters.layers[0].W, network.parameters.layers[0].b]), epoch.values


@every_case
@pytest.mark.parametrize("batch", ["full", 4, 1])
def test_every_batch_moves_by_the_error_times_the_input(
    link: Link, rate: float, columns: dict[str, Any], model: dict[str, Any], batch: Any
) -> None:
    rows = len(inputs(columns))
    shuffles = Shuffles(SEED, rows)
    orders = (shuffles.order(epoch) for epoch in range(EPOCHS))
    by_hand = climb(columns, link, rate, rows if batch == "full" else batch, orders, model.get("penalty", {}).get("l2", 0.0))
    steps = list(zip(job(table(columns), model, rate, batch), by_hand, strict=True))
    for (theta, _), expected in steps:
        np.testing.assert_allclose(theta, expected, rtol=1e-12, atol=1e-12)
    assert np.abs(steps[-1][1]).max() > 0.05, "nothing was learned, so nothing was compared"


def test_the_log_likelihood_rises_and_is_what_the_job_calls_its_loss() -> None:
    """ℓ(θ) = Σ y log h + (1 − y) log(1 − h): a job minimizes −ℓ/n, and records it as it was before each step."""
    X, y = inputs(LAST_TWO), answers(LAST_TWO)
    thetas, losses = [np.zeros((5, 1))], []
    for theta, values in job(table(LAST_TWO), LOGISTIC | FREE, 0.05, "full"):
        thetas.append(theta)
        losses.append(values["train_loss"])
    log_likelihoods = []
    for theta in thetas[:-1]:
        h = sigmoid(X @ theta)
        log_likelihoods.append(np.log(np.prod(h**y * (1 - h) ** (1 - y))))
    np.testing.assert_allclose(losses, [-value / len(X) for value in log_likelihoods], rtol=1e-12)
    assert losses[0] == pytest.approx(np.log(2), rel=1e-15)
    assert all(after > before for before, after in pairwise(log_likelihoods))
