"""Linear correlation (Pearson), ρ = Σ(x − x̄)(y − ȳ) / √(Σ(x − x̄)² Σ(y − ȳ)²), in [−1, 1].

Undefined for a constant column. Source: Pearson, Notes on Regression and Inheritance, 1895.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[Any]
Matrix = NDArray[np.float64]


def pearson(x: Vector, y: Vector) -> float | None:
    """The correlation of x and y (n,), over the rows in which both are finite.

    None where it is undefined: fewer than two such rows, or a constant column.
    """
    complete = np.isfinite(x) & np.isfinite(y)
    directions = [_direction(column[complete]) for column in (x, y)]
    if any(direction is None for direction in directions):
        return None
    a, b = directions
    return float(np.clip(np.vdot(a, b), -1, 1))  # type: ignore[arg-type]


def _direction(column: Vector) -> Matrix | None:
    """The column's deviations from its mean, scaled to length 1; None for a constant column."""
    if not column.size or column.min() == column.max():
        return None
    # Divided by its greatest value first, so that no square overflows or vanishes.
    deviation = column / np.abs(column).max().astype(np.float64)
    deviation -= deviation.mean()
    return np.asarray(deviation / np.linalg.norm(deviation))


def correlation_matrix(X: Matrix) -> Matrix:
    """The correlation (d, d) of every pair of columns of X (n, d), each pair over the rows in which both are finite.

    NaN where it is undefined (a constant column, also against itself); elsewhere the diagonal is 1.
    """
    present = np.isfinite(X)
    if present.all() and len(X):
        return _of_whole_columns(X)
    return _of_pairs(X, present)


def _of_whole_columns(X: Matrix) -> Matrix:
    constant = X.max(axis=0) == X.min(axis=0)
    largest = np.abs(X).max(axis=0)
    deviation = X / np.where(largest > 0, largest, 1)
    deviation -= deviation.mean(axis=0)
    deviation /= np.where(constant, 1, np.linalg.norm(deviation, axis=0))
    rho = np.clip(deviation.T @ deviation, -1, 1)
    np.fill_diagonal(rho, 1)
    rho[constant] = rho[:, constant] = np.nan
    return np.asarray(rho)


def _of_pairs(X: Matrix, present: NDArray[np.bool_]) -> Matrix:
    """Sums over the rows that two columns share are products of matrices in which what is missing is 0.

    Such a sum less its mean can lose its digits, where the shared rows all but agree: those few pairs are done one by
    one.
    """
    there = present.astype(np.float64)
    values = np.where(present, X, 0)
    values /= np.maximum(np.abs(values).max(axis=0, initial=0), np.finfo(np.float64).tiny)
    values -= there * (values.sum(axis=0) / np.maximum(1, there.sum(axis=0)))
    count = np.maximum(1, there.T @ there)
    total = values.T @ there  # of the column down, over the rows of the column across
    squares = (values * values).T @ there
    spread = squares - total * total / count
    product = values.T @ values - total * total.T / count
    doubtful = spread <= 1e-8 * squares
    doubtful |= doubtful.T
    rho = np.clip(product / np.sqrt(np.where(doubtful, 1, spread * spread.T)), -1, 1)
    for i, j in np.argwhere(np.triu(doubtful)):
        exact = pearson(X[:, i], X[:, j])
        rho[i, j] = rho[j, i] = np.nan if exact is None else exact
    np.fill_diagonal(rho, np.where(np.isnan(rho.diagonal()), np.nan, 1))
    return np.asarray(rho)
