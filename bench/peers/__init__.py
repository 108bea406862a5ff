"""What is measured: the engine and its peers, each in a process of its own, written as its users would write it.

A peer is a module with `ready(case, data)`, which returns a function that trains once from the same first weights and
returns (seconds, mean loss of the last epoch). What is done once for a program, as compiling, happens in `ready`.
"""

import importlib
import math
import os
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

THREADS = os.cpu_count() or 1
LEARNING_RATE = 0.001


@dataclass(frozen=True)
class Case:
    """A network and the rows it is trained on: Adam, cross-entropy, float32."""

    name: str
    rows: int
    sizes: tuple[int, ...]
    batch: int
    epochs: int

    def data(self) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
        """X (n, d), labels (n,) and first weights: classes that are normal clouds; He's weights. Synthetic, seeded."""
        rng = np.random.default_rng(0)
        inputs, classes = self.sizes[0], self.sizes[-1]
        centers = rng.standard_normal((classes, inputs)) * 4 / inputs**0.5
        labels = rng.integers(0, classes, self.rows)
        X = (centers[labels] + rng.standard_normal((self.rows, inputs))).astype(np.float32)
        weights = [rng.standard_normal(shape) * (2 / math.prod(shape[:-1])) ** 0.5 for shape in self.shapes]
        return X, labels, [W.astype(np.float32) for W in weights]

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """The weights' shapes, layer after layer."""
        return list(pairwise(self.sizes))

    @property
    def multiplications(self) -> int:
        """Of a row, forward and back; no gradient of the inputs is taken."""
        forward = [inputs * outputs for inputs, outputs in pairwise(self.sizes)]
        return 3 * sum(forward) - forward[0]


class LeNet5(Case):
    """LeNet-5 as it is taught, on images of 28 × 28 that are padded to 32 × 32: tanh, average pooling, C5 dense."""

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        return [(5, 5, 1, 6), (5, 5, 6, 16), (400, 120), (120, 84), (84, 10)]

    @property
    def multiplications(self) -> int:
        forward = [28 * 28 * 6 * 25, 10 * 10 * 16 * 150, 400 * 120, 120 * 84, 84 * 10]
        return 3 * sum(forward) - forward[0]


class Peer:
    """A peer in its own process, with as many threads as the machine has cores unless told otherwise."""

    def __init__(self, module: str, threads: int = THREADS) -> None:
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ[name] = str(threads)
        context = get_context("spawn")
        self.line, other = context.Pipe()
        self.process = context.Process(target=serve, args=(module, other), daemon=True)
        self.process.start()
        self.version = self.line.recv()

    def ask(self, question: Any) -> Any:
        self.line.send(question)
        return self.line.recv()


def serve(module: str, line: Connection) -> None:
    """Get ready for each case sent, and run it at each None."""
    peer = importlib.import_module(f"bench.peers.{module}")
    line.send(peer.VERSION)
    run = None
    while True:
        try:
            question = line.recv()
        except EOFError:  # the one who asks has ended
            return
        if question is None:
            assert run is not None
            line.send(run())
        else:
            run = peer.ready(question)
            run()
            line.send("ready")
