"""How good a trained model is on a set of rows: every metric of its task, and the pictures behind them as numbers."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.errors import InputError
from engine.models.scoring import class_scores
from engine.parts.clustering import adjusted_rand_index, silhouettes
from engine.parts.metrics import METRICS, TOP, confusion_matrix, root_mean_square, top_k_accuracy
from engine.randomness import generator
from engine.tables.features import Column, word
from engine.tables.target import Classes, Numbers
from engine.training.predict import Predictor
from engine.training.prepare import fit

MAX_POINTS = 500
"""Points of a curve or residuals that are given out; a longer curve is thinned evenly, its ends kept."""
SILHOUETTE_ROWS = 10_000
SILHOUETTE_PRODUCTS = 5 * 10**10
"""Rows up to which a silhouette is exact. It takes the distances of all rows to all others: of more rows, so many are drawn.
Of rows of over 500 features fewer, so that there are no more products than that.
"""
BY_PROBABILITY = ("log_loss", "roc_auc")
"""Metrics of a classification that look at the classes' probabilities, where there are some."""
MOST_LABELS = 20
"""Labels that are counted in a cluster."""
LARGEST = 10
"""Rows with the largest residuals that are named, unless told otherwise."""


@dataclass(frozen=True)
class Evaluation:
    """The evaluation on one split's rows. Fields that mean nothing for the task are None."""

    split: str
    rows: int
    metrics: dict[str, float | None]
    classes: list[Any] | None = None
    confusion_matrix: list[list[int]] | None = None
    by_class: list[dict[str, Any]] | None = None
    roc: list[dict[str, Any]] | None = None
    precision_recall: list[dict[str, Any]] | None = None
    residuals: dict[str, Any] | None = field(default=None)
    top_k: int | None = None
    """The k of `top_k_accuracy`."""
    clusters: list[dict[str, Any]] | None = None
    silhouette_rows: int | None = None
    """How many rows the silhouette was taken of."""


def evaluate(
    predictor: Predictor,
    columns: Mapping[str, Column],
    split: str | None,
    largest: int = LARGEST,
    top_k: int | None = None,
) -> Evaluation | None:
    """The model on the rows that its spec set apart as `split` (by default test, else validation, else train). Of a
    regression, the `largest` residuals are named with their rows; of a classification, `top_k_accuracy` is that of `top_k`
    classes, or of TOP where there are more.

    None where there are no such rows. Raises InputError where there are no more classes than `top_k`.
    """
    k = _top_k(predictor, top_k)
    chosen = fit(predictor.training, columns).rows
    if split is None:
        split = next(name for name in ("test", "validation", "train") if len(chosen[name]))
    rows = chosen[split]
    if not len(rows):
        return None
    taken = {name: column.take(rows) for name, column in columns.items()}
    outputs = predictor.outputs(taken).astype(np.float64)
    return EVALUATIONS[predictor.target.task](split, predictor, outputs, taken, Named(rows, largest, k))


def _top_k(predictor: Predictor, asked: int | None) -> int | None:
    """The k of `top_k_accuracy`; None where it would say nothing, which no one has asked for."""
    classes = predictor.target.classes if predictor.target.task == "classification" else None
    if asked is None:
        return TOP if classes is not None and len(classes) > TOP else None
    if classes is None:
        raise InputError([("/top_k", f"top_k means nothing for a {predictor.target.task}; leave it out")])
    if asked >= len(classes):
        detail = f"there are {len(classes)} classes, all of which are among {asked}; choose less than {len(classes)}"
        raise InputError([("/top_k", detail)])
    return asked


@dataclass(frozen=True)
class Named:
    """The evaluated rows by their numbers in the table (n,), how many of them may be named, and the k of top_k_accuracy."""

    rows: np.ndarray
    most: int
    top_k: int | None = None


def _of_numbers(
    split: str, predictor: Predictor, outputs: np.ndarray, columns: Mapping[str, Column], named: Named
) -> Evaluation:
    target = predictor.target
    assert isinstance(target, Numbers)
    actual, predicted = target.actual(columns), target.restored(outputs)
    names = enumerate(target.names)
    residuals = {name: _residuals(actual[:, index], predicted[:, index], named) for index, name in names}
    return Evaluation(split, len(actual), _metrics("regression", predicted, actual), residuals=residuals)


def _residuals(actual: np.ndarray, predicted: np.ndarray, named: Named) -> dict[str, Any]:
    residual, shown = actual - predicted, thinned(len(actual))
    return {
        "actual": actual[shown].tolist(),
        "predicted": predicted[shown].tolist(),
        "metrics": _metrics("regression", predicted[:, None], actual[:, None]),
        "mean": float(residual.mean()),
        "std": float(root_mean_square(residual - residual.mean())),
        "quantiles": {str(q): float(np.quantile(residual, q)) for q in (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)},
        "largest": [
            {
                "row": int(named.rows[place]),
                "actual": float(actual[place]),
                "predicted": float(predicted[place]),
                "residual": float(residual[place]),
            }
            for place in np.argsort(-_size(residual), kind="stable")[: named.most]
        ],
    }


