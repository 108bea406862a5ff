"""From a spec as it was sent to one that is complete: defaults that suit the model and the table, and every check."""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar, cast

from engine.backend import available
from engine.errors import InvalidSpec
from engine.models.base import Model
from engine.parts.losses import Loss
from engine.spec import kind_of, members
from engine.tables.features import ColumnSummary
from engine.tables.split import Split
from engine.training.image_input import augmentation_problems, image_problems, row_shape
from engine.training.spec import Preprocessing, Record, Task, Training
from engine.wording import notice, say

SMALL_TABLE = 50
"""Tables with fewer rows are trained on whole unless the job asks for a split."""
FEW_CLASSES = 10
"""A column of whole numbers with at most that many different ones is taken for classes, unless the job says otherwise."""
FEW_CODES, OFTEN = 50, 5
"""Whole numbers that may be classes all the same, and have a job say which: at most so many, each so often on the average."""
MAX_PARAMETERS = 100_000_000
MAX_KEPT = 1000
USUALLY_KEPT = 100
EVERY = ("checkpoint_every", "histograms_every")
MODEL_FIELDS = (
    "loss", "optimizer", "schedule", "regularization", "epochs", "batch_size", "shuffle", "class_weight",
    "early_stopping", "seed", "weights_seed", "order_seed", "precision",
)  # fmt: skip
"""The fields whose meaning and default are the model's to say, in `Model.settings`."""

Spec = TypeVar("Spec", bound=Training)
Table = Mapping[str, ColumnSummary]
Problems = Iterator[tuple[str, str]]


def complete(training: Spec, table: Table, rows: int, has_card: bool = False) -> Spec:
    """The same spec with every default filled in, held against the table's columns. Completing twice changes nothing.
    `has_card`: some process that would train it has a CUDA device, though this one may not.

    Raises InvalidSpec with all that is wrong, each with a JSON pointer into the spec.
    """
    _raise_if([*_wanted_targets(training), *_unknown_targets(training, table)])
    targets = [table[name] for name in training.targets]
    task = training.task or _infer_task(training, targets)
    classes = targets[0].distinct if task == "classification" and targets else 0
    features = training.features or tuple(name for name, column in table.items() if _is_feature(training, column))
    settings = training.model.settings(task, classes)
    problems = [
        *_task_problems(training, targets, task),
        *_feature_problems(training, table, features),
        *_comparison_problems(training, table),
        *_missing_problems(training, [table[name] for name in features if name in table], targets),
        *_setting_problems(training, settings, task, classes),
        *_chosen_problems(training.split, table, training.preprocessing.missing == "drop"),
        *augmentation_problems(training, [table[name] for name in features if name in table]),
        *_device_problems(training, has_card),
    ]
    columns = [table[name] for name in features if name in table]
    row = row_shape(training, columns)
    try:
        model: Any = training.model.completed(row)
    except InvalidSpec as wrong:
        _raise_if([*problems, *wrong.errors])
        raise
    training = dataclasses.replace(training, model=model)
    if len(columns) == len(features):
        problems += [] if problems else image_problems(training, columns)
        problems += _size_problems(training, row.numbers, len(targets))
    _raise_if(problems)
    defaults = {name: settings[name] for name in settings if getattr(training, name) is None}
    defaults |= {"split": _complete_split(training, task, rows), "preprocessing": _complete_preprocessing(training, task)}
    completed = dataclasses.replace(training, task=task, features=features, **defaults)
    completed = dataclasses.replace(completed, record=_complete_record(completed))
    _raise_if([*_seed_problems(completed), *_split_problems(completed, rows), *_record_problems(completed)])
    return completed


def _is_feature(training: Training, column: ColumnSummary) -> bool:
    """Whether the column is learned from where a job names none: not an index, nor what says which rows belong together, nor
    words that say when, for what is predicted later has others.
    """
    split = training.split
    by_order = column.name == split.order and column.kind == "categorical"
    left_out = column.kind == "text" or column.is_index or by_order
    return not left_out and column.name not in (*training.targets, split.group, *training.model.columns)


