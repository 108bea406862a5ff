"""The routes of the service: their bodies are read in bounds, and their requests wait for their turn."""

from collections.abc import Callable, Coroutine
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute

from service.bodies import read_body
from service.capacity import capacity_of

Function = TypeVar("Function", bound=Callable[..., Any])


def works_on(kind: str) -> Callable[[Function], Function]:
    """Say what kind of work an endpoint does, where it is more than to read or write a few rows."""

    def mark(endpoint: Function) -> Function:
        endpoint.work = kind  # type: ignore[attr-defined]
        return endpoint

    return mark


class Route(APIRoute):
    """A route whose requests wait for their turn. An endpoint that is a coroutine holds no thread, and takes turns itself."""

    @property
    def work(self) -> str | None:
        if iscoroutinefunction(self.endpoint):
            return None
        kind: str = getattr(self.endpoint, "work", "reads" if {"GET", "HEAD"} & (self.methods or set()) else "writes")
        return kind

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, work, body = super().get_route_handler(), self.work, self.body_field
        if work is None:
            return handle

        async def handle_in_turn(request: Request) -> Response:
            if body is not None:
                await read_body(request, body)  # a slow caller holds no turn while it sends
            async with capacity_of(request).turn(work):
                return await handle(request)

        return handle_in_turn