def _size(residual: np.ndarray) -> np.ndarray:
    """How far off each is; one that is no number is as far as can be."""
    return np.where(np.isnan(residual), np.inf, np.abs(residual))


def _of_classes(
    split: str, predictor: Predictor, outputs: np.ndarray, columns: Mapping[str, Column], named: Named
) -> Evaluation:
    labels = predictor.target.strata(columns)
    assert labels is not None
    classes = list(predictor.target.classes or ())
    chosen, shared = class_scores(outputs), class_shares(predictor, outputs)
    scores = chosen if shared is None else shared
    table = confusion_matrix(labels, chosen.argmax(axis=1), len(classes))
    curves = [_curves(name, scores[:, index], labels == index) for index, name in enumerate(classes)]
    return Evaluation(
        split,
        len(labels),
        _of_scores(chosen, scores, labels, named.top_k) | ({"log_loss": None} if shared is None else {}),
        classes,
        table.tolist(),
        [_of_class(name, *_counts(table, index)) for index, name in enumerate(classes)],
        [roc for roc, _ in curves],
        [precision_recall for _, precision_recall in curves],
        top_k=named.top_k,
    )


def class_shares(predictor: Predictor, outputs: np.ndarray) -> np.ndarray | None:
    """The classes' probabilities (n, K); None where there are none."""
    shares = predictor.probabilities(outputs)
    return None if shares is None else np.stack(list(shares.values()), axis=1)


def _of_scores(chosen: np.ndarray, scores: np.ndarray, labels: np.ndarray, top_k: int | None) -> dict[str, float | None]:
    """The metrics of a classification; that of the k best classes where a k says something. Those that ask which class was
    chosen look at the raw scores, as predictions do: of one-vs-rest several probabilities may round to 1.
    """
    found = {
        metric.name: metric.function(scores if metric.name in BY_PROBABILITY else chosen, labels)
        for metric in METRICS.values()
        if metric.task == "classification" and metric.name != "top_k_accuracy"
    }
    return found if top_k is None else found | {"top_k_accuracy": top_k_accuracy(chosen, labels, top_k)}


def _of_tags(split: str, predictor: Predictor, outputs: np.ndarray, columns: Mapping[str, Column], named: Named) -> Evaluation:
    names = predictor.target.output_names(outputs.shape[1])  # of a tag of words, which one counts as held
    actual = predictor.target.matrix(columns, outputs.shape[1], np.float64)
    given, held = outputs > 0, actual > 0.5
    curves = [_curves(name, outputs[:, index], held[:, index]) for index, name in enumerate(names)]
    counts = zip((given & held).sum(axis=0), given.sum(axis=0), held.sum(axis=0), strict=True)
    return Evaluation(
        split,
        len(actual),
        _metrics("tagging", outputs, actual),
        names,
        by_class=[_of_class(name, *map(int, found)) for name, found in zip(names, counts, strict=True)],
        roc=[roc for roc, _ in curves],
        precision_recall=[precision_recall for _, precision_recall in curves],
    )


def _of_clusters(
    split: str, predictor: Predictor, outputs: np.ndarray, columns: Mapping[str, Column], named: Named
) -> Evaluation:
    clusters = outputs.argmin(axis=1)
    own = outputs[np.arange(len(outputs)), clusters]
    sampled = _sampled(predictor, len(outputs))
    X = predictor.features.transform({name: column.take(sampled) for name, column in columns.items()}, np.float64)
    found = silhouettes(X, clusters[sampled])
    labels = _labels(predictor, columns)
    metrics = {
        "inertia": float(np.square(own).sum()),
        "silhouette": None if found is None else float(found.mean()),
        "adjusted_rand_index": None if labels is None else adjusted_rand_index(clusters[labels.rows], labels.codes),
    }
    entries = []
    for cluster in range(outputs.shape[1]):
        members = clusters == cluster
        shown = clusters[sampled] == cluster
        entry: dict[str, Any] = {
            "cluster": cluster,
            "rows": int(members.sum()),
            "inertia": float(np.square(own[members]).sum()),
            "mean_distance": float(own[members].mean()) if members.any() else None,
            "silhouette": float(found[shown].mean()) if found is not None and shown.any() else None,
            "labels": None if labels is None else labels.counted(members),
        }
        entries.append(entry)
    return Evaluation(split, len(outputs), metrics, clusters=entries, silhouette_rows=len(sampled))


def products_of_silhouettes(predictor: Predictor, rows: int) -> int:
    """How many products an evaluation takes for the silhouettes of a clustering; none of anything else."""
    width = predictor.features.width
    return 0 if predictor.training.model.has_target else min(rows, _most_rows(width)) ** 2 * width


