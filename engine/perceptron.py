"""Rosenblatt's perceptron with Gallant's pocket."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.randomness import Shuffles
from engine.scoring import score
from engine.train import Epoch, Matrices, Problem, State


def perceptron(problem: Problem, state: State) -> Iterator[Epoch]:
    """Take each misclassified row in turn, w ← w + yx with y = ±1, until none is left or the epochs run out.

    The network holds the pocket (Gallant 1990): the weights with the fewest mistakes on all training rows of any seen
    so far. `state.vectors["last"]` holds those that the rule itself arrived at. An epoch's values count both.
    """
    spec, network, train = problem.spec, problem.network, problem.train
    assert spec.epochs is not None
    rows = train.X
    if network.layers[0].bias:
        rows = np.hstack([rows, np.ones((len(rows), 1))])  # θ ends in the bias, as for an input that is always 1
    positive = train.Y[:, 0] > 0.5
    pocket = network.parameters.theta
    last = state.vectors.setdefault("last", pocket.copy())
    fewest = mistakes(rows, positive, pocket)
    shuffles = Shuffles(spec.seed or 0, len(rows))

    while state.epoch < spec.epochs:
        started = time.perf_counter()
        order = shuffles.order(state.epoch) if spec.shuffle else np.arange(len(rows))
        updates = 0
        for row, sign in next_mistakes(rows[order], positive[order], last):
            last += sign * row
            updates += 1
            count = mistakes(rows, positive, last)
            if count < fewest:
                fewest, pocket[...] = count, last
        state.epoch += 1
        state.step += updates
        values = pocket_values("train", problem, train) | {
            "mistakes": float(mistakes(rows, positive, last)),
            "pocket_mistakes": float(fewest),
            "updates": float(updates),
            "seconds": time.perf_counter() - started,
        }
        if problem.validation is not None:
            values |= pocket_values("validation", problem, problem.validation)
        warnings = () if fewest == 0 or state.epoch < spec.epochs else (_not_converged(fewest, len(rows)),)
        yield Epoch(state.epoch, values=values, converged=fewest == 0, warnings=warnings)
        if fewest == 0:
            return


def _not_converged(fewest: int, rows: int) -> dict[str, Any]:
    detail = (
        f"No line was found that separates the classes: the best one seen, which is kept, gets {fewest} of {rows} rows "
        "wrong. Train longer, or, where the classes cannot be separated by a line, choose logistic_regression or mlp."
    )
    return {"code": "NOT_CONVERGED", "detail": detail}


def mistakes(rows: np.ndarray, positive: np.ndarray, w: np.ndarray) -> int:
    """How many rows (n, d) w puts into the wrong class; on the boundary itself a row is in the first."""
    return int(np.count_nonzero((rows @ w > 0) != positive))


def next_mistakes(rows: np.ndarray, positive: np.ndarray, w: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
    """Walk once over the rows and give each one that w, as it is by then, gets wrong, with its sign y = ±1."""
    start = 0
    while start < len(rows):
        wrong = (rows[start:] @ w > 0) != positive[start:]
        offset = int(wrong.argmax())
        if not wrong[offset]:
            return
        start += offset
        yield rows[start], 1.0 if positive[start] else -1.0
        start += 1


def pocket_values(split: str, problem: Problem, matrices: Matrices) -> dict[str, float | None]:
    """The perceptron criterion, Σ max(0, −y wᵀx)/n (Bishop, 4.1.7), and the accuracy, at the pocket's weights."""
    outputs = problem.network.evaluate(matrices.X)
    signs = np.where(matrices.Y > 0.5, 1.0, -1.0)
    loss = float(np.maximum(0, -signs * outputs).mean())
    return {f"{split}_loss": loss, **score(split, problem, outputs, matrices.Y)}
