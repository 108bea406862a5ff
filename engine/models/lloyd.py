"""Lloyd's algorithm by its definition: each row goes to the nearest centroid, each centroid to the mean of its rows.

Lloyd, Least Squares Quantization in PCM (1982). Rows are read in pieces, whose sums are added up in their order: whoever reads
them, and wherever a reading is interrupted, the totals have the same bits.
"""

from collections.abc import Generator, Mapping
from dataclasses import dataclass

import numpy as np

PIECE_ROWS = 8192
PIECE_PRODUCTS = 1 << 26
"""Rows of a piece, or fewer, so that so many differences of a feature are squared for it."""
PIECES_A_THREAD = 8
"""Pieces that a thread reads, on the average, before all of them are added up and the caller may stop."""
WAITING_VALUES = 1 << 22
"""Values of pieces' sums that wait to be added up, unless one piece a thread has more."""
LEAST_ROWS = 256
"""Rows that a piece has all the same."""


def piece_rows(values: int) -> int:
    """Rows of a piece, where all centroids have so many values."""
    return max(LEAST_ROWS, min(PIECE_ROWS, PIECE_PRODUCTS // max(1, values)))


def pieces_at_once(threads: int, values: int) -> int:
    """Pieces that so many threads read before they are added up, with so many values in the sums of each."""
    return max(threads, min(PIECES_A_THREAD * threads, WAITING_VALUES // max(1, values)))


def waiting_values(rows: int, threads: int, values: int) -> int:
    """Values of the sums that wait at once."""
    pieces = -(-rows // piece_rows(values))
    return min(pieces, pieces_at_once(min(threads, pieces), values)) * values


@dataclass
class Totals:
    """The sums over the rows read so far, for each of m runs with k centroids."""

    sums: np.ndarray
    """Each centroid's rows summed up (m, k, d)."""
    counts: np.ndarray
    """How many they are (m, k)."""
    inertias: np.ndarray
    """Each run's sum of squared distances (m,)."""

    @classmethod
    def zeros(cls, runs: int, clusters: int, inputs: int) -> "Totals":
        sums, counts = np.zeros((runs, clusters, inputs)), np.zeros((runs, clusters), np.int64)
        return cls(sums, counts, np.zeros(runs))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Totals":
        return cls(arrays["sums"], arrays["counts"], arrays["inertias"])

    def arrays(self) -> dict[str, np.ndarray]:
        """The arrays by name."""
        return {"sums": self.sums, "counts": self.counts, "inertias": self.inertias}


class Rows:
    """The rows X (n, d) to be clustered, in pieces."""

    stride = 1
    """Pieces to ask for at once."""

    def __init__(self, X: np.ndarray, centroids: int) -> None:
        """`centroids`: how many there are of all runs together."""
        self.X = X
        size = piece_rows(centroids * X.shape[1])
        self.pieces = [(start, min(start + size, len(X))) for start in range(0, len(X), size)]

    def add(self, centroids: np.ndarray, first: int, count: int, totals: Totals) -> None:
        """Add the rows of `count` pieces, from `first` on, to the totals for centroids (m, k, d)."""
        for start, end in self.pieces[first : first + count]:
            X = self.X[start:end]
            for run, group in enumerate(centroids):
                labels, squares = nearest(X, group)
                for cluster in range(len(group)):
                    totals.sums[run, cluster] += X[labels == cluster].sum(axis=0)
                totals.counts[run] += np.bincount(labels, minlength=len(group))
                totals.inertias[run] += squares.sum()

    def label(self, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The nearest of centroids (k, d) to each row (n,), and the squared distance to it (n,)."""
        found = [nearest(self.X[start:end], centroids) for start, end in self.pieces]
        return np.concatenate([labels for labels, _ in found]), np.concatenate([squares for _, squares in found])

    def approach(self, centroid: np.ndarray, squares: np.ndarray) -> np.ndarray:
        """Lower `squares` (n,) to the rows' squared distances to the centroid (d,) where these are less; the sums by piece."""
        sums = np.empty(len(self.pieces))
        for piece, (start, end) in enumerate(self.pieces):
            part = squares[start:end]
            np.minimum(part, squared_distances(self.X[start:end], centroid), out=part)
            sums[piece] = part.sum()
        return sums


def squared_distances(X: np.ndarray, centroid: np.ndarray) -> np.ndarray:
    """‖x − c‖² (n,) of rows X (n, d), from differences: ‖x‖² − 2xᵀc + ‖c‖² loses the digits of rows near the centroid."""
    difference = X - centroid
    return np.asarray(np.einsum("ij,ij->i", difference, difference))


def nearest(X: np.ndarray, centroids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest of centroids (k, d) to each row of X (n,), the first of equally near ones, and its squared distance (n,)."""
    labels, least = np.zeros(len(X), np.int64), np.full(len(X), np.inf)
    for cluster, centroid in enumerate(centroids):
        squares = squared_distances(X, centroid)
        nearer = squares < least
        labels[nearer], least[nearer] = cluster, squares[nearer]
    return labels, least


def moved(rows: Rows, centroids: np.ndarray, sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The new centroids (k, d): the means of their rows, given the rows' sums (k, d) and counts (k,).

    An empty cluster takes the row that lies farthest from its centroid, of those in clusters of two rows or more, the first
    of equally far ones. Where every such row lies on its centroid, as where the table has fewer different rows than there are
    clusters, it stays where it is.
    """
    empty = np.flatnonzero(counts == 0).tolist()
    if empty:
        sums, counts = sums.copy(), counts.copy()
        labels, squares = rows.label(centroids)
        rounding = np.square(counts * np.finfo(np.float64).eps) * np.square(centroids).sum(axis=1)
        for row in np.argsort(-squares, kind="stable"):
            if not empty or squares[row] <= rounding[labels[row]]:
                break
            if counts[labels[row]] > 1:
                taken = empty.pop(0)
                sums[labels[row]] -= rows.X[row]
                counts[labels[row]] -= 1
                sums[taken], counts[taken] = rows.X[row], 1
    return np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centroids)


Seeding = Generator[None, None, np.ndarray]
"""The rows (k,) to begin at; it stops in between, where the caller may, too."""


def plus_plus(rows: Rows, clusters: int, rng: np.random.Generator) -> Seeding:
    """k-means++: each next row is drawn in proportion to its squared distance to the nearest of those before it.

    Arthur and Vassilvitskii, k-means++: The Advantages of Careful Seeding (2007).
    """
    squares = np.full(len(rows.X), np.inf)
    chosen = [int(rng.integers(len(rows.X)))]
    while len(chosen) < clusters:
        sums = rows.approach(rows.X[chosen[-1]], squares)
        chosen.append(drawn(rows, squares, sums, rng.random()))
        yield
    return np.array(chosen)


def drawn(rows: Rows, squares: np.ndarray, sums: np.ndarray, share: float) -> int:
    """The row at which the running sum of `squares` (n,) passes that share of all; `sums` are those by piece.

    Any row where all of them are 0: every row is one of those drawn before.
    """
    ends = np.cumsum(sums)
    if not 0 < ends[-1] < np.inf:
        return int(share * len(squares))
    piece = min(int(np.searchsorted(ends, share * ends[-1], side="right")), len(ends) - 1)
    start, end = rows.pieces[piece]
    part = squares[start:end]
    left = share * ends[-1] - (ends[piece - 1] if piece else 0.0)
    within = int(np.searchsorted(np.cumsum(part), left, side="right"))
    last = int(np.flatnonzero(part)[-1]) if part.any() else len(part) - 1
    return start + min(within, last)


def at_random(rows: Rows, clusters: int, rng: np.random.Generator) -> Seeding:
    """Different rows, each as likely as any other."""
    yield
    return np.asarray(rng.choice(len(rows.X), clusters, replace=False))
