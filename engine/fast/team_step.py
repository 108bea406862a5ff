# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""The step of a large network, shared out among a team of threads (see barrier.py), products of matrices and all.

A step has two phases. In the first a piece is some rows of the batch, which go forward and back; in the second it is some
rows of a strip of a layer's W: their gradient from the whole batch, and their update. So the members meet twice a step.

All matrices lie in strips (see gemm.py). `space` holds the batch's X and each layer's Z, A and D, of `height` rows a
strip, where the table `layers` says (see packing.py). θ and the optimizer's vectors, layer by layer, hold W in strips, then b;
`transposed` holds each Wᵀ but the first layer's, made anew with every update, while W is in the cache.
"""

import math

import numpy as np

from engine.fast.barrier import meet, open_phase, take
from engine.fast.fused_step import A_IN, BIAS, INPUTS, OUTPUTS, A, D, W, Z, penalize
from engine.fast.gemm import SHARE
from engine.fast.jit import call, driver, exact, part, to
from engine.fast.microkernel import LANES, ask_for, copy_strip, strip_of, values_in
from engine.fast.tiles import STRIP, TILE

MOST = 512
"""Rows of a batch at hand at once: of a larger one the gradients are added up."""
PIECE = 240
"""Maximum rows of W in a piece of the second phase: with the batch's values in as many columns, they fit into a near cache."""
DEPTH = 1 << 14
"""Bytes of a strip of W that the rows of a batch are multiplied by before its next part is: half of the nearest cache."""
MULTIPLY, MULTIPLY_TRANSPOSED, TRANSPOSE_PART = range(3)
"""Indices of the addresses of the products' kernels."""
LAYER, FIRST, ROWS, LEFT, WIDTH, OFFSET, OFFSET_B, SQUARES, BLOCK = range(9)
"""A piece of the second phase, in the table `pieces`: rows FIRST… of a layer's strip of so many columns that begins at LEFT;
where it stands in θ, and where the strip's part of b does, if this is the strip's first piece (else −1); where the squares of
its gradient do, and how many rows are added up in each.
"""
LINE = 64
"""Bytes of a line of the cache."""
SUMS = 64
"""Sums side by side that the squares are added up in."""


@part
def _rows_of_a_piece(rows, members):
    """Rows of a piece of the first phase: a piece for each member, for each piece reads all weights."""
    return (rows + members * SHARE - 1) // (members * SHARE) * SHARE


