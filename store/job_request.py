"""The body of POST /v1/jobs: the engine's spec of a training, on which dataset, a name and tags."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter

from engine.forms import Matching
from engine.spec import spec, without_unset
from engine.training.spec import UNSET, Training


def _each_once(tags: tuple[str, ...] | None) -> tuple[str, ...] | None:
    for place, tag in enumerate(tags or ()):
        if tag in (tags or ())[:place]:
            raise ValueError(f"tag '{tag}' is given twice; give it once")
    return tags


Name = Annotated[str, Field(max_length=200)]
Tag = Annotated[str, Field(min_length=1, max_length=100), Matching(r"^[^\x00-\x1f\x7f]*$", "text without control characters")]
Tags = Annotated[tuple[Tag, ...], Field(max_length=50), AfterValidator(_each_once)]


@spec
class JobRequest(Training):
    """What to train, on what, and how. A field left out takes the default that suits the model and the table."""

    dataset_id: Annotated[str, Field(description="the dataset to train on", examples=["ds_01937b2e"])]
    name: Name | None = Field(default=None, description="what the job is called in lists")
    tags: Tags | None = Field(default=None, description="words to find the job by", examples=[["week 3"]])
    _shown = without_unset("tags", *UNSET)


REQUEST: TypeAdapter[JobRequest] = TypeAdapter(JobRequest)


def training_of(request: dict[str, Any]) -> JobRequest:
    """A stored request, which was checked when it came in, as the spec that it is."""
    return REQUEST.validate_python(request)


def document_of(request: JobRequest) -> dict[str, Any]:
    """The request as JSON; what `training_of` reads."""
    document: dict[str, Any] = REQUEST.dump_python(request, mode="json")
    return document
