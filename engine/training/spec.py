"""The spec of a job's mathematics: what to train, on what, how. engine/training/completion.py fills in and checks it."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from engine.models.kinds import AnyModel
from engine.models.regularization import Regularization
from engine.parts.augmentation import Augmentation
from engine.parts.losses import Loss
from engine.parts.optimizers import Optimizer
from engine.parts.scaling import MeanNormalization, Scaling
from engine.parts.schedules import Schedule
from engine.spec import WHOLE, Flag, NonNegativeFloat, PositiveInt, Seed, kind_of, members, spec, without_unset
from engine.tables.split import Split

MAX_EPOCHS = 1_000_000

MAX_CATEGORIES = 100

Task = Literal["classification", "regression", "tagging", "clustering"]
Unit = Literal["target", "target^2", "scaled_target", "scaled_target^2"]
UNITS: dict[bool, tuple[Unit, Unit]] = {False: ("target", "target^2"), True: ("scaled_target", "scaled_target^2")}
"""What a regression's numbers are in, by whether the target is scaled: the first and the second power."""
LOSSES = ("train_loss", "validation_loss", "batch_loss")
"""The curves of losses."""
UNSET = ("weights_seed", "order_seed")
"""Fields of a training that are shown only where they are given."""
POWERS: dict[str, int] = {kind_of(cls): cls.power for cls in members(Loss)}  # type: ignore[attr-defined]

Epochs = Annotated[int, Field(strict=True, ge=1, le=MAX_EPOCHS), WHOLE]


@spec
class Preprocessing:
    """How columns become features; fitted on the training rows alone and applied again at prediction."""

    scaling: Scaling = Field(
        default=MeanNormalization(), description="how numbers are brought to a like size, column by column"
    )
    target_scaling: Scaling | None = Field(
        default=None,
        description="a regression's target y is learned as (y - center) / scale, fitted on the training rows, each target by "
        "itself: standard by default for mlp, none for linear_regression. Losses, their curves, min_delta and Huber's delta "
        "are in that unit then (see a job's units); predictions, evaluations, residuals, boundaries and coefficients in the "
        "target's own",
    )
    missing: Literal["error", "drop", "mean", "median", "most_frequent"] = Field(
        default="error",
        description="a missing cell: refuse, drop its row, or fill it with a value of the training rows",
    )
    categorical: Literal["one_hot"] = Field(
        default="one_hot",
        description="a 0/1 feature for each category of the training rows; one alone where there are two. A category never "
        "seen in training counts as other where there is that feature, and as none of them where there is not",
    )
    max_categories: Annotated[int, Field(strict=True, ge=2, le=10_000), WHOLE] | None = Field(
        default=None,
        description=f"so many of a column's most frequent categories get a feature each, {MAX_CATEGORIES} by default; the rest "
        "share one, other",
    )
    augmentation: Augmentation | None = Field(
        default=None, description="other views of the training images in each epoch; null: the images as they are"
    )
    _shown = without_unset("max_categories", "target_scaling", "augmentation")


@spec
class EarlyStopping:
    """End when the monitored loss has not fallen for `patience` epochs, in its own unit (see a job's units); the model is then
    the best epoch's: that of the lowest monitored loss, however little lower it was.
    """

    monitor: Literal["validation_loss", "train_loss"] = Field(default="validation_loss", description="the loss to watch")
    patience: PositiveInt = Field(default=10, description="epochs in a row without a fall, after which training ends")
    min_delta: NonNegativeFloat = Field(
        default=0.0,
        description="by how much more than that the loss must lie below where it fell last to count as a fall; it decides when "
        "training ends, and has no part in which epoch is the best",
    )


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

    target: str | Annotated[tuple[str, ...], Field(min_length=1, max_length=1000)] | None = Field(
        default=None,
        description="the column to predict, or several: of numbers, or of yes and no (tagging). Every model needs one but "
        "k_means, which has none",
    )
    features: Annotated[tuple[str, ...], Field(min_length=1)] | None = Field(
        default=None, description="the columns to read; all others by default"
    )
    task: Task | None = Field(default=None, description="by default read off the target column and the model")
    model: AnyModel = Field(description="what is to be trained")
    loss: Loss | None = Field(default=None, description="what training makes small: how far predictions are from the truth")
    optimizer: Optimizer | None = Field(default=None, description="how a step is made of the gradient")
    schedule: Schedule | None = Field(default=None, description="how the learning rate changes from epoch to epoch")
    regularization: Regularization | None = Field(default=None, description="what keeps weights small and steps short")
    preprocessing: Preprocessing = Preprocessing()
    split: Split = Split()
    epochs: Epochs | None = Field(default=None, description="passes over all training rows, at most")
    batch_size: PositiveInt | Literal["full"] | None = Field(
        default=None, description="rows of one step; full: all training rows at once"
    )
    shuffle: Flag | None = Field(default=None, description="take the rows in another order in every epoch")
    class_weight: Literal["balanced"] | dict[str, NonNegativeFloat] | None = Field(
        default=None, description="a weight by class, or balanced: every class counts the same"
    )
    early_stopping: EarlyStopping | None = Field(
        default=None, description="end before the last epoch, once the loss no longer falls; null: never"
    )
    seed: Seed | None = Field(default=None, description="draws the first weights, the order of rows and the dropout")
    weights_seed: Seed | None = Field(
        default=None, description="draws the first weights, or where centroids begin, in the place of `seed`"
    )
    order_seed: Seed | None = Field(default=None, description="draws the order of rows in each epoch, in the place of `seed`")
    precision: Literal["float32", "float64"] | None = Field(
        default=None, description="digits of the arithmetic: 7 (float32, faster) or 16 (float64)"
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="cuda only where asked for: auto is the CPU, which small networks are faster on"
    )
    max_seconds: Annotated[float, Field(strict=True, gt=0, le=30 * 86_400)] = Field(
        default=3600, description="seconds of training after which it ends with its last whole epoch"
    )
    record: Record = Record()
    _shown = without_unset(*UNSET)

    @property
    def seed_of_weights(self) -> int:
        """The seed of the first weights."""
        return self.weights_seed if self.weights_seed is not None else self.seed or 0

    @property
    def seed_of_order(self) -> int:
        """The seed of the order of rows."""
        return self.order_seed if self.order_seed is not None else self.seed or 0

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns to predict; none of a model without a target."""
        return (self.target,) if isinstance(self.target, str) else self.target or ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that a completed spec reads, each once."""
        return tuple(dict.fromkeys((*self.trained_columns, *self.model.columns)))

    @property
    def trained_columns(self) -> tuple[str, ...]:
        """Those of them that training itself reads."""
        return tuple(dict.fromkeys((*(self.features or ()), *self.targets, *self.split.columns)))

    def penalties(self, rows: int) -> tuple[float, float]:
        """(l1, l2) as they stand in the mean loss of `rows` rows."""
        return self.model.penalties(self.regularization, rows)


def units_of(request: Mapping[str, Any]) -> dict[str, Unit]:
    """The unit that each loss is in, by its curve's name, from a completed spec as JSON; a loss of classes has none. (A page
    of jobs asks for many: the JSON is not made a spec for it.)
    """
    power = POWERS[request["loss"]["kind"]] if request.get("loss") else 0
    scaling = (request.get("preprocessing") or {}).get("target_scaling") or "none"
    unit = UNITS[scaling not in ("none", {"kind": "none"})]
    return dict.fromkeys(LOSSES, unit[power - 1]) if power else {}
