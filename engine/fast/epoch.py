"""The common part of the compiled paths of gradient descent: the arrays of an epoch, and its report."""

from typing import Any

import numpy as np

from engine.backend import Array
from engine.fast import fused_step, kernels
from engine.fast.groups import Report, Rows, Rule, Vectors
from engine.fast.jit import addresses, number, numbers
from engine.models.base import Matrices, Problem
from engine.models.descent import first_of, validate
from engine.models.scoring import labels
from engine.network.network import Network
from engine.parts.metrics import METRICS
from engine.parts.optimizers import OptimizerRule


class Scores:
    """The epoch's metric on rows whose targets stay: what depends on these alone is worked out once."""

    def __init__(self, split: str, problem: Problem, matrices: Matrices) -> None:
        self.metric = METRICS[problem.target.metric]
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


class Reported:
    """Steps (see descent.py) whose compiled code writes a report: what it is given, and what the epoch says of it."""

    stride: int

    def __init__(self, problem: Problem, vectors: dict[str, Array], batch_size: int) -> None:
        spec, network, train = problem.spec, problem.network, problem.train
        assert spec.loss is not None and spec.optimizer is not None
        dtype = network.dtype
        self.problem, self.network = problem, network
        self.rows = rows_of(train, dtype)
        self.report = report_of(network, train.rows, -(-train.rows // batch_size))
        self.train_scores = Scores("train", problem, train)
        empty = np.empty(0, dtype)
        s1, s2 = [*(vectors[name] for name in spec.optimizer.slots), empty, empty.copy()][:2]
        self.vectors = Vectors(network.parameters.theta, network.parameters.gradient, s1, s2)
        l1, l2 = spec.penalties(train.rows)
        clip = spec.regularization.clip_norm if spec.regularization is not None else None
        h = np.array(numbers(spec.optimizer) or [0.0])
        self.rule = Rule(h, batch_size, float(l1), float(l2), np.inf if clip is None else float(clip))

    @property
    def losses(self) -> Array:
        return self.report.losses

    def so_far(self, count: int) -> dict[str, Array]:
        return first_of(count, self.rule.batch_size, *self.report)

    def settle(self) -> None:
        """Nothing is kept elsewhere."""

    def means(self) -> tuple[float, float]:
        loss, norm = fused_step.means(self.report.losses, self.report.norms)
        return loss, norm

    def scores(self, order: Array) -> dict[str, float | None]:
        return self.train_scores(self.report.outputs, order)


class Fast(Reported):
    """The steps of a network of dense layers."""

    def __init__(self, problem: Problem, vectors: dict[str, Array], batch_size: int) -> None:
        super().__init__(problem, vectors, batch_size)
        spec, network = problem.spec, problem.network
        assert spec.loss is not None and spec.optimizer is not None
        self.codes = codes(network, spec.loss, spec.optimizer)
        specs = [*(layer.activation for layer in network.layers[:-1]), spec.loss]
        self.numbers = np.array([number(each) for each in specs], network.dtype)
        self.prepare()

    def prepare(self) -> None:
        """Make what is particular to this path."""
        raise NotImplementedError

    def __call__(self, order: Array, first: int, count: int, step: int, rate: float) -> None:
        """See `Steps`."""
        raise NotImplementedError

    def validate(self) -> dict[str, float | None]:
        return validate(self.problem)


def plain(array: Array | None, dtype: Any = None) -> Array:
    """The array as the drivers take it, itself where it is so already; none is an empty one."""
    return np.empty(0, dtype) if array is None else np.require(array, dtype, ["C", "W", "A"])


def rows_of(matrices: Matrices, dtype: Any) -> Rows:
    """The rows as the drivers take them."""
    return Rows(*(plain(array, dtype) for array in (matrices.X, matrices.Y, matrices.weights)))


def report_of(network: Network, rows: int, batches: int) -> Report:
    """Room for a report on so many rows."""
    return Report(*(np.empty(shape, network.dtype) for shape in ((rows,), (rows, network.outputs), (batches,))))


def has_parts(problem: Problem) -> bool:
    """Whether the problem's activations, loss and optimizer have kernels, and the network is where these run."""
    spec, network = problem.spec, problem.network
    activations = [type(layer.activation) for layer in network.layers]
    return (
        network.xp is np
        and all(activation in kernels.ACTIVATIONS and activation in kernels.SLOPES for activation in activations)
        and type(spec.loss) in kernels.LOSSES
        and type(spec.optimizer) in kernels.OPTIMIZERS
    )


def codes(network: Network, loss: Any, optimizer: OptimizerRule) -> Array:
    """The addresses of each hidden layer's activation and gradient, the loss and the optimizer."""
    hidden = [layer.activation for layer in network.layers[:-1]]
    chosen = [table[type(each)] for each in hidden for table in (kernels.ACTIVATIONS, kernels.SLOPES)]
    chosen += [kernels.LOSSES[type(loss)], kernels.OPTIMIZERS[type(optimizer)]]
    return addresses(chosen, network.dtype)
