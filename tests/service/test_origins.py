"""Pages: those of listed origins may call and read everything; with no key, no other page and no other host's name may."""

from collections.abc import Callable

import pytest
from sqlalchemy.exc import OperationalError

from service.origins import METHODS, READABLE, SENDABLE
from service.routes import glass
from store import keys
from store.settings import Settings
from tests.service.conftest import Stage
from tests.service.routes import calls

PAGE = "https://app.example"
SAFE = {"cache-control", "content-language", "content-length", "content-type", "expires", "last-modified", "pragma"}
"""Fields of an answer that any page may read (Fetch, section 2.2.2)."""
BROWSER = {
    "access-control-allow-origin",
    "access-control-expose-headers",
    "vary",
    "date",
    "server",
    "connection",
    "x-content-type-options",
}


def bearer(stage: Stage, *scopes: str) -> dict[str, str]:
    with stage.place.database.transaction() as session:
        return {"Authorization": f"Bearer {keys.create(session, 'ana', list(scopes))[1]}"}


def test_a_listed_page_reads_every_answer_and_event(make_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    stage = make_stage(cors_origins=f"https://other.example, {PAGE}", max_body_bytes=100_000)
    job = stage.job(stage.sample("xor"), "y", "mlp", epochs=2)
    monkeypatch.setattr(glass, "_catalog", lambda: 1 / 0)
    for method, path, status in [
        ("GET", "/v1/jobs", 200),
        ("HEAD", "/v1/jobs", 200),
        ("GET", f"/v1/jobs/{job['id']}/events", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/v1/jobs/none", 404),
        ("PUT", "/v1/jobs", 405),
        ("GET", "/v1/jobs?page_size=0", 422),
        ("POST", "/v1/jobs", 413),
        ("GET", "/v1/catalog", 500),
    ]:
        body = b"[" + b"1," * 100_000 if status == 413 else b""
        answer = stage.client.request(method, path, headers={"Origin": PAGE, "Sec-Fetch-Site": "cross-site"}, content=body)
        assert answer.status_code == status, answer.text
        assert answer.headers["access-control-allow-origin"] == PAGE, path
        assert "access-control-allow-credentials" not in answer.headers
        assert "Origin" in answer.headers["vary"]
        assert {"etag", "location", "retry-after", "x-request-id", "upload-offset"} <= set(
            answer.headers["access-control-expose-headers"].lower().split(", ")
        )


def test_a_page_that_is_not_listed_reads_nothing(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(cors_origins="https://other.example")
    key = bearer(stage, "read")
    answer = stage.client.get("/v1/jobs", headers={"Origin": PAGE, **key})
    assert answer.status_code == 200  # whoever has a key may ask; the browser keeps the answer from the page
    assert "access-control-allow-origin" not in answer.headers
    assert "Origin" in answer.headers["vary"]


def test_a_preflight_needs_no_key_and_a_refused_one_says_why(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(cors_origins=PAGE)
    bearer(stage, "read")
    for method in METHODS:
        asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": ", ".join(SENDABLE).lower()}
        answer = stage.client.options("/v1/jobs", headers={"Origin": PAGE, **asked})
        assert answer.status_code == 200, answer.text
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert method in answer.headers["access-control-allow-methods"]
    refused = stage.client.options("/v1/jobs", headers={"Origin": "https://evil.example", **asked})
    assert refused.status_code == 403
    assert refused.json()["code"] == "PREFLIGHT_REFUSED"
    assert "VIDRO_CORS_ORIGINS" in refused.json()["detail"]
    assert refused.json()["request_id"] == refused.headers["x-request-id"]
    assert "access-control-allow-origin" not in refused.headers


def test_every_field_and_method_that_there_is_can_be_sent(stage: Stage) -> None:
    document = stage.client.get("/openapi.json").json()
    named = {
        parameter["name"].lower()
        for operations in document["paths"].values()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "header"
    }
    assert "upload-offset" in named
    assert named <= {name.lower() for name in SENDABLE}
    assert {call.method for call in calls(stage.client.app)} <= set(METHODS)


def test_every_field_of_an_answer_can_be_read(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(cors_origins=PAGE)
    page = {"Origin": PAGE}
    begun = stage.client.post("/v1/uploads?filename=t.csv", headers={"Upload-Complete": "?0", **page}, content=b"a,b\n1,2\n")
    at = begun.headers["location"]
    parts = {"Content-Type": "application/partial-upload", "Upload-Offset": "8", "Upload-Complete": "?1", **page}
    answers = [
        begun,
        stage.client.head(at, headers=page),
        stage.client.patch(at, headers={**parts, "Content-Type": "text/csv"}, content=b""),
        stage.client.patch(at, headers={**parts, "Upload-Offset": "3"}, content=b"x"),
        stage.client.patch(at, headers=parts, content=b"3,4\n"),
        stage.client.head(at, headers=page),
        stage.client.options("/v1/uploads", headers=page),
        stage.client.put("/v1/jobs", headers=page),
        stage.client.get("/v1/jobs", headers=page),
        stage.client.get(f"/v1/datasets/{stage.sample('xor')}/content", headers=page),
    ]
    bearer(stage, "read")
    answers.append(stage.client.get("/v1/jobs", headers=page))
    seen = {name for answer in answers for name in answer.headers}
    assert {"upload-offset", "upload-limit", "accept-patch", "content-location", "www-authenticate", "allow"} <= seen
    assert seen - SAFE - BROWSER - {"accept-ranges", "content-encoding"} <= {name.lower() for name in READABLE}


def test_all_origins_may_be_listed_and_open_nothing_without_a_key(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(cors_origins="*")
    assert stage.client.get("/v1/jobs", headers={"Origin": PAGE}).status_code == 403
    answer = stage.client.get("/v1/jobs", headers={"Origin": PAGE, **bearer(stage, "read")})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers


FOREIGN: dict[str, tuple[dict[str, str], str]] = {
    "another origin": ({"Origin": "https://evil.example"}, "FOREIGN_ORIGIN"),
    "another port of this machine": ({"Origin": "http://127.0.0.1:3000"}, "FOREIGN_ORIGIN"),
    "another scheme": ({"Origin": "https://127.0.0.1"}, "FOREIGN_ORIGIN"),
    "no origin of its own": ({"Origin": "null"}, "FOREIGN_ORIGIN"),
    "no origin at all": ({"Origin": ""}, "FOREIGN_ORIGIN"),
    "cross-site": ({"Sec-Fetch-Site": "cross-site"}, "FOREIGN_ORIGIN"),
    "same-site": ({"Sec-Fetch-Site": "same-site"}, "FOREIGN_ORIGIN"),
    "a link": ({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, "FOREIGN_ORIGIN"),
    "another host": ({"Host": "evil.example"}, "FOREIGN_HOST"),
    "rebinding": ({"Host": "evil.example:8000", "Origin": "http://evil.example:8000"}, "FOREIGN_HOST"),
    "every address of this machine": ({"Host": "0.0.0.0:8000"}, "FOREIGN_HOST"),
    "a name that begins like this machine's": ({"Host": "127.0.0.1.evil.example"}, "FOREIGN_HOST"),
    "a host that is none": ({"Host": "[::1"}, ""),
}


def test_every_route_refuses_what_a_foreign_page_sent(stage: Stage) -> None:
    client = stage.client
    kinds = [entry for entry in FOREIGN.values() if entry[1]]
    for number, (method, path, _) in enumerate([*calls(client.app), *[("POST", path, None) for path in ("/", "/nowhere")]]):
        sent, code = kinds[number % len(kinds)]
        if code == "FOREIGN_HOST" and path in ("/healthz", "/readyz", "/metrics"):
            sent, code = FOREIGN["no origin of its own"]
        if not path.startswith("/v") and method != "POST":  # a link may lead to a page
            sent, code = FOREIGN["another origin"]
        answer = client.request(method, path, headers=sent)
        assert answer.status_code == 403, f"{method} {path} {sent}: {answer.text}"
        if method != "HEAD":
            assert answer.json()["code"] == code
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", [name for name, (_, code) in FOREIGN.items() if code])
def test_a_foreign_page_starts_nothing_and_is_told_the_remedy(stage: Stage, name: str) -> None:
    sent, code = FOREIGN[name]
    bodies = [
        {"content": b'{"sample": {"kind": "xor"}}', "headers": {"Content-Type": "application/json", **sent}},
        {"content": b'{"sample": {"kind": "xor"}}', "headers": {"Content-Type": "text/plain", **sent}},
        {"files": {"file": ("t.csv", b"a,b\n1,2\n")}, "headers": sent},
        {"data": {"name": "x"}, "headers": sent},
    ]
    for body in bodies:
        answer = stage.client.post("/v1/datasets", **body)
        assert (answer.status_code, answer.json()["code"]) == (403, code)
        assert "VIDRO_" in answer.json()["detail"]
        assert "vidro keys create" in answer.json()["detail"]
    assert stage.client.get("/v1/datasets").json()["items"] == []


@pytest.mark.parametrize(("path", "sent"), [
    ("/v1/jobs", {}),
    ("/v1/jobs", {"Origin": "http://127.0.0.1"}),
    ("/v1/jobs", {"Origin": "http://127.0.0.1:80", "Sec-Fetch-Site": "same-origin"}),
    ("/v1/jobs", {"Origin": "http://localhost:8000", "Host": "localhost:8000"}),
    ("/v1/jobs", {"Origin": "http://[::1]:8000", "Host": "[::1]:8000"}),
    ("/v1/jobs", {"Host": "app.localhost:8000"}),
    ("/v1/jobs", {"Host": "LOCALHOST."}),
    ("/v1/jobs", {"Host": "127.8.8.8:1"}),
    ("/v1/jobs", {"Host": "box.lan:8000"}),
    ("/v1/jobs", {"Origin": PAGE, "Sec-Fetch-Site": "cross-site"}),
    ("/v1/jobs", {"Origin": "https://APP.example:443", "Sec-Fetch-Site": "same-site"}),
    ("/v1/jobs", {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}),
    ("/docs", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}),
    ("/healthz", {"Host": "pod-7.cluster.example"}),
    ("/metrics", {"Host": "pod-7.cluster.example"}),
])  # fmt: skip
def test_everybody_else_is_let_in(make_stage: Callable[..., Stage], path: str, sent: dict[str, str]) -> None:
    stage = make_stage(cors_origins=f"{PAGE}/", allowed_hosts="Box.lan:8000")
    assert stage.client.get(path, headers=sent).status_code == 200


def test_a_foreign_frame_shows_no_page(stage: Stage) -> None:
    framed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}
    assert stage.client.get("/docs", headers=framed).status_code == 403


@pytest.mark.parametrize("sent", [entry for entry, _ in FOREIGN.values()])
def test_with_a_key_configured_the_key_is_the_proof(stage: Stage, sent: dict[str, str]) -> None:
    key = bearer(stage, "read")
    assert stage.client.get("/v1/jobs", headers={**sent, **key}).status_code == 200
    assert stage.client.get("/v1/jobs", headers=sent).status_code == 401


@pytest.mark.parametrize("given", ["Bearer", "Bearer guess", "Basic YTpi", "bearer  "])
def test_what_is_no_key_opens_nothing_to_a_foreign_page(stage: Stage, given: str) -> None:
    sent = {"Host": "evil.example", "Authorization": given}
    for path in ("/v1/jobs", "/v1/datasets", "/v1/catalog"):
        assert stage.client.get(path, headers=sent).status_code == 401


def test_what_goes_wrong_before_any_route_is_a_problem_that_the_page_can_read(
    make_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = make_stage(cors_origins=PAGE)

    def away(*_: object) -> bool:
        raise OperationalError("SELECT", {}, Exception("away"))

    for configured, status in ((away, 503), (lambda _: 1 / 0, 500)):
        monkeypatch.setattr(keys, "configured", configured)
        answer = stage.client.get("/v1/jobs", headers={"Origin": PAGE, "Host": "evil.example"})
        assert answer.status_code == status
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert answer.json()["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(("text", "expected"), [
    ("", set()),
    (" https://App.example:443/ ,http://localhost:3000,", {"https://app.example", "http://localhost:3000"}),
    ("http://a.example:80, chrome-extension://abc", {"http://a.example", "chrome-extension://abc"}),
    ("*", {"*"}),
])  # fmt: skip
def test_origins_are_read_as_browsers_write_them(text: str, expected: set[str]) -> None:
    assert Settings(cors_origins=text).origins == expected


@pytest.mark.parametrize("text", ["app.example", "null", "https://app.example/path", "https://", "https://*.app.example/x"])
def test_what_is_no_origin_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        _ = Settings(cors_origins=text).origins
