"""Partial dependence: what a model answers on average while one feature takes each of some values in turn."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from engine.errors import InvalidSpec
from engine.tables.features import Column, Features, Input, word
from engine.tables.target import NoTarget, Numbers
from engine.training.predict import Predictor, columns_of

FORMULA = r"\bar{f}_j(v) = \frac{1}{n} \sum_i f(x_i \text{ with } x_{ij} = v)"
SOURCE = "Friedman, Greedy Function Approximation: A Gradient Boosting Machine, 2001, section 8.2"
Of = Literal["prediction", "probability", "score", "share"]


@dataclass(frozen=True)
class Dependence:
    """The values (m,) that a feature takes, and what is averaged over the rows at each, by name: predictions by target,
    probabilities by class or tag, or raw scores where there are none, or the shares of the rows in each cluster.
    """

    cells: list[Any]
    of: Of
    averages: dict[str, list[float]]


def input_named(predictor: Predictor, name: str) -> Input:
    """The model's column of that name. Raises InvalidSpec at `/feature` where it reads none such, or one of arrays."""
    inputs = {entry.name: entry for entry in predictor.features.inputs}
    if name not in inputs:
        raise InvalidSpec([("/feature", f"the model reads no column '{name[:50]}'; it reads {', '.join(list(inputs)[:20])}")])
    if inputs[name].shape:
        detail = f"column '{name}' holds arrays, which go along no range; /importance tells how much the model rests on it"
        raise InvalidSpec([("/feature", detail)])
    return inputs[name]


def values_of(entry: Input, column: Column, points: int) -> list[Any]:
    """The cells that a feature goes through: every category, no and yes; of numbers each different one of the column, or so
    many evenly spaced from the smallest to the largest. Where the column holds nothing, what fills it.
    """
    if entry.categories:
        return list(entry.categories)
    if entry.kind == "boolean":
        return list(entry.words or (False, True))
    found = np.unique(column.values[~column.missing].astype(np.float64))
    if not len(found):
        return [entry.fill or 0.0]
    return (found if len(found) <= points else np.linspace(found[0], found[-1], points)).tolist()


@np.errstate(over="ignore", invalid="ignore")  # weights that went astray are shown as they are
def dependence(predictor: Predictor, entry: Input, cells: list[Any], columns: Mapping[str, Column]) -> Dependence:
    """The dependence on a feature, averaged over the rows of the columns. The other features stay as the rows have them,
    also where no row is like that.
    """
    features = predictor.features
    X = features.transform(columns, predictor.learner.dtype)
    place = slice_of(predictor, entry)
    single = Features((entry,))
    coded = single.transform(columns_of(single, [{entry.name: cell} for cell in cells]), predictor.learner.dtype)
    averages = []
    for features_of_cell in coded:
        X[:, place] = features_of_cell
        averages.append(_averaged(predictor, predictor.outputs_of(X)))
    return Dependence(cells, _of(predictor), {name: [float(each[name]) for each in averages] for name in averages[0]})


def slice_of(predictor: Predictor, entry: Input) -> slice:
    """Where the features of a column stand among all."""
    start = 0
    for each in predictor.features.inputs:
        if each.name == entry.name:
            break
        start += each.width
    return slice(start, start + entry.width)


def _of(predictor: Predictor) -> Of:
    if isinstance(predictor.target, NoTarget):
        return "share"
    if isinstance(predictor.target, Numbers):
        return "prediction"
    return "probability" if predictor.training.loss is not None and predictor.training.loss.probabilistic else "score"


def _averaged(predictor: Predictor, outputs: np.ndarray) -> dict[str, float]:
    target, names = predictor.target, predictor.target.output_names(outputs.shape[1])
    if isinstance(target, NoTarget):
        counts = np.bincount(target.chosen(outputs), minlength=outputs.shape[1])
        return dict(zip(names, (counts / len(outputs)).tolist(), strict=True))
    shares = predictor.probabilities(outputs)
    if shares is None:
        means = target.restored(outputs).mean(axis=0, dtype=np.float64)
        return dict(zip(names, means.tolist(), strict=True))
    means = np.stack(list(shares.values()), axis=1).mean(axis=0)
    return dict(zip(map(word, shares), means.tolist(), strict=True))
