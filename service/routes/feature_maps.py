"""What a job's convolutions look for and find: their filters, and each layer's maps of one image."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from engine.errors import within
from service.caching import identify
from service.dependencies import Reader, ResourceResponse, StoreOf
from service.epochs import AtEpoch
from service.feature_maps import filters_at, maps_at, picture_of_filters, picture_of_maps, shown_filters, shown_maps
from service.negotiation import accepted
from service.pictures import PNG, Scale
from service.responses import problems
from service.routing import Route, works_on
from service.schemas.feature_maps import FeatureMapsResource, FiltersResource
from store import checkpoints, datasets, jobs
from store.predictors import open_predictor

router = APIRouter(prefix="/v1/jobs", tags=["glass box"], route_class=Route)
TYPES = ("application/json", "image/png")


@router.get(
    "/{job_id}/filters",
    response_model=FiltersResource,
    responses={
        **problems(404, 406, 410),
        200: {
            "description": "numbers; as image/png, a sheet on which 0 is grey: filters that read an image in color, of "
            "any others a line a filter with a picture a channel, transparent where it does not read it",
            **PNG,
        },
    },
)
def get_filters(
    request: Request,
    store: StoreOf,
    caller: Reader,
    job_id: str,
    layer: Annotated[str | None, Query(description="a convolution, by its name; the first by default")] = None,
    epoch: AtEpoch = "model",
    columns: Annotated[int, Query(ge=1, le=100, description="of a PNG: filters side by side, where each is one picture")] = 8,
    scale: Scale = 8,
) -> Response:
    """The filters of a convolution after an epoch: the weights that each lays over every patch of an image."""
    media_type = accepted(request, TYPES)
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        checkpoint = checkpoints.find(session, job, epoch)
        if checkpoint is not None:
            identify(request, "filters", job.id, checkpoint.epoch, checkpoint.digest, media_type, layer, columns, scale)
        found = open_predictor(session, store.files, job, checkpoint)
    with within("query", but="job_id"):
        chosen = filters_at(found, layer)
        if media_type == "image/png":
            return Response(picture_of_filters(chosen, columns, scale), media_type=media_type)
        return ResourceResponse(shown_filters(store.settings.max_work, job.id, found, chosen).document())


@router.get(
    "/{job_id}/feature_maps",
    response_model=FeatureMapsResource,
    responses={
        **problems(404, 406, 410),
        200: {"description": "numbers; as image/png, a sheet with a picture a map, all on one scale of grey", **PNG},
    },
)
@works_on("tables")
def get_feature_maps(
    request: Request,
    store: StoreOf,
    caller: Reader,
    job_id: str,
    row: Annotated[int, Query(ge=0, le=2**62, description="of the job's dataset, counted from 0, as /rows does")] = 0,
    layer: Annotated[
        str | None,
        Query(
            description="a layer that makes images, by its name, or input: the image as it reaches the network; by default the "
            "first layer that makes one"
        ),
    ] = None,
    epoch: AtEpoch = "model",
    columns: Annotated[int, Query(ge=1, le=100, description="of a PNG: maps side by side")] = 8,
    scale: Scale = 4,
) -> Response:
    """What each filter of a layer answers to one image after an epoch: A, and the sums Z that the activation bends."""
    media_type = accepted(request, TYPES)
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        checkpoint = checkpoints.find(session, job, epoch)
        dataset = datasets.of_job(session, job)
        if checkpoint is not None:
            digests = (checkpoint.digest, job.table_digest or dataset.table_digest)
            which = (job.id, checkpoint.epoch, *digests, media_type)
            identify(request, "feature maps", *which, row, layer, columns, scale)
        table = datasets.table_of(session, store.files, job, dataset)
        found = open_predictor(session, store.files, job, checkpoint)
    with within("query", but="job_id"):
        chosen = maps_at(store.settings.max_work, found, table, row, layer)
        if media_type == "image/png":
            return Response(picture_of_maps(chosen, columns, scale), media_type=media_type)
        return ResourceResponse(shown_maps(store.settings.max_work, job.id, found, row, chosen).document())
