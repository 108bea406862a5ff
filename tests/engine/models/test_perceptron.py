"""The perceptron as a job. The course's own tables are in test_course."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Perceptron as Reference

from engine.models.run_state import State
from engine.randomness import Shuffles
from engine.tables.samples import AndSample, BlobsSample, DoubleMoonsSample, OrSample, XorSample
from engine.training.run import train
from tests.engine import Run, Table, prepared, table, trained


def clouds(seed: int, rows: int = 40, deviation: float = 3.0) -> Table:
    return table(BlobsSample(rows=rows, centers=2, std=deviation, seed=seed).columns())


def fit(data: Table, **request: Any) -> Run:
    settings_: dict[str, Any] = {"model": {"kind": "perceptron"}, "split": {"validation": 0.0}}
    return trained(data, **{"target": list(data.columns)[-1], **settings_, **request})


def reference(X: np.ndarray, positive: np.ndarray, epochs: int, seed: int, shuffle: bool) -> tuple[np.ndarray, int, list[int]]:
    """The rule of the course row by row, in plain Python: the pocket, its mistakes, and updates by epoch."""

    def mistakes(w: np.ndarray) -> int:
        return sum((x @ w > 0) != yes for x, yes in zip(X, positive, strict=True))

    w = np.zeros(X.shape[1])
    pocket, fewest, updates = w.copy(), mistakes(w), []
    for epoch in range(epochs):
        updates.append(0)
        for row in Shuffles(seed, len(X)).order(epoch) if shuffle else range(len(X)):
            if (X[row] @ w > 0) != positive[row]:
                w = w + (1 if positive[row] else -1) * X[row]
                updates[-1] += 1
                if mistakes(w) < fewest:
                    pocket, fewest = w.copy(), mistakes(w)
        if fewest == 0:
            break
    return pocket, fewest, updates


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), deviation=st.sampled_from([0.5, 3.0, 8.0]), bias=st.booleans(), shuffle=st.booleans())
def test_row_by_row(seed: int, deviation: float, bias: bool, shuffle: bool) -> None:
    run = fit(clouds(seed, 25, deviation), model={"kind": "perceptron", "bias": bias}, epochs=6, seed=seed, shuffle=shuffle)
    train = run.prepared.problem.train
    X = np.hstack([train.X, np.ones((25, 1))]) if bias else train.X
    pocket, fewest, updates = reference(X, train.Y[:, 0] > 0.5, 6, seed, shuffle)
    np.testing.assert_allclose(run.theta, pocket, rtol=1e-12, atol=1e-12)
    assert run.last["pocket_mistakes"] == fewest
    assert run.course("updates") == updates
    assert run.epochs[-1].converged == (fewest == 0)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_what_a_line_separates_it_separates(seed: int) -> None:
    rng = np.random.default_rng(seed)
    w, X = rng.normal(0, 1, 3), rng.normal(0, 1, (60, 3))
    X = X[np.abs(X @ w) > 0.3 * np.linalg.norm(w)]
    data = table({**{f"x{j}": column for j, column in enumerate(X.T)}, "side": (X @ w > 0).tolist()})
    if len(set(data.columns["side"].values)) == 2:
        run = fit(data, epochs=1000)
        assert run.epochs[-1].converged
        assert run.last["train_accuracy"] == 1
        assert run.last["train_loss"] == 0
        assert run.codes == []


def test_the_pocket_never_gets_worse_and_is_what_is_scored() -> None:
    run = fit(table(DoubleMoonsSample(distance=-4, rows=300).columns()), epochs=40)
    pocket = run.course("pocket_mistakes")
    assert pocket == sorted(pocket, reverse=True)
    assert all(kept <= last for kept, last in zip(pocket, run.course("mistakes"), strict=True))
    assert run.course("train_accuracy") == pytest.approx([1 - wrong / 300 for wrong in pocket])
    assert run.state.step == sum(run.course("updates"))


def test_the_loss_is_the_perceptrons_criterion() -> None:
    run = fit(clouds(3, deviation=9.0), epochs=5)
    train = run.prepared.problem.train
    signs = np.where(train.Y > 0.5, 1, -1)
    outputs = run.predictor().outputs(clouds(3, deviation=9.0).columns)
    assert run.last["train_loss"] == pytest.approx(np.maximum(0, -signs * outputs).mean())


def test_validation_is_scored_beside() -> None:
    run = fit(clouds(1, 60), split={"validation": 0.2}, epochs=3)
    assert {"validation_loss", "validation_accuracy"} <= set(run.last)


def test_the_warning_counts_the_rows_that_stay_wrong() -> None:
    run = fit(clouds(2, deviation=20.0), epochs=3)
    [warning] = run.epochs[-1].warnings
    assert warning["code"] == "NOT_CONVERGED"
    assert f"{int(run.last['pocket_mistakes'] or 0)} of 40 rows" in warning["detail"]
    assert [epoch.warnings for epoch in run.epochs[:-1]] == [(), ()]


# --- scikit-learn's Perceptron ---
#
# Both take the rows in the order given, y = ±1 for the first and the second class in sorted order, and w ← w + yx with a rate
# of 1 (`eta0`) and no penalty. Its rule corrects where y wᵀx ≤ 0; here a row on the boundary itself, wᵀx = 0, is in the first
# class (as it is in both predictions), and so is corrected only where it belongs to the second. All else is alike, to the bit.

TABLES = [DoubleMoonsSample(distance=1), DoubleMoonsSample(distance=-4), AndSample(), OrSample(), XorSample()]
TABLES += [BlobsSample(rows=60, centers=2, features=5, std=9.0, seed=4)]
OFF_THE_BOUNDARY = [-0.25, -0.5, -0.125, -0.25, -0.5]
"""Weights, with BIAS: from here bits of 0 and 1 never sum to 0 (other numbers hardly do), and no table is all right at once."""
BIAS = 0.0625
EPOCHS = 25


def ours(data: Table, start: np.ndarray, bias: bool, **request: Any) -> Iterator[tuple[np.ndarray, dict[str, Any]]]:
    """The rule's own w, not the pocket's, after each epoch, and the epoch's values."""
    settings_: dict[str, Any] = {"split": {"validation": 0.0}, "preprocessing": {"scaling": "none"}, "epochs": EPOCHS}
    model = {"kind": "perceptron", "bias": bias}
    posed = prepared(data, target=list(data.columns)[-1], model=model, **settings_ | request)
    network, state = posed.problem.network, State()
    network.parameters.theta[...] = start
    for epoch in train(posed.problem, state):
        if epoch.whole:
            yield state.arrays(network)["last"], epoch.values


