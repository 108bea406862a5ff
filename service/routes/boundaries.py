"""A job's decision boundary."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from engine.errors import within
from service.boundaries import boundary_of
from service.dependencies import Reader, ResourceResponse, StoreOf
from service.epochs import AtEpoch
from service.responses import problems
from service.routing import Route, works_on
from service.schemas.glass import Boundary

router = APIRouter(prefix="/v1/jobs", tags=["results"], route_class=Route)


@router.get("/{job_id}/boundary", response_model=Boundary, responses=problems(404, 410, 429))
@works_on("tables")
def get_boundary(
    store: StoreOf,
    caller: Reader,
    job_id: str,
    x: Annotated[str | None, Query(description="a column; without y, the predictions along it are a curve")] = None,
    y: Annotated[str | None, Query(description="another column, for a plane")] = None,
    resolution: Annotated[int, Query(ge=2, le=200, description="points a side, for columns of numbers")] = 50,
    fixed: Annotated[str, Query(description="values of other columns, as JSON", examples=['{"petal_width": 1.3}'])] = "{}",
    epoch: AtEpoch = "model",
    hidden: Annotated[bool, Query(description="also what each hidden unit answers, as `units`")] = False,
) -> Response:
    """Predictions of the weights after an epoch over a grid of two features, or along one; the other features are held.

    With neither x nor y it is the plane of the first two features, or the curve of the only one.
    """
    with within("query", but="job_id"):
        found = boundary_of(store, caller, job_id, x, y, resolution=resolution, fixed=fixed, epoch=epoch, hidden=hidden)
    return ResourceResponse(found.document())
