"""The rows of a split one by one: what a model answers to each, what each costs, and which of them are to be looked at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from engine.errors import InvalidSpec
from engine.models.base import RowLoss
from engine.models.scoring import mean_of
from engine.tables.features import Column, word
from engine.tables.target import Classes, NoTarget, Numbers
from engine.training.predict import Predictor
from engine.training.prepare import row_weights

Sort = Literal["loss", "confidence", "leverage", "row"]
Only = Literal["all", "right", "wrong"]
MOST_NAMED = 20
DESCENDING: Mapping[Sort, bool] = {"loss": True, "confidence": False, "leverage": True, "row": False}
"""Whether the largest come first unless told otherwise: what is most worth a look does."""
CONFIDENCE = r"\max_c p_c"
RESIDUAL = r"e = y - \hat{y}"


@dataclass(frozen=True)
class SplitRows:
    """The rows of a split by their numbers in the table (n,), with the cells of their columns and the model's raw outputs
    (n, k), and, of training rows, the weight that each has (n,), None where all weigh the same.
    """

    predictor: Predictor
    rows: np.ndarray
    columns: Mapping[str, Column]
    outputs: np.ndarray
    weights: np.ndarray | None
    leverages: np.ndarray | None = None
    """How far each row pulls its own prediction (n,), where that was worked out (see leverage.py)."""

    @classmethod
    def of(cls, predictor: Predictor, rows: np.ndarray, columns: Mapping[str, Column], weighed: bool = False) -> "SplitRows":
        """The rows (n,) whose cells the columns hold; `weighed` as training rows are."""
        answers = {name: columns[name] for name in predictor.training.targets}
        weights = row_weights(predictor.training, predictor.target, answers) if weighed else None
        return cls(predictor, rows, columns, predictor.outputs(columns), weights)

    @property
    def loss(self) -> RowLoss:
        """What a row costs, as the model's training counts it."""
        training = self.predictor.training
        return training.model.row_loss(training.loss)

    @cached_property
    def losses(self) -> np.ndarray:
        """The loss of each row (n,), without its weight."""
        target, dtype = self.predictor.target, self.predictor.learner.dtype
        width = self.outputs.shape[1]
        no_target = isinstance(target, NoTarget)
        Y = np.empty((len(self.rows), 0), dtype) if no_target else target.matrix(self.columns, width, dtype)
        return self.loss.of(self.outputs, Y)

    @property
    def mean_loss(self) -> float:
        """The mean of the rows' losses, each times its weight: what an epoch's curves hold."""
        return mean_of(self.losses if self.weights is None else self.losses * self.weights.astype(self.losses.dtype))

    @cached_property
    def labels(self) -> np.ndarray | None:
        """The number of each row's class (n,); None where it has no one class."""
        return self.predictor.target.strata(self.columns)

    @cached_property
    def chosen(self) -> np.ndarray | None:
        """The number of the class, or of the cluster, that the model gives each row (n,)."""
        target = self.predictor.target
        return target.chosen(self.outputs) if isinstance(target, Classes | NoTarget) else None

    @cached_property
    def right(self) -> np.ndarray | None:
        """Whether the model is right about each row (n,), of tags about every one; None of numbers and clusters."""
        target = self.predictor.target
        if isinstance(target, Numbers | NoTarget):
            return None
        if self.labels is not None:
            return np.asarray(self.chosen == self.labels)
        held = target.matrix(self.columns, self.outputs.shape[1], np.float64) > 0.5
        return np.asarray(((self.outputs > 0) == held).all(axis=1))

    @cached_property
    def confidence(self) -> np.ndarray | None:
        """The probability of what the model answers to each row (n,), of tags the least of them; None without probabilities."""
        shares = self.predictor.probabilities(self.outputs)
        if shares is None:
            return None
        P = np.stack(list(shares.values()), axis=1)
        return np.maximum(P, 1 - P).min(axis=1) if self.chosen is None else P[np.arange(len(P)), self.chosen]

    @cached_property
    def residuals(self) -> np.ndarray | None:
        """Actual less predicted (n, k), in the table's units; None of anything but numbers."""
        target = self.predictor.target
        return target.actual(self.columns) - target.restored(self.outputs) if isinstance(target, Numbers) else None

    @property
    def has_leverage(self) -> bool:
        """Whether its rows have one: those that a weighted sum of features is fitted to."""
        return self.predictor.is_linear and isinstance(self.predictor.target, Numbers)

    def taken(self, places: np.ndarray) -> "SplitRows":
        """Some of the rows, by their places."""
        columns = {name: column.take(places) for name, column in self.columns.items()}
        weights = None if self.weights is None else self.weights[places]
        leverages = None if self.leverages is None else self.leverages[places]
        return SplitRows(self.predictor, self.rows[places], columns, self.outputs[places], weights, leverages)