def _raise_if(problems: Sequence[tuple[str, str]]) -> None:
    if problems:
        raise InvalidSpec(problems)


def _pointers(training: Training) -> Iterator[tuple[str, str]]:
    """Each target with the pointer to it."""
    is_one = isinstance(training.target, str)
    yield from ((name, "/target" if is_one else f"/target/{index}") for index, name in enumerate(training.targets))


def _wanted_targets(training: Training) -> Problems:
    kind = training.model.kind
    if training.model.has_target and not training.targets:
        yield "/target", f"{kind} learns to answer with a column; name it, or choose k_means, which has no target"
    if not training.model.has_target and training.targets:
        yield "/target", f"{kind} has no target; remove it, and to hold clusters against labels name model.compare_with"


def _unknown_targets(training: Training, table: Table) -> list[tuple[str, str]]:
    problems = []
    for index, (name, pointer) in enumerate(_pointers(training)):
        if name not in table:
            problems.append((pointer, f"no column '{name}'; there are {_listed(table)}"))
        elif name in training.targets[:index]:
            problems.append((pointer, f"column '{name}' is named twice; name it once"))
    return problems


def _infer_task(training: Training, targets: Sequence[ColumnSummary]) -> Task:
    tasks: frozenset[Any] = training.model.tasks
    if len(tasks) == 1:
        (task,) = tasks
        return cast(Task, task)
    if len(targets) > 1:
        return "tagging" if all(_may_be_tag(target) for target in targets) else "regression"
    return task_of(targets[0])


def guesses(training: Training, completed: Training, table: Table, rows: int) -> list[dict[str, Any]]:
    """A warning of each target of which it was guessed whether its numbers are classes, with the field that settles it."""
    found = []
    for name in completed.targets if training.task is None else ():
        target = table[name]
        if target.kind not in ("numeric", "integer") or target.distinct < 2:
            continue
        if completed.task != "regression" and target.kind == "numeric":
            detail = say(
                "column '{name}' holds {distinct} different whole numbers, written with a point; they are taken for classes, "
                "which is all that {model} predicts; set task to say that they are, or choose linear_regression or mlp where "
                "they are quantities",
                name=name,
                distinct=target.distinct,
                model=training.model.kind,
            )
        elif len(training.model.tasks) == 1 or completed.task != "regression" or not _may_be_codes(target, rows):
            continue
        else:
            detail = say(
                "column '{name}' holds {distinct} different whole numbers in {rows} rows; they are taken for quantities, and a "
                "regression is trained; set task to classification where they are classes, or to regression to say that they "
                "are not",
                name=name,
                distinct=target.distinct,
                rows=rows,
            )
        found.append(notice("TASK_GUESSED", detail, column=name, field="task"))
    return found


def _may_be_codes(target: ColumnSummary, rows: int) -> bool:
    """Whether whole numbers are so few, and come so often, that they may stand for classes."""
    return (target.whole or target.kind == "integer") and target.distinct <= FEW_CODES and target.distinct * OFTEN <= rows


def losses_of(model: Model, task: str, classes: int) -> tuple[type, ...]:
    """The losses that such a job may choose from."""
    return model.losses(task, classes) or tuple(cls for cls in members(Loss) if task in getattr(cls, "tasks", ()))


def without_meaning(model: Model, task: str) -> list[str]:
    """JSON pointers to the fields of a job that mean nothing, or leave no choice, for that model and task."""
    settings = model.settings(task, FEW_CLASSES)
    # A solver that does not descend has its own precision, runs on the CPU, and takes no batches.
    fixed = () if model.solved_by.descends else ("precision", "device", "record/curves")
    names = [f"/{name}" for name in MODEL_FIELDS if name not in settings]
    if task != "regression":
        names.append("/preprocessing/target_scaling")
    if task != "classification":
        names.append("/split/stratify")
    if not model.may_read_images:
        names.append("/preprocessing/augmentation")
    names += [f"/record/{name}" for name in EVERY if name not in _kept(model)]
    names += [] if model.has_target else ["/target"]
    return [*names, *(f"/{name}" for name in fixed)]


