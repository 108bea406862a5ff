"""Replays: train a stretch of a job's epochs again, and see whether every bit agrees."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from service.dependencies import IdempotencyKey, StoreOf, Writer, once
from service.examples import REPLAY
from service.resources import job_resource
from service.responses import answering
from service.routing import Route
from service.schemas.jobs import JobResource
from service.schemas.replays import ReplayRequest
from store import replays
from store.tables import Job

router = APIRouter(prefix="/v1/jobs", tags=["glass box"], route_class=Route)
EXAMPLES: dict[str, Any] = {
    "whole": {"summary": "The whole run", "value": {}},
    "stretch": {"summary": "Epochs 11 to 20", "value": {"from_epoch": 10, "to_epoch": 20}},
}


@router.post(
    "/{job_id}/replay", status_code=202, response_model=JobResource, responses=answering(REPLAY, 409, 410, 413, 429, status=202)
)
def replay_job(
    store: StoreOf,
    caller: Writer,
    job_id: str,
    replay: Annotated[ReplayRequest, Body(openapi_examples=EXAMPLES)],
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Train a stretch of this job again, from its checkpoint, as a job of its own, of the kind `replay`. Once it has ended,
    `GET …/result` of that job says whether every point of the curves and every number of the weights agrees to the bit.
    """
    with once(store, caller, idempotency_key, f"/v1/jobs/{job_id}/replay", replay.document()) as answer:
        if answer.answer is not None:
            return answer.response

        def settle(session: Session, job: Job) -> None:
            answer.give(session, 202, f"/v1/jobs/{job.id}", job_resource(session, job).document())

        replays.submit(store, caller, job_id, replay.from_epoch, replay.to_epoch, settle)
    return answer.response
