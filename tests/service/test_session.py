"""A browser's session: a cookie for a key, which ends with either, and which no other page makes use of."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from service.cookies import SAFE
from service.wrong_keys import FREE
from store import keys, sessions
from store.database import now
from store.tables import ApiKey, BrowserSession, Table
from tests.service.conftest import Stage
from tests.service.routes import calls

HOME = {"Origin": "http://127.0.0.1"}
COOKIE = re.compile(r"((?:__Host-)?vidro-session[-\d]*)=([\w-]+)")
IRIS = {"sample": {"kind": "iris"}}


def make_key(stage: Stage, owner: str = "ana", scopes: tuple[str, ...] = ("read", "write"), **given: Any) -> tuple[str, str]:
    """The key's id and its secret."""
    with stage.place.database.transaction() as session:
        key, secret = keys.create(session, owner, list(scopes), **given)
        return key.id, secret


def sign_in(stage: Stage, secret: str, headers: dict[str, str] = HOME) -> Any:
    return stage.client.post("/v1/session", json={"key": secret}, headers=headers)


def who(stage: Stage, **headers: str) -> str | None:
    found: str | None = stage.client.get("/v1/session", headers=headers).json()["owner"]
    return found


def test_without_a_key_everybody_here_is_known(stage: Stage) -> None:
    assert stage.client.get("/v1/session").json() == {
        "needs_key": False, "owner": "local", "scopes": ["admin", "read", "write"], "key_id": None, "expires_at": None,
    }  # fmt: skip
    assert sign_in(stage, "guess").status_code == 401
    assert stage.client.delete("/v1/session").status_code == 204


def test_a_key_is_given_once_and_the_cookie_stands_for_it(stage: Stage) -> None:
    key_id, secret = make_key(stage)
    stranger = stage.client.get("/v1/session")
    assert (stranger.status_code, stranger.headers["cache-control"]) == (200, "no-store")
    assert (stranger.json()["needs_key"], stranger.json()["owner"]) == (True, None)
    assert stage.client.get("/v1/jobs").status_code == 401

    begun = sign_in(stage, secret)
    assert (begun.status_code, begun.headers["location"]) == (201, "/v1/session")
    assert begun.json() == stage.client.get("/v1/session").json()
    assert (begun.json()["owner"], begun.json()["scopes"], begun.json()["key_id"]) == ("ana", ["read", "write"], key_id)
    assert stage.client.post("/v1/datasets", json=IRIS, headers=HOME).status_code == 201
    assert len(stage.client.get("/v1/datasets").json()["items"]) == 1

    token = COOKIE.search(begun.headers["set-cookie"])[2]
    assert token not in begun.text and secret not in begun.text
    assert stage.client.delete("/v1/session", headers=HOME).status_code == 204
    assert stage.client.get("/v1/jobs").status_code == 401
    assert (
        stage.client.get("/v1/jobs", headers={"Cookie": f"vidro-session={token}"}).status_code == 401
    )  # it has ended here, too


def test_neither_key_nor_token_is_stored(stage: Stage) -> None:
    _, secret = make_key(stage)
    token = COOKIE.search(sign_in(stage, secret).headers["set-cookie"])[2]
    with stage.place.database.reading() as session:
        stored = repr([session.execute(select(table)).all() for table in Table.metadata.sorted_tables])
    assert "ses_" in stored
    assert token not in stored and secret not in stored


