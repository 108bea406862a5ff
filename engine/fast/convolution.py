# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""The kernels of convolutions: direct, LANES rows of the batch side by side, no patches laid out.

An image that is padded is copied once to where zeros surround it, and read there from then on.
"""

from engine.fast.jit import Kernel, call, part, to
from engine.fast.lane_tile import FROM_BIAS, FROM_OUT, FROM_ZERO, ROWS, after, correlate_lanes, weigh
from engine.fast.layer_columns import (
    ACTIVATION,
    BIASES,
    CHANNELS,
    CONNECTIONS,
    DILATED_DOWN,
    DILATED_RIGHT,
    DOWN,
    FILTERS,
    GROUPS,
    HEIGHT,
    INPUTS,
    KEPT_SIZE,
    KERNEL_HEIGHT,
    KERNEL_WIDTH,
    LEFT,
    OUT_HEIGHT,
    OUT_WIDTH,
    OUTPUTS,
    PADDED_HEIGHT,
    PADDED_WIDTH,
    RIGHT,
    TOP,
    WANTED,
    WEIGHTS,
    WIDTH,
    Z,
)  # fmt: skip
from engine.fast.microkernel import LANES

FORWARD = ("ints", "reals", "reals", "reals", "reals", "reals", "reals", "reals", "int")
"""A layer's way forward over so many blocks: its row of the table, θ from its W on, its b, X, what it keeps, Z, A, its
numbers, the blocks. Where it has no activation, Z is A.
"""
BACKWARD = ("ints", "reals", "reals", "reals", "reals", "reals", "reals", "reals", "reals", "reals", "int")
"""Its way back: its row, θ from its W on, X, what it has kept, A, ∂J/∂Z, ∂J/∂X, its gradient, to which is added, scratch, its
numbers, the blocks. What it does not need may be anything.
"""


def weighing(begin):
    """A part that takes as many of `count` sums of `weigh` as fit the registers, begun as that says. It returns how many."""

    @part
    def weigh_some(count, out, o, W, w, across, w_steps, X, x, x_steps, turns, bias, b):
        if count >= ROWS:
            weigh(ROWS, begin, out, o, W, w, across, w_steps, X, x, x_steps, turns, bias, b)
            return ROWS
        if count >= 4:
            weigh(4, begin, out, o, W, w, across, w_steps, X, x, x_steps, turns, bias, b)
            return 4
        if count >= 2:
            weigh(2, begin, out, o, W, w, across, w_steps, X, x, x_steps, turns, bias, b)
            return 2
        weigh(1, begin, out, o, W, w, across, w_steps, X, x, x_steps, turns, bias, b)
        return 1

    return weigh_some


weigh_plain, weigh_biased, weigh_more = map(weighing, (FROM_ZERO, FROM_BIAS, FROM_OUT))


@part
def _is_padded(row):
    return row[PADDED_WIDTH] != row[WIDTH] or row[PADDED_HEIGHT] != row[HEIGHT]


@part
def _spread(row, W, full, p):
    """Lay W (height, width, connections) down as (height, width, channels, filters), 0 where a filter does not read."""
    positions, count, size = row[KERNEL_HEIGHT] * row[KERNEL_WIDTH], row[CONNECTIONS], row[CHANNELS] * row[FILTERS]
    for i in range(positions * size):
        full[i] = to(full[0], 0.0)
    for n in range(count):
        pair = int(p[1 + 2 * n]) * row[FILTERS] + int(p[2 + 2 * n])
        for position in range(positions):
            full[position * size + pair] = W[position * count + n]


@part
def _collect(row, full, gradient, p):
    """Add the numbers of `full` at the connections to the gradient."""
    positions, count, size = row[KERNEL_HEIGHT] * row[KERNEL_WIDTH], row[CONNECTIONS], row[CHANNELS] * row[FILTERS]
    for n in range(count):
        pair = int(p[1 + 2 * n]) * row[FILTERS] + int(p[2 + 2 * n])
        for position in range(positions):
            gradient[position * count + n] += full[position * size + pair]


@part
def _pad(row, x, kept):
    """Copy a block of images to where zeros surround them."""
    line = row[WIDTH] * row[CHANNELS] * LANES
    for i in range(row[HEIGHT]):
        start = ((row[TOP] + i) * row[PADDED_WIDTH] + row[LEFT]) * row[CHANNELS] * LANES
        for j in range(line):
            kept[start + j] = x[i * line + j]


@part
def _reach(row):
    """Positions of a filter side by side that are read as one, such runs in a line of it, and numbers in a run."""
    reads = row[CHANNELS] // row[GROUPS]
    if row[DILATED_RIGHT] == 1 and row[GROUPS] == 1:
        return 1, row[KERNEL_WIDTH] * reads
    return row[KERNEL_WIDTH], reads


def forward(row, W, b, x, kept, z, a, p, blocks):
    channels, filters, groups = row[CHANNELS], row[FILTERS], row[GROUPS]
    positions, run = _reach(row)
    reads, gives = channels // groups, filters // groups
    turns = (row[KERNEL_HEIGHT], positions, run)
    w_steps = (row[KERNEL_WIDTH] * reads * filters, reads * filters, filters)
    line = row[PADDED_WIDTH] * channels * LANES
    x_steps = (row[DILATED_DOWN] * line, row[DILATED_RIGHT] * channels * LANES, LANES)
    wide = row[OUT_WIDTH] * filters * LANES
    if row[CONNECTIONS]:
        _spread(row, W, kept, p)
        W = after(kept, 0)
    for block in range(blocks):
        image = after(x, block * row[INPUTS] * LANES)
        if _is_padded(row):
            image = after(kept, block * row[KEPT_SIZE] * LANES)
            _pad(row, after(x, block * row[INPUTS] * LANES), image)
        for y in range(row[OUT_HEIGHT]):
            out = after(a, (block * row[OUTPUTS]) * LANES + y * wide)
            into = after(z, (block * row[OUTPUTS]) * LANES + y * wide) if row[Z] >= 0 else z
            for group in range(groups):
                f, end = group * gives, (group + 1) * gives
                while f < end:
                    done = 0
                    for column in range(row[OUT_WIDTH]):
                        offset = y * row[DOWN] * line + (column * row[RIGHT] * channels + group * reads) * LANES
                        o = (column * filters + f) * LANES
                        done = weigh_biased(end - f, into, o, W, f, 1, w_steps, image, offset, x_steps, turns, b, f)
                    f += done
            if row[ACTIVATION]:
                call(row[ACTIVATION], (into, out, wide, p[0]))


@part
def _first(position, step, dilated, kernel, out):
    """The positions of a filter that meet one of the padded image: the first, how many follow, and at what distance."""
    first, distance, count = -1, 1, 0
    for k in range(kernel):
        offset = position - k * dilated
        if offset >= 0 and offset % step == 0 and offset // step < out:
            if first < 0:
                first = k
            elif count == 1:
                distance = k - first
            count += 1
    return max(first, 0), distance, count


@part
def _back_to_inputs(row, W, d, e):
    """∂J/∂X of a block: every number gathers from the positions that have read it."""
    channels, filters, groups = row[CHANNELS], row[FILTERS], row[GROUPS]
    reads, gives = channels // groups, filters // groups
    for i in range(row[HEIGHT]):
        y = i + row[TOP]
        first_y, far_y, count_y = _first(y, row[DOWN], row[DILATED_DOWN], row[KERNEL_HEIGHT], row[OUT_HEIGHT])
        out_y = (y - first_y * row[DILATED_DOWN]) // row[DOWN]
        back_y = far_y * row[DILATED_DOWN] // row[DOWN]
        for group in range(groups):
            c, end = group * reads, (group + 1) * reads
            while c < end:
                done = 0
                for j in range(row[WIDTH]):
                    x = j + row[LEFT]
                    first_x, far_x, count_x = _first(x, row[RIGHT], row[DILATED_RIGHT], row[KERNEL_WIDTH], row[OUT_WIDTH])
                    out_x = (x - first_x * row[DILATED_RIGHT]) // row[RIGHT]
                    back_x = far_x * row[DILATED_RIGHT] // row[RIGHT]
                    w = ((first_y * row[KERNEL_WIDTH] + first_x) * reads + c - group * reads) * filters + group * gives
                    w_steps = (far_y * row[KERNEL_WIDTH] * reads * filters, far_x * reads * filters, 1)
                    offset = ((out_y * row[OUT_WIDTH] + out_x) * filters + group * gives) * LANES
                    d_steps = (-back_y * row[OUT_WIDTH] * filters * LANES, -back_x * filters * LANES, LANES)
                    o = ((i * row[WIDTH] + j) * channels + c) * LANES
                    turns = (count_y, count_x, gives)
                    done = weigh_plain(end - c, e, o, W, w, filters, w_steps, d, offset, d_steps, turns, W, 0)
                c += done


@part
def _side_by_side(count):
    """Rows of the gradient to work out at once, of so many that are left."""
    return 6 if count >= 6 else 5 if count == 5 else 3 if count >= 3 else 1


@part
def _correlate(rows, columns, g, o, filters, x, offset, x_steps, d, start, d_steps, turns):
    """`correlate_lanes` of as many rows as `_side_by_side` has said, and one column or two."""
    if columns == 2:
        if rows == 6:
            correlate_lanes(6, 2, g, o, filters, x, offset, x_steps, d, start, d_steps, turns)
        elif rows == 5:
            correlate_lanes(5, 2, g, o, filters, x, offset, x_steps, d, start, d_steps, turns)
        elif rows == 3:
            correlate_lanes(3, 2, g, o, filters, x, offset, x_steps, d, start, d_steps, turns)
        else:
            correlate_lanes(1, 2, g, o, filters, x, offset, x_steps, d, start, d_steps, turns)
    else:
        for r in range(rows):
            correlate_lanes(1, 1, g, o + r * filters, filters, x, offset + r * LANES, x_steps, d, start, d_steps, turns)


@part
def _back_to_weights(row, x, d, gradient):
    """Add ∂J/∂W of a block."""
    channels, filters, groups = row[CHANNELS], row[FILTERS], row[GROUPS]
    positions, run = _reach(row)
    reads, gives = channels // groups, filters // groups
    line = row[PADDED_WIDTH] * channels * LANES
    x_steps = (row[DOWN] * line, row[RIGHT] * channels * LANES)
    d_steps = (row[OUT_WIDTH] * filters * LANES, filters * LANES)
    turns = (row[OUT_HEIGHT], row[OUT_WIDTH])
    for group in range(groups):
        for i in range(row[KERNEL_HEIGHT]):
            for j in range(positions):
                k = 0
                while k < run:
                    rows, f, end = _side_by_side(run - k), group * gives, (group + 1) * gives
                    offset = i * row[DILATED_DOWN] * line + (j * row[DILATED_RIGHT] * channels + group * reads + k) * LANES
                    while f < end:
                        o = ((i * row[KERNEL_WIDTH] + j) * reads + k) * filters + f
                        columns = min(2, end - f)
                        _correlate(rows, columns, gradient, o, filters, x, offset, x_steps, d, f * LANES, d_steps, turns)
                        f += columns
                    k += rows


def backward(row, W, x, kept, a, d, e, gradient, own, p, blocks):
    for i in range(LANES):
        own[i] = to(own[i], 1.0)
    filters, into = row[FILTERS], gradient
    if row[CONNECTIONS]:
        size = row[KERNEL_HEIGHT] * row[KERNEL_WIDTH] * row[CHANNELS] * filters
        W, into = after(kept, 0), after(kept, size)
        for i in range(size):
            into[i] = to(own[0], 0.0)
    turns, d_steps = (row[OUT_HEIGHT] * row[OUT_WIDTH],), (filters * LANES,)
    for block in range(blocks):
        slopes = after(d, block * row[OUTPUTS] * LANES)
        image = after(kept, block * row[KEPT_SIZE] * LANES) if _is_padded(row) else after(x, block * row[INPUTS] * LANES)
        _back_to_weights(row, image, slopes, into)
        for f in range(row[BIASES]):
            correlate_lanes(1, 1, gradient, row[WEIGHTS] + f, 1, own, 0, (0,), slopes, f * LANES, d_steps, turns)
        if row[WANTED]:
            _back_to_inputs(row, W, slopes, after(e, block * row[INPUTS] * LANES))
    if row[CONNECTIONS]:
        _collect(row, into, gradient, p)


KERNELS = (Kernel(forward, FORWARD), Kernel(backward, BACKWARD))
