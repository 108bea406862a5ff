"""What a job's weights answer to each row of a split."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from engine.errors import within
from engine.glass.rows import Only, Sort, Wanted
from service.asked_rows import Split
from service.caching import identify
from service.dependencies import Reader, ResourceResponse, StoreOf
from service.epochs import AtEpoch
from service.language import language, spoken
from service.negotiation import accepted
from service.pictures import PNG, ImageColumn, Scale, Size, size_of
from service.predictions import Page, as_table, items_of, listed, picture, shown
from service.responses import problems
from service.routing import Route, works_on
from service.rows import spreadsheet
from service.schemas.predictions import SplitPredictions
from store import checkpoints, datasets, jobs
from store.predictors import open_predictor

router = APIRouter(prefix="/v1/jobs", tags=["glass box"], route_class=Route)
TYPES = ("application/json", "text/csv", "image/png")
CELL = "of a classification, as its confusion matrix has them"
EXAMPLE = {
    "job_id": "job_01937b2e",
    "epoch": 100,
    "split": "validation",
    "rows": 30,
    "total": 1,
    "offset": 0,
    "mean_loss": 0.0772,
    "classes": ["setosa", "versicolor", "virginica"],
    "formulas": {"loss": {"formula": "\\ell = -\\sum_j y_j \\ln p_j", "source": "Bishop, 2006, section 4.3.4"}},
    "items": [
        {
            "row": 106,
            "target": "virginica",
            "prediction": "versicolor",
            "right": False,
            "confidence": 0.834,
            "probabilities": {"setosa": 0.002, "versicolor": 0.834, "virginica": 0.164},
            "loss": 1.808,
            "weight": None,
            "residual": None,
            "leverage": None,
            "distances": None,
            "cells": None,
        }
    ],
    "warnings": [],
}


@router.get(
    "/{job_id}/predictions",
    response_model=SplitPredictions,
    responses={
        **problems(404, 406, 410),
        200: {
            "description": "rows; as text/csv, for a spreadsheet; as image/png, a sheet of their images in the same order",
            "content": {
                "application/json": {"example": EXAMPLE},
                "text/csv": {"schema": {"type": "string"}},
                **PNG["content"],
            },
        },
    },
)
@works_on("computations")
def get_predictions(
    request: Request,
    store: StoreOf,
    caller: Reader,
    job_id: str,
    split: Annotated[Split | None, Query(description="test, else validation, else train")] = None,
    epoch: AtEpoch = "model",
    sort: Annotated[Sort, Query(description="of equals, the first of the table comes first")] = "loss",
    order: Annotated[
        Literal["asc", "desc"] | None, Query(description="by default desc for loss and leverage, asc for confidence and row")
    ] = None,
    only: Annotated[Only, Query(description="of tags, right is a row all of whose tags are")] = "all",
    true: Annotated[str | None, Query(description=f"rows of that class, {CELL}")] = None,
    predicted: Annotated[str | None, Query(description=f"rows given that class, {CELL}; of a clustering, that cluster")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="rows of the answer at most")] = 100,
    offset: Annotated[int, Query(ge=0, le=2**62, description="rows of the order to pass over")] = 0,
    cells: Annotated[bool, Query(description="also the whole row of the dataset")] = False,
    column: ImageColumn = None,
    size: Size = None,
    columns: Annotated[int, Query(ge=1, le=100, description="of a PNG: images side by side")] = 10,
    scale: Scale = 2,
) -> Response:
    """Each row of a split: what the table says, what the weights after an epoch answer, with which probabilities, and what it
    costs; the worst first. `only=wrong` lists the mistakes, `true` and `predicted` one cell of the confusion matrix. As
    image/png the images of these rows, so that the misclassified digits are one call.
    """
    media_type = accepted(request, TYPES)
    wanted = Wanted(sort, None if order is None else order == "desc", only, true, predicted)
    page = Page(limit, offset)
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        checkpoint = checkpoints.find(session, job, epoch)
        table = datasets.table_of(session, store.files, job, datasets.of_job(session, job))
        if checkpoint is not None:
            which = (job.id, checkpoint.epoch, checkpoint.digest, table.digest, media_type, language())
            identify(request, "predictions", *which, split, wanted, page, cells, column, size, columns, scale)
        found = open_predictor(session, store.files, job, checkpoint)
    limit_of_work = store.settings.max_work
    with within("query", but="job_id"):
        rows = listed(limit_of_work, found.predictor, table, split, wanted, page)
        if media_type == "image/png":
            return Response(picture(table, rows.page, column, size_of(size), columns, scale), media_type=media_type)
        if media_type == "text/csv":
            return Response(spreadsheet(as_table(items_of(limit_of_work, table, rows.page, cells))), media_type=media_type)
        answer = shown(limit_of_work, job.id, found, table, rows, page, cells, spoken(rows.notices))
    return ResourceResponse(answer.document())
