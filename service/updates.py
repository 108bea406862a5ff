"""The updates of a perceptron, one by one. Knows no HTTP."""

from typing import Any

import numpy as np

from engine.backend import Array
from engine.glass.perceptron_updates import FORMULAS, Updates, frame, refuse_others, segment, updates
from service.kernels import make_kernels
from service.schemas.parts import formulas_of
from service.schemas.updates import PerceptronUpdate, PerceptronUpdates
from service.work import refuse_too_much
from store import checkpoints, datasets, jobs
from store.connections import Store
from store.datasets import JobTable
from store.job_request import training_of
from store.keys import Caller
from store.tables import Checkpoint

NUMBERS = 12
"""Of an update, beside those for each feature."""


def updates_of(
    store: Store, caller: Caller, job_id: str, epoch: str = "0", offset: int = 0, limit: int = 50
) -> PerceptronUpdates:
    """The updates of a job's perceptron after an epoch, from the offset on. Raises NotFound, Removed, or InputError, which
    names the argument: `/limit`, `/offset`, `/job_id`.
    """
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        training = training_of(job.request)
        refuse_others(training)
        begins, ends = (checkpoints.find(session, job, name) for name in (epoch, "last"))
        arrays, last = (None if each is None else checkpoints.load(session, store.files, job, each) for each in (begins, ends))
        dataset = datasets.of_job(session, job)
        table = datasets.table_of(session, store.files, job, dataset)
    total = _taken(last) - _taken(arrays)
    wanted = min(limit, max(0, total - offset))
    _refuse_too_much(store.settings.max_work, table, len(training.features or ()), offset, wanted)
    make_kernels()
    found = updates(training, table.columns(training.columns), arrays, offset, wanted)
    return PerceptronUpdates(
        job_id=job.id,
        epoch=_epoch(begins),
        features=found.features.names,
        classes=found.classes,
        total=total,
        offset=offset,
        items=_items(found, table),
        formulas=formulas_of(FORMULAS),
    )


def _epoch(checkpoint: Checkpoint | None) -> int:
    return 0 if checkpoint is None else checkpoint.epoch


def _taken(arrays: dict[str, Array] | None) -> int:
    """The updates that a run had made at a checkpoint."""
    return 0 if arrays is None else int(arrays["counters"][1])


def _refuse_too_much(limit: int, table: JobTable, features: int, offset: int, wanted: int) -> None:
    made = offset + wanted
    counts = {"updates": made, "products": 3 * made * table.table.height * (features + 1), "numbers": wanted * NUMBERS}
    remedy = "ask for fewer, or for those after a later epoch that is kept"
    refuse_too_much(limit, "/offset" if offset else "/limit", remedy, counts)


def _items(found: Updates, table: JobTable) -> list[PerceptronUpdate]:
    inputs = found.features.inputs
    frames: list[Any] | None = None
    if len(inputs) == 2 and all(not entry.categories and not entry.shape for entry in inputs):
        columns = table.columns([entry.name for entry in inputs])
        frames = [frame(columns[entry.name].values[found.rows]) for entry in inputs]
    lines = found.lines() if found.found else np.empty((0, 0))
    return [
        PerceptronUpdate(
            number=update.number,
            epoch=update.epoch,
            row=int(found.rows[update.row]),
            x=update.x.tolist(),
            y=update.y,
            score=update.score,
            before=update.before.tolist(),
            after=update.after.tolist(),
            mistakes=update.mistakes,
            pocket_mistakes=update.pocket_mistakes,
            is_kept=update.is_kept,
            coefficients=line.tolist(),
            line=None if frames is None else segment(line, *frames),
        )
        for update, line in zip(found.found, lines, strict=True)
    ]
