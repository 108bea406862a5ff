"""All randomness is a function of a seed, a purpose and an index: nothing is drawn from a running stream.

So a run that is taken up again at epoch 57 shuffles that epoch as the undisturbed run would have, and no generator
state has to be stored. Drawn on the host, whatever the device.
"""

from typing import Final

import numpy as np

PURPOSES: Final = {"split": 0, "initialization": 1, "shuffle": 2, "dropout": 3}


def generator(seed: int, purpose: str, *index: int) -> np.random.Generator:
    """A generator of its own for (seed, purpose, index): Philox, a counter-based generator (Salmon et al. 2011)."""
    sequence = np.random.SeedSequence(seed, spawn_key=(PURPOSES[purpose], *index))
    return np.random.Generator(np.random.Philox(sequence))
