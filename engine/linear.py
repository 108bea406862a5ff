"""Linear regression in closed form: least squares, whatever the table's shape and rank."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.descent import mean_loss, validate
from engine.scoring import score
from engine.train import Epoch, Problem, State

TALL = 1 << 17
TALL_RATIO = 4
"""So many values, and so many rows for each column, make a table tall: below, singular values are soon had."""
WELL_CONDITIONED = 1e4
"""The condition number up to which squaring it leaves eight digits for the corrections to start from."""
BLOCK = 1 << 16
"""Values of a table worked on at once: half a MiB."""


def least_squares(X: np.ndarray, y: np.ndarray, bias: bool = True) -> tuple[np.ndarray, np.ndarray, int, float]:
    """W (d, k) and b (k,) that minimise Σ(XW + b − y)², with the rank of X and its condition number.

    Through the singular values of the centred X, never an inverse; of several solutions the one of least norm
    (Golub & Van Loan, Matrix Computations, 5.5). The condition number is that of the columns scaled to one length,
    so that a change of unit does not change it; it is infinite where the columns depend on each other. A tall table
    whose columns are far from dependent takes a shorter way to the same digits (see `seminormal`); of any other tall one a
    triangle is left to find the singular values of (see `triangle`).
    """
    center, mean = (X.mean(axis=0), y.mean(axis=0)) if bias else (np.zeros(X.shape[1]), np.zeros(y.shape[1]))
    tall = X.size >= TALL and len(X) > TALL_RATIO * X.shape[1]
    if tall:
        found = seminormal(X, y, center, mean)
        if found is not None:
            W, condition = found
            return W, mean - center @ W, X.shape[1], condition
    centred, answers = triangle(X, y, center, mean) if tall else (X - center, y - mean)
    lengths = np.linalg.norm(centred, axis=0)
    # A column that centring leaves at rounding error is constant: the bias stands for it already.
    lengths[lengths <= np.finfo(X.dtype).eps * len(X) * np.abs(X).max(axis=0, initial=0)] = 0
    scale = np.where(lengths > 0, lengths, 1)
    scaled = np.where(lengths > 0, centred / scale, 0)
    precision = np.finfo(X.dtype).eps * max(X.shape)
    solution, _, rank, singular = np.linalg.lstsq(scaled, answers, rcond=precision)
    W = solution / scale[:, None]
    if rank < X.shape[1]:  # scaling changes which solution is shortest: take the shortest in X's own units
        W = np.linalg.lstsq(centred, answers, rcond=precision)[0]
        condition = float("inf")
    else:
        condition = float(singular[0] / singular[-1])
    return W, mean - center @ W, int(rank), condition


def triangle(X: np.ndarray, y: np.ndarray, center: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """R (d + k, d) and QᵀY (d + k, k) of the centred X (n, d) = QR: the same least squares, singular values and all.

    Householder's reflections, block after block of the rows (Golub & Van Loan, 5.2; Demmel et al. 2012): as good as of all
    the rows at once, and no copy of the table is made.
    """
    R = np.empty((0, X.shape[1] + y.shape[1]), X.dtype)
    for rows in blocks(len(X), X.shape[1], at_least=8 * X.shape[1]):
        more = np.hstack([X[rows] - center, y[rows] - mean])
        R = np.asarray(np.linalg.qr(np.vstack([R, more]), mode="r"))
    return R[:, : X.shape[1]], R[:, X.shape[1] :]


def seminormal(X: np.ndarray, y: np.ndarray, center: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, float] | None:
    """W (d, k) and the condition number, in three readings of X (n, d); None where the columns are near dependent.

    In the way of the corrected seminormal equations (Björck, Stability Analysis of the Method of Seminormal Equations for
    Linear Least Squares Problems, 1987): XᵀX W = XᵀY is solved for centred columns of length 1, then twice the correction
    that the residuals of X itself ask for. XᵀX has the square of X's condition number κ; while κ² is far below 1/ε the
    corrections give back the digits that this costs, and the answer is as good as that of the singular values. XᵀX is
    eliminated anew each time: d is small beside n, and three eliminations cost no more than one inverse.
    """
    gram, moments = np.zeros((X.shape[1], X.shape[1])), np.zeros((X.shape[1], y.shape[1]))
    for rows in blocks(len(X), X.shape[1]):
        block = X[rows] - center
        gram += block.T @ block
        moments += block.T @ (y[rows] - mean)
    lengths = np.sqrt(gram.diagonal())
    if not np.all(lengths > 1e-6 * np.sqrt(len(X)) * np.abs(center)):  # nearly constant: centring has cost its digits
        return None
    gram /= np.outer(lengths, lengths)
    values = np.linalg.eigvalsh(gram)
    if not values[0] * WELL_CONDITIONED**2 > values[-1]:
        return None
    lengths = lengths[:, None]
    W = np.linalg.solve(gram, moments / lengths) / lengths
    for _ in range(2):
        moments[...] = 0
        for rows in blocks(len(X), X.shape[1]):
            block = X[rows] - center
            moments += block.T @ (y[rows] - mean - block @ W)
        W += np.linalg.solve(gram, moments / lengths) / lengths
    return W, float(np.sqrt(values[-1] / values[0]))


def blocks(rows: int, columns: int, at_least: int = 64) -> Iterator[slice]:
    """Slices of the rows that stay in the cache while they are worked on."""
    size = max(at_least, BLOCK // max(1, columns))
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))


def analytic(problem: Problem, state: State) -> Iterator[Epoch]:
    """Linear regression in closed form, as the one epoch there is."""
    if state.epoch:
        return
    started = time.perf_counter()
    layer = problem.network.parameters.layers[0]
    W, b, rank, condition = least_squares(problem.train.X, problem.train.Y)
    layer.W[...] = W
    assert layer.b is not None
    layer.b[...] = b
    state.epoch = state.step = 1
    values = evaluation(problem) | {
        "rank": float(rank),
        "condition": condition,
        "seconds": time.perf_counter() - started,
    }
    yield Epoch(1, values=values, converged=True, warnings=_rank_warnings(rank, problem.train.X.shape[1]))


def _rank_warnings(rank: int, columns: int) -> tuple[dict[str, Any], ...]:
    if rank == columns:
        return ()
    detail = (
        f"The {columns} features have rank {rank}: some are constant or sums of others, so many weights fit equally "
        "well. The shortest ones are given; drop the dependent features for weights that can be read."
    )
    return ({"code": "RANK_DEFICIENT", "detail": detail},)


def evaluation(problem: Problem) -> dict[str, float | None]:
    """Loss and score on the training and validation rows at the present weights."""
    outputs = problem.network.evaluate(problem.train.X)
    train = {"train_loss": mean_loss(problem, outputs, problem.train)}
    return train | score("train", problem, outputs, problem.train.Y) | validate(problem)
