"""k-means: rows fall into clusters, each around a centroid, without any target."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from engine.models.base import Model, Problem, RowLoss, Solver
from engine.models.centroids import Centroids
from engine.models.descent import BREATH_SECONDS
from engine.models.lloyd import Rows, Seeding, Totals, at_random, moved, plus_plus, waiting_values
from engine.models.run_state import Epoch, State
from engine.parts.losses import LossFunction
from engine.randomness import generator
from engine.spec import WHOLE, spec
from engine.wording import notice, say

MAX_CLUSTERS = 10_000
MAX_RESTARTS = 1000
EPOCHS = 300
HELD_COPIES = 8
"""Copies of all restarts' centroids: where they are, where they go, their rows' sums, and what checkpoints hold."""
DRAWS: Mapping[str, Callable[[Rows, int, np.random.Generator], Seeding]] = {
    "k_means_plus_plus": plus_plus,
    "random": at_random,
}
Row_of = Callable[[np.ndarray, int], Rows]


class Restarts:
    """Lloyd's algorithm from several starts at once, in named arrays that a checkpoint keeps.

    An epoch is one reading of the rows, which moves the centroids of every restart that is not at rest yet. Restart r's
    centroids after an epoch are those that its inertia was measured at; `following[r]` is where they go next. A restart whose
    centroids stay where they are, to the last bit, is at rest.
    """

    def __init__(self, vectors: Mapping[str, np.ndarray]) -> None:
        self.following, self.inertias = vectors["following"], vectors["inertias"]
        self.counts, self.moving = vectors["counts"], vectors["moving"]

    @staticmethod
    def begin(starts: np.ndarray) -> dict[str, np.ndarray]:
        """The arrays of restarts from centroids (r, k, d)."""
        restarts, clusters, _ = starts.shape
        return {
            "following": starts,
            "inertias": np.full(restarts, np.inf),
            "counts": np.zeros((restarts, clusters), np.int64),
            "moving": np.ones(restarts, np.int64),
        }

    @property
    def best(self) -> int:
        """The restart of the least inertia, the first of equals."""
        return int(self.inertias.argmin())

    def move(self, rows: Rows, totals: Totals) -> np.ndarray:
        """Take in what the rows came to for the restarts that move, and move them. Returns the best one's centroids (k, d)."""
        read = np.flatnonzero(self.moving)
        measured = {int(restart): self.following[restart].copy() for restart in read}
        for place, (restart, centroids) in enumerate(measured.items()):
            self.inertias[restart], self.counts[restart] = totals.inertias[place], totals.counts[place]
            self.following[restart] = moved(rows, centroids, totals.sums[place], totals.counts[place])
            self.moving[restart] = (self.following[restart] != centroids).any()
        return measured.get(self.best, self.following[self.best])


def k_means(problem: Problem, state: State, rows_of: Row_of = Rows) -> Iterator[Epoch]:
    """Lloyd's algorithm, until every restart is at rest or the epochs run out; θ holds the best restart's centroids."""
    spec, model, learner = problem.spec, problem.spec.model, problem.learner
    assert isinstance(model, KMeans) and isinstance(learner, Centroids) and spec.epochs is not None
    rows = rows_of(problem.train.X, model.restarts * model.clusters)
    held_out = None if problem.validation is None else rows_of(problem.validation.X, model.clusters)
    if "following" not in state.vectors:
        yield from _begin(model, rows, spec.seed_of_weights, state)
    restarts = Restarts(state.vectors)
    while state.epoch < spec.epochs and restarts.moving.any():
        started = time.perf_counter()
        current = restarts.following[restarts.moving > 0]
        totals = Totals.from_arrays(state.partial) if state.place else Totals.zeros(*current.shape)
        yield from _read(rows, current, totals, state)
        learner.parameters.centroids[...] = restarts.move(rows, totals)
        state.end_epoch()
        is_last = state.epoch == spec.epochs or not restarts.moving.any()
        values = _values("train", float(restarts.inertias[restarts.best]), len(rows.X))
        if held_out is not None:
            values |= _values("validation", _inertia(held_out, learner), len(held_out.X))
        values |= {
            "restart": float(restarts.best + 1),
            "moving_restarts": float(np.count_nonzero(restarts.moving)),
            "empty_clusters": float(np.count_nonzero(restarts.counts[restarts.best] == 0)),
            "seconds": time.perf_counter() - started,
        }
        warnings = tuple(_warnings(restarts)) if is_last else ()
        yield Epoch(state.epoch, values=values, converged=not restarts.moving.any(), warnings=warnings)


def _begin(model: "KMeans", rows: Rows, seed: int, state: State) -> Iterator[Epoch]:
    """Draw the starts of all restarts: each by a generator of its own, from the seed."""
    starts, breath = np.empty((model.restarts, model.clusters, rows.X.shape[1])), time.perf_counter()
    for restart in range(model.restarts):
        drawing = DRAWS[model.initialization](rows, model.clusters, generator(seed, "initialization", restart))
        while True:
            try:
                next(drawing)
            except StopIteration as drawn:
                starts[restart] = rows.X[drawn.value]
                break
            if time.perf_counter() - breath > BREATH_SECONDS:
                yield Epoch(1, whole=False)
                breath = time.perf_counter()
    state.vectors.update(Restarts.begin(starts))


