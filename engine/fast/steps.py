"""The fast path of gradient descent on a CPU. The definition it repeats is `Definition` in descent.py.

A network trains batch after batch inside one compiled call: a small one on one thread, the rows side by side (`Small`);
a larger one on a team of threads (`Large`).
"""

from ctypes import CDLL, c_void_p, cast
from typing import Any

import numpy as np

from engine.backend import Array
from engine.fast import barrier, fused_step, gemm, kernels, packing, team_step, threads
from engine.fast.jit import numbers
from engine.fast.microkernel import LANES
from engine.models.base import Matrices, Problem
from engine.models.descent import first_of, validate
from engine.models.scoring import epoch_metric, labels
from engine.network.layers.base import IDENTITY
from engine.network.network import Network, is_dense
from engine.parts.metrics import METRICS
from engine.parts.optimizers import OptimizerRule

FEW_WEIGHTS = 2_000
SMALL = 400_000
"""So few weights, or weights × rows of a batch, are one thread's work: it was faster there than two at every size tried."""
CALL_OPERATIONS = 5e8
"""Operations in one compiled call of `Small`, about 20 ms, after which the caller may stop."""
TEAM_OPERATIONS = 4e9
"""The same for each member of a team, whose arithmetic is faster: about 40 ms."""


def supported(problem: Problem) -> bool:
    """Whether everything that the problem is made of has a kernel."""
    spec, network = problem.spec, problem.network
    hidden = [layer.activation for layer in network.layers[:-1]]
    return (
        network.xp is np
        and is_dense(network.layers)
        and network.layers[-1].activation == IDENTITY
        and not network.has_dropout
        and all(type(activation) in kernels.ACTIVATIONS and type(activation) in kernels.SLOPES for activation in hidden)
        and type(spec.loss) in kernels.LOSSES
        and type(spec.optimizer) in kernels.OPTIMIZERS
    )


