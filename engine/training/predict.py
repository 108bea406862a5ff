"""Predictions of a trained model from raw records, in the units and words of the data it was trained on."""

import math
from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from engine.backend import Array, to_host
from engine.errors import InvalidSpec, UnusableData
from engine.models.centroids import Centroids
from engine.network.layers.base import spelled
from engine.network.learner import Learner
from engine.network.network import Network
from engine.tables.features import BOOLEANS, MISSING, OTHER, ClassLabel, Column, Features, Input, pointer, word
from engine.tables.target import Shares, Target
from engine.training.findings import Finding
from engine.training.prepare import build_learner
from engine.training.spec import Training
from engine.wording import Sentence, notice, say

MAX_PROBLEMS = 20
"""So many problems of one request are named; a million wrong cells are one mistake."""
MOST_NAMED = 20
"""Columns that are listed where one is not known."""
MOST_SHOWN = 50
"""Characters of a wrong cell that are shown again."""
WITHOUT_LAYERS = "{kind} has no layers to look into; see its weights and its evaluation"
"""The answer to who asks for a layer of a model that is no network."""


@dataclass(frozen=True)
class Prediction:
    """One value a row (a number, a class, or several by name), and for losses whose link gives them the probabilities
    (n,) of each class or tag, also by their names in JSON.
    """

    values: list[Any]
    probabilities: dict[ClassLabel, np.ndarray] | None
    by_name: Mapping[str, Shares] | None = None
    distances: np.ndarray | None = None
    """Of a clustering, each row's distance to every centroid (n, k), in the features' units as they are scaled."""


