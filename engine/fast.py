"""The fast path of gradient descent on a CPU. The definition it repeats is `Definition` in descent.py.

A network so small that calls cost more than arithmetic trains batch after batch inside one compiled call (`Small`). A
larger one leaves the products of matrices to BLAS and its threads and has all else fused between them, on one thread
(`Large`): threads of its own would stand in the way of BLAS's.
"""

from typing import Any

import numpy as np

from engine import drivers, kernels
from engine.backend import Array
from engine.compiled import numbers
from engine.descent import first_of, validate
from engine.losses import HalfMeanSquaredError
from engine.metrics import METRICS
from engine.micro import LANES
from engine.network import Dense, Network
from engine.optimizers import GradientDescent, OptimizerRule
from engine.scoring import epoch_metric, labels
from engine.train import Matrices, Problem

SMALL = 400_000
"""Weights × rows of a batch up to which one compiled pass is taken: it won at each size tried, up to three times this."""
CALL_OPERATIONS = 5e8
"""Operations in one compiled call, about 20 ms, after which the caller may stop."""


def supported(problem: Problem) -> bool:
    """Whether everything that the problem is made of has a kernel."""
    spec, network = problem.spec, problem.network
    hidden = [layer.activation for layer in network.layers[:-1]]
    return (
        network.xp is np
        and not network.has_dropout
        and all(type(activation) in kernels.ACTIVATIONS and type(activation) in kernels.SLOPES for activation in hidden)
        and type(spec.loss) in kernels.LOSSES
        and type(spec.optimizer) in kernels.OPTIMIZERS
    )


