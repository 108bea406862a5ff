"""The metric that every epoch reports: accuracy of a classification, R² of a regression, right tags of a tagging."""

from typing import TYPE_CHECKING

import numpy as np

from engine.metrics import METRICS

if TYPE_CHECKING:
    from engine.train import Problem


def class_scores(outputs: np.ndarray) -> np.ndarray:
    """Outputs (n, k) as one score a class (n, K), the largest for the class chosen: one output z becomes (−z, z)."""
    return np.hstack([-outputs, outputs]) if outputs.shape[1] == 1 else outputs


def epoch_metric(problem: "Problem") -> str:
    """The name of the problem's metric."""
    return problem.target.metric


def labels(Y: np.ndarray) -> np.ndarray:
    """Targets Y (n, k) as class numbers (n,)."""
    return Y.argmax(axis=1) if Y.shape[1] > 1 else (Y[:, 0] > 0.5).astype(np.intp)


def score(split: str, problem: "Problem", outputs: np.ndarray, Y: np.ndarray) -> dict[str, float | None]:
    """The epoch's metric of raw outputs (n, k) against Y (n, k), under its name: {"train_accuracy": 0.97}."""
    metric = METRICS[epoch_metric(problem)]
    if metric.task == "classification":
        return {f"{split}_{metric.name}": metric.function(class_scores(outputs), labels(Y))}
    return {f"{split}_{metric.name}": metric.function(outputs, Y)}
