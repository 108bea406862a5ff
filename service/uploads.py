"""The body of POST /v1/datasets: files in a form, or a sample in JSON."""

import hashlib
import tempfile
import zipfile
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from engine.tables.samples import Sample
from service.dependencies import get_store
from service.multipart import Form, read_form
from service.schemas.datasets import READ_OPTIONS
from store.connections import Store
from store.errors import TooLarge, UnknownFormat, UnreadableFile
from store.files import UPLOADING, Hashed
from store.formats import FORMATS
from store.readings.options import ReadOptions, of_json

FIELDS = ("file", "name", "format", *(option.name for option in fields(ReadOptions)))
NAME_LENGTH = 200
SAMPLE_BYTES = 16 << 10


class SampleRequest(BaseModel):
    """A built-in sample or generator, and a name for the dataset."""

    model_config = ConfigDict(extra="forbid")
    sample: Sample
    name: str | None = None


@dataclass(frozen=True)
class FileUpload:
    """Files on disk, in a folder that goes with the request, and what the form says of them."""

    folder: Path
    files: tuple[tuple[str, Hashed], ...]
    name: str | None = None
    format: str | None = None
    options: ReadOptions = field(default_factory=ReadOptions)

    @property
    def filename(self) -> str:
        return self.files[0][0]

    @property
    def given(self) -> dict[str, Any]:
        """The options given for reading the files."""
        return {**({"format": self.format} if self.format else {}), **self.options.given}

    def fingerprint(self) -> Any:
        """The key by which two uploads are the same: content, names, and how to read them."""
        return [[(name, file.digest) for name, file in self.files], self.name, self.format, self.options.given]

    def original(self) -> Hashed:
        """The bytes to keep: the file as it came, or the several ones in a ZIP archive, as they came."""
        if len(self.files) == 1:
            return self.files[0][1]
        path = self.folder / "original.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for place, (name, file) in enumerate(self.files):
                member = zipfile.ZipInfo(name if [n for n, _ in self.files].index(name) == place else f"{place}-{name}")
                with archive.open(member, "w", force_zip64=True) as target, file.path.open("rb") as source:
                    while block := source.read(1 << 20):
                        target.write(block)
        with path.open("rb") as whole:
            return Hashed(path, hashlib.file_digest(whole, "sha256").hexdigest())


Upload = FileUpload | SampleRequest


async def read_upload(request: Request) -> AsyncIterator[Upload]:
    """The body, multipart or JSON: the one thing about an upload that has to be asynchronous."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        body = await request.body()
        if len(body) > SAMPLE_BYTES:
            raise TooLarge(f"a sample is described in {SAMPLE_BYTES:,} bytes or fewer; send a file as multipart/form-data")
        try:
            yield SampleRequest.model_validate_json(body)
        except ValidationError as error:
            raise located(error, body) from None
    elif kind == "multipart/form-data":
        with folder_of(await get_store(request)) as folder:
            form = await read_form(request.headers["content-type"], request.stream(), Path(folder))
            yield _uploaded(form, Path(folder))
    else:
        raise UnknownFormat(
            "send the file as multipart/form-data in a part named 'file', as curl -F file=@iris.csv does, or a sample as JSON "
            "with -H 'Content-Type: application/json'"
        )


def folder_of(store: Store) -> tempfile.TemporaryDirectory[str]:
    """A folder that goes whatever happens, on the data folder's own disk, so that files are moved and not copied."""
    store.settings.files.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(dir=store.settings.files, prefix=UPLOADING)


def _uploaded(form: Form, folder: Path) -> FileUpload:
    unknown = sorted({*form.fields, *(part for part, _, _ in form.files)} - set(FIELDS))
    if unknown:
        known = ", ".join(FIELDS)
        raise UnreadableFile(f"there is no form field '{unknown[0][:50]}'; the fields are {known}", f"/{unknown[0][:50]}")
    files = tuple((name, file) for part, name, file in form.files if part == "file")
    if not files:
        raise UnreadableFile("the form holds no file under 'file'; send one, as in curl -F file=@iris.csv", "/file")
    return described(folder, files, form.fields)


def described(folder: Path, files: tuple[tuple[str, Hashed], ...], given: dict[str, str]) -> FileUpload:
    """The upload of files with the fields that came with them. Raises RequestValidationError."""
    said: dict[str, Any] = {name: value for name, value in given.items() if value != "" or name == "missing"}
    name, form = said.pop("name", None), said.pop("format", None)
    with suppress(ValueError):  # then the validation says so
        said |= {"columns": of_json(said["columns"])} if "columns" in said else {}
    try:
        options = ReadOptions.of(said)
    except ValidationError as error:
        errors = [{**entry, "loc": ("body", *entry["loc"])} for entry in error.errors(include_url=False)]
        raise RequestValidationError(errors, body=said) from None
    return FileUpload(folder, files, name and name[:NAME_LENGTH], form, options)


def located(error: ValidationError, body: bytes) -> RequestValidationError:
    """A validation error of a body as FastAPI raises it, so that it is answered in the same way."""
    errors = [{**entry, "loc": ("body", *entry["loc"])} for entry in error.errors(include_url=False)]
    try:
        parsed = TypeAdapter(Any).validate_json(body)
    except ValidationError:
        parsed = None
    return RequestValidationError(errors, body=parsed)


def _as_text(field: dict[str, Any]) -> dict[str, Any]:
    """A field of a form, in which there is no null: of several texts, one that matches either."""
    forms = [form for form in field["anyOf"] if form["type"] != "null"]
    told: dict[str, Any] = {name: field[name] for name in ("title", "description") if name in field}
    if len(forms) == 1:
        return {**told, **forms[0]}
    return {**told, "type": "string", "pattern": "|".join(form.get("pattern", f"^{form.get('const')}$") for form in forms)}


UPLOAD_FORM: dict[str, Any] = {
    "title": "DatasetUpload",
    "type": "object",
    "description": "Files, and how they are to be read; what is left out is found.",
    "required": ["file"],
    "additionalProperties": False,
    "properties": {
        "file": {
            "type": "array",
            "items": {"type": "string", "format": "binary"},
            "minItems": 1,
            "description": "the file; several such parts, with as many rows each, become one dataset",
        },
        "name": {"type": "string", "description": "the file's own name by default"},
        "format": {
            "type": "string",
            "enum": list(FORMATS),
            "description": "by default found by the content and the name's ending; gzip and zstd always are",
        },
        **{name: _as_text(field) for name, field in READ_OPTIONS.json_schema()["properties"].items()},
    },
}
UPLOAD_SCHEMA = {
    "requestBody": {
        "required": True,
        "content": {"multipart/form-data": {"schema": {"$ref": "#/components/schemas/DatasetUpload"}}},
    }
}
