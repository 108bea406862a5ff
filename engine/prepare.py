"""From a completed spec and a table to a problem ready to train: rows split, features fitted, matrices and network built."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.backend import namespace
from engine.completion import MAX_PARAMETERS
from engine.errors import UnusableData
from engine.features import Column, ColumnKind, Features, pointer
from engine.network import Network, count_parameters
from engine.randomness import generator
from engine.target import TARGETS, Target
from engine.train import Matrices, Problem
from engine.training import MAX_CATEGORIES, Split, Training


@dataclass(frozen=True)
class Fitted:
    """What the training rows say: features, target, the rows (indices into the table) of each split, and the kinds of the
    columns that were read, which a later correction of the table does not change.
    """

    features: Features
    target: Target
    rows: dict[str, np.ndarray]
    kinds: dict[str, ColumnKind]


@dataclass(frozen=True)
class Prepared(Fitted):
    """The same with the problem that it poses."""

    problem: Problem


def prepare(training: Training, columns: Mapping[str, Column]) -> Prepared:
    """Pose a completed spec on the table's columns. Raises UnusableData as `fit` does."""
    fitted = fit(training, columns)
    features, target, rows = fitted.features, fitted.target, fitted.rows
    network = build_network(training, features.width, target)
    network.initialize(training.model.start, training.seed or 0)
    xp, dtype = network.xp, network.dtype

    def matrices(split: str) -> Matrices | None:
        if not len(rows[split]):
            return None
        chosen = {name: columns[name].take(rows[split]) for name in training.targets}
        X = features.transform(columns, dtype, rows[split])
        Y = target.matrix(chosen, network.outputs, dtype)
        weights = row_weights(training, target, chosen) if split == "train" else None
        return Matrices(xp.asarray(X), xp.asarray(Y), None if weights is None else xp.asarray(weights.astype(dtype)))

    train = matrices("train")
    assert train is not None
    problem = Problem(training, network, target, train, matrices("validation"))
    return Prepared(features, target, rows, fitted.kinds, problem)


def fit(training: Training, columns: Mapping[str, Column]) -> Fitted:
    """Split the rows of a completed spec and fit its features, on the training rows alone.

    Raises UnusableData where what is left after dropping rows cannot be trained on.
    """
    assert training.features is not None and training.task is not None
    inputs = [columns[name] for name in training.features]
    answers = [columns[name] for name in training.targets]
    usable = np.arange(len(answers[0].values))
    if training.preprocessing.missing == "drop":
        usable = usable[~np.logical_or.reduce([columns[name].missing for name in training.columns])]
    if not len(usable):
        raise UnusableData([("/preprocessing/missing", "dropping rows with missing values leaves 0 rows; fill them")])
    target = TARGETS[training.task].fit([column.take(usable) for column in answers])
    if target.classes is not None and len(target.classes) < 2:
        detail = "dropping rows with missing values leaves rows of one class only; fill them"
        raise UnusableData([("/preprocessing/missing", detail)])

    labels = target.strata({column.name: column.take(usable) for column in answers})
    chosen_by = {name: columns[name].take(usable) for name in training.split.columns}
    rows = split_rows(training.split, usable, labels, chosen_by)
    if labels is not None and len(np.unique(labels[np.isin(usable, rows["train"])])) < 2:
        detail = (
            f"its {len(rows['train'])} training rows hold one class only; choose another group or order, or split by chance"
        )
        raise UnusableData([("/split", detail)])
    features = Features.fit(
        (column.take(rows["train"]) for column in inputs),
        training.preprocessing.missing,
        training.preprocessing.scaling,
        training.preprocessing.max_categories or MAX_CATEGORIES,
    )
    return Fitted(features, target, rows, {name: columns[name].kind for name in training.columns})


def build_network(training: Training, inputs: int, target: Target) -> Network:
    """The spec's network for that many features, its parameters all 0."""
    device = "cpu" if training.device == "auto" else training.device
    layers = training.model.layers(inputs, target.outputs(training.loss))
    size = count_parameters(layers)  # known exactly only now, with every category a feature of its own
    if size > MAX_PARAMETERS:
        detail = f"with {inputs} features that is {size} parameters, over the limit of {MAX_PARAMETERS}; take fewer units"
        raise UnusableData([("/model/hidden", detail)])
    return Network(layers, training.precision, namespace(device))


