"""Gradient descent on a network: batches, backpropagation, regularization, an optimizer's step."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

import numpy as np

from engine.backend import Array, gather, to_host
from engine.models.base import Problem, Settings, Solver
from engine.models.regularization import Regularization
from engine.models.run_state import Epoch, State
from engine.models.scoring import mean_loss, mean_of, row_losses, score
from engine.models.yardstick import Reason
from engine.network.backpropagation import backpropagate
from engine.network.network import Network
from engine.parts.schedules import ConstantRate
from engine.randomness import Shuffles

LOOKED_AT = 100
"""Training rows whose outputs are looked at after the last step."""
BREATH_SECONDS = 0.05
"""A longer epoch yields in between, so that a caller can stop it."""


class Steps(Protocol):
    """A way to take the steps of an epoch, the definition's or a faster one, and what the epoch then reports."""

    stride: int
    """Batches to ask for in one call."""

    @property
    def losses(self) -> Array:
        """Each row's loss (n,) just before the step it took part in, in the order of the epoch; on the host, after `means`."""

    def __call__(self, order: np.ndarray, first: int, count: int, step: int, rate: float) -> None:
        """Train on `count` batches from `first` on, with the rows in that `order` (n,); `step` steps were taken before."""

    def so_far(self, count: int) -> dict[str, Array]:
        """Views of what the first `count` batches of an epoch have left for its report: a run that is taken up within an
        epoch writes them anew.
        """

    def settle(self) -> None:
        """Bring the optimizer's vectors, and θ within an epoch, up to date, where they are kept elsewhere meanwhile."""

    def means(self) -> tuple[float, float]:
        """The epoch's mean loss, and the mean length of its gradients. θ is up to date from here on."""

    def scores(self, order: np.ndarray) -> dict[str, float | None]:
        """The epoch's metric on the training rows, from the outputs that the losses come from."""

    def validate(self) -> dict[str, float | None]:
        """The validation rows' loss and score at the present weights; nothing where there are no such rows."""


class Report(NamedTuple):
    """The results of an epoch for the host: shaped views of one flat array, so that they come there in one transfer."""

    losses: Array
    """Each training row's loss (n,), in the order of the epoch."""
    outputs: Array
    """Its raw outputs (n, k)."""
    norms: Array
    """Each batch's gradient's length."""
    validation_losses: Array
    validation_outputs: Array


