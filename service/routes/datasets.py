"""Datasets and samples."""

import hashlib
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from starlette.datastructures import FormData
from starlette.datastructures import UploadFile as Part

from engine.samples import Sample
from engine.spec import kind_of, members
from service.dependencies import IdempotencyKey, Once, PageOf, Reader, Store, StoreOf, Writer, once
from service.responses import problems
from service.schemas import DatasetResource, Listing, RowsPage, SampleResource, dataset_resource, listing
from store import datasets
from store.errors import UnknownFormat, UnreadableFile
from store.formats import FORMATS, read_table
from store.keys import Caller
from store.pages import owned, page
from store.tables import Dataset

router = APIRouter(prefix="/v1", tags=["datasets"])


class SampleRequest(BaseModel):
    """A built-in sample or generator, and a name for the dataset."""

    model_config = ConfigDict(extra="forbid")
    sample: Sample
    name: str | None = None


@dataclass(frozen=True)
class Upload:
    """A file as it came in, spooled by the server, with the form's fields; or a sample."""

    file: Part | None = None
    name: str | None = None
    format: str | None = None
    sample: SampleRequest | None = None


async def read_upload(request: Request) -> AsyncIterator[Upload]:
    """The body, multipart or JSON: the one thing about an upload that has to be asynchronous."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        body = await request.body()
        try:
            yield Upload(sample=SampleRequest.model_validate_json(body))
        except ValidationError as error:
            raise _located(error, body) from None
    elif kind == "multipart/form-data":
        async with request.form(max_files=16, max_fields=16) as form:
            yield _uploaded(form)
    else:
        raise UnknownFormat("send the file as multipart/form-data in a part named 'file', or a sample as application/json")


def _uploaded(form: FormData) -> Upload:
    unknown = sorted(set(form) - {"file", "name", "format"})
    if unknown:
        raise UnreadableFile(f"there is no form field '{unknown[0]}'; the fields are file, name, format", f"/{unknown[0]}")
    files = [part for part in form.getlist("file") if isinstance(part, Part)]
    if len(files) != 1:
        found = f"{len(files)} files" if files else "no file"
        raise UnreadableFile(f"the form holds {found} under 'file'; send one, as in curl -F file=@iris.csv", "/file")
    name, given = (str(form[field]) if field in form else None for field in ("name", "format"))
    return Upload(file=files[0], name=name, format=given)


def _located(error: ValidationError, body: bytes) -> RequestValidationError:
    """A validation error of a body as FastAPI raises it, so that it is answered in the same way."""
    errors = [{**entry, "loc": ("body", *entry["loc"])} for entry in error.errors(include_url=False)]
    try:
        parsed = TypeAdapter(Any).validate_json(body)
    except ValidationError:
        parsed = None
    return RequestValidationError(errors, body=parsed)


UPLOAD_SCHEMA = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "additionalProperties": False,
                    "properties": {
                        "file": {"type": "string", "format": "binary", "description": "the file"},
                        "name": {"type": "string", "description": "the file's own name by default"},
                        "format": {"type": "string", "enum": list(FORMATS), "description": "by default the ending's"},
                    },
                }
            },
            "application/json": {
                "schema": {"$ref": "#/components/schemas/SampleRequest"},
                "example": {"sample": {"kind": "iris"}},
            },
        },
    }
}


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
    if upload.sample is not None:
        return _from_sample(store, caller, upload.sample, idempotency_key)
    return _from_file(store, caller, upload, idempotency_key)


def _from_sample(store: Store, caller: Caller, request: SampleRequest, key: str | None) -> JSONResponse:
    source = request.model_dump(mode="json")["sample"]
    with once(store, caller, key, "/v1/datasets", request.model_dump(mode="json")) as answer:
        if answer.answer is None:
            table = datasets.sample_table(request.sample)
            content = table.write_csv().encode()
            name = request.name or request.sample.kind
            _store(store, caller, answer, name, {"kind": "sample", "sample": source}, content, table)
    return answer.response


def _from_file(store: Store, caller: Caller, upload: Upload, key: str | None) -> JSONResponse:
    assert upload.file is not None
    filename = Path(upload.file.filename or "upload").name[:200]
    store.settings.files.mkdir(parents=True, exist_ok=True)
    # On the data folder's own disk, so that it is moved into its place and not copied; gone whatever happens.
    with tempfile.TemporaryDirectory(dir=store.settings.files, prefix=".upload-") as folder:
        path = Path(folder) / "content"
        digest = _spool(upload.file, path)
        body = [digest, filename, upload.name, upload.format]
        with once(store, caller, key, "/v1/datasets", body) as answer:
            if answer.answer is None:
                found, table = read_table(path, filename, upload.format)
                source = {"kind": "upload", "filename": filename, "format": found}
                _store(store, caller, answer, upload.name or filename, source, path, table)
    return answer.response


def _spool(file: Part, path: Path) -> str:
    """Copy the part to `path` and return its SHA-256."""
    digest = hashlib.sha256()
    with path.open("wb") as target:
        while block := file.file.read(2**20):
            digest.update(block)
            target.write(block)
    return digest.hexdigest()


def _store(store: Store, caller: Caller, answer: Once, name: str, source: dict[str, Any], content: Any, table: Any) -> None:
    with store.database.transaction() as session:
        dataset = datasets.create(session, store.files, caller.owner, name, source, content, table)
        session.refresh(dataset)
        answer.give(session, 201, f"/v1/datasets/{dataset.id}", dataset_resource(dataset).document())


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
    """The original bytes."""
    with store.database.reading() as session:
        dataset = datasets.get(session, dataset_id, caller.sees)
        content = store.files.locate(session, dataset.digest)
    if isinstance(content, Path):
        return FileResponse(content, media_type="application/octet-stream", filename=dataset.name)
    headers = {"Content-Disposition": f'attachment; filename="{dataset.id}"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


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
