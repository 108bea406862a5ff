# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""The compiled functions that Python calls, over the kernels of kernels.py, whose addresses they are given.

Those of a whole pass (`train_batches`, `evaluate`) hold the rows of a batch side by side in groups of up to GROUP: every
array of their `tile` is (units, width), so that all of it is worked on LANES rows at once. Arrays are C-contiguous, of one
float type, apart from each other. The driver of large networks is in team_step.py.
"""

import math

import numpy as np

from engine.fast.jit import call, driver, part, to
from engine.fast.microkernel import LANES, combine, correlate

GROUP = 128
"""Rows side by side in a tile: enough to use every weight many times over, few enough for the nearest cache."""
INPUTS, OUTPUTS, W, BIAS, A_IN, Z, A, D = range(8)
"""A layer's row in the table `layers`: its sizes, and where its weights stand in θ and its arrays in the tile."""


@part
def penalize(theta, gradient, start, size, l1, l2):
    """Add the gradient of the penalties on `size` weights from `start` on."""
    for i in range(start, start + size):
        w = theta[i]
        sign = to(w, 1.0) if w > to(w, 0.0) else (to(w, -1.0) if w < to(w, 0.0) else w)
        gradient[i] += to(w, l2) * w + to(w, l1) * sign


@part
def _finish(vectors, layers, rule, rate, step):
    """Penalize, clip and update, as the definition does. Returns the gradient's length before it was clipped."""
    theta, gradient, s1, s2 = vectors
    if rule.l1 or rule.l2:
        for layer in layers.table:
            penalize(theta, gradient, layer[W], layer[INPUTS] * layer[OUTPUTS], rule.l1, rule.l2)
    square = to(theta[0], 0.0)
    for i in range(gradient.size):
        square += gradient[i] * gradient[i]
    norm = math.sqrt(square)
    if norm > rule.clip:
        factor = to(norm, rule.clip) / norm
        for i in range(gradient.size):
            gradient[i] *= factor
    call(layers.codes[-1], (theta, gradient, s1, s2, theta.size, rule.h, rate, step))
    return norm


@driver
def means(losses, norms):
    """The means of both, summed in float64."""
    loss, norm = 0.0, 0.0
    for i in range(losses.size):
        loss += np.float64(losses[i])
    for i in range(norms.size):
        norm += np.float64(norms[i])
    return loss / max(1, losses.size), norm / max(1, norms.size)


@driver
def share_right(outputs, labels, order):
    """The share of rows whose largest output (n, k) is that of labels[order]; one output z stands for two, (−z, z)."""
    right, k = 0, outputs.shape[1]
    for i in range(order.size):
        best = 1 if k == 1 and outputs[i, 0] > to(outputs[i, 0], 0.0) else 0
        for j in range(1, k):
            if outputs[i, j] > outputs[i, best]:
                best = j
        right += best == labels[order[i]]
    return right / order.size


@driver
def determination(outputs, Y, order, totals):
    """R² of outputs (n, k) against Y[order], with the sums of squares (k,) of Y about its means, averaged over outputs."""
    mean = 0.0
    for j in range(totals.size):
        residual = 0.0
        for i in range(order.size):
            residual += np.float64(outputs[i, j] - Y[order[i], j]) ** 2
        mean += 1.0 - residual / totals[j]
    return mean / totals.size


@part
def _product(tile, o, theta, w, row_stride, column_stride, a, rows, terms, width):
    """tile[o] (rows, width) += W A with A = tile[a] (terms, width) and W read from θ in strides."""
    for c in range(0, width, LANES):
        r = 0
        while r + 4 <= rows:
            combine(4, tile, o + r * width + c, theta, w + r * row_stride, row_stride, column_stride, tile, a + c, terms, width)
            r += 4
        while r < rows:
            combine(1, tile, o + r * width + c, theta, w + r * row_stride, row_stride, column_stride, tile, a + c, terms, width)
            r += 1


@part
def _forward(theta, layers, tile, width):
    table, codes, parameters = layers
    last = table.shape[0] - 1
    for index in range(last + 1):
        layer = table[index]
        for j in range(layer[OUTPUTS]):
            b = theta[layer[BIAS] + j] if layer[BIAS] >= 0 else to(theta[0], 0.0)
            start = layer[Z] + j * width
            for i in range(start, start + width):
                tile[i] = b
        _product(tile, layer[Z], theta, layer[W], 1, layer[OUTPUTS], layer[A_IN], layer[OUTPUTS], layer[INPUTS], width)
        if index < last:
            call(codes[2 * index], (tile[layer[Z] :], tile[layer[A] :], layer[OUTPUTS] * width, parameters[index]))


@part
def _backward(theta, gradient, layers, tile, width):
    table, codes, parameters = layers
    for index in range(table.shape[0] - 1, -1, -1):
        layer = table[index]
        inputs, outputs = layer[INPUTS], layer[OUTPUTS]
        for j in range(outputs if layer[BIAS] >= 0 else 0):
            total = to(theta[0], 0.0)
            start = layer[D] + j * width
            for i in range(start, start + width):
                total += tile[i]
            gradient[layer[BIAS] + j] += total
        for r in range(inputs):
            a, j = layer[A_IN] + r * width, 0
            while j + 4 <= outputs:
                correlate(4, gradient, layer[W] + r * outputs + j, tile, a, tile, layer[D] + j * width, width)
                j += 4
            while j < outputs:
                correlate(1, gradient, layer[W] + r * outputs + j, tile, a, tile, layer[D] + j * width, width)
                j += 1
        if index:
            before = table[index - 1]
            tile[before[D] : before[D] + inputs * width] = 0
            _product(tile, before[D], theta, layer[W], outputs, 1, layer[D], inputs, outputs, width)
            arrays = (tile[before[Z] :], tile[before[A] :], tile[before[D] :], inputs * width, parameters[index - 1])
            call(codes[2 * index - 1], arrays)


