"""Slices of a job's loss."""

from typing import Annotated, Any

from fastapi import APIRouter, Body

from engine.glass.loss_slices import LossSlice
from service.dependencies import Reader, StoreOf
from service.job_landscapes import landscape_of
from service.responses import problems
from service.routing import Route, works_on
from service.schemas.job_landscapes import JobLandscape

router = APIRouter(prefix="/v1/jobs", tags=["glass box"], route_class=Route)
EXAMPLES: Any = {
    "random": {"summary": "Two random directions", "value": {"directions": {"kind": "random", "seed": 1}}},
    "principal": {"summary": "The way that the run took", "value": {"directions": "principal", "resolution": 30}},
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


@router.post("/{job_id}/landscape", responses=problems(404, 410, 413))
@works_on("tables")
def slice_landscape(
    store: StoreOf, caller: Reader, job_id: str, request: Annotated[LossSlice, Body(openapi_examples=EXAMPLES)]
) -> JobLandscape:
    """The cost of a job's network on a plane through its weights after an epoch: along two random directions that are scaled to
    its filters, along two chosen parameters, or along the way that the run itself took, with that way drawn in. Nothing is
    stored.
    """
    return landscape_of(store, caller, job_id, request)