FLAGS: list[tuple[dict[str, str], dict[str, str], str, bool]] = [
    ({}, {}, "vidro-session", False),
    ({}, {"Host": "127.0.0.1:8210"}, "vidro-session-8210", False),
    ({}, {"Host": "[::1]:8210"}, "vidro-session-8210", False),
    ({}, {"X-Forwarded-Proto": "https"}, "vidro-session", False),
    ({"trusted_proxies": "10.0.0.7"}, {"X-Forwarded-Proto": "https"}, "__Host-vidro-session", True),
    ({"trusted_proxies": "10.0.0.0/8"}, {"Forwarded": "for=1.2.3.4;proto=https"}, "__Host-vidro-session", True),
    ({"trusted_proxies": "10.0.0.7"}, {"X-Forwarded-Proto": "http"}, "vidro-session", False),
    ({"public_url": "https://vidro.example/"}, {"Host": "vidro.example"}, "__Host-vidro-session", True),
    ({"public_url": "http://vidro.example:81"}, {"Host": "vidro.example:81"}, "vidro-session-81", False),
]


@pytest.mark.parametrize(("given", "sent", "name", "is_secure"), FLAGS)
def test_the_cookie_is_for_this_server_and_no_script(
    make_stage: Callable[..., Stage], given: dict[str, str], sent: dict[str, str], name: str, is_secure: bool
) -> None:
    stage = make_stage(**given)
    stage.client._transport.client = ("10.0.0.7", 4711)  # type: ignore[attr-defined]
    _, secret = make_key(stage)
    begun = sign_in(stage, secret, sent)
    first, *flags = begun.headers["set-cookie"].split("; ")
    assert first.partition("=")[0] == name
    assert {"httponly", "samesite=strict", "path=/"} <= {flag.lower() for flag in flags}
    assert not any(flag.lower().startswith("domain") for flag in flags)
    assert ("Secure" in flags) == is_secure
    assert f"Max-Age={168 * 3600}" in flags
    assert who(stage, Cookie=first, **sent) == "ana"
    gone = stage.client.delete("/v1/session", headers={"Cookie": first, "Origin": "http://elsewhere.example", **sent})
    assert gone.status_code == 403
    assert who(stage, Cookie=first, **sent) == "ana"


FOREIGN = {
    "no page that says so": {},
    "a sandbox": {"Origin": "null"},
    "another site": {"Origin": "https://evil.example"},
    "another port": {"Origin": "http://127.0.0.1:3000"},
    "this port of another name": {"Origin": "http://localhost"},
    "what is no origin": {"Origin": "127.0.0.1"},
}


def test_no_other_page_changes_anything_by_the_cookie(stage: Stage) -> None:
    """On every route that is not safe: refused before anything is done, whatever the page."""
    _, secret = make_key(stage, scopes=("read", "write", "admin"))
    cookie = {"Cookie": COOKIE.search(sign_in(stage, secret).headers["set-cookie"])[0]}
    key = {"Authorization": f"Bearer {secret}"}
    unsafe = [call for call in calls(stage.client.app, "/v") if call.method not in SAFE]
    assert len(unsafe) > 20
    for number, (method, path, _) in enumerate(unsafe):
        page = list(FOREIGN.values())[number % len(FOREIGN)]
        answer = stage.client.request(method, path, headers={**cookie, **page})
        assert (answer.status_code, answer.json()["code"]) == (403, "FOREIGN_ORIGIN"), f"{method} {path} {page}"
        assert "VIDRO_PUBLIC_URL" in answer.json()["detail"]
        known = stage.client.request(method, path, headers={**cookie, **HOME}).status_code
        if path != "/v1/session":
            assert known not in (401, 403), f"{method} {path}"
            assert stage.client.request(method, path, headers={**cookie, **key, **page}).status_code == known
        else:
            cookie = {"Cookie": COOKIE.search(sign_in(stage, secret).headers["set-cookie"])[0]}


@pytest.mark.parametrize("page", FOREIGN.values(), ids=FOREIGN)
def test_no_other_page_starts_or_ends_a_session(stage: Stage, page: dict[str, str]) -> None:
    _, secret = make_key(stage)
    assert sign_in(stage, secret, page).status_code == (403 if page else 201)  # curl may
    sign_in(stage, secret)
    assert stage.client.post("/v1/datasets", json=IRIS, headers=page).status_code == 403
    assert stage.client.delete("/v1/session", headers=page).status_code == 403
    assert who(stage) == "ana"


