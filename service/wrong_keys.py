"""Wrong keys slow their address down. A right key is looked up first and is never slowed: classrooms share an address."""

import asyncio
import math

from cachetools import TTLCache
from fastapi import Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from service.addresses import address_of, network_of
from service.problems import respond
from store.settings import Settings

WINDOW_SECONDS = 300
FREE = 10
"""Wrong keys of an address within the window that are answered at once."""
MOST_SECONDS = 5.0
"""The longest that an answer is held back."""
MOST_HELD = 200
"""Answers that are held back at once; further ones are given at once."""
MOST_ADDRESSES = 10_000


class WrongKey(HTTPException):
    """A key that is not known here."""


class WrongKeys:
    """How many wrong keys have come from an address lately."""

    def __init__(self, setting: Settings) -> None:
        self._proxies = setting.proxies
        self._counts: TTLCache[str, int] = TTLCache(MOST_ADDRESSES, WINDOW_SECONDS)
        self._held = 0

    async def answer(self, request: Request, error: WrongKey) -> Response:
        """401; from an address that has sent many, 429 and later with each. Holds no thread."""
        address = network_of(address_of(request.scope, self._proxies))
        self._counts[address] = count = self._counts.get(address, 0) + 1
        if count <= FREE:
            return respond(request, "UNAUTHENTICATED", 401, error.detail, headers=error.headers)
        seconds = min(MOST_SECONDS, 0.1 * 2 ** min(count - FREE, 10))
        if self._held < MOST_HELD:
            self._held += 1
            try:
                await asyncio.sleep(seconds)
            finally:
                self._held -= 1
        detail = f"{count} wrong keys have come from your address in the last minutes; a right key is taken at once"
        headers = {"Retry-After": str(math.ceil(seconds)), **(error.headers or {})}
        return respond(request, "TOO_MANY_REQUESTS", 429, detail, headers=headers)
