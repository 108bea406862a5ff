# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""One reading of a tall table for Newton's method: outputs, losses, gradient and Hessians, block after block of the rows.

A block stays in the cache while all of it is worked out. The definition that this repeats is `Objective` in newton.py.
"""

import math

import numpy as np

from engine.fast.jit import call, driver, part, to
from engine.fast.microkernel import tile_columns
from engine.fast.tiles import REGISTER, STRIP, TILE, VECTORS


@part
def _outputs(X, Y, theta, first, rows, outputs, work, y):
    """Z = XW + b of the block, and Y, both side by side (k, rows); the outputs (n, k) too."""
    d = X.shape[1]
    for j in range(Y.shape[1]):
        w, b = theta[j][:d], theta[j, d]
        for i in range(rows):
            x, z = X[first + i], b
            for c in range(d):
                z += x[c] * w[c]
            work[j * rows + i] = outputs[first + i, j] = z
            work[y + j * rows + i] = Y[first + i, j]


@part
def _gradient(X, first, rows, work, slope, gradient):
    d = X.shape[1]
    for j in range(gradient.shape[0]):
        g, bias, i = gradient[j][:d], to(work[0], 0.0), 0
        while i + 4 <= rows:  # four rows at a time: the sums are fetched and put back a quarter as often
            x, r = X[first + i : first + i + 4], work[slope + j * rows + i :][:4]
            bias += r[0] + r[1] + r[2] + r[3]
            for c in range(d):
                g[c] += r[0] * x[0, c] + r[1] * x[1, c] + r[2] * x[2, c] + r[3] * x[3, c]
            i += 4
        while i < rows:
            x, r = X[first + i], work[slope + j * rows + i]
            bias += r
            for c in range(d):
                g[c] += r * x[c]
            i += 1
        gradient[j, d] += bias


@part
def _scale(X, first, rows, roots, packed, width):
    """The block's rows, and a 1 after each, times its root, packed (see gemm.py)."""
    d, strip = X.shape[1], STRIP // packed.itemsize
    whole = d // strip * strip
    for i in range(rows):
        x, root = X[first + i], to(packed[0], roots[i])
        for left in range(0, whole, strip):
            some, there = x[left:][:strip], packed[left * rows + i * strip :][:strip]
            for c in range(strip):
                there[c] = root * to(root, some[c])
        some, there = x[whole:], packed[whole * rows + i * strip :][:strip]
        for c in range(strip):
            there[c] = to(root, 0.0)
        for c in range(d - whole):
            there[c] = root * to(root, some[c])
        there[d - whole] = root


@part
def _add_product(packed, rows, width, product, hessian, sign):
    """Add ± SᵀS of the packed block S to the Hessian, of which only what is not above the diagonal is worked out."""
    size, strip = hessian.shape[0], STRIP // packed.itemsize
    for left in range(0, width, strip):
        for row in range(left, size, TILE):
            start, limit = row // strip * strip * rows + row % strip, strip - row % strip
            jump = (rows - 1) * strip if row + limit < width else 0  # there is no strip behind the last one
            offset = row * width + left
            tile_columns(
                REGISTER, TILE, VECTORS, STRIP, product, offset, width, packed, start, limit, jump, packed, left * rows, rows
            )
    for r in range(size):
        h, p = hessian[r][: r + 1], product[r * width :][: r + 1]
        for c in range(r + 1):
            h[c] += sign * p[c]


@driver
def read_rows(
    start, end, rows, X, Y, weights, theta, pairs, code, parameter, outputs, gradient, hessians, work, packed, product
):  # fmt: skip
    """Read rows [start, end) of X (n, d), `rows` at a time. Returns the sum of their weighted losses against Y (n, k).

    theta (k, d + 1) holds each output's weights and intercept; `code` is the loss's address, whose gradient is P − Y. Writes
    outputs (n, k); Σ ∇ into gradient (k, d + 1); for each of pairs (q, 2) of outputs a and b, Σ x xᵀ p_a ([a = b] − p_b) of
    the rows x with a 1 after them, at and below the diagonal, into hessians (q, d + 1, d + 1). weights is (n,) or (0,).
    Scratch: work ((3k + 3) rows,), packed (rows × width,) in the precision that a Hessian is wanted in, product ((width +
    TILE) × width,).
    """
    k, d = Y.shape[1], X.shape[1]
    strip = STRIP // packed.itemsize
    width = (d + strip) // strip * strip
    total = 0.0
    gradient[:] = 0
    hessians[:] = 0
    for first in range(start, end, rows):
        many = min(rows, end - first)
        y, slope, own, spare = k * many, 2 * k * many, 3 * k * many, (3 * k + 1) * many
        _outputs(X, Y, theta, first, many, outputs, work, y)
        call(code, (work, work[y:], work[own:], work[slope:], work[spare:], k, many, parameter))
        for j in range(k * many):
            work[j] = work[slope + j] + work[y + j]  # P, where Z stood
        if weights.size:
            for i in range(many):
                work[own + i] *= weights[first + i]
                for j in range(k):
                    work[slope + j * many + i] *= weights[first + i]
        for i in range(many):
            total += work[own + i]
        _gradient(X, first, many, work, slope, gradient)
        for q in range(pairs.shape[0]):
            a, b = pairs[q, 0] * many, pairs[q, 1] * many
            for i in range(many):
                p = to(total, 1.0) - work[a + i] if a == b else work[b + i]
                curvature = work[a + i] * p * (weights[first + i] if weights.size else to(total, 1.0))
                work[own + i] = math.sqrt(max(curvature, to(total, 0.0)))
            _scale(X, first, many, work[own:], packed, width)
            _add_product(packed, many, width, product, hessians[q], 1.0 if a == b else -1.0)
    return total


def compile_readings() -> None:
    """Have the reading compiled, or loaded from the cache, for Hessians in either precision."""
    X, Y, theta, pairs = np.empty((0, 1)), np.empty((0, 1)), np.empty((1, 2)), np.empty((0, 2), np.int64)
    for kind in (np.float32, np.float64):
        scratch = (np.empty(0), np.empty(0, kind), np.empty(0, kind))
        read_rows(0, 0, 1, X, Y, X[:, 0].copy(), theta, pairs, 0, 0.0, Y, theta.copy(), np.empty((0, 2, 2)), *scratch)
