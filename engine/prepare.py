"""From a completed spec and a table to a problem ready to train: rows split, features fitted, matrices and network built."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.backend import namespace
from engine.completion import MAX_PARAMETERS
from engine.errors import UnusableData
from engine.features import Column, Features, pointer
from engine.network import Network, count_parameters
from engine.randomness import generator
from engine.target import TARGETS, Target
from engine.train import Matrices, Problem
from engine.training import Split, Training


@dataclass(frozen=True)
class Prepared:
    """A problem, what was fitted to pose it, and the rows (indices into the table) of each split."""

    problem: Problem
    features: Features
    target: Target
    rows: dict[str, np.ndarray]


def prepare(training: Training, columns: Mapping[str, Column]) -> Prepared:
    """Pose a completed spec on the table's columns. Features are fitted on the training rows alone.

    Raises UnusableData where what is left after dropping rows cannot be trained on.
    """
    assert training.features is not None and training.task is not None
    inputs = [columns[name] for name in training.features]
    answers = [columns[name] for name in training.targets]
    usable = np.arange(len(answers[0].values))
    if training.preprocessing.missing == "drop":
        usable = usable[~np.logical_or.reduce([column.missing for column in (*inputs, *answers)])]
    if not len(usable):
        raise UnusableData([("/preprocessing/missing", "dropping rows with missing values leaves 0 rows; fill them")])
    target = TARGETS[training.task].fit([column.take(usable) for column in answers])
    if target.classes is not None and len(target.classes) < 2:
        detail = "dropping rows with missing values leaves rows of one class only; fill them"
        raise UnusableData([("/preprocessing/missing", detail)])

    rows = split_rows(training.split, usable, target.strata({column.name: column.take(usable) for column in answers}))
    features = Features.fit(
        (column.take(rows["train"]) for column in inputs),
        training.preprocessing.missing,
        training.preprocessing.scaling,
    )
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
    return Prepared(Problem(training, network, target, train, matrices("validation")), features, target, rows)


def build_network(training: Training, inputs: int, target: Target) -> Network:
    """The spec's network for that many features, its parameters all 0."""
    device = "cpu" if training.device == "auto" else training.device
    layers = training.model.layers(inputs, target.outputs(training.loss))
    size = count_parameters(layers)  # known exactly only now, with every category a feature of its own
    if size > MAX_PARAMETERS:
        detail = f"with {inputs} features that is {size} parameters, over the limit of {MAX_PARAMETERS}; take fewer units"
        raise UnusableData([("/model/hidden", detail)])
    return Network(layers, training.precision, namespace(device))


def split_rows(split: Split, usable: np.ndarray, labels: np.ndarray | None) -> dict[str, np.ndarray]:
    """Row indices of train, validation and test, each in the table's order; `labels` (n,) are kept in proportion.

    Where a class has too few rows for a share of it, its rows go to training first.
    """
    shares = {"validation": split.validation or 0.0, "test": split.test}
    groups = [np.arange(len(usable))]
    if split.stratify and labels is not None:
        groups = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    chosen: dict[str, list[np.ndarray]] = {"train": [], "validation": [], "test": []}
    rng = generator(split.seed, "split")
    for group in groups:
        order = rng.permutation(group)
        start = 0
        for name, share in shares.items():
            count = min(round(share * len(group)), len(group) - start - 1)
            chosen[name].append(order[start : start + count])
            start += count
        chosen["train"].append(order[start:])
    return {name: np.sort(usable[np.concatenate(parts)]) for name, parts in chosen.items()}


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
