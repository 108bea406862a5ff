"""Datasets and samples."""

import inspect
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

import numpy as np
import polars as pl
from fastapi import APIRouter, Body, Depends, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue

from engine.catalog import schema_in
from engine.spec import kind_of, members
from engine.tables.correlation import correlation_matrix, strongest
from engine.tables.features import Column, ColumnKind, pointer
from engine.tables.samples import Sample
from service.caching import identify
from service.capacity import capacity_of
from service.compression import AS_IT_IS
from service.dependencies import IdempotencyKey, PageOf, Reader, StoreOf, Writer, once
from service.language import language, spoken, translation
from service.lists import ORDERED, Asked, NameHolds, Total, View
from service.negotiation import TABLE_TYPES, accepted
from service.remedies import advised
from service.resources import BRIEF_DATASET, dataset_resource, dataset_summary, listing
from service.responses import BINARY, problems
from service.routing import Route, works_on
from service.schemas.common import CountedListing, Listing, Notice
from service.schemas.datasets import (
    ColumnResource,
    Correlations,
    DatasetPreview,
    DatasetResource,
    DatasetSummary,
    Histogram,
    RowsPage,
    SampleResource,
)
from service.uploads import OPTIONS, UPLOAD_SCHEMA, FileUpload, SampleRequest, Upload, folder_of, read_upload
from service.work import refuse_too_much
from store import datasets
from store.connections import Store
from store.corrections import Corrected, Wanted, correct, prepare
from store.database import fold, to_json
from store.described import Correction
from store.errors import NotFound, StoreError, UnreadableFile
from store.ingestion import READERS
from store.keys import Caller
from store.mending import mend
from store.readings.options import names_in
from store.tables import Dataset

READ_SCHEMA: JsonSchemaValue = {
    "type": "object",
    "additionalProperties": False,
    "description": "the upload's form fields, null for one that is to be found out again",
    "properties": {name: field for name, field in OPTIONS.json_schema()["properties"].items() if name != "columns"},
}
MOST_CORRELATED = 500
"""Columns that are correlated each with each."""
MOST_SPREAD = 100
"""Columns whose histograms come at once."""
TEXT_FORMATS = frozenset({"arff", "csv", "json", "jsonl", "tsv"})
"""Formats of original files that are plain text."""
router = APIRouter(prefix="/v1", tags=["datasets"], route_class=Route)
DatasetOrder = Literal["created_at", "-created_at", "name", "-name", "rows", "-rows", "bytes", "-bytes"]
ORDERS: dict[str, Any] = {"name": fold(Dataset.name), "rows": Dataset.rows, "bytes": Dataset.size}
FORMULA = r"^[=+\-@\t\r]"
"""What a spreadsheet takes for the beginning of a formula."""


SAMPLES: dict[str, Any] = {
    "iris": {"summary": "A table of flowers", "value": {"sample": "iris"}},
    "blobs": {"summary": "Clouds of points", "value": {"sample": {"kind": "blobs", "centers": 4}, "name": "four clouds"}},
}


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
            return await run_in_threadpool(_from_sample, store, caller, upload, idempotency_key)
    async with capacity_of(request).turn("files"):
        return await run_in_threadpool(from_files, store, caller, upload, idempotency_key)


