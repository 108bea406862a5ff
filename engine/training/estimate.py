"""What training a spec will take, from its shapes alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.errors import TooMuchMemory
from engine.fast import threads
from engine.fast.coverage import is_compiled, without_kernel
from engine.models.descent import batch_bounds
from engine.network.layers.base import BoundLayer
from engine.network.network import MOST_ROWS, count_parameters, is_dense, most_rows
from engine.network.workspace import count_numbers
from engine.tables.features import Column, ColumnSummary
from engine.tables.target import Classes
from engine.training.prepare import build_learner, fit
from engine.training.spec import MAX_CATEGORIES, Training
from engine.wording import notice, say


@dataclass(frozen=True)
class Pace:
    """How fast steps are taken: operations of products a second, and seconds for each number that a layer gives a row (bending
    it, pooling it, and the way back), for a step, and for each layer of a step. `scripts/bench estimate` holds all that stands
    here against what training takes on two cores.
    """

    flops: float
    number: float = 0.0
    step: float = 3e-6
    layer: float = 0.0


COMPILED, COMPILED_LAYERS = Pace(8e10), Pace(6e10, 1e-9, 2e-5)
"""Of dense layers alone, and of layers of every kind."""
DEFINED, DEFINED_LAYERS = Pace(5e10, 3e-9, 5e-5, 2e-5), Pace(1e10, 1e-8, 5e-5, 5e-5)
"""The same by their definitions, in NumPy."""
SECONDS_PER_EPOCH = 3e-5
SECONDS_PER_OUTPUT = 8e-9
"""Of a row's: the loss, and the metric."""
SECONDS_PER_UPDATE = 4e-10
"""A weight's share of the optimizer's step, most of it waiting for memory."""
BASE_BYTES = 160 * 2**20
"""A training process before it has read a row. With what is counted below, no less than the peak of private memory that five
jobs took (20 to 285,000 weights and 6.4 million, 200 to 200,000 rows, Newton's method too), and less than twice as much.
"""
SOLVER_COPIES = 4
"""Of the matrix, that a solver which is not gradient descent makes."""
AUGMENTED_COPIES = 2
"""Of the matrix, where images are augmented: the images, and an epoch's views of them."""
KEPT_COPIES = 3
"""Of what a checkpoint holds: the best epoch's, the last one's, and the bytes that are written."""
COPIES = 2 + KEPT_COPIES
"""Of θ and the optimizer's vectors: as they are, and in strips."""
OTHER_VECTORS = 3
"""Gradient, scratch, and the transposed weights."""
AT_HAND = 512
"""Rows of a batch that the fast path has at hand at once (see team_step.py); the definition has all of them."""


@dataclass(frozen=True)
class Estimated:
    """Trainable parameters, bytes of the training process, seconds of training (None where a solver decides), the rows of
    each split, and the network's layers.
    """

    parameters: int
    memory_bytes: int
    seconds: float | None
    rows: Mapping[str, int]
    layers: Sequence[BoundLayer]


def estimate(training: Training, columns: Mapping[str, Column]) -> Estimated:
    """Pose the problem and count. Raises UnusableData as training itself would."""
    fitted = fit(training, columns)  # the matrices themselves are not made: a table may be large, and this the API
    inputs = fitted.features.width
    learner = build_learner(replace(training, device="cpu"), inputs, fitted.target)  # shapes are the same anywhere
    layers = learner.layers
    parameters, rows = learner.parameters.size, len(fitted.rows["train"])
    steps = len(batch_bounds(rows, training.batch_size or "full"))
    seconds = None
    if training.model.solved_by.descends:
        assert training.epochs is not None
        pace = _pace(layers, has_card=training.device == "cuda")
        of_a_row = 6 * learner.products / pace.flops + pace.number * sum(layer.outputs for layer in layers)
        of_a_row += SECONDS_PER_OUTPUT * learner.outputs
        of_a_step = pace.step + pace.layer * len(layers) + SECONDS_PER_UPDATE * parameters
        seconds = training.epochs * (of_a_row * rows + of_a_step * steps + SECONDS_PER_EPOCH)
    all_rows = len(next(iter(columns.values())).values)
    cell_bytes = sum(column.values.nbytes for column in columns.values()) // max(1, all_rows)
    memory = _data_bytes(training, cell_bytes, inputs, all_rows)
    memory += _learner_bytes(training, inputs, learner.outputs, all_rows)
    counts = {name: len(places) for name, places in fitted.rows.items()}
    return Estimated(parameters, BASE_BYTES + memory, seconds, counts, layers)


def _pace(layers: Sequence[BoundLayer], has_card: bool) -> Pace:
    if is_compiled(layers) and not has_card:
        return COMPILED if is_dense(layers) else COMPILED_LAYERS
    return DEFINED if is_dense(layers) else DEFINED_LAYERS


