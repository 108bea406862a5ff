"""Compression of answers by zstd or gzip, as the caller prefers, off the event loop where they are large."""

import zstandard
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import DEFAULT_EXCLUDED_CONTENT_TYPES, GZipResponder, IdentityResponder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.negotiation import best_coding

CODINGS = ("zstd", "gzip")
LEAST_BYTES = 1024
THREAD_BYTES = 1 << 15
"""Pieces from that size on are compressed in a thread."""
ZSTD_LEVEL = 3
GZIP_LEVEL = 5
PACKED = (*DEFAULT_EXCLUDED_CONTENT_TYPES, "application/x-npz", "application/vnd.safetensors")
"""Media types that gain nothing, or must reach the caller as they happen."""
AS_IT_IS = {"Content-Encoding": "identity"}
"""Fields by which a route says that its answer is packed already; they do not go out."""


class ZstdResponder(GZipResponder):
    """Starlette's responder with zstd in the place of gzip: each piece is flushed, so that a stream arrives as it is made."""

    content_encoding = "zstd"

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app, LEAST_BYTES, thread_minimum_size=THREAD_BYTES, exclude_content_types=PACKED)
        self.zstd = zstandard.ZstdCompressor(ZSTD_LEVEL).compressobj()

    def _compress_body(self, body: bytes, more_body: bool) -> bytes:
        ending = zstandard.COMPRESSOBJ_FLUSH_BLOCK if more_body else zstandard.COMPRESSOBJ_FLUSH_FINISH
        return self.zstd.compress(body) + self.zstd.flush(ending)


class Compression:
    """Compresses what is sent, and keeps its ETag and Vary true: a compressed form is the same only weakly."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_true(message: Message) -> None:
            if message["type"] == "http.response.start":
                _correct(MutableHeaders(scope=message))
            await send(message)

        await self._responder(scope)(scope, receive, send_true)

    def _responder(self, scope: Scope) -> ASGIApp:
        headers = Headers(scope=scope)
        coding = best_coding(",".join(headers.getlist("accept-encoding")), CODINGS)
        if headers.get("accept", "").startswith("text/event-stream"):
            coding = None  # a compressor takes more memory than all else of a stream
        if coding == "zstd":
            return ZstdResponder(self.app)
        if coding == "gzip":
            return GZipResponder(
                self.app, LEAST_BYTES, GZIP_LEVEL, thread_minimum_size=THREAD_BYTES, exclude_content_types=PACKED
            )
        return IdentityResponder(self.app, LEAST_BYTES, exclude_content_types=PACKED)


def _correct(headers: MutableHeaders) -> None:
    coding = headers.get("content-encoding")
    if coding == "identity":
        del headers["content-encoding"]
    elif coding is not None and headers.get("etag", "W/").startswith('"'):
        headers["etag"] = f"W/{headers['etag']}"
    vary = headers.getlist("vary")
    if vary:
        headers["vary"] = ", ".join(dict.fromkeys(name.strip() for name in ",".join(vary).split(",")))
