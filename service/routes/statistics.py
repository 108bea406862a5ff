"""Statistics of a dataset: correlations, two columns beside each other, and histograms."""

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Request

from engine.errors import within
from engine.tables.correlation import correlation_matrix, strongest
from engine.tables.features import Column
from service.caching import identify
from service.dependencies import Reader, StoreOf
from service.examples import RELATION
from service.relations import relation_of
from service.resources import listing
from service.responses import answering, problems
from service.routing import Route, works_on
from service.rows import kind_of_column, numeric_columns
from service.schemas.datasets import Correlations, Histogram
from service.schemas.parts import Listing
from service.schemas.relations import RelationResource
from service.work import refuse_too_much
from store import datasets
from store.errors import UnreadableFile
from store.readings.options import names_in

router = APIRouter(prefix="/v1", tags=["datasets"], route_class=Route)
MOST_CORRELATED = 500
"""Columns that are correlated each with each."""
MOST_SPREAD = 100
"""Columns whose histograms come at once."""


@router.get("/datasets/{dataset_id}/correlations", responses=problems(404))
@works_on("tables")
def get_correlations(
    store: StoreOf,
    caller: Reader,
    dataset_id: str,
    columns: Annotated[
        str | None, Query(description="comma-separated, or a JSON list; all that hold numbers by default")
    ] = None,
    target: Annotated[
        str | None, Query(description="a column of numbers: it comes first, then those that go with it most, either way")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_CORRELATED, description="with a target: at most so many columns beside it")] = 50,
) -> Correlations:
    """How pairs of columns go together, from -1 to 1. A table too large for every pair at once is refused; with a target
    the columns that go with it most are found among all.
    """
    with store.database.reading() as session:
        dataset = datasets.get(session, dataset_id, caller.sees)
        table = datasets.load(session, store.files, dataset)
    names = numeric_columns(dataset, names_in(columns) if columns else None, "/query/columns")
    if target is not None:
        numeric_columns(dataset, [target], "/query/target")
        others = [name for name in names if name != target]
        looked_at = {"values": (1 + len(others)) * table.height}
        refuse_too_much(store.settings.max_work, "/query/columns", "name some in columns", looked_at)
        values = (column.values for column in datasets.each_column(table, dataset, (target, *others)))
        chosen = strongest(next(values), values, limit)
        names = [target, *(others[place] for place in chosen)]
        left_out = len(others) - len(chosen)
    else:
        left_out = 0
    remedy = "name some in columns, or a target to see what goes with it most"
    if len(names) > MOST_CORRELATED:
        detail = f"{len(names)} columns of {table.height} rows are too many to correlate each with each; {remedy}"
        raise UnreadableFile(detail, "/query/columns")
    pairs = {"correlated products": len(names) ** 2 * table.height}
    refuse_too_much(store.settings.max_work, "/query/columns", remedy, pairs)
    X = [column.values for column in datasets.columns(table, dataset, names).values()]
    matrix = [[None if np.isnan(rho) else rho for rho in row] for row in correlation_matrix(X).tolist()]
    return Correlations(columns=names, matrix=matrix, left_out=left_out)


@router.get("/datasets/{dataset_id}/relation", responses=answering(RELATION))
@works_on("tables")
def get_relation(
    store: StoreOf,
    caller: Reader,
    dataset_id: str,
    x: Annotated[str, Query(description="a column that holds numbers", examples=["months"])],
    y: Annotated[str, Query(description="another such column", examples=["weight"])],
    points: Annotated[
        int, Query(ge=2, le=10_000, description="about so many rows are shown; all of them count in every other number")
    ] = 1000,
) -> RelationResource:
    """Two columns beside each other: their correlation, the regression line of each on the other, and of each row its residual,
    its leverage and Cook's distance. The lines are those of linear_regression; they are one line only where rho is 1 or -1.
    """
    with within("query"):
        return relation_of(store, caller, dataset_id, x, y, points)


@router.get("/datasets/{dataset_id}/histogram", responses=problems(404))
@works_on("tables")
def get_histogram(
    store: StoreOf,
    caller: Reader,
    dataset_id: str,
    column: Annotated[str, Query(description="a column that holds numbers")],
    bins: Annotated[int, Query(ge=1, le=1000)] = 30,
) -> Histogram:
    """How a column's numbers are spread, over bins of one width."""
    with store.database.reading() as session:
        dataset = datasets.get(session, dataset_id, caller.sees)
        table = datasets.load(session, store.files, dataset)
    names = numeric_columns(dataset, [column], "/query/column")
    refuse_too_much(
        store.settings.max_work, "/query/column", "whoever runs the server can raise the limit", {"values": table.height}
    )
    (found,) = datasets.each_column(table, dataset, names)
    return _histogram(found, bins)


@router.get("/datasets/{dataset_id}/histograms", responses=problems(404))
@works_on("tables")
def get_column_histograms(
    request: Request,
    store: StoreOf,
    caller: Reader,
    dataset_id: str,
    columns: Annotated[
        str | None,
        Query(description=f"comma-separated, or a JSON list; the first {MOST_SPREAD} that hold numbers by default"),
    ] = None,
    bins: Annotated[int, Query(ge=1, le=1000)] = 30,
) -> Listing[Histogram]:
    """How the numbers of several columns are spread, each over bins of one width."""
    with store.database.reading() as session:
        dataset = datasets.get(session, dataset_id, caller.sees)
        names = numeric_columns(dataset, names_in(columns) if columns else None, "/query/columns")
        names = names if columns else names[:MOST_SPREAD]
        if len(names) > MOST_SPREAD:
            raise UnreadableFile(f"{len(names)} columns are named; name at most {MOST_SPREAD}", "/query/columns")
        identify(request, "histograms", dataset.table_digest, [kind_of_column(dataset, name) for name in names], names, bins)
        table = datasets.load(session, store.files, dataset)
    looked_at = {"values": len(names) * table.height}
    refuse_too_much(store.settings.max_work, "/query/columns", "name fewer columns", looked_at)
    items = [_histogram(column, bins) for column in datasets.each_column(table, dataset, names)]
    return Listing(**listing(items, None))


def _histogram(column: Column, bins: int) -> Histogram:
    present = column.values[~np.isnan(column.values)]
    counts, edges = np.histogram(present, bins)
    missing = len(column.values) - len(present)
    return Histogram(column=column.name, edges=edges.tolist(), counts=counts.tolist(), missing=missing)
