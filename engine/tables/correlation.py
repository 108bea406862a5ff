"""Linear correlation (Pearson), ρ = Σ(x − x̄)(y − ȳ) / √(Σ(x − x̄)² Σ(y − ȳ)²), in [−1, 1].

Undefined for a constant column. Source: Pearson, Notes on Regression and Inheritance, 1895.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.parts.scaling import blocks

Vector = NDArray[Any]
Matrix = NDArray[np.float64]


def pearson(x: Vector, y: Vector) -> float | None:
    """The correlation of x and y (n,), over the rows in which both are finite.

    None where it is undefined: fewer than two such rows, or a constant column.
    """
    complete = np.isfinite(x) & np.isfinite(y)
    directions = [direction(column[complete]) for column in (x, y)]
    if any(direction is None for direction in directions):
        return None
    a, b = directions
    return float(np.clip(np.vdot(a, b), -1, 1))  # type: ignore[arg-type]


def direction(column: Vector) -> Matrix | None:
    """The column's deviations from its mean, scaled to length 1; None for a constant column."""
    if not column.size or column.min() == column.max():
        return None
    # Divided by its greatest value first, so that no square overflows or vanishes.
    deviation = column / np.abs(column.astype(np.float64)).max()
    deviation -= deviation.mean()
    return np.asarray(deviation / np.linalg.norm(deviation))


def strongest(target: Vector, columns: Iterable[Vector], most: int) -> list[int]:
    """Which of the columns go most with the target, in either direction, the strongest first; at most so many. Those
    whose correlation is undefined come last, each in its order.
    """
    found = [pearson(column, target) for column in columns]
    weight = np.array([-1.0 if rho is None else abs(rho) for rho in found])
    return [int(place) for place in np.argsort(-weight, kind="stable")[:most]]


def correlation_matrix(columns: Sequence[Vector] | Matrix) -> Matrix:
    """The correlation (d, d) of every pair of d columns (n,), each pair over the rows in which both are finite.

    NaN where it is undefined (a constant column, also against itself); elsewhere the diagonal is 1. The columns, of any
    type of number, may also come as a matrix (n, d). They are read a block of rows at a time.
    """
    if isinstance(columns, np.ndarray):
        columns = list(columns.T)
    measured = [_measure(column) for column in columns]
    scale, mean, constant = (np.array(values) for values in zip(*measured, strict=True))
    whole = all(np.isfinite(column).all() for column in columns)
    rho = _of_whole_columns(columns, scale, mean) if whole else _of_pairs(columns, scale, mean, constant)
    rho[constant] = rho[:, constant] = np.nan
    np.fill_diagonal(rho, np.where(constant, np.nan, 1))
    return rho


def _measure(column: Vector) -> tuple[float, float, bool]:
    """The greatest absolute value, the mean in units of that, and whether there is only one value or none."""
    present = column[np.isfinite(column)].astype(np.float64, copy=False)
    if not present.size:
        return 1.0, 0.0, True
    scale = float(np.abs(present).max()) or 1.0  # so that no square overflows or vanishes
    return scale, float((present / scale).mean()), bool(present.min() == present.max())


def _blocks(columns: Sequence[Vector], scale: Matrix, mean: Matrix) -> Iterator[Matrix]:
    """Blocks of rows of the columns' deviations from their mean."""
    for rows in blocks(len(columns[0]), len(columns)):
        block = np.stack([column[rows] for column in columns], axis=1).astype(np.float64, copy=False)
        block /= scale
        block -= mean
        yield block


def _of_whole_columns(columns: Sequence[Vector], scale: Matrix, mean: Matrix) -> Matrix:
    product = np.zeros((len(columns), len(columns)))
    for block in _blocks(columns, scale, mean):
        product += block.T @ block
    length = np.sqrt(product.diagonal())
    length[length == 0] = 1
    return np.asarray(np.clip(product / np.outer(length, length), -1, 1))


def _of_pairs(columns: Sequence[Vector], scale: Matrix, mean: Matrix, constant: NDArray[np.bool_]) -> Matrix:
    """Sums over the rows that two columns share are products of matrices in which what is missing is 0.

    Such a sum less its mean can lose its digits, where the shared rows all but agree: those few pairs are done one by
    one.
    """
    d = len(columns)
    count, total, squares, product = (np.zeros((d, d)) for _ in range(4))
    for block in _blocks(columns, scale, mean):
        there = np.isfinite(block).astype(np.float64)
        values = np.where(there > 0, block, 0)
        count += there.T @ there
        total += values.T @ there  # of the column down, over the rows of the column across
        squares += (values * values).T @ there
        product += values.T @ values
    count = np.maximum(1, count)
    spread = squares - total * total / count
    product -= total * total.T / count
    doubtful = spread <= 1e-8 * squares
    doubtful |= doubtful.T
    doubtful[constant] = doubtful[:, constant] = False  # undefined, whatever they share
    spread = np.where(constant | constant[:, None], 1, spread)
    rho = np.clip(product / np.sqrt(np.where(doubtful, 1, spread * spread.T)), -1, 1)
    for i, j in np.argwhere(np.triu(doubtful)):
        exact = pearson(columns[i], columns[j])
        rho[i, j] = rho[j, i] = np.nan if exact is None else exact
    return np.asarray(rho)
