"""Groups of arguments that compiled functions take, by name. The paths build them, once for training and for warm-up alike.

Numba passes the arrays of a group one by one, so that LLVM knows them to be apart as it does those given singly.
"""

from typing import NamedTuple

import numpy as np

from engine.backend import Array


class Rows(NamedTuple):
    """Rows to train on or to evaluate: X (n, d), Y (n, k), and a weight a row (n,), or (0,) for all alike."""

    X: Array
    Y: Array
    weights: Array


class Report(NamedTuple):
    """Results of an epoch's rows, in its order: losses (n,), raw outputs (n, k), and the length of each batch's gradient."""

    losses: Array
    outputs: Array
    norms: Array


class Vectors(NamedTuple):
    """θ (p,), its gradient (p,) and the optimizer's vectors (p,), each (0,) where there is none."""

    theta: Array
    gradient: Array
    s1: Array
    s2: Array


class Layers(NamedTuple):
    """A network: a row a layer, with the columns that fused_step.py names; the addresses of each hidden layer's activation and
    gradient, of the loss and of the optimizer; and the numbers of the activations and the loss.
    """

    table: Array
    codes: Array
    parameters: Array


class Rule(NamedTuple):
    """How batches become steps: the optimizer's numbers h, rows of a batch, the penalties, and the most that |∇| may be."""

    h: Array
    batch_size: int
    l1: float
    l2: float
    clip: float


class Batches(NamedTuple):
    """The batches of one call: `many` from `first` on, of the rows in that `order` (n,), after `step` steps."""

    order: Array
    first: int
    many: int
    rate: float
    step: int


NO_BATCHES = Batches(np.empty(0, np.int64), 0, 0, 0.0, 0)


class Team(NamedTuple):
    """Shared by the members of a team: their counters (see barrier.py), how many they are, the address of the system's call
    that offers a core to others, and those of the kernels of products.
    """

    counters: Array
    members: int
    give_way: int
    products: Array


class Strips(NamedTuple):
    """A team's matrices (see packing.py): each layer's Wᵀ, its pieces, and the space of a batch, of which `most` rows
    are at hand at once, in strips of `height` rows; every Wᵀ but the first layer's; and the sums of the gradient's squares.
    """

    offsets: Array
    pieces: Array
    space: Array
    most: int
    height: int
    transposed: Array
    squares: Array