def task_of(target: ColumnSummary) -> Literal["classification", "regression"]:
    """What such a column asks for, unless the job says otherwise."""
    is_number = target.kind == "numeric" or (target.kind == "integer" and target.distinct > FEW_CLASSES)
    return "regression" if is_number else "classification"


def _may_be_tag(target: ColumnSummary) -> bool:
    if target.kind == "categorical":
        return target.distinct == 2
    is_between = target.low is None or target.high is None or (target.low >= 0 and target.high <= 1)
    return (target.kind in ("boolean", "integer") or target.whole) and target.distinct <= 2 and is_between


def _task_problems(training: Training, targets: Sequence[ColumnSummary], task: str) -> Problems:
    kind = training.model.kind
    if task not in training.model.tasks:
        known = ", ".join(sorted(training.model.tasks))
        yield "/task", f"{kind} does {known}, not {task}; choose another model or task"
    if task == "classification" and len(targets) > 1:
        yield "/target", "a classification has one target; for several columns of yes and no set task to tagging"
    for target, (_, pointer) in zip(targets, _pointers(training), strict=True):
        text = _array(target) or (TARGET_PROBLEMS[task](target) if task in TARGET_PROBLEMS else None)
        if text == WORDS:
            one = "choose a numeric column, or a model for classification such as logistic_regression"
            several = f"it has {target.distinct} different cells, and a tag has two: leave it out, or train a job for it alone"
            text = f"{WORDS}; {several if len(targets) > 1 else one}"
        if text == FRACTIONS:
            other = "set task to regression" if "regression" in training.model.tasks else "choose linear_regression or mlp"
            text = f"{FRACTIONS}; {other} to predict numbers, or choose a column of classes"
        if text:
            yield pointer, f"column '{target.name}' {text}"
    most = training.model.most_classes
    if most is not None and targets[0].distinct > most:
        found = f"column '{targets[0].name}' holds {targets[0].distinct} classes"
        yield "/target", f"{found}, and a perceptron separates two; choose logistic_regression or mlp"


def _not_numbers(target: ColumnSummary) -> str | None:
    return WORDS if target.kind in ("categorical", "text") else None


WORDS = "holds text, and a regression predicts numbers"
FRACTIONS = "holds fractions, which are no classes"


def _not_classes(target: ColumnSummary) -> str | None:
    if target.distinct < 2:
        return "holds one class only; a classification needs rows of two or more"
    return FRACTIONS if target.kind == "numeric" and not target.whole else None


def _not_tags(target: ColumnSummary) -> str | None:
    return None if _may_be_tag(target) else "is no tag, which is a column of yes and no or of 1 and 0; leave it out"


def _array(target: ColumnSummary) -> str | None:
    return "holds arrays, and a model answers with one cell a row; choose another column" if target.shape else None


TARGET_PROBLEMS = {"regression": _not_numbers, "classification": _not_classes, "tagging": _not_tags}
"""What keeps a column from being a target, by task."""


def _feature_problems(training: Training, table: Table, features: tuple[str, ...]) -> Problems:
    if not features:
        detail = "no column is left to learn from; the table needs one besides the target that is not free text"
        yield "/features", detail
    for index, name in enumerate(training.features or ()):
        pointer = f"/features/{index}"
        if name not in table:
            yield pointer, f"no column '{name}'; there are {_listed(table)}"
        elif name in training.targets:
            yield pointer, f"column '{name}' is the target; a model that reads the answer learns nothing: leave it out"
        elif name in features[:index]:
            yield pointer, f"column '{name}' is named twice; name it once"
        elif table[name].kind == "text":
            yield pointer, f"column '{name}' holds free text, which no model here reads; leave it out"