@router.post("/samples", status_code=201, response_model=DatasetResource, responses=problems())
@works_on("tables")
def create_sample(
    store: StoreOf,
    caller: Writer,
    request: Annotated[SampleRequest, Body(openapi_examples=SAMPLES)],
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Make a dataset of a built-in sample or generator; GET /v1/samples lists them with their parameters."""
    return _from_sample(store, caller, request, idempotency_key)


def _from_sample(store: Store, caller: Caller, request: SampleRequest, key: str | None) -> JSONResponse:
    source = request.model_dump(mode="json")["sample"]
    with once(store, caller, key, "/v1/datasets", request.model_dump(mode="json")) as answer:
        if answer.answer is None:
            table = datasets.sample_table(request.sample)
            content = table.write_csv().encode()
            name = request.name or request.sample.kind
            with store.database.transaction() as session:
                made = {"kind": "sample", "sample": source}
                dataset = datasets.create(session, store.files, caller.owner, name, made, content, table)
                session.refresh(dataset, ["created_at"])  # what the database has set
                answer.give(session, 201, f"/v1/datasets/{dataset.id}", dataset_resource(dataset).document())
    return answer.response


def from_files(store: Store, caller: Caller, upload: FileUpload, key: str | None) -> JSONResponse:
    """Read the files in a process of their own, and store them as one dataset."""
    with once(store, caller, key, "/v1/datasets", upload.fingerprint()) as answer:
        if answer.answer is None:
            files = [(file.path, name) for name, file in upload.files]
            found = READERS.read(store.settings, files, upload.format, upload.options, upload.folder)
            source = {"kind": "upload", "filename": upload.filename, **found.source, "given": upload.given}
            content = upload.original()
            with store.database.transaction() as session:
                name = upload.name or upload.filename
                dataset = datasets.create_ingested(session, store.files, caller.owner, name, source, content, found)
                session.refresh(dataset, ["created_at"])  # what the database has set
                answer.give(session, 201, f"/v1/datasets/{dataset.id}", dataset_resource(dataset).document())
            mend(store.settings, store.database, store.files, dataset.digest, upload.folder)
    return answer.response


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


class ColumnCorrection(BaseModel):
    """What a column really is."""

    model_config = ConfigDict(extra="forbid", strict=True)
    name: str
    kind: ColumnKind


class ReadingCorrection(BaseModel):
    """The kinds of some columns, how the file is to be read, or both."""

    model_config = ConfigDict(extra="forbid", strict=True)
    columns: Annotated[list[ColumnCorrection], Field(max_length=1_000_000)] = Field(default_factory=list)
    read: Annotated[dict[str, Any], WithJsonSchema(READ_SCHEMA)] | None = None

    def wanted(self) -> Wanted:
        columns = [Correction(entry.name, entry.kind, place) for place, entry in enumerate(self.columns)]
        return Wanted(columns, self.read)


class DatasetCorrection(ReadingCorrection):
    """A new name, the kinds of some columns, how the file is to be read, or several of these."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None


CORRECTION: dict[str, Any] = {
    "kinds": {"summary": "A code that is no quantity", "value": {"columns": [{"name": "zip", "kind": "categorical"}]}},
    "read": {"summary": "Read the file anew", "value": {"read": {"decimal": ",", "missing": "-,-999"}}},
    "name": {"summary": "Another name", "value": {"name": "flowers"}},
}
PREVIEW: dict[str, Any] = {name: CORRECTION[name] for name in ("read", "kinds")}


@router.patch("/datasets/{dataset_id}", responses=problems(404, 409, 413))
@works_on("files")
def correct_dataset(
    store: StoreOf,
    caller: Writer,
    dataset_id: str,
    correction: Annotated[DatasetCorrection, Body(openapi_examples=CORRECTION)],
) -> DatasetResource:
    """Correct the kinds of columns, how the file is read, or the dataset's name. A column that is corrected to words takes
    the file's own text; with `read`, which has the names of the upload's form fields and changes those given there, all of
    the file is read anew. Statistics and warnings are made anew; a kind that a cell does not fit is refused with its row.
    Refused, too, while a job reads the dataset; jobs and models that are done keep what they were trained with and on.
    """
    wanted, found = correction.wanted(), None
    with folder_of(store) as folder, _within_read(correction.read):
        with store.database.reading() as session:
            before = datasets.get(session, dataset_id, caller.sees)
            if wanted != Wanted([]):
                make = prepare(session, store.settings, store.files, before, wanted, Path(folder))
        if wanted != Wanted([]):
            found = make()  # all of it before the database's one writer is held up
        with store.database.transaction() as session:
            dataset = datasets.get(session, dataset_id, caller.sees)
            if found is not None:
                correct(session, store.files, dataset, before, found)
            if correction.name is not None:
                dataset.name = correction.name
            session.flush()
            return dataset_resource(dataset)


@router.post("/datasets/{dataset_id}/preview", responses=problems(404, 413))
@works_on("files")
def preview_correction(
    store: StoreOf,
    caller: Reader,
    dataset_id: str,
    correction: Annotated[ReadingCorrection, Body(openapi_examples=PREVIEW)],
    limit: Annotated[int, Query(ge=1, le=1000, description="rows to show")] = 20,
) -> DatasetPreview:
    """What a correction would make of a dataset, with its first rows: all of the file is read so, and nothing is stored. An
    empty body shows the dataset as it is.
    """
    wanted = correction.wanted()
    with folder_of(store) as folder, _within_read(correction.read):
        with store.database.reading() as session:
            dataset = datasets.get(session, dataset_id, caller.sees)
            table = datasets.load(session, store.files, dataset) if correction.read is None else None
            make = None
            if wanted != Wanted([]):
                make = prepare(session, store.settings, store.files, dataset, wanted, Path(folder))
        found = dataset if make is None else make()
        content = found.table if isinstance(found, Corrected) else None
        if content is not None:
            table = datasets.opened(content.path)
        assert table is not None
        first = table.head(limit)
        cells = {"numbers": first.height * _numbers_a_row(first)}
        refuse_too_much(store.settings.max_work, "/query/limit", "ask for fewer rows", cells)
        return DatasetPreview(
            source=found.source,
            rows=found.rows,
            column_count=len(found.columns),
            columns=[ColumnResource(**column) for column in found.columns],
            warnings=spoken(advised(found.warnings)),
            preview=_rows_page(first, 0, table.height),
        )


@contextmanager
def _within_read(read: dict[str, Any] | None) -> Iterator[None]:
    """Have what is wrong with a field of `read` point at it, as where the same is said of an upload's form."""
    try:
        yield
    except ValidationError as error:
        errors = [{**entry, "loc": ("body", "read", *entry["loc"])} for entry in error.errors(include_url=False)]
        raise RequestValidationError(errors, body={"read": read}) from None
    except StoreError as error:
        fields = [pointer(name) for name in read or ()]
        error.errors = [(f"/read{at}" if at in fields else at, detail) for at, detail in error.errors]
        raise


@router.get("/datasets/{dataset_id}/warnings", responses=problems(404))
@works_on("tables")
def get_warnings(
    store: StoreOf,
    caller: Reader,
    dataset_id: str,
    target: Annotated[str | None, Query(description="a column to be learned from the others")] = None,
) -> Listing[Notice]:
    """What is worth a look before training: the dataset's own warnings and, with a target, what gives it away (a column
    that determines it) and classes out of balance.
    """
    with store.database.reading() as session:
        dataset = datasets.get(session, dataset_id, caller.sees)
        table = datasets.load(session, store.files, dataset) if target is not None else None
    warnings = list(dataset.warnings)
    if table is not None and target is not None:
        _known(dataset, target, "/query/target")
        if datasets.summaries(dataset)[target].shape:
            raise UnreadableFile(f"column '{target}' holds arrays, which no model here predicts", "/query/target")
        warnings = datasets.findings_of_target(table, dataset, target) + warnings
    return Listing(**listing(spoken(advised(warnings)), None))


def _known(dataset: Dataset, name: str, pointer: str) -> None:
    names = [column["name"] for column in dataset.columns]
    if name not in names:
        raise NotFound(f"no column '{name}'; there are {', '.join(names[:20])}", pointer)


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
            _known(dataset, name, "/query/columns")
        identify(request, "rows", dataset.table_digest, offset, limit, names, every, media_type)
        table = datasets.load(session, store.files, dataset)
    chosen = table if names is None else table.select(names)
    stretch = chosen.slice(offset, limit * every).gather_every(every) if every > 1 else chosen.slice(offset, limit)
    cells = {"numbers": stretch.height * _numbers_a_row(stretch)}
    refuse_too_much(store.settings.max_work, "/query/limit", "ask for fewer rows, or take /content", cells)
    if media_type == "text/csv":
        return Response(_spreadsheet(stretch), media_type="text/csv")
    return _rows_page(stretch, offset, table.height)


def _rows_page(stretch: pl.DataFrame, offset: int, total: int) -> RowsPage:
    rows = [list(row) for row in stretch.iter_rows()]
    return RowsPage(columns=stretch.columns, rows=rows, offset=offset, total=total)


def _numbers_a_row(table: pl.DataFrame) -> int:
    """One a column, and of arrays as many as they hold."""
    shapes = (kind.shape if isinstance(kind, pl.Array) else () for kind in table.dtypes)
    return sum(math.prod(shape) for shape in shapes)


def _spreadsheet(table: pl.DataFrame) -> bytes:
    """The table as CSV, arrays as JSON, formulas escaped as OWASP advises (CSV injection)."""
    columns = []
    for column in table.iter_columns():
        if isinstance(column.dtype, pl.Array):
            column = pl.Series(column.name, [cell if cell is None else to_json(cell) for cell in column.to_list()], pl.String)
        if column.dtype == pl.String:
            column = column.str.replace(FORMULA, "'$0")
        columns.append(column)
    names = [f"'{name}" if re.match(FORMULA, name) else name for name in table.columns]
    return pl.DataFrame(columns).rename(dict(zip(table.columns, names, strict=True))).write_csv().encode()


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
    names = _numeric(dataset, names_in(columns) if columns else None)
    if target is not None:
        _numeric(dataset, [target], "/query/target")
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


def _numeric(dataset: Dataset, wanted: list[str] | None, pointer: str = "/query/columns") -> list[str]:
    """The columns asked for, which must hold numbers. Raises NotFound or UnreadableFile."""
    kinds = {column["name"]: column["kind"] for column in dataset.columns}
    numeric = [name for name, kind in kinds.items() if kind in ("numeric", "integer", "boolean")]
    names = wanted or numeric
    for name in names:
        if name not in kinds:
            _known(dataset, name, pointer)
        if kinds[name] not in ("numeric", "integer", "boolean"):
            raise UnreadableFile(f"column '{name}' holds no numbers; choose among {', '.join(numeric[:20])}", pointer)
    if not names:
        raise UnreadableFile("no column of this dataset holds numbers", pointer)
    return names


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
    names = _numeric(dataset, [column], "/query/column")
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
        names = _numeric(dataset, names_in(columns)) if columns else _numeric(dataset, None)[:MOST_SPREAD]
        if len(names) > MOST_SPREAD:
            raise UnreadableFile(f"{len(names)} columns are named; name at most {MOST_SPREAD}", "/query/columns")
        identify(request, "histograms", dataset.table_digest, [_kind_of(dataset, name) for name in names], names, bins)
        table = datasets.load(session, store.files, dataset)
    looked_at = {"values": len(names) * table.height}
    refuse_too_much(store.settings.max_work, "/query/columns", "name fewer columns", looked_at)
    items = [_histogram(column, bins) for column in datasets.each_column(table, dataset, names)]
    return Listing(**listing(items, None))


def _kind_of(dataset: Dataset, name: str) -> str:
    return str(next(column["kind"] for column in dataset.columns if column["name"] == name))


def _histogram(column: Column, bins: int) -> Histogram:
    present = column.values[~np.isnan(column.values)]
    counts, edges = np.histogram(present, bins)
    missing = len(column.values) - len(present)
    return Histogram(column=column.name, edges=edges.tolist(), counts=counts.tolist(), missing=missing)


@router.delete("/datasets/{dataset_id}", status_code=204, responses=problems(404, 409))
def delete_dataset(store: StoreOf, caller: Writer, dataset_id: str) -> Response:
    """Forget a dataset; refused while a job reads it. Models trained on it stay."""
    with store.database.transaction() as session:
        datasets.delete(session, store.files, datasets.get(session, dataset_id, caller.sees))
    return Response(status_code=204)


@router.get("/samples", responses=problems())
def list_samples(caller: Reader) -> Listing[SampleResource]:
    """The built-in sets and generators, with the JSON Schema of their parameters; texts by Accept-Language."""
    translated = translation(language())
    items = [
        SampleResource(
            kind=kind_of(cls),
            title=translated(cls.heading()),  # type: ignore[attr-defined]
            summary=translated(cls.summary()),  # type: ignore[attr-defined]
            description=translated(inspect.cleandoc(cls.__doc__ or "")),
            formula=cls.formula,  # type: ignore[attr-defined]
            source=cls.source or None,  # type: ignore[attr-defined]
            parameters=schema_in(TypeAdapter(cls).json_schema(), translated),
        )
        for cls in members(Sample)
    ]
    return Listing(**listing(items, None))