def theirs(
    X: np.ndarray, positive: np.ndarray, start: np.ndarray, bias: bool, orders: Iterator[np.ndarray]
) -> Iterator[tuple[np.ndarray, int]]:
    """scikit-learn's w and its mistakes after each epoch, the rows of each in the order given."""
    w, features = start, X.shape[1]
    while True:
        model = Reference(shuffle=False, eta0=1.0, penalty=None, max_iter=1, tol=None, fit_intercept=bias)
        order, w = next(orders), w.copy()  # it writes into what it starts from
        model.fit(X[order], positive[order], coef_init=w[:features], intercept_init=w[features:] if bias else None)
        w = np.concatenate([model.coef_[0], model.intercept_ if bias else []])
        yield w, int((model.predict(X) != positive).sum())


def numbers(sample: Any) -> tuple[np.ndarray, np.ndarray]:
    """X (n, d), and which rows (n,) are in the second class."""
    *features, labels = sample.columns().values()
    return np.stack(features, axis=1).astype(float), labels == sorted(set(labels))[1]


@pytest.mark.parametrize("sample", TABLES, ids=lambda sample: f"{sample.kind} {getattr(sample, 'distance', '')}")
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shuffle", [True, False])
def test_every_epoch_is_scikit_learns(sample: Any, bias: bool, shuffle: bool) -> None:
    X, positive = numbers(sample)
    start = np.array([*OFF_THE_BOUNDARY[: X.shape[1]], BIAS][: X.shape[1] + bias])
    shuffles = Shuffles(7, len(X))
    orders = (shuffles.order(epoch) if shuffle else np.arange(len(X)) for epoch in range(EPOCHS))
    run = ours(table(sample.columns()), start, bias, shuffle=shuffle, seed=7)
    epochs = list(zip(run, theirs(X, positive, start, bias, orders), strict=False))
    for (w, values), (expected, mistakes) in epochs:
        np.testing.assert_array_equal(w, expected)
        assert values["mistakes"] == mistakes
    assert epochs[0][0][1]["updates"] > 0
    assert len(epochs) == EPOCHS or epochs[-1][1][1] == 0


@pytest.mark.parametrize("bias", [True, False])
def test_from_zero_it_waits_for_a_row_of_the_second_class(bias: bool) -> None:
    """At w = 0 every row is on the boundary: scikit-learn corrects the first it meets, of whatever class."""
    sample = DoubleMoonsSample(distance=-4)
    X, positive = numbers(sample)
    rows = np.concatenate([np.flatnonzero(~positive)[:20], np.arange(len(X))])
    data = table({name: column[rows] for name, column in sample.columns().items()})
    zero, waited = np.zeros(2 + bias), int(positive[rows].argmax())
    assert waited >= 20
    orders = iter([rows[waited:], *[rows] * (EPOCHS - 1)])
    epochs = zip(ours(data, zero, bias, shuffle=False), theirs(X, positive, zero, bias, orders), strict=False)
    for (w, _), (expected, _) in epochs:
        np.testing.assert_array_equal(w, expected)
        assert w.any()
