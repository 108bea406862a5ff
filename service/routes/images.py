"""The images of a dataset as PNG: one, or contact sheets."""

from dataclasses import replace
from typing import Annotated, Any

import numpy as np
import polars as pl
from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from service import png
from service.caching import identify
from service.dependencies import Reader, ResourceResponse, StoreOf
from service.negotiation import accepted
from service.pictures import PNG, ImageColumn, Scale, Size, size_of
from service.resources import listing
from service.responses import problems
from service.routing import Route, works_on
from service.schemas.datasets import ImagesResource
from service.schemas.parts import Listing
from store import datasets
from store.connections import Store
from store.errors import NotFound, UnreadableFile
from store.images import Images, image_named, images_of
from store.tables import Dataset

router = APIRouter(prefix="/v1/datasets/{dataset_id}/images", tags=["datasets"], route_class=Route)
TYPES = ("image/png", "application/json")
Low = Annotated[float | None, Query(description="the number that is black", allow_inf_nan=False)]
High = Annotated[float | None, Query(description="the number that is white", allow_inf_nan=False)]


@router.get(
    "",
    response_model=Listing[ImagesResource],
    responses={**problems(404, 406), 200: {"description": "a sheet; as application/json, what images there are", **PNG}},
)
@works_on("tables")
def get_sheet(
    request: Request,
    store: StoreOf,
    caller: Reader,
    dataset_id: str,
    column: ImageColumn = None,
    offset: Annotated[int, Query(ge=0, le=2**62, description="row of the first")] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    columns: Annotated[int, Query(ge=1, le=100, description="images side by side")] = 10,
    scale: Scale = 1,
    size: Size = None,
    low: Low = None,
    high: High = None,
) -> Any:
    """A contact sheet of consecutive rows, two transparent pixels between images; a row without an image is a gap. As
    application/json, which images the dataset has, with the numbers that are drawn black and white: of bytes 0 and 255, of
    fractions from 0 to 1 these, else the smallest and the largest of the column.
    """
    media_type = accepted(request, TYPES)
    with store.database.reading() as session:
        dataset = datasets.get(session, dataset_id, caller.sees)
        if media_type == "application/json":
            found = images_of(dataset.columns, lambda: datasets.load(session, store.files, dataset))
            return ResourceResponse(Listing(**listing([_described(images) for images in found], None)).document())
        _identify(request, dataset, column, size, low, high, scale, offset, limit, columns)
        images, table = _images(session, store, dataset, column, size, low, high)
    count = min(limit, table.height - offset)
    if count < 1:
        raise NotFound(f"this dataset has {table.height} rows, from 0 on, so none at {offset}", "/query/offset")
    height, width = png.sheet_size(count, columns, images.size.height, images.size.width, scale)
    png.refuse_large(height, width, "/query/limit", "fewer images, or a smaller scale")
    pixels, there = images.pixels(table, offset, count)
    pictures = png.bytes_of(pixels, images.low, images.high)
    return Response(png.sheet(pictures, there, columns, scale), media_type="image/png")


@router.get(
    "/{row}",
    response_class=Response,
    responses={**problems(404, 406), 200: {"description": "the image", **PNG}},
)
@works_on("tables")
def get_image(
    request: Request,
    store: StoreOf,
    caller: Reader,
    dataset_id: str,
    row: Annotated[int, Path(ge=0, le=2**62, description="counted from 0, as /rows does")],
    column: ImageColumn = None,
    scale: Scale = 1,
    size: Size = None,
    low: Low = None,
    high: High = None,
) -> Response:
    """One row's image, pixel by pixel, in grey or color as it is stored; a missing pixel is transparent."""
    accepted(request, TYPES[:1])
    with store.database.reading() as session:
        dataset = datasets.get(session, dataset_id, caller.sees)
        _identify(request, dataset, column, size, low, high, scale, row)
        images, table = _images(session, store, dataset, column, size, low, high)
    if row >= table.height:
        raise NotFound(f"this dataset has {table.height} rows, from 0 on, so there is no row {row}")
    png.refuse_large(images.size.height * scale, images.size.width * scale, "/query/scale", "a smaller scale")
    pixels, there = images.pixels(table, row, 1)
    if not there[0]:
        raise NotFound(f"row {row} has no image in '{images.name}': its cell is missing")
    return Response(png.picture(png.bytes_of(pixels, images.low, images.high)[0], scale), media_type="image/png")


def _identify(request: Request, dataset: Dataset, *asked: object) -> None:
    kinds = tuple(column["kind"] for column in dataset.columns)
    identify(request, "images", dataset.table_digest, kinds, *asked)


def _images(
    session: Session,
    store: Store,
    dataset: Dataset,
    column: str | None,
    size: str | None,
    low: float | None,
    high: float | None,
) -> tuple[Images, pl.DataFrame]:
    images = image_named(dataset.columns, lambda: datasets.load(session, store.files, dataset), column, size_of(size))
    low, high = images.low if low is None else low, images.high if high is None else high
    if not np.isfinite(high - low) or high <= low:
        raise UnreadableFile(f"white is {high:g} and black {low:g}; the first must be the larger number", "/query/high")
    return replace(images, low=low, high=high), datasets.load(session, store.files, dataset)


def _described(images: Images) -> ImagesResource:
    return ImagesResource(name=images.name, **images.size._asdict(), low=images.low, high=images.high)
