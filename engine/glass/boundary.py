"""Predictions of a model over the plane of two of its features, or along one, while the others are held."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import InvalidSpec
from engine.tables.features import Column, Input
from engine.training.predict import Prediction, Predictor, columns_of

MARGIN = 0.05
"""Share of a column's range that is added at either end, so that the outermost rows do not lie on the picture's edge."""


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
def plane(predictor: Predictor, x: Axis, y: Axis | None, fixed: Mapping[str, Any]) -> Prediction:
    """Predictions for every pair of cells, row by row: y down, x across; or for every cell of x alone. `fixed` holds a cell
    of every other feature.

    Raises UnusableData for a cell that the model cannot read.
    """
    return predictor.predict(points(predictor, x, y, fixed))


@np.errstate(over="ignore", invalid="ignore")
def units(predictor: Predictor, x: Axis, y: Axis | None, fixed: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The activation of every hidden unit by layer, (units, points) each, at the points of `plane`. Layers of images have
    more than one number a unit, and are left out.
    """
    hidden = predictor.activations(points(predictor, x, y, fixed))
    return {name: A.T for name, A in zip(predictor.network.names, hidden, strict=False) if A.ndim == 2}


def points(predictor: Predictor, x: Axis, y: Axis | None, fixed: Mapping[str, Any]) -> dict[str, Column]:
    """The points of a plane as columns. Raises UnusableData."""
    features, axes = predictor.features, [axis for axis in (y, x) if axis is not None]
    base = {**{axis.name: axis.cells[0] for axis in axes}, **fixed}
    columns = columns_of(features, [base])
    places = np.indices([len(axis.cells) for axis in axes]).reshape(len(axes), -1)
    everywhere = {name: column.take(np.zeros(places.shape[1], np.intp)) for name, column in columns.items()}
    for axis, along in zip(axes, places, strict=True):
        cells = columns_of(features, [{**base, axis.name: cell} for cell in axis.cells])[axis.name]
        everywhere[axis.name] = cells.take(along)
    return everywhere


def chosen(predictor: Predictor, x: str | None, y: str | None) -> tuple[Input, Input | None]:
    """The inputs of those names, as `pair` chooses them. Raises InvalidSpec where there are none such."""
    inputs = {entry.name: entry for entry in predictor.features.inputs}
    arrays = [entry.name for entry in inputs.values() if entry.shape]
    if arrays:
        raise InvalidSpec([("", f"column '{arrays[0]}' holds arrays: a model of those has no plane of two features")])
    first, second = pair(list(inputs), x, y)
    return inputs[first], None if second is None else inputs[second]


def pair(names: Sequence[str], x: str | None, y: str | None) -> tuple[str, str | None]:
    """x and y of those names. With neither given, the first two that there are, or the only one; x alone is a line, y alone
    goes with the first other one. Raises InvalidSpec, at `/x` or `/y`, where there are none such.
    """
    for name, at in ((x, "/x"), (y, "/y")):
        if name is not None and name not in names:
            raise InvalidSpec([(at, f"the model reads no '{name}'; it reads {', '.join(names[:20])}")])
    if x is not None and x == y:
        raise InvalidSpec([("/y", f"x and y are both '{x}'; choose two, or leave y out")])
    if x is not None:
        return x, y
    first = next((name for name in names if name != y), None)
    if first is None:
        raise InvalidSpec([("/y", f"'{y}' is the only feature; name it as x, and leave y out")])
    return first, y if y is not None else next((name for name in names if name != first), None)
