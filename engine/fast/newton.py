"""The fast path of Newton's method: a tall table is read once an iteration, by as many threads as a product may take."""

from itertools import pairwise

import numpy as np

from engine.fast import kernels, threads
from engine.fast.curvature import read_rows
from engine.fast.epoch import Scores, plain
from engine.fast.jit import number
from engine.fast.tiles import STRIP, TILE
from engine.models.descent import validate
from engine.models.newton import GRADIENT_TOLERANCE, Objective

BLOCK = 1 << 15
"""Values of a block of rows, which stays in the cache."""
NEAR = GRADIENT_TOLERANCE**0.5
"""Largest component of a gradient after which Newton's next step is likely to be the last, and needs no Hessian there."""


TOGETHER = 1 << 19
"""Values of all Hessians up to which they are taken in the same reading, 4 MiB a share; larger ones one by one."""
SHARES = 4
"""Shares of the rows for each thread, which takes the next when it has read one, where Hessians are small: a thread whose core
is busy with something else then holds the others up less."""


class Share:
    """The buffers with which a thread reads rows [start, end)."""

    def __init__(self, objective: "CompiledObjective", start: int, end: int) -> None:
        d, k = objective.X.shape[1], objective.Y.shape[1]
        self.block = (start, end, max(64, BLOCK // (d + 1)))
        self.work = np.empty((3 * k + 3) * self.block[-1])
        self.gradient = np.empty((k, d + 1))
        self.hessians = np.empty((0, d + 1, d + 1))
        self.packed = self.product = np.empty(0)

    def read(self, objective: "CompiledObjective", theta: np.ndarray, pairs: np.ndarray) -> float:
        """The sum of its rows' losses; gradient and Hessians stand in the arrays."""
        size = theta.shape[1]
        if len(self.hessians) != len(pairs):
            self.hessians = np.empty((len(pairs), size, size))
        kind = np.dtype(np.float64 if objective.precise else np.float32)
        if self.packed.dtype != kind or not self.packed.size:
            strip = STRIP // kind.itemsize
            width = -(-size // strip) * strip
            self.packed, self.product = np.empty(self.block[-1] * width, kind), np.empty((width + TILE) * width, kind)
        arrays = (self.gradient, self.hessians, self.work, self.packed, self.product)
        data = (objective.X, objective.Y, objective.weights)
        return float(read_rows(*self.block, *data, theta, pairs, *objective.code, objective.outputs, *arrays))


class CompiledObjective(Objective):
    """J, its gradient and its Hessians from one reading of the rows, which are cut into shares. These are added up in order,
    whoever has read them, so that the same number of threads gives the same bits.
    """

    def prepare(self) -> None:
        train = self.problem.train
        self.X, self.Y = plain(train.X, np.float64), plain(train.Y, np.float64)
        self.weights = plain(train.weights, np.float64)
        k, self.precise = self.Y.shape[1], self.joint
        classes = range(k)
        pairs = [(a, b) for a in classes for b in range(a + 1)] if self.joint else [(a, a) for a in classes]
        self.pairs, self.no_pairs = np.array(pairs, np.int64), np.empty((0, 2), np.int64)
        self.together = len(pairs) * (self.X.shape[1] + 1) ** 2 <= TOGETHER
        self.outputs = np.empty_like(self.Y)
        self.scores = Scores("train", self.problem, train)
        self.code = (kernels.LOSSES[type(self.loss)].address(np.float64), number(self.loss))
        count = min(threads.count() * (SHARES if self.together else 1), self.rows)
        cuts = [self.rows * share // count for share in range(count + 1)]
        self.shares = [Share(self, start, end) for start, end in pairwise(cuts)]
        self.readers = threads.Team(min(threads.count(), count))
        self.near = False

    def value_and_gradient(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = super().value_and_gradient(theta)
        self.near = bool(np.abs(gradient).max() <= NEAR)
        return value, gradient

    def read(self, theta: np.ndarray) -> tuple[float, np.ndarray]:
        self.theta = np.ascontiguousarray(theta.T)
        self.loss_there, gradient = self._read(self.pairs if self.together and not self.near else self.no_pairs)
        return self.loss_there, gradient.T

    def _read(self, pairs: np.ndarray) -> tuple[float, np.ndarray]:
        losses, left = [0.0] * len(self.shares), iter(range(len(self.shares)))

        def read(_: int) -> None:
            for index in left:
                losses[index] = self.shares[index].read(self, self.theta, pairs)

        self.readers(read)
        self.hessians = {
            (int(a), int(b)): sum(share.hessians[index] for share in self.shares) for index, (a, b) in enumerate(pairs)
        }
        self.taken = self.precise
        return sum(losses) / self.rows, np.sum([share.gradient for share in self.shares], axis=0) / self.rows

    def hessian(self, a: int, b: int) -> np.ndarray:
        if (a, b) not in self.hessians or self.taken != self.precise:
            self._read(self.pairs if self.together else np.array([(a, b)]))
        lower = np.tril(self.hessians[a, b]) / self.rows
        return lower + np.tril(lower, -1).T

    def evaluation(self) -> dict[str, float | None]:
        return {"train_loss": self.loss_there, **self.scores(self.outputs), **validate(self.problem)}
