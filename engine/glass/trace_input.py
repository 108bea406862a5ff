"""The subject of a trace or a gradient check: layers given number by number, or a run at one of its checkpoints."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from engine.backend import Array
from engine.errors import InvalidSpec
from engine.glass.trace import Update
from engine.models.descent import begin, scheduled_rate
from engine.models.run_state import State
from engine.network.backpropagation import Backpropagation
from engine.network.layers.dense import dense
from engine.network.network import Network
from engine.parts.activations import Activation, Identity
from engine.parts.losses import Loss
from engine.parts.optimizers import Optimizer
from engine.randomness import Shuffles
from engine.spec import FiniteFloat, spec
from engine.tables.features import Column
from engine.training.prepare import Fitted, build_learner, fit, row_weights
from engine.training.spec import Training

Vector = Annotated[tuple[FiniteFloat, ...], Field(min_length=1, max_length=10_000)]
Matrix = Annotated[tuple[Vector, ...], Field(min_length=1, max_length=10_000)]
MOST_LAYERS = 100


@spec
class GivenLayer:
    """A layer whose weights are given: Z = A W + b, A' = f(Z)."""

    weights: Annotated[Matrix, Field(description="W, a row for each input and a column for each unit")]
    bias: Annotated[Vector, Field(description="b, a number for each unit")] | None = None
    activation: Activation = Identity()


@spec
class Given:
    """A network number by number, the rows it sees, and what they should give. Arithmetic is in float64."""

    layers: Annotated[tuple[GivenLayer, ...], Field(min_length=1, max_length=MOST_LAYERS)]
    loss: Loss
    inputs: Annotated[Matrix, Field(description="X, a row for each example")]
    targets: Annotated[Matrix, Field(description="Y, a row for each example: numbers, or a class as 1 among 0s")]

    def descent(self) -> Backpropagation:
        """Raises InvalidSpec where shapes do not fit, or the loss is of other targets."""
        problems = [*self._shape_problems()] or [*self._loss_problems()]
        if problems:
            raise InvalidSpec(problems)
        X, Y = np.array(self.inputs), np.array(self.targets)
        sizes = [X.shape[1], *(len(layer.weights[0]) for layer in self.layers)]
        layers = [
            dense(inputs, outputs, layer.activation, bias=layer.bias is not None)
            for inputs, outputs, layer in zip(sizes[:-1], sizes[1:], self.layers, strict=True)
        ]
        network = Network(layers, np.float64, np)
        for views, layer in zip(network.parameters.layers, self.layers, strict=True):
            views.W[...] = layer.weights
            if views.b is not None:
                views.b[...] = layer.bias
        return Backpropagation(network, X, Y, self.loss)

    def _shape_problems(self) -> list[tuple[str, str]]:
        width, found = len(self.inputs[0]), [*_ragged("/inputs", self.inputs), *_ragged("/targets", self.targets)]
        for index, layer in enumerate(self.layers):
            at, units = f"/layers/{index}", len(layer.weights[0])
            found += _ragged(f"{at}/weights", layer.weights)
            if len(layer.weights) != width:
                rows = f"the weights of layer {index} have {len(layer.weights)} rows"
                detail = f"{rows} for {width} values that come in; give one a value"
                found.append((f"{at}/weights", detail))
            if layer.bias is not None and len(layer.bias) != units:
                detail = f"the bias of layer {index} has {len(layer.bias)} numbers for {units} units; give one a unit"
                found.append((f"{at}/bias", detail))
            width = units
        if len(self.targets[0]) != width:
            detail = f"the targets have {len(self.targets[0])} columns for {width} outputs; give one an output"
            found.append(("/targets", detail))
        if len(self.targets) != len(self.inputs):
            detail = f"the targets have {len(self.targets)} rows for {len(self.inputs)} of inputs; give one a row"
            found.append(("/targets", detail))
        return found

    def _loss_problems(self) -> list[tuple[str, str]]:
        found, wrong = [], self.loss.wrong_with(np.array(self.targets))
        if wrong:
            found.append(("/targets", f"{self.loss.kind} needs {wrong}"))
        if self.loss.probabilistic and not isinstance(self.layers[-1].activation, Identity):
            detail = f"{self.loss.kind} turns raw outputs into probabilities itself; leave the last layer's activation out"
            found.append((f"/layers/{len(self.layers) - 1}/activation", detail))
        return found


