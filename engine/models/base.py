"""The contract of a model: the problem that it is given, what it answers of itself, and how it is trained."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from engine.backend import Array
from engine.models.regularization import Regularization
from engine.models.run_state import Epoch, State
from engine.network.layers.base import BoundLayer
from engine.network.layers.dense import dense
from engine.network.learner import Learner
from engine.network.network import Network, count_parameters, layer_names
from engine.parts.augmentation import Augmenter
from engine.parts.initializers import Initializer, Zeros
from engine.parts.losses import LossFunction
from engine.parts.optimizers import OptimizerRule
from engine.parts.scaling import NoScaling, Scaling
from engine.parts.schedules import LearningRateSchedule
from engine.spec import Described
from engine.tables.images import ImageSize, RowShape
from engine.tables.target import Target


class Recorded(Protocol):
    """What a job keeps of a run."""

    @property
    def curves(self) -> str:
        """epoch, or batch: each batch's loss, too."""


class Prepared(Protocol):
    """How columns become features."""

    @property
    def scaling(self) -> Scaling:
        """How numbers are brought to a like size."""


class Settings(Protocol):
    """The fields of a completed training spec that models read. A field that means nothing for its model is None."""

    @property
    def model(self) -> "Model":
        """What is trained."""

    @property
    def loss(self) -> LossFunction | None:
        """What training makes small."""

    @property
    def optimizer(self) -> OptimizerRule | None:
        """How a step is made of the gradient."""

    @property
    def schedule(self) -> LearningRateSchedule | None:
        """How the learning rate changes."""

    @property
    def regularization(self) -> Regularization | None:
        """What keeps weights small."""

    @property
    def epochs(self) -> int | None:
        """Passes over the training rows, at most."""

    @property
    def batch_size(self) -> int | str | None:
        """Rows of a step, or full."""

    @property
    def shuffle(self) -> bool | None:
        """Whether each epoch takes the rows in another order."""

    @property
    def seed(self) -> int | None:
        """The seed of all that is drawn and has no seed of its own."""

    @property
    def seed_of_weights(self) -> int:
        """The seed of the first weights."""

    @property
    def seed_of_order(self) -> int:
        """The seed of the order of rows."""

    @property
    def preprocessing(self) -> Prepared:
        """How columns became features."""

    @property
    def record(self) -> Recorded:
        """What is kept of the run."""

    def penalties(self, rows: int) -> tuple[float, float]:
        """(l1, l2) as they stand in the mean loss of `rows` rows."""


@dataclass(frozen=True)
class Matrices:
    """Rows ready for training, on the device: X (n, d), Y (n, k), or (0, 0) without a target, and a weight a row (n,), or None
    for all alike.
    """

    X: Array
    Y: Array
    weights: Array | None = None

    @property
    def rows(self) -> int:
        return int(self.X.shape[0])


@dataclass(frozen=True)
class Unscaled:
    """The training rows X (n, d) in the data's own units, and the center (d,) and scale (d,) of their features."""

    X: Array
    center: Array
    scale: Array


@dataclass(frozen=True)
class Problem:
    """All that a solver needs: the completed spec, what is to be learned, the rows, and how targets are read.

    `unscaled` is there where the model asks for it (see `Model.solves_unscaled`).
    """

    spec: Settings
    learner: Learner
    target: Target
    train: Matrices
    validation: Matrices | None
    unscaled: Unscaled | None = None
    views: Augmenter | None = None
    """Writes the views of the training images that an epoch trains on, where these are augmented."""

    @property
    def network(self) -> Network:
        """The learner of a model that is a network. Raises TypeError for any other."""
        if not isinstance(self.learner, Network):
            raise TypeError(f"a {type(self.learner).__name__} is no network")
        return self.learner


Definition = Callable[..., Any]
"""A class whose instances compute by the definition, in NumPy or CuPy, what a solver asks for."""
Faster = Callable[[Definition], Definition]
"""Gives for a definition what makes its instances, or faster ones that answer the same."""


def by_definition(definition: Definition) -> Definition:
    """Take no faster way."""
    return definition


@dataclass(frozen=True)
class Solver:
    """How a model is trained: `epochs(problem, state, definition)` yields its epochs, given the definition to compute with or
    a faster one. `descends` says that it takes an optimizer's steps along a network's gradient, `copies_rows` that it works
    on copies of the rows.
    """

    epochs: Callable[[Problem, State, Definition], Iterator[Epoch]]
    definition: Definition
    descends: bool = False
    copies_rows: bool = False


@dataclass(frozen=True)
class RowLoss:
    """The loss of a row: its formula and its source, and the losses (n,) of raw outputs (n, k) against Y (n, k)."""

    formula: str
    source: str
    of: Callable[[np.ndarray, np.ndarray], np.ndarray]


