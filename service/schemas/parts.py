"""Parts that every resource is made of: numbers, times, pages, problems and notices."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

Number = float | Literal["NaN", "Infinity", "-Infinity"]
"""A number; one that is not finite goes out as a string, so that every body is valid JSON."""


NESTED = WithJsonSchema({"type": "array", "items": {}, "description": "numbers, or arrays of them, to the depth that is told"})
"""Generators of clients make nothing that type-checks of arrays within arrays of numbers or the names of those that are not
finite.
"""
TENSOR = WithJsonSchema(
    {
        "anyOf": [
            {"type": "number"},
            {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]},
            {"type": "array", "items": {}},
        ],
        "description": "a number, or arrays within arrays of them as `shape` says",
    }
)

Values = dict[str, Number | int | None]


def rfc3339(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Time = Annotated[datetime, PlainSerializer(rfc3339, return_type=str), Field(json_schema_extra={"format": "date-time"})]
"""RFC 3339 in UTC, to the millisecond; taken from seconds since 1970, too."""


class Resource(BaseModel):
    """Something that goes out as JSON; numbers that are not finite stay what they are until they are spelled there."""

    model_config = ConfigDict(from_attributes=True, ser_json_inf_nan="strings")

    def document(self) -> dict[str, Any]:
        """The resource as JSON."""
        return self.model_dump(mode="json")


class Formula(Resource):
    """How a number is worked out."""

    formula: str = Field(description="LaTeX")
    source: str | None = Field(default=None, description="the paper or book that has it, where it is somebody's")


def formulas_of(told: Mapping[str, tuple[str, str]]) -> dict[str, Formula]:
    """Formulas with their sources, by the name of the number."""
    return {name: Formula(formula=formula, source=source or None) for name, (formula, source) in told.items()}


Item = TypeVar("Item")


class Listing(Resource, Generic[Item]):
    """A page, newest first."""

    items: list[Item]
    next_page_token: str | None = Field(description="send it as page_token for the next page; null at the end")


class CountedListing(Listing[Item], Generic[Item]):
    """A page of a list whose items can be counted."""

    total: int | None = Field(default=None, description="how many items all pages have; null unless `total=true` asks")


class FieldProblem(Resource):
    pointer: str = Field(description="JSON pointer into the body, or the parameter", examples=["/epochs"])
    detail: str


class Problem(Resource):
    """A problem: what went wrong, and what to do about it (RFC 9457)."""

    type: str = Field(examples=["urn:vidro:problem:invalid-request"])
    title: str
    status: int
    detail: str
    code: str = Field(examples=["INVALID_REQUEST"])
    instance: str | None = None
    request_id: str | None = None
    errors: list[FieldProblem] | None = None


class Notice(BaseModel):
    """Something worth a look."""

    model_config = ConfigDict(extra="allow", ser_json_inf_nan="strings")
    code: str
    detail: str
    column: str | None = None
