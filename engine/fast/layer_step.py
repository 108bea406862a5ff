# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""The step of a network with layers of any kind that has kernels, shared out among a team of threads (see barrier.py).

A step has two phases. In the first a piece is some blocks of the batch, which go forward and back through all layers, each
by its kernels (see layer_columns.py); in the second it is a piece of θ: its gradient over the whole batch, and its update.
The pieces do not depend on the team, and their sums are added up in order: so the bits do not depend on it either.
"""

import math
from typing import NamedTuple

import numpy as np

from engine.fast.barrier import meet, open_phase, take
from engine.fast.block_kernels import (
    GATHER,
    JUDGE,
    MASK,
    PENALIZE,
    SHORTEN,
    SLOPE_OF_ROWS,
    SLOPE_OF_SUMS,
    TO_ROWS,
)  # fmt: skip
from engine.fast.jit import call, driver, part, to
from engine.fast.lane_tile import after
from engine.fast.layer_columns import (
    BACKWARD,
    BIASES,
    COLUMNS,
    D_ROWS,
    FORWARD,
    INPUTS,
    KEPT,
    KEPT_SIZE,
    NUMBER,
    OUTPUTS,
    PARAMETERS,
    SLOPE,
    SLOT,
    WEIGHTS,
    X_ROWS,
    A,
    X,
    Z,
)  # fmt: skip
from engine.fast.layer_columns import MASK as MASKED
from engine.fast.microkernel import LANES

LAYER, OFFSET, SIZE, PENALIZED, FIRST, COUNT = range(6)
PIECE_COLUMNS = 6
"""A piece of the second phase, in the table `pieces`: its layer; where in θ it stands, how many numbers it has, and how many
of these, the first ones, are weights. FIRST is where in a piece's sums it stands, or, of a layer that has none there, the
first of COUNT rows of its W.
"""


class Members(NamedTuple):
    """Who works: this member of so many, their counters (see barrier.py), and what gives the core to another thread."""

    member: int
    members: int
    counters: np.ndarray
    give_way: int


class Rows(NamedTuple):
    """What is read: X (n, d), Y (n, k), weights (n,) or (0,), the order (m,) of the rows; masks (batch, units) or (0, 0)."""

    X: np.ndarray
    Y: np.ndarray
    weights: np.ndarray
    order: np.ndarray
    masks: np.ndarray


class Layers(NamedTuple):
    """The network: θ (p,), its table of layers, the activations' numbers, and the loss's kernel and number; zeros that stand
    for a bias where there is none; and the addresses of block_kernels.py.
    """

    theta: np.ndarray
    table: np.ndarray
    numbers: np.ndarray
    loss: int
    loss_number: float
    zeros: np.ndarray
    blocks: np.ndarray


class Room(NamedTuple):
    """What is written: the layers' arrays of `height` rows, X and ∂J/∂Z row by row where a layer needs them so, the gradients
    that pieces have added up (pieces, size), and a member's own scratch, cut into room for a block's loss, for what kernels
    lay down, twice for ∂J/∂A, and for a piece of the second phase. `piece` is the rows of a piece of the first.
    """

    space: np.ndarray
    by_row: np.ndarray
    sums: np.ndarray
    loss: np.ndarray
    scratch: np.ndarray
    slopes: np.ndarray
    others: np.ndarray
    gradient: np.ndarray
    tile: np.ndarray
    height: int
    piece: int


class Update(NamedTuple):
    """The optimiser: its kernel, the gradient (p,), two vectors, its numbers; penalties, bound on the norm, rate; the table of
    pieces, and what each adds to |∇|².
    """

    code: int
    gradient: np.ndarray
    s1: np.ndarray
    s2: np.ndarray
    h: np.ndarray
    l1: float
    l2: float
    clip: float
    rate: float
    pieces: np.ndarray
    squares: np.ndarray


@part
def _forward(net, rows, room, start, blocks, count, begin, span):
    """X and A of the blocks from row `start` of the batch on, of which `count` rows are there; the first row at hand is row
    `span` of the batch and row `begin` of the order.
    """
    table, space, height = net.table, room.space, room.height
    d = table[0, INPUTS]
    for block in range(blocks):
        first = start + block * LANES
        into = after(space, table[0, X] * height + first * d)
        call(net.blocks[GATHER], (rows.X, d, after(rows.order, begin + first), min(LANES, start + count - first), into))
    for index in range(table.shape[0]):
        row = after(table, index * COLUMNS)
        x, a = after(space, row[X] * height + start * row[INPUTS]), after(space, row[A] * height + start * row[OUTPUTS])
        z = after(space, row[Z] * height + start * row[OUTPUTS]) if row[Z] >= 0 else after(room.scratch, 0)
        kept = after(space, row[KEPT] * height + start * row[KEPT_SIZE])
        if row[MASKED] >= 0:
            line, there = rows.masks.shape[1], min(count, max(0, rows.masks.shape[0] - span - start))
            masks = after(rows.masks, (span + start) * line + row[MASKED])
            call(net.blocks[MASK], (masks, line, there, row[OUTPUTS], kept, blocks))
        if row[X_ROWS] >= 0:
            offset = row[X_ROWS] * height + start * row[INPUTS]
            call(net.blocks[TO_ROWS], (x, row[INPUTS], after(room.by_row, offset), row[INPUTS], blocks))
        b = after(net.theta, row[PARAMETERS] + row[WEIGHTS]) if row[BIASES] else after(net.zeros, 0)
        call(row[FORWARD], (row, after(net.theta, row[PARAMETERS]), b, x, kept, z, a, after(net.numbers, row[NUMBER]), blocks))


@part
def _judge(net, rows, room, results, start, blocks, count, begin, batch):
    """The losses and raw outputs of the blocks, and ∂J/∂Z of the last layer."""
    last, k = after(net.table, (net.table.shape[0] - 1) * COLUMNS), rows.Y.shape[1]
    share = to(net.loss_number, 1.0 / batch)
    for block in range(blocks):
        first = start + block * LANES
        some, offset = min(LANES, start + count - first), begin + first
        z, d = after(room.space, last[A] * room.height + first * k), after(room.slopes, block * k * LANES)
        of_rows = (rows.Y, rows.weights, np.int64(rows.weights.size > 0), k, after(rows.order, offset), some, share)
        results_of_rows = (after(results.losses, offset), after(results.outputs, offset * k))
        call(net.blocks[JUDGE], (net.loss, net.loss_number, z, *of_rows, d, room.loss, *results_of_rows))


@part
def _backward(net, room, sums, start, blocks):
    """The gradients that a piece adds up, and ∂J/∂Z of the layers that need all rows for theirs."""
    table, space, height = net.table, room.space, room.height
    d, e = after(room.slopes, 0), after(room.others, 0)
    for index in range(table.shape[0] - 1, -1, -1):
        row = after(table, index * COLUMNS)
        x, a = after(space, row[X] * height + start * row[INPUTS]), after(space, row[A] * height + start * row[OUTPUTS])
        kept = after(space, row[KEPT] * height + start * row[KEPT_SIZE])
        if row[SLOPE]:
            z = after(space, row[Z] * height + start * row[OUTPUTS]) if row[Z] >= 0 else a
            call(row[SLOPE], (z, a, d, blocks * LANES * row[OUTPUTS], net.numbers[row[NUMBER]]))
        if row[D_ROWS] >= 0:
            line = (row[OUTPUTS] + LANES - 1) // LANES * LANES
            offset = row[D_ROWS] * height + start * line
            call(net.blocks[TO_ROWS], (d, row[OUTPUTS], after(room.by_row, offset), line, blocks))
        W, p, slot = after(net.theta, row[PARAMETERS]), after(net.numbers, row[NUMBER]), after(sums, max(row[SLOT], 0))
        call(row[BACKWARD], (row, W, x, kept, a, d, e, slot, room.scratch, p, blocks))
        d, e = e, d


@part
def _slope(net, room, piece, g, terms, parts, more):
    """∇ of a piece of θ from the rows at hand; of a layer that adds up, from the sums of all."""
    row = after(net.table, piece[LAYER] * COLUMNS)
    if row[SLOT] >= 0:
        call(net.blocks[SLOPE_OF_SUMS], (after(room.sums, piece[FIRST]), room.sums.shape[1], parts, piece[SIZE], g))
    else:
        line = (row[OUTPUTS] + LANES - 1) // LANES * LANES
        xs, ds = after(room.by_row, row[X_ROWS] * room.height), after(room.by_row, row[D_ROWS] * room.height)
        sizes = (row[OUTPUTS], piece[FIRST], piece[COUNT], terms, piece[SIZE] - piece[PENALIZED], np.int64(more))
        call(net.blocks[SLOPE_OF_ROWS], (xs, row[INPUTS], ds, line, *sizes, g, room.tile))


@part
def _apply(net, update, piece, g, step):
    offset = piece[OFFSET]
    arrays = (after(net.theta, offset), g, after(update.s1, offset), after(update.s2, offset))
    call(update.code, (*arrays, piece[SIZE], update.h, update.rate, step))


@driver
def train_layers(team, rows, net, room, results, update, batch_size, first, count, step):
    """One member's share of `count` batches from `first` on; `step` is the number of steps before. Without pieces of θ the
    rows are only judged, and nothing learns.

    All members call it at once, the counters being 0 before; it ends early where one of them has failed.
    """
    phase, pieces = 0, update.pieces
    learns = pieces.shape[0] > 0
    for batch in range(first, first + count):
        begin, size = batch * batch_size, min(batch_size, rows.order.size - batch * batch_size)
        waits = update.clip != math.inf or size > room.height
        step += 1
        used = 0
        for span in range(0, size, room.height):
            many = min(room.height, size - span)
            parts = (many + room.piece - 1) // room.piece
            used = max(used, parts)
            open_phase(team.counters, phase, team.member, team.members)
            n, helped = take(team.counters, phase, team.member, team.members, parts, 0)
            while n >= 0:
                start = n * room.piece
                some = min(room.piece, many - start)
                blocks = (some + LANES - 1) // LANES
                _forward(net, rows, room, start, blocks, some, begin + span, span)
                _judge(net, rows, room, results, start, blocks, some, begin + span, size)
                if learns:
                    if span == 0:
                        room.sums[n] = 0
                    _backward(net, room, after(room.sums, n * room.sums.shape[1]), start, blocks)
                n, helped = take(team.counters, phase, team.member, team.members, parts, helped)
            phase = meet(team.counters, phase, team.members, team.give_way)
            if phase < 0:
                return

            # Once, where all rows are at hand and nothing waits for |∇|; else the gradient is worked out first.
            for turn in range(2 if learns else 0):
                last = span + many == size
                if turn == 1 and (not last or update.clip == math.inf):
                    break
                norm = to(net.theta[0], 0.0)
                for n in range(pieces.shape[0] if turn == 1 else 0):
                    norm += update.squares[n]
                open_phase(team.counters, phase, team.member, team.members)
                n, helped = take(team.counters, phase, team.member, team.members, pieces.shape[0], 0)
                while n >= 0:
                    piece = after(pieces, n * PIECE_COLUMNS)
                    g = after(update.gradient, piece[OFFSET]) if waits else after(room.gradient, 0)
                    if turn == 0 and (last or net.table[piece[LAYER], SLOT] < 0):
                        _slope(net, room, piece, g, many, used, span > 0)
                    if turn == 0 and last:
                        penalties = (piece[PENALIZED], update.l1, update.l2, after(update.squares, n))
                        call(net.blocks[PENALIZE], (after(net.theta, piece[OFFSET]), g, piece[SIZE], *penalties))
                    if turn == 1:
                        length = math.sqrt(norm)
                        factor = min(to(norm, 1.0), to(norm, update.clip) / length)
                        call(net.blocks[SHORTEN], (g, piece[SIZE], factor))
                    if turn == 1 or (last and update.clip == math.inf):
                        _apply(net, update, piece, g, step)
                    n, helped = take(team.counters, phase, team.member, team.members, pieces.shape[0], helped)
                phase = meet(team.counters, phase, team.members, team.give_way)
                if phase < 0:
                    return

        if learns and team.member == 0:
            norm = to(net.theta[0], 0.0)
            for n in range(pieces.shape[0]):
                norm += update.squares[n]
            results.norms[batch] = math.sqrt(norm)
