"""A run that goes on from another's checkpoint with other settings: what must stay as it is, and what is inherited."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from engine.errors import InvalidSpec
from engine.tables.features import ColumnSummary
from engine.training.image_input import row_shape
from engine.training.spec import Training

Spec = TypeVar("Spec", bound=Training)
FIXED = ("target", "features", "task", "model", "preprocessing", "split", "weights_seed", "precision")
"""Fields that a fork keeps, because its weights were made for them."""


def repeated(before: Training, after: Spec, table: Mapping[str, ColumnSummary]) -> Spec:
    """The spec of a fork with the model of the completed spec `before` in place of its own, where that is a short form of the
    same, as `lenet5` is of its layers.
    """
    columns = [table[name] for name in before.features or () if name in table]
    try:
        model = after.model.completed(row_shape(before, columns))
    except InvalidSpec:
        return after
    return replace(after, model=before.model) if model == before.model else after


def refusals(before: Training, after: Training, epoch: int, fixed: Sequence[str] = FIXED) -> Iterator[tuple[str, str]]:
    """Reasons why a run by one completed spec cannot go on by another after that epoch, by JSON pointer into the latter;
    what that one leaves to its defaults is not looked at.
    """
    for name in fixed:
        if getattr(after, name) not in (None, getattr(before, name)):
            yield f"/{name}", f"the weights of a fork were made for its {name} as it is; remove it, or start a new job"
    if after.loss is not None and _outputs(before) != _outputs(after):
        yield "/loss", "this loss reads another number of outputs than the weights give; remove it, or start a new job"
    if after.epochs is not None and after.epochs <= epoch:
        yield "/epochs", f"the run begins after epoch {epoch}; set epochs above that"


def _outputs(training: Training) -> list[int]:
    """The raw outputs that the loss reads, for two and for three classes."""
    return [training.loss.outputs(classes) for classes in (2, 3)] if training.loss is not None else []


def inherit(arrays: dict[str, np.ndarray], before: Training, after: Training) -> dict[str, np.ndarray]:
    """Those of a checkpoint's arrays (see `State.arrays`) that a run by other settings goes on with.

    Another optimizer begins with vectors and a step count of its own, another schedule with its own memory.
    """
    kept, dropped = dict(arrays), set[str]()
    if before.optimizer is not None and type(before.optimizer) is not type(after.optimizer):
        dropped |= set(before.optimizer.slots)
        epoch, _, *rest = arrays["counters"].tolist()
        kept["counters"] = np.array([epoch, 0, *rest], np.int64)
    if before.schedule != after.schedule:
        dropped.add("schedule")
    return {name: array for name, array in kept.items() if name not in dropped}
