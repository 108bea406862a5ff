"""A job's layers through time."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from service.caching import identify
from service.dependencies import Reader, ResourceResponse, StoreOf
from service.layers import kept_epochs, layers_through_time
from service.responses import answering
from service.routing import Route, works_on
from service.schemas.layers import LayersResource, Of
from store import jobs
from store.states import DONE

router = APIRouter(prefix="/v1/jobs", tags=["glass box"], route_class=Route)
EXAMPLE: dict[str, Any] = {
    "job_id": "job_01937b2e",
    "rows": 256,
    "epochs": [0, 10, 20],
    "formulas": {"norm": r"\lVert w \rVert = \sqrt{\sum_i w_i^2}"},
    "layers": [
        {
            "layer": "hidden_1", "of": "weights", "count": [64, 64, 64], "mean": [0.05, 0.06, 0.08], "std": [0.69, 0.81, 0.9],
            "norm": [5.53, 6.5, 7.23], "min": [-1.55, -1.82, -1.99], "max": [1.76, 2.1, 2.34], "dead": None, "saturated": None,
            "update_ratio": [0.0145, 0.0021, 0.0013], "alike": [0.0, 0.0, 0.0], "edges": None, "counts": None,
        }
    ],
}  # fmt: skip


@router.get(
    "/{job_id}/layers",
    response_model=LayersResource,
    responses=answering(EXAMPLE, 410),
)
@works_on("computations")
def get_layers(
    request: Request,
    store: StoreOf,
    caller: Reader,
    job_id: str,
    layer: Annotated[str | None, Query(description="one layer by its name; by default all")] = None,
    of: Annotated[Of | None, Query(description="weights, activations or gradients alone; by default all")] = None,
    from_epoch: Annotated[int, Query(ge=0, le=2**31 - 1, description="the first epoch to tell of")] = 0,
    to_epoch: Annotated[int | None, Query(ge=0, le=2**31 - 1, description="the last one; by default of all")] = None,
    bins: Annotated[bool, Query(description="also histograms, in bins that are common to all epochs of the answer")] = False,
) -> Response:
    """The layers' weights, gradients and activations through the epochs at which they were looked at: mean, deviation and
    norm, the shares of dead, saturated and like units, and the ratio of update to weight.

    They are looked at before training, every `record.histograms_every` epochs, and at the end.
    """
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        epochs = kept_epochs(session, job, from_epoch, to_epoch)
        if job.state in DONE:
            identify(request, "layers", job.id, epochs, layer, of, bins)
        found = layers_through_time(session, store.settings.max_work, job, epochs, layer, of, bins)
    return ResourceResponse(found.document())
