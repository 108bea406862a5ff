"""Every error as application/problem+json (RFC 9457), with the place and the remedy and never a trace or a path."""

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from sqlalchemy.exc import DatabaseError, DataError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from engine.errors import EngineError
from service.methods import allowed
from service.mistakes import told
from store.errors import DatabaseDamaged, DiskFull, StoreError, problem, says_busy, says_damaged, says_full, status_of

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
MOST_ERRORS = 100
"""Mistakes of one request that are told."""
CODES = {
    401: "UNAUTHENTICATED",
    403: "FORBIDDEN",
    404: "NOT_FOUND",
    405: "METHOD_NOT_ALLOWED",
    406: "NOT_ACCEPTABLE",
    409: "CONFLICT",
    413: "TOO_LARGE",
    415: "UNSUPPORTED_MEDIA_TYPE",
    422: "INVALID_REQUEST",
    429: "TOO_MANY_REQUESTS",
    503: "UNAVAILABLE",
}
MORE = f"these are the first {MOST_ERRORS} mistakes, and there are more"
DAMAGED = (
    "the database is damaged: nothing more is read from it or written to it; whoever runs this server stops it and restores a "
    "backup"
)
log = structlog.get_logger()


def respond(
    request: Request,
    code: str,
    status: int,
    detail: str,
    errors: Sequence[tuple[str, str]] = (),
    headers: Mapping[str, str] | None = None,
    members: Mapping[str, Any] | None = None,
) -> Response:
    """The problem as a response; `members` are those of its own kind. Of many errors the first are told."""
    if len(errors) > MOST_ERRORS:
        errors, detail = errors[:MOST_ERRORS], f"{detail}; {MORE}"
    document = problem(code, status, detail, list(errors))
    document |= {"instance": request.url.path, "request_id": getattr(request.state, "request_id", None)}
    document |= members or {}
    body = json.dumps(document, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")  # it may quote half a character
    return Response(body, status, headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Have every error that can reach the edge answered as a problem."""
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(StoreError, _named_error)
    app.add_exception_handler(EngineError, _named_error)
    app.add_exception_handler(OSError, _system_error)
    app.add_exception_handler(OperationalError, _database_away)
    app.add_exception_handler(InterfaceError, _database_away)
    app.add_exception_handler(DatabaseError, _database_broken)
    app.add_exception_handler(DataError, _unstorable)
    app.add_exception_handler(UnicodeEncodeError, _unstorable)
    app.add_exception_handler(PoolTimeout, _database_away)


def answer_to(request: Request, error: Exception) -> Response:
    """The answer to an error that was raised outside of any route; called where the exception is at hand."""
    handlers = request.app.exception_handlers
    handler = next((handlers[kind] for kind in type(error).__mro__ if kind in handlers), None)
    if handler is not None:
        with suppress(type(error)):
            answer: Response = handler(request, error)
            return answer
    return broken(request)


def _named_error(request: Request, error: Any) -> Response:
    errors, status = getattr(error, "errors", []), status_of(error)
    if status >= 500:
        log.error("request failed", error=str(error), code=error.code)
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else getattr(error, "headers", None)
    members = getattr(error, "members", None)
    return respond(request, error.code, status, str(error), errors, headers, members)


def _system_error(request: Request, error: Any) -> Response:
    if says_full(error):
        return _named_error(request, DiskFull())
    raise error


def _http_error(request: Request, error: Any) -> Response:
    if isinstance(error.__cause__, StoreError):  # raised while FastAPI read the body, which calls everything a 400
        return _named_error(request, error.__cause__)
    if error.status_code == 304:
        return Response(status_code=304, headers=error.headers)
    if error.status_code == 400:  # what Starlette says of a form it cannot read
        detail = f"the body cannot be read ({error.detail}); send it as curl -F file=@iris.csv does"
        return respond(request, "INVALID_REQUEST", 422, detail)
    code = CODES.get(error.status_code, "ERROR")
    detail = error.detail
    if error.status_code == 404 and detail == "Not Found":
        detail = f"nothing is at {request.url.path}; /docs lists what there is"
    headers = error.headers
    if error.status_code == 405:
        methods = ", ".join(allowed(request.app, request.url.path))
        headers = {**(headers or {}), "Allow": methods}
        detail = f"{request.method} is not for {request.url.path}, which takes {methods}; /docs says what each does"
    return respond(request, code, error.status_code, detail, headers=headers)


def _invalid_request(request: Request, error: Any) -> Response:
    if isinstance(error.body, bytes):
        return _unread(request)
    errors = error.errors()
    if any(entry["type"] == "json_invalid" for entry in errors):
        place = errors[0]["loc"][-1]
        reason = errors[0].get("ctx", {}).get("error", "syntax error") + (f" at character {place}" if place != "body" else "")
        detail = f"the body is not JSON ({reason}); send JSON"
        return respond(request, "INVALID_JSON", 422, detail, [("", detail)])
    named = told(errors, error.body)
    detail = "; ".join(f"{pointer or 'the body'}: {text}" for pointer, text in named[:5])
    if getattr(error, "has_more", False) and len(named) <= MOST_ERRORS:
        detail += "; there are more mistakes than these"
    return respond(request, "INVALID_REQUEST", 422, detail, named)


def _unread(request: Request) -> Response:
    """The answer to a body that was not read as JSON, for it does not say that it is JSON."""
    sent = request.headers.get("content-type")
    came = "the body came without a Content-Type" if sent is None else f"the body came as Content-Type: {sent[:100]}"
    by_curl = ", as curl -d sends it unless told otherwise" if sent == "application/x-www-form-urlencoded" else ""
    detail = f"{came}{by_curl}; send JSON, and say so with -H 'Content-Type: application/json'"
    return respond(request, "UNSUPPORTED_MEDIA_TYPE", 415, detail, [("/header/Content-Type", detail)])


def _unstorable(request: Request, error: Any) -> Response:
    detail = (
        "something in the request holds a character or number that cannot be stored, such as NUL or half of a pair; remove it"
    )
    return respond(request, "INVALID_REQUEST", 422, detail)


def _database_broken(request: Request, error: Any) -> Response:
    if says_damaged(error):
        return _named_error(request, DatabaseDamaged(DAMAGED))
    raise error


def _database_away(request: Request, error: Any) -> Response:
    if says_damaged(error):
        return _database_broken(request, error)
    if says_full(error):
        return _named_error(request, DiskFull())
    is_busy = says_busy(error)
    log.error("database busy" if is_busy else "database out of reach", error=type(error).__name__)
    reason = "busy with what others write, and nothing was changed" if is_busy else "out of reach"
    detail = f"the database is {reason}; try again in {RETRY_SECONDS} seconds"
    return respond(request, "DATABASE_UNAVAILABLE", 503, detail, headers={"Retry-After": str(RETRY_SECONDS)})


def broken(request: Request) -> Response:
    """The answer to a request that broke for a reason of ours; called where the exception is at hand."""
    log.exception("request broke", path=request.url.path)
    return respond(request, "INTERNAL", 500, "something broke inside Vidro; its log has it under this request_id")