def _comparison_problems(training: Training, table: Table) -> Problems:
    """What keeps clusters from being held against a column."""
    for name in training.model.columns:
        pointer = "/model/compare_with"
        if name not in table:
            yield pointer, f"no column '{name}'; there are {_listed(table)}"
        elif name in (training.features or ()):
            yield pointer, f"column '{name}' is a feature; clusters of rows that hold the label agree with it: leave one out"
        elif table[name].shape or (table[name].kind == "numeric" and not table[name].whole):
            what = "arrays" if table[name].shape else "fractions"
            yield pointer, f"column '{name}' holds {what}, which are no labels; choose another"


def _missing_problems(training: Training, features: Sequence[ColumnSummary], targets: Sequence[ColumnSummary]) -> Problems:
    missing = training.preprocessing.missing
    if missing == "drop":
        return
    for column in features if missing == "error" else ():
        if column.missing:
            remedy = "set preprocessing.missing to drop, mean, median or most_frequent, or leave the column out"
            yield "/preprocessing/missing", f"column '{column.name}' {_gaps(column)}; {remedy}"
    for column in features if missing != "error" else ():
        if column.missing and column.shape:
            remedy = "nothing fills an array: set preprocessing.missing to drop, or leave the column out"
            yield "/preprocessing/missing", f"column '{column.name}' {_gaps(column)}; {remedy}"
    for column in targets:
        if column.missing:
            remedy = "an answer is not made up: set preprocessing.missing to drop"
            yield "/preprocessing/missing", f"the target, column '{column.name}', {_gaps(column)}; {remedy}"


def _gaps(column: ColumnSummary) -> str:
    return f"is missing {column.missing} values, the first in row {column.first_missing}"


def _complete_preprocessing(training: Training, task: str) -> Preprocessing:
    preprocessing = training.preprocessing
    if task != "regression" or preprocessing.target_scaling is not None:
        return preprocessing
    return dataclasses.replace(preprocessing, target_scaling=training.model.target_scaling)


def _setting_problems(training: Training, settings: Mapping[str, Any], task: str, classes: int) -> Problems:
    name = _solved(training.model)
    for field in MODEL_FIELDS:
        if field not in settings and getattr(training, field) is not None:
            yield f"/{field}", f"{field} means nothing for {name} ({task}); remove it"
    if task != "regression" and training.preprocessing.target_scaling is not None:
        yield "/preprocessing/target_scaling", f"target_scaling means nothing for {name} ({task}); remove it"
    if training.loss is not None and "loss" in settings:
        allowed = losses_of(training.model, task, classes)
        if type(training.loss) not in allowed:
            choice = ", ".join(map(kind_of, allowed))
            yield "/loss", f"{training.loss.kind} is no loss for {name} ({task}); choose {choice}"
    # A setting that a solver does not let be chosen may be repeated, as in a completed body sent back, not changed.
    if not training.model.solved_by.descends and training.precision not in (None, settings["precision"]):
        yield "/precision", f"{name} is solved in {settings['precision']}; remove it"


def _seed_problems(training: Training) -> Problems:
    if training.weights_seed is not None and not training.model.draws_weights:
        yield "/weights_seed", "its initializer draws nothing, all weights begin alike; choose another, or remove the seed"
    if training.order_seed is not None and not training.shuffle:
        yield "/order_seed", "shuffle is false, every epoch takes the rows in one order; set it to true, or remove the seed"


def _solved(model: Model) -> str:
    """The model's name, with its solver's where it has a choice."""
    return model.kind + (f" with solver {model.solver}" if hasattr(model, "solver") else "")


def _device_problems(training: Training, has_card: bool) -> Problems:
    if training.device == "cuda" and not training.model.solved_by.descends:
        yield "/device", f"this solver of {training.model.kind} runs on the CPU alone; set device to auto or cpu"
    elif training.device == "cuda" and not (has_card or available("cuda")):
        yield "/device", "no CUDA device with CuPy is at hand; set device to auto or cpu"


def _size_problems(training: Training, features: int, targets: int) -> Problems:
    size = training.model.count_parameters(features, targets)
    if size > MAX_PARAMETERS:
        detail = f"that is up to {size} parameters, over the limit of {MAX_PARAMETERS}; take fewer {training.model.made_of}"
        yield training.model.widened_by, detail