class Model(Described):
    """What every model answers. `settings` is the heart: a field of the job that it leaves out means nothing here."""

    tasks: ClassVar[frozenset[str]]
    needs_penalty: ClassVar[bool] = False
    """Whether classes that a line parts leave it without an optimum, unless its weights are penalised."""
    may_read_images: ClassVar[bool] = False
    """Whether it may read rows as images."""
    widened_by: ClassVar[str] = "/model"
    """The field, as a JSON pointer, that makes it smaller or larger."""
    made_of: ClassVar[str] = "units"
    """What it has fewer of where it is smaller."""
    most_classes: ClassVar[int | None] = None
    """The most classes that it tells apart; None for any number."""
    has_target: ClassVar[bool] = True
    """Whether it learns to answer with columns of the table."""
    has_layers: ClassVar[bool] = False
    """Whether it learns a network."""
    has_start: ClassVar[bool] = True
    """Whether the seed alone decides what training begins with, so that it can be had before any of it."""

    def settings(self, task: str, classes: int) -> Mapping[str, Any]:
        """The job's fields that apply to this model, each with its default."""
        raise NotImplementedError

    @property
    def solved_by(self) -> Solver:
        """How it is trained."""
        raise NotImplementedError

    @property
    def draws_weights(self) -> bool:
        """Whether what training begins with is drawn by chance."""
        return False

    @property
    def image(self) -> ImageSize | None:
        """The image that it reads a row as, once completed; None where it reads a row of numbers."""
        return None

    def completed(self, row: RowShape) -> "Model":
        """The model for such rows, with what follows from them filled in. Raises InvalidSpec where it cannot read them."""
        return self

    def build(self, inputs: int, outputs: int, dtype: Any, xp: Any) -> Learner:
        """What it learns of rows of so many features, its parameters all 0."""
        raise NotImplementedError

    def initialize(self, learner: Learner, seed: int) -> None:
        """Set the parameters that training begins with, as far as the seed alone decides them."""

    def count_parameters(self, inputs: int, outputs: int) -> int:
        """How many numbers `build` would hold."""
        raise NotImplementedError

    def bound_layers(self, inputs: int, outputs: int) -> Sequence[BoundLayer]:
        """The layers of the network that it learns; none where that is none."""
        return ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the table that it names, which training itself does not read."""
        return ()

    def held_values(self, inputs: int, rows: int, threads: int) -> int:
        """How many numbers training on so many threads holds beside the rows; of a network its layers tell."""
        raise NotImplementedError

    def rows_problems(self, rows: int, batch_size: int | str | None) -> Iterator[tuple[str, str]]:
        """What keeps it from being trained on so many rows in such batches, by JSON pointer into the spec."""
        yield from ()

    def losses(self, task: str, classes: int) -> tuple[type, ...] | None:
        """The losses to choose from; None for every loss of the task."""
        return None

    def solves_unscaled(self, rows: int, inputs: int) -> bool:
        """Whether its solver also wants a table of that shape in the data's own units."""
        return False

    @property
    def target_scaling(self) -> Scaling:
        """How a regression's target is scaled unless the job says otherwise."""
        return NoScaling()

    def penalties(self, regularization: Regularization | None, rows: int) -> tuple[float, float]:
        """(l1, l2) as they stand in the mean loss of `rows` rows."""
        chosen = regularization or Regularization()
        return chosen.l1, chosen.l2

    def row_loss(self, loss: LossFunction | None) -> RowLoss:
        """What a row costs, of which its epochs report the mean; `loss` is the job's, where it has one."""
        raise NotImplementedError

    def judged_by(self, has_validation: bool) -> str:
        """The series whose lowest value makes an epoch the best, unless early stopping watches one."""
        return "validation_loss" if has_validation else "train_loss"

    @property
    def beside(self) -> tuple[str, ...]:
        """Vectors of the state that are weights, too, beside those that the model takes."""
        return ()

    def epochs(self, problem: Problem, state: State, faster: Faster = by_definition) -> Iterator[Epoch]:
        """Train the problem's learner from `state` on, an epoch a turn; `state` is kept up to date at every yield.

        Raises Diverged when the loss is no longer a finite number.
        """
        solver = self.solved_by
        return solver.epochs(problem, state, faster(solver.definition))


class NetworkModel(Model):
    """A model that learns a network, without hidden layers unless it says otherwise."""

    has_layers: ClassVar[bool] = True

    def bound_layers(self, inputs: int, outputs: int) -> Sequence[BoundLayer]:
        return [dense(inputs, outputs)]

    @property
    def start(self) -> Initializer:
        """What the weights start from."""
        return Zeros()

    @property
    def draws_weights(self) -> bool:
        return self.start.draws

    def build(self, inputs: int, outputs: int, dtype: Any, xp: Any) -> Network:
        return Network(self.bound_layers(inputs, outputs), dtype, xp)

    def initialize(self, learner: Learner, seed: int) -> None:
        assert isinstance(learner, Network)
        learner.initialize(self.start, seed)

    def count_parameters(self, inputs: int, outputs: int) -> int:
        return count_parameters(self.bound_layers(inputs, outputs))

    def rows_problems(self, rows: int, batch_size: int | str | None) -> Iterator[tuple[str, str]]:
        batch = rows if batch_size in (None, "full") else min(rows, int(batch_size))
        layers = self.bound_layers(1, 1)  # an image's shape stands in the model, and no other width matters here
        for name, layer in zip(layer_names(layers), layers, strict=True):
            fewest = layer.rule.fewest_rows(layer.input_shape)
            if batch < fewest:
                found = f"{name} learns from batches of {fewest} rows or more, not of {batch}"
                remedy = f"set batch_size to {fewest} or more" if rows >= fewest else "upload more rows"
                yield "/batch_size", f"{found}; {remedy}, or leave {layer.kind} out"
                return

    def row_loss(self, loss: LossFunction | None) -> RowLoss:
        assert loss is not None
        return RowLoss(loss.formula, loss.source, lambda outputs, Y: losses_of(loss, outputs, Y))


def losses_of(loss: LossFunction, outputs: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """The loss of each row (n,), as a run on the host reports it."""
    losses = np.empty(len(outputs), outputs.dtype)
    loss.rows(np, outputs, Y, losses, np.empty_like(outputs))
    return losses
