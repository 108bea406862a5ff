"""The OpenAPI document, where FastAPI's own is not the whole truth: problems, the upload's two forms, keys."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from service.problems import MEDIA_TYPE
from service.uploads import SampleRequest

REFERENCE = "#/components/schemas/{model}"


def document(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document, made once, with what it cannot know."""
    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        sample = SampleRequest.model_json_schema(ref_template=REFERENCE)
        found["components"]["schemas"] |= sample.pop("$defs") | {"SampleRequest": sample}
        for operations in found["paths"].values():
            for operation in operations.values():
                _correct(operation)
        found["components"]["schemas"].pop("HTTPValidationError", None)
        found["components"]["schemas"].pop("ValidationError", None)
        app.openapi_schema = found
    return app.openapi_schema


def _correct(operation: dict[str, Any]) -> None:
    if "security" in operation:
        operation["security"].append({})  # no key is asked for while none is configured
    for status, response in operation["responses"].items():
        if status.startswith(("4", "5")) and MEDIA_TYPE in response.get("content", {}):
            response["content"] = {MEDIA_TYPE: response["content"][MEDIA_TYPE]}  # not application/json as well
