"""How good predictions are. To lengthen the list, write one function and its entry in METRICS.

Classification takes probabilities or scores (n, K) and labels (n,), integers from 0 to K − 1; regression takes
predictions and targets, both (n, k); a clustering's each say what they take. Each gives a float, or None where it is
undefined, as it always is without rows.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.parts.clustering import adjusted_rand_index, inertia, silhouette
from engine.spec import heading

Numbers = NDArray[Any]
Labels = NDArray[np.integer[Any]]
TOP = 5
"""The k of `top_k_accuracy` unless told otherwise."""


@dataclass(frozen=True)
class Metric:
    """An entry of the catalog: what a number means, which way is better, and the function that computes it."""

    name: str
    task: Literal["classification", "regression", "tagging", "clustering"]
    better: Literal["higher", "lower"]
    summary: str
    formula: str
    source: str
    function: Callable[[Numbers, Numbers], float | None]
    unit: Literal["target"] | None = None
    """The target's own, however it was scaled in training; None for a number without a unit."""
    title: str = ""

    def heading(self) -> str:
        """Its name for people."""
        return self.title or heading(self.name)


def confusion_matrix(labels: Labels, predicted: Labels, K: int) -> NDArray[np.int64]:
    """How many rows (K, K) of each true class (down) were predicted as each class (across)."""
    pairs = labels.astype(np.int64) * K + predicted
    return np.bincount(pairs, minlength=K * K).reshape(K, K).astype(np.int64)


def accuracy(probabilities: Numbers, labels: Labels) -> float | None:
    if not len(labels):
        return None
    return float(np.mean(probabilities.argmax(axis=1) == labels))


def top_k_accuracy(probabilities: Numbers, labels: Labels, k: int = TOP) -> float | None:
    """Classes that score alike count in their order, so that with k = 1 it is the accuracy."""
    if not len(labels):
        return None
    true = probabilities[np.arange(len(labels)), labels][:, None]
    before = np.arange(probabilities.shape[1]) < labels[:, None]
    rank = ((probabilities > true) | ((probabilities == true) & before)).sum(axis=1)
    return float(np.mean((rank < k) & ~np.isnan(true[:, 0])))


def precision_macro(probabilities: Numbers, labels: Labels) -> float | None:
    right, predicted, true = _class_counts(probabilities, labels)
    return _macro(right, predicted, predicted + true > 0)


def recall_macro(probabilities: Numbers, labels: Labels) -> float | None:
    right, predicted, true = _class_counts(probabilities, labels)
    return _macro(right, true, predicted + true > 0)


def f1_macro(probabilities: Numbers, labels: Labels) -> float | None:
    right, predicted, true = _class_counts(probabilities, labels)
    return _macro(2 * right, predicted + true, predicted + true > 0)


def _class_counts(probabilities: Numbers, labels: Labels) -> tuple[Numbers, Numbers, Numbers]:
    """For each class (K,): the rows rightly given to it, all rows given to it, and all rows of it."""
    table = confusion_matrix(labels, probabilities.argmax(axis=1), probabilities.shape[1])
    return table.diagonal(), table.sum(axis=0), table.sum(axis=1)


def _macro(right: Numbers, out_of: Numbers, present: Numbers) -> float | None:
    """The mean share over the classes that occur among the labels or the predictions; 0 out of 0 counts as 0."""
    if not present.any():
        return None
    return float(np.mean((right / np.maximum(1, out_of))[present]))


def log_loss(probabilities: Numbers, labels: Labels) -> float | None:
    if not len(labels):
        return None
    true = probabilities[np.arange(len(labels)), labels]
    # As scikit-learn does: a probability of 0 counts as the smallest step of the float type, not as an infinite loss.
    return float(-np.mean(np.log(np.maximum(true, np.finfo(true.dtype).eps)), dtype=np.float64))


def roc_auc(probabilities: Numbers, labels: Labels) -> float | None:
    """Two classes are judged by the second's column; more by the mean over the classes that occur, each vs the rest."""
    K = probabilities.shape[1]
    counts = np.bincount(labels, minlength=K)
    if np.count_nonzero(counts) < 2:
        return None
    classes = np.flatnonzero(counts) if K > 2 else [K - 1]
    return float(np.mean([_area(probabilities[:, c], labels == c) for c in classes]))


