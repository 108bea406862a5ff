"""Built-in samples and generators: list them, and make datasets of them."""

import inspect
from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse
from pydantic import TypeAdapter

from engine.catalog import schema_in
from engine.spec import kind_of, members
from engine.tables.samples import Sample
from service.dependencies import IdempotencyKey, Reader, StoreOf, Writer
from service.language import language, translation
from service.new_datasets import from_sample
from service.resources import listing
from service.responses import problems
from service.routing import Route, works_on
from service.schemas.datasets import DatasetResource, SampleResource
from service.schemas.parts import Listing
from service.uploads import SampleRequest

router = APIRouter(prefix="/v1", tags=["datasets"], route_class=Route)
SAMPLES: dict[str, Any] = {
    "iris": {"summary": "A table of flowers", "value": {"sample": "iris"}},
    "blobs": {"summary": "Clouds of points", "value": {"sample": {"kind": "blobs", "centers": 4}, "name": "four clouds"}},
}


@router.post("/samples", status_code=201, response_model=DatasetResource, responses=problems())
@works_on("tables")
def create_sample(
    store: StoreOf,
    caller: Writer,
    request: Annotated[SampleRequest, Body(openapi_examples=SAMPLES)],
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Make a dataset of a built-in sample or generator; GET /v1/samples lists them with their parameters."""
    return from_sample(store, caller, request, idempotency_key)


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