@dataclass(frozen=True)
class Wanted:
    """Which rows, and in which order: `true` and `predicted` name the classes of one cell of the confusion matrix."""

    sort: Sort = "loss"
    descending: bool | None = None
    only: Only = "all"
    true: str | None = None
    predicted: str | None = None

    def places(self, found: SplitRows) -> np.ndarray:
        """The places of those rows among the split's, in order; of equals, in the table's.

        Raises InvalidSpec at `/only`, `/true`, `/predicted` or `/sort` for what means nothing for the model.
        """
        wanted = np.ones(len(found.rows), bool)
        if self.only != "all":
            if found.right is None:
                detail = f"rows of a {found.predictor.target.task} are neither right nor wrong; sort them by loss"
                raise InvalidSpec([("/only", detail)])
            wanted &= found.right if self.only == "right" else ~found.right
        if self.true is not None:
            wanted &= _of_class(found, "true", self.true, found.labels)
        if self.predicted is not None:
            wanted &= _of_class(found, "predicted", self.predicted, found.chosen)
        places = np.flatnonzero(wanted)
        values = SORTS[self.sort](found)
        if values is None:
            raise InvalidSpec([("/sort", f"{_without(self.sort, found)}; sort by loss")])
        keys = np.where(np.isnan(values), np.inf, values)[places]  # what is no number is as far off as can be
        descending = DESCENDING[self.sort] if self.descending is None else self.descending
        return np.asarray(places[np.argsort(-keys if descending else keys, kind="stable")])


SORTS: Mapping[Sort, Callable[[SplitRows], np.ndarray | None]] = {
    "loss": lambda found: found.losses,
    "confidence": lambda found: found.confidence,
    "leverage": lambda found: found.leverages,
    "row": lambda found: found.rows,
}


def _without(sort: Sort, found: SplitRows) -> str:
    """Why rows have nothing to be sorted by."""
    kind = found.predictor.training.model.kind
    if sort == "confidence":
        return f"{kind} gives no probabilities here, so its rows have no confidence"
    if found.has_leverage:
        return "the rows' leverages take more products than one call may"
    return f"only rows that a linear model of numbers is fitted to have a leverage, and {kind} is none here"


def _of_class(found: SplitRows, at: str, name: str, numbers: np.ndarray | None) -> np.ndarray:
    """Which rows (n,) have the class of that name, given the number of each row's. Raises InvalidSpec."""
    target = found.predictor.target
    if numbers is None:
        remedy = {"tagging": "only=wrong lists the rows with a tag that is wrong", "clustering": "predicted takes a cluster"}
        told = remedy.get(target.task, "sort by loss")
        raise InvalidSpec([(f"/{at}", f"rows of a {target.task} have no {at} class; leave it out: {told}")])
    names = (
        [word(label) for label in target.classes] if target.classes is not None else target.output_names(found.outputs.shape[1])
    )
    if name not in names:
        what = "class" if target.classes is not None else "cluster"
        more = " …" if len(names) > MOST_NAMED else ""
        raise InvalidSpec([(f"/{at}", f"there is no {what} '{name[:50]}'; there are {', '.join(names[:MOST_NAMED])}{more}")])
    return np.asarray(numbers == names.index(name))
