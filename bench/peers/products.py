"""The products of matrices of an epoch alone, with NumPy."""

import time
from collections.abc import Callable

import numpy as np

from bench.peers import Case

VERSION = f"NumPy {np.__version__}"


def ready(case: Case) -> Callable[[], tuple[float, float]]:
    _, _, weights = case.data()
    gradients = [np.empty_like(W) for W in weights]

    def arrays(rows: int) -> tuple[list[np.ndarray], list[np.ndarray]]:
        A = [np.ones((rows, size), np.float32) for size in case.sizes]
        return A, [np.ones_like(a) for a in A]

    sizes = [min(case.batch, case.rows - start) for start in range(0, case.rows, case.batch)]
    kept = {rows: arrays(rows) for rows in set(sizes)}

    def run() -> tuple[float, float]:
        started = time.perf_counter()
        for rows in sizes * case.epochs:
            A, D = kept[rows]
            for layer, W in enumerate(weights):
                np.matmul(A[layer], W, out=A[layer + 1])
            for layer in range(len(weights) - 1, -1, -1):
                np.matmul(A[layer].T, D[layer + 1], out=gradients[layer])
                if layer:
                    np.matmul(D[layer + 1], weights[layer].T, out=D[layer])
            for a in (*A[1:], *D[1:-1]):
                a[0, 0] = 1
        return time.perf_counter() - started, float("nan")

    return run
