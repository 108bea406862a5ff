"""All randomness is a function of a seed, a purpose and an index: nothing is drawn from a running stream.

So a run that is taken up again at epoch 57 shuffles that epoch as the undisturbed run would have, and no generator
state has to be stored. Drawn on the host, whatever the device.
"""

from typing import Final

import numpy as np

PURPOSES: Final = {
    "split": 0,
    "initialization": 1,
    "shuffle": 2,
    "dropout": 3,
    "augmentation": 4,
    "silhouette": 5,
    "permutation": 6,
    "rows": 7,
    "slice": 8,
}


def generator(seed: int, purpose: str, *index: int) -> np.random.Generator:
    """A generator of its own for (seed, purpose, index): Philox, a counter-based generator (Salmon et al. 2011)."""
    sequence = np.random.SeedSequence(seed, spawn_key=(PURPOSES[purpose], *index))
    return np.random.Generator(np.random.Philox(sequence))


class Shuffles:
    """The order of the rows in each epoch, from the seed and the epoch's number alone.

    Orders of few rows are drawn for a block of epochs at once: to set up a generator costs more than to draw one.
    """

    BLOCK: Final = 4096

    def __init__(self, seed: int, rows: int) -> None:
        self.seed, self.rows = seed, rows
        self.epochs = max(1, self.BLOCK // max(1, rows))
        self.drawn = -1

    def order(self, epoch: int) -> np.ndarray:
        """The rows 0 … n − 1 (n,) as that epoch takes them."""
        block, offset = divmod(epoch, self.epochs)
        if block != self.drawn:
            rows = np.tile(np.arange(self.rows), (self.epochs, 1))
            self.orders = generator(self.seed, "shuffle", block).permuted(rows, axis=1)
            self.drawn = block
        return self.orders[offset]
