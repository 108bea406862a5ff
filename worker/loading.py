"""Loading a job: its table is read, and the problem that it poses is built."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.training.estimate import refuse_too_much
from engine.training.prepare import Prepared, prepare
from store import datasets
from store.fitted import fitted_of
from store.job_request import JobRequest
from store.tables import Job
from worker.context import WorkerContext


@dataclass(frozen=True)
class Loaded:
    """A job's request, the problem that was built of it, and what was fitted to the training rows, as it is stored."""

    training: JobRequest
    prepared: Prepared
    fitted: dict[str, Any]
    dataset_sha256: str


def load(context: WorkerContext, job: Job, training: JobRequest, heed: Callable[[], None]) -> Loaded:
    """Read the columns that the job names, and build its problem. `heed` is called between columns, and may raise: a large
    table takes its time. Raises InputError, ContentMissing, ContentDamaged.
    """
    with context.database.glancing() as session:
        dataset = datasets.get(session, job.dataset_id, None)
        found = datasets.table_of(session, context.files, job, dataset)
    summaries = found.summaries(training)
    refuse_too_much(training, summaries, found.table.height, context.settings.job_bytes)
    read = datasets.read_as(job, dataset, found.table, training.columns)
    columns = {}
    for column in found.each_column(training.columns):
        columns[column.name] = column
        heed()
    prepared = prepare(training, columns)
    return Loaded(training, prepared, fitted_of(prepared, found.table.columns, read), dataset.digest)
