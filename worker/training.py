"""Run one job: claim it, train, record, and end it in a state that is true, whatever happens. Knows no Celery."""

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from engine.errors import EngineError, InputError
from store import jobs
from store.errors import DiskFull, LeaseLost, StoreError, problem
from store.jobs import Lease
from worker.errors import Cancelled, OutOfMemory, Paused, Stopped, WorkerError
from worker.lease import HeldLease
from worker.recording import Recording, Workplace

log = structlog.get_logger()


def work(place: Workplace, job_id: str) -> None:
    """Run that job if it waits, then whatever else waits in this worker's queues, until nothing does."""
    wanted: str | None = job_id
    queues = place.settings.queues.split(",")
    while wanted is not None and not place.stopping():
        run(place, wanted)
        with place.database.reading() as session:
            wanted = jobs.next_queued(session, queues)


def run(place: Workplace, job_id: str) -> None:
    """Run the job if it is queued; do nothing where another worker was faster."""
    with place.database.transaction() as session:
        lease = jobs.claim(session, job_id, place.name, place.settings.lease_seconds)
    if lease is None:
        return
    with HeldLease(place.database, lease, place.settings.lease_seconds) as held:
        run_held(place, held)


def run_held(place: Workplace, held: HeldLease) -> None:
    """Train the held job and end it: succeeded, failed, cancelled, or back in the queue."""
    lease = held.lease
    bound = log.bind(job_id=lease.job_id, attempt=lease.attempt)
    recording: Recording | None = None
    try:
        try:
            recording = Recording(place, held)
            recording.train()
            outcome = recording.succeed()
        except Cancelled:
            assert recording is not None
            outcome = recording.end("cancelled", jobs.BY_CALLER["cancelled"])
        except Paused:
            assert recording is not None
            outcome = recording.pause()
        except Stopped:
            assert recording is not None
            outcome = recording.give_back()
        except MemoryError:
            outcome = _fail(place, lease, recording, OutOfMemory(_out_of_memory(place)))
        except (EngineError, StoreError, WorkerError) as error:
            if isinstance(error, LeaseLost):
                raise
            outcome = _fail(place, lease, recording, error)
        except (OperationalError, InterfaceError) as error:
            bound.warning("database out of reach; the job goes on when its lease has ended", error=type(error).__name__)
            return
        except Exception:
            bound.exception("job broke")
            detail = "training broke for a reason inside Vidro; the worker's log has it under this job's id"
            outcome = _fail(place, lease, recording, WorkerError(detail))
        bound.info("job ended", state=outcome)
    except LeaseLost:
        bound.warning("lease lost; nothing more is written")


def _out_of_memory(place: Workplace) -> str:
    most = place.settings.job_bytes / 2**20
    return f"training asked for more than the {most:.0f} MiB that a job may take; use fewer rows, columns or units"


def _fail(place: Workplace, lease: Lease, recording: Recording | None, error: EngineError | StoreError | WorkerError) -> str:
    """End the job as failed; with what it had learned where that can still be written."""
    pointers = error.errors if isinstance(error, InputError | StoreError) else []
    document = problem(error.code, error.status, str(error), pointers)
    if recording is not None:
        try:
            return recording.end("failed", document["detail"], error=document)
        except (MemoryError, DiskFull):
            log.warning("what the job had learned last could not be kept", job_id=lease.job_id)
    with place.database.transaction() as session:
        return jobs.finish(session, lease, "failed", document["detail"], error=document)