def fast(problem: Problem, vectors: dict[str, Array], batch_size: int) -> "Fast | None":
    """The fast path that suits the problem, or None where it has to run on its definition."""
    if not supported(problem):
        return None
    rows = -(-batch_size // LANES) * LANES
    weights = problem.network.parameters.size
    if weights <= FEW_WEIGHTS or weights * rows <= SMALL:
        return Small(problem, vectors, batch_size)
    return Large(problem, vectors, batch_size)


class Scores:
    """The epoch's metric on rows whose targets stay: what depends on these alone is worked out once."""

    def __init__(self, split: str, problem: Problem, matrices: Matrices) -> None:
        self.metric = METRICS[epoch_metric(problem)]
        self.name = f"{split}_{self.metric.name}"
        self.Y = plain(matrices.Y)
        self.order = np.arange(matrices.rows)
        self.labels = labels(self.Y) if self.metric.task == "classification" else None
        if self.metric.task == "regression":
            self.totals = np.square(self.Y - self.Y.mean(axis=0, dtype=np.float64)).sum(axis=0, dtype=np.float64)
            self.constant = bool((self.Y[0] == self.Y).all(axis=0).any())

    def __call__(self, outputs: Array, order: Array | None = None) -> dict[str, float | None]:
        """The metric of raw outputs (n, k), whose rows are those of `order` (n,)."""
        order = self.order if order is None else order
        if self.labels is not None:
            return {self.name: fused_step.share_right(outputs, self.labels, order)}
        if self.metric.task == "tagging":
            return {self.name: self.metric.function(outputs, self.Y[order])}
        return {self.name: None if self.constant else fused_step.determination(outputs, self.Y, order, self.totals)}


class Fast:
    """Steps (see descent.py), as many batches a call as `stride` says."""

    stride: int

    def __init__(self, problem: Problem, vectors: dict[str, Array], batch_size: int) -> None:
        spec, network, train = problem.spec, problem.network, problem.train
        assert spec.loss is not None and spec.optimizer is not None
        dtype = network.dtype
        self.problem, self.network, self.batch_size = problem, network, batch_size
        self.X, self.Y, self.weights = (plain(array, dtype) for array in (train.X, train.Y, train.weights))
        self.losses = np.empty(train.rows, dtype)
        self.outputs = np.empty((train.rows, network.outputs), dtype)
        self.norms = np.empty(-(-train.rows // batch_size), dtype)
        self.train_scores = Scores("train", problem, train)
        self.codes = addresses(network, spec.loss, spec.optimizer)
        specs = [*(layer.activation for layer in network.layers[:-1]), spec.loss]
        self.numbers = np.array([(*numbers(each), 0.0)[0] for each in specs], dtype)
        self.rule = np.array(numbers(spec.optimizer) or [0.0])
        empty = np.empty(0, dtype)
        slots = [*(vectors[name] for name in spec.optimizer.slots), empty, empty.copy()][:2]
        self.vectors = (network.parameters.theta, network.parameters.gradient, *slots)
        l1, l2 = spec.penalties(train.rows)
        clip = spec.regularization.clip_norm if spec.regularization is not None else None
        self.limits = (float(l1), float(l2), np.inf if clip is None else clip)
        self.prepare()

    def prepare(self) -> None:
        """Make what is particular to this path."""
        raise NotImplementedError

    def __call__(self, order: Array, first: int, count: int, step: int, rate: float) -> None:
        """See `Steps`."""
        raise NotImplementedError

    def so_far(self, count: int) -> dict[str, Array]:
        return first_of(count, self.batch_size, self.losses, self.outputs, self.norms)

    def settle(self) -> None:
        """Nothing is kept elsewhere."""

    def means(self) -> tuple[float, float]:
        loss, norm = fused_step.means(self.losses, self.norms)
        return loss, norm

    def scores(self, order: Array) -> dict[str, float | None]:
        return self.train_scores(self.outputs, order)

    def validate(self) -> dict[str, float | None]:
        return validate(self.problem)


class Large(Fast):
    """On a team of as many threads as a product of matrices may take: this one, and others that wait between calls.

    θ and the optimiser's vectors are kept in strips meanwhile. θ is put back with every epoch, all of it by `settle`.
    """

    def prepare(self) -> None:
        network, dtype, batch = self.network, self.network.dtype, min(self.batch_size, len(self.X))
        most, (pieces, squares) = min(batch, team_step.MOST), packing.pieces(network)
        layers, size = packing.table(network, most)
        places, turned_size = packing.turned_table(network)
        self.team = threads.Team(min(threads.count(), max(len(pieces), -(-most // gemm.SHARE))))
        members = self.team.size
        self.stride = max(1, int(members * TEAM_OPERATIONS / (6 * network.parameters.size * batch)))
        self.counters = np.zeros(barrier.counters_size(members), np.int64)
        give_way = cast(CDLL(None).sched_yield, c_void_p).value
        self.calls = (members, self.counters, give_way, product_addresses(dtype))
        self.data = (self.X, self.Y, self.weights)
        theta, gradient, *slots = self.vectors
        self.stripped = [(vector, packing.room(network)) for vector in (theta, *slots) if vector.size]
        self.turned = packing.zeros(turned_size, dtype)
        waiting = gradient if most < batch or self.limits[-1] < np.inf else gradient[:0]
        vectors = [each for _, each in self.stripped] + [vector for vector in slots if not vector.size]
        self.arrays = (vectors[0], waiting, *vectors[1:], self.losses, self.outputs, self.norms, layers, places, pieces)
        self.arrays += (self.codes, self.numbers, packing.zeros(size, dtype), most, packing.height(most), self.turned)
        own = packing.own_size(network)
        self.own = packing.zeros(members * own, dtype).reshape(members, own)
        self.rest = (packing.zeros(squares, dtype), self.rule, self.batch_size)
        self.fresh, self.stale = True, False

    def __call__(self, order: Array, first: int, count: int, step: int, rate: float) -> None:
        def work(member: int) -> None:
            arrays = (*self.arrays, self.own[member], *self.rest)
            team_step.train_share(member, *self.calls, *self.data, order, *arrays, first, count, *self.limits, rate, step)

        if self.fresh:
            for vector, stripped in self.stripped:
                packing.put(self.network, vector, stripped)
            packing.put_turned(self.network, self.turned)
        self.fresh, self.stale, self.counters[:] = False, True, 0
        self.team(work, self._give_up)

    def _give_up(self) -> None:
        self.counters[barrier.FAILED] = 1

    def means(self) -> tuple[float, float]:
        self._put_back([] if self.fresh else self.stripped[:1])  # taken up after an epoch's last batch, nothing is in strips
        return super().means()

    def settle(self) -> None:
        self._put_back(self.stripped if self.stale else [])
        self.stale = False

    def _put_back(self, pairs: list[tuple[Array, Array]]) -> None:
        for vector, stripped in pairs:
            packing.put_back(self.network, stripped, vector)


class Small(Fast):
    """Batch after batch in one call."""

    def prepare(self) -> None:
        network, width = self.network, batch_width(self.batch_size)
        layers = layer_table(network, width)
        last = layers[-1]
        tile = np.empty(last[fused_step.D] + (2 * network.outputs + 3) * width, network.dtype)
        work = 6 * network.parameters.size * width * -(-self.batch_size // width)
        self.stride = max(1, int(CALL_OPERATIONS / work))
        results = (self.losses, self.outputs, self.norms)
        self.data = (self.X, self.Y, self.weights)
        self.network_arrays = (network.parameters.theta, layers, self.codes, self.numbers, tile, width)
        self.validation = None
        held = self.problem.validation
        if held is not None:
            data = (plain(array, network.dtype) for array in (held.X, held.Y, held.weights))
            self.validation = (*data, np.empty(held.rows, network.dtype), np.empty((held.rows, network.outputs), network.dtype))
            self.validation_scores = Scores("validation", self.problem, held)
        self.arrays = (*self.vectors, *results, layers, self.codes, self.numbers, tile, self.rule, self.batch_size)

    def __call__(self, order: Array, first: int, count: int, step: int, rate: float) -> None:
        fused_step.train_batches(*self.data, order, *self.arrays, first, count, *self.limits, rate, step)

    def validate(self) -> dict[str, float | None]:
        if self.validation is None:
            return {}
        fused_step.evaluate(*self.validation, *self.network_arrays)
        loss, _ = fused_step.means(self.validation[-2], self.norms[:0])
        return {"validation_loss": loss, **self.validation_scores(self.validation[-1])}


def batch_width(batch_size: int) -> int:
    """The rows side by side in a tile for that many: full vectors, and no more than a group."""
    return int(min(fused_step.GROUP, -(-batch_size // LANES) * LANES))


def plain(array: Array | None, dtype: Any = None) -> Array:
    """The array as the drivers take it, itself where it is so already; none is an empty one."""
    return np.empty(0, dtype) if array is None else np.require(array, dtype, ["C", "W", "A"])


def addresses(network: Network, loss: Any, optimizer: OptimizerRule) -> Array:
    """The addresses of each hidden layer's activation and gradient, the loss and the optimiser."""
    hidden = [layer.activation for layer in network.layers[:-1]]
    chosen = [table[type(each)] for each in hidden for table in (kernels.ACTIVATIONS, kernels.SLOPES)]
    chosen += [kernels.LOSSES[type(loss)], kernels.OPTIMIZERS[type(optimizer)]]
    return np.array([kernel.address(network.dtype) for kernel in chosen], np.int64)


def layer_table(network: Network, width: int) -> Array:
    """One row a layer, with the columns that fused_step.py names: sizes, places in θ, and places in a tile of that width.

    The same places hold for as many rows one after the other.
    """
    table, weights, inputs = [], 0, 0
    free = network.layers[0].inputs * width
    for layer in network.layers:
        size, area = layer.inputs * layer.outputs, layer.outputs * width
        bias = weights + size if layer.bias else -1
        Z, A, D = free, free + area, free + 2 * area
        table.append((layer.inputs, layer.outputs, weights, bias, inputs, Z, A, D))
        weights, inputs, free = weights + layer.size, A, free + 3 * area
    return np.array(table, np.int64)


def product_addresses(dtype: Any) -> Array:
    """The addresses of the kernels of products, in the order in which team_step.py names them."""
    return np.array([kernel.address(dtype) for kernel in gemm.IN_USE], np.int64)


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