def _area(scores: Numbers, positive: NDArray[np.bool_]) -> float:
    """The share of pairs of a positive and a negative row in which the positive scores higher; ties count half."""
    low = np.sort(scores[~positive])
    high = np.sort(scores[positive])
    wins = np.searchsorted(low, high, side="left").sum() + np.searchsorted(low, high, side="right").sum()
    return float(wins) / (2.0 * len(low) * len(high))


def tag_accuracy(outputs: Numbers, tags: Numbers) -> float | None:
    """Share of right tags: raw outputs or margins (n, k), positive for a tag that holds, and tags (n, k) of 0 and 1."""
    if not len(tags):
        return None
    return float(np.mean((outputs > 0) == (tags > 0.5)))


def r2(predictions: Numbers, targets: Numbers) -> float | None:
    """The mean over outputs; None as soon as one of them has a constant target."""
    if not len(targets) or np.any(targets.max(axis=0) == targets.min(axis=0)):
        return None
    residual, powers = _squares(targets - predictions)
    total, others = _squares(targets - targets.mean(axis=0, dtype=np.float64))
    with np.errstate(over="ignore"):
        return float(np.mean(1 - np.ldexp(residual / total, 2 * (powers - others))))


def mae(predictions: Numbers, targets: Numbers) -> float | None:
    if not len(targets):
        return None
    return float(np.mean(np.abs(targets - predictions), dtype=np.float64))


def rmse(predictions: Numbers, targets: Numbers) -> float | None:
    """The mean over outputs of each output's root mean square."""
    if not len(targets):
        return None
    return float(np.mean(root_mean_square(targets - predictions)))


def root_mean_square(errors: Numbers) -> Numbers:
    """Root mean square: each output's (k,) of errors (n, k); one of errors (n,)."""
    squares, powers = _squares(errors)
    return np.asarray(np.ldexp(np.sqrt(squares / len(errors)), powers))


def _squares(errors: Numbers) -> tuple[Numbers, NDArray[np.intc]]:
    """Each output's sum of squares (k,), and a power of two (k,) whose square it is yet to be multiplied by: 0 but where the
    squares leave the float type's range.
    """
    limits = np.finfo(errors.dtype)
    with np.errstate(over="ignore", under="ignore"):
        sums = np.square(errors).sum(axis=0, dtype=np.float64)
        kept = (sums > limits.tiny / limits.eps) & (sums < limits.max)
        if kept.all():
            return sums, np.zeros(sums.shape, np.intc)
        powers = np.where(kept, 0, np.frexp(np.abs(errors).max(axis=0))[1]).astype(np.intc)
        return np.square(np.ldexp(errors, -powers)).sum(axis=0, dtype=np.float64), powers