@part
def _depth(terms, like):
    """Terms of a product that are added up at a time: whole strips, in parts of about one size."""
    strip = strip_of(like)
    parts = (terms * STRIP + DEPTH - 1) // DEPTH
    return ((terms + parts - 1) // parts + strip - 1) // strip * strip


@part
def _gather(X, rows, space, start, height):
    """Copy these rows of X (n, d) into the batch from row `start` on."""
    d, strip = X.shape[1], strip_of(space)
    whole, flat = d // strip * strip, X.reshape(X.size)
    for i in range(rows.size):
        row, offset = rows[i] * d, (start + i) * strip
        for left in range(0, whole, strip):
            copy_strip(space, offset + left * height, flat, row + left)
        for j in range(whole, d):
            space[np.uintp(offset + whole * height + j - whole)] = flat[np.uintp(row + j)]


@part
def _forward(team, theta, layers, strips, start, rows):
    """Z and A of rows [start, start + rows) of the batch, layer by layer, strip by strip."""
    table, codes, parameters = layers
    space, height = strips.space, strips.height
    last, strip = table.shape[0] - 1, strip_of(space)
    for index in range(last + 1):
        layer = table[index]
        inputs, outputs = layer[INPUTS], layer[OUTPUTS]
        block_gap, depth = (height - 1) * strip, _depth(inputs, space)
        for first in range(0, inputs, depth):
            many = min(depth, inputs - first)
            into = space[layer[A_IN] + start * strip + first * height :]
            for left in range(0, outputs, strip):
                width, offset = min(strip, outputs - left), left * height + start * strip
                z, w = space[layer[Z] + offset :], theta[layer[W] + left * inputs + first * width :]
                ahead = w[strip * inputs :] if left + strip < outputs else w
                call(team.products[MULTIPLY], (z, into, block_gap, rows, w, width, many, first, ahead))
                if first + many < inputs:
                    continue
                if layer[BIAS] >= 0:
                    b = theta[layer[BIAS] + left :][:width]
                    for i in range(rows):
                        row = z[i * strip :][:width]
                        for j in range(width):
                            row[j] += b[j]
                if index < last:
                    call(codes[2 * index], (z, space[layer[A] + offset :], rows * strip, parameters[index]))


@part
def _losses(data, report, layers, strips, order, begin, start, rows, batch, own):
    """The loss, ∂J/∂Z and raw outputs of rows [start, start + rows) of those at hand, whose first's position in the epoch is
    `begin`. Columns are worked on in full vectors, those without a row being 0.
    """
    Y, weights, losses, outputs = data.Y, data.weights, report.losses, report.outputs
    space, height, p = strips.space, strips.height, layers.parameters[-1]
    layer, k, strip = layers.table[layers.table.shape[0] - 1], Y.shape[1], strip_of(space)
    width = (rows + LANES - 1) // LANES * LANES
    y, d, loss, work = k * width, 2 * k * width, 3 * k * width, (3 * k + 1) * width
    for i in range(width):
        offset, label = begin + start + i, order[begin + start + min(i, rows - 1)]
        for j in range(k):
            from_ = layer[Z] + j // strip * strip * height + (start + i) * strip + j % strip
            z = space[from_] if i < rows else to(p, 0.0)
            own[np.uintp(j * width + i)] = z
            own[np.uintp(y + j * width + i)] = Y[label, j]
            if i < rows:
                outputs[offset, j] = z
    call(layers.codes[-2], (own, own[y:], own[loss:], own[d:], own[work:], k, width, p))
    for i in range(rows):
        offset = begin + start + i
        weight = weights[order[offset]] if weights.size else to(p, 1.0)
        losses[offset] = own[loss + i] * weight
        weight *= to(p, 1.0 / batch)
        for j in range(k):
            into = layer[D] + j // strip * strip * height + (start + i) * strip + j % strip
            space[into] = own[np.uintp(d + j * width + i)] * weight


@part
def _backward(team, layers, strips, start, rows):
    """∂J/∂Z of every layer but the last, whose own stands in its D, for rows [start, start + rows) of the batch."""
    table, codes, parameters = layers
    space, height = strips.space, strips.height
    strip = strip_of(space)
    for index in range(table.shape[0] - 1, 0, -1):
        layer, before = table[index], table[index - 1]
        inputs, outputs = layer[INPUTS], layer[OUTPUTS]
        block_gap, depth = (height - 1) * strip, _depth(outputs, space)
        for first in range(0, outputs, depth):
            many = min(depth, outputs - first)
            to_here = space[layer[D] + start * strip + first * height :]
            for left in range(0, inputs, strip):
                width, offset = min(strip, inputs - left), left * height + start * strip
                d, w = space[before[D] + offset :], strips.transposed[strips.offsets[index] + left * outputs + first * width :]
                ahead = w[strip * outputs :] if left + strip < inputs else w
                call(team.products[MULTIPLY], (d, to_here, block_gap, rows, w, width, many, first, ahead))
                if first + many == outputs:
                    z, a = space[before[Z] + offset :], space[before[A] + offset :]
                    call(codes[2 * index - 1], (z, a, d, rows * strip, parameters[index - 1]))


@part
def _slope(team, theta, layer, piece, ahead, strips, rows, gradient, bias, scratch, more):
    """∇ of a piece of W, and of b, from the batch's rows at hand; added to what is there if `more`.

    Meanwhile the θ that the update will write is asked for, and what the next piece will read of D, from column `ahead` on.
    """
    space, height = strips.space, strips.height
    line, asked = values_in(LINE, space), 0
    each = (rows * TILE // piece[ROWS] + 1) * strip_of(space)
    strip, d = strip_of(space), space[layer[D] + piece[LEFT] * height :]
    width = piece[WIDTH]
    for row in range(0, piece[ROWS], TILE):
        column, many = piece[FIRST] + row, min(TILE, piece[ROWS] - row)
        a, limit = space[layer[A_IN] + column // strip * strip * height + column % strip :], strip - column % strip
        jump = (height - 1) * strip if column + limit < layer[INPUTS] else 0  # there is no strip behind the last one
        g = gradient[row * width :]
        for offset in range(piece[OFFSET] + row * width, piece[OFFSET] + (row + many) * width, line):
            ask_for(theta, offset, 1)
        for offset in range(asked, min(asked + each, rows * strip), line):
            ask_for(space, layer[D] + ahead * height + offset, 0)
        asked += each
        call(team.products[MULTIPLY_TRANSPOSED], (g, many, width, a, limit, jump, d, rows, np.int64(more), scratch))
    if piece[OFFSET_B] >= 0:
        if not more:
            bias[:width] = 0
        for i in range(rows):
            row = d[i * strip :][:width]
            for j in range(width):
                bias[j] += row[j]


@part
def _squares(piece, outputs, gradient, bias, squares):
    """Write the squares of a piece's gradient, added up column by column in blocks of rows, and before them those of b's."""
    width, offset, block = piece[WIDTH], piece[SQUARES], piece[BLOCK]
    for first in range(0, piece[ROWS], block):
        sums = squares[offset + first // block * outputs :][:width]
        sums[:] = 0
        for row in range(first, min(first + block, piece[ROWS])):
            g = gradient[row * width :][:width]
            for j in range(width):
                sums[j] += g[j] * g[j]
    if piece[OFFSET_B] >= 0:
        sums = squares[offset - outputs :][:width]
        for j in range(width):
            sums[j] = bias[j] * bias[j]


@exact
def added(values):
    """The sum of the values, in their order."""
    total = to(values[0], 0.0)
    for value in values:
        total += value
    return total


@part
def _length(squares, sums):
    """The root of the sum of all squares, in an order that no processor changes: as many sums side by side as `sums` has."""
    many, end = sums.size, squares.size // sums.size * sums.size
    sums[:] = 0
    for first in range(0, end, many):
        some = squares[first:][:many]
        for i in range(many):
            sums[i] += some[i]
    for i in range(squares.size - end):
        sums[i] += squares[end + i]
    return math.sqrt(added(sums))


@part
def _shorten(g, factor):
    for i in range(g.size):
        g[i] *= factor


@part
def _apply(team, vectors, gradient, bias, layers, strips, piece, h, rate, step):
    """Update a piece of W, and of b, and Wᵀ of all layers but the first."""
    theta, _, s1, s2 = vectors
    w, b, width, index = piece[OFFSET], piece[OFFSET_B], piece[WIDTH], piece[LAYER]
    call(layers.codes[-1], (theta[w:], gradient, s1[w:], s2[w:], piece[ROWS] * width, h, rate, step))
    if b >= 0:
        call(layers.codes[-1], (theta[b:], bias, s1[b:], s2[b:], width, h, rate, step))
    if index:
        sizes = (piece[FIRST], piece[ROWS], width, layers.table[index, INPUTS], piece[LEFT], layers.table[index, OUTPUTS])
        call(team.products[TRANSPOSE_PART], (strips.transposed[strips.offsets[index] :], theta[w:], *sizes))


@driver
def train_share(member, team, data, vectors, report, layers, strips, own, rule, batches):
    """One member's share of these batches of the rows (see groups.py).

    All members call it at once, the counters being 0 before; it ends early where one of them has failed. `own` (see packing.py)
    is the member's scratch. The gradient is kept in its vector where a piece has to wait for its update: until |∇| is known
    that is clipped, or all rows of the batch have been at hand.
    """
    counters, members, theta, gradient = team.counters, team.members, vectors.theta, vectors.gradient
    pieces, most, n_pieces = strips.pieces, strips.most, strips.pieces.shape[0]
    order, first, count, rate, step = batches
    strip, phase, many_rows = strip_of(theta), 0, data.X.shape[0]
    for batch in range(first, first + count):
        begin, size = batch * rule.batch_size, min(rule.batch_size, many_rows - batch * rule.batch_size)
        waits = rule.clip != math.inf or size > most
        step += 1
        for span in range(0, size, most):
            rows = min(most, size - span)
            some = _rows_of_a_piece(rows, members)
            open_phase(counters, phase, member, members)
            parts = (rows + some - 1) // some
            n, helped = take(counters, phase, member, members, parts, 0)
            while n >= 0:
                start, many = n * some, min(some, rows - n * some)
                chosen, offset = order[begin + span + start :][:many], strips.space[layers.table[0, A_IN] :]
                _gather(data.X, chosen, offset, start, strips.height)
                _forward(team, theta, layers, strips, start, many)
                _losses(data, report, layers, strips, order, begin + span, start, many, size, own)
                _backward(team, layers, strips, start, many)
                n, helped = take(counters, phase, member, members, parts, helped)
            phase = meet(counters, phase, members, team.give_way)
            if phase < 0:
                return

            open_phase(counters, phase, member, members)
            n, helped = take(counters, phase, member, members, n_pieces, 0)
            while n >= 0:
                piece, layer = pieces[n], layers.table[pieces[n, LAYER]]
                g, g_b = (gradient[piece[OFFSET] :], gradient[piece[OFFSET_B] :]) if waits else (own, own[PIECE * strip :])
                following = pieces[min(n + 1, n_pieces - 1)]
                ahead = following[LEFT] if following[LAYER] == piece[LAYER] else piece[LEFT]
                _slope(team, theta, layer, piece, ahead, strips, rows, g, g_b, own[(PIECE + 1) * strip :], span > 0)
                if span + rows == size:
                    if rule.l1 or rule.l2:
                        penalize(theta[piece[OFFSET] :], g, 0, piece[ROWS] * piece[WIDTH], rule.l1, rule.l2)
                    _squares(piece, layer[OUTPUTS], g, g_b, strips.squares)
                    if rule.clip == math.inf:
                        _apply(team, vectors, g, g_b, layers, strips, piece, rule.h, rate, step)
                n, helped = take(counters, phase, member, members, n_pieces, helped)
            phase = meet(counters, phase, members, team.give_way)
            if phase < 0:
                return

        norm = _length(strips.squares, own[:SUMS])
        if rule.clip != math.inf:
            factor = min(to(norm, 1.0), to(norm, rule.clip) / norm)
            open_phase(counters, phase, member, members)
            n, helped = take(counters, phase, member, members, n_pieces, 0)
            while n >= 0:
                piece = pieces[n]
                g, g_b = gradient[piece[OFFSET] :], gradient[piece[OFFSET_B] :]
                _shorten(g[: piece[ROWS] * piece[WIDTH]], factor)
                _shorten(g_b[: piece[WIDTH] if piece[OFFSET_B] >= 0 else 0], factor)
                _apply(team, vectors, g, g_b, layers, strips, piece, rule.h, rate, step)
                n, helped = take(counters, phase, member, members, n_pieces, helped)
            phase = meet(counters, phase, members, team.give_way)
            if phase < 0:
                return
        if member == 0:
            report.norms[batch] = norm
