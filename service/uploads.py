"""The body of POST /v1/datasets: a file in a form, or a sample in JSON."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from starlette.datastructures import FormData
from starlette.datastructures import UploadFile as Part

from engine.samples import Sample
from store.errors import UnknownFormat, UnreadableFile
from store.formats import FORMATS


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


def spool(file: Part, path: Path) -> str:
    """Copy the part to `path` and return its SHA-256."""
    digest = hashlib.sha256()
    with path.open("wb") as target:
        while block := file.file.read(2**20):
            digest.update(block)
            target.write(block)
    return digest.hexdigest()
