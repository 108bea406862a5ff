"""The perceptron's updates, one by one: the row that was wrong, the weights before and after, and what the new line gets wrong.
The walk is the one that trains.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engine.backend import Array
from engine.errors import InvalidSpec
from engine.fast import paths
from engine.models.base import Definition
from engine.models.perceptron import Perceptron, Walk
from engine.models.run_state import State
from engine.tables.features import ClassLabel, Column, Features
from engine.training.prepare import prepare
from engine.training.run import train
from engine.training.spec import Training

MARGIN = 0.05
"""Share of a column's range that is added at either end of a line."""
FORMULAS: Mapping[str, tuple[str, str]] = {
    "score": (r"w^\top x", "Rosenblatt (1958)"),
    "after": (r"w \leftarrow w + y\,x, \quad y = \pm 1", "Rosenblatt (1958)"),
    "mistakes": (r"\left|\{i : \operatorname{sign}(w^\top x_i) \ne y_i\}\right|", ""),
    "pocket_mistakes": (
        r"\min_{s \le t} \left|\{i : \operatorname{sign}(w_s^\top x_i) \ne y_i\}\right|",
        "Gallant, Perceptron-based learning algorithms (1990)",
    ),
    "line": (r"w_1 x_1 + w_2 x_2 + b = 0", ""),
}
"""By the name of a number of an update."""


@dataclass(frozen=True)
class Update:
    """An update: its number in the run and its epoch, both from 1; the row among the training rows, and x (d,) as the walk has
    it, with a last 1 where there is a bias; y, 1 or -1; wᵀx, and w (d,) before and after; how many training rows w then gets
    wrong, the fewest so far, and whether w went into the pocket for it.
    """

    number: int
    epoch: int
    row: int
    x: Array
    y: int
    score: float
    before: Array
    after: Array
    mistakes: int
    pocket_mistakes: int
    is_kept: bool


@dataclass(frozen=True)
class Updates:
    """Some updates of a run, with the problem's features and its training rows in the table (n,)."""

    found: list[Update]
    features: Features
    rows: Array
    classes: list[ClassLabel]
    has_bias: bool

    def lines(self) -> Array:
        """The weights in the data's own units after each update (m, d), and the bias last."""
        after = np.array([update.after for update in self.found]).T
        W, b = (after[:-1], after[-1]) if self.has_bias else (after, np.zeros(after.shape[1]))
        return np.vstack(self.features.unscale(W, b)).T


class _Watched:
    """The walk, stopped at every correction."""

    def __init__(self, walk: Walk, rows: Array, positive: Array, log: "_Log") -> None:
        self.walk, self.rows, self.positive, self.log = walk, rows, positive, log

    def mistakes(self, w: Array) -> int:
        return self.walk.mistakes(w)

    def __call__(self, order: Array, start: int, most: int, w: Array, pocket: Array, fewest: int) -> tuple[int, int, int]:
        place, made = self.walk(order, start, 0, w, pocket, fewest)[0], 0
        while place < len(order) and made < most:
            row, before, least = int(order[place]), w.copy(), fewest
            score = self._score(row, w)
            place, _, fewest = self.walk(order, place, 1, w, pocket, fewest)
            made += 1
            if self.log.wants():
                x, y = self.rows[row], 1 if self.positive[row] else -1
                self.log.note(row, x, y, score, before, w.copy(), self.walk.mistakes(w), fewest, fewest < least)
        return place, made, fewest

    def _score(self, row: int, w: Array) -> float:
        """wᵀx of a training row as the walk has it, which a compiled one has just worked out of all rows."""
        scores: Array | None = getattr(self.walk, "scores", None)
        return float(self.rows[row] @ w if scores is None else scores[row])


class _Log:
    """The updates from the offset on, as many as the limit."""

    def __init__(self, state: State, offset: int, limit: int) -> None:
        self.state, self.before, self.skip, self.limit = state, state.step, offset, limit
        self.seen, self.found = 0, list[Update]()

    @property
    def is_full(self) -> bool:
        return len(self.found) == self.limit

    def wants(self) -> bool:
        self.seen += 1
        return self.seen > self.skip and not self.is_full

    def note(
        self,
        row: int,
        x: Array,
        y: int,
        score: float,
        before: Array,
        after: Array,
        mistakes: int,
        fewest: int,
        is_kept: bool,
    ) -> None:
        number, epoch = self.before + self.seen, self.state.epoch + 1
        self.found.append(Update(number, epoch, row, x, y, score, before, after, mistakes, fewest, is_kept))


def refuse_others(training: Training) -> None:
    """Raise InvalidSpec at `/job_id` for a model that is no perceptron."""
    if not isinstance(training.model, Perceptron):
        detail = f"its model, {training.model.kind}, is no perceptron, which alone learns by correcting a row at a time"
        raise InvalidSpec([("/job_id", f"{detail}; train one with model perceptron")])


def updates(
    training: Training, columns: Mapping[str, Column], arrays: Mapping[str, Array] | None, offset: int, limit: int
) -> Updates:
    """The run's updates after a checkpoint, from its arrays, or from the beginning without: those from the offset on, at most
    so many. Raises what `refuse_others` does.
    """
    refuse_others(training)
    prepared = prepare(training, columns)
    problem = prepared.problem
    state = State() if arrays is None else State.from_arrays(dict(arrays), problem.learner)
    log = _Log(state, offset, limit)

    def watched(definition: Definition) -> Definition:
        walk_of = paths.faster(definition)
        return lambda rows, positive: _Watched(walk_of(rows, positive), rows, positive, log)

    for _ in train(problem, state, watched):
        if log.is_full:
            break
    return Updates(
        log.found,
        prepared.features,
        prepared.rows["train"],
        list(prepared.target.classes or ()),
        bool(problem.network.layers[0].bias),
    )


def frame(column: Array) -> tuple[float, float]:
    """The range of a column's numbers, and a little beyond."""
    low, high = float(np.nanmin(column)), float(np.nanmax(column))
    beyond = MARGIN * (high - low) or 1.0
    return low - beyond, high + beyond


def segment(line: Array, x: tuple[float, float], y: tuple[float, float]) -> list[list[float]] | None:
    """The two ends of the line w₁x + w₂y + b = 0 (3,) within a frame; None where it does not cross it, or is none."""
    w1, w2, b = (float(each) for each in line)
    ends = [(edge, -(w1 * edge + b) / w2) for edge in x if w2] + [(-(w2 * edge + b) / w1, edge) for edge in y if w1]
    inside = sorted({(across, up) for across, up in ends if x[0] <= across <= x[1] and y[0] <= up <= y[1]})
    return [list(inside[0]), list(inside[-1])] if len(inside) > 1 else None
