# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""The kernels of pooling, LANES rows of the batch side by side. Only what lies in the image counts: nothing is padded."""

from engine.fast.convolution import BACKWARD, FORWARD
from engine.fast.jit import Kernel, part, to
from engine.fast.layer_columns import (
    CHANNELS,
    DOWN,
    HEIGHT,
    INPUTS,
    KERNEL_HEIGHT,
    KERNEL_WIDTH,
    LEFT,
    OUT_HEIGHT,
    OUT_WIDTH,
    OUTPUTS,
    RIGHT,
    TOP,
    WIDTH,
)  # fmt: skip
from engine.fast.microkernel import LANES


@part
def _window(position, step, before, kernel, size):
    """From where to where the window's position reaches within an image."""
    start = position * step - before
    return max(start, 0), min(start + kernel, size)


def average_forward(row, W, b, x, kept, z, a, p, blocks):
    n = row[CHANNELS] * LANES
    for block in range(blocks):
        image, out = block * row[INPUTS] * LANES, block * row[OUTPUTS] * LANES
        for y in range(row[OUT_HEIGHT]):
            top, bottom = _window(y, row[DOWN], row[TOP], row[KERNEL_HEIGHT], row[HEIGHT])
            for column in range(row[OUT_WIDTH]):
                left, right = _window(column, row[RIGHT], row[LEFT], row[KERNEL_WIDTH], row[WIDTH])
                o = out + (y * row[OUT_WIDTH] + column) * n
                share = to(x[0], 1.0) / to(x[0], (bottom - top) * (right - left))
                for i in range(n):
                    a[o + i] = to(x[0], 0.0)
                for k in range(top, bottom):
                    for j in range(left, right):
                        offset = image + (k * row[WIDTH] + j) * n
                        for i in range(n):
                            a[o + i] += x[offset + i]
                for i in range(n):
                    a[o + i] *= share


def average_backward(row, W, x, kept, a, d, e, gradient, own, p, blocks):
    n = row[CHANNELS] * LANES
    for i in range(blocks * row[INPUTS] * LANES):
        e[i] = to(e[0], 0.0)
    for block in range(blocks):
        image, out = block * row[INPUTS] * LANES, block * row[OUTPUTS] * LANES
        for y in range(row[OUT_HEIGHT]):
            top, bottom = _window(y, row[DOWN], row[TOP], row[KERNEL_HEIGHT], row[HEIGHT])
            for column in range(row[OUT_WIDTH]):
                left, right = _window(column, row[RIGHT], row[LEFT], row[KERNEL_WIDTH], row[WIDTH])
                o = out + (y * row[OUT_WIDTH] + column) * n
                share = to(d[0], 1.0) / to(d[0], (bottom - top) * (right - left))
                for k in range(top, bottom):
                    for j in range(left, right):
                        offset = image + (k * row[WIDTH] + j) * n
                        for i in range(n):
                            e[offset + i] += d[o + i] * share


def largest_forward(row, W, b, x, kept, z, a, p, blocks):
    n = row[CHANNELS] * LANES
    for block in range(blocks):
        image, out = block * row[INPUTS] * LANES, block * row[OUTPUTS] * LANES
        for y in range(row[OUT_HEIGHT]):
            top, bottom = _window(y, row[DOWN], row[TOP], row[KERNEL_HEIGHT], row[HEIGHT])
            for column in range(row[OUT_WIDTH]):
                left, right = _window(column, row[RIGHT], row[LEFT], row[KERNEL_WIDTH], row[WIDTH])
                o, first = out + (y * row[OUT_WIDTH] + column) * n, image + (top * row[WIDTH] + left) * n
                for i in range(n):
                    a[o + i] = x[first + i]
                for k in range(top, bottom):
                    for j in range(left, right):
                        offset = image + (k * row[WIDTH] + j) * n
                        for i in range(n):  # written so that NaN stays NaN
                            a[o + i] = a[o + i] if x[offset + i] <= a[o + i] else x[offset + i]


def largest_backward(row, W, x, kept, a, d, e, gradient, own, p, blocks):
    n = row[CHANNELS] * LANES
    for i in range(blocks * row[INPUTS] * LANES):
        e[i] = to(e[0], 0.0)
    for block in range(blocks):
        image, out = block * row[INPUTS] * LANES, block * row[OUTPUTS] * LANES
        for y in range(row[OUT_HEIGHT]):
            top, bottom = _window(y, row[DOWN], row[TOP], row[KERNEL_HEIGHT], row[HEIGHT])
            for column in range(row[OUT_WIDTH]):
                left, right = _window(column, row[RIGHT], row[LEFT], row[KERNEL_WIDTH], row[WIDTH])
                o = out + (y * row[OUT_WIDTH] + column) * n
                for i in range(n):
                    own[i] = d[o + i]
                for k in range(top, bottom):
                    for j in range(left, right):
                        offset = image + (k * row[WIDTH] + j) * n
                        for i in range(n):  # the first of equal ones takes all
                            share = own[i] if x[offset + i] == a[o + i] else to(own[i], 0.0)
                            e[offset + i] += share
                            own[i] -= share


AVERAGE = (Kernel(average_forward, FORWARD), Kernel(average_backward, BACKWARD))
LARGEST = (Kernel(largest_forward, FORWARD), Kernel(largest_backward, BACKWARD))
