"""The spec of a job's mathematics: what to train, on what, how. Its defaults depend on the model, the task and the table."""

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from engine.backend import available
from engine.errors import InvalidSpec
from engine.features import ColumnSummary
from engine.losses import Loss
from engine.models import AnyModel, Regularization
from engine.optimizers import Optimizer
from engine.scaling import MeanNormalization, Scaling
from engine.schedules import Schedule
from engine.spec import Flag, NonNegativeFloat, PositiveInt, Seed, Share, kind_of, members, spec

MAX_EPOCHS = 1_000_000
SMALL_TABLE = 50
"""Tables with fewer rows are trained on whole unless the job asks for a split."""
MAX_CHECKPOINTS = 1000
USUAL_CHECKPOINTS = 100
EVERY = ("checkpoint_every", "histograms_every")
FEW_CLASSES = 10
"""A column of whole numbers with at most that many different ones is taken for classes, unless the job says otherwise."""

Epochs = Annotated[int, Field(strict=True, ge=1, le=MAX_EPOCHS)]


@spec
class Preprocessing:
    """How columns become features; fitted on the training rows alone and applied again at prediction."""

    scaling: Scaling = MeanNormalization()
    missing: Literal["error", "drop", "mean", "median", "most_frequent"] = Field(
        default="error",
        description="a missing cell: refuse, drop its row, or fill it with a value of the training rows",
    )
    categorical: Literal["one_hot"] = "one_hot"


@spec
class Split:
    """The shares of the rows kept for validation and test, and the seed that draws them."""

    validation: Share | None = Field(default=None, description="0.2 by default, 0 for a table of under 50 rows")
    test: Share = 0.0
    stratify: Flag | None = Field(default=None, description="keep the classes' shares alike; default for a classification")
    seed: Seed = 0


@spec
class EarlyStopping:
    """End when the monitored loss has not fallen by `min_delta` for `patience` epochs; the model is then the best epoch's."""

    monitor: Literal["validation_loss", "train_loss"] = "validation_loss"
    patience: PositiveInt = 10
    min_delta: NonNegativeFloat = 0.0


@spec
class Record:
    """What is kept of a run besides its curves."""

    curves: Literal["epoch", "batch"] = Field(default="epoch", description="batch: also each batch's loss")
    checkpoint_every: PositiveInt | None = Field(
        default=None, description="epochs between checkpoints; by default 10, or more where that gives over 100"
    )
    histograms_every: PositiveInt | None = Field(
        default=None, description="epochs between histograms of the layers; by default as for checkpoints"
    )


@spec
class Training:
    """What to train, on which columns, and how. A field left out or null takes the default of the model and the table."""

    target: Annotated[str, Field(description="the column to predict")]
    features: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        default=None, description="the columns to read; all others by default"
    )
    task: Literal["classification", "regression"] | None = Field(
        default=None, description="by default read off the target column and the model"
    )
    model: AnyModel
    loss: Loss | None = None
    optimizer: Optimizer | None = None
    schedule: Schedule | None = None
    regularization: Regularization | None = None
    preprocessing: Preprocessing = Preprocessing()
    split: Split = Split()
    epochs: Epochs | None = None
    batch_size: PositiveInt | Literal["full"] | None = None
    shuffle: Flag | None = None
    class_weight: Literal["balanced"] | dict[str, NonNegativeFloat] | None = Field(
        default=None, description="a weight by class, or balanced: every class counts the same"
    )
    early_stopping: EarlyStopping | None = None
    seed: Seed | None = Field(default=None, description="draws the first weights, the order of rows and the dropout")
    precision: Literal["float32", "float64"] | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    max_seconds: Annotated[float, Field(strict=True, gt=0, le=30 * 86_400)] = 3600
    record: Record = Record()

    def penalties(self, rows: int) -> tuple[float, float]:
        """(l1, l2) as they stand in the mean loss of `rows` rows."""
        return self.model.penalties(self, rows)


