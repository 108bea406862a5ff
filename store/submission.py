"""New jobs: a request is completed against its table, held against the room that workers have, put into a queue, and stored.

Whoever wants a job trained calls this: the service, the command line, a test.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from polars import DataFrame
from sqlalchemy.orm import Session

from engine.errors import InputError
from engine.tables.features import ColumnSummary
from engine.training.completion import complete, guesses
from engine.training.estimate import Estimated, by_definition, estimate, parameters_ahead, refuse_too_much
from store import datasets, jobs, queue, turns, workers
from store.connections import Store
from store.job_request import JobRequest, document_of
from store.keys import Caller
from store.tables import Dataset, Job

GPU_QUEUE = "gpu"
CPU_QUEUE = "train"
MOST_CELLS = 200_000
"""Cells of a table that is made ready, when a job comes in, for the sake of its number of parameters."""
Settle = Callable[[Session, Job], None]
"""Called with the new job in the transaction that stores it: what it writes is stored with the job, or neither is."""


@dataclass(frozen=True)
class Completed:
    """A request with its defaults, the queue it is for, and what is told of it: guesses, and layers without kernels."""

    request: JobRequest
    queue: str
    told: list[dict[str, Any]]


@dataclass(frozen=True)
class Checked:
    """A completed request, the dataset and the table that it names, and what is worth a look in them."""

    completed: Completed
    dataset: Dataset
    table: DataFrame
    warnings: list[dict[str, Any]]

    @property
    def request(self) -> JobRequest:
        return self.completed.request

    def estimate(self) -> Estimated:
        """The sizes, the memory and the seconds of the job."""
        return estimate(self.request, datasets.columns(self.table, self.dataset, self.request.columns))

    def parameters(self) -> int | None:
        """From the table's summary; where that does not tell, from a small table itself."""
        found = parameters_ahead(self.request, datasets.summaries(self.dataset))
        if found is None and self.dataset.rows * len(self.request.columns) <= MOST_CELLS:
            with suppress(InputError):  # which the job will fail with
                return self.estimate().parameters
        return found


def nothing(session: Session, job: Job) -> None:
    """Settle nothing."""


def submit(store: Store, caller: Caller, request: JobRequest, settle: Settle = nothing) -> Job:
    """Store a job of the caller's and send it to its queue. Raises NotFound, TooManyQueued, or what is wrong with the request
    (InputError).
    """
    checked = check(store, caller, request)  # before the database's one writer is held up
    parameters: int | None = checked.parameters()
    with store.database.transaction() as session:
        dataset = datasets.get(session, request.dataset_id, caller.sees, lock=True)
        completed, seen = checked.completed, checked.dataset
        if (dataset.columns, dataset.table_digest) != (seen.columns, seen.table_digest):  # corrected meanwhile
            completed, parameters = complete_for(session, store, request, *described(session, store, request, dataset)), None
        turns.refuse_beyond(session, caller.owner, store.settings.max_queued_per_owner)
        given = {"queue": completed.queue, "warnings": checked.warnings, "parameters": parameters}
        job = jobs.create(session, caller.owner, document_of(completed.request), **given)
        settle(session, job)
    queue.send(job.id, completed.queue)  # after the commit: a worker that is told of a job must find it
    return job


def check(store: Store, caller: Caller, request: JobRequest) -> Checked:
    """The job that the request would be; nothing is stored. Raises what `submit` does."""
    with store.database.glancing() as session:
        dataset = datasets.get(session, request.dataset_id, caller.sees)
        turns.refuse_beyond(session, caller.owner, store.settings.max_queued_per_owner)
        completed = complete_for(session, store, request, *described(session, store, request, dataset))
        table = datasets.load(session, store.files, dataset)
        datasets.check_rows(table, dataset, completed.request)
    warnings = completed.told + datasets.findings(table, dataset, completed.request)
    return Checked(completed, dataset, table, warnings)


def complete_for(
    session: Session, store: Store, request: JobRequest, columns: Mapping[str, ColumnSummary], rows: int
) -> Completed:
    """The request with its defaults, held against the table's columns and rows and the room that workers have. Raises
    InputError.
    """
    takers = workers.takers(session, store.settings.presence_seconds)
    completed = complete(request, columns, rows, takers.serve(GPU_QUEUE))
    queue_name = GPU_QUEUE if completed.device == "cuda" else CPU_QUEUE
    refuse_too_much(completed, columns, rows, takers.room(queue_name) or store.settings.max_job_bytes or None)
    told = guesses(request, completed, columns, rows) + by_definition(completed, columns)
    return Completed(completed, queue_name, told)


def described(session: Session, store: Store, request: JobRequest, dataset: Dataset) -> tuple[Mapping[str, ColumnSummary], int]:
    """The columns and rows of the dataset that the request is about."""
    return datasets.summaries_for(lambda: datasets.load(session, store.files, dataset), dataset, request), dataset.rows
