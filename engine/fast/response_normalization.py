# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""The kernels of local response normalization, LANES rows of the batch side by side. Kept are the sums S."""

import math

from engine.fast.convolution import BACKWARD, FORWARD
from engine.fast.jit import Kernel, part, to
from engine.fast.layer_columns import CHANNELS, KERNEL_WIDTH, OUTPUTS
from engine.fast.microkernel import LANES

ALPHA, BETA, K = range(3)
"""The layer's numbers in their order."""


@part
def _power(s, beta):
    """s^−β; of the paper's β by roots alone, which vectors have."""
    if beta == to(beta, 0.75):
        root = math.sqrt(s)
        return to(s, 1.0) / (root * math.sqrt(root))
    return to(s, math.exp(-beta * math.log(s)))


def forward(row, W, b, x, kept, z, a, p, blocks):
    channels, reach = row[CHANNELS], row[KERNEL_WIDTH] // 2
    for pixel in range(blocks * row[OUTPUTS] // channels):
        start = pixel * channels
        for c in range(channels):
            o = (start + c) * LANES
            for i in range(LANES):
                kept[o + i] = to(p[0], 0.0)
            for other in range(max(0, c - reach), min(channels, c + reach + 1)):
                n = (start + other) * LANES
                for i in range(LANES):
                    kept[o + i] += x[n + i] * x[n + i]
            for i in range(LANES):
                kept[o + i] = p[K] + p[ALPHA] * kept[o + i]
        for i in range(start * LANES, (start + channels) * LANES):
            a[i] = x[i] * _power(kept[i], p[BETA])


def backward(row, W, x, kept, a, d, e, gradient, own, p, blocks):
    channels, reach = row[CHANNELS], row[KERNEL_WIDTH] // 2
    factor = to(p[0], -2.0) * p[ALPHA] * p[BETA]
    for pixel in range(blocks * row[OUTPUTS] // channels):
        start = pixel * channels
        for i in range(channels * LANES):
            n = start * LANES + i
            own[i] = d[n] * a[n] / kept[n]
        for c in range(channels):
            o = (start + c) * LANES
            for i in range(LANES):
                e[o + i] = to(p[0], 0.0)
            for other in range(max(0, c - reach), min(channels, c + reach + 1)):
                for i in range(LANES):
                    e[o + i] += own[other * LANES + i]
        for i in range(start * LANES, (start + channels) * LANES):
            e[i] = factor * x[i] * e[i] + d[i] * _power(kept[i], p[BETA])


KERNELS = (Kernel(forward, FORWARD), Kernel(backward, BACKWARD))