MODEL_FIELDS = (
    "loss", "optimizer", "schedule", "regularization", "epochs", "batch_size", "shuffle", "class_weight",
    "early_stopping", "seed", "precision",
)  # fmt: skip
"""The fields whose meaning and default are the model's to say, in `Model.settings`."""


Spec = TypeVar("Spec", bound=Training)


def complete(training: Spec, table: Mapping[str, ColumnSummary], rows: int) -> Spec:
    """The same spec with every default filled in, held against the table's columns. Completing twice changes nothing.

    Raises InvalidSpec with all that is wrong, each with a JSON pointer into the spec.
    """
    target = table.get(training.target)
    if target is None:
        raise InvalidSpec([("/target", f"no column '{training.target}'; there are {_listed(table)}")])
    task = training.task or _infer_task(training, target)
    classes = target.distinct if task == "classification" else 0
    features = training.features or tuple(
        name for name, column in table.items() if name != target.name and column.kind != "text"
    )
    settings = training.model.settings(task, classes)
    problems = [
        *_task_problems(training, target, task),
        *_feature_problems(training, table, features),
        *_missing_problems(training, [table[name] for name in (*features, target.name) if name in table]),
        *_setting_problems(training, settings, task, classes),
    ]
    if problems:
        raise InvalidSpec(problems)
    defaults = {name: settings[name] for name in settings if getattr(training, name) is None}
    split = _complete_split(training.split, task, rows)
    completed = dataclasses.replace(training, task=task, features=features, split=split, **defaults)
    completed = dataclasses.replace(completed, record=_complete_record(completed.record, completed.epochs or 1))
    problems = [*_split_problems(completed, rows), *_record_problems(completed)]
    if problems:
        raise InvalidSpec(problems)
    return completed


def _infer_task(training: Training, target: ColumnSummary) -> Literal["classification", "regression"]:
    tasks = training.model.tasks
    if len(tasks) == 1:
        return "regression" if "regression" in tasks else "classification"
    is_number = target.kind == "numeric" or (target.kind == "integer" and target.distinct > FEW_CLASSES)
    return "regression" if is_number else "classification"


def _task_problems(training: Training, target: ColumnSummary, task: str) -> Iterator[tuple[str, str]]:
    kind = training.model.kind
    if task not in training.model.tasks:
        yield (
            "/task",
            f"{kind} does {', '.join(sorted(training.model.tasks))}, not {task}; choose another model or task",
        )
    if task == "regression" and target.kind in ("categorical", "text"):
        yield (
            "/target",
            (
                f"column '{target.name}' holds text, and a regression predicts numbers; choose a numeric column, or a model "
                "for classification such as logistic_regression"
            ),
        )
    if task == "classification" and target.distinct < 2:
        yield "/target", f"column '{target.name}' holds one class only; a classification needs rows of two or more"
    if task == "classification" and target.kind == "numeric":
        yield (
            "/target",
            (
                f"column '{target.name}' holds fractions, which are no classes; set task to regression, or choose a column "
                "of classes"
            ),
        )
    if kind == "perceptron" and target.distinct > 2:
        yield (
            "/target",
            (
                f"column '{target.name}' holds {target.distinct} classes, and a perceptron separates two; choose "
                "logistic_regression or mlp"
            ),
        )


