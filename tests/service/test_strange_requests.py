"""Requests that nobody sends by mistake, to every operation: a problem each time, and never a 5xx of ours."""

import json
import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from tests.service.conftest import Stage

IDS = ["9" * 4301, "a" * 245, "%00%ff%fe", "..%2f..%2fetc%2fpasswd"]
JSON = "application/json"
BODIES: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", JSON),
    "NULs": (b"\0\0\0", JSON),
    "not UTF-8": (b'{"name": "\xff\xfe"}', JSON),
    "half a pair": (rb'{"name": "\ud800", "dataset_id": "\udfff"}', JSON),
    "a NUL in a name": (rb'{"name": "\u0000", "dataset_id": "\u0000", "target": "\u0000"}', JSON),
    "a number of 5,000 digits": (b'{"epochs": ' + b"9" * 5000 + b"}", JSON),
    "a number beyond any float": (b'{"epochs": 1e999, "rows": [1e999]}', JSON),
    "what is no number": (b'{"epochs": NaN, "steps": -Infinity}', JSON),
    "a list": (b"[]", JSON),
    "null": (b"null", JSON),
    "a key twice": (b'{"name": 1, "name": {}}', JSON),
    "as a form": (b"a=b&a=c", "application/x-www-form-urlencoded"),
    "a form without its boundary": (b"--x", "multipart/form-data"),
    "XML": (b"<a/>", "application/xml"),
    "of no type": (b"{}", "\x7f/;;;=,"),
    "of a charset that there is not": (b"{}", "application/json; charset=klingon"),
}


def operations(client: TestClient) -> list[tuple[str, str]]:
    paths: dict[str, Any] = client.get("/openapi.json").json()["paths"]
    return [(method, path) for path, found in paths.items() for method in found]


def expect_a_problem(answer: Any, what: str) -> None:
    assert answer.status_code < 500, f"{what}: {answer.status_code} {answer.text}"
    if answer.status_code >= 400 and answer.request.method != "HEAD":
        assert answer.headers["content-type"] == "application/problem+json", what
        problem = json.loads(answer.content)
        assert (problem["status"], bool(problem["detail"])) == (answer.status_code, True), what


def test_strange_ids_are_those_of_nothing(stage: Stage) -> None:
    for method, path in operations(stage.client):
        if "{" in path:
            for strange in IDS:
                answer = stage.client.request(method, re.sub(r"\{\w+\}", strange, path))
                expect_a_problem(answer, f"{method} {path} {strange[:20]}")
                assert answer.status_code >= 400 or method == "options"


def test_strange_bodies_are_refused(stage: Stage) -> None:
    for method, path in operations(stage.client):
        if method in ("post", "patch", "put"):
            for name, (content, kind) in BODIES.items():
                address = re.sub(r"\{\w+\}", "none", path)
                headers = {"Content-Type": kind, "Upload-Offset": "0", "Upload-Complete": "?0"}
                expect_a_problem(stage.client.request(method, address, content=content, headers=headers), f"{path}: {name}")


HEADERS: dict[str, list[tuple[str, Any]]] = {
    "an event id of 4,301 digits": [("Last-Event-ID", "9" * 4301)],
    "an event id of other digits": [("Last-Event-ID", b"\xb2")],
    "two keys": [("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
    "a key of another kind": [("Authorization", "Basic " + "x" * 5000)],
    "a key that is none": [("Authorization", "Bearer")],
    "two lengths of an upload": [("Upload-Length", "1"), ("Upload-Length", "2")],
    "an offset of 400 digits": [("Upload-Offset", "9" * 400), ("Upload-Complete", "?1")],
    "a long idempotency key": [("Idempotency-Key", "k" * 5000)],
    "an accept that is none": [("Accept", ";;;q=q,,*/*;q=nan")],
    "an id of the request": [("X-Request-ID", "a\tb" * 50)],
}


@pytest.mark.parametrize("name", HEADERS)
def test_strange_headers_harm_nothing(stage: Stage, name: str) -> None:
    for method, path in (("GET", "/v1/jobs"), ("GET", "/v1/jobs/none/events"), ("POST", "/v1/uploads"), ("POST", "/v1/jobs")):
        answer = stage.client.request(method, path, headers=HEADERS[name], content=b"{}" if method == "POST" else None)
        expect_a_problem(answer, f"{method} {path}")
