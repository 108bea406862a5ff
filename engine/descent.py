"""Gradient descent on a network: batches, backpropagation, regularisation, an optimiser's step."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.backend import Array, to_host
from engine.errors import Diverged
from engine.network import Network
from engine.randomness import generator
from engine.scoring import score
from engine.train import Epoch, Matrices, Problem, State

if TYPE_CHECKING:
    from engine.training import Training

BREATH_SECONDS = 0.1
"""A longer epoch yields in between, so that a caller can stop it."""


class Step:
    """One batch: gather its rows, forward, loss, backward, penalty, clip, update; all in arrays made once."""

    def __init__(self, problem: Problem, vectors: dict[str, Array]) -> None:
        spec, network = problem.spec, problem.network
        assert spec.loss is not None and spec.optimizer is not None
        self.spec, self.network, self.loss, self.optimizer = spec, network, spec.loss, spec.optimizer
        self.train = problem.train
        self.xp = network.xp
        self.slots = [vectors[name] for name in self.optimizer.slots]
        self.work = self.xp.empty_like(network.parameters.theta)
        self.buffers: dict[int, tuple[Array, Array, Array]] = {}

    def _buffers(self, rows: int) -> tuple[Array, Array, Array]:
        if rows not in self.buffers:
            X, Y, empty, dtype = self.train.X, self.train.Y, self.xp.empty, self.network.dtype
            shapes = ((rows, X.shape[1]), (rows, Y.shape[1]), (rows, self.network.outputs))
            self.buffers[rows] = tuple(empty(shape, dtype) for shape in shapes)
        return self.buffers[rows]

    @np.errstate(over="ignore", invalid="ignore")  # what diverges is found at the end of the epoch, by its loss
    def __call__(self, rows: Array, step: int, rate: float, losses: Array, outputs: Array) -> Array:
        """Train on those rows; writes each one's loss (b,) and raw outputs (b, k). Returns the gradient's norm, a scalar."""
        xp, network, train = self.xp, self.network, self.train
        X, Y, work = self._buffers(rows.shape[0])
        xp.take(train.X, rows, axis=0, out=X, mode="clip")
        xp.take(train.Y, rows, axis=0, out=Y, mode="clip")
        workspace = network.workspace(rows.shape[0])
        if network.has_dropout:
            network.draw_masks(workspace, self.spec.seed or 0, step)
        Z = network.forward(X, workspace, masked=network.has_dropout)
        outputs[...] = Z
        dZ = workspace.dZ[-1]
        self.loss.rows(xp, Z, Y, losses, work)
        self.loss.gradient(xp, Z, Y, dZ)
        if train.weights is not None:
            weights = xp.take(train.weights, rows)
            losses *= weights
            dZ *= weights[:, None]
        dZ *= 1.0 / rows.shape[0]
        network.backward(X, workspace, masked=network.has_dropout)
        self._penalize()
        norm = self._clip()
        parameters = network.parameters
        self.optimizer.update(xp, parameters.theta, parameters.gradient, self.slots, self.work, step, rate)
        return norm

    def _penalize(self) -> None:
        """Add the gradient of the penalties on the weights; a bias is never penalised."""
        l1, l2 = self.spec.penalties(self.train.rows)
        if not (l1 or l2):
            return
        for layer in self.network.parameters.layers:
            if l2:
                self.xp.add(layer.dW, l2 * layer.W, out=layer.dW)
            if l1:
                self.xp.add(layer.dW, l1 * self.xp.sign(layer.W), out=layer.dW)

    def _clip(self) -> Array:
        """Scale ∇ down to `clip_norm` where it is longer (Pascanu et al. 2013). Returns the length before."""
        gradient = self.network.parameters.gradient
        norm = self.xp.sqrt(self.xp.dot(gradient, gradient))
        regularization = self.spec.regularization
        if regularization is not None and regularization.clip_norm is not None:
            gradient *= self.xp.minimum(1.0, regularization.clip_norm / self.xp.maximum(norm, 1e-30))
        return norm


def batch_bounds(rows: int, batch_size: int | str) -> list[tuple[int, int]]:
    """The slices [start, end) that a batch size cuts the rows into; the last one may be shorter."""
    size = rows if batch_size == "full" else min(int(batch_size), rows)
    return [(start, min(start + size, rows)) for start in range(0, rows, size)]


def start_vectors(spec: "Training", network: Network) -> dict[str, Array]:
    """The optimiser's vectors and the schedule's memory before the first step."""
    assert spec.optimizer is not None and spec.schedule is not None
    vectors = {name: network.xp.zeros_like(network.parameters.theta) for name in spec.optimizer.slots}
    return {**vectors, "schedule": np.array(spec.schedule.start(), np.float64)}


def descend(problem: Problem, state: State) -> Iterator[Epoch]:
    """Epochs of gradient descent from `state` on. An epoch's train_loss is the mean over its rows of the loss that each
    had just before the step it took part in. Raises Diverged when it is no longer a number.
    """
    spec, network, train = problem.spec, problem.network, problem.train
    assert spec.optimizer is not None and spec.schedule is not None and spec.epochs is not None
    xp = network.xp
    if not state.vectors:
        state.vectors.update(start_vectors(spec, network))
    step = Step(problem, state.vectors)
    bounds = batch_bounds(train.rows, spec.batch_size or "full")
    losses = xp.empty(train.rows, network.dtype)
    outputs = xp.empty((train.rows, network.outputs), network.dtype)
    norms = xp.empty(len(bounds), network.dtype)
    host_order = np.arange(train.rows)

    while state.epoch < spec.epochs:
        started = breath = time.perf_counter()
        if spec.shuffle:
            host_order = generator(spec.seed or 0, "shuffle", state.epoch).permutation(train.rows)
        order = xp.asarray(host_order)
        memory = tuple(float(value) for value in to_host(state.vectors["schedule"]))
        rate = spec.schedule.rate(spec.optimizer.learning_rate, state.epoch, spec.epochs, memory)
        for batch, (start, end) in enumerate(bounds):
            state.step += 1
            norms[batch] = step(order[start:end], state.step, rate, losses[start:end], outputs[start:end])
            if time.perf_counter() - breath > BREATH_SECONDS:
                yield Epoch(state.epoch + 1, whole=False)
                breath = time.perf_counter()
        state.epoch += 1

        host_losses = to_host(losses)
        train_loss = float(host_losses.mean(dtype=np.float64))
        if not np.isfinite(train_loss):
            raise Diverged(epoch=state.epoch, learning_rate=rate)
        with np.errstate(over="ignore", invalid="ignore"):
            scores = score("train", problem, to_host(outputs), to_host(train.Y)[host_order])
        values = {"train_loss": train_loss, **scores}
        values |= validate(problem)
        watched = values.get("validation_loss", train_loss)
        assert watched is not None
        state.vectors["schedule"] = np.array(spec.schedule.observe(memory, watched), np.float64)
        values |= {
            "learning_rate": rate,
            "gradient_norm": float(to_host(norms).mean(dtype=np.float64)),
            "seconds": time.perf_counter() - started,
        }
        yield Epoch(state.epoch, values=values, batch_losses=_batch_means(spec, host_losses, bounds))


def _batch_means(spec: "Training", losses: np.ndarray, bounds: list[tuple[int, int]]) -> np.ndarray | None:
    if spec.record.curves != "batch":
        return None
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


def mean_loss(problem: Problem, outputs: Array, matrices: Matrices) -> float:
    """Mean of the rows' losses for raw outputs (n, k), weighted as the rows are."""
    xp: Any = problem.network.xp
    loss = problem.spec.loss
    assert loss is not None
    losses = xp.empty(matrices.rows, problem.network.dtype)
    loss.rows(xp, outputs, matrices.Y, losses, xp.empty_like(outputs))
    if matrices.weights is not None:
        losses *= matrices.weights
    return float(to_host(losses).mean(dtype=np.float64))
