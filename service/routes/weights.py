"""The weights of a job after an epoch."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from engine.errors import within
from service.caching import identify
from service.dependencies import Reader, ResourceResponse, StoreOf
from service.epochs import AtEpoch
from service.negotiation import accepted
from service.responses import problems
from service.routing import Route
from service.schemas.results import Weights
from service.weights import ENCODERS, refuse_too_many, tensors_of, weights_of
from store import checkpoints, jobs
from store.errors import NotFound
from store.predictors import open_predictor

router = APIRouter(prefix="/v1/jobs", tags=["results"], route_class=Route)


WEIGHT_TYPES = {
    "json": "application/json",
    "npz": "application/x-npz",
    "safetensors": "application/vnd.safetensors",
}
TYPE_NAMES = {media_type: name for name, media_type in WEIGHT_TYPES.items()}


@router.get(
    "/{job_id}/weights",
    response_model=Weights,
    responses={
        **problems(404, 406, 410),
        200: {
            "description": "as JSON, NPZ or safetensors, by `format` or Accept",
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in list(WEIGHT_TYPES.values())[1:]},
        },
    },
)
def get_weights(
    store: StoreOf,
    caller: Reader,
    request: Request,
    job_id: str,
    epoch: AtEpoch = "model",
    layer: Annotated[str | None, Query(description="one layer by its name")] = None,
    format: Literal["json", "npz", "safetensors"] | None = None,  # noqa: A002 (the contract's name)
) -> Response:
    """The weights after an epoch: W (inputs, outputs) and bias of every layer; a linear model's also in the data's units. Of
    k_means the centroids (clusters, features), in the data's units and as features are scaled.
    """
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        checkpoint = checkpoints.find(session, job, epoch)
        kind = format or TYPE_NAMES[accepted(request, TYPE_NAMES, ", or use ?format=")]
        if checkpoint is not None:
            identify(request, "weights", job.id, checkpoint.epoch, checkpoint.digest, kind, layer)
        moment = open_predictor(session, store.files, job, checkpoint)
    known = moment.predictor.exported
    if layer not in (None, *known):
        there = f"there are {', '.join(known)}" if known else f"{job.model_kind} has none: leave it out"
        raise NotFound(f"no layer '{layer}'; {there}", "/query/layer")
    if kind == "json":
        with within("query"):
            refuse_too_many(store.settings.max_work, moment, layer)
        return ResourceResponse(weights_of(job.id, moment, layer).document())
    headers = {"Content-Disposition": f'attachment; filename="{job.id}-{moment.epoch}.{kind}"'}
    return Response(ENCODERS[kind](tensors_of(moment, layer)), media_type=WEIGHT_TYPES[kind], headers=headers)
