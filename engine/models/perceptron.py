"""Rosenblatt's perceptron with Gallant's pocket."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from pydantic import Field

from engine.models.base import Matrices, NetworkModel, Problem, RowLoss, Solver
from engine.models.descent import BREATH_SECONDS
from engine.models.run_state import Epoch, State
from engine.models.scoring import score
from engine.network.layers.base import BoundLayer
from engine.network.layers.dense import dense
from engine.parts.losses import LossFunction
from engine.randomness import Shuffles
from engine.spec import Flag, spec
from engine.wording import notice, say

CORRECTIONS = 100
"""Corrections after which the caller may stop: each reads every row."""


class Walk(Protocol):
    """The rule's walk over the rows, the definition's or a faster one."""

    def __init__(self, rows: np.ndarray, positive: np.ndarray) -> None: ...

    def mistakes(self, w: np.ndarray) -> int:
        """How many rows w puts into the wrong class; on the boundary itself a row is in the first."""

    def __call__(
        self, order: np.ndarray, start: int, most: int, w: np.ndarray, pocket: np.ndarray, fewest: int
    ) -> tuple[int, int, int]:
        """Correct w in place at each row of order[start:] that it gets wrong by then, until `most` are corrected.

        Where w makes fewer than `fewest` mistakes, it is put into the pocket. Returns where the walk stopped, the number
        of corrections, and the fewest mistakes.
        """


class Definition:
    """The walk, in NumPy."""

    def __init__(self, rows: np.ndarray, positive: np.ndarray) -> None:
        self.rows, self.positive = rows, positive

    def mistakes(self, w: np.ndarray) -> int:
        return int(np.count_nonzero((self.rows @ w > 0) != self.positive))

    def __call__(
        self, order: np.ndarray, start: int, most: int, w: np.ndarray, pocket: np.ndarray, fewest: int
    ) -> tuple[int, int, int]:
        for corrections in range(most + 1):
            wrong = (self.rows[order[start:]] @ w > 0) != self.positive[order[start:]]
            offset = int(wrong.argmax()) if len(wrong) else 0
            if not wrong[offset : offset + 1].any():
                return len(order), corrections, fewest
            start += offset
            if corrections == most:
                break
            row = order[start]
            w += self.rows[row] if self.positive[row] else -self.rows[row]
            start += 1
            count = self.mistakes(w)
            if count < fewest:
                fewest, pocket[...] = count, w
        return start, most, fewest


def perceptron(problem: Problem, state: State, walk_of: Callable[..., Walk] = Definition) -> Iterator[Epoch]:
    """Take each misclassified row in turn, w ← w + yx with y = ±1, until none is left or the epochs run out.

    The network holds the pocket (Gallant 1990): the weights with the fewest mistakes on all training rows of any seen
    so far. `state.vectors["last"]` holds those that the rule itself arrived at. An epoch's values count both.
    """
    spec, network, train = problem.spec, problem.network, problem.train
    assert spec.epochs is not None
    rows = train.X
    if network.layers[0].bias:
        rows = np.hstack([rows, np.ones((len(rows), 1))])  # θ ends in the bias, as for an input that is always 1
    positive = train.Y[:, 0] > 0.5
    pocket = network.parameters.theta
    last = state.vectors.setdefault("last", pocket.copy())
    walk = walk_of(rows, positive)
    fewest = walk.mistakes(pocket)
    shuffles = Shuffles(spec.seed_of_order, len(rows))

    while state.epoch < spec.epochs:
        started = breath = time.perf_counter()
        order = shuffles.order(state.epoch) if spec.shuffle else np.arange(len(rows))
        updates = int(state.partial["updates"]) if state.place else 0
        while state.place < len(order):
            state.place, corrections, fewest = walk(order, state.place, CORRECTIONS, last, pocket, fewest)
            updates += corrections
            if state.place < len(order) and time.perf_counter() - breath > BREATH_SECONDS:
                state.partial = {"updates": np.array(updates)}
                yield Epoch(state.epoch + 1, whole=False, done=state.place / len(order))
                breath = time.perf_counter()
        state.end_epoch()
        state.step += updates
        values = pocket_values("train", problem, train) | {
            "mistakes": float(walk.mistakes(last)),
            "pocket_mistakes": float(fewest),
            "updates": float(updates),
            "seconds": time.perf_counter() - started,
        }
        if problem.validation is not None:
            values |= pocket_values("validation", problem, problem.validation)
        warnings = () if fewest == 0 or state.epoch < spec.epochs else (_not_converged(fewest, len(rows)),)
        yield Epoch(state.epoch, values=values, converged=fewest == 0, warnings=warnings)
        if fewest == 0:
            return


def _not_converged(fewest: int, rows: int) -> dict[str, Any]:
    detail = say(
        "No line was found that separates the classes: the best one seen, which is kept, gets {fewest} of {rows} rows "
        "wrong. Train longer, or, where the classes cannot be separated by a line, choose logistic_regression or mlp.",
        fewest=fewest,
        rows=rows,
    )
    return notice("NOT_CONVERGED", detail)


def criterion(outputs: np.ndarray, Y: np.ndarray) -> np.ndarray:
    """What each row adds to the perceptron criterion (n,), from outputs and Y (n, 1): how far on the wrong side it lies."""
    signs = np.where(Y > 0.5, 1.0, -1.0)
    return np.maximum(0, -signs * outputs)[:, 0]


CRITERION = RowLoss(
    r"\ell = \max(0,\; -y\, w^\top x), \quad y = \pm 1",
    "Bishop, Pattern Recognition and Machine Learning, 2006, section 4.1.7",
    criterion,
)


def pocket_values(split: str, problem: Problem, matrices: Matrices) -> dict[str, float | None]:
    """The mean of the perceptron criterion, and the accuracy, at the pocket's weights."""
    outputs = problem.network.evaluate(matrices.X)
    loss = float(criterion(outputs, matrices.Y).mean())
    return {f"{split}_loss": loss, **score(split, problem, outputs, matrices.Y)}


@spec
class Perceptron(NetworkModel):
    """A line between two classes, moved by one misclassified row at a time, with the best line seen kept in a pocket."""

    formula: ClassVar[str] = r"h(x) = \operatorname{sign}(w^\top x + b), \quad w \leftarrow w + y_n x_n"
    derivative: ClassVar[str] = r"-y_n x_n \text{ where } h(x_n) \ne y_n, \text{ else } 0"
    source: ClassVar[str] = "Rosenblatt (1958); the pocket: Gallant, Perceptron-based learning algorithms (1990)"
    tasks: ClassVar[frozenset[str]] = frozenset({"classification"})
    most_classes: ClassVar[int | None] = 2

    kind: Literal["perceptron"] = "perceptron"
    bias: Flag = Field(default=True, description="false: the boundary passes through the origin")

    def settings(self, task: str, classes: int) -> Mapping[str, Any]:
        return {"epochs": 100, "shuffle": True, "seed": 0, "order_seed": None, "precision": "float64"}

    def bound_layers(self, inputs: int, outputs: int) -> Sequence[BoundLayer]:
        return [dense(inputs, outputs, bias=self.bias)]

    @property
    def beside(self) -> tuple[str, ...]:
        return ("last",)

    def row_loss(self, loss: LossFunction | None) -> RowLoss:
        return CRITERION

    def judged_by(self, has_validation: bool) -> str:
        return "pocket_mistakes"  # its loss is 0 at weights of 0, which separate nothing

    @property
    def solved_by(self) -> Solver:
        return Solver(perceptron, Definition, copies_rows=True)
