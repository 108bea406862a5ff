"""The table of a dataset: its rows, its original bytes, and warnings of it."""

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse

from service.caching import identify
from service.compression import AS_IT_IS
from service.dependencies import Reader, StoreOf
from service.language import spoken
from service.negotiation import TABLE_TYPES, accepted
from service.remedies import advised
from service.resources import listing
from service.responses import BINARY, problems
from service.routing import Route, works_on
from service.rows import numbers_a_row, refuse_unknown_column, rows_page, spreadsheet
from service.schemas.datasets import RowsPage
from service.schemas.parts import Listing, Notice
from service.work import refuse_too_much
from store import datasets
from store.errors import UnreadableFile
from store.readings.options import names_in
from store.tables import Dataset

router = APIRouter(prefix="/v1", tags=["datasets"], route_class=Route)
TEXT_FORMATS = frozenset({"arff", "csv", "json", "jsonl", "tsv"})
"""Formats of original files that are plain text."""


@router.get("/datasets/{dataset_id}/warnings", responses=problems(404))
@works_on("tables")
def get_warnings(
    store: StoreOf,
    caller: Reader,
    dataset_id: str,
    target: Annotated[str | None, Query(description="a column to be learned from the others")] = None,
) -> Listing[Notice]:
    """Warnings before training: the dataset's own and, with a target, what gives it away (a column
    that determines it) and classes out of balance.
    """
    with store.database.reading() as session:
        dataset = datasets.get(session, dataset_id, caller.sees)
        table = datasets.load(session, store.files, dataset) if target is not None else None
    warnings = list(dataset.warnings)
    if table is not None and target is not None:
        refuse_unknown_column(dataset, target, "/query/target")
        if datasets.summaries(dataset)[target].shape:
            raise UnreadableFile(f"column '{target}' holds arrays, which no model here predicts", "/query/target")
        warnings = datasets.findings_of_target(table, dataset, target) + warnings
    return Listing(**listing(spoken(advised(warnings)), None))


@router.get(
    "/datasets/{dataset_id}/rows",
    response_model=RowsPage,
    responses={
        200: {"description": "rows; as text/csv, for a spreadsheet", "content": {"text/csv": {"schema": {"type": "string"}}}},
        **problems(404, 406),
    },
)
@works_on("tables")
def get_rows(
    request: Request,
    store: StoreOf,
    caller: Reader,
    dataset_id: str,
    offset: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
    columns: Annotated[str | None, Query(description="comma-separated, or a JSON list; all by default")] = None,
    every: Annotated[int, Query(ge=1, le=2**31, description="take each n-th row only, from the offset on")] = 1,
) -> Any:
    """A stretch of the table; a missing cell is null. As text/csv, words that a spreadsheet would take for a formula begin
    with an apostrophe.
    """
    media_type = accepted(request, TABLE_TYPES)
    with store.database.reading() as session:
        dataset = datasets.get(session, dataset_id, caller.sees)
        names = names_in(columns) if columns else None
        for name in names or ():
            refuse_unknown_column(dataset, name, "/query/columns")
        identify(request, "rows", dataset.table_digest, offset, limit, names, every, media_type)
        table = datasets.load(session, store.files, dataset)
    chosen = table if names is None else table.select(names)
    stretch = chosen.slice(offset, limit * every).gather_every(every) if every > 1 else chosen.slice(offset, limit)
    cells = {"numbers": stretch.height * numbers_a_row(stretch)}
    refuse_too_much(store.settings.max_work, "/query/limit", "ask for fewer rows, or take /content", cells)
    if media_type == "text/csv":
        return Response(spreadsheet(stretch), media_type="text/csv")
    return rows_page(stretch, offset, table.height)


@router.get(
    "/datasets/{dataset_id}/content",
    response_class=Response,
    responses={
        200: {"description": "the bytes", "content": {"application/octet-stream": {"schema": BINARY}}},
        **problems(404),
    },
)
def get_content(request: Request, store: StoreOf, caller: Reader, dataset_id: str) -> Response:
    """The original bytes: the file as it came, or the several ones in a ZIP archive; a sample as CSV."""
    with store.database.reading() as session:
        dataset = datasets.get(session, dataset_id, caller.sees)
        headers = {"ETag": identify(request, dataset.digest)}
        content = datasets.original(session, store.files, dataset)
    if not _is_text(dataset):
        headers |= AS_IT_IS
    if isinstance(content, Path):
        return FileResponse(content, 200, headers, "application/octet-stream", filename=_filename(dataset))
    headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(_filename(dataset), safe='')}"
    return Response(content, media_type="application/octet-stream", headers=headers)


def _is_text(dataset: Dataset) -> bool:
    """Whether the original bytes are plain text, which can be compressed on their way."""
    source = dataset.source
    return source.get("kind") == "sample" or (source.get("format") in TEXT_FORMATS and "packing" not in source)


def _filename(dataset: Dataset) -> str:
    if "files" in dataset.source:
        return f"{dataset.id}.zip"
    return str(dataset.source.get("filename", f"{dataset.id}.csv"))
