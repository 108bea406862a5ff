"""What predictions rest on: changes of a row, the dependence on a feature, importances and contributions."""

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response

from engine.errors import within
from engine.glass import contributions, dependence, importance, what_if
from service.asked_rows import Split
from service.caching import identify
from service.dependencies import Reader, ResourceResponse, StoreOf
from service.explanations import ModelOnTable, Rows, contributions_of, dependence_of, importance_of
from service.language import spoken
from service.responses import answering
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
EXAMPLES: Any = {"flower": {"summary": "A narrower petal", "value": {"row": 72, "changes": {"petal_width": 1.2}}}}
WHAT_IF: Any = {
    "job_id": "job_01937b2e",
    "epoch": 30,
    "row": 72,
    "split": "validation",
    "target": "versicolor",
    "changes": [{"column": "petal_width", "before": 1.5, "after": 1.2}],
    "before": {
        "prediction": "virginica",
        "probabilities": {"setosa": 0.002, "versicolor": 0.399, "virginica": 0.599},
        "distances": None,
        "loss": 0.918,
    },
    "after": {
        "prediction": "versicolor",
        "probabilities": {"setosa": 0.003, "versicolor": 0.842, "virginica": 0.156},
        "distances": None,
        "loss": 0.172,
    },
    "difference": {"setosa": 0.001, "versicolor": 0.442, "virginica": -0.443},
    "formula": what_if.FORMULA,
    "warnings": [],
}
ROWS = {"model_id": "mdl_01937b2e", "split": "validation", "rows": 30, "of_rows": 30, "seed": 0}
DEPENDENCE: Any = {
    **ROWS,
    "feature": "petal_width",
    "kind": "numeric",
    "values": [0.1, 1.3, 2.5],
    "of": "probability",
    "averages": {"setosa": [0.363, 0.303, 0.192], "versicolor": [0.633, 0.552, 0.12], "virginica": [0.004, 0.145, 0.688]},
    "formula": dependence.FORMULA,
    "source": dependence.SOURCE,
}
IMPORTANCE: Any = {
    **ROWS,
    "metric": "accuracy",
    "better": "higher",
    "value": 0.933,
    "repeats": 3,
    "columns": [{"column": "petal_length", "importance": 0.256, "std": 0.016, "losses": [0.267, 0.267, 0.233]}],
    "formula": importance.FORMULA,
    "source": importance.SOURCE,
}
CONTRIBUTIONS: Any = {
    "model_id": "mdl_01937b2e",
    "row": 5,
    "split": "train",
    "target": 6.5,
    "prediction": 6.64,
    "probabilities": None,
    "outputs": {"weight": {"bias": 4.827, "mean_output": 6.64, "output": 6.64}},
    "features": [
        {
            "feature": "months",
            "column": "months",
            "value": 6.0,
            "mean": 6.0,
            "weights": {"weight": 0.302},
            "contributions": {"weight": 1.813},
            "from_mean": {"weight": 0.0},
        }
    ],
    "formulas": {"contributions": {"formula": contributions.FORMULA, "source": None}},
}
OfSplit = Annotated[Split | None, Query(description="test, else validation, else train")]
MostRows = Annotated[int, Query(ge=1, le=100_000, description="of a larger split, so many rows are drawn by the seed")]
Seed = Annotated[int, Query(ge=0, lt=2**53, description="draws the rows")]


@router.post("/jobs/{job_id}/what_if", response_model=WhatIf, responses=answering(WHAT_IF, 410, 413))
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


@router.get("/models/{model_id}/dependence", response_model=DependenceResource, responses=answering(DEPENDENCE))
@works_on("computations")
def get_dependence(
    request: Request,
    store: StoreOf,
    caller: Reader,
    model_id: str,
    feature: Annotated[str, Query(description="a column that the model reads")],
    points: Annotated[
        int, Query(ge=2, le=1000, description="values to try, evenly over the range of a column that has more different ones")
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


@router.get("/models/{model_id}/importance", response_model=ImportanceResource, responses=answering(IMPORTANCE))
@works_on("computations")
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


@router.get("/models/{model_id}/contributions", response_model=ContributionsResource, responses=answering(CONTRIBUTIONS))
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