def by_definition(training: Training, table: Mapping[str, ColumnSummary]) -> list[dict[str, Any]]:
    """A warning where layers of every kind are trained by their definition on a CPU, which names the first without a kernel."""
    assert training.features is not None
    most = training.preprocessing.max_categories or MAX_CATEGORIES
    layers = training.model.bound_layers(sum(max(1, table[name].features(most)) for name in training.features), 1)
    lacking = [(index, what) for index, layer in enumerate(layers) if (what := without_kernel(layer))]
    if not lacking or is_dense(layers) or training.device == "cuda":
        return []
    index, what = lacking[0]
    detail = say(
        "layer {index}, {what}, has no compiled kernel, so all layers are trained by their definition in NumPy, which takes "
        "several times as long; leave it out where time matters more",
        index=index,
        what=what,
    )
    return [notice("NO_KERNEL", detail, field=f"model.layers.{index}")]


def parameters_ahead(training: Training, table: Mapping[str, ColumnSummary]) -> int | None:
    """How many numbers a completed spec trains, by the table's summary alone; None where that does not tell: how many
    categories the training rows hold, or how many classes are left once rows are dropped.
    """
    assert training.features is not None
    drops = training.preprocessing.missing == "drop" and any(table[name].missing for name in training.trained_columns)
    features = [table[name] for name in training.features]
    is_whole = not (drops or training.split.validation or training.split.test)
    if not is_whole and any(column.kind == "categorical" and column.distinct > 2 for column in features):
        return None
    if drops and training.task == "classification":
        return None
    most = training.preprocessing.max_categories or MAX_CATEGORIES
    inputs = sum(max(1, column.features(most)) for column in features)
    outputs = len(training.targets)
    if training.task == "classification":
        target = table[training.targets[0]]
        outputs = Classes((target.name,), tuple(range(target.distinct))).outputs(training.loss)
    return training.model.count_parameters(inputs, outputs)


def refuse_too_much(training: Training, table: Mapping[str, ColumnSummary], rows: int, most: int | None) -> None:
    """Hold what training a completed spec will take against the most bytes that it may; a glance at the table's summary
    is enough. Raises TooMuchMemory with the figure.
    """
    assert training.features is not None
    most_categories = training.preprocessing.max_categories or MAX_CATEGORIES
    inputs = sum(table[name].features(most_categories) for name in training.features)
    outputs = len(training.targets)
    if training.loss and training.task == "classification":
        outputs = training.loss.outputs(table[training.targets[0]].distinct)
    # A cell is read as eight bytes, an array in its own type, of which the summary does not tell: one byte at least.
    cell_bytes = sum(table[name].width if table[name].shape else 8 for name in training.columns)
    data, learner = _data_bytes(training, cell_bytes, inputs, rows), _learner_bytes(training, inputs, outputs, rows)
    needed = BASE_BYTES + data + learner
    if most is None or needed <= most:
        return
    found = f"training would take about {needed / 2**20:.0f} MiB, and a job may take {most / 2**20:.0f} MiB"
    if data > learner:
        raise TooMuchMemory([("/features", f"{found}; take fewer features or rows")])
    raise TooMuchMemory([("/model", f"{found}; take fewer units or a smaller batch")])


def _data_bytes(training: Training, cell_bytes: int, inputs: int, rows: int) -> int:
    """Of the columns as read and as split, and the matrix made of them; of a solver's copies of it."""
    copies = SOLVER_COPIES if training.model.solved_by.copies_rows else 1
    copies += AUGMENTED_COPIES if training.preprocessing.augmentation is not None else 0
    return rows * (2 * cell_bytes + inputs * copies * np.dtype(training.precision).itemsize)


def _learner_bytes(training: Training, inputs: int, outputs: int, rows: int) -> int:
    """Of θ, ∇ and the optimizer's vectors, of copies of them that multiply or wait to be kept, and of what passes of rows
    write.
    """
    layers = training.model.bound_layers(inputs, outputs)
    if not layers:
        return training.model.held_values(inputs, rows, threads.count()) * np.dtype(training.precision).itemsize
    slots = len(training.optimizer.slots) if training.optimizer is not None else 0
    widths = sum(layer.outputs for layer in layers)
    batch = _rows_at_hand(training, layers, rows)
    vectors = count_parameters(layers) * (OTHER_VECTORS + COPIES * (1 + slots))
    if is_dense(layers):
        passes = widths * (4 * batch + 3 * min(rows, MOST_ROWS))
    else:
        passes = count_numbers(layers, batch) + count_numbers(layers, min(rows, most_rows(layers)))
    values = vectors + passes + batch * inputs + 3 * rows * outputs
    return values * np.dtype(training.precision).itemsize


def _rows_at_hand(training: Training, layers: Sequence[BoundLayer], rows: int) -> int:
    """Of a batch, all of whose layers' values are kept at once."""
    if not training.model.solved_by.descends:  # a solver looks at the rows of the matrix itself
        return 0
    batch = rows if training.batch_size in (None, "full") else min(rows, int(training.batch_size))
    return min(batch, AT_HAND) if is_compiled(layers) and training.device != "cuda" else batch
