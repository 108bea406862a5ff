"""Datasets and samples."""

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import numpy as np
from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import FileResponse, JSONResponse
from pydantic import TypeAdapter

from engine.correlation import correlation_matrix
from engine.samples import Sample
from engine.spec import kind_of, members
from service.dependencies import IdempotencyKey, PageOf, Reader, Store, StoreOf, Writer, once
from service.resources import dataset_resource, listing
from service.responses import problems
from service.schemas import Correlations, DatasetResource, Histogram, Listing, RowsPage, SampleResource
from service.uploads import UPLOAD_SCHEMA, FileUpload, SampleRequest, Upload, read_upload
from store import datasets
from store.errors import NotFound, UnreadableFile
from store.ingestion import READERS
from store.keys import Caller
from store.pages import owned, page
from store.tables import Dataset

router = APIRouter(prefix="/v1", tags=["datasets"])


@router.post(
    "/datasets",
    status_code=201,
    response_model=DatasetResource,
    responses=problems(409, 413, 415),
    openapi_extra=UPLOAD_SCHEMA,
)
def create_dataset(
    store: StoreOf,
    caller: Writer,
    upload: Annotated[Upload, Depends(read_upload)],
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Upload a file, or take a built-in sample: it is read, profiled and stored at once."""
    if isinstance(upload, SampleRequest):
        return _from_sample(store, caller, upload, idempotency_key)
    return from_files(store, caller, upload, idempotency_key)


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
                session.refresh(dataset)
                answer.give(session, 201, f"/v1/datasets/{dataset.id}", dataset_resource(dataset).document())
    return answer.response


def from_files(store: Store, caller: Caller, upload: FileUpload, key: str | None) -> JSONResponse:
    """Read the files in a process of their own, and store them as one dataset."""
    with once(store, caller, key, "/v1/datasets", upload.fingerprint()) as answer:
        if answer.answer is None:
            files = [(file.path, name) for name, file in upload.files]
            found = READERS.read(store.settings, files, upload.format, upload.options, upload.folder)
            source = {"kind": "upload", "filename": upload.filename, **found.source}
            content = upload.original()
            with store.database.transaction() as session:
                name = upload.name or upload.filename
                dataset = datasets.create_ingested(session, store.files, caller.owner, name, source, content, found)
                session.refresh(dataset)
                answer.give(session, 201, f"/v1/datasets/{dataset.id}", dataset_resource(dataset).document())
    return answer.response


@router.get("/datasets", responses=problems())
def list_datasets(store: StoreOf, caller: Reader, page_of: PageOf) -> Listing[DatasetResource]:
    """The datasets, newest first."""
    with store.database.reading() as session:
        rows, token = page(session, Dataset, owned(Dataset, caller.sees), page_of.size, page_of.token)
        return Listing(**listing([dataset_resource(row) for row in rows], token))


@router.get("/datasets/{dataset_id}", responses=problems(404))
def get_dataset(store: StoreOf, caller: Reader, dataset_id: str) -> DatasetResource:
    """One dataset with its profile."""
    with store.database.reading() as session:
        return dataset_resource(datasets.get(session, dataset_id, caller.sees))


@router.get("/datasets/{dataset_id}/rows", responses=problems(404))
def get_rows(
    store: StoreOf,
    caller: Reader,
    dataset_id: str,
    offset: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
) -> RowsPage:
    """A stretch of the table; a missing cell is null."""
    with store.database.reading() as session:
        dataset = datasets.get(session, dataset_id, caller.sees)
        table = datasets.load(session, store.files, dataset)
    rows = [list(row) for row in table.slice(offset, limit).iter_rows()]
    return RowsPage(columns=table.columns, rows=rows, offset=offset, total=table.height)


@router.get("/datasets/{dataset_id}/content", response_class=Response, responses=problems(404))
def get_content(store: StoreOf, caller: Reader, dataset_id: str) -> Response:
    """The original bytes: the file as it came, or the several ones in a ZIP archive; a sample as CSV."""
    with store.database.reading() as session:
        dataset = datasets.get(session, dataset_id, caller.sees)
        content = store.files.locate(session, dataset.digest)
    if isinstance(content, Path):
        return FileResponse(content, media_type="application/octet-stream", filename=_filename(dataset))
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(_filename(dataset), safe='')}"}
    return Response(content, media_type="application/octet-stream", headers=headers)


def _filename(dataset: Dataset) -> str:
    if "files" in dataset.source:
        return f"{dataset.id}.zip"
    return str(dataset.source.get("filename", f"{dataset.id}.csv"))


@router.get("/datasets/{dataset_id}/correlations", responses=problems(404))
def get_correlations(
    store: StoreOf,
    caller: Reader,
    dataset_id: str,
    columns: Annotated[str | None, Query(description="comma-separated; all that hold numbers by default")] = None,
) -> Correlations:
    """How pairs of columns go together, from -1 to 1."""
    with store.database.reading() as session:
        dataset = datasets.get(session, dataset_id, caller.sees)
        table = datasets.load(session, store.files, dataset)
    names = _numeric(dataset, list(dict.fromkeys(columns.split(","))) if columns else None)
    X = np.stack([column.values for column in datasets.columns(table, dataset, names).values()], axis=1)
    matrix = [[None if np.isnan(rho) else rho for rho in row] for row in correlation_matrix(X).tolist()]
    return Correlations(columns=names, matrix=matrix)


def _numeric(dataset: Dataset, wanted: list[str] | None) -> list[str]:
    """The columns asked for, which must hold numbers. Raises NotFound or UnreadableFile."""
    kinds = {column["name"]: column["kind"] for column in dataset.columns}
    numeric = [name for name, kind in kinds.items() if kind in ("numeric", "integer", "boolean")]
    names = wanted or numeric
    for name in names:
        if name not in kinds:
            raise NotFound(f"no column '{name}'; there are {', '.join(kinds)}", "/query/columns")
        if name not in numeric:
            raise UnreadableFile(f"column '{name}' holds no numbers; choose among {', '.join(numeric)}", "/query/columns")
    if not names:
        raise UnreadableFile("no column of this dataset holds numbers", "/query/columns")
    return names


@router.get("/datasets/{dataset_id}/histogram", responses=problems(404))
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
    values = datasets.columns(table, dataset, _numeric(dataset, [column]))[column].values
    present = values[~np.isnan(values)]
    counts, edges = np.histogram(present, bins)
    return Histogram(column=column, edges=edges.tolist(), counts=counts.tolist(), missing=len(values) - len(present))


@router.delete("/datasets/{dataset_id}", status_code=204, responses=problems(404, 409))
def delete_dataset(store: StoreOf, caller: Writer, dataset_id: str) -> Response:
    """Forget a dataset; refused while a job reads it. Models trained on it stay."""
    with store.database.transaction() as session:
        datasets.delete(session, store.files, datasets.get(session, dataset_id, caller.sees))
    return Response(status_code=204)


@router.get("/samples", responses=problems())
def list_samples(caller: Reader) -> Listing[SampleResource]:
    """The built-in sets and generators, with the JSON Schema of their parameters."""
    items = [
        SampleResource(
            kind=kind_of(cls),
            summary=cls.summary(),  # type: ignore[attr-defined]
            source=cls.source or None,  # type: ignore[attr-defined]
            parameters=TypeAdapter(cls).json_schema(),
        )
        for cls in members(Sample)
    ]
    return Listing(**listing(items, None))