def _ragged(at: str, rows: Matrix) -> list[tuple[str, str]]:
    for index, row in enumerate(rows):
        if len(row) != len(rows[0]):
            name = at.rpartition("/")[2]
            detail = f"row {index} of the {name} has {len(row)} numbers where row 0 has {len(rows[0])}; make them alike"
            return [(f"{at}/{index}", detail)]
    return []


@spec
class GivenDescent(Given):
    """The same with an optimizer, to take steps."""

    optimizer: Optimizer

    def update(self) -> Update:
        """At its start."""
        size = sum(len(layer.weights) * len(layer.weights[0]) + len(layer.bias or ()) for layer in self.layers)
        return Update(self.optimizer, self.optimizer.learning_rate, [np.zeros(size) for _ in self.optimizer.slots])


@dataclass(frozen=True)
class Moment:
    """A run as it stood at a checkpoint: its table, what was fitted to it, and where it was."""

    training: Training
    columns: Mapping[str, Column]
    fitted: Fitted
    network: Network
    state: State

    @classmethod
    def of(cls, training: Training, columns: Mapping[str, Column], arrays: Mapping[str, np.ndarray] | None) -> "Moment":
        """From a checkpoint's arrays, or before the first step without. Raises InvalidSpec for what takes no such steps."""
        if not training.model.solved_by.descends:
            detail = f"{training.model.kind} was not trained by gradient descent: there is no step to look at"
            raise InvalidSpec([("/job_id", detail)])
        training = replace(training, device="cpu")
        fitted = fit(training, columns)  # no matrix is made: a table may be large, and a step looks at few of its rows
        network = build_learner(training, fitted.features.width, fitted.target)
        assert isinstance(network, Network)  # all that descends is one
        if arrays is None:
            training.model.initialize(network, training.seed_of_weights)
        state = State() if arrays is None else State.from_arrays(dict(arrays), network)
        begin(state, training, network)
        return cls(training, columns, fitted, network, state)

    def batch(self) -> list[int]:
        """The table's rows of the batch that the run trains on next, in order."""
        rows, size = self.fitted.rows["train"], self.training.batch_size
        order = np.arange(len(rows))
        if self.training.shuffle:
            order = Shuffles(self.training.seed_of_order, len(rows)).order(self.state.epoch)
        return [int(row) for row in rows[order[: len(rows) if size == "full" else size]]]

    def descent(self, rows: Sequence[int], dtype: Any = None) -> Backpropagation:
        """On those of the table's rows, which have to be training rows; without dropout if another float type is wanted."""
        training, fitted, network, train = self.training, self.fitted, self.network, self.fitted.rows["train"]
        places = self._places(rows)
        answers = {name: self.columns[name].take(train) for name in training.targets}
        weights = row_weights(training, fitted.target, answers)

        def of(array: Array) -> Array:
            return array.astype(network.dtype).astype(dtype or network.dtype, copy=False)

        seen = network
        if dtype is not None:
            seen = Network(network.layers, dtype, np)
            seen.parameters.theta[...] = network.parameters.theta
        assert training.loss is not None
        chosen = {name: column.take(places) for name, column in answers.items()}
        return Backpropagation(
            seen,
            of(fitted.features.transform(self.columns, network.dtype, train[places])),
            of(fitted.target.matrix(chosen, network.outputs, network.dtype)),
            training.loss,
            row_weights=None if weights is None else of(weights[places]),
            penalties=training.penalties(len(train)),
            masked=(training.seed or 0, self.state.step + 1) if dtype is None and network.has_dropout else None,
            scaling=fitted.target.scaling,
        )

    def update(self) -> Update:
        """The optimizer as it stood."""
        training, state, optimizer = self.training, self.state, self.training.optimizer
        assert optimizer is not None
        rate = scheduled_rate(training, state)
        clip = training.regularization.clip_norm if training.regularization is not None else None
        return Update(optimizer, rate, [state.vectors[name] for name in optimizer.slots], clip, state.step)

    def _places(self, rows: Sequence[int]) -> Array:
        """The indices of the table's rows among the training rows."""
        train = self.fitted.rows["train"]
        places = np.searchsorted(train, rows)
        wrong = [
            i for i, (place, row) in enumerate(zip(places, rows, strict=True)) if place == len(train) or train[place] != row
        ]
        if wrong:
            some = ", ".join(map(str, train[:5].tolist()))
            detail = f"row {rows[wrong[0]]} is none that this job trains on; those are rows {some}, …"
            raise InvalidSpec([(f"/rows/{wrong[0]}", detail)])
        return places