@part
def _gather(X, order, start, rows, tile, at, width):
    """Rows of X (n, d), chosen by `order`, into the tile's (d, width), side by side; the rest of the width is 0."""
    for i in range(rows):
        row = order[start + i]
        for j in range(X.shape[1]):
            tile[at + j * width + i] = X[row, j]
    _clear(tile, at, X.shape[1], rows, width)


@part
def _load(X, start, rows, tile, at, width):
    """As `_gather`, of rows as they stand."""
    for i in range(rows):
        for j in range(X.shape[1]):
            tile[at + j * width + i] = X[start + i, j]
    _clear(tile, at, X.shape[1], rows, width)


@part
def _clear(tile, at, units, rows, width):
    for j in range(units):
        for i in range(rows, width):
            tile[at + j * width + i] = 0


@part
def _store(tile, at, out, start, rows, width):
    """The tile's (k, width) into rows of `out` (n, k)."""
    for i in range(rows):
        for j in range(out.shape[1]):
            out[start + i, j] = tile[at + j * width + i]


@part
def _losses(layers, tile, k, width):
    """The loss and ∂loss/∂Z of every row of the tile, whose Y follows the last layer's D. Returns where the losses are."""
    last = layers.table[layers.table.shape[0] - 1]
    y = last[D] + k * width
    own = y + k * width
    arrays = (tile[last[Z] :], tile[y:], tile[own:], tile[last[D] :], tile[own + width :], k, width, layers.parameters[-1])
    call(layers.codes[-2], arrays)
    return own


@driver
def evaluate(data, losses, outputs, theta, layers, tile, width):
    """Write the raw outputs (n, k) of these rows, and their losses (n,), times their weights."""
    X, Y, weights = data
    k, last = Y.shape[1], layers.table[layers.table.shape[0] - 1]
    y = last[D] + k * width
    for start in range(0, X.shape[0], width):
        rows = min(width, X.shape[0] - start)
        _load(X, start, rows, tile, layers.table[0, A_IN], width)
        _load(Y, start, rows, tile, y, width)
        _forward(theta, layers, tile, width)
        _store(tile, last[Z], outputs, start, rows, width)
        own = _losses(layers, tile, k, width)
        for i in range(rows):
            losses[start + i] = tile[own + i] * (weights[start + i] if weights.size else to(theta[0], 1.0))


@driver
def train_batches(data, vectors, report, layers, tile, rule, batches):
    """Train on these batches of the rows (see groups.py). `tile` is scratch, as large as the table of layers says."""
    X, Y, weights = data
    theta, gradient = vectors.theta, vectors.gradient
    losses, outputs, norms = report
    order, first, count, rate, step = batches
    k, last = Y.shape[1], layers.table[layers.table.shape[0] - 1]
    for batch in range(first, first + count):
        begin = batch * rule.batch_size
        end = min(begin + rule.batch_size, X.shape[0])
        width = min(GROUP, (end - begin + LANES - 1) // LANES * LANES)
        y = last[D] + k * width
        gradient[:] = 0
        for start in range(begin, end, width):
            rows = min(width, end - start)
            _gather(X, order, start, rows, tile, layers.table[0, A_IN], width)
            _gather(Y, order, start, rows, tile, y, width)
            _forward(theta, layers, tile, width)
            _store(tile, last[Z], outputs, start, rows, width)
            own = _losses(layers, tile, k, width)
            share = to(theta[0], 1.0 / (end - begin))
            for i in range(width):  # where the loss stood now stands what each row's gradient counts: 0 where there is no row
                weight = to(theta[0], 0.0)
                if i < rows:
                    weight = weights[order[start + i]] if weights.size else to(theta[0], 1.0)
                    losses[start + i] = tile[own + i] * weight
                tile[own + i] = weight * share
            for j in range(k):
                for i in range(width):
                    tile[last[D] + j * width + i] *= tile[own + i]
            _backward(theta, gradient, layers, tile, width)
        step += 1
        norms[batch] = _finish(vectors, layers, rule, rate, step)


@driver
def correct_mistakes(columns, positive, order, start, most, w, pocket, scores, fewest):
    """The perceptron's walk over rows order[start:], until `most` corrections are made or the rows are at an end.

    columns (d, n) are the rows side by side, w (d,) the weights, pocket (d,) the best seen; scores (n,) is scratch.
    Returns where the walk stopped, the corrections, and the fewest mistakes seen.
    """
    corrections = 0
    _score(columns, w, scores)
    for position in range(start, order.size):
        row = order[position]
        if (scores[row] > to(w[0], 0.0)) != positive[row]:
            if corrections == most:
                return position, corrections, fewest
            for j in range(w.size):
                w[j] += columns[j, row] if positive[row] else -columns[j, row]
            corrections += 1
            _score(columns, w, scores)
            wrong = _mistakes(scores, positive)
            if wrong < fewest:
                fewest = wrong
                for j in range(w.size):
                    pocket[j] = w[j]
    return order.size, corrections, fewest


@part
def _score(columns, w, scores):
    scores[:] = 0
    for j in range(w.size):
        for i in range(scores.size):
            scores[i] += w[j] * columns[j, i]


@part
def _mistakes(scores, positive):
    wrong = 0
    for i in range(scores.size):
        wrong += (scores[i] > to(scores[i], 0.0)) != positive[i]
    return wrong


@driver
def mistakes(columns, positive, w, scores):
    """How many rows, side by side in columns (d, n), w (d,) puts into the wrong class; scores (n,) is scratch."""
    _score(columns, w, scores)
    return _mistakes(scores, positive)
