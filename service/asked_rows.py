"""The rows of a job's table that an answer is about: those of a split, or one. Knows no HTTP."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np

from engine.errors import InvalidSpec, UnusableData
from engine.tables.features import Column
from engine.training.predict import Predictor
from engine.training.spec import Training
from store.datasets import JobTable
from store.errors import NotFound

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("test", "validation", "train")
"""From what tells the most of other rows to what tells the least."""


def rows_of_split(table: JobTable, training: Training, split: Split | None) -> tuple[Split, dict[str, np.ndarray]]:
    """A split, by default the first of SPLITS that has rows, and the rows of each. Raises NotFound where it has none."""
    rows = table.split_rows(training)
    name: Split = next(each for each in SPLITS if len(rows[each])) if split is None else split
    if not len(rows[name]):
        raise NotFound(without_rows(training, name), "/query/split")
    return name, rows


def without_rows(training: Training, split: Split) -> str:
    """Why a job has no rows of a split."""
    asked = getattr(training.split, split, None)
    if not asked:
        return f"this job has no {split} rows; it was not asked to set any apart (split.{split})"
    return f"this job has no {split} rows: split.{split} is {asked:g}, which came to none of the rows that could be used"


def split_of(rows: Mapping[str, np.ndarray], row: int) -> Split | None:
    """The split that a row is in; None where a missing cell keeps it out of all."""
    return next((name for name in SPLITS if row in rows[name]), None)


def columns_read(predictor: Predictor) -> list[str]:
    """The columns that a model reads, and its targets."""
    return list(dict.fromkeys((*(entry.name for entry in predictor.features.inputs), *predictor.training.targets)))


def row_of(table: JobTable, predictor: Predictor, row: int) -> dict[str, Column]:
    """The columns at one row. Raises InvalidSpec at `/row` where the table has none such."""
    rows = table.table.height
    if row >= rows:
        raise InvalidSpec([("/row", f"there is no row {row}; the job's dataset has {rows} rows, from 0 on")])
    return table.taken(columns_read(predictor), np.array([row]))


def with_gap(row: int, error: UnusableData) -> InvalidSpec:
    """The problem, at `/row`, of a row with a missing cell that the model cannot read."""
    name = error.errors[0][0].removeprefix("/").replace("~1", "/").replace("~0", "~")
    return InvalidSpec([("/row", f"row {row} is missing a value in column '{name}'; give it one, or choose another row")])


def target_of(table: JobTable, predictor: Predictor, columns: Mapping[str, Column], row: int, split: Split | None) -> Any:
    """What the table says of a row, in the form of a prediction; of one that is in no split, its cells as they are."""
    target = predictor.target
    if split is not None or not target.names:
        return target.answers(columns)[0]
    cells = cells_of(table, target.names, row)
    return cells if len(cells) > 1 else cells[target.names[0]]


def cells_of(table: JobTable, names: Iterable[str], row: int) -> dict[str, Any]:
    """The cells of a row in the named columns, as /rows gives them."""
    return table.table.select(list(names)).slice(row, 1).row(0, named=True)
