"""Run one job: claim it, work on it, record, and end it in a state that is true, whatever happens. Knows no Celery."""

from collections.abc import Callable
from typing import Any, Protocol

import structlog
from sqlalchemy.exc import DatabaseError, InterfaceError, OperationalError

from engine.errors import EngineError
from store import leases, slices
from store.errors import DatabaseDamaged, DiskFull, LeaseLost, StoreError, problem_of, says_damaged
from store.leases import Lease
from store.states import BY_CALLER
from store.tables import Job
from worker.attempt import begin
from worker.context import WorkerContext
from worker.errors import Cancelled, Interrupted, OutOfMemory, Paused, WorkerError
from worker.lease import HeldLease
from worker.slicing import begin_slice

log = structlog.get_logger()


class Begun(Protocol):
    """An attempt at a job of some kind, which has begun."""

    def work(self) -> None:
        """Do all that the job asks for. Raises Interrupted, LeaseLost, and what keeps it from being done."""

    def succeed(self) -> str:
        """End the job with what came of it. Returns its state."""

    def end(self, state: str, reason: str, **values: Any) -> str:
        """End the job in that state, with what came of it so far. Returns its state."""

    def pause(self) -> str:
        """Keep where it stands, and let it wait. Returns its state."""

    def give_back(self) -> str:
        """Keep where it stands, and return it to the queue. Returns its state."""


BEGINNINGS: dict[str, Callable[[WorkerContext, HeldLease, Job], Begun]] = {slices.KIND: begin_slice}
"""How an attempt begins, by the kind of the job, where that does not train."""


def work(context: WorkerContext, job_id: str) -> None:
    """Run what waits in this worker's queues, each job in its turn, until nothing does; that job last, wherever it waits."""
    while not context.stopping() and run(context, job_id):
        pass


def run(context: WorkerContext, job_id: str | None = None) -> bool:
    """Run the job whose turn it is in this worker's queues, or, where none waits there that could be taken at this moment,
    that job if it is queued. False where nothing was run.
    """
    by = (context.name, context.settings.lease_seconds)
    with context.database.transaction() as session:
        job = leases.claim_next(session, context.settings.queues.split(","), *by)
        job = job or (leases.claim(session, job_id, *by) if job_id else None)
    if job is None:
        return False
    with HeldLease(context.database, leases.lease_of(job), context.settings.lease_seconds) as held:
        run_held(context, held, job)
    return True


def run_held(context: WorkerContext, held: HeldLease, job: Job) -> None:
    """Train the held job and end it: succeeded, failed, cancelled, or back in the queue."""
    bound = log.bind(job_id=held.lease.job_id, attempt=held.lease.attempt)
    try:
        try:
            outcome = _attempt(context, held, job, bound)
        except DiskFull as error:  # the row alone is written: there is no room for what else waits to be
            outcome = _fail(context, held.lease, None, error)
        bound.info("job ended", state=outcome)
    except LeaseLost:
        bound.warning("lease lost; nothing more is written")
    except (DatabaseError, InterfaceError) as error:
        if not isinstance(error, OperationalError | InterfaceError) and not says_damaged(error):
            raise
        reason = str(error.orig).partition("\n")[0]
        bound.warning("the database takes nothing; the job goes on once its lease has ended", error=reason)


def _attempt(context: WorkerContext, held: HeldLease, job: Job, bound: Any) -> str:
    """The state that the job is in after it."""
    lease = held.lease
    attempt: Begun | None = None
    try:
        attempt = BEGINNINGS.get(job.kind, begin)(context, held, job)
        attempt.work()
        return attempt.succeed()
    except Interrupted as interruption:
        return _leave(context, lease, attempt, interruption)
    except MemoryError:
        return _fail(context, lease, attempt, OutOfMemory(_out_of_memory(context)))
    except (LeaseLost, DiskFull, OperationalError, InterfaceError):
        raise
    except (EngineError, StoreError, WorkerError) as error:
        return _fail(context, lease, attempt, error)
    except Exception as error:
        if says_damaged(error):
            return _fail(
                context, lease, attempt, DatabaseDamaged("the database is damaged; once it is restored, run the job again")
            )
        bound.exception("job broke")
        detail = "training broke for a reason inside Vidro; the worker's log has it under this job's id"
        return _fail(context, lease, attempt, WorkerError(detail))


def _leave(context: WorkerContext, lease: Lease, attempt: Begun | None, interruption: Interrupted) -> str:
    """End the attempt as it is wanted; where it had not begun to train, what an attempt before has written stays as it is."""
    if attempt is None:
        with context.database.transaction() as session:
            state = "cancelled" if isinstance(interruption, Cancelled) else "paused"
            return leases.finish(session, lease, state, BY_CALLER[state])
    if isinstance(interruption, Cancelled):
        return attempt.end("cancelled", BY_CALLER["cancelled"])
    return attempt.pause() if isinstance(interruption, Paused) else attempt.give_back()


def _out_of_memory(context: WorkerContext) -> str:
    most = context.settings.job_bytes / 2**20
    return f"the job asked for more than the {most:.0f} MiB that a job may take; use fewer rows, columns or units"


def _fail(context: WorkerContext, lease: Lease, attempt: Begun | None, error: EngineError | StoreError | WorkerError) -> str:
    """End the job as failed; with what it had learned where that can still be written."""
    document = problem_of(error)
    if attempt is not None:
        try:
            return attempt.end("failed", document["detail"], error=document)
        except (MemoryError, DiskFull):
            log.warning("what the job had learned last could not be kept", job_id=lease.job_id)
    with context.database.transaction() as session:
        return leases.finish(session, lease, "failed", document["detail"], error=document)
