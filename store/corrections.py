"""Correcting what was inferred of a dataset: the kinds of its columns. The file and the table stay as they are."""

from collections.abc import Sequence
from typing import Any

import polars as pl
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.features import ColumnKind, pointer
from store.datasets import ACTIVE
from store.errors import ColumnMisfit, Conflict, NotFound
from store.findings import warnings_of
from store.kinds import Misfit
from store.profile import describe
from store.tables import Dataset, Job

Described = list[dict[str, Any]]


def corrected(dataset: Dataset, table: pl.DataFrame, kinds: Sequence[tuple[str, ColumnKind]]) -> tuple[Described, Described]:
    """The dataset's columns, those named described anew as of the kind given; and the table's warnings then.

    Raises NotFound, or ColumnMisfit with the row of each column that does not fit, pointing into the list.
    """
    known = [column["name"] for column in dataset.columns]
    described = {column["name"]: column for column in dataset.columns}
    errors, seen = [], set()
    for place, (name, kind) in enumerate(kinds):
        if name not in described:
            raise NotFound(f"no column '{name}'; there are {', '.join(known[:20])}", pointer("columns", place, "name"))
        if name in seen:
            errors.append((pointer("columns", place, "name"), f"column '{name}' is named twice; name it once"))
            continue
        seen.add(name)
        try:
            described[name] = describe(table[name], kind)
        except Misfit as misfit:
            detail = f"column '{name}' cannot be {kind}: row {misfit.row} {misfit.detail}; choose another kind"
            errors.append((pointer("columns", place, "kind"), detail))
    if errors:
        raise ColumnMisfit(errors)
    columns = [described[name] for name in known]
    return columns, warnings_of(columns, table)


def correct(session: Session, dataset: Dataset, before: Described, after: Described, warnings: Described) -> None:
    """Write the corrected columns and the table's warnings.

    Raises Conflict while a job reads the dataset, or where another correction came between.
    """
    session.execute(select(Dataset.number).where(Dataset.number == dataset.number).with_for_update())
    reading = select(Job.id).where(Job.dataset_id == dataset.id, Job.state.in_(ACTIVE)).limit(1)
    job_id = session.scalars(reading).first()
    if job_id is not None:
        raise Conflict(f"job '{job_id}' still reads this dataset as it is; cancel it or wait for its end, then correct")
    if dataset.columns != before:
        raise Conflict("another correction of this dataset came between; look at it and send yours again")
    dataset.columns, dataset.warnings = after, warnings
