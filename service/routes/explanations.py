"""What predictions rest on: changes of a row, the dependence on a feature, importances and contributions."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response

from engine.errors import within
from service.asked_rows import Split
from service.caching import identify
from service.dependencies import Reader, ResourceResponse, StoreOf
from service.explanations import ModelOnTable, Rows, contributions_of, dependence_of, importance_of
from service.language import spoken
from service.responses import problems
from service.routing import Route, works_on
from service.schemas.explanations import (
    ContributionsResource,
    DependenceResource,
    ImportanceResource,
    WhatIf,
    WhatIfRequest,
)
from service.what_if import what_if_of
from store import models

router = APIRouter(prefix="/v1", tags=["glass box"], route_class=Route)
EXAMPLES: Any = {"flower": {"summary": "A wider petal", "value": {"row": 106, "changes": {"petal_width": 2.1}}}}
OfSplit = Annotated[Split | None, Query(description="test, else validation, else train")]
MostRows = Annotated[int, Query(ge=1, le=100_000, description="of a larger split, so many rows are drawn by the seed")]
Seed = Annotated[int, Query(ge=0, lt=2**53)]


@router.post("/jobs/{job_id}/what_if", response_model=WhatIf, responses=problems(404, 410, 413))
@works_on("tables")
def ask_what_if(
    store: StoreOf, caller: Reader, job_id: str, request: Annotated[WhatIfRequest, Body(openapi_examples=EXAMPLES)]
) -> Response:
    """What a job's weights answer to a row of its dataset, and what they would answer were some of its cells others. Nothing
    is stored.
    """
    found, notices = what_if_of(store, caller, job_id, request)
    found.warnings = spoken(notices)
    return ResourceResponse(found.document())


@router.get("/models/{model_id}/dependence", response_model=DependenceResource, responses=problems(404))
@works_on("tables")
def get_dependence(
    request: Request,
    store: StoreOf,
    caller: Reader,
    model_id: str,
    feature: Annotated[str, Query(description="a column that the model reads")],
    points: Annotated[
        int, Query(ge=2, le=1000, description="of a column of more different numbers: so many over its range")
    ] = 50,
    split: OfSplit = None,
    rows: MostRows = 1000,
    seed: Seed = 0,
) -> Response:
    """Partial dependence: the model's average answer over the rows of a split as one feature takes each of its values in turn
    and the others stay as they are.
    """
    with store.database.reading() as session:
        on = ModelOnTable.of(session, store, models.get(session, model_id, caller.sees))
    identify(request, "dependence", model_id, on.table.digest, feature, points, split, rows, seed)
    with within("query"):
        found = dependence_of(store.settings.max_work, on, feature, points, Rows(split, rows, seed))
    return ResourceResponse(found.document())


@router.get("/models/{model_id}/importance", response_model=ImportanceResource, responses=problems(404))
@works_on("tables")
def get_importance(
    request: Request,
    store: StoreOf,
    caller: Reader,
    model_id: str,
    metric: Annotated[
        str | None, Query(description="of the model's task, as in /evaluation; accuracy, r2 or tag_accuracy by default")
    ] = None,
    repeats: Annotated[int, Query(ge=1, le=100, description="orders that each column is put in")] = 10,
    split: OfSplit = None,
    rows: MostRows = 1000,
    seed: Annotated[int, Query(ge=0, lt=2**53, description="draws the orders, and the rows")] = 0,
) -> Response:
    """Permutation importance: how much worse a metric becomes as the cells of one column change places among the rows of a
    split, for every column that the model reads, the most important first. Columns that tell the same share it.
    """
    with store.database.reading() as session:
        on = ModelOnTable.of(session, store, models.get(session, model_id, caller.sees))
    identify(request, "importance", model_id, on.table.digest, metric, repeats, split, rows, seed)
    with within("query", but="model_id"):
        found = importance_of(store.settings.max_work, on, metric, repeats, Rows(split, rows, seed))
    return ResourceResponse(found.document())


@router.get("/models/{model_id}/contributions", response_model=ContributionsResource, responses=problems(404))
@works_on("tables")
def get_contributions(
    request: Request,
    store: StoreOf,
    caller: Reader,
    model_id: str,
    row: Annotated[int, Query(ge=0, le=2**62, description="of the job's dataset, counted from 0, as /rows does")] = 0,
) -> Response:
    """What each feature adds to the prediction of one row, of a linear model: the weights times the row's values, which with
    the bias add up to it; and the same seen from the mean training row.
    """
    with store.database.reading() as session:
        on = ModelOnTable.of(session, store, models.get(session, model_id, caller.sees))
    identify(request, "contributions", model_id, on.table.digest, row)
    with within("query", but="model_id"):
        found = contributions_of(store.settings.max_work, on, row)
    return ResourceResponse(found.document())
