"""Run one job: claim it, train, record, and end it in a state that is true, whatever happens. Knows no Celery."""

from typing import Any

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

from engine.errors import EngineError, InputError
from store import jobs
from store.errors import LeaseLost, StorageFull, StoreError, problem
from store.jobs import Lease
from worker.lease import HeldLease
from worker.recording import Cancelled, Recording, Stopped, Workplace

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
    bound = log.bind(job_id=held.lease.job_id, attempt=held.lease.attempt)
    try:
        try:
            outcome = _attempt(place, held, bound)
        except StorageFull as error:  # the row alone is written: there is no room for what else waits to be
            outcome = _fail(place, held.lease, None, problem(error.code, error.status, str(error), []))
        bound.info("job ended", state=outcome)
    except LeaseLost:
        bound.warning("lease lost; nothing more is written")
    except (OperationalError, InterfaceError) as error:
        reason = str(error.orig).partition("\n")[0]
        bound.warning("the database takes nothing; the job goes on once its lease has ended", error=reason)


def _attempt(place: Workplace, held: HeldLease, bound: Any) -> str:
    lease = held.lease
    recording: Recording | None = None
    try:
        recording = Recording(place, held)
        recording.train()
        return recording.succeed()
    except Cancelled:
        return recording.end("cancelled", "cancelled by the caller") if recording else _end(place, lease, "cancelled")
    except Stopped:
        assert recording is not None
        return recording.give_back()
    except (LeaseLost, StorageFull, OperationalError, InterfaceError):
        raise
    except (EngineError, StoreError) as error:
        return _fail(place, lease, recording, problem(error.code, error.status, str(error), _errors(error)))
    except Exception:
        bound.exception("job broke")
        detail = "training broke for a reason inside Vidro; the worker's log has it under this job's id"
        return _fail(place, lease, recording, problem("INTERNAL", 500, detail, []))


def _errors(error: EngineError | StoreError) -> list[tuple[str, str]]:
    return error.errors if isinstance(error, InputError | StoreError) else []


def _fail(place: Workplace, lease: Lease, recording: "Recording | None", document: dict[str, Any]) -> str:
    if recording is not None:
        return recording.end("failed", document["detail"], error=document)
    return _end(place, lease, "failed", document["detail"], error=document)


def _end(place: Workplace, lease: Lease, state: str, reason: str | None = None, **values: Any) -> str:
    with place.database.transaction() as session:
        return jobs.finish(session, lease, state, reason, **values)
