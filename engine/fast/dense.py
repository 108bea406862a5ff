# mypy: ignore-errors
# (Numba compiles this file and checks its types itself.)
"""The kernels of dense layers within a network that has others: LANES rows of the batch side by side.

∂J/∂W is worked out of all rows of the batch at once (see layer_step.py).
"""

from engine.fast.convolution import BACKWARD, FORWARD, weigh_biased, weigh_more, weigh_plain
from engine.fast.jit import Kernel, call
from engine.fast.layer_columns import ACTIVATION, INPUTS, OUTPUTS, WANTED
from engine.fast.microkernel import LANES

TERMS = 512
"""Terms of a sum that are taken at once: so many lines of W are used again while they are in a near cache."""


def forward(row, W, b, x, kept, z, a, p, blocks):
    inputs, outputs = row[INPUTS], row[OUTPUTS]
    for start in range(0, inputs, TERMS):
        turns, f = (min(TERMS, inputs - start),), 0
        while f < outputs:
            done, w = 0, start * outputs + f
            for block in range(blocks):
                o, offset = (block * outputs + f) * LANES, (block * inputs + start) * LANES
                if start == 0:
                    done = weigh_biased(outputs - f, z, o, W, w, 1, (outputs,), x, offset, (LANES,), turns, b, f)
                else:
                    done = weigh_more(outputs - f, z, o, W, w, 1, (outputs,), x, offset, (LANES,), turns, W, 0)
            f += done
    if row[ACTIVATION]:
        call(row[ACTIVATION], (z, a, blocks * outputs * LANES, p[0]))


def backward(row, W, x, kept, a, d, e, gradient, own, p, blocks):
    inputs, outputs = row[INPUTS], row[OUTPUTS]
    k = 0
    while k < inputs and row[WANTED]:
        done = 0
        for block in range(blocks):
            o, offset = (block * inputs + k) * LANES, block * outputs * LANES
            done = weigh_plain(inputs - k, e, o, W, k * outputs, outputs, (1,), d, offset, (LANES,), (outputs,), W, 0)
        k += done


KERNELS = (Kernel(forward, FORWARD), Kernel(backward, BACKWARD))