class Definition:
    """One batch at a time: gather its rows, forward, loss, backward, penalty, clip, update; all in arrays made once.

    Runs wherever arrays live. What is drawn and counted stands on the host: an epoch sends it the order of its rows and the
    dropout masks, and fetches its report, once.
    """

    stride = 1

    def __init__(self, problem: Problem, vectors: dict[str, Array], batch_size: int) -> None:
        spec, network = problem.spec, problem.network
        assert spec.loss is not None and spec.optimizer is not None
        self.spec, self.network, self.loss, self.optimizer = spec, network, spec.loss, spec.optimizer
        self.problem, self.train = problem, problem.train
        self.xp = network.xp
        self.batch_size = batch_size
        self.order, self.device_order = np.empty(0, np.intp), self.xp.empty(0, np.intp)
        self.gather = gather(self.xp)
        rows, held, k = self.train.rows, problem.validation.rows if problem.validation else 0, network.outputs
        self.shapes = (rows,), (rows, k), (-(-rows // batch_size),), (held,), (held, k)
        self.flat = self.xp.empty(sum(map(math.prod, self.shapes)), network.dtype)
        self.report = self.fetched = self._cut(self.flat)
        self.host_Y = to_host(self.train.Y)
        self.host_validation_Y = to_host(problem.validation.Y) if problem.validation else None
        self.slots = [vectors[name] for name in self.optimizer.slots]
        self.work = self.xp.empty_like(network.parameters.theta)
        self.buffers: dict[int, tuple[Array, Array, Array]] = {}

    def _cut(self, flat: Array) -> Report:
        ends = np.cumsum([math.prod(shape) for shape in self.shapes]).tolist()
        starts = [0, *ends[:-1]]
        return Report(*(flat[a:b].reshape(shape) for a, b, shape in zip(starts, ends, self.shapes, strict=True)))

    def _buffers(self, rows: int) -> tuple[Array, Array, Array]:
        if rows not in self.buffers:
            X, Y, empty, dtype = self.train.X, self.train.Y, self.xp.empty, self.network.dtype
            shapes = ((rows, X.shape[1]), (rows, Y.shape[1]), (rows, self.network.outputs))
            self.buffers[rows] = tuple(empty(shape, dtype) for shape in shapes)
        return self.buffers[rows]

    def __call__(self, order: np.ndarray, first: int, count: int, step: int, rate: float) -> None:
        if order is not self.order:
            self.order, self.device_order = order, self.xp.asarray(order)
        for batch in range(first, first + count):
            start = batch * self.batch_size
            rows = self.device_order[start : start + self.batch_size]
            place = slice(start, start + rows.shape[0])
            step += 1
            report = self.report
            report.norms[batch] = self._train(rows, step, rate, report.losses[place], report.outputs[place])

    @np.errstate(over="ignore", invalid="ignore")  # what diverges is found at the end of the epoch, by its loss
    def _train(self, rows: Array, step: int, rate: float, losses: Array, outputs: Array) -> Array:
        """Train on those rows; writes each one's loss (b,) and raw outputs (b, k). Returns the gradient's norm, a scalar."""
        xp, network, train = self.xp, self.network, self.train
        X, Y, work = self._buffers(rows.shape[0])
        self.gather(train.X, rows, axis=0, out=X)
        self.gather(train.Y, rows, axis=0, out=Y)
        workspace = network.workspace(rows.shape[0])
        if network.has_dropout:
            network.draw_masks(workspace, self.spec.seed or 0, step)
        outputs[...] = network.forward(X, workspace, masked=network.has_dropout, training=True)
        self.loss.rows(xp, workspace.outputs, Y, losses, work)
        weights = None if train.weights is None else xp.take(train.weights, rows)
        if weights is not None:
            losses *= weights
        backpropagate(network, workspace, self.loss, Y, weights, self.spec.penalties(train.rows), self.work)
        network.observe(workspace)
        norm = self._clip()
        parameters = network.parameters
        self.optimizer.update(xp, parameters.theta, parameters.gradient, self.slots, self.work, step, rate)
        return norm

    def _clip(self) -> Array:
        """Scale ∇ down to `clip_norm` where it is longer (Pascanu et al. 2013). Returns the length before."""
        gradient = self.network.parameters.gradient
        norm = self.xp.sqrt(self.xp.dot(gradient, gradient))
        regularization = self.spec.regularization
        if regularization is not None and regularization.clip_norm is not None:
            gradient *= clip_factor(self.xp, norm, regularization.clip_norm)
        return norm

    @property
    def losses(self) -> Array:
        return self.fetched.losses

    def so_far(self, count: int) -> dict[str, Array]:
        return first_of(count, self.batch_size, self.report.losses, self.report.outputs, self.report.norms)

    def settle(self) -> None:
        """Nothing is kept elsewhere."""

    def means(self) -> tuple[float, float]:
        self._evaluate()
        self.fetched = self._cut(to_host(self.flat))
        return mean_of(self.fetched.losses), mean_of(self.fetched.norms)

    @np.errstate(over="ignore", invalid="ignore")
    def _evaluate(self) -> None:
        """Write the validation rows' losses and outputs at the present weights, for the report to take along."""
        validation, report = self.problem.validation, self.report
        if validation is not None:
            outputs = self.network.evaluate(validation.X, out=report.validation_outputs)
            row_losses(self.problem, outputs, validation, report.validation_losses)

    @np.errstate(over="ignore", invalid="ignore")
    def scores(self, order: np.ndarray) -> dict[str, float | None]:
        return score("train", self.problem, self.fetched.outputs, self.host_Y[order])

    @np.errstate(over="ignore", invalid="ignore")
    def validate(self) -> dict[str, float | None]:
        if self.host_validation_Y is None:
            return {}
        scores = score("validation", self.problem, self.fetched.validation_outputs, self.host_validation_Y)
        return {"validation_loss": mean_of(self.fetched.validation_losses), **scores}


def clip_factor(xp: Any, norm: Array, most: float) -> Array:
    """The factor that brings a gradient of that length down to `most`, or 1."""
    factor: Array = xp.minimum(1.0, most / xp.maximum(norm, 1e-30))
    return factor


def first_of(count: int, batch_size: int, losses: Array, outputs: Array, norms: Array) -> dict[str, Array]:
    """Views of the rows of the first `count` batches, and of these batches' norms."""
    rows = count * batch_size
    return {"losses": losses[:rows], "outputs": outputs[:rows], "norms": norms[:count]}


def batch_bounds(rows: int, batch_size: int | str) -> list[tuple[int, int]]:
    """The slices [start, end) that a batch size cuts the rows into; the last one may be shorter."""
    size = rows if batch_size == "full" else min(int(batch_size), rows)
    return [(start, min(start + size, rows)) for start in range(0, rows, size)]


def start_vectors(spec: Settings, network: Network) -> dict[str, Array]:
    """The optimizer's vectors and the schedule's memory before the first step."""
    assert spec.optimizer is not None and spec.schedule is not None
    vectors = {name: network.xp.zeros_like(network.parameters.theta) for name in spec.optimizer.slots}
    return {**vectors, "schedule": np.array(spec.schedule.start(), np.float64)}


def begin(state: State, spec: Settings, network: Network) -> None:
    """Give the state what descent needs before the first step, and the network the running statistics that the state has."""
    state.vectors = start_vectors(spec, network) | state.vectors
    state.vectors |= network.adopt(state.vectors)


def descend(problem: Problem, state: State, steps_of: Callable[..., Steps] = Definition) -> Iterator[Epoch]:
    """Epochs of gradient descent from `state` on. An epoch's train_loss is the mean over its rows of the loss that each
    had just before the step it took part in. Raises Diverged when it is no longer a number, or beyond all reason.
    """
    spec, network, train = problem.spec, problem.network, problem.train
    assert spec.optimizer is not None and spec.schedule is not None and spec.epochs is not None
    begin(state, spec, network)
    bounds = batch_bounds(train.rows, spec.batch_size or "full")
    views, reason = problem.views, Reason(problem)  # which is of the images as they are
    if views is not None:
        problem = replace(problem, train=replace(train, X=views.X))
    steps = steps_of(problem, state.vectors, bounds[0][1])
    shuffles = Shuffles(spec.seed_of_order, train.rows)
    order = np.arange(train.rows)
    state.settle = steps.settle
    for name, array in steps.so_far(state.place).items() if state.place else ():
        array[...] = state.partial[name]

    while state.epoch < spec.epochs:
        started = breath = time.perf_counter()
        if views is not None:
            views(state.epoch)
        if spec.shuffle:
            order = shuffles.order(state.epoch)
        memory = tuple(state.vectors["schedule"].tolist())
        rate = scheduled_rate(spec, state)
        while state.place < len(bounds):
            count = min(steps.stride, len(bounds) - state.place)
            steps(order, state.place, count, state.step, rate)
            state.step += count
            state.place += count
            if time.perf_counter() - breath > BREATH_SECONDS:
                state.partial = steps.so_far(state.place)
                yield Epoch(state.epoch + 1, whole=False, done=state.place / len(bounds))
                breath = time.perf_counter()
        state.end_epoch()

        train_loss, gradient_norm = steps.means()
        if not math.isfinite(train_loss):
            raise reason.broken(state.epoch, rate)
        reason.hold(train_loss, state.epoch, rate)
        values = {"train_loss": train_loss, **steps.scores(order), **steps.validate()}
        watched = values.get("validation_loss", train_loss)
        assert watched is not None
        # The training rows' losses are from before the last step, after which nothing else may have looked at the weights.
        # Only a host looks: a device is asked once an epoch.
        unseen = problem.validation is None and state.epoch == spec.epochs and network.xp is np
        if not math.isfinite(watched) or (unseen and not _answers(problem)):
            raise reason.broken(state.epoch, rate)
        state.vectors["schedule"] = np.array(spec.schedule.observe(memory, watched), np.float64)
        values["learning_rate"] = rate
        values["gradient_norm"] = gradient_norm
        values["seconds"] = time.perf_counter() - started
        yield Epoch(state.epoch, values=values, batch_losses=_batch_means(spec, steps.losses, bounds))


def scheduled_rate(spec: Settings, state: State) -> float:
    """The learning rate of the epoch that the state stands before; of a run that is over, that of its last."""
    assert spec.optimizer is not None and spec.schedule is not None and spec.epochs is not None
    memory = tuple(state.vectors["schedule"].tolist()) if "schedule" in state.vectors else spec.schedule.start()
    return spec.schedule.rate(spec.optimizer.learning_rate, min(state.epoch, spec.epochs - 1), spec.epochs, memory)


GRADIENT_DESCENT = Solver(descend, Definition, descends=True)


def descent_settings(**settings: Any) -> dict[str, Any]:
    """The fields that gradient descent reads, with the defaults that differ from model to model."""
    return {
        "schedule": ConstantRate(),
        "regularization": Regularization(),
        "shuffle": True,
        "early_stopping": None,
        "seed": 0,
        "order_seed": None,
        **settings,
    }


@np.errstate(over="ignore", invalid="ignore")
def _answers(problem: Problem) -> bool:
    """Whether the first training rows' outputs at the present weights are numbers."""
    outputs = problem.network.evaluate(problem.train.X[:LOOKED_AT])
    return bool(np.isfinite(to_host(outputs)).all())


def _batch_means(spec: Settings, losses: Array, bounds: list[tuple[int, int]]) -> np.ndarray | None:
    if spec.record.curves != "batch":
        return None
    losses = to_host(losses)
    starts = [start for start, _ in bounds]
    return np.add.reduceat(losses.astype(np.float64), starts) / np.diff([*starts, len(losses)])


@np.errstate(over="ignore", invalid="ignore")
def validate(problem: Problem) -> dict[str, float | None]:
    """The validation rows' loss and score at the present weights; nothing where there are no such rows."""
    if problem.validation is None:
        return {}
    outputs = problem.network.evaluate(problem.validation.X)
    loss = mean_loss(problem, outputs, problem.validation)
    scores = score("validation", problem, to_host(outputs), to_host(problem.validation.Y))
    return {"validation_loss": loss, **scores}
