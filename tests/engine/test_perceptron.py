"""The perceptron as a job. The course's own tables are in test_course."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.randomness import Shuffles
from engine.samples import BlobsSample, DoubleMoonsSample
from tests.engine import Run, Table, table, trained


def clouds(seed: int, rows: int = 40, deviation: float = 3.0) -> Table:
    return table(BlobsSample(rows=rows, centers=2, deviation=deviation, seed=seed).columns())


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
