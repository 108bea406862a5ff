"""The fast path of k-means: pieces of rows that a team of threads reads.

Which piece a row belongs to does not depend on the number of threads, and pieces are added up in their order: so neither do
the bits.
"""

from collections.abc import Callable

import numpy as np

from engine.fast import threads
from engine.fast.nearest import SIDE_BY_SIDE, approach_piece, label_piece, read_piece
from engine.models.lloyd import Rows, Totals, pieces_at_once


class FastRows(Rows):
    """The rows to be clustered, whose pieces a team of threads reads."""

    def __init__(self, X: np.ndarray, centroids: int) -> None:
        super().__init__(np.ascontiguousarray(X, np.float64), centroids)
        self.team = threads.Team(min(threads.count(), len(self.pieces)))
        self.stride = pieces_at_once(self.team.size, centroids * X.shape[1])
        scratch = (X.shape[1] * SIDE_BY_SIDE, SIDE_BY_SIDE, SIDE_BY_SIDE)
        self.scratch = [tuple(np.empty(size) for size in scratch) for _ in range(self.team.size)]
        self.waiting: list[Totals] = []

    def _share(self, work: Callable[[int, int], None], count: int) -> None:
        """Have the team do work(member, index) for each index below `count`, whoever is free."""
        left = iter(range(count))

        def do(member: int) -> None:
            for index in left:
                work(member, index)

        self.team(do)

    def add(self, centroids: np.ndarray, first: int, count: int, totals: Totals) -> None:
        runs, k, d = centroids.shape
        C = np.ascontiguousarray(centroids).reshape(-1)
        if len(self.waiting) < count or self.waiting[0].sums.shape != (runs * k, d):
            self.waiting = [Totals(np.empty((runs * k, d)), np.empty(runs * k, np.int64), np.empty(runs)) for _ in range(count)]

        def read(member: int, index: int) -> None:
            start, end = self.pieces[first + index]
            found = self.waiting[index]
            read_piece(self.X, start, end, C, k, found.sums, found.counts, found.inertias, *self.scratch[member])

        self._share(read, count)
        for found in self.waiting[:count]:
            totals.sums += found.sums.reshape(totals.sums.shape)
            totals.counts += found.counts.reshape(totals.counts.shape)
            totals.inertias += found.inertias

    def label(self, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        labels, squares = np.empty(len(self.X), np.int64), np.empty(len(self.X))
        C = np.ascontiguousarray(centroids).reshape(-1)

        def read(member: int, index: int) -> None:
            start, end = self.pieces[index]
            label_piece(self.X, start, end, C, len(centroids), labels, squares, *self.scratch[member])

        self._share(read, len(self.pieces))
        return labels, squares

    def approach(self, centroid: np.ndarray, squares: np.ndarray) -> np.ndarray:
        sums, centroid = np.empty(len(self.pieces)), centroid.copy()

        def read(_: int, index: int) -> None:
            start, end = self.pieces[index]
            sums[index] = approach_piece(self.X, start, end, centroid, squares)

        self._share(read, len(self.pieces))
        return sums


def compile_readings() -> None:
    """Have the readings compiled, or loaded from the cache."""
    rows = FastRows(np.zeros((1, 1)), 1)
    rows.add(np.zeros((1, 1, 1)), 0, 1, Totals.zeros(1, 1, 1))
    rows.label(np.zeros((1, 1)))
    rows.approach(np.zeros(1), np.zeros(1))
