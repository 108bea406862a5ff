"""A job's clusters: rows and centroids on a plane."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from engine.errors import within
from service.clusters import MOST_POINTS, USUAL_POINTS, clusters_of
from service.dependencies import Reader, ResourceResponse, StoreOf
from service.epochs import AtEpoch
from service.responses import problems
from service.routing import Route, works_on
from service.schemas.results import ClustersResource

router = APIRouter(prefix="/v1/jobs", tags=["results"], route_class=Route)


@router.get("/{job_id}/clusters", response_model=ClustersResource, responses=problems(404, 410, 429))
@works_on("tables")
def get_clusters(
    store: StoreOf,
    caller: Reader,
    job_id: str,
    x: Annotated[str | None, Query(description="a feature, as `centroids.features` of /weights names it")] = None,
    y: Annotated[str | None, Query(description="another feature; without it and with x, rows lie on a line")] = None,
    points: Annotated[int, Query(ge=1, le=MOST_POINTS, description="rows at most, evenly spread over all")] = USUAL_POINTS,
    epoch: AtEpoch = "model",
) -> Response:
    """Rows on the plane of two features, each with its cluster after an epoch, and the centroids there, all in the data's own
    units. All features decide which cluster a row is in, not the two alone.

    With neither x nor y it is the plane of the first two features, or the line of the only one.
    """
    with within("query", but="job_id"):
        found = clusters_of(store, caller, job_id, x, y, points=points, epoch=epoch)
    return ResourceResponse(found.document())
