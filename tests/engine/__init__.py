"""Tables as the store hands them to the engine, and the road from a request to a trained network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from engine.errors import InvalidSpec
from engine.fast.paths import steps_of
from engine.models.descent import batch_bounds, start_vectors
from engine.models.run_state import COEFFICIENTS, Epoch, State
from engine.parts.losses import Loss, LossFunction
from engine.spec import kind_of, members
from engine.tables.features import Column, ColumnKind, ColumnSummary
from engine.training.completion import complete
from engine.training.predict import Predictor
from engine.training.prepare import Prepared, prepare
from engine.training.run import train
from engine.training.spec import Training

TRAINING = TypeAdapter(Training)
LOSSES = [(kind_of(cls), task) for cls in members(Loss) if issubclass(cls, LossFunction) for task in sorted(cls.tasks)]
"""Every loss with each task that it can train."""
KINDS: dict[type, ColumnKind] = {bool: "boolean", int: "integer", float: "numeric", str: "categorical"}


@dataclass(frozen=True)
class Table:
    """A dataset: what the checks of a spec know of its columns, the columns, and the number of rows."""

    summaries: dict[str, ColumnSummary]
    columns: dict[str, Column]
    rows: int

    def take(self, rows: Any) -> dict[str, Column]:
        return {name: column.take(np.asarray(rows)) for name, column in self.columns.items()}


def table(cells: Mapping[str, Any], **kinds: ColumnKind) -> Table:
    """A table of named cells; None is a missing one. The kind of a column is that of its cells, unless given."""
    lists = {name: list(values.tolist() if isinstance(values, np.ndarray) else values) for name, values in cells.items()}
    columns = {name: _column(name, values, kinds.get(name)) for name, values in lists.items()}
    summaries = {name: _summary(columns[name], values) for name, values in lists.items()}
    return Table(summaries, columns, len(next(iter(lists.values()))))


def _column(name: str, cells: Sequence[Any], kind: ColumnKind | None) -> Column:
    present = [cell for cell in cells if cell is not None]
    kind = kind or (KINDS[type(present[0])] if present else "numeric")
    if kind in ("categorical", "text"):
        categories = tuple(sorted(set(present)))
        codes = {category: code for code, category in enumerate(categories)}
        return Column(name, kind, np.array([-1 if cell is None else codes[cell] for cell in cells], np.int32), categories)
    return Column(name, kind, np.array([np.nan if cell is None else float(cell) for cell in cells]))


def _summary(column: Column, cells: Sequence[Any]) -> ColumnSummary:
    gaps = [row for row, cell in enumerate(cells) if cell is None]
    distinct = len({cell for cell in cells if cell is not None})
    return ColumnSummary(column.name, column.kind, len(gaps), distinct, gaps[0] if gaps else None)


def completed(data: Table, **request: Any) -> Training:
    """The request, as a job's body would have it, with its defaults filled in."""
    training: Training = complete(TRAINING.validate_python(request), data.summaries, data.rows)
    return training


def refusals(data: Table, **request: Any) -> list[tuple[str, str]]:
    """Where the request is refused, by pointer, and what is said."""
    with pytest.raises(InvalidSpec) as raised:
        completed(data, **request)
    return raised.value.errors


def prepared(data: Table, **request: Any) -> Prepared:
    return prepare(completed(data, **request), data.columns)


@dataclass(frozen=True)
class Run:
    """A network trained to its end: the problem, the state and every whole epoch."""

    prepared: Prepared
    state: State
    epochs: list[Epoch]

    @property
    def theta(self) -> np.ndarray:
        return self.prepared.problem.learner.parameters.theta

    @property
    def layers(self) -> Any:
        return self.prepared.problem.network.parameters.layers

    @property
    def last(self) -> dict[str, float | None]:
        return self.epochs[-1].values

    @property
    def codes(self) -> list[str]:
        """The codes of all warnings."""
        return [warning["code"] for epoch in self.epochs for warning in epoch.warnings]

    def course(self, series: str) -> list[Any]:
        return [epoch.values[series] for epoch in self.epochs]

    def coefficients(self) -> tuple[np.ndarray, np.ndarray]:
        """W (d, k) and b (k,) in the data's own units."""
        found = self.predictor().coefficients()
        assert found is not None
        return found

    def predictor(self) -> Predictor:
        posed, kept = self.prepared, self.state.vectors.get(COEFFICIENTS)
        return Predictor(posed.problem.spec, posed.features, posed.target, self.theta, kept)

    def probabilities(self, columns: Mapping[str, Column]) -> np.ndarray:
        """P (n, K) of raw columns, the classes or tags in their order."""
        found = self.predictor().predict(columns).probabilities
        assert found is not None
        return np.stack(list(found.values()), axis=1)


def way_of(posed: Prepared) -> str:
    """How a run takes its steps: on one thread ("small"), on a team of threads ("large"), or by their "definition"."""
    problem = posed.problem
    batch_size = batch_bounds(problem.train.rows, problem.spec.batch_size or "full")[0][1]
    return type(steps_of(problem, start_vectors(problem.spec, problem.network), batch_size)).__name__.lower()


def finish(posed: Prepared, state: State | None = None) -> Run:
    """Train the posed problem to its end."""
    state = state or State()
    return Run(posed, state, [epoch for epoch in train(posed.problem, state) if epoch.whole])


def trained(data: Table, **request: Any) -> Run:
    return finish(prepared(data, **request))


def one_step(posed: Prepared, theta: np.ndarray) -> tuple[np.ndarray, float]:
    """The gradient ∇J(θ) that one epoch of full-batch gradient descent at a rate of 1 went by, and its train_loss."""
    network = posed.problem.network
    network.parameters.theta[...] = theta
    run = finish(posed)
    assert len(run.epochs) == 1
    loss = run.last["train_loss"]
    assert loss is not None
    return theta - network.parameters.theta, loss