Rows = dict[str, np.ndarray]


def split_rows(
    split: Split, usable: np.ndarray, labels: np.ndarray | None, chosen_by: Mapping[str, Column] | None = None
) -> Rows:
    """Row indices of train, validation and test, each in the table's order; `labels` (n,) are kept in proportion, and
    `chosen_by` holds the columns, at the usable rows, that the split names. Raises UnusableData where there are too few groups.
    """
    shares = {"validation": split.validation or 0.0, "test": split.test}
    columns = chosen_by or {}
    if split.group is not None:
        places = _by_group(shares, columns[split.group], split.seed)
    elif split.order is not None:
        places = _in_order(shares, np.argsort(columns[split.order].values, kind="stable"))
    elif split.shuffle is False:
        places = _in_order(shares, np.arange(len(usable)))
    else:
        places = _drawn(shares, labels if split.stratify else None, len(usable), split.seed)
    return {name: np.sort(usable[chosen]) for name, chosen in places.items()}


def _drawn(shares: Mapping[str, float], labels: np.ndarray | None, rows: int, seed: int) -> Rows:
    """By chance, from each class as from the whole. Where a class has too few rows, they go to training first."""
    groups = [np.arange(rows)] if labels is None else [np.flatnonzero(labels == label) for label in np.unique(labels)]
    chosen: dict[str, list[np.ndarray]] = {"train": [], "validation": [], "test": []}
    rng = generator(seed, "split")
    for group in groups:
        order = rng.permutation(group)
        start = 0
        for name, share in shares.items():
            count = min(round(share * len(group)), len(group) - start - 1)
            chosen[name].append(order[start : start + count])
            start += count
        chosen["train"].append(order[start:])
    return {name: np.concatenate(parts) for name, parts in chosen.items()}


def _in_order(shares: Mapping[str, float], order: np.ndarray) -> Rows:
    """The first rows train, those after them validate, the last test."""
    test = round(shares["test"] * len(order))
    validation = round(shares["validation"] * len(order))
    train = max(1, len(order) - validation - test)
    return dict(zip(("train", "validation", "test"), np.split(order, [train, len(order) - test]), strict=True))


def _by_group(shares: Mapping[str, float], column: Column, seed: int) -> Rows:
    """Whole groups in an order drawn by the seed, as many as come nearest to a share; one at least for each that is asked."""
    _, group, sizes = np.unique(column.values, return_inverse=True, return_counts=True)
    asked = [name for name, share in shares.items() if share]
    if len(sizes) <= len(asked):
        detail = f"column '{column.name}' holds {len(sizes)} groups, too few for {len(asked) + 1} parts; choose another column"
        raise UnusableData([("/split/group", detail)])
    order = generator(seed, "split").permutation(len(sizes))
    ends = np.concatenate([[0], np.cumsum(sizes[order])])
    bounds, start = {}, 0
    for left, name in enumerate(asked):
        wanted = ends[start] + shares[name] * len(group)
        nearest = int(np.abs(ends - wanted).argmin())
        stop = min(max(nearest, start + 1), len(sizes) - (len(asked) - left))
        bounds[name], start = order[start:stop], stop
    bounds["train"] = order[start:]
    nothing = np.empty(0, np.intp)
    return {name: np.flatnonzero(np.isin(group, bounds.get(name, nothing))) for name in ("train", "validation", "test")}


def row_weights(training: Training, target: Target, columns: Mapping[str, Column]) -> np.ndarray | None:
    """A weight a row (n,) from `class_weight`; balanced is n / (K · rows of the class), so that their mean is 1."""
    if training.class_weight is None or target.classes is None:
        return None
    labels = target.strata(columns)
    assert labels is not None
    if training.class_weight == "balanced":
        counts = np.bincount(labels, minlength=len(target.classes))
        return (len(labels) / (len(counts) * np.maximum(counts, 1)))[labels]
    names = [str(label) for label in target.classes]
    unknown = sorted(set(training.class_weight) - set(names))
    if unknown:
        detail = f"no class '{unknown[0]}' in column '{target.names[0]}'; there are {', '.join(names[:20])}"
        raise UnusableData([(pointer("class_weight", unknown[0]), detail)])
    return np.array([training.class_weight.get(name, 1.0) for name in names])[labels]