def _complete_split(training: Training, task: str, rows: int) -> Split:
    split = training.split
    usual = 0.2 if rows >= SMALL_TABLE and training.model.has_target else 0.0
    validation = usual if split.validation is None else split.validation
    drawn = task == "classification" and not split.columns and split.shuffle is not False
    stratify = drawn if split.stratify is None else split.stratify
    return dataclasses.replace(split, validation=validation, stratify=stratify, rounding=split.rounding or "total")


def _chosen_problems(split: Split, table: Table, drops: bool) -> Problems:
    """What keeps the columns that a split reads from being read, or one way to split from going with another."""
    for name in ("group", "order"):
        column = getattr(split, name)
        if column is None:
            continue
        if column not in table:
            yield f"/split/{name}", f"no column '{column}'; there are {_listed(table)}"
        elif table[column].missing and not drops:
            remedy = "choose a column that is whole, or set preprocessing.missing to drop"
            yield f"/split/{name}", f"column '{column}' {_gaps(table[column])}; {remedy}"
        elif table[column].shape or (name == "group" and table[column].kind == "numeric" and not table[column].whole):
            what = "arrays" if table[column].shape else "fractions"
            yield f"/split/{name}", f"column '{column}' holds {what}, by which rows cannot be put in {name}s; choose another"
    if split.order is not None and split.shuffle:
        yield "/split/shuffle", "rows that are split by order are not shuffled; remove it, or remove order"
    if split.group is not None and (split.order is not None or split.shuffle is False):
        yield "/split/group", "a split is by group or by order, not by both; remove one of them"
    if split.stratify and (split.columns or split.shuffle is False):
        yield (
            "/split/stratify",
            "rows that are split by group or by order go where these put them, whatever their class; remove it",
        )


def _split_problems(training: Training, rows: int) -> Problems:
    split = training.split
    validation = split.validation or 0.0
    if validation + split.test >= 1:
        yield "/split", "validation and test together leave no rows to train on; their sum must be under 1"
    for name, share in (("validation", validation), ("test", split.test)):
        if share and round(share * rows) < 1:
            yield f"/split/{name}", f"{share} of {rows} rows is none; set it to 0 or upload more rows"
    if split.stratify and training.task != "classification":
        yield "/split/stratify", f"there are no classes to keep in proportion in a {training.task}; remove it"
    if training.early_stopping and training.early_stopping.monitor == "validation_loss" and not validation:
        yield "/early_stopping/monitor", "there are no validation rows; set split.validation, or monitor train_loss"


def _complete_record(training: Training) -> Record:
    usual = max(10, math.ceil((training.epochs or 1) / USUALLY_KEPT))
    every: dict[str, Any] = {name: getattr(training.record, name) or usual for name in _kept(training.model)}
    return dataclasses.replace(training.record, **every)


def _kept(model: Model) -> tuple[str, ...]:
    """What is kept of a run every so many epochs: histograms of layers, where there are any."""
    return EVERY if model.has_layers else EVERY[:1]


def _record_problems(training: Training) -> Problems:
    epochs = training.epochs or 1
    if training.record.curves == "batch" and training.optimizer is None:
        yield "/record/curves", f"{_solved(training.model)} takes no batches, whose losses could be kept; set it to epoch"
    for name in EVERY:
        every = getattr(training.record, name)
        if name not in _kept(training.model):
            if every is not None:
                yield f"/record/{name}", f"{name} means nothing for {training.model.kind}, which has no layers; remove it"
        elif epochs / every > MAX_KEPT:
            found = f"{epochs} epochs at every {every} are {epochs // every} to keep, over the limit of {MAX_KEPT}"
            yield f"/record/{name}", f"{found}; set it to {math.ceil(epochs / MAX_KEPT)} or more"


def _listed(table: Table, most: int = 20) -> str:
    names = [f"'{name}'" for name in table]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
