"""Dependencies of routes: the store, the caller, a page, an idempotent answer."""

import hashlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import pydantic_core
from fastapi import Depends, Header, Query, Request
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from service import cookies
from service.hub import Hub
from service.origins import FOREIGN
from service.wrong_keys import WrongKey
from store import idempotency, keys, sessions
from store.connections import Store
from store.database import to_json
from store.keys import LOCAL, Caller
from store.settings import Settings

bearer = HTTPBearer(auto_error=False, description="a key from `vidro keys create`; needed once any key exists")


async def get_store(request: Request) -> Store:  # async, as below, where nothing is waited for: no thread is needed
    store: Store = request.app.state.store
    return store


StoreOf = Annotated[Store, Depends(get_store)]


def get_caller(
    request: Request, store: StoreOf, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Caller:
    """Whom the bearer key or the browser's session speaks for. While there has been no key, everybody on this machine, and
    nobody else.
    """
    found = find_caller(request, store, credentials)
    if found is not None:
        return found
    detail = "send a key that is known here, as in Authorization: Bearer …; `vidro keys create` makes one"
    raise (HTTPException if credentials is None else WrongKey)(401, detail, {"WWW-Authenticate": "Bearer"})


def find_caller(request: Request, store: Store, credentials: HTTPAuthorizationCredentials | None) -> Caller | None:
    """As `get_caller`; None where it is nobody who is known."""
    token = cookies.token_of(request, store.settings) if credentials is None else None
    with store.database.glancing() as session:
        found = keys.caller(session, credentials.credentials) if credentials is not None else None
        if token is not None:
            found = sessions.caller(session, token)
        if found is not None:
            request.app.state.key_uses.note(found.key_id)
        elif credentials is None and not getattr(request.state, FOREIGN, False) and not needs_key(session, store.settings):
            found = LOCAL
    if found is not None:
        request.state.caller = found  # for the log
    return found


def needs_key(session: Session, settings: Settings) -> bool:
    """Whether nobody is let in without a key."""
    return not settings.is_local or keys.configured(session)


def scoped(scope: str) -> Callable[[Caller], Awaitable[Caller]]:
    """The caller, who must hold that scope."""

    async def check(caller: Annotated[Caller, Depends(get_caller)]) -> Caller:
        _refuse_without(scope, caller)
        return caller

    return check


def _refuse_without(scope: str, caller: Caller) -> None:
    if not caller.scopes & {scope, "admin"}:
        raise HTTPException(403, f"this key may not {scope}; it has {', '.join(sorted(caller.scopes))}")


def may_write(caller: Caller) -> None:
    """Refuse who may only read, where it is found out late that something is to be stored."""
    _refuse_without("write", caller)


_may_read = scoped("read")


async def get_hub(request: Request) -> Hub:
    hub: Hub = request.app.state.hub
    return hub


HubOf = Annotated[Hub, Depends(get_hub)]


async def get_watcher(
    request: Request, store: StoreOf, hub: HubOf, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
) -> Caller:
    """A caller who may read, looked up by one of the few threads of streams: after a restart thousands come at once."""
    return await _may_read(await hub.run(get_caller, request, store, credentials))


Reader = Annotated[Caller, Depends(_may_read)]
Watcher = Annotated[Caller, Depends(get_watcher)]
Writer = Annotated[Caller, Depends(scoped("write"))]


@dataclass(frozen=True)
class Page:
    """Which page of a list, and how long."""

    size: int
    token: str | None


PageToken = Annotated[str | None, Query(description="next_page_token of the page before")]


async def get_page(
    page_size: Annotated[int, Query(ge=1, le=1000, description="items a page")] = 50,
    page_token: PageToken = None,
) -> Page:
    return Page(page_size, page_token)


PageOf = Annotated[Page, Depends(get_page)]
EventsAPage = Annotated[int, Query(ge=1, le=1000)]
LastEventId = Annotated[
    str | None, Header(description="go on after the event with this id, whatever `from` says: browsers send it")
]
IdempotencyKey = Annotated[
    str | None, Header(min_length=1, max_length=255, description="the same key and body get the same answer, for a day")
]


class Once:
    """The answer to a POST: made once, and given again for the same Idempotency-Key and request."""

    def __init__(self, store: Store, caller: Caller, key: str | None) -> None:
        self.store, self.owner, self.key = store, caller.owner, key
        self.answer: idempotency.Answer | None = None

    def give(self, session: Session, status: int, location: str, resource: dict[str, Any]) -> None:
        """Settle the answer, in the transaction that makes the resource."""
        self.answer = idempotency.Answer(status, location, resource)
        if self.key is not None:
            idempotency.complete(session, self.owner, self.key, self.answer)

    @property
    def response(self) -> JSONResponse:
        assert self.answer is not None
        return ResourceResponse(self.answer.response, self.answer.status, {"Location": self.answer.location or ""})


class ResourceResponse(JSONResponse):
    """JSON in which a number that is not finite is a string."""

    def render(self, content: Any) -> bytes:
        try:
            return pydantic_core.to_json(content, inf_nan_mode="strings")  # ten times as fast with many numbers
        except ValueError:  # half of a pair of surrogates, which only an escape can say
            return to_json(content).encode()


@contextmanager
def once(store: Store, caller: Caller, key: str | None, path: str, body: Any) -> Iterator[Once]:
    """`with once(…) as answer: if answer.answer is None: …` does the work once for a key, again only if it failed."""
    settled = Once(store, caller, key)
    if key is None:
        yield settled
        return
    fingerprint = hashlib.sha256(to_json([path, body]).encode()).hexdigest()
    settled.answer = idempotency.begin(store.database, caller.owner, key, fingerprint)
    if settled.answer is not None:
        yield settled
        return
    try:
        yield settled
    except BaseException:
        idempotency.abandon(store.database, caller.owner, key)
        raise
