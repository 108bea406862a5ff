"""Uploads that can be resumed, as in draft-ietf-httpbis-resumable-upload-12 (interop version 8): begun by POST, asked after
by HEAD, gone on with by PATCH, given up by DELETE. What is complete becomes a dataset, and the answer is that of
POST /v1/datasets. Interim answers (104) are not sent: the web server cannot.
"""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from engine.forms import Matching
from service.capacity import capacity_of
from service.dependencies import StoreOf, Writer
from service.new_datasets import from_files
from service.parameters import also_takes
from service.responses import problems
from service.routing import Route
from service.schemas.datasets import DatasetResource
from service.uploads import FIELDS, described, folder_of
from store import resumable
from store.connections import Store
from store.errors import StoreError, TooLarge, UnknownFormat, UploadLength
from store.files import Hashed
from store.keys import Caller

router = APIRouter(prefix="/v1/uploads", tags=["datasets"], route_class=Route)
BLOCK_BYTES = 1 << 20
PARTIAL = "application/partial-upload"
Complete = Annotated[
    str, Header(alias="Upload-Complete", description="`?1`: nothing follows"), Matching(r"^\?[01]$", "?0 or ?1")
]
Offset = Annotated[int, Header(alias="Upload-Offset", ge=0, le=2**53, description="bytes that came before these")]
Length = Annotated[int | None, Header(alias="Upload-Length", ge=0, le=2**53, description="bytes in all, where known")]
IN_QUERY = ("filename", *FIELDS[1:])
PARAMETERS = [
    {"name": name, "in": "query", "required": False, "schema": {"type": "string"}, "description": "as in POST /v1/datasets"}
    for name in IN_QUERY
]
BODY = {"requestBody": {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}}
PATCH_BODY = {"requestBody": {"content": {PARTIAL: {"schema": {"type": "string", "format": "binary"}}}}}
STATE = {
    "Location": {"description": "of the dataset, or of what is to go on", "schema": {"type": "string"}},
    "Upload-Offset": {"description": "bytes that are kept", "schema": {"type": "integer"}},
    "Upload-Complete": {"description": "`?1`: all of it came", "schema": {"type": "string", "enum": ["?0", "?1"]}},
    "Upload-Limit": {"description": "max-size in bytes, max-age in seconds", "schema": {"type": "string"}},
}
NO_CONTENT: dict[int | str, dict[str, Any]] = {204: {"description": "These bytes are kept; more are to come", "headers": STATE}}


@router.post(
    "",
    status_code=201,
    response_model=DatasetResource,
    responses={
        201: {
            "description": "The file is whole: the dataset, with its Location. With `Upload-Complete: ?0` there is no content; "
            "Location is where the rest goes",
            "headers": STATE,
        },
        **problems(400, 409, 413, 415),
    },
    openapi_extra={**BODY, "parameters": PARAMETERS},
)
@also_takes(*IN_QUERY)
async def begin_upload(
    request: Request, store: StoreOf, caller: Writer, upload_complete: Complete = "?1", upload_length: Length = None
) -> Response:
    """Begin an upload with its first bytes, or none. With `Upload-Complete: ?0`, more follow by PATCH to the Location that
    comes back; else the file is whole, and the answer is the dataset's. `filename` and the form fields of
    POST /v1/datasets go into the query.
    """
    given = dict(request.query_params)
    filename = given.pop("filename", "upload").replace("\\", "/").rpartition("/")[2].replace("\0", "")[:200] or "upload"
    limit = store.settings.max_upload_bytes
    if upload_length is not None and upload_length > limit:
        error = TooLarge(f"Upload-Length is over the limit of {limit} bytes; send less, or raise VIDRO_MAX_UPLOAD_BYTES")
        error.headers = _limits(store)
        raise error
    described(store.settings.files, (), given)  # wrong options are told now, not after a gigabyte
    about = resumable.About(caller.owner, filename, given)
    upload = await run_in_threadpool(resumable.create, store.settings.files, about)
    try:
        rest = _rest(request) if upload_complete == "?1" else None
        upload = await run_in_threadpool(upload.of_length, upload_length, rest)
        offset = await _take(store, upload, 0, request.stream())
        if upload_complete == "?1":
            return await _finished(request, store, caller, upload, offset)
    except BaseException:
        upload.remove()  # nobody has heard of it yet
        raise
    headers = {"Location": f"/v1/uploads/{upload.id}", **_state(store, upload, offset)}
    return Response(status_code=201, headers=headers)


@router.head("/{upload_id}", status_code=204, responses=problems(404))
def get_upload(store: StoreOf, caller: Writer, upload_id: str) -> Response:
    """How far an upload has come: `Upload-Offset`, `Upload-Complete`, and the `Upload-Length` where it was named."""
    upload = resumable.get(store.settings.files, upload_id, caller.sees).take()
    headers = {**_state(store, upload, upload.offset), "Cache-Control": "no-store"}
    if upload.about.dataset_id is not None:
        headers["Content-Location"] = f"/v1/datasets/{upload.about.dataset_id}"
    return Response(status_code=204, headers=headers)


