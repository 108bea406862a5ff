"""Models and their predictions."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Response

from engine.errors import UnusableData
from engine.tables.features import pointer
from engine.training.findings import notices
from engine.training.predict import Predictor, columns_of, unread, unseen
from service.alternatives import ByFields
from service.dependencies import PageOf, Reader, StoreOf, Writer
from service.language import spoken
from service.lists import ORDERED, Asked, NameHolds, Total, View
from service.predictions import by_row
from service.resources import BRIEF_MODEL, model_resource, model_summary
from service.responses import problems
from service.routing import Route, works_on
from service.schemas.models import ModelKind, ModelResource, ModelSummary, PredictionsResource, RecordsRequest, TableRequest
from service.schemas.parts import CountedListing
from service.work import refuse_too_much, work_of_predictions
from store import models, predictors
from store.connections import Store
from store.database import fold
from store.errors import UnreadableFile
from store.tables import Model

router = APIRouter(prefix="/v1/models", tags=["models"], route_class=Route)
ModelOrder = Literal["created_at", "-created_at", "name", "-name", "kind", "-kind", "parameters", "-parameters"]
ORDERS: dict[str, Any] = {"name": fold(Model.name), "kind": Model.kind, "parameters": Model.parameters}

IRIS_ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
EXAMPLES: dict[str, Any] = {
    "records": {"summary": "Rows as objects", "value": {"records": [IRIS_ROW]}},
    "table": {"summary": "Rows as lists", "value": {"columns": list(IRIS_ROW), "data": [list(IRIS_ROW.values())]}},
}


@router.get("", responses=problems())
def list_models(
    store: StoreOf,
    caller: Reader,
    page_of: PageOf,
    dataset_id: Annotated[str | None, Query(description="the id of the dataset that they learned from")] = None,
    model_kind: Annotated[ModelKind | None, Query(description="their kind")] = None,
    name: NameHolds = None,
    order_by: Annotated[ModelOrder, Query(description=ORDERED)] = "-created_at",
    total: Total = False,
    view: Annotated[View, Query(description="whole, or without request, inputs and scaling")] = "full",
) -> CountedListing[ModelResource] | CountedListing[ModelSummary]:
    """The models, newest first by default."""
    fields = {"dataset_id": dataset_id, "model_kind": model_kind}
    columns = {Model.dataset_id: dataset_id, Model.kind: model_kind}
    filters = [column == value for column, value in columns.items() if value is not None]
    wanted = Asked(caller, page_of, order_by, total, name, fields, filters)
    with store.database.reading() as session:
        rows, rest = wanted.read(session, Model, ORDERS, [BRIEF_MODEL] if view == "brief" else [])
        if view == "brief":
            return CountedListing[ModelSummary](items=[model_summary(row) for row in rows], **rest)
        return CountedListing[ModelResource](items=[model_resource(row) for row in rows], **rest)


@router.get("/{model_id}", responses=problems(404))
def get_model(store: StoreOf, caller: Reader, model_id: str) -> ModelResource:
    """One model: what it was trained on and with, and what it takes."""
    with store.database.reading() as session:
        return model_resource(models.get(session, model_id, caller.sees))


@router.delete("/{model_id}", status_code=204, responses=problems(404))
def delete_model(store: StoreOf, caller: Writer, model_id: str) -> Response:
    """Forget a model; the job that made it stays."""
    with store.database.transaction() as session:
        models.delete(session, store.files, models.get(session, model_id, caller.sees))
    return Response(status_code=204)


@router.post("/{model_id}/predict", responses=problems(404, 413))
@works_on("predictions")
def predict(
    store: StoreOf,
    caller: Reader,
    model_id: str,
    request: Annotated[RecordsRequest | TableRequest, ByFields(), Body(openapi_examples=EXAMPLES)],
) -> PredictionsResource:
    """Predict raw, unscaled rows: cells as JSON has them, or text, which is read as that of the file was (the model's
    `inputs` say how); images and vectors as arrays. A record may carry other columns of the model's dataset, such as the
    target; they are not read. A category that has no feature of its own is none of those known, or `other` where the model
    has that feature. The answer's warnings tell both.
    """
    with store.database.reading() as session:
        model = models.get(session, model_id, caller.sees)
        predictor, others = predictors.of_model(session, store.files, model), models.columns_of_table(model)
    _refuse_too_much(store, predictor, len(request.records if isinstance(request, RecordsRequest) else request.data))
    given = request.records if isinstance(request, RecordsRequest) else _records(request)
    records = predictors.read_records(model, predictor, given)
    try:
        columns = columns_of(predictor.features, records, others)
    except UnusableData as error:
        raise (error if isinstance(request, RecordsRequest) else _in_table(error, request)) from None
    found = predictor.predict(columns)
    probabilities = None if found.by_name is None else by_row(found.by_name)
    told = unread(predictor.features, records) + notices(unseen(predictor.features, records))
    warnings = spoken(told)
    return PredictionsResource(
        model_id=model_id,
        predictions=found.values,
        probabilities=probabilities,
        distances=None if found.distances is None else found.distances.tolist(),
        warnings=warnings,
    )


def _refuse_too_much(store: Store, predictor: Predictor, rows: int) -> None:
    refuse_too_much(store.settings.max_work, "", "send fewer rows a call", work_of_predictions(predictor, rows))


def _records(request: TableRequest) -> list[dict[str, Any]]:
    if len(set(request.columns)) < len(request.columns):
        place = next(place for place, name in enumerate(request.columns) if name in request.columns[:place])
        raise UnreadableFile(f"column '{request.columns[place]}' is named twice; name it once", f"/columns/{place}")
    for row, cells in enumerate(request.data):
        if len(cells) != len(request.columns):
            detail = f"row {row} has {len(cells)} cells for {len(request.columns)} columns; give one a column"
            raise UnreadableFile(detail, f"/data/{row}")
    return [dict(zip(request.columns, cells, strict=True)) for cells in request.data]


def _in_table(error: UnusableData, request: TableRequest) -> UnusableData:
    """The same problems, pointing into lists: at a cell, a name, or the names where one is wanting."""
    places = {pointer(name): place for place, name in enumerate(request.columns)}
    errors: dict[str, str] = {}
    for at, detail in error.errors:
        row, name = at.removeprefix("/records/").split("/", 1)
        place = places.get("/" + name)
        if place is None:
            errors.setdefault("/columns", detail)
        else:
            errors.setdefault(f"/columns/{place}" if "knows no column" in detail else f"/data/{row}/{place}", detail)
    return UnusableData(errors.items())
