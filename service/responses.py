"""The problems that endpoints declare, so that the OpenAPI document says what can come back."""

from collections.abc import Iterable, Sequence
from typing import Any

from service.problems import MEDIA_TYPE
from service.schemas.parts import Problem

DESCRIPTIONS = {
    400: "An upload that is not as it was said to be",
    401: "No key, or one that is not known here",
    403: "The key lacks the scope",
    404: "Unknown, or another owner's",
    406: "No form of it is of an accepted type",
    409: "The state forbids it",
    410: "Removed some time after the job's end, as a setting of the server asks for",
    413: "Too large",
    415: "A format that is not read here, or a body that does not say that it is JSON",
    422: "Bad input; `errors` points at it",
    429: "Too many of its kind at once, or queued; Retry-After says when to come back",
    500: "A stored content is damaged or missing (CONTENT_DAMAGED, CONTENT_MISSING), or something broke inside Vidro",
    503: "The database is out of reach or damaged (DATABASE_DAMAGED), or the disk is full; Retry-After says when to come back",
}
HEADERS = {
    401: {"WWW-Authenticate": {"description": "Bearer", "schema": {"type": "string"}}},
    429: {"Retry-After": {"description": "seconds to wait", "schema": {"type": "integer"}}},
    503: {"Retry-After": {"description": "seconds to wait", "schema": {"type": "integer"}}},
}
BINARY = {"type": "string", "format": "binary"}
NULL = "\0"
"""FastAPI leaves out of its document what is null, and so would lose it from examples."""
ALWAYS = (401, 403, 422, 429, 500, 503)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an endpoint that may answer with these, besides those that any may."""
    return {
        status: {
            "description": DESCRIPTIONS[status],
            "model": Problem,
            **({"headers": HEADERS[status]} if status in HEADERS else {}),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted({*statuses, *ALWAYS})
    }


def answering(example: Any, *statuses: int, status: int = 200) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an endpoint of something by its id, with an example of its answer."""
    shown = {"description": "Successful Response", "content": example_of(example)}
    return {**problems(404, *statuses), status: shown}


def example_of(answer: Any) -> dict[str, Any]:
    """The content of a response with an example, in which `NULL` stands for null until `with_nulls` puts it back."""
    return {"application/json": {"example": _replaced(answer, None, NULL)}}


def with_nulls(example: Any) -> Any:
    return _replaced(example, NULL, None)


def _replaced(value: Any, one: Any, other: Any) -> Any:
    if isinstance(value, dict):
        return {name: _replaced(member, one, other) for name, member in value.items()}
    if isinstance(value, list):
        return [_replaced(element, one, other) for element in value]
    return other if value == one else value


def reference(name: str) -> dict[str, str]:
    """The schema of that name in the OpenAPI document."""
    return {"$ref": f"#/components/schemas/{name}"}


def stream_of(kinds: Iterable[str], data: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The schema of a stream with events of these kinds, whose data are one of these schemas."""
    return {
        "type": "string",
        "contentMediaType": "text/event-stream",
        "description": "Server-Sent Events; `itemSchema` is one of them, with its data as JSON",
        "itemSchema": {
            "type": "object",
            "required": ["event", "data"],
            "properties": {
                "id": {"type": "string", "description": "what Last-Event-ID and `from` take"},
                "event": {"type": "string", "enum": list(kinds)},
                "data": {
                    "type": "string",
                    "contentMediaType": "application/json",
                    "contentSchema": {"anyOf": list(data)},
                },
            },
        },
    }
