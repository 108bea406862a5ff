"""Around every request: its id, the limit on its body, a line in the log, a count for the metrics. Plain ASGI."""

import re
import time

import structlog
import uuid_utils
from prometheus_client import Counter, Histogram, disable_created_metrics
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.problems import RETRY_SECONDS, answer_to
from store.errors import TooLarge, TooManyRequests
from store.settings import Settings

disable_created_metrics()  # type: ignore[no-untyped-call]
REQUESTS = Counter("vidro_requests_total", "Requests answered", ["method", "route", "status"])
SECONDS = Histogram("vidro_request_seconds", "Time to the last byte of the answer", ["method", "route"])
GONE = 499
"""The status in the log, as nginx has it, of a request whose client hung up before the end of its body."""
OF_STRANGERS = "/v1/session"
"""Path whose body is read from callers who are not known yet."""
STRANGERS_BYTES = 8 << 10
SAFE_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)
log = structlog.get_logger()


class RequestContext:
    """Gives a request its id (the caller's X-Request-ID where it is harmless), in every log line and in the answer; and has
    browsers take every answer for what it says it is.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if SAFE_ID.fullmatch(given) else str(uuid_utils.uuid7())
        scope.setdefault("state", {})["request_id"] = request_id
        started, status = time.perf_counter(), 500

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_id)
            except ClientDisconnect:
                status = GONE
            finally:
                seconds = time.perf_counter() - started
                route = getattr(scope.get("route"), "path", "none")
                REQUESTS.labels(scope["method"], route, status).inc()
                SECONDS.labels(scope["method"], route).observe(seconds)
                told = {"method": scope["method"], "path": scope["path"], "status": status, "ms": round(seconds * 1000, 1)}
                log.info("request", **told, **_who(scope))


def _who(scope: Scope) -> dict[str, str | None]:
    """Whom the request came from, by owner and key id, where its caller was let in; never the key."""
    caller = scope["state"].get("caller")
    return {} if caller is None else {"owner": caller.owner, "key": caller.key_id}


class Failures:
    """Answers what was raised outside of any route, or by one for a reason of ours, as a problem like any other."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_started = False

        async def send_noting(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self.app(scope, receive, send_noting)
        except ClientDisconnect:
            raise
        except Exception as error:
            if scope["type"] != "http":
                raise
            answer = answer_to(Request(scope), error)
            if not has_started:
                await answer(scope, receive, send)


class BodyLimit:
    """Refuses a body over the limit as it streams in, whether or not its length was declared, and one that with those of
    others would fill the memory.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        kind = Headers(scope=scope).get("content-type", "")
        is_form = scope["path"] == "/v1/datasets" and kind.startswith("multipart/")
        is_upload = is_form or scope["path"].startswith("/v1/uploads")
        limit = self.settings.max_upload_bytes if is_upload else self.settings.max_body_bytes
        remedy = f"raise {'VIDRO_MAX_UPLOAD_BYTES' if is_upload else 'VIDRO_MAX_BODY_BYTES'} on the server"
        if scope["path"] == OF_STRANGERS:
            limit, remedy = STRANGERS_BYTES, 'a key alone, as {"key": "vidro_…"}'
        received = held = 0

        async def receive_limited() -> Message:
            nonlocal received, held
            message = await receive()
            size = len(message.get("body", b""))
            received += size
            if received > limit:
                raise TooLarge(f"the body is over the limit of {limit} bytes; send less, or {remedy}")
            if not is_upload:  # which goes to disk
                held += size
                self.held += size
                if self.held > self.settings.max_bodies_bytes:
                    raise TooManyRequests("the bodies of others fill the memory that there is for them", RETRY_SECONDS)
            return message

        try:
            await self.app(scope, receive_limited, send)
        finally:
            self.held -= held
