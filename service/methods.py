"""HEAD wherever GET is, OPTIONS wherever anything is, and which methods a path has."""

import re

import anyio
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FROM_ROUTER = ("route", "endpoint", "path_params")
"""Keys that the router writes into a request's scope."""


def methods_of(app: FastAPI, path: str) -> set[str]:
    """The methods that the routes of a path have by themselves; empty where no route has that path."""
    table = getattr(app.state, "methods", None)
    if table is None:
        table = app.state.methods = _table(app)
    # The first, for what is no id, as /v1/jobs/summary, stands before what takes one.
    return next((methods for pattern, methods in table if pattern.match(path)), set())


def _table(app: FastAPI) -> list[tuple[re.Pattern[str], set[str]]]:
    found: dict[str, set[str]] = {}
    for route in iter_route_contexts(app.routes):
        if route.path is not None and route.methods:
            found.setdefault(route.path, set()).update(route.methods)
    return [(compile_path(path)[0], methods) for path, methods in found.items()]


def allowed(app: FastAPI, path: str) -> list[str]:
    """Every method that is answered at a path, as in Allow; empty where there is nothing at it."""
    methods = methods_of(app, path)
    return sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())) if methods else []


class Methods:
    """Answers HEAD as GET without its body, and OPTIONS with the methods of the path, where no route does."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] in ("HEAD", "OPTIONS"):
            methods = methods_of(scope["app"], scope["path"])
            if scope["method"] == "HEAD" and ("GET" in methods or "HEAD" not in methods):
                await self._head(scope, receive, send)
                return
            if scope["method"] == "OPTIONS" and methods and "OPTIONS" not in methods:
                answer = Response(status_code=204, headers={"Allow": ", ".join(allowed(scope["app"], scope["path"]))})
                await answer(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As GET, ended when its fields are sent and its body would begin to stream."""
        inner = {**scope, "method": "GET"}
        with anyio.CancelScope() as rest:

            async def send_fields(message: Message) -> None:
                is_start = message["type"] == "http.response.start"
                if is_start:
                    await send(message)
                if not is_start or "content-length" not in Headers(raw=message["headers"]):
                    await send({"type": "http.response.body", "body": b"", "more_body": False})
                    if is_start or message.get("more_body", False):
                        rest.cancel()
                        await anyio.lowlevel.checkpoint()

            await self.app(inner, receive, send_fields)
        scope.update({name: inner[name] for name in FROM_ROUTER if name in inner})
