"""A browser's session in a request and in its answer: the cookie, and the page that it must have been sent by."""

import time

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from service.addresses import is_https
from store.errors import StoreError
from store.settings import DEFAULT_PORTS, ORIGIN, Settings

NAME = "vidro-session"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing, which any page may have a browser send."""
LONGEST_TOLD = 100


class ForeignOrigin(StoreError):
    """A request that changes something was not sent by a page of this server."""

    code, status = "FOREIGN_ORIGIN", 403


def token_of(request: Request, settings: Settings) -> str | None:
    """The token of the browser's session, where its cookie counts: a key in the request is what it says instead. Raises
    ForeignOrigin where a page elsewhere may have sent it.
    """
    if "cookie" not in request.headers or request.headers.get("authorization", "").lower().startswith("bearer"):
        return None
    token = request.cookies.get(_name(request, settings))
    if token is None:
        return None
    if request.method not in SAFE and not _is_own(request.headers, settings):
        raise ForeignOrigin(_detail(request.headers))
    return token


def refuse_foreign(request: Request, settings: Settings) -> None:
    """Raises ForeignOrigin where a page elsewhere sent this. No page at all, as with curl, is none."""
    if "origin" in request.headers and not _is_own(request.headers, settings):
        raise ForeignOrigin(_detail(request.headers))


def give(request: Request, response: Response, settings: Settings, token: str, expires_at: float) -> None:
    """Have the browser keep the token: no script sees it, and no page of another site has it sent."""
    name, age, is_secure = _name(request, settings), round(expires_at - time.time()), _is_secure(request, settings)
    response.set_cookie(name, token, max_age=age, path="/", secure=is_secure, httponly=True, samesite="strict")


def take_back(request: Request, response: Response, settings: Settings) -> None:
    """Have the browser forget the token."""
    is_secure = _is_secure(request, settings)
    response.delete_cookie(_name(request, settings), path="/", secure=is_secure, httponly=True, samesite="strict")


def _name(request: Request, settings: Settings) -> str:
    """The cookie's name has the port, as browsers send a host's cookies to all of its ports. Under HTTPS it has the prefix by
    which browsers take it from this very host alone (RFC 6265bis, section 4.1.3.2).
    """
    port = _split(request.headers.get("host", ""))[1].replace(":", "-")
    return ("__Host-" if _is_secure(request, settings) else "") + NAME + port


def _is_secure(request: Request, settings: Settings) -> bool:
    return is_https(request.scope, settings.proxies) or (settings.public_origin or "").startswith("https:")


def _is_own(headers: Headers, settings: Settings) -> bool:
    """Whether a page of this server sent this: one of the host and port that the request names, or of the public address."""
    sent = headers.getlist("origin")
    found = ORIGIN.fullmatch(sent[0].lower()) if len(sent) == 1 else None
    if found is None:
        return False
    scheme, place = found[1], found[2]
    public = ORIGIN.fullmatch(settings.public_origin or "")
    known = {_with_port(headers.get("host", "").lower(), scheme)} | ({_with_port(public[2], public[1])} if public else set())
    return _with_port(place, scheme) in known


def _with_port(host: str, scheme: str) -> tuple[str, str]:
    name, port = _split(host)
    return name.removesuffix("."), port or DEFAULT_PORTS.get(scheme, "")


def _split(host: str) -> tuple[str, str]:
    """The name in a Host field or an origin, and its port with the colon before it."""
    name, colon, port = host.rpartition(":")
    return (name, f":{port}") if colon and port.isdecimal() else (host, "")


def _detail(headers: Headers) -> str:
    sent = ", ".join(headers.getlist("origin"))[:LONGEST_TOLD]
    by = f"a page of '{sent}'" if sent else "no page that says its Origin"
    return (
        f"{by} sent this, and a session is for the pages of this server alone; send a key instead (Authorization: Bearer …), "
        "or, where these are its pages behind a proxy, set VIDRO_PUBLIC_URL on the server to the address that browsers show"
    )
