"""Origins that may call from a browser: the listed ones; while there is no key, no other page and no other host."""

import ipaddress
from urllib.parse import quote

from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.problems import respond
from service.views import DASHBOARD
from store import keys
from store.settings import Settings, host_name, origin

PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
"""Asked by what watches the server, under any name that it has there."""
DOCUMENTATION = frozenset({"/docs", "/redoc"})
"""Pages to look at, which a link on another site may lead to, besides those of the dashboard."""
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST")
READABLE = (
    "Accept-Patch",
    "Allow",
    "Content-Disposition",
    "Content-Location",
    "ETag",
    "Location",
    "Retry-After",
    "Upload-Complete",
    "Upload-Length",
    "Upload-Limit",
    "Upload-Offset",
    "WWW-Authenticate",
    "X-Request-ID",
)
"""Fields of answers that a page elsewhere may read, besides those that it always may."""
SENDABLE = (
    "Authorization",
    "Cache-Control",
    "Content-Type",
    "Idempotency-Key",
    "If-None-Match",
    "If-Range",
    "Last-Event-ID",
    "Range",
    "Upload-Complete",
    "Upload-Length",
    "Upload-Offset",
    "X-Request-ID",
)
"""Fields of requests that a page elsewhere may set."""
FOREIGN = "foreign"
"""In a request's state where it has the marks of another site's page: without a key it is nobody's."""
LONGEST_TOLD = 100
KEY_REMEDY = "or make a key (vidro keys create) and send it as Authorization: Bearer …"


class Cors(CORSMiddleware):
    """Cross-origin resource sharing for the origins that are listed, never with credentials of the browser's own."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        super().__init__(
            app,
            allow_origins=settings.origins,
            allow_methods=METHODS,
            allow_headers=SENDABLE,
            expose_headers=READABLE,
            allow_private_network=True,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_preflight(scope):
            await super().__call__(scope, receive, send)
            return
        headers = Headers(scope=scope)
        answer = self.preflight_response(headers)
        if answer.status_code >= 400:
            page = headers["origin"][:LONGEST_TOLD]
            detail = (
                f"{bytes(answer.body).decode()}: a page of {page} may send {', '.join(self.allow_methods)} with the fields "
                f"{', '.join(SENDABLE)} once VIDRO_CORS_ORIGINS lists {page} on the server"
            )
            kept = {name: value for name, value in answer.headers.items() if not name.startswith("content-")}
            answer = respond(Request(scope), "PREFLIGHT_REFUSED", 403, detail, headers=kept)
        await answer(scope, receive, send)


def _is_preflight(scope: Scope) -> bool:
    if scope["method"] != "OPTIONS":
        return False
    headers = Headers(scope=scope)
    return "origin" in headers and "access-control-request-method" in headers


class ForeignPages:
    """Refuses, while no key is configured, what another site's page may have sent: with no key, whoever reaches the server may
    do everything, and a page that is open in a browser on this machine reaches it. With keys configured a key is the proof, and
    nothing is refused here; so it is left to where the caller is decided when a key is sent, which is told by FOREIGN.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            found = foreign(scope, headers, self.settings)
            if found is not None:
                if "authorization" not in headers and not await run_in_threadpool(_keys_configured, scope):
                    await respond(Request(scope), *found)(scope, receive, send)
                    return
                scope.setdefault("state", {})[FOREIGN] = True
        await self.app(scope, receive, send)


def _keys_configured(scope: Scope) -> bool:
    with scope["app"].state.store.database.glancing() as session:
        return keys.configured(session)


def foreign(scope: Scope, headers: Headers, settings: Settings) -> tuple[str, int, str] | None:
    """The code, status and detail for a request that has the marks of another site's page; None for all others."""
    if scope["path"] not in PROBES:
        for host in headers.getlist("host"):
            name = host_name(host)
            if not (_is_loopback(name) or name == settings.host or name in settings.hosts):
                return "FOREIGN_HOST", 403, _host_detail(host, settings)
    sent = headers.getlist("origin")
    if any(origin(each) not in settings.origins for each in sent) and sent != [_own(scope, headers, settings)]:
        return "FOREIGN_ORIGIN", 403, _origin_detail(sent[0])
    site = headers.get("sec-fetch-site", "").lower()
    is_listed = bool(sent) and all(origin(each) in settings.origins for each in sent)
    if site in ("cross-site", "same-site") and not is_listed and not _is_page(scope, headers, settings):
        detail = (
            f"a page of another site sent this (Sec-Fetch-Site: {site}), and this server has no key yet; have the page call by "
            f"fetch and list its origin in VIDRO_CORS_ORIGINS on the server, {KEY_REMEDY}"
        )
        return "FOREIGN_ORIGIN", 403, detail
    return None


def _is_loopback(name: str) -> bool:
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761: names of this machine and no other
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _own(scope: Scope, headers: Headers, settings: Settings) -> str | None:
    """The Origin that the server's own pages send."""
    sent = headers.get("origin", "")
    own = origin(f"{scope['scheme']}://{headers.get('host', '')}"), settings.public_origin
    found = origin(sent)
    return sent if found is not None and found in own else None


def _is_page(scope: Scope, headers: Headers, settings: Settings) -> bool:
    """Whether a link on another site led to a page here. A frame within another site's page is none, unless a setting lets
    the dashboard be shown in frames: the page's policy then tells the browser in whose.
    """
    is_dashboard = any(pattern.fullmatch(scope["path"]) for pattern in DASHBOARD)
    shown_as = ("document", "iframe") if is_dashboard and settings.framers else ("document",)
    return (
        scope["method"] in ("GET", "HEAD")
        and (is_dashboard or scope["path"] in DOCUMENTATION)
        and headers.get("sec-fetch-mode") == "navigate"
        and headers.get("sec-fetch-dest", "document") in shown_as
    )


def _origin_detail(sent: str) -> str:
    if sent == "null":
        page = "a page without an origin (a file, or a frame in a sandbox)"
        remedy = "serve the page from an address and list that in VIDRO_CORS_ORIGINS on the server"
    else:
        page = f"a page of {sent[:LONGEST_TOLD]}"
        remedy = f"list {sent[:LONGEST_TOLD]} in VIDRO_CORS_ORIGINS on the server"
    return f"{page} sent this, and this server has no key yet, so that any page could do anything; {remedy}, {KEY_REMEDY}"


def _host_detail(host: str, settings: Settings) -> str:
    name = quote(host_name(host)[:LONGEST_TOLD], safe=":")
    return (
        f"this server has no key yet and is called '{name}' here, a name that a page elsewhere could have made for it (DNS "
        f"rebinding); call it http://127.0.0.1:{settings.port}, or list {name} in VIDRO_ALLOWED_HOSTS on the server, "
        f"{KEY_REMEDY}"
    )
