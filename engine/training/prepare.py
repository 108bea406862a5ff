"""From a completed spec and a table to a problem ready to train: rows split, features fitted, matrices and network built."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.backend import namespace
from engine.errors import EmptySplit, UnusableData
from engine.models.base import Matrices, Problem, Unscaled
from engine.network.learner import Learner
from engine.parts.augmentation import Augmenter
from engine.tables.features import Column, ColumnKind, Features, pointer, word
from engine.tables.images import image_cells
from engine.tables.split import Rows, split_rows
from engine.tables.target import TARGETS, Target
from engine.training.completion import MAX_PARAMETERS
from engine.training.spec import MAX_CATEGORIES, Training


@dataclass(frozen=True)
class Fitted:
    """What the training rows say: features, target, the rows (indices into the table) of each split, and the kinds of the
    columns that were read and their words for false and true, which a later correction of the table does not change.
    """

    features: Features
    target: Target
    rows: dict[str, np.ndarray]
    kinds: dict[str, ColumnKind]
    words: dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Prepared(Fitted):
    """The same with the problem that it poses."""

    problem: Problem


def prepare(training: Training, columns: Mapping[str, Column]) -> Prepared:
    """Pose a completed spec on the table's columns. Raises UnusableData, EmptySplit, as `fit` does."""
    fitted = fit(training, columns)
    refuse_unwatched(training, {name: len(places) for name, places in fitted.rows.items()})
    return pose(training, columns, fitted)


def pose(training: Training, columns: Mapping[str, Column], fitted: Fitted) -> Prepared:
    """The problem of a spec that was fitted to the table's columns, on the rows that `fitted` names, its weights as they are
    before training.
    """
    features, target, rows = fitted.features, fitted.target, fitted.rows
    learner = build_learner(training, features.width, target)
    training.model.initialize(learner, training.seed_of_weights)
    xp, dtype = learner.xp, learner.dtype

    def matrices(split: str) -> Matrices | None:
        if not len(rows[split]):
            return None
        chosen = {name: columns[name].take(rows[split]) for name in training.targets}
        X = features.transform(columns, dtype, rows[split])
        Y = target.matrix(chosen, learner.outputs, dtype)
        weights = row_weights(training, target, chosen) if split == "train" else None
        return Matrices(xp.asarray(X), xp.asarray(Y), None if weights is None else xp.asarray(weights.astype(dtype)))

    train = matrices("train")
    assert train is not None
    unscaled = None
    has_scale = features.center.any() or (features.scale != 1).any()
    if has_scale and dtype == np.float64 and training.model.solves_unscaled(train.rows, features.width):
        X = features.unscaled.transform(columns, dtype, rows["train"])
        unscaled = Unscaled(xp.asarray(X), xp.asarray(features.center), xp.asarray(features.scale))
    views = _augmenter(training, features, columns, rows["train"], dtype, xp)
    problem = Problem(training, learner, target, train, matrices("validation"), unscaled, views)
    return Prepared(features, target, rows, fitted.kinds, fitted.words, problem)


def _augmenter(
    training: Training, features: Features, columns: Mapping[str, Column], rows: np.ndarray, dtype: np.dtype[Any], xp: Any
) -> Augmenter | None:
    """What makes each epoch's views of the training images; None where there is no augmentation."""
    augmentation, view = training.preprocessing.augmentation, training.model.image
    if augmentation is None:
        return None
    assert view is not None
    whole = features.uncropped
    size = view
    if augmentation.crop is not None:
        cells = image_cells(whole.inputs[0].shape)
        assert cells is not None
        size = cells.size
    images = xp.asarray(whole.transform(columns, dtype, rows)).reshape(len(rows), *size)
    entry = features.inputs[0]
    black = (0.0 - float(np.asarray(entry.center))) / float(np.asarray(entry.scale))
    return Augmenter(augmentation, training.seed or 0, images, (view.height, view.width), black, xp)


def fit(training: Training, columns: Mapping[str, Column]) -> Fitted:
    """Split the rows of a completed spec and fit its features, on the training rows alone.

    Raises UnusableData, EmptySplit, where what is left after dropping rows cannot be trained on.
    """
    assert training.features is not None and training.task is not None
    table_rows = len(next(iter(columns.values())).values)
    usable = usable_rows(training, table_rows, (columns[name] for name in training.trained_columns))
    target, rows = choose_rows(training, usable, columns)
    answers = {name: columns[name].take(rows["train"]) for name in training.targets}
    target = target.scaled(training.preprocessing.target_scaling, answers)
    augmentation = training.preprocessing.augmentation
    features = Features.fit(
        (columns[name].take(rows["train"]) for name in training.features),
        training.preprocessing.missing,
        training.preprocessing.scaling,
        training.preprocessing.max_categories or MAX_CATEGORIES,
        as_image=training.model.image is not None,
        crop=augmentation.crop if augmentation is not None else None,
    )
    read = [columns[name] for name in training.columns]
    words = {column.name: column.words for column in read if column.words is not None}
    return Fitted(features, target, rows, {column.name: column.kind for column in read}, words)


def usable_rows(training: Training, rows: int, columns: Iterable[Column]) -> np.ndarray:
    """The rows of the table that the spec uses, given the columns that it reads, or those of them that have gaps.

    Raises UnusableData where that is none.
    """
    if training.preprocessing.missing != "drop":
        return np.arange(rows)
    gaps = np.zeros(rows, bool)
    for column in columns:
        gaps |= column.missing
    if gaps.all():
        raise UnusableData([("/preprocessing/missing", "dropping rows with missing values leaves 0 rows; fill them")])
    return np.flatnonzero(~gaps)


