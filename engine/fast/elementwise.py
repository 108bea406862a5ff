# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""The kernels of layers that take each number by itself: an activation, and dropout by a mask that is kept."""

from engine.fast.convolution import BACKWARD, FORWARD
from engine.fast.jit import Kernel, call
from engine.fast.layer_columns import ACTIVATION, OUTPUTS
from engine.fast.microkernel import LANES


def bent_forward(row, W, b, x, kept, z, a, p, blocks):
    call(row[ACTIVATION], (x, a, blocks * row[OUTPUTS] * LANES, p[0]))


def bent_backward(row, W, x, kept, a, d, e, gradient, own, p, blocks):
    for i in range(blocks * row[OUTPUTS] * LANES):
        e[i] = d[i]


def masked_forward(row, W, b, x, kept, z, a, p, blocks):
    for i in range(blocks * row[OUTPUTS] * LANES):
        a[i] = x[i] * kept[i]


def masked_backward(row, W, x, kept, a, d, e, gradient, own, p, blocks):
    for i in range(blocks * row[OUTPUTS] * LANES):
        e[i] = d[i] * kept[i]


BENT = (Kernel(bent_forward, FORWARD), Kernel(bent_backward, BACKWARD))
MASKED = (Kernel(masked_forward, FORWARD), Kernel(masked_backward, BACKWARD))