def _most_rows(width: int) -> int:
    return min(SILHOUETTE_ROWS, math.isqrt(SILHOUETTE_PRODUCTS // max(1, width)))


def _sampled(predictor: Predictor, rows: int) -> np.ndarray:
    """Places of the rows that the silhouette is taken of, in order: all, or as many as it may be, drawn by the job's seed."""
    most = _most_rows(predictor.features.width)
    if rows <= most:
        return np.arange(rows)
    drawn = generator(predictor.training.seed or 0, "silhouette").choice(rows, most, replace=False)
    return np.sort(drawn)


@dataclass(frozen=True)
class Labels:
    """What clusters are held against: the rows (m,) that have a label, the labels' numbers (m,), and their names."""

    rows: np.ndarray
    codes: np.ndarray
    names: list[str]

    def counted(self, members: np.ndarray) -> dict[str, int]:
        """How many of a cluster's rows have each label, the most frequent ones first; `members` says which rows these are."""
        counts = np.bincount(self.codes[members[self.rows]], minlength=len(self.names))
        order = np.argsort(-counts, kind="stable")[:MOST_LABELS]
        return {self.names[code]: int(counts[code]) for code in order if counts[code]}


def _labels(predictor: Predictor, columns: Mapping[str, Column]) -> Labels | None:
    """Those of the column that the model names, if it names one and a row has a cell there."""
    named = [columns[name] for name in predictor.training.model.columns]
    if not named or named[0].missing.all():
        return None
    column = named[0]
    rows = np.flatnonzero(~column.missing)
    given = column.take(rows)
    classes = Classes.fit([given])
    codes = classes.strata({given.name: given})
    assert codes is not None
    return Labels(rows, codes, [word(label) for label in classes.classes])


EVALUATIONS = {
    "regression": _of_numbers,
    "classification": _of_classes,
    "tagging": _of_tags,
    "clustering": _of_clusters,
}


def _metrics(task: str, predicted: np.ndarray, actual: np.ndarray) -> dict[str, float | None]:
    return {metric.name: metric.function(predicted, actual) for metric in METRICS.values() if metric.task == task}


def measured(metric: str, predictor: Predictor, outputs: np.ndarray, columns: Mapping[str, Column]) -> float | None:
    """One metric of the model's task, from raw outputs (n, k) for the rows of those columns, as an evaluation has it."""
    target, outputs = predictor.target, outputs.astype(np.float64)
    if isinstance(target, Numbers):
        return METRICS[metric].function(target.restored(outputs), target.actual(columns))
    labels = target.strata(columns)
    if labels is None:
        return METRICS[metric].function(outputs, target.matrix(columns, outputs.shape[1], np.float64))
    shared = class_shares(predictor, outputs) if metric in BY_PROBABILITY else None
    return METRICS[metric].function(class_scores(outputs) if shared is None else shared, labels)


def _counts(table: np.ndarray, index: int) -> tuple[int, int, int]:
    """Rows rightly given to a class, all given to it, and all of it."""
    return int(table[index, index]), int(table[:, index].sum()), int(table[index].sum())


def _of_class(name: Any, right: int, predicted: int, actual: int) -> dict[str, Any]:
    return {
        "class": name,
        "precision": right / predicted if predicted else None,
        "recall": right / actual if actual else None,
        "f1": 2 * right / (predicted + actual) if predicted + actual else None,
        "support": actual,
    }


def _curves(name: Any, scores: np.ndarray, positive: np.ndarray) -> tuple[dict[str, Any], dict[str, Any]]:
    """The ROC and precision–recall curves of one class against the rest, a point for every different score
    (Fawcett, An Introduction to ROC Analysis, 2006). Neither has a point without a row of the class, nor the first without a
    row of another.
    """
    order = np.argsort(-scores, kind="stable")
    last_of_each = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    hits = np.cumsum(positive[order])[last_of_each]
    taken = last_of_each + 1
    hits, taken = np.insert(hits, 0, 0), np.insert(taken, 0, 0)
    threshold = np.insert(scores[order][last_of_each].astype(np.float64), 0, np.inf)
    positives = int(positive.sum())
    negatives = len(positive) - positives
    roc: dict[str, Any] = {"class": name, **dict.fromkeys(("false_positive_rate", "true_positive_rate", "threshold"))}
    if not positives:
        return roc, {"class": name, **dict.fromkeys(("recall", "precision", "threshold"))}
    shown = thinned(len(taken))
    recall, thresholds = (hits / positives)[shown].tolist(), threshold[shown].tolist()
    if negatives:
        false_positives = ((taken - hits) / negatives)[shown].tolist()
        roc |= {"false_positive_rate": false_positives, "true_positive_rate": recall, "threshold": thresholds}
    precision = np.where(taken > 0, hits / np.maximum(taken, 1), 1.0)
    return roc, {"class": name, "recall": recall, "precision": precision[shown].tolist(), "threshold": thresholds}


def thinned(points: int, most: int = MAX_POINTS) -> np.ndarray:
    """Indices of at most so many of the points, evenly spread, the first and the last among them."""
    return np.unique(np.linspace(0, points - 1, min(points, most)).round().astype(np.intp))
