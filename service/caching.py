"""Caching: an ETag for everything that is read, and 304 for callers who have it already (RFC 9110, 9111).

An answer is the caller's own, and asked after each time: `private, no-cache`. A route whose answer never changes under its
name, such as a file named for its hash, says so by a Cache-Control of its own, and `no-store` keeps an answer out of this.
"""

import hashlib
import re
from importlib.metadata import version

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.negotiation import NEGOTIATED

IDENTITY = "etag"
"""In a request's state: the ETag of its answer, where a route knows it without making the answer."""
DEFAULT = "private, no-cache"
IMMUTABLE = "public, max-age=31536000, immutable"
"""Cache-Control of what is named for its hash."""
KEPT = ("cache-control", "content-location", "date", "etag", "expires", "last-modified", "vary", "x-request-id")
"""Fields that a 304 has of the 200 in whose place it stands."""
TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
LARGE_BYTES = 1 << 20
"""A body from that size on is hashed off the event loop."""


class NotModified(HTTPException):
    """The caller has the answer already."""

    def __init__(self, tag: str) -> None:
        super().__init__(304, headers={"ETag": tag})


def identify(request: Request, *parts: object) -> str:
    """The ETag of an answer whose bytes these parts settle, so that it is not made for who has it already: then
    NotModified is raised. Call it once the caller's right is checked.
    """
    tag = _quoted(repr((version("vidro"), *parts)).encode())
    setattr(request.state, IDENTITY, tag)
    known = matching(request.headers, tag)
    if known is not None:
        raise NotModified(known)
    return tag


def matching(headers: Headers, tag: str) -> str | None:
    """The entry of If-None-Match that stands for an answer with that tag, as it was sent: a compressed form has a weak one."""
    given = ",".join(headers.getlist("if-none-match"))
    strong = tag.removeprefix("W/")
    return next((each for each in TAG.findall(given) if each.removeprefix("W/") == strong), None) if given else None


def _quoted(content: bytes) -> str:
    return f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'


class Caching:
    """Gives what is read its ETag, Cache-Control and Vary, and answers 304 in its place to who has it already."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        start: Message | None = None
        is_over = False
        request_headers = Headers(scope=scope)

        async def send_known(message: Message) -> None:
            nonlocal start, is_over
            if is_over:
                return
            if message["type"] == "http.response.start" and message["status"] in (200, 206, 304, 406):
                headers = MutableHeaders(scope=message)
                _describe(scope, headers, message["status"])
                if message["status"] == 200 and "content-length" in headers and "no-store" not in headers["cache-control"]:
                    start = message  # until its body is here
                    return
            elif start is not None:
                fields, start = start, None
                headers = MutableHeaders(scope=fields)
                if "etag" not in headers and not message.get("more_body", False):
                    headers["etag"] = await _hashed(message.get("body", b""))
                known = matching(request_headers, headers["etag"]) if "etag" in headers else None
                if known is None and request_headers.get("if-none-match", "").strip() == "*":
                    known = headers.get("etag")
                if known is not None:
                    is_over = True
                    headers["etag"] = known
                    headers.add_vary_header("Accept-Encoding")
                    kept = [(name, value) for name, value in fields["headers"] if name.decode("latin-1").lower() in KEPT]
                    fields, message = {**fields, "status": 304, "headers": kept}, {"type": "http.response.body", "body": b""}
                await send(fields)
            await send(message)

        await self.app(scope, receive, send_known)


def _describe(scope: Scope, headers: MutableHeaders, status: int) -> None:
    """Set what the answer may be kept for, and which fields of a request it depends on."""
    headers.setdefault("cache-control", DEFAULT)
    state = scope.get("state", {})
    if status == 200 and IDENTITY in state:
        headers["etag"] = state[IDENTITY]
    depends = ["Authorization", "Cookie"] if scope["path"].startswith("/v1/") else []
    depends += ["Accept"] if state.get(NEGOTIATED) else []
    depends += ["Accept-Encoding"] if status == 304 else []  # a 200 gets it where it is compressed
    if depends:
        headers.add_vary_header(", ".join(depends))


async def _hashed(body: bytes) -> str:
    return await run_in_threadpool(_quoted, body) if len(body) >= LARGE_BYTES else _quoted(body)
