"""Jobs: cancel, pause, resume and fork them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from service.dependencies import IdempotencyKey, ResourceResponse, StoreOf, Writer, once
from service.resources import estimate_resource, job_resource
from service.responses import problems
from service.routing import Route
from service.schemas.jobs import Estimate, ForkRequest, JobResource
from store import forks, jobs, queue, turns
from store.connections import Store
from store.forks import InvalidOverrides
from store.keys import Caller
from store.tables import Job

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=Route)


def _resource(store: Store, caller: Caller, job_id: str) -> JobResource:
    with store.database.reading() as session:
        return job_resource(session, jobs.get(session, job_id, caller.sees))


@router.post("/{job_id}/cancel", status_code=202, responses=problems(404, 409))
def cancel_job(store: StoreOf, caller: Writer, job_id: str, response: Response) -> JobResource:
    """Cancel: at once from queued or paused; a running job is `cancelling` until its worker has stopped."""
    with store.database.transaction() as session:
        jobs.cancel(session, jobs.get(session, job_id, caller.sees))
    response.headers["Location"] = f"/v1/jobs/{job_id}"
    return _resource(store, caller, job_id)


@router.post("/{job_id}/pause", status_code=202, responses=problems(404, 409))
def pause_job(store: StoreOf, caller: Writer, job_id: str, response: Response) -> JobResource:
    """Pause a running job: it is `pausing` until its worker has saved where exactly it stands, then `paused`."""
    with store.database.transaction() as session:
        jobs.pause(session, jobs.get(session, job_id, caller.sees))
    response.headers["Location"] = f"/v1/jobs/{job_id}"
    return _resource(store, caller, job_id)


@router.post("/{job_id}/resume", status_code=202, responses=problems(404, 409, 429))
def resume_job(store: StoreOf, caller: Writer, job_id: str, response: Response) -> JobResource:
    """Let a paused job go on where it stands; it ends in the same bits as one that was never paused."""
    with store.database.transaction() as session:
        job = jobs.get(session, job_id, caller.sees)
        turns.refuse_beyond(session, job.owner, store.settings.max_queued_per_owner)
        jobs.resume(session, job)
    queue.send(job.id, job.queue)
    response.headers["Location"] = f"/v1/jobs/{job_id}"
    return _resource(store, caller, job_id)


@router.post(
    "/{job_id}/fork",
    status_code=202,
    response_model=JobResource,
    responses={**problems(404, 409, 410, 429), 200: {"description": "validate_only: what it would be", "model": Estimate}},
)
def fork_job(
    store: StoreOf,
    caller: Writer,
    job_id: str,
    fork: ForkRequest,
    validate_only: Annotated[bool, Query(description="check and complete the fork; store nothing")] = False,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Start a new job from a checkpoint of this one, whatever its state, with some settings changed.

    It inherits the weights, and the optimizer's state where the optimizer stays of its kind; its curves begin after that
    epoch. What the weights were made for stays: dataset, target, features, task, model, preprocessing, split, precision.
    With nothing changed it ends in the same bits as its parent.
    """
    if validate_only:
        with _located():
            begun, estimated = forks.check(store, caller, job_id, fork.epoch, fork.overrides)
        return ResourceResponse(estimate_resource(begun.request, estimated, ()).document())
    with once(store, caller, idempotency_key, f"/v1/jobs/{job_id}/fork", fork.document()) as answer:
        if answer.answer is not None:
            return answer.response

        def settle(session: Session, job: Job) -> None:
            answer.give(session, 202, f"/v1/jobs/{job.id}", job_resource(session, job).document())

        with _located():
            forks.submit(store, caller, job_id, fork.epoch, fork.overrides, settle)
    return answer.response


@contextmanager
def _located() -> Iterator[None]:
    """Have the overrides that make no request answered as any body that is none."""
    try:
        yield
    except InvalidOverrides as error:
        places = [{**entry, "loc": ("body", "overrides", *entry["loc"])} for entry in error.errors]
        raise RequestValidationError(places, body={"overrides": error.document}) from None
