# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""The kernels by which layer_step.py has blocks of rows laid down, judged and added up. Arrays are C pointers.

A block is LANES rows of the batch side by side. Of its rows only the first ones may be there.
"""

from engine.fast import fused_step
from engine.fast.jit import Kernel, call, to
from engine.fast.lane_tile import FROM_ZERO, ROWS, after, turn_lanes, weigh
from engine.fast.microkernel import LANES


def gather(X, width, order, some, block):
    """Lay rows order[0], order[1], … of X (n, width) side by side; where there is none stand zeros."""
    for i in range(some):
        row = order[i] * width
        for j in range(width):
            block[j * LANES + i] = X[row + j]
    for i in range(some, LANES):
        for j in range(width):
            block[j * LANES + i] = to(block[0], 0.0)


def mask(masks, line, rows, units, kept, blocks):
    """Lay the first `units` numbers of `rows` rows of masks, `line` apart, side by side; 1 where there is no row."""
    for block in range(blocks):
        for i in range(LANES):
            row = block * LANES + i
            for j in range(units):
                offset = (block * units + j) * LANES + i
                kept[offset] = masks[row * line + j] if row < rows else to(kept[0], 1.0)


def to_rows(values, width, out, line, blocks):
    """Write blocks of `width` numbers row by row, a row `line` behind the one before."""
    for block in range(blocks):
        turn_lanes(values, block * width * LANES, width, out, block * LANES * line, line)


def judge(loss, p, z, Y, weights, is_weighted, k, order, some, share, d, own, losses, outputs):
    """The losses and raw outputs z of a block, and ∂J/∂z in d: `share` of each row's, 0 where there is no row.

    `order` are the rows' labels in Y (n, k). own (k + 4, LANES) is scratch.
    """
    of_rows, work = k * LANES, (k + 1) * LANES
    for i in range(LANES):
        label = order[min(i, some - 1)] * k if some else 0
        for j in range(k):
            own[j * LANES + i] = Y[label + j]
            if i < some:
                outputs[i * k + j] = z[j * LANES + i]
    call(loss, (z, own, after(own, of_rows), d, after(own, work), k, LANES, p))
    for i in range(LANES):
        weight = to(p, 0.0)
        if i < some:
            weight = weights[order[i]] if is_weighted else to(p, 1.0)
            losses[i] = own[of_rows + i] * weight
        for j in range(k):
            d[j * LANES + i] = d[j * LANES + i] * (weight * share) if i < some else to(p, 0.0)


def slope_of_rows(X, inputs, D, line, outputs, first, rows, terms, biases, more, g, tile):
    """∇ of rows `first`… of a dense layer's W (inputs, outputs), and of so many biases behind it, from X (terms, inputs) and
    D (terms, line); added to what is in g if `more` is not 0. `tile` is scratch.
    """
    for k in range(0, rows, ROWS):
        some = min(ROWS, rows - k)
        start = min(first + k, inputs - ROWS)  # a whole tile ends with W at the latest
        for f in range(0, outputs, LANES):
            if start >= 0:
                weigh(ROWS, FROM_ZERO, tile, 0, X, start, 1, (inputs,), D, f, (line,), (terms,), X, 0)
            else:
                for r in range(some):
                    weigh(1, FROM_ZERO, tile, r * LANES, X, first + k + r, 1, (inputs,), D, f, (line,), (terms,), X, 0)
            skipped = first + k - start if start >= 0 else 0
            for r in range(some):
                offset, found = (k + r) * outputs + f, (skipped + r) * LANES
                for i in range(min(LANES, outputs - f)):
                    g[offset + i] = g[offset + i] + tile[found + i] if more else tile[found + i]
    b = rows * outputs
    for j in range(biases if more == 0 else 0):
        g[b + j] = to(g[0], 0.0)
    for n in range(terms if biases else 0):
        for j in range(biases):
            g[b + j] += D[n * line + j]


def slope_of_sums(sums, line, parts, size, g):
    """∇ of `size` numbers from what each of so many pieces has added up, in their order."""
    for i in range(size):
        g[i] = sums[i]
    for n in range(1, parts):
        for i in range(size):
            g[i] += sums[n * line + i]


def penalize(theta, g, size, penalized, l1, l2, squares):
    """Add the gradient of the penalties on the first ones, which are weights. squares[0] ← Σ g²."""
    if l1 or l2:
        fused_step.penalize(theta, g, 0, penalized, l1, l2)
    total = to(g[0], 0.0)
    for i in range(size):
        total += g[i] * g[i]
    squares[0] = total


def shorten(g, size, factor):
    """g ← factor · g."""
    for i in range(size):
        g[i] *= factor


GATHER, MASK, TO_ROWS, JUDGE, SLOPE_OF_ROWS, SLOPE_OF_SUMS, PENALIZE, SHORTEN = range(8)
"""Where their addresses stand."""
KERNELS = (
    Kernel(gather, ("reals", "int", "ints", "int", "reals")),
    Kernel(mask, ("reals", "int", "int", "int", "reals", "int")),
    Kernel(to_rows, ("reals", "int", "reals", "int", "int")),
    Kernel(judge, ("int", "real", "reals", "reals", "reals", "int", "int", "ints", "int", "real", *("reals",) * 4)),
    Kernel(slope_of_rows, ("reals", "int", "reals", "int", "int", "int", "int", "int", "int", "int", "reals", "reals")),
    Kernel(slope_of_sums, ("reals", "int", "int", "int", "reals")),
    Kernel(penalize, ("reals", "reals", "int", "int", "double", "double", "reals")),
    Kernel(shorten, ("reals", "int", "real")),
)
