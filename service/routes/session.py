"""A browser's session: the browser gives its key once, and is known by a cookie that no script sees from then on."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.security import HTTPAuthorizationCredentials

from service import cookies
from service.dependencies import ResourceResponse, StoreOf, bearer, find_caller, needs_key
from service.responses import problems
from service.routing import Route
from service.schemas.session import SessionRequest, SessionResource
from service.wrong_keys import WrongKey
from store import sessions
from store.connections import Store
from store.keys import Caller

router = APIRouter(prefix="/v1/session", tags=["session"], route_class=Route)
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]
FRESH = {"Cache-Control": "no-store"}


async def get_token(store: StoreOf, request: Request) -> str | None:
    """The token of the session that was begun before. Raises ForeignOrigin for what a page elsewhere sent."""
    cookies.refuse_foreign(request, store.settings)
    return cookies.token_of(request, store.settings)


TokenBefore = Annotated[str | None, Depends(get_token)]


@router.get("", response_model=SessionResource, responses=problems())
def get_session(store: StoreOf, request: Request, credentials: Credentials) -> Response:
    """Whether a key is needed, and whom this request speaks for: by a key, by a session's cookie, or, while there has been no
    key, as everybody on this machine. A stranger gets an answer, too, in which `owner` is null.
    """
    found = find_caller(request, store, credentials)
    if found is None and credentials is not None:
        raise WrongKey(401, "send a key that is known here, or none", {"WWW-Authenticate": "Bearer"})
    answer = _answer(store, found)
    has_ended = found is None or found.session_id is None
    if has_ended and cookies.token_of(request, store.settings) is not None:
        cookies.take_back(request, answer, store.settings)
    return answer


@router.post("", status_code=201, response_model=SessionResource, responses=problems(413, 415))
def begin_session(store: StoreOf, request: Request, before: TokenBefore, body: SessionRequest) -> Response:
    """Sign a browser in: the answer sets a random token in a cookie, which stands for the key until the session or the key
    ends. Pages of other origins send the key with each request instead. What changes something and has the cookie needs an
    `Origin` whose host and port are those of `Host`, or of VIDRO_PUBLIC_URL, as browsers send it. A key in `Authorization`
    goes before the cookie.
    """
    with store.database.transaction() as session:
        begun = sessions.begin(session, body.key, store.settings.session_hours)
        if begun is not None and before is not None:
            sessions.end(session, before)
    if begun is None:
        detail = "this key is not known here, or it was revoked; whoever runs the server makes one: vidro keys create"
        raise WrongKey(401, detail, {"WWW-Authenticate": "Bearer"})
    found, token = begun
    request.app.state.key_uses.note(found.key_id)
    request.state.caller = found  # for the log
    answer = _answer(store, found, 201, {"Location": "/v1/session"})
    cookies.give(request, answer, store.settings, token, found.expires_at or 0)
    return answer


@router.delete("", status_code=204, responses=problems())
def end_session(store: StoreOf, request: Request, token: TokenBefore) -> Response:
    """Sign the browser out. Its event streams end within seconds. Without a session nothing happens."""
    if token is not None:
        with store.database.transaction() as session:
            sessions.end(session, token)
    answer = Response(status_code=204, headers=FRESH)
    cookies.take_back(request, answer, store.settings)
    return answer


def _answer(store: Store, caller: Caller | None, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    with store.database.glancing() as session:
        is_needed = needs_key(session, store.settings)
    document = SessionResource(
        needs_key=is_needed,
        owner=caller and caller.owner,
        scopes=sorted(caller.scopes) if caller else [],
        key_id=caller and caller.key_id,
        expires_at=caller and caller.expires_at,
    )
    return ResourceResponse(document.document(), status, {**FRESH, **(headers or {})})
