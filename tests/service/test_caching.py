"""What is read can be kept: ETag and 304, true Vary, compression, and HEAD and OPTIONS at every path."""

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import zstandard

from service.views import DASHBOARD
from store import curves, datasets, keys
from tests.service.conftest import Stage, stages
from tests.service.routes import calls
from worker.training import run

ELSEWHERE = ("/assets/", "/icon.svg", "/v1/session")
"""What is kept for ever, may not have been built, or is never kept: their own tests look at them."""
LARGE = "a,b\n" + "".join(f"{n},{n * n}\n" for n in range(4000))


class Here(NamedTuple):
    """A stage, a dataset whose table is a file, and a job on it that is done."""

    stage: Stage
    dataset: str
    job: dict[str, Any]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Here]:
    with stages(tmp_path_factory.mktemp("caching"), migrated) as make:
        stage = make(inline_bytes=10_000)
        dataset = stage.csv(LARGE).json()["id"]
        yield Here(stage, dataset, stage.job(dataset, "b", "linear_regression"))


@pytest.fixture(scope="module")
def reads(here: Here) -> list[str]:
    """An address of every GET route, of things that are there."""
    stage, dataset, job = here
    images = stage.sample("digits")
    names = {"{dataset_id}": dataset, "{job_id}": job["id"], "{model_id}": job["model_id"], "{family}": "loss"}
    model = {"layers": [{"kind": "conv2d", "filters": 2, "kernel": 3}]}
    seeing = stage.job(images, "digit", "network", model=model, epochs=1)["id"]
    clusters = stage.job(dataset, None, "k_means", model={"clusters": 2, "restarts": 1})["id"]
    correcting = stage.job(stage.sample("and"), "y", "perceptron")["id"]
    replay = stage.client.post(f"/v1/jobs/{correcting}/replay", json={}).json()["id"]
    run(stage.place, replay)
    names["{group_id}"] = stage.client.post(f"/v1/jobs/{correcting}/repeat", json={"seeds": 2}).json()["id"]
    found = []
    for method, _, route in calls(stage.client.app):
        path = route.path or ""
        for name, value in names.items():
            path = path.replace(name, value)
        path = path.replace("functions/loss/{name}", "functions/loss/mse").replace("{name}", "bowl")
        if "/images" in path:
            path = path.replace(dataset, images).replace("{row}", "0")
        if path.endswith(("/filters", "/feature_maps")):
            path = path.replace(job["id"], seeing)
        if path.endswith("/clusters"):
            path = path.replace(job["id"], clusters)
        if path.endswith("/result"):
            path = path.replace(job["id"], replay)
        if path.endswith("/updates"):
            path = path.replace(job["id"], correcting)
        if method == "GET" and not path.startswith(ELSEWHERE) and not path.endswith(("/events", "/readyz")):
            found.append(path.replace("docs/assets/bowl", "docs/assets/swagger-ui.css"))
    query = {
        "/v1/compare": f"?jobs={job['id']}",
        f"/v1/jobs/{seeing}/feature_maps": "?row=0",
        f"/v1/datasets/{dataset}/histogram": "?column=a",
        f"/v1/datasets/{dataset}/relation": "?x=a&y=b",
        f"/v1/datasets/{dataset}/warnings": "?target=b",
        f"/v1/models/{job['model_id']}/dependence": "?feature=a",
    }
    return [path + query.get(path, "") for path in found]


def test_everything_that_is_read_has_a_tag_that_spares_reading_it_again(here: Here, reads: list[str]) -> None:
    stage = here.stage
    assert len(reads) > 25
    for path in reads:
        answer = stage.client.get(path, headers={"Accept-Encoding": "identity"}, follow_redirects=False)
        assert answer.status_code == 200, f"{path} {answer.text}"
        kept = "no-cache" if any(pattern.fullmatch(path) for pattern in DASHBOARD) else "private, no-cache"
        assert answer.headers["cache-control"] == kept, path
        if path == "/metrics":
            continue  # which each request changes
        tag = answer.headers["etag"]
        again = stage.client.get(path, headers={"If-None-Match": f'"other", W/{tag}'})
        assert (again.status_code, again.content) == (304, b""), path
        assert again.headers["etag"].removeprefix("W/") == tag
        assert again.headers["cache-control"] == kept
        assert set(answer.headers["vary"].split(", ")) <= set(again.headers["vary"].split(", "))
        assert "content-length" not in again.headers
        assert stage.client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200
        assert stage.client.get(path, headers={"If-None-Match": "*"}).status_code == 304


