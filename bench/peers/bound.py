"""How long an epoch's products would take at the rate of one large product of NumPy's: a yardstick for the others."""

import time
from collections.abc import Callable

import numpy as np

from bench.peers import Case

VERSION = "one large product"
SIZE = 2048


def ready(case: Case) -> Callable[[], tuple[float, float]]:
    A, B, C = (np.ones((SIZE, SIZE), np.float32) for _ in range(3))
    operations = 2 * case.multiplications * case.rows * case.epochs

    def run() -> tuple[float, float]:
        started = time.perf_counter()
        for _ in range(4):
            np.matmul(A, B, out=C)
        rate = 4 * 2 * SIZE**3 / (time.perf_counter() - started)
        return operations / rate, float("nan")

    return run