OWN: list[tuple[dict[str, str], str, str, bool]] = [
    ({}, "127.0.0.1", "http://127.0.0.1:80", True),
    ({}, "Box.example:8000", "http://box.example:8000", True),
    ({}, "box.example", "https://box.example", True),
    ({}, "box.example:443", "https://box.example", True),
    ({}, "[::1]:8000", "http://[::1]:8000", True),
    ({}, "127.0.0.1:8000", "https://vidro.example", False),
    ({"public_url": "https://vidro.example"}, "127.0.0.1:8000", "https://vidro.example", True),
    ({"public_url": "https://vidro.example"}, "127.0.0.1:8000", "http://127.0.0.1:8000", True),
    ({"public_url": "https://vidro.example"}, "127.0.0.1:8000", "https://vidro.example:8443", False),
    ({"cors_origins": "https://app.example"}, "127.0.0.1:8000", "https://app.example", False),
    ({"cors_origins": "*"}, "127.0.0.1:8000", "https://app.example", False),
]


@pytest.mark.parametrize(("given", "host", "origin", "is_own"), OWN)
def test_which_pages_are_the_servers_own(
    make_stage: Callable[..., Stage], given: dict[str, str], host: str, origin: str, is_own: bool
) -> None:
    stage = make_stage(**given)
    _, secret = make_key(stage)
    begun = sign_in(stage, secret, {"Host": host, "Origin": origin})
    assert begun.status_code == (201 if is_own else 403), begun.text
    stage.client.cookies.clear()
    cookie = COOKIE.search(sign_in(stage, secret, {"Host": host}).headers["set-cookie"])[0]
    asked = {"Host": host, "Origin": origin, "Cookie": cookie}
    assert stage.client.post("/v1/datasets", json=IRIS, headers=asked).status_code == (201 if is_own else 403)
    answer = stage.client.get("/v1/datasets", headers=asked)
    assert "access-control-allow-credentials" not in answer.headers


def test_the_header_goes_before_the_cookie(stage: Stage) -> None:
    _, ana = make_key(stage)
    _, ben = make_key(stage, "ben")
    sign_in(stage, ana)
    assert who(stage) == "ana"
    assert who(stage, Authorization=f"Bearer {ben}") == "ben"
    assert stage.client.get("/v1/jobs", headers={"Authorization": "Bearer guess"}).status_code == 401
    assert stage.client.get("/v1/session", headers={"Authorization": "Bearer guess"}).status_code == 401
    assert who(stage, Authorization="Basic YTpi") == "ana"  # which a proxy before the server may ask browsers for


def ends_by_itself(stage: Stage, key_id: str) -> None:
    with stage.place.database.transaction() as session:
        session.execute(update(BrowserSession).values(expires_at=now() - 1))


def ends_with_its_key(stage: Stage, key_id: str) -> None:
    with stage.place.database.transaction() as session:
        session.execute(update(ApiKey).values(expires_at=now() - 1))


def is_revoked_with_its_key(stage: Stage, key_id: str) -> None:
    with stage.place.database.transaction() as session:
        keys.revoke(session, key_id)


@pytest.mark.parametrize("ends", [ends_by_itself, ends_with_its_key, is_revoked_with_its_key])
def test_a_session_that_has_ended_is_nobodys_and_is_swept(stage: Stage, ends: Callable[[Stage, str], None]) -> None:
    key_id, secret = make_key(stage)
    begun = sign_in(stage, secret)
    proofs = {session_id_of(stage), None}
    with stage.place.database.transaction() as session:
        assert sessions.forget_ended(session) == 0
        assert keys.valid(session, proofs) == proofs - {None}  # as the event streams ask
    ends(stage, key_id)
    assert stage.client.get("/v1/jobs").status_code == 401
    assert stage.client.post("/v1/datasets", json=IRIS, headers=HOME).status_code == 401
    with stage.place.database.reading() as session:
        assert keys.valid(session, proofs) == set()
    told = stage.client.get("/v1/session", headers={"Cookie": COOKIE.search(begun.headers["set-cookie"])[0]})
    assert told.json()["owner"] is None
    assert "Max-Age=0" in told.headers["set-cookie"]  # the browser sends it no more
    with stage.place.database.transaction() as session:
        assert sessions.forget_ended(session) == 1


