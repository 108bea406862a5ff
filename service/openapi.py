"""The OpenAPI document, where FastAPI's own is not the whole truth: problems, keys, defaults, and what the tags are for.

It is kept to what generators of clients understand: short names of operations, no default that is an object (its
description tells it), no form of a body beside a file.
"""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.problems import MEDIA_TYPE
from service.responses import problems, with_nulls
from service.uploads import UPLOAD_FORM

Node = dict[str, Any]
TAGS = {
    "datasets": "Tables: upload a file at once or in pieces, or take a sample; look into it, correct how it was read.",
    "jobs": "Trainings: start, watch, pause, cancel, take up again with other settings.",
    "results": "What a job has learned: curves, weights, histograms, evaluations and decision boundaries.",
    "models": "What came of a job: predict with it.",
    "glass box": "How training works, number by number, and why a model is as it is: formulas, traces, landscapes, layers, "
    "rows, diagnosis, what if, repeats, replays.",
    "session": "Browsers: sign in with a key once, and out. These need no key.",
    "operations": "For those who run the service: is it up, are its parts, how much does it do. These need no key.",
}
OF_BODIES = (413, 415)
"""Statuses that every operation with a JSON body may answer with."""
OF_KEYS = (409,)
"""Statuses that every operation with an Idempotency-Key may answer with."""


def document(app: FastAPI) -> Node:
    """FastAPI's document, made once, with what it cannot know."""
    if app.openapi_schema is None:
        tags = [{"name": name, "description": description} for name, description in TAGS.items()]
        found = get_openapi(
            title=app.title, version=app.version, summary=app.summary, description=app.description, tags=tags, routes=app.routes
        )
        for operations in found["paths"].values():
            for operation in operations.values():
                _correct(operation)
        for name in ("HTTPValidationError", "ValidationError"):
            found["components"]["schemas"].pop(name, None)
        found["components"]["schemas"]["DatasetUpload"] = deepcopy(UPLOAD_FORM)
        for schema in _schemas(found):
            _tell_default(schema)
        app.openapi_schema = found
    return app.openapi_schema


def _correct(operation: Node) -> None:
    for response in operation["responses"].values():
        for content in response.get("content", {}).values():
            if "example" in content:
                content["example"] = with_nulls(content["example"])
    if "security" in operation:
        operation["security"].append({})  # no key is asked for while none is configured
    parameters = {parameter["name"].lower() for parameter in operation.get("parameters", ())}
    has_json = "application/json" in operation.get("requestBody", {}).get("content", {})
    for status in (*(OF_BODIES if has_json else ()), *(OF_KEYS if "idempotency-key" in parameters else ())):
        problem = {name: value for name, value in problems(status)[status].items() if name != "model"}
        operation["responses"].setdefault(str(status), problem)
    for status, response in operation["responses"].items():
        if status.startswith(("4", "5")) and MEDIA_TYPE in response.get("content", {}):
            response["content"] = {MEDIA_TYPE: response["content"][MEDIA_TYPE]}  # not application/json as well
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _schemas(node: Any) -> Iterator[Node]:
    """Every object of the document that may be a schema, the innermost first."""
    if isinstance(node, dict):
        for name, child in node.items():
            if name not in ("example", "examples"):
                yield from _schemas(child)
        yield node
    elif isinstance(node, list):
        for child in node:
            yield from _schemas(child)


def _tell_default(schema: Node) -> None:
    """Move a default that holds an object into the description: generators of clients have no words for it."""
    default = schema.get("default")
    if isinstance(default, dict) or (isinstance(default, list) and any(isinstance(entry, dict) for entry in default)):
        told = f"By default `{json.dumps(schema.pop('default'), ensure_ascii=False)}`."
        before = schema.get("description", "").rstrip(".")
        schema["description"] = f"{before}. {told}" if before else told
