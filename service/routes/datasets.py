"""Datasets: upload, list, get and delete them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse

from service.capacity import capacity_of
from service.dependencies import IdempotencyKey, PageOf, Reader, StoreOf, Writer
from service.lists import ORDERED, Asked, NameHolds, Total, View
from service.new_datasets import from_files, from_sample
from service.resources import BRIEF_DATASET, dataset_resource, dataset_summary
from service.responses import problems
from service.routing import Route
from service.schemas.datasets import DatasetResource, DatasetSummary
from service.schemas.parts import CountedListing
from service.uploads import UPLOAD_SCHEMA, SampleRequest, Upload, read_upload
from store import datasets
from store.database import fold
from store.tables import Dataset

router = APIRouter(prefix="/v1", tags=["datasets"], route_class=Route)
DatasetOrder = Literal["created_at", "-created_at", "name", "-name", "rows", "-rows", "bytes", "-bytes"]
ORDERS: dict[str, Any] = {"name": fold(Dataset.name), "rows": Dataset.rows, "bytes": Dataset.size}


@router.post(
    "/datasets",
    status_code=201,
    response_model=DatasetResource,
    responses=problems(409, 413, 415),
    openapi_extra=UPLOAD_SCHEMA,
)
async def create_dataset(
    request: Request,
    store: StoreOf,
    caller: Writer,
    upload: Annotated[Upload, Depends(read_upload)],
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Upload a file: it is read, profiled and stored at once. A sample may be sent here as well, as the JSON that
    POST /v1/samples takes.
    """
    if isinstance(upload, SampleRequest):
        async with capacity_of(request).turn("tables"):
            return await run_in_threadpool(from_sample, store, caller, upload, idempotency_key)
    async with capacity_of(request).turn("files"):
        return await run_in_threadpool(from_files, store, caller, upload, idempotency_key)


@router.get("/datasets", responses=problems())
def list_datasets(
    store: StoreOf,
    caller: Reader,
    page_of: PageOf,
    name: NameHolds = None,
    order_by: Annotated[DatasetOrder, Query(description=ORDERED)] = "-created_at",
    total: Total = False,
    view: Annotated[View, Query(description="without the profile of the columns, or whole")] = "brief",
) -> CountedListing[DatasetResource] | CountedListing[DatasetSummary]:
    """The datasets, newest first by default, without the profile of their columns: thousands of columns make a megabyte."""
    wanted = Asked(caller, page_of, order_by, total, name)
    with store.database.reading() as session:
        rows, rest = wanted.read(session, Dataset, ORDERS, [BRIEF_DATASET] if view == "brief" else [])
        if view == "brief":
            return CountedListing[DatasetSummary](items=[dataset_summary(row) for row in rows], **rest)
        return CountedListing[DatasetResource](items=[dataset_resource(row) for row in rows], **rest)


@router.get("/datasets/{dataset_id}", responses=problems(404))
def get_dataset(store: StoreOf, caller: Reader, dataset_id: str) -> DatasetResource:
    """One dataset with its profile."""
    with store.database.reading() as session:
        return dataset_resource(datasets.get(session, dataset_id, caller.sees))


@router.delete("/datasets/{dataset_id}", status_code=204, responses=problems(404, 409))
def delete_dataset(store: StoreOf, caller: Writer, dataset_id: str) -> Response:
    """Forget a dataset; refused while a job reads it. Models trained on it stay."""
    with store.database.transaction() as session:
        datasets.delete(session, store.files, datasets.get(session, dataset_id, caller.sees))
    return Response(status_code=204)
