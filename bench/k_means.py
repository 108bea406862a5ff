"""k-means against scikit-learn's, from equal starts, in one process, in turns: 1,000,000 × 16, k = 32, on two threads."""

import platform
import statistics
import time
import warnings
from pathlib import Path

import numpy as np
from sklearn.cluster import KMeans as Theirs
from sklearn.cluster import kmeans_plusplus
from threadpoolctl import threadpool_limits

from engine.fast.k_means import FastRows, compile_readings
from engine.fast.threads import limit
from engine.models.lloyd import Totals, moved, plus_plus

ROWS, COLUMNS, CLUSTERS = 1_000_000, 16, 32
EPOCHS = 20
REPEATS = 5
THREADS = 2


def table() -> np.ndarray:
    """Rows around 32 centers that overlap, so that the centroids move for as long as they are looked at."""
    rng = np.random.default_rng(0)
    centers = rng.normal(0, 2, (CLUSTERS, COLUMNS))
    return centers[rng.integers(CLUSTERS, size=ROWS)] + rng.standard_normal((ROWS, COLUMNS)) * 2


def ours(X: np.ndarray, start: np.ndarray) -> tuple[float, float]:
    """Seconds of EPOCHS moves from the centroids `start` (k, d), and the inertia where they end."""
    started = time.perf_counter()
    rows, centroids = FastRows(X, CLUSTERS), start
    for _ in range(EPOCHS + 1):
        totals = Totals.zeros(1, *centroids.shape)
        for first in range(0, len(rows.pieces), rows.stride):
            rows.add(centroids[None], first, min(rows.stride, len(rows.pieces) - first), totals)
        centroids = moved(rows, centroids, totals.sums[0], totals.counts[0])
    return time.perf_counter() - started, float(totals.inertias[0])


def theirs(X: np.ndarray, start: np.ndarray) -> tuple[float, float]:
    started = time.perf_counter()
    with threadpool_limits(THREADS):
        model = Theirs(CLUSTERS, init=start, n_init=1, max_iter=EPOCHS, tol=0, copy_x=False, algorithm="lloyd").fit(X)
    return time.perf_counter() - started, float(model.inertia_)


def seeding(X: np.ndarray) -> tuple[float, float]:
    """Seconds of k-means++ here and there. scikit-learn tries 5 rows at each draw and keeps the best."""
    started = time.perf_counter()
    for _ in plus_plus(FastRows(X, CLUSTERS), CLUSTERS, np.random.default_rng(0)):
        pass
    here = time.perf_counter() - started
    started = time.perf_counter()
    with threadpool_limits(THREADS):
        kmeans_plusplus(X, CLUSTERS, random_state=0)
    return here, time.perf_counter() - started


def processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def main() -> None:
    warnings.simplefilter("ignore")
    limit(THREADS)
    compile_readings()
    X = table()
    start = X[np.random.default_rng(1).choice(ROWS, CLUSTERS, replace=False)]
    pairs = []
    for turn in range(REPEATS + 1):
        found = ours(X, start), theirs(X, start)
        pairs += [found] if turn else []
    print(f"k-means, {ROWS:,} × {COLUMNS}, k = {CLUSTERS}, float64, {EPOCHS} epochs from equal starts, {THREADS} threads")
    print(f"processor: {processor()}; median of {REPEATS} (best … worst)")
    for name, place in (("vidro", 0), ("scikit-learn", 1)):
        seconds = [pair[place][0] for pair in pairs]
        spread = f"({min(seconds):.2f} … {max(seconds):.2f})"
        print(f"  {name:16s} {statistics.median(seconds):6.2f} s  {spread}  inertia {pairs[0][place][1]:.6f}")
    ratios = [other[0] / own[0] for own, other in pairs]
    spread = f"({min(ratios):.2f} … {max(ratios):.2f}; target ≥ 1)"
    print(f"  scikit-learn takes {statistics.median(ratios):.2f} × as long in pairs {spread}")
    here, there = seeding(X)
    print(f"  k-means++ itself: vidro {here:.2f} s, scikit-learn {there:.2f} s")


if __name__ == "__main__":
    main()