def _read(rows: Rows, centroids: np.ndarray, totals: Totals, state: State) -> Iterator[Epoch]:
    """Add what is left of an epoch's rows to the totals."""
    breath = time.perf_counter()
    while state.place < len(rows.pieces):
        count = min(rows.stride, len(rows.pieces) - state.place)
        rows.add(centroids, state.place, count, totals)
        state.place += count
        state.step += count
        if state.place < len(rows.pieces) and time.perf_counter() - breath > BREATH_SECONDS:
            state.partial = totals.arrays()
            yield Epoch(state.epoch + 1, whole=False, done=state.place / len(rows.pieces))
            breath = time.perf_counter()


def _inertia(rows: Rows, learner: Centroids) -> float:
    centroids = learner.parameters.centroids[None]
    totals = Totals.zeros(*centroids.shape)
    for _ in _read(rows, centroids, totals, State()):
        pass  # who waits for the epoch waits for this, too
    return float(totals.inertias[0])


def _values(split: str, inertia: float, rows: int) -> dict[str, float | None]:
    return {f"{split}_loss": inertia / rows, f"{split}_inertia": inertia}


def _warnings(restarts: Restarts) -> Iterator[dict[str, Any]]:
    moving, empty = int(restarts.moving.sum()), int(np.count_nonzero(restarts.counts[restarts.best] == 0))
    if moving:
        detail = say(
            "When the epochs were over, the centroids of {moving} of {restarts} restarts still moved. Train longer for "
            "clusters that are at rest.",
            moving=moving,
            restarts=len(restarts.moving),
        )
        yield notice("NOT_CONVERGED", detail)
    if empty:
        detail = say(
            "{empty} of {clusters} clusters hold no training row: there are fewer different rows than clusters. Ask for fewer.",
            empty=empty,
            clusters=restarts.counts.shape[1],
        )
        yield notice("EMPTY_CLUSTERS", detail)


NEAREST = RowLoss(
    r"\ell = \min_j \lVert x - c_j \rVert^2",
    "Lloyd, Least Squares Quantization in PCM, 1982",
    lambda distances, Y: np.square(distances.min(axis=1)),
)


@spec
class KMeans(Model):
    """Clusters of rows that lie near each other, each around its mean; it has no target."""

    formula: ClassVar[str] = (
        r"J = \frac{1}{n}\sum_i \min_j \lVert x_i - c_j \rVert^2, \quad"
        r" c_j \leftarrow \frac{1}{|S_j|}\sum_{x \in S_j} x, \quad"
        r" S_j = \{x_i : j = \arg\min_l \lVert x_i - c_l \rVert\}"
    )
    derivative: ClassVar[str] = r"\frac{\partial J}{\partial c_j} = \frac{2}{n}\sum_{x \in S_j} (c_j - x)"
    source: ClassVar[str] = (
        "Lloyd, Least Squares Quantization in PCM (1982); starts: Arthur and Vassilvitskii, k-means++: The Advantages of "
        "Careful Seeding (2007)"
    )
    title: ClassVar[str] = "k-means"
    tasks: ClassVar[frozenset[str]] = frozenset({"clustering"})
    has_target: ClassVar[bool] = False
    has_start: ClassVar[bool] = False
    widened_by: ClassVar[str] = "/model/clusters"
    made_of: ClassVar[str] = "clusters"

    kind: Literal["k_means"] = "k_means"
    clusters: Annotated[int, Field(strict=True, ge=1, le=MAX_CLUSTERS), WHOLE] = Field(
        default=8, description="how many clusters the rows are put in, k"
    )
    initialization: Literal["k_means_plus_plus", "random"] = Field(
        default="k_means_plus_plus",
        description="the rows that centroids begin at: each drawn in proportion to its squared distance to the nearest drawn "
        "before it, or all as likely as any other",
    )
    restarts: Annotated[int, Field(strict=True, ge=1, le=MAX_RESTARTS), WHOLE] = Field(
        default=10,
        description="starts that are trained side by side, of which the one of least inertia is the model; an epoch moves the "
        "centroids of all",
    )
    compare_with: str | None = Field(
        default=None,
        description="a column of labels that evaluations hold the clusters against, by the adjusted Rand index; training never "
        "reads it, and it is no feature",
    )

    def settings(self, task: str, classes: int) -> Mapping[str, Any]:
        return {"epochs": EPOCHS, "seed": 0, "weights_seed": None, "precision": "float64"}

    @property
    def draws_weights(self) -> bool:
        return True

    @property
    def columns(self) -> tuple[str, ...]:
        return () if self.compare_with is None else (self.compare_with,)

    def build(self, inputs: int, outputs: int, dtype: Any, xp: Any) -> Centroids:
        return Centroids(self.clusters, inputs, dtype, xp)

    def count_parameters(self, inputs: int, outputs: int) -> int:
        return self.clusters * inputs

    def held_values(self, inputs: int, rows: int, threads: int) -> int:
        one = self.clusters * inputs
        waiting = (waiting_values(rows, threads, values) for values in (self.restarts * one, one))  # validation is of one
        return HELD_COPIES * self.restarts * one + sum(waiting) + 2 * rows

    def rows_problems(self, rows: int, batch_size: int | str | None) -> Iterator[tuple[str, str]]:
        if self.clusters > rows:
            yield "/model/clusters", f"{self.clusters} clusters cannot start at {rows} training rows; take {rows} or fewer"

    def row_loss(self, loss: LossFunction | None) -> RowLoss:
        return NEAREST

    def judged_by(self, has_validation: bool) -> str:
        return "train_loss"  # which its epochs never raise

    @property
    def solved_by(self) -> Solver:
        return Solver(k_means, Rows)