class Predictor:
    """A trained model: its spec, what was fitted to the training rows, θ, by default as it is before training, and W over b
    (d + 1, k) in the data's own units where its solver kept them, and running statistics by name (see `Learner.adopt`).
    """

    def __init__(
        self,
        training: Training,
        features: Features,
        target: Target,
        theta: np.ndarray | None = None,
        coefficients: np.ndarray | None = None,
        statistics: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        self.training, self.features, self.target = training, features, target
        self._coefficients = coefficients
        # On the host, wherever it was trained: the process that predicts need not have the device.
        self.learner: Learner = build_learner(replace(training, device="cpu"), features.width, target)
        if theta is None:
            training.model.initialize(self.learner, training.seed_of_weights)
        else:
            self.learner.parameters.theta[...] = self.learner.xp.asarray(theta)
        self.learner.adopt(statistics or {})

    @property
    def network(self) -> Network:
        """The network of a model that learns one. Raises InvalidSpec for any other."""
        if not isinstance(self.learner, Network):
            raise InvalidSpec([("/model", WITHOUT_LAYERS.format(kind=self.training.model.kind))])
        return self.learner

    @cached_property
    def exported(self) -> Mapping[str, Mapping[str, Array]]:
        """The arrays of each layer by its name and their own (see `Network.exported`); none of a model without layers."""
        return self.learner.exported() if isinstance(self.learner, Network) else {}

    @property
    def is_linear(self) -> bool:
        """Whether raw outputs are weighted sums of the features: a network without hidden layers gives such."""
        return len(self.learner.layers) == 1

    def centroids(self) -> tuple[np.ndarray, np.ndarray] | None:
        """The centroids (k, d) as they are compared with scaled features, and in the data's own units; None of a model
        without any.
        """
        if not isinstance(self.learner, Centroids):
            return None
        scaled = self.learner.parameters.centroids
        return scaled, scaled * self.features.scale + self.features.center

    def coefficients(self) -> tuple[np.ndarray, np.ndarray] | None:
        """W (d, k) and b (k,) in the data's own units; None of a model that is not linear."""
        if not self.is_linear:
            return None
        if self._coefficients is not None:
            return self.target.unscaled(self._coefficients[:-1], self._coefficients[-1])
        (layer,) = self.network.parameters.layers
        W, b = layer.W, layer.b
        return self.target.unscaled(*self.features.unscale(W, np.zeros(W.shape[1]) if b is None else b))

    def outputs(self, columns: Mapping[str, Column]) -> np.ndarray:
        """Raw outputs (n, k), before the loss's link; of a clustering, distances."""
        return self.outputs_of(self.features.transform(columns, self.learner.dtype))

    def outputs_of(self, X: np.ndarray) -> np.ndarray:
        """Raw outputs (n, k) of scaled features X (n, d)."""
        return to_host(self.learner.evaluate(self.learner.xp.asarray(X)))

    def activations(self, columns: Mapping[str, Column]) -> list[np.ndarray]:
        """The activations of each hidden layer, (n, units) each, without dropout."""
        X = self.network.xp.asarray(self.features.transform(columns, self.network.dtype))
        workspace = self.network.new_workspace(X.shape[0])
        self.network.forward(X, workspace)
        return [to_host(at.A) for at in workspace.passes[:-1]]

    def predict(self, columns: Mapping[str, Column]) -> Prediction:
        """Values or labels, and probabilities, of raw columns."""
        return self.prediction(self.outputs(columns))

    def prediction(self, outputs: np.ndarray) -> Prediction:
        """Values or labels, and probabilities, from raw outputs (n, k)."""
        shares = self.probabilities(outputs)
        named = None if shares is None else self.target.by_name(shares)
        distances = None if self.training.model.has_target else outputs
        return Prediction(self.target.predictions(outputs), shares, named, distances)

    def probabilities(self, outputs: np.ndarray) -> dict[ClassLabel, np.ndarray] | None:
        """The probability of each class or tag (n,), from raw outputs (n, k)."""
        loss = self.training.loss
        if loss is None or not loss.probabilistic:
            return None
        linked = np.empty_like(outputs, np.float64)
        loss.link(np, outputs.astype(np.float64), linked)
        return self.target.shares(linked)


class Word(str):
    """A word that was read in a cell: no gap, whatever it says."""

    __slots__ = ()


@dataclass(frozen=True)
class Unread:
    """A cell that is not written as its column is; `wanted` says how that is."""

    cell: str
    wanted: str


def columns_of(features: Features, records: Sequence[Mapping[str, Any]], others: Container[str] = ()) -> dict[str, Column]:
    """Raw records as columns, a cell as JSON has it, as the text that stood in the file, or a Word or Unread where the text
    has been read already. `others` are columns that a record may carry although the model does not read them.

    Raises UnusableData naming, by pointer, each unknown or missing column and wrong cell.
    """
    wanted = {entry.name: entry for entry in features.inputs}
    required = [entry for entry in features.inputs if entry.fill is None]
    problems: list[tuple[str, str]] = []
    for row, record in enumerate(records):
        problems += [
            (pointer("records", row, name), f"the model knows no column '{name}'; it reads {_listed(wanted)}")
            for name in islice((name for name in record if name not in wanted and name not in others), MAX_PROBLEMS)
        ]
        problems += [
            (pointer("records", row, entry.name), f"column '{entry.name}' is missing; give it a value")
            for entry in required
            if is_missing(entry, record.get(entry.name))
        ]
        if len(problems) >= MAX_PROBLEMS:
            break
    if not problems:
        columns = {name: _column(entry, records, problems) for name, entry in wanted.items()}
    if problems:
        raise UnusableData(problems[:MAX_PROBLEMS])
    return columns


def _listed(names: Iterable[str]) -> str:
    first = list(islice(names, MOST_NAMED + 1))
    return ", ".join(first[:MOST_NAMED]) + (" …" if len(first) > MOST_NAMED else "")


def is_missing(entry: Input, cell: Any) -> bool:
    """Whether the cell is none, as null or as a file says it."""
    is_text = isinstance(cell, str) and not isinstance(cell, Word)
    return cell is None or (is_text and cell.strip() in MISSING and cell not in entry.categories)


def unread(features: Features, records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """A notice that names the columns of the records that the model does not read; none where it reads all of them."""
    read = {entry.name for entry in features.inputs}
    names = list(dict.fromkeys(name for record in records for name in record if name not in read))
    if not names:
        return []
    detail = say("the model does not read {names}; they have no part in the predictions", names=_listed(names))
    return [notice("COLUMNS_NOT_READ", detail, columns=names)]


def unseen(features: Features, records: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """The categories in records that have no feature of their own, with why and what becomes of them."""
    found = []
    for entry in features.inputs:
        known = {*entry.categories, *(entry.rare or ())}
        cells = [record.get(entry.name) for record in records] if known else []
        words = Counter(_word(known, cell) for cell in cells if not is_missing(entry, cell)) if cells else Counter()
        for category, count in words.items():
            if category not in entry.categories:
                code, told = _without_feature(entry, category, count)
                found.append((entry.name, code, told))
    return found


def _without_feature(entry: Input, category: str, count: int) -> tuple[str, Sentence]:
    """A code and a sentence that say why a category has no feature of its own and what becomes of it."""
    where = say(
        "'{category}' in column '{name}', in {count} records here", category=_cut(category), name=entry.name, count=count
    )
    counts_as = say("counts as {feature}", feature=f"{entry.name}={OTHER}")
    becomes = counts_as if entry.other else say("is none of those the model knows")
    if category in (entry.rare or ()):
        detail = say(
            "{where}, has no feature of its own: training rows held it, but only {known} categories have one; it {becomes}",
            where=where,
            known=len(entry.categories),
            becomes=becomes,
        )
        return "RARE_CATEGORY", detail
    if entry.other and entry.rare is None:
        detail = say(
            "{where}, has no feature of its own: no training row held it, or too few did; it {becomes}",
            where=where,
            becomes=becomes,
        )
        return "UNSEEN_CATEGORY", detail
    return "UNSEEN_CATEGORY", say("no training row held {where}; it {becomes}", where=where, becomes=becomes)


def _column(entry: Input, records: Sequence[Mapping[str, Any]], problems: list[tuple[str, str]]) -> Column:
    cells = [record.get(entry.name) for record in records]
    if entry.categories:
        codes = {category: code for code, category in enumerate(entry.categories)}
        for row, cell in enumerate(cells):
            if isinstance(cell, list | dict | Unread) and len(problems) < MAX_PROBLEMS:
                problems.append(_wrong(entry, row, cell, "a word or a number"))
        # An unseen category is no category that was fitted: code len(categories) equals none of them.
        places = [-1 if is_missing(entry, cell) else codes.get(_word(codes, cell), len(codes)) for cell in cells]
        return Column(entry.name, entry.kind, np.array(places, np.int32), (*entry.categories, "\0unseen"))
    parse, wanted = READERS.get(entry.kind, NUMBERS)
    if parse is _number and (plain := _plain(cells)) is not None:
        return Column(entry.name, entry.kind, plain)
    values = np.full((len(cells), entry.numbers), np.nan)
    for row, cell in enumerate(cells):
        if is_missing(entry, cell):
            continue
        try:
            values[row] = parse(entry, cell)
        except (ValueError, TypeError, OverflowError):
            problems.append(_wrong(entry, row, cell, wanted(entry)))
            if len(problems) >= MAX_PROBLEMS:
                break
    return Column(entry.name, entry.kind, values if entry.shape else values[:, 0], shape=entry.shape)


def _plain(cells: Sequence[Any]) -> np.ndarray | None:
    """Cells that are all finite floats as they are (n,), which is quickly done; None of any others."""
    if set(map(type, cells)) != {float}:
        return None
    values = np.array(cells)
    return values if np.isfinite(values).all() else None


def _wrong(entry: Input, row: int, cell: Any, wanted: str) -> tuple[str, str]:
    """The problem of a cell that is not what is wanted of its column."""
    if isinstance(cell, Unread):
        cell, wanted = cell.cell, cell.wanted
    return pointer("records", row, entry.name), f"column '{entry.name}' takes {wanted}, not {_shown(cell)}"


def _word(known: Container[str], cell: Any) -> str:
    return str(cell) if str(cell) in known else word(cell)


def _number(entry: Input, cell: Any) -> float:
    if isinstance(cell, str) and "_" not in cell:
        cell = float(cell)
    if not isinstance(cell, int | float) or not math.isfinite(cell):
        raise ValueError(cell)
    return float(cell)


def _yes_or_no(entry: Input, cell: Any) -> float:
    text = cell.strip() if isinstance(cell, str) else word(_number(entry, cell))
    words = [word.casefold() for word in entry.words or ()]
    if text.casefold() in words:
        return float(words.index(text.casefold()))
    text = text.lower()
    if text not in BOOLEANS:
        raise ValueError(cell)
    return float(BOOLEANS[text])


def _array(entry: Input, cell: Any) -> np.ndarray:
    values = np.asarray(cell if isinstance(cell, list) else None, np.float64)
    if values.shape not in (entry.shape, (entry.numbers,)) or not np.isfinite(values).all():
        raise ValueError(cell)
    return values.reshape(-1)


NUMBERS = (_number, lambda entry: "a finite number")
ARRAYS = (_array, lambda entry: f"an array of {spelled(entry.shape)} finite numbers")
READERS: dict[str, tuple[Callable[[Input, Any], Any], Callable[[Input], str]]] = {
    "boolean": (_yes_or_no, lambda entry: f"yes or no ({', '.join(dict.fromkeys([*(entry.words or ()), *BOOLEANS]))})"),
    "image": ARRAYS,
    "vector": ARRAYS,
}
"""How a cell of a kind is read, and what is said to be wanted; any other kind's as a number."""


def _shown(cell: Any) -> str:
    try:
        text = repr(cell)
    except ValueError:  # Python writes no whole number of more than 4,300 digits
        text = "a whole number beyond any float"
    return _cut(text)


def _cut(text: str) -> str:
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]}…"
