"""Permutation importance: how much worse a metric becomes when the cells of one column change places among the rows."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.errors import InvalidSpec
from engine.glass.dependence import slice_of
from engine.parts.metrics import METRICS
from engine.randomness import generator
from engine.tables.features import Column
from engine.training.evaluation import measured
from engine.training.predict import Predictor

FORMULA = r"I_j = \frac{1}{R} \sum_r \left( s - s_{j,r} \right)"
"""Of a metric of which less is better, the other way round."""
SOURCE = (
    "Breiman, Random Forests, 2001, section 10; Fisher, Rudin and Dominici, All Models are Wrong, but Many are Useful, 2019"
)


@dataclass(frozen=True)
class ColumnImportance:
    """What the metric loses each time that a column's cells change places (r,); below 0 it has become better by chance."""

    column: str
    losses: np.ndarray


def metric_named(predictor: Predictor, name: str | None) -> str:
    """The metric that is to be looked at, by default the one that every epoch has. Raises InvalidSpec at `/metric`."""
    task = predictor.target.task
    if task == "clustering":
        detail = (
            "a clustering has no target to be right about; its evaluation tells of the clusters, and /dependence of features"
        )
        raise InvalidSpec([("/model_id", detail)])
    known = [metric.name for metric in METRICS.values() if metric.task == task and metric.name != "top_k_accuracy"]
    if predictor.training.loss is None or not predictor.training.loss.probabilistic:
        known = [each for each in known if each != "log_loss"]
    if name is not None and name not in known:
        raise InvalidSpec([("/metric", f"'{name[:50]}' is no metric of such a {task}; choose one of {', '.join(known)}")])
    return name or predictor.target.metric


def permutations(rows: int, repeats: int, seed: int) -> np.ndarray:
    """The orders (repeats, rows) that the cells of each column are put in."""
    return np.stack([generator(seed, "permutation", repeat).permutation(rows) for repeat in range(repeats)])


@np.errstate(over="ignore", invalid="ignore")  # weights that went astray are shown as they are
def importances(
    predictor: Predictor, metric: str, columns: Mapping[str, Column], orders: np.ndarray
) -> tuple[float, list[ColumnImportance]]:
    """The metric on the rows of the columns, and the importance of each column that the model reads, as its cells take each
    of the orders (repeats, rows); all features of a column change places together.

    Raises InvalidSpec at `/metric` where it has no value on these rows.
    """
    X = predictor.features.transform(columns, predictor.learner.dtype)
    base = measured(metric, predictor, predictor.outputs_of(X), columns)
    if base is None:
        detail = f"{metric} has no value on these rows, as where a target never varies; choose another metric or split"
        raise InvalidSpec([("/metric", detail)])
    sign = 1 if METRICS[metric].better == "higher" else -1
    found = []
    for entry in predictor.features.inputs:
        place = slice_of(predictor, entry)
        kept, lost = X[:, place].copy(), []
        for order in orders:
            X[:, place] = kept[order]
            moved = measured(metric, predictor, predictor.outputs_of(X), columns)
            lost.append(np.nan if moved is None else sign * (base - moved))
        X[:, place] = kept
        found.append(ColumnImportance(entry.name, np.array(lost)))
    return base, found