def test_head_is_get_without_its_body(here: Here, reads: list[str]) -> None:
    stage = here.stage
    for path in (path for path in reads if path != "/metrics"):
        for coding in ("identity", "gzip"):
            got = stage.client.get(path, headers={"Accept-Encoding": coding}, follow_redirects=False)
            head = stage.client.head(path, headers={"Accept-Encoding": coding}, follow_redirects=False)
            assert (head.status_code, head.content) == (got.status_code, b""), path
            ours = {name: value for name, value in got.headers.items() if name != "x-request-id"}
            assert {name: value for name, value in head.headers.items() if name != "x-request-id"} == ours, path
    assert stage.client.head("/nowhere").status_code == 404
    assert 'method="HEAD",route="/v1/jobs"' in stage.client.get("/metrics").text


def test_head_does_not_wait_for_a_stream(here: Here) -> None:
    stage = here.stage
    body = {"dataset_id": here.dataset, "target": "b", "model": {"kind": "linear_regression"}}
    job = stage.client.post("/v1/jobs", json=body).json()["id"]
    answer = stage.client.head(f"/v1/jobs/{job}/events")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers
    rows = stage.client.head(f"/v1/jobs/{job}/curves", headers={"Accept": "text/csv"})
    assert rows.headers["content-type"].startswith("text/csv")


def test_every_path_says_which_methods_it_has(here: Here) -> None:
    stage = here.stage
    by_path: dict[str, set[str]] = {}
    for method, path, _ in calls(stage.client.app):
        by_path.setdefault(path, {"OPTIONS"}).update([method, "HEAD"] if method == "GET" else [method])
    for path, methods in by_path.items():
        refused = stage.client.request("PUT", path)
        assert refused.status_code == 405
        assert set(refused.headers["allow"].split(", ")) >= methods, path
        assert refused.headers["allow"] in refused.json()["detail"]
        if path != "/v1/uploads":  # which has an answer of its own
            told = stage.client.options(path)
            assert (told.status_code, told.headers["allow"]) == (204, refused.headers["allow"])
    assert stage.client.put("/v1/datasets").headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert stage.client.options("/v1/jobs/summary").headers["allow"] == "GET, HEAD, OPTIONS"  # not those of /v1/jobs/{job_id}
    assert stage.client.options("/nowhere").status_code == 404


def test_whose_right_has_gone_gets_no_304(stage: Stage) -> None:
    dataset = stage.iris()
    tag = {"If-None-Match": stage.client.get(f"/v1/datasets/{dataset}/content").headers["etag"]}
    with stage.place.database.transaction() as session:
        ben = {"Authorization": f"Bearer {keys.create(session, 'ben', ['read'])[1]}"}
    assert stage.client.get(f"/v1/datasets/{dataset}/content", headers=tag).status_code == 401
    assert stage.client.get(f"/v1/datasets/{dataset}/content", headers={**tag, **ben}).status_code == 404


def test_what_digests_name_is_not_made_for_a_304(here: Here, reads: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    stage, _, job = here
    paths = [f"/v1/jobs/{job['id']}/{part}" for part in ("weights", "weights?format=npz", "evaluation", "curves")]
    paths += [f"/v1/datasets/{job['dataset_id']}/{part}" for part in ("content", "rows")]
    paths += [path for path in reads if "/filters" in path or "/feature_maps" in path]
    tags = {path: stage.client.get(path).headers["etag"] for path in paths}
    table = {"Accept": "text/csv", "Accept-Encoding": "identity"}
    streamed = stage.client.get(f"/v1/jobs/{job['id']}/curves", headers=table).headers["etag"]
    again = stage.client.get(f"/v1/jobs/{job['id']}/curves", headers={**table, "If-None-Match": streamed})
    assert again.status_code == 304
    assert streamed not in tags.values()
    assert len(set(tags.values())) == len(paths)

    def unread(*_: object) -> None:
        raise AssertionError("this was read for a 304")

    monkeypatch.setattr("store.checkpoints.load", unread)
    monkeypatch.setattr(curves, "read", unread)
    monkeypatch.setattr(datasets, "load", unread)
    monkeypatch.setattr(datasets, "table_of", unread)
    monkeypatch.setattr(datasets, "original", unread)
    for path, tag in tags.items():
        assert stage.client.get(path, headers={"If-None-Match": tag}).status_code == 304


def test_a_tag_changes_with_what_it_names(here: Here) -> None:
    stage = here.stage
    path = f"/v1/jobs/{here.job['id']}"
    tag = stage.client.get(path).headers["etag"]
    stage.client.patch(path, json={"name": "wider"})
    changed = stage.client.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


UNPACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "zstd": lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body),
}