def _feature_problems(
    training: Training, table: Mapping[str, ColumnSummary], features: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    if not features:
        yield (
            "/features",
            "no column is left to learn from; the table needs one besides the target that is not free text",
        )
    for index, name in enumerate(training.features or ()):
        pointer = f"/features/{index}"
        if name not in table:
            yield pointer, f"no column '{name}'; there are {_listed(table)}"
        elif name == training.target:
            yield pointer, f"column '{name}' is the target; a model that reads the answer learns nothing: leave it out"
        elif name in features[:index]:
            yield pointer, f"column '{name}' is named twice; name it once"
        elif table[name].kind == "text":
            yield pointer, f"column '{name}' holds free text, which no model here reads; leave it out"


def _missing_problems(training: Training, columns: list[ColumnSummary]) -> Iterator[tuple[str, str]]:
    if training.preprocessing.missing == "error":
        for column in columns:
            if column.missing:
                yield (
                    "/preprocessing/missing",
                    (
                        f"column '{column.name}' is missing {column.missing} values, the first in row {column.first_missing}; "
                        "set preprocessing.missing to drop, mean, median or most_frequent, or leave the column out"
                    ),
                )
    elif training.preprocessing.missing != "drop" and columns and columns[-1].name == training.target:
        target = columns[-1]
        if target.missing:
            yield (
                "/preprocessing/missing",
                (
                    f"the target '{target.name}' is missing {target.missing} values, the first in row "
                    f"{target.first_missing}; an answer is not made up: set preprocessing.missing to drop"
                ),
            )


def _setting_problems(training: Training, settings: Mapping[str, Any], task: str, classes: int) -> Iterator[tuple[str, str]]:
    name = training.model.kind + (f" with solver {training.model.solver}" if hasattr(training.model, "solver") else "")
    for field in MODEL_FIELDS:
        if field not in settings and getattr(training, field) is not None:
            yield f"/{field}", f"{field} means nothing for {name} ({task}); remove it"
    if training.loss is not None and "loss" in settings:
        allowed = training.model.losses(task, classes) or tuple(
            cls for cls in members(Loss) if task in getattr(cls, "tasks", ())
        )
        if type(training.loss) not in allowed:
            yield (
                "/loss",
                (f"{training.loss.kind} is no loss for {name} ({task}); choose {', '.join(map(kind_of, allowed))}"),
            )
    # A setting that a solver does not let be chosen may be repeated, as in a completed body sent back, not changed.
    if "optimizer" not in settings and training.precision not in (None, settings["precision"]):
        yield "/precision", f"{name} is solved in {settings['precision']}; remove it"
    if training.device == "cuda":
        if "optimizer" not in settings:
            yield "/device", f"{name} runs on the CPU alone; set device to auto or cpu"
        elif not available("cuda"):
            yield "/device", "no CUDA device with CuPy is at hand; set device to auto or cpu"


def _complete_split(split: Split, task: str, rows: int) -> Split:
    validation = (0.2 if rows >= SMALL_TABLE else 0.0) if split.validation is None else split.validation
    stratify = task == "classification" if split.stratify is None else split.stratify
    return dataclasses.replace(split, validation=validation, stratify=stratify)


def _complete_record(record: Record, epochs: int) -> Record:
    usual = max(10, math.ceil(epochs / USUAL_CHECKPOINTS))
    every = {name: getattr(record, name) or usual for name in EVERY}
    return dataclasses.replace(record, **every)


def _record_problems(training: Training) -> Iterator[tuple[str, str]]:
    epochs = training.epochs or 1
    for name in EVERY:
        every = getattr(training.record, name)
        if epochs / every > MAX_CHECKPOINTS:
            yield (
                f"/record/{name}",
                (
                    f"{epochs} epochs at every {every} are {epochs // every} to keep, over the limit of {MAX_CHECKPOINTS}; set it "
                    f"to {math.ceil(epochs / MAX_CHECKPOINTS)} or more"
                ),
            )


def _split_problems(training: Training, rows: int) -> Iterator[tuple[str, str]]:
    split = training.split
    validation = split.validation or 0.0
    if validation + split.test >= 1:
        yield "/split", "validation and test together leave no rows to train on; their sum must be under 1"
    for name, share in (("validation", validation), ("test", split.test)):
        if share and round(share * rows) < 1:
            yield f"/split/{name}", f"{share} of {rows} rows is none; set it to 0 or upload more rows"
    if split.stratify and training.task == "regression":
        yield "/split/stratify", "there are no classes to keep in proportion in a regression; remove it"
    if training.early_stopping and training.early_stopping.monitor == "validation_loss" and not validation:
        yield "/early_stopping/monitor", "there are no validation rows; set split.validation, or monitor train_loss"


def _listed(table: Mapping[str, ColumnSummary], most: int = 20) -> str:
    names = [f"'{name}'" for name in table]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
