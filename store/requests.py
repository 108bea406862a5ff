"""The body of POST /v1/jobs: the engine's spec of a training, on which dataset, and a name."""

from typing import Annotated, Any

from pydantic import Field, TypeAdapter

from engine.spec import spec
from engine.training import Training


@spec
class JobRequest(Training):
    """What to train, on what, and how. A field left out takes the default that suits the model and the table."""

    dataset_id: Annotated[str, Field(description="the dataset to train on", examples=["ds_01937b2e"])]
    name: Annotated[str, Field(max_length=200)] | None = None


REQUEST: TypeAdapter[JobRequest] = TypeAdapter(JobRequest)


STORED: dict[str, dict[str, Any]] = {"split": {"rounding": "class"}}
"""What was meant by stored requests, by object and field, before the field had a name."""


def training_of(request: dict[str, Any]) -> JobRequest:
    """A stored request, which was checked when it came in, as the spec that it is."""
    meant = {name: {**fields, **(request.get(name) or {})} for name, fields in STORED.items()}
    return REQUEST.validate_python({**request, **meant})


def document_of(request: JobRequest) -> dict[str, Any]:
    """The request as JSON; what `training_of` reads."""
    document: dict[str, Any] = REQUEST.dump_python(request, mode="json")
    return document
