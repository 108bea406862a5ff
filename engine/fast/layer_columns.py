"""The columns of the table of layers that compiled code reads: one row a layer (see layer_table.py).

Each number of a layer stands for LANES rows of the batch side by side, a *block*; a layer's array holds block after block.
"""

FORWARD, BACKWARD, ACTIVATION, SLOPE, NUMBER = range(5)
"""Addresses of the layer's kernels, of its activation's and of that one's slope (0: none), and which of the activations'
numbers is its own.
"""
INPUTS, OUTPUTS, KEPT_SIZE = range(5, 8)
"""Numbers of a row that go in and out, and that the layer keeps for its way back."""
X, KEPT, Z, A = range(8, 12)
"""Where a layer's arrays begin, in numbers of one row; Z is −1 where the slope does not need it."""
PARAMETERS, WEIGHTS, BIASES = range(12, 15)
"""Where its W stands in θ, and how many numbers W and, right behind it, b have."""
SLOT = 15
"""Where its gradient stands in a piece's sums; −1: it is worked out of all rows of the batch at once."""
X_ROWS, D_ROWS = 16, 17
"""Where X and ∂J/∂Z stand row by row, for that, in numbers of one row."""
WANTED = 18
"""Whether ∂J/∂X is."""
MASK = 19
"""Where the layer's dropout mask stands in a row of masks; −1: none."""
OWN = 20
"""The kind's own numbers begin here."""
HEIGHT, WIDTH, CHANNELS, OUT_HEIGHT, OUT_WIDTH, FILTERS, KERNEL_HEIGHT, KERNEL_WIDTH = range(OWN, OWN + 8)
DOWN, RIGHT, DILATED_DOWN, DILATED_RIGHT = range(OWN + 8, OWN + 12)
TOP, LEFT, PADDED_HEIGHT, PADDED_WIDTH, GROUPS = range(OWN + 12, OWN + 17)
"""Of a layer with a window: its image, output and kernel, how far the window moves and is spread, what stands around the
image.
"""
CONNECTIONS = OWN + 17
"""Of a convolution whose filters read some channels each: how many pairs of a channel and a filter there are; else 0."""
COLUMNS = OWN + 18
