"""What a model predicts over the plane of two of its features, the others held where they are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import InvalidSpec
from engine.features import Input
from engine.predict import Prediction, Predictor, columns_of

MARGIN = 0.05
"""Of a column's range, added at either end: the outermost rows do not lie on the edge of the picture."""


@dataclass(frozen=True)
class Axis:
    """A feature to go along: its name and the cells (m,) that it takes, numbers or categories."""

    name: str
    cells: list[Any]


def axis(entry: Input, low: float | None, high: float | None, resolution: int) -> Axis:
    """Evenly spaced numbers over a column's range and a little beyond, or every category of one that has any. Where the
    column holds nothing, around what fills it.
    """
    if entry.categories:
        return Axis(entry.name, list(entry.categories))
    if entry.kind == "boolean":
        return Axis(entry.name, list(entry.words or (False, True)))
    if low is None or high is None:
        low = high = entry.fill or 0.0
    beyond = MARGIN * (high - low) or 1.0
    return Axis(entry.name, np.linspace(low - beyond, high + beyond, resolution).tolist())


@np.errstate(over="ignore", invalid="ignore")  # weights that went astray are shown as they are
def plane(predictor: Predictor, x: Axis, y: Axis, fixed: Mapping[str, Any]) -> Prediction:
    """Predictions for every pair of cells, row by row: y down, x across. `fixed` holds a cell of every other feature.

    Raises UnusableData for a cell that the model cannot read.
    """
    features, base = predictor.features, {x.name: x.cells[0], y.name: y.cells[0], **fixed}
    columns = columns_of(features, [base])
    along_x = columns_of(features, [{**base, x.name: cell} for cell in x.cells])[x.name]
    along_y = columns_of(features, [{**base, y.name: cell} for cell in y.cells])[y.name]
    down, across = (places.reshape(-1) for places in np.indices((len(y.cells), len(x.cells))))
    everywhere = {name: column.take(np.zeros(len(down), np.intp)) for name, column in columns.items()}
    return predictor.predict({**everywhere, x.name: along_x.take(across), y.name: along_y.take(down)})


def chosen(predictor: Predictor, x: str | None, y: str | None) -> tuple[Input, Input]:
    """The inputs of those names, by default the first two that are left. Raises InvalidSpec where there are none such."""
    inputs = {entry.name: entry for entry in predictor.features.inputs}
    arrays = [entry.name for entry in inputs.values() if entry.shape]
    if arrays:
        raise InvalidSpec([("/job_id", f"column '{arrays[0]}' holds arrays: a model of those has no plane of two features")])
    found: list[Input] = []
    for name, at in ((x, "/query/x"), (y, "/query/y")):
        if name is None:
            name = next((each for each in inputs if each not in (x, y, *(entry.name for entry in found))), None)
            if name is None:
                raise InvalidSpec([(at, "the model has one feature only; a boundary goes over two")])
        if name not in inputs:
            raise InvalidSpec([(at, f"the model reads no column '{name}'; it reads {', '.join(list(inputs)[:20])}")])
        found.append(inputs[name])
    if found[0] is found[1]:
        raise InvalidSpec([("/query/y", f"x and y are both '{found[0].name}'; choose two columns")])
    return found[0], found[1]
