"""Predictions of a trained model from raw records, in the units and words of the data it was trained on."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from engine.backend import to_host
from engine.errors import UnusableData
from engine.features import ClassLabel, Column, Features, Input, pointer
from engine.prepare import build_network
from engine.target import Target
from engine.training import Training

MAX_PROBLEMS = 20
"""So many problems of one request are named; a million wrong cells are one mistake."""
MOST_SHOWN = 50
"""Characters of a wrong cell that are shown again."""


@dataclass(frozen=True)
class Prediction:
    """One value a row (a number, a class, or several by name), and for losses whose link gives them the probabilities
    (n,) of each class or tag.
    """

    values: list[Any]
    probabilities: dict[ClassLabel, np.ndarray] | None


class Predictor:
    """A trained model: its spec, what was fitted to the training rows, and θ."""

    def __init__(self, training: Training, features: Features, target: Target, theta: np.ndarray) -> None:
        self.training, self.features, self.target = training, features, target
        # On the host, wherever it was trained: the process that predicts need not have the device.
        self.network = build_network(replace(training, device="cpu"), features.width, target)
        self.network.parameters.theta[...] = self.network.xp.asarray(theta)

    def outputs(self, columns: Mapping[str, Column]) -> np.ndarray:
        """Raw outputs (n, k), before the loss's link."""
        X = self.features.transform(columns, self.network.dtype)
        return to_host(self.network.evaluate(self.network.xp.asarray(X)))

    def predict(self, columns: Mapping[str, Column]) -> Prediction:
        """Values or labels, and probabilities, of raw columns."""
        outputs = self.outputs(columns)
        return Prediction(self.target.predictions(outputs), self.probabilities(outputs))

    def probabilities(self, outputs: np.ndarray) -> dict[ClassLabel, np.ndarray] | None:
        """Of each class or tag (n,), from raw outputs (n, k)."""
        loss = self.training.loss
        if loss is None or not loss.probabilistic:
            return None
        linked = np.empty_like(outputs, np.float64)
        loss.link(np, outputs.astype(np.float64), linked)
        return self.target.shares(linked)


def columns_of(features: Features, records: Sequence[Mapping[str, Any]]) -> dict[str, Column]:
    """Raw records as columns. Raises UnusableData naming, by pointer, each unknown or missing column and wrong cell."""
    wanted = {entry.name: entry for entry in features.inputs}
    problems: list[tuple[str, str]] = []
    for row, record in enumerate(records):
        problems += [
            (pointer("records", row, name), f"the model knows no column '{name}'; it reads {', '.join(wanted)}")
            for name in record
            if name not in wanted
        ]
        problems += [
            (pointer("records", row, name), f"column '{name}' is missing; give it a value")
            for name, entry in wanted.items()
            if record.get(name) is None and entry.fill is None
        ]
        if len(problems) >= MAX_PROBLEMS:
            break
    if not problems:
        columns = {name: _column(entry, records, problems) for name, entry in wanted.items()}
    if problems:
        raise UnusableData(problems[:MAX_PROBLEMS])
    return columns


def _column(entry: Input, records: Sequence[Mapping[str, Any]], problems: list[tuple[str, str]]) -> Column:
    cells = [record.get(entry.name) for record in records]
    if entry.categories:
        codes = {category: code for code, category in enumerate(entry.categories)}
        # An unseen category is no category that was fitted: code len(categories) equals none of them.
        values = np.array([-1 if cell is None else codes.get(str(cell), len(codes)) for cell in cells], np.int32)
        return Column(entry.name, entry.kind, values, (*entry.categories, "\0unseen"))
    numbers = np.full(len(cells), np.nan)
    for row, cell in enumerate(cells):
        if cell is None:
            continue
        if not _is_finite(cell):
            detail = f"column '{entry.name}' takes a finite number, not {_shown(cell)}"
            problems.append((pointer("records", row, entry.name), detail))
            if len(problems) >= MAX_PROBLEMS:
                break
        else:
            numbers[row] = float(cell)
    return Column(entry.name, entry.kind, numbers)


def _is_finite(cell: Any) -> bool:
    """Whether the cell is a number that a float can hold, which not every whole number of JSON is."""
    try:
        return isinstance(cell, int | float) and math.isfinite(cell)
    except OverflowError:
        return False


def _shown(cell: Any) -> str:
    text = repr(cell) if not isinstance(cell, int) else "a whole number beyond any float"
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
