"""The fast path of the perceptron."""

import numpy as np

from engine.backend import Array
from engine.fast import fused_step


class FastWalk:
    """The perceptron's walk (see perceptron.py) in one call. Correcting w, it scores every row: the next is then known."""

    def __init__(self, rows: Array, positive: Array) -> None:
        self.columns, self.positive = np.ascontiguousarray(rows.T), np.ascontiguousarray(positive)
        self.scores = np.empty(len(rows), rows.dtype)

    def mistakes(self, w: Array) -> int:
        return int(fused_step.mistakes(self.columns, self.positive, w, self.scores))

    def __call__(self, order: Array, start: int, most: int, w: Array, pocket: Array, fewest: int) -> tuple[int, int, int]:
        arrays = (w, pocket, self.scores)
        return fused_step.correct_mistakes(self.columns, self.positive, order, start, most, *arrays, fewest)
