"""Iterative refinement of least squares, with residuals in twice the working precision.

The x that minimizes ‖y − Dx‖ is part of the solution of the augmented system r + Dx = y, Dᵀr = 0. Its residuals, worked out in
twice the precision, ask for corrections of x and r, which a QR factorization in working precision gives. Every turn multiplies
the error by about εκ, until what is left is the rounding of x itself: the digits are the problem's, and neither the
factorization's nor the processor's (Björck, Iterative Refinement of Linear Least Squares Solutions I, 1967; Demmel, Hida,
Riedy and Li, Extra-Precise Iterative Refinement for Overdetermined Least Squares Problems, 2009).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

MAX_TURNS = 10
"""Far more than a table of full rank takes: two as a rule, five where κ is near 1/ε."""
SAFETY = 16
"""How many times better than a rounding error the next turn's correction has to be expected to be for it to be left out."""
BLOCK = 1 << 16
"""Values of a table worked on at once: half a MiB."""


def blocks(rows: int, columns: int, at_least: int = 64) -> Iterator[slice]:
    """Slices of the rows that stay in the cache while they are worked on."""
    size = max(at_least, BLOCK // max(1, columns))
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))


class Halves(NamedTuple):
    """Numbers, and each as a sum of two of 26 bits, whose products are exact (Dekker 1971)."""

    whole: np.ndarray
    high: np.ndarray
    low: np.ndarray

    @classmethod
    def of(cls, numbers: np.ndarray) -> "Halves":
        shifted = numbers * (2.0**27 + 1)
        high = shifted - (shifted - numbers)
        return cls(numbers, high, numbers - high)

    @property
    def transposed(self) -> "Halves":
        return Halves(self.whole.T, self.high.T, self.low.T)


def dot(first: np.ndarray, A: Halves, b: Halves) -> tuple[np.ndarray, np.ndarray]:
    """Σ first + Σ A·b over the first axis of first (p, m), A (n, m) and b (n, 1), as a number (m,) and what rounding took
    from it: as good as in twice the precision (Ogita, Rump and Oishi, Accurate Sum and Dot Product, 2005).
    """
    products = A.whole * b.whole
    lost = ((A.high * b.high - products) + A.high * b.low + A.low * b.high) + A.low * b.low
    terms = np.concatenate([first, products])
    sums = np.add.accumulate(terms, axis=0)  # one after the other, by definition
    before, term, after = sums[:-1], terms[1:], sums[1:]
    added = after - before
    rounded = (before - (after - added)) + (term - added)
    return sums[-1], rounded.sum(axis=0) + lost.sum(axis=0)


def residuals(X: np.ndarray, y: np.ndarray, bias: bool, x: np.ndarray, r: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """f = y − r − Dx (n, k) and g = −Dᵀr (m, k), each rounded once. D (n, m) is X (n, d), after a column of ones if `bias`."""
    f, g = np.empty_like(y), np.zeros((2, *x.shape))
    for rows in blocks(*X.shape):
        D = Halves.of(np.vstack([np.ones((int(bias), len(X[rows]))), X[rows].T]))
        for target in range(y.shape[1]):
            whole, lost = dot(np.stack([y[rows, target], -r[rows, target]]), D, Halves.of(-x[:, target, None]))
            f[rows, target] = whole + lost
            whole, lost = dot(g[:1, :, target], D.transposed, Halves.of(-r[rows, target, None]))
            g[0, :, target] = whole
            g[1, :, target] += lost
    return f, g.sum(axis=0)


def refined(
    X: np.ndarray, y: np.ndarray, center: np.ndarray, scale: np.ndarray, Q: np.ndarray, R: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """W (d, k) and b (k,) that minimize Σ(XW + b − y)², refined until no correction helps.

    QR is the factorization of (X − center) / scale (n, d), after a column of ones unless b is to be 0. All in float64.
    """
    bias = R.shape[1] > X.shape[1]
    center, scale = center[:, None], scale[:, None]

    def correction(f: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Corrections of x and of r, and the length of the first in the columns that were factorized."""
        W = g[bias:]
        h = np.linalg.solve(R.T, np.vstack([g[:bias], (W - center * g[:bias] if bias else W) / scale]))
        projected = Q.T @ f - h
        u = np.linalg.solve(R, projected)
        W = u[bias:] / scale
        dx = np.vstack([u[:1] - (center * W).sum(axis=0), W]) if bias else W
        return dx, f - Q @ projected, np.linalg.norm(u, axis=0)

    unit = 1 / scale  # how far a correction of length 1 may move each number of x
    reach = np.vstack([1 + (np.abs(center) * unit).sum(axis=0), unit]) if bias else unit
    with np.errstate(over="ignore", invalid="ignore"):  # numbers near the largest have no halves, and stay as they are
        x, r, last = correction(y, np.zeros((R.shape[1], y.shape[1])))
        for _ in range(MAX_TURNS):
            dx, dr, size = correction(*residuals(X, y, bias, x, r))
            helps = size < last / 2  # what shrinks no longer is the rounding of x, or a table at the edge of its rank
            x, r = np.where(helps, x + dx, x), np.where(helps, r + dr, r)
            expected = np.where(helps, size * (size / last), 0)
            if (SAFETY * expected * reach <= np.finfo(x.dtype).eps * np.abs(x)).all():
                break
            last = np.where(helps, size, last)
    return x[bias:], x[0] if bias else np.zeros(y.shape[1])
