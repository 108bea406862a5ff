"""The report of every epoch: the rows' mean loss, and accuracy of classes, R² of numbers, or the share of right tags."""

import numpy as np

from engine.backend import Array, to_host
from engine.models.base import Matrices, Problem
from engine.parts.metrics import METRICS


def class_scores(outputs: np.ndarray) -> np.ndarray:
    """Outputs (n, k) as one score a class (n, K), the largest for the class chosen: one output z becomes (−z, z)."""
    return np.hstack([-outputs, outputs]) if outputs.shape[1] == 1 else outputs


def labels(Y: np.ndarray) -> np.ndarray:
    """Targets Y (n, k) as class numbers (n,)."""
    return Y.argmax(axis=1) if Y.shape[1] > 1 else (Y[:, 0] > 0.5).astype(np.intp)


def score(split: str, problem: Problem, outputs: np.ndarray, Y: np.ndarray) -> dict[str, float | None]:
    """The epoch's metric of raw outputs (n, k) against Y (n, k), under its name: {"train_accuracy": 0.97}."""
    metric = METRICS[problem.target.metric]
    if metric.task == "classification":
        return {f"{split}_{metric.name}": metric.function(class_scores(outputs), labels(Y))}
    return {f"{split}_{metric.name}": metric.function(outputs, Y)}


def mean_loss(problem: Problem, outputs: Array, matrices: Matrices) -> float:
    """Mean of the rows' losses for raw outputs (n, k), weighted as the rows are; infinite where it leaves the float's range."""
    losses = problem.network.xp.empty(matrices.rows, problem.network.dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        row_losses(problem, outputs, matrices, losses)
    return mean_of(to_host(losses))


def row_losses(problem: Problem, outputs: Array, matrices: Matrices, out: Array) -> None:
    """Write each row's loss for raw outputs (n, k) into `out` (n,), times the row's weight."""
    xp, loss = problem.network.xp, problem.spec.loss
    assert loss is not None
    loss.rows(xp, outputs, matrices.Y, out, xp.empty_like(outputs))
    if matrices.weights is not None:
        out *= matrices.weights


def mean_of(numbers: np.ndarray) -> float:
    """Their mean, summed in float64."""
    return float(numbers.mean(dtype=np.float64))
