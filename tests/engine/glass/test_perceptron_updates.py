"""The perceptron's updates: those that training makes, to the bit, and those that the textbook's loop makes."""

from typing import Any

import numpy as np
import pytest

from engine.errors import InvalidSpec
from engine.glass.perceptron_updates import Update, Updates, frame, segment, updates
from engine.models.run_state import State
from engine.tables.samples import DoubleMoonsSample
from engine.training.run import train
from tests.engine import Table, completed, prepared, table

MOONS = table(DoubleMoonsSample(distance=-4, rows=120).columns())
APART = table(DoubleMoonsSample(distance=1, rows=120).columns())
ALL = 10**6


def request(**fields: Any) -> dict[str, Any]:
    return {"target": "moon", "model": {"kind": "perceptron"}, "epochs": 4, "split": {"validation": 0.0}, **fields}


def made(data: Table, offset: int = 0, limit: int = ALL, arrays: Any = None, **fields: Any) -> Updates:
    return updates(completed(data, **request(**fields)), data.columns, arrays, offset, limit)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("data", [MOONS, APART], ids=["mixed", "apart"])
def test_they_lead_to_the_trained_weights_to_the_bit(data: Table, bias: bool) -> None:
    fields = {"model": {"kind": "perceptron", "bias": bias}}
    found = made(data, **fields)
    ready, state = prepared(data, **request(**fields)), State()
    epochs = list(train(ready.problem, state))
    assert np.array_equal(found.found[-1].after, state.vectors["last"])
    pocket = [update for update in found.found if update.is_kept][-1]
    assert np.array_equal(pocket.after, ready.problem.network.parameters.theta)
    assert [update.number for update in found.found] == list(range(1, state.step + 1))
    for epoch in epochs:
        within = [update for update in found.found if update.epoch == epoch.number]
        assert len(within) == epoch.values["updates"]
        assert (within[-1].mistakes, within[-1].pocket_mistakes) == (
            epoch.values["mistakes"],
            epoch.values["pocket_mistakes"],
        )
    assert (found.found[-1].mistakes == 0) == (data is APART)
    assert all((update.score > 0) != (update.y > 0) for update in found.found)


def textbook(X: np.ndarray, y: np.ndarray, epochs: int) -> list[tuple[int, list[float], int]]:
    """Row, w after and mistakes of each update, the rows in their order. X has its column of ones; exact for whole numbers."""
    w, found = np.zeros(X.shape[1]), []
    for _ in range(epochs):
        for row in range(len(X)):
            if (1 if w @ X[row] > 0 else -1) != y[row]:
                w = w + y[row] * X[row]
                found.append((row, w.tolist(), int((np.where(X @ w > 0, 1, -1) != y).sum())))
    return found


def test_they_are_the_textbooks() -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(-9, 10, (30, 2)).astype(float)
    y = np.where(X @ [2, -1] + rng.integers(-4, 5, 30) > 1, 1, -1)
    data = table({"a": X[:, 0], "b": X[:, 1], "moon": np.where(y > 0, "up", "down")})
    found = made(data, shuffle=False, preprocessing={"scaling": "none"}, epochs=3).found
    told = [(update.row, update.after.tolist(), update.mistakes) for update in found]
    assert told == textbook(np.hstack([X, np.ones((30, 1))]), y, 3)
    for update in found:
        assert update.x.tolist() == [*X[update.row], 1] and update.y == y[update.row]
        assert update.after.tolist() == (update.before + update.y * update.x).tolist()
        assert (update.score > 0) != (update.y > 0) and update.score == update.before @ update.x


def test_a_part_is_the_same_and_a_checkpoint_goes_on() -> None:
    def told(found: list[Update]) -> list[tuple[int, int, list[float]]]:
        return [(update.number, update.epoch, update.after.tolist()) for update in found]

    whole = made(MOONS).found
    assert told(made(MOONS, 7, 5).found) == told(whole[7:12])
    assert made(MOONS, len(whole), 5).found == []
    ready, state = prepared(MOONS, **request()), State()
    for epoch in train(ready.problem, state):
        if epoch.number == 2:
            break
    kept = state.arrays(ready.problem.learner)
    assert told(made(MOONS, 3, 9, kept).found) == told(whole[state.step + 3 : state.step + 12])


def test_the_line_parts_the_rows_in_the_datas_own_units() -> None:
    found = made(APART)
    assert found.classes == ["lower", "upper"] and found.features.names == ["x", "y"]
    w1, w2, b = found.lines()[-1]
    x, y = (APART.columns[name].values for name in ("x", "y"))
    moon = APART.columns["moon"]
    assert ((w1 * x + w2 * y + b > 0) == (np.array(moon.categories)[moon.values] == "upper")).all()
    ends = segment(found.lines()[-1], frame(x), frame(y))
    assert ends is not None
    for across, up in ends:
        assert w1 * across + w2 * up + b == pytest.approx(0, abs=1e-9)
    edges = (*frame(x), *frame(y))
    assert all(min(abs(each - edge) for each in end for edge in edges) < 1e-9 for end in ends)


@pytest.mark.parametrize(
    ("line", "ends"),
    [
        ([1, 0, -0.5], [[0.5, 0], [0.5, 1]]),
        ([0, 2, -0.5], [[0, 0.25], [1, 0.25]]),
        ([1, -1, 0], [[0, 0], [1, 1]]),
        ([1, 1, -1], [[0, 1], [1, 0]]),
        ([1, 1, -9], None),
        ([0, 0, 0], None),
    ],
)
def test_a_line_is_cut_at_the_frame(line: list[float], ends: list[list[float]] | None) -> None:
    assert segment(np.array(line, float), (0, 1), (0, 1)) == ends
    low, high = frame(np.array([0, np.nan, 10]))
    assert (low, high) == (-0.5, 10.5) and frame(np.array([3.0])) == (2, 4)


def test_nothing_else_has_updates() -> None:
    training = completed(MOONS, **request(model={"kind": "logistic_regression"}))
    with pytest.raises(InvalidSpec) as caught:
        updates(training, MOONS.columns, None, 0, 1)
    assert caught.value.errors[0][0] == "/job_id"