_TABLE = (
    Metric(
        "accuracy",
        "classification",
        "higher",
        "The share of rows whose most probable class is the true one.",
        r"\frac{1}{n}\sum_i [\hat y_i = y_i]",
        "Bishop, Pattern Recognition and Machine Learning, 2006, section 1.5.1",
        accuracy,
    ),
    Metric(
        "top_k_accuracy",
        "classification",
        "higher",
        "The share of rows whose true class is among the k most probable ones; 1 minus it is the top-k error.",
        r"\frac{1}{n}\sum_i \left[\, |\{c : p_{i,c} > p_{i,y_i}\}| < k \,\right]",
        "Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural Networks, 2012",
        top_k_accuracy,
        title="Top-k accuracy",
    ),
    Metric(
        "precision_macro",
        "classification",
        "higher",
        "The share of rows given to a class that belong to it, averaged over the classes.",
        r"\frac{1}{K}\sum_c \frac{TP_c}{TP_c + FP_c}",
        "Sokolova and Lapalme, A Systematic Analysis of Performance Measures for Classification Tasks, 2009",
        precision_macro,
        title="Precision (macro)",
    ),
    Metric(
        "recall_macro",
        "classification",
        "higher",
        "The share of a class's rows that were given to it, averaged over the classes.",
        r"\frac{1}{K}\sum_c \frac{TP_c}{TP_c + FN_c}",
        "Sokolova and Lapalme, A Systematic Analysis of Performance Measures for Classification Tasks, 2009",
        recall_macro,
        title="Recall (macro)",
    ),
    Metric(
        "f1_macro",
        "classification",
        "higher",
        "The harmonic mean of precision and recall, averaged over the classes.",
        r"\frac{1}{K}\sum_c \frac{2\,TP_c}{2\,TP_c + FP_c + FN_c}",
        "van Rijsbergen, Information Retrieval, 1979, chapter 7",
        f1_macro,
        title="F1 (macro)",
    ),
    Metric(
        "log_loss",
        "classification",
        "lower",
        "The mean of minus the logarithm of the true class's probability.",
        r"-\frac{1}{n}\sum_i \ln p_{i, y_i}",
        "Good, Rational Decisions, 1952",
        log_loss,
    ),
    Metric(
        "roc_auc",
        "classification",
        "higher",
        "How often a row of a class scores higher for it than a row of another, averaged over the classes.",
        r"\frac{1}{K}\sum_c \left( P(s_c^+ > s_c^-) + \tfrac{1}{2} P(s_c^+ = s_c^-) \right)",
        "Hanley and McNeil, The Meaning and Use of the Area under a ROC Curve, 1982",
        roc_auc,
        title="ROC AUC",
    ),
    Metric(
        "tag_accuracy",
        "tagging",
        "higher",
        "The share of tags, over all rows, that are rightly given or left out.",
        r"\frac{1}{nk}\sum_{i,j} [\hat y_{ij} = y_{ij}]",
        "Schapire and Singer, Improved Boosting Algorithms Using Confidence-rated Predictions, 1999: one less Hamming loss",
        tag_accuracy,
    ),
    Metric(
        "r2",
        "regression",
        "higher",
        "The share of the target's variance that the predictions explain.",
        r"1 - \frac{\sum_i (y_i - \hat y_i)^2}{\sum_i (y_i - \bar y)^2}",
        "Draper and Smith, Applied Regression Analysis, 1998, section 1.3",
        r2,
        title="R²",
    ),
    Metric(
        "mae",
        "regression",
        "lower",
        "The mean of the errors without their signs, in the target's unit.",
        r"\frac{1}{n}\sum_i |y_i - \hat y_i|",
        "Willmott and Matsuura, Advantages of the Mean Absolute Error over the Root Mean Square Error, 2005",
        mae,
        "target",
        title="Mean absolute error",
    ),
    Metric(
        "rmse",
        "regression",
        "lower",
        "The root of the mean squared error, in the target's unit.",
        r"\sqrt{\frac{1}{n}\sum_i (y_i - \hat y_i)^2}",
        "Hyndman and Koehler, Another Look at Measures of Forecast Accuracy, 2006",
        rmse,
        "target",
        title="Root mean squared error",
    ),
    Metric(
        "inertia",
        "clustering",
        "lower",
        "The sum of the rows' squared distances to the centroids of their clusters.",
        r"\sum_i \min_j \lVert x_i - c_j \rVert^2",
        "MacQueen, Some Methods for Classification and Analysis of Multivariate Observations, 1967",
        inertia,
    ),
    Metric(
        "silhouette",
        "clustering",
        "higher",
        "How much nearer rows are to those of their own cluster than to those of the next one, between -1 and 1.",
        r"\frac{1}{n}\sum_i \frac{b_i - a_i}{\max(a_i, b_i)}",
        "Rousseeuw, Silhouettes: A Graphical Aid to the Interpretation and Validation of Cluster Analysis, 1987",
        silhouette,
    ),
    Metric(
        "adjusted_rand_index",
        "clustering",
        "higher",
        "How far clusters and labels put the same rows together: 1 where they agree, about 0 by chance.",
        r"\frac{\sum_{ij}\binom{n_{ij}}{2} - E}{\frac{1}{2}\left[\sum_i\binom{a_i}{2} + \sum_j\binom{b_j}{2}\right] - E}, "
        r"\quad E = \sum_i\binom{a_i}{2} \sum_j\binom{b_j}{2} \Big/ \binom{n}{2}",
        "Hubert and Arabie, Comparing Partitions, 1985",
        adjusted_rand_index,
        title="Adjusted Rand index",
    ),
)
METRICS: dict[str, Metric] = {metric.name: metric for metric in _TABLE}


def metric_units(names: Iterable[str]) -> dict[str, str]:
    """The unit of each of those metrics that has one."""
    return {name: unit for name in names if (unit := METRICS[name].unit) is not None}