def fast(problem: Problem, vectors: dict[str, Array], batch_size: int) -> "Large | None":
    """The fast path that suits the problem, or None where it has to run on its definition."""
    if not supported(problem):
        return None
    rows = -(-batch_size // LANES) * LANES
    small = problem.network.parameters.size * rows <= SMALL
    return (Small if small else Large)(problem, vectors, batch_size)


class Scores:
    """The epoch's metric on rows whose targets stay: what depends on these alone is worked out once."""

    def __init__(self, split: str, problem: Problem, matrices: Matrices) -> None:
        self.metric = METRICS[epoch_metric(problem)]
        self.name = f"{split}_{self.metric.name}"
        self.Y = plain(matrices.Y)
        self.order = np.arange(matrices.rows)
        self.labels = labels(self.Y) if self.metric.task == "classification" else None
        self.totals = np.square(self.Y - self.Y.mean(axis=0, dtype=np.float64)).sum(axis=0, dtype=np.float64)
        self.constant = bool((self.Y[0] == self.Y).all(axis=0).any())

    def __call__(self, outputs: Array, order: Array | None = None) -> dict[str, float | None]:
        """The metric of raw outputs (n, k), whose rows are those of `order` (n,)."""
        order = self.order if order is None else order
        if self.labels is not None:
            return {self.name: drivers.share_right(outputs, self.labels, order)}
        if self.metric.task == "tagging":
            return {self.name: self.metric.function(outputs, self.Y[order])}
        return {self.name: None if self.constant else drivers.determination(outputs, self.Y, order, self.totals)}


class Large:
    """Steps (see descent.py), a batch a call: BLAS for the products, kernels between them."""

    stride = 1

    def __init__(self, problem: Problem, vectors: dict[str, Array], batch_size: int) -> None:
        spec, network, train = problem.spec, problem.network, problem.train
        assert spec.loss is not None and spec.optimizer is not None
        dtype = network.dtype
        self.network, self.batch_size = network, batch_size
        self.X, self.Y, self.weights = (plain(array, dtype) for array in (train.X, train.Y, train.weights))
        self.losses = np.empty(train.rows, dtype)
        self.outputs = np.empty((train.rows, network.outputs), dtype)
        self.norms = np.empty(-(-train.rows // batch_size), dtype)
        self.train_scores = Scores("train", problem, train)
        self.problem = problem
        self.layers = layer_table(network, batch_width(batch_size))
        self.codes = addresses(network, spec.loss, spec.optimizer)
        specs = [*(layer.activation for layer in network.layers[:-1]), spec.loss]
        self.numbers = np.array([(*numbers(each), 0.0)[0] for each in specs], dtype)
        self.rule = np.array(numbers(spec.optimizer) or [0.0])
        empty = np.empty(0, dtype)
        self.slots = [*(vectors[name] for name in spec.optimizer.slots), empty, empty.copy()][:2]
        l1, l2 = spec.penalties(train.rows)
        clip = spec.regularization.clip_norm if spec.regularization is not None else None
        self.limits = (float(l1), float(l2), np.inf if clip is None else clip)
        self.prepare(problem)

    def prepare(self, problem: Problem) -> None:
        """Make what is particular to this path."""
        self.tile = np.empty((3 * self.network.outputs + 3) * drivers.GROUP, self.network.dtype)
        self.batches: dict[int, Array] = {}
        none = np.empty(0, self.network.dtype)
        self.biases = [none if views.b is None else views.b for views in self.network.parameters.layers]

    def __call__(self, order: Array, first: int, count: int, step: int, rate: float) -> None:
        for batch in range(first, first + count):
            start = batch * self.batch_size
            rows = order[start : start + self.batch_size]
            step += 1
            self.norms[batch] = self.train(rows, slice(start, start + rows.size), step, rate)

    def train(self, rows: Array, place: slice, step: int, rate: float) -> float:
        network, parameters = self.network, self.network.parameters
        if rows.size not in self.batches:
            self.batches[rows.size] = np.empty((rows.size, self.X.shape[1]), network.dtype)
        X = self.batches[rows.size]
        np.take(self.X, rows, axis=0, out=X, mode="clip")
        workspace = network.workspace(rows.size)
        last, A = len(network.layers) - 1, X
        for index, (views, bias) in enumerate(zip(parameters.layers, self.biases, strict=True)):
            Z = workspace.Z[index]
            np.matmul(A, views.W, out=Z)
            if index == last:
                drivers.add_bias(Z, bias)
                break
            A = workspace.A[index]
            drivers.bias_and_activation(self.codes[2 * index], self.numbers[index], Z, bias, A)
        losses, D = self.losses[place], workspace.dZ[last]
        self.outputs[place] = Z
        drivers.fused_loss(self.codes[-2], self.numbers[-1], Z, self.Y, self.weights, rows, self.tile, losses, D)
        for index in range(last, -1, -1):
            views, D = parameters.layers[index], workspace.dZ[index]
            np.matmul((workspace.A[index - 1] if index else X).T, D, out=views.dW)
            if views.db is not None:
                drivers.column_sums(D, views.db)
            if index:
                before = index - 1
                Z, A, dA = workspace.Z[before], workspace.A[before], workspace.dZ[before]
                np.matmul(D, views.W.T, out=dA)
                drivers.activation_gradient(self.codes[2 * before + 1], self.numbers[before], Z, A, dA)
        vectors = (parameters.theta, parameters.gradient, *self.slots)
        return float(drivers.finish(self.codes[-1], *vectors, self.layers, *self.limits, self.rule, rate, step))

    def so_far(self, count: int) -> dict[str, Array]:
        return first_of(count, self.batch_size, self.losses, self.outputs, self.norms)

    def means(self) -> tuple[float, float]:
        loss, norm = drivers.means(self.losses, self.norms)
        return loss, norm

    def scores(self, order: Array) -> dict[str, float | None]:
        return self.train_scores(self.outputs, order)

    def validate(self) -> dict[str, float | None]:
        return validate(self.problem)


class Small(Large):
    """Batch after batch in one call."""

    def prepare(self, problem: Problem) -> None:
        network, width = self.network, batch_width(self.batch_size)
        last = self.layers[-1]
        self.tile = np.empty(last[drivers.D] + (2 * network.outputs + 3) * width, network.dtype)
        work = 6 * network.parameters.size * width * -(-self.batch_size // width)
        self.stride = max(1, int(CALL_OPERATIONS / work))
        vectors = (network.parameters.theta, network.parameters.gradient, *self.slots)
        results = (self.losses, self.outputs, self.norms)
        self.data = (self.X, self.Y, self.weights)
        self.network_arrays = (network.parameters.theta, self.layers, self.codes, self.numbers, self.tile, width)
        self.validation = None
        if problem.validation is not None:
            held = problem.validation
            data = (plain(array, network.dtype) for array in (held.X, held.Y, held.weights))
            self.validation = (*data, np.empty(held.rows, network.dtype), np.empty((held.rows, network.outputs), network.dtype))
            self.validation_scores = Scores("validation", problem, held)
        self.arrays = (*vectors, *results, self.layers, self.codes, self.numbers, self.tile, self.rule, self.batch_size)

    def __call__(self, order: Array, first: int, count: int, step: int, rate: float) -> None:
        drivers.train_batches(*self.data, order, *self.arrays, first, count, *self.limits, rate, step)

    def validate(self) -> dict[str, float | None]:
        if self.validation is None:
            return {}
        drivers.evaluate(*self.validation, *self.network_arrays)
        loss, _ = drivers.means(self.validation[-2], self.norms[:0])
        return {"validation_loss": loss, **self.validation_scores(self.validation[-1])}


def batch_width(batch_size: int) -> int:
    """The rows side by side in a tile for that many: full vectors, and no more than a group."""
    return int(min(drivers.GROUP, -(-batch_size // LANES) * LANES))


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
    """One row a layer, with the columns that drivers.py names: sizes, places in θ, and places in a tile of that width."""
    table, weights, inputs = [], 0, 0
    free = network.layers[0].inputs * width
    for layer in network.layers:
        size, area = layer.inputs * layer.outputs, layer.outputs * width
        bias = weights + size if layer.bias else -1
        Z, A, D = free, free + area, free + 2 * area
        table.append((layer.inputs, layer.outputs, weights, bias, inputs, Z, A, D))
        weights, inputs, free = weights + layer.shape.size, A, free + 3 * area
    return np.array(table, np.int64)


class FastWalk:
    """The perceptron's walk (see perceptron.py) in one call. Correcting w, it scores every row: the next is then known."""

    def __init__(self, rows: Array, positive: Array) -> None:
        self.columns, self.positive = np.ascontiguousarray(rows.T), np.ascontiguousarray(positive)
        self.scores = np.empty(len(rows), rows.dtype)

    def mistakes(self, w: Array) -> int:
        return int(drivers.mistakes(self.columns, self.positive, w, self.scores))

    def __call__(self, order: Array, start: int, most: int, w: Array, pocket: Array, fewest: int) -> tuple[int, int, int]:
        arrays = (w, pocket, self.scores)
        return drivers.correct_mistakes(self.columns, self.positive, order, start, most, *arrays, fewest)


def compile_all() -> None:
    """Have every kernel and every driver compiled, or loaded from the cache, in both float types."""
    for dtype in (np.float32, np.float64):
        for table in (kernels.ACTIVATIONS, kernels.SLOPES, kernels.LOSSES, kernels.OPTIMIZERS):
            for kernel in table.values():
                kernel.address(dtype)
        _call_every_driver(np.dtype(dtype))


def _call_every_driver(dtype: Any) -> None:
    """Call each driver once on next to nothing, which has it compiled for the types that it is later called with."""
    network = Network([Dense(1, 1), Dense(1, 1)], dtype, np)
    loss, rule = HalfMeanSquaredError(), GradientDescent()
    codes, table, zero = addresses(network, loss, rule), layer_table(network, LANES), dtype.type(0)
    X, Y, D, order = np.zeros((1, 1), dtype), np.zeros((1, 1), dtype), np.zeros((1, 1), dtype), np.zeros(1, np.int64)
    empty, numbers_, h, one = np.empty(0, dtype), np.zeros(2, dtype), np.zeros(1), np.ones(1)
    losses, norms, sums, tile = np.zeros(1, dtype), np.zeros(1, dtype), np.zeros(1, dtype), np.zeros(512 * LANES, dtype)
    vectors = (network.parameters.theta, network.parameters.gradient, empty, empty.copy())
    limits = (0.0, 0.0, np.inf)
    drivers.bias_and_activation(codes[0], zero, X, sums, D)
    drivers.activation_gradient(codes[1], zero, X, Y, D)
    drivers.add_bias(X, sums)
    drivers.column_sums(D, sums)
    drivers.fused_loss(codes[-2], zero, X, Y, empty, order, tile, losses, D)
    drivers.finish(codes[-1], *vectors, table, *limits, h, 0.0, 1)
    drivers.means(losses, norms)
    drivers.share_right(D, order.copy(), order)
    drivers.determination(D, Y, order, one)
    drivers.evaluate(X, Y, empty, losses, D, vectors[0], table, codes, numbers_, tile, LANES)
    drivers.train_batches(
        X, Y, empty, order, *vectors, losses, D, norms, table, codes, numbers_, tile, h, 1, 0, 1, *limits, 0.0, 0
    )  # fmt: skip
    walk = FastWalk(np.ones((1, 1), dtype), np.ones(1, bool))
    walk(order, 0, 1, losses, norms, walk.mistakes(losses))
