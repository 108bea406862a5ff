"""Linear regression in closed form: least squares, whatever the table's shape and rank."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from engine.models.base import Problem, Solver
from engine.models.descent import validate
from engine.models.refinement import blocks, refined
from engine.models.run_state import COEFFICIENTS, Epoch, State
from engine.models.scoring import mean_loss, score
from engine.wording import notice, say

TALL = 1 << 17
TALL_RATIO = 4
"""So many values, and so many rows for each column, make a table tall: below, singular values are soon had."""
WELL_CONDITIONED = 1e4
"""The condition number up to which squaring it leaves eight digits for the corrections to start from."""


def is_tall(rows: int, columns: int) -> bool:
    """Whether a table of that shape is solved in a few readings of it, without a copy."""
    return rows * columns >= TALL and rows > TALL_RATIO * columns


def least_squares(X: np.ndarray, y: np.ndarray, bias: bool = True) -> tuple[np.ndarray, np.ndarray, int, float]:
    """W (d, k) and b (k,) that minimise Σ(XW + b − y)², with the rank of X and its condition number.

    Never by an inverse; of several solutions the one of least norm, through the singular values of the centred X
    (Golub & Van Loan, Matrix Computations, 5.5). The condition number is that of the columns scaled to one length,
    so that a change of unit does not change it; it is infinite where the columns depend on each other. The one solution of
    a table that is not tall is refined to the digits of float64 (see `refined`). A tall table whose columns are far
    from dependent takes a shorter way (see `seminormal`); of any other tall one a triangle is left to find the singular
    values of (see `triangle`).
    """
    center, mean = (X.mean(axis=0), y.mean(axis=0)) if bias else (np.zeros(X.shape[1]), np.zeros(y.shape[1]))
    tall = is_tall(*X.shape)
    found = seminormal(X, y, center, mean) if tall else orthogonal(X, y, center, bias)
    if found is not None:
        W, b, condition = found
        return W, b, X.shape[1], condition
    centred, answers = triangle(X, y, center, mean) if tall else (X - center, y - mean)
    lengths = lengths_of(centred, X)
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


Solution = tuple[np.ndarray, np.ndarray, float]
"""W (d, k), b (k,), and the condition number."""
Solved = tuple[np.ndarray, np.ndarray, int, float]
"""W (d, k), b (k,), the rank of X, and its condition number."""


def lengths_of(centred: np.ndarray, X: np.ndarray) -> np.ndarray:
    """The columns' lengths (d,), 0 for one that centring leaves at rounding error: the bias stands for it already."""
    lengths = np.linalg.norm(centred, axis=0)
    lengths[lengths <= np.finfo(X.dtype).eps * len(X) * np.abs(X).max(axis=0, initial=0)] = 0
    return lengths


def orthogonal(X: np.ndarray, y: np.ndarray, center: np.ndarray, bias: bool) -> Solution | None:
    """The solution refined to the digits of float64 (see `refined`), by Householder's QR; None where it is not the only one."""
    if len(X) < X.shape[1] + bias:
        return None
    columns = np.ones((len(X), X.shape[1] + bias), X.dtype)
    centred = np.subtract(X, center, out=columns[:, int(bias) :])
    lengths = lengths_of(centred, X)
    if not lengths.all():
        return None
    centred /= lengths
    Q, R = np.linalg.qr(columns)
    singular = np.linalg.svd(R[int(bias) :, int(bias) :], compute_uv=False)
    if not singular[-1] > np.finfo(X.dtype).eps * max(X.shape) * singular[0]:
        return None
    W, b = refined(*(each.astype(np.float64, copy=False) for each in (X, y, center, lengths, Q, R)))
    return W, b, float(singular[0] / singular[-1])


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


def seminormal(X: np.ndarray, y: np.ndarray, center: np.ndarray, mean: np.ndarray) -> Solution | None:
    """The solution in three readings of X (n, d); None where the columns are near dependent.

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
    return W, mean - center @ W, float(np.sqrt(values[-1] / values[0]))


def analytic(problem: Problem, state: State, definition: Callable[..., Solved] = least_squares) -> Iterator[Epoch]:
    """Linear regression in closed form, as the one epoch there is."""
    if state.epoch:
        return
    started = time.perf_counter()
    layer = problem.network.parameters.layers[0]
    W, b, rank, condition = solve(problem, state, definition)
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


def solve(problem: Problem, state: State, definition: Callable[..., Solved] = least_squares) -> Solved:
    """`least_squares` of the training rows, in the data's own units where they are at hand: scaling rounds.

    Then the coefficients in these units, W over b (d + 1, k), are kept as well: those of scaled features do not hold all of
    their digits. Of several solutions the one that is shortest for the scaled features is taken.
    """
    X, y, unscaled = problem.train.X, problem.train.Y, problem.unscaled
    if unscaled is not None:
        W, b, rank, condition = definition(unscaled.X, y)
        if rank == X.shape[1]:
            state.vectors[COEFFICIENTS] = np.vstack([W, b])
            return W * unscaled.scale[:, None], b + unscaled.center @ W, rank, condition
    return definition(X, y)


def _rank_warnings(rank: int, columns: int) -> tuple[dict[str, Any], ...]:
    if rank == columns:
        return ()
    detail = say(
        "The {columns} features have rank {rank}: some are constant or sums of others, so many weights fit equally "
        "well. The shortest ones are given; drop the dependent features for weights that can be read.",
        columns=columns,
        rank=rank,
    )
    return (notice("RANK_DEFICIENT", detail),)


def evaluation(problem: Problem) -> dict[str, float | None]:
    """Loss and score on the training and validation rows at the present weights."""
    outputs = problem.network.evaluate(problem.train.X)
    train = {"train_loss": mean_loss(problem, outputs, problem.train)}
    return train | score("train", problem, outputs, problem.train.Y) | validate(problem)


LEAST_SQUARES = Solver(analytic, least_squares, copies_rows=True)