@router.patch(
    "/{upload_id}",
    status_code=201,
    response_model=DatasetResource,
    responses={
        201: {"description": "The file is whole: the dataset", "headers": STATE},
        **NO_CONTENT,
        **problems(400, 404, 409, 413, 415),
    },
    openapi_extra=PATCH_BODY,
)
async def append_to_upload(
    request: Request,
    store: StoreOf,
    caller: Writer,
    upload_id: str,
    upload_offset: Offset,
    upload_complete: Complete,
    upload_length: Length = None,
) -> Response:
    """Go on with an upload from the offset that HEAD told. With `Upload-Complete: ?1` the file is whole: a dataset."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != PARTIAL:
        error = UnknownFormat(f"send the bytes as Content-Type: {PARTIAL}")
        error.headers = {"Accept-Patch": PARTIAL}
        raise error
    upload = await run_in_threadpool(resumable.get, store.settings.files, upload_id, caller.sees)
    upload = await run_in_threadpool(upload.take)
    rest = _rest(request)
    await run_in_threadpool(upload.check_append, upload_offset, rest == 0)
    whole = upload_offset + rest if rest is not None and upload_complete == "?1" else None
    upload = await run_in_threadpool(upload.of_length, upload_length, whole)
    offset = await _take(store, upload, upload_offset, request.stream())
    if upload_complete == "?1":
        return await _finished(request, store, caller, upload, offset)
    return Response(status_code=204, headers=_state(store, upload, offset))


@router.delete("/{upload_id}", status_code=204, responses=problems(404))
def cancel_upload(store: StoreOf, caller: Writer, upload_id: str) -> Response:
    """Give an upload up; what came of it goes. A dataset that it became stays."""
    resumable.get(store.settings.files, upload_id, caller.sees).remove()
    return Response(status_code=204)


@router.options("", status_code=204, responses=problems())
def get_limits(store: StoreOf, caller: Writer) -> Response:
    """The limits of uploads in pieces: `Upload-Limit`, and `Accept-Patch` for the type of the pieces."""
    return Response(status_code=204, headers={"Allow": "OPTIONS, POST", "Accept-Patch": PARTIAL, **_limits(store)})


def _rest(request: Request) -> int | None:
    """Bytes in the request's body, where that is known before they come."""
    length = request.headers.get("content-length", "")
    if length.isdecimal():
        return int(length)
    return None if "transfer-encoding" in request.headers else 0


async def _take(store: Store, upload: resumable.Upload, offset: int, blocks: AsyncIterator[bytes]) -> int:
    """Write what comes to disk, also where the connection breaks: that is what resuming is for."""
    pending: list[bytes] = []
    size, limit = 0, store.settings.max_upload_bytes
    try:
        async for block in blocks:
            pending.append(block)
            size += len(block)
            if size >= BLOCK_BYTES:
                data, pending, size = b"".join(pending), [], 0
                offset = await run_in_threadpool(upload.append, offset, data, limit)
        return await run_in_threadpool(upload.append, offset, b"".join(pending), limit)
    except ClientDisconnect:
        await run_in_threadpool(upload.append, offset, b"".join(pending), limit)
        raise
    except TooLarge as error:
        error.headers = _limits(store)
        raise
    except UploadLength:
        upload.remove()  # as the draft has it: what is longer than it was said to be is not to be trusted
        raise


async def _finished(request: Request, store: Store, caller: Caller, upload: resumable.Upload, offset: int) -> Response:
    async with capacity_of(request).turn("files"):
        return await run_in_threadpool(_finish, store, caller, upload, offset)


def _finish(store: Store, caller: Caller, upload: resumable.Upload, offset: int) -> Response:
    """The whole file as a dataset. One that cannot be read goes, as it would have by POST /v1/datasets."""
    if upload.about.length is not None and upload.about.length != offset:
        raise UploadLength(f"{offset} bytes came, and Upload-Length names {upload.about.length}; send the rest")
    with upload.finishing():
        return _dataset(store, caller, upload, offset)


def _dataset(store: Store, caller: Caller, upload: resumable.Upload, offset: int) -> Response:
    with upload.content.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    with folder_of(store) as folder:
        files = ((upload.about.filename, Hashed(upload.content, digest)),)
        try:
            answer = from_files(store, caller, described(Path(folder), files, upload.about.given), None)
        except StoreError as error:
            if error.status < 500:
                upload.remove()
                error.headers = {**(error.headers or {}), "Upload-Complete": "?1"}  # all of it came, and it is wrong
            raise
    upload.remember(dataset_id=answer.headers["location"].rpartition("/")[2], length=offset)
    upload.content.unlink(missing_ok=True)
    answer.headers["Upload-Complete"] = "?1"
    return answer


def _state(store: Store, upload: resumable.Upload, offset: int) -> dict[str, str]:
    headers = {
        "Upload-Complete": "?0" if upload.about.dataset_id is None else "?1",
        "Upload-Offset": str(offset),
        **_limits(store),
    }
    return headers if upload.about.length is None else {**headers, "Upload-Length": str(upload.about.length)}


def _limits(store: Store) -> dict[str, str]:
    """Each request begins the time anew that an upload is kept."""
    setting = store.settings
    return {"Upload-Limit": f"max-size={setting.max_upload_bytes}, max-age={int(setting.upload_seconds)}"}