def choose_rows(training: Training, usable: np.ndarray, columns: Mapping[str, Column]) -> tuple[Target, Rows]:
    """The fitted target, and the rows of each split, from the columns of the targets and those that the split names.

    Raises UnusableData, EmptySplit, where a job cannot be trained on these rows.
    """
    assert training.task is not None
    answers = [columns[name].take(usable) for name in training.targets]
    target = TARGETS[training.task].fit(answers)
    if target.classes is not None and len(target.classes) < 2:
        detail = "dropping rows with missing values leaves rows of one class only; fill them"
        raise UnusableData([("/preprocessing/missing", detail)])
    labels = target.strata({column.name: column for column in answers})
    chosen_by = {name: columns[name].take(usable) for name in training.split.columns}
    rows = split_rows(training.split, usable, labels, chosen_by)
    refuse_few_rows(training, len(rows["train"]))
    if labels is not None and len(np.unique(labels[np.isin(usable, rows["train"])])) < 2:
        detail = (
            f"its {len(rows['train'])} training rows hold one class only; choose another group or order, or split by chance"
        )
        raise UnusableData([("/split", detail)])
    return target, rows


def refuse_few_rows(training: Training, rows: int) -> None:
    """Raise UnusableData where the model cannot be trained on so many rows, or on so many in a batch."""
    if found := list(training.model.rows_problems(rows, training.batch_size)):
        raise UnusableData(found)


def refuse_unwatched(training: Training, rows: Mapping[str, int]) -> None:
    """Raise EmptySplit where early stopping is to watch validation rows and there are none, by the number of each split."""
    stopping = training.early_stopping
    if stopping is not None and stopping.monitor == "validation_loss" and not rows["validation"]:
        detail = "no validation rows are left to watch; set split.validation higher, or monitor train_loss"
        raise EmptySplit([("/early_stopping/monitor", detail)])


def build_learner(training: Training, inputs: int, target: Target) -> Learner:
    """What the spec's model learns of that many features, its parameters all 0."""
    device = "cpu" if training.device == "auto" else training.device
    outputs = target.outputs(training.loss)
    size = training.model.count_parameters(inputs, outputs)  # known exactly only now, with every category a feature of its own
    if size > MAX_PARAMETERS:
        most = f"over the limit of {MAX_PARAMETERS}; take fewer {training.model.made_of}"
        raise UnusableData([(training.model.widened_by, f"with {inputs} features that is {size} parameters, {most}")])
    return training.model.build(inputs, outputs, training.precision, namespace(device))


def row_weights(training: Training, target: Target, columns: Mapping[str, Column]) -> np.ndarray | None:
    """A weight a row (n,) from `class_weight`; balanced is n / (K · rows of the class), so that their mean is 1."""
    if training.class_weight is None or target.classes is None:
        return None
    labels = target.strata(columns)
    assert labels is not None
    if training.class_weight == "balanced":
        counts = np.bincount(labels, minlength=len(target.classes))
        return (len(labels) / (len(counts) * np.maximum(counts, 1)))[labels]
    weights = class_weights(training, target)
    assert weights is not None
    return weights[labels]


def class_weights(training: Training, target: Target) -> np.ndarray | None:
    """The weights that `class_weight` gives the classes by name (K,), 1 where it names none; None where it names none at all.

    Raises UnusableData where it names what is no class.
    """
    given = training.class_weight
    if not isinstance(given, dict) or target.classes is None:
        return None
    names = [word(label) for label in target.classes]
    # Python's own spelling, and that of a whole number with a point, were, or may be, taken for it.
    places = {str(label): place for place, label in enumerate(target.classes)} | {
        f"{name}.0": place for place, name in enumerate(names) if isinstance(target.classes[place], int)
    }
    places |= {name: place for place, name in enumerate(names)}
    unknown = sorted(given.keys() - places.keys())
    if unknown:
        detail = f"no class '{unknown[0]}' in column '{target.names[0]}'; there are {', '.join(names[:20])}"
        raise UnusableData([(pointer("class_weight", unknown[0]), detail)])
    weights = np.ones(len(names))
    for name, weight in given.items():
        weights[places[name]] = weight
    return weights


WEIGHTS = (1e-18, 1e18)
"""What a class may weigh unless it is 0: the squares of a row's gradient, which optimizers keep, stay in float32's range."""


def refuse_weightless(training: Training, target: Target) -> None:
    """Raise UnusableData where `class_weight` names what is no class, has nothing count, or leaves the numbers' range."""
    weights = class_weights(training, target)
    if weights is None:
        return
    if not weights.any():
        detail = "every class has a weight of 0, so nothing would be learned; give one of them more than 0"
        raise UnusableData([("/class_weight", detail)])
    least, most = WEIGHTS
    for weight in weights[weights != 0]:
        if not least < weight < most:
            detail = f"a weight of {weight:g} leaves the range of {least:g} to {most:g}; give weights nearer to 1, or 0"
            raise UnusableData([("/class_weight", detail)])


def check_rows(training: Training, rows: int, with_gaps: Iterable[Column], columns: Mapping[str, Column]) -> None:
    """Raise what `prepare` would of the table's rows and target, before a job is taken: UnusableData, EmptySplit.

    `with_gaps` are the columns that the spec reads and that have gaps, `columns` those of the targets and the split.
    """
    target, chosen = choose_rows(training, usable_rows(training, rows, with_gaps), columns)
    refuse_unwatched(training, {name: len(places) for name, places in chosen.items()})
    refuse_weightless(training, target)