def session_id_of(stage: Stage) -> str:
    with stage.place.database.reading() as session:
        return session.scalars(select(BrowserSession.id)).one()


def test_with_the_keys_gone_the_sessions_are(stage: Stage) -> None:
    _, secret = make_key(stage)
    sign_in(stage, secret)
    with stage.place.database.transaction() as session:
        keys.open_to_all(session)
        assert session.scalars(select(BrowserSession.id)).all() == []
    assert who(stage) == "local"


def test_a_key_that_ends_sooner_ends_its_session(stage: Stage) -> None:
    with stage.place.database.reading() as session:
        soon = stage.place.database.clock(session) + 600
    _, secret = make_key(stage, expires_at=soon)
    age = int(re.search(r"Max-Age=(\d+)", sign_in(stage, secret).headers["set-cookie"])[1])
    assert 500 < age <= 601
    with stage.place.database.transaction() as session:
        session.execute(update(ApiKey).values(expires_at=now() - 1))
    assert sign_in(stage, secret).json()["code"] == "KEY_EXPIRED"


def test_signing_in_again_ends_the_session_before(stage: Stage) -> None:
    _, secret = make_key(stage)
    _, other = make_key(stage, "ben")
    sign_in(stage, secret)
    before = session_id_of(stage)
    assert sign_in(stage, "guess").status_code == 401
    assert who(stage) == "ana"
    sign_in(stage, other)
    assert (who(stage), session_id_of(stage) == before) == ("ben", False)


def test_sessions_of_a_key_are_bounded(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST_EACH", 3)
    _, secret = make_key(stage)
    cookies = []
    for _ in range(5):
        stage.client.cookies.clear()
        cookies.append(COOKIE.search(sign_in(stage, secret).headers["set-cookie"])[0])
    stage.client.cookies.clear()
    assert [who(stage, Cookie=cookie) for cookie in cookies] == [None, None, "ana", "ana", "ana"]


def test_wrong_keys_are_slowed_here_too(stage: Stage) -> None:
    make_key(stage)
    answers = [sign_in(stage, "guess") for _ in range(FREE + 1)]
    assert [answer.status_code for answer in answers] == [401] * FREE + [429]
    assert answers[0].json()["code"] == "UNAUTHENTICATED"
    assert "vidro keys create" in answers[0].json()["detail"]


@pytest.mark.parametrize(("body", "status", "pointer"), [
    ({}, 422, "/key"),
    ({"key": ""}, 422, "/key"),
    ({"key": 7}, 422, "/key"),
    ({"key": "hush" * 300}, 422, "/key"),
    ({"key": "a", "more": 1}, 422, "/more"),
    ({"key": "\ud800"}, 422, None),
    ({"key": "a" * 10_000}, 413, None),
])  # fmt: skip
def test_what_is_no_key_is_refused_without_repeating_it(stage: Stage, body: Any, status: int, pointer: str | None) -> None:
    make_key(stage)
    answer = stage.client.post("/v1/session", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code == status
    assert "hush" not in answer.text and "aaaa" not in answer.text
    if pointer:
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_body_in_pieces_is_read_from_a_stranger(stage: Stage) -> None:
    _, secret = make_key(stage)
    pieces = iter([b'{"key": "', secret.encode(), b'"}'])
    headers = {"Content-Type": "application/json", **HOME}
    assert stage.client.post("/v1/session", content=pieces, headers=headers).status_code == 201