@pytest.mark.parametrize("coding", UNPACK)
def test_large_answers_are_compressed_and_say_so(here: Here, coding: str) -> None:
    stage, dataset, job = here.stage, here.dataset, here.job["id"]
    for path, accept in [
        (f"/v1/datasets/{dataset}/rows?limit=4000", "*/*"),
        (f"/v1/datasets/{dataset}/rows?limit=4000", "text/csv"),
        (f"/v1/datasets/{dataset}/content", "*/*"),
        ("/v1/catalog", "*/*"),
        ("/openapi.json", "*/*"),
        ("/docs/assets/redoc.standalone.js", "*/*"),
    ]:
        plain = stage.client.get(path, headers={"Accept": accept, "Accept-Encoding": f"{coding};q=0, identity"})
        assert "content-encoding" not in plain.headers
        assert "Accept-Encoding" in plain.headers["vary"].split(", ")
        packed, body = raw(stage, path, {"Accept": accept, "Accept-Encoding": f"br;q=0.9, {coding};q=0.5"})
        assert packed["content-encoding"] == coding, path
        assert packed["etag"] == f"W/{plain.headers['etag']}"
        assert len(body) < 0.6 * len(plain.content)
        assert UNPACK[coding](body) == plain.content
        assert sorted(packed["vary"].split(", ")) == sorted(set(packed["vary"].split(", ")))
        known = {"Accept": accept, "Accept-Encoding": coding, "If-None-Match": packed["etag"]}
        assert stage.client.get(path, headers=known).status_code == 304
    small, _ = raw(stage, "/healthz", {"Accept-Encoding": coding})
    assert "content-encoding" not in small
    for path, accept in [(f"/v1/jobs/{job}/events", "*/*"), (f"/v1/jobs/{job}/weights", "application/x-npz")]:
        assert "content-encoding" not in raw(stage, path, {"Accept": accept, "Accept-Encoding": coding})[0]


def raw(stage: Stage, path: str, headers: dict[str, str]) -> tuple[Any, bytes]:
    """The fields, and the body as it was sent."""
    with stage.client.stream("GET", path, headers=headers) as answer:
        return answer.headers, b"".join(answer.iter_raw())


def test_a_file_that_is_packed_stays_as_it_came_and_parts_of_it_can_be_had(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(inline_bytes=1000)
    content = gzip.compress(LARGE.encode())
    dataset = stage.csv(content, "t.csv.gz").json()["id"]
    fields, body = raw(stage, f"/v1/datasets/{dataset}/content", {"Accept-Encoding": "zstd, gzip"})
    assert "content-encoding" not in fields
    assert body == content
    assert int(fields["content-length"]) == len(content)
    part = {"Range": "bytes=10-19", "If-Range": fields["etag"], "Accept-Encoding": "zstd"}
    answer = stage.client.get(f"/v1/datasets/{dataset}/content", headers=part)
    assert (answer.status_code, answer.content) == (206, content[10:20])


def test_a_large_file_is_sent_piece_by_piece(make_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    stage = make_stage(inline_bytes=1000)
    dataset = stage.csv("a\n" + "1234567\n" * 100_000).json()["id"]
    sent: list[int] = []
    app = stage.client.app.middleware_stack

    async def watched(scope: Any, receive: Any, send: Any) -> None:
        async def noting(message: Any) -> None:
            sent.append(len(message.get("body", b"")))
            await send(message)

        await app(scope, receive, noting)

    monkeypatch.setattr(stage.client.app, "middleware_stack", watched)
    answer = stage.client.get(f"/v1/datasets/{dataset}/content", headers={"Accept-Encoding": "identity"})
    assert len(answer.content) == 800_002
    assert max(sent) <= 1 << 18
