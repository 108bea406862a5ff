"""A row of a job's dataset with other cells in it: what the job's weights would answer. Knows no HTTP."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.errors import InvalidSpec, UnusableData
from engine.glass import what_if
from engine.glass.rows import SplitRows
from engine.tables.features import Column
from engine.tables.target import Numbers
from engine.training.findings import notices
from engine.training.predict import Predictor, unseen
from service.asked_rows import Split, cells_of, row_of, split_of, target_of, with_gap
from service.predictions import by_row
from service.schemas.explanations import Answer, Change, WhatIf, WhatIfRequest
from service.work import refuse_too_much
from store import datasets, jobs
from store.connections import Store
from store.fitted import stored_readings
from store.keys import Caller
from store.predictors import predictor_at
from store.readings.records import read_records


def what_if_of(store: Store, caller: Caller, job_id: str, asked: WhatIfRequest) -> tuple[WhatIf, list[dict[str, Any]]]:
    """A row of a job's dataset as it is and with changes, and notices of categories without a feature of their own.

    Raises NotFound, Removed, or InputError at `/row`, `/changes/…` or `/epoch`.
    """
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        moment = predictor_at(session, store.files, job, str(asked.epoch))
        table = datasets.table_of(session, store.files, job, datasets.of_job(session, job))
    predictor, features = moment.predictor, moment.predictor.features
    work = {"products": 2 * predictor.learner.products, "cells": 2 * features.width}
    refuse_too_much(store.settings.max_work, "/row", "whoever runs the server can raise the limit", work)
    columns = row_of(table, predictor, asked.row)
    readings = stored_readings(job.fitted or {})
    record = asked.changes if readings is None else read_records(readings, features, [asked.changes])[0]
    try:
        other = what_if.changed(features, columns, record)
    except UnusableData as error:
        raise InvalidSpec([(f"/changes{at.removeprefix('/records/0')}", detail) for at, detail in error.errors]) from None
    split = split_of(table.split_rows(predictor.training), asked.row)
    try:
        after = _answer(predictor, other, split)
    except UnusableData as error:
        raise with_gap(asked.row, error) from None
    try:
        before = _answer(predictor, columns, split)
    except UnusableData:
        before = None
    cells = cells_of(table, record, asked.row)
    found = WhatIf(
        job_id=job.id,
        epoch=moment.epoch,
        row=asked.row,
        split=split,
        target=target_of(table, predictor, columns, asked.row, split),
        changes=[Change(column=name, before=cells[name], after=cell) for name, cell in record.items()],
        before=before,
        after=after,
        difference=None if before is None else _difference(predictor, before, after),
        formula=what_if.FORMULA,
    )
    return found, notices(unseen(features, [record]))


@np.errstate(over="ignore", invalid="ignore")  # weights that went astray answer as they do
def _answer(predictor: Predictor, columns: Mapping[str, Column], split: Split | None) -> Answer:
    found = SplitRows.of(predictor, np.zeros(1, np.intp), columns)
    answer = predictor.prediction(found.outputs)
    return Answer(
        prediction=answer.values[0],
        probabilities=None if answer.by_name is None else by_row(answer.by_name)[0],
        distances=None if answer.distances is None else answer.distances[0].tolist(),
        loss=None if split is None else float(found.losses[0]),
    )


def _difference(predictor: Predictor, before: Answer, after: Answer) -> Any:
    if isinstance(predictor.target, Numbers):
        return _less(after.prediction, before.prediction)
    return None if after.probabilities is None else _less(after.probabilities, before.probabilities)


def _less(after: Any, before: Any) -> Any:
    return {name: _less(after[name], before[name]) for name in after} if isinstance(after, Mapping) else after - before
