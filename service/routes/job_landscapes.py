"""Slices of a job's loss."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from engine.glass.loss_slices import LossSlice
from service.dependencies import IdempotencyKey, Reader, ResourceResponse, StoreOf, may_write, once
from service.examples import LANDSCAPE, SLICE
from service.job_landscapes import landscape_at_once
from service.resources import job_resource
from service.responses import answering, example_of
from service.routing import Route, works_on
from service.schemas.job_landscapes import JobLandscape
from service.schemas.jobs import JobResource
from store import slices
from store.slices import WANTED
from store.tables import Job

router = APIRouter(prefix="/v1/jobs", tags=["glass box"], route_class=Route)
EXAMPLES: Any = {
    "random": {"summary": "Two random directions", "value": {"directions": {"kind": "random", "seed": 1}}},
    "principal": {"summary": "The way that the run took", "value": {"directions": "principal", "resolution": 30}},
    "fine": {
        "summary": "So fine that it is a job of its own",
        "value": {"directions": "random", "resolution": 200, "rows": 100_000},
    },
    "weights": {
        "summary": "Two weights alone",
        "value": {
            "epoch": "last",
            "directions": {
                "kind": "weights",
                "first": {"layer": "output", "index": [0, 0]},
                "second": {"layer": "output", "name": "b", "index": [0]},
            },
            "extent": 5,
        },
    },
}


@router.post(
    "/{job_id}/landscape",
    response_model=JobLandscape,
    responses={
        **answering(LANDSCAPE, 409, 410, 413, 429),
        202: {
            "description": "one that costs more than about a second is a job of its own",
            "model": JobResource,
            "content": example_of(SLICE),
        },
    },
)
@works_on("computations")
def slice_landscape(
    store: StoreOf,
    caller: Reader,
    job_id: str,
    request: Annotated[LossSlice, Body(openapi_examples=EXAMPLES)],
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """The cost of a job's network on a plane through its weights after an epoch: along two random directions that are scaled to
    its filters, along two chosen parameters, or along the way that the run itself took, with that way drawn in.

    The work is counted first: points times rows times the network's multiplications. Up to about a second of one core is
    answered at once, and nothing is stored. What takes longer becomes a job of the kind `slice`, which is answered with 202
    and takes a key that may write. It shows its progress and can be paused and cancelled; once it has succeeded,
    `GET …/result` of that job gives what the answer at once would have been.
    """
    found = landscape_at_once(store, caller, job_id, request)
    if found is not None:
        return ResourceResponse(found.document())
    may_write(caller)
    body = WANTED.dump_python(request, mode="json")
    with once(store, caller, idempotency_key, f"/v1/jobs/{job_id}/landscape", body) as answer:
        if answer.answer is not None:
            return answer.response

        def settle(session: Session, job: Job) -> None:
            answer.give(session, 202, f"/v1/jobs/{job.id}", job_resource(session, job).document())

        slices.submit(store, caller, job_id, request, settle)
    return answer.response
