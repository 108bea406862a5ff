"""The dashboard's page at every view's address, with what it loads and a policy; and a plain one where it is not built."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from service.routes import pages
from service.views import VIEWS
from store import keys
from tests.service.conftest import Stage
from tests.service.routes import calls

POLICY = "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'none'"
SHOWN = [view.format(id="job_1", page="worked-example", lesson="rate") for view in VIEWS]
LINK = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}


@pytest.fixture(params=["built", "unbuilt"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is served: files as Vite makes them, or what stands in their place."""
    built = tmp_path / "dashboard"
    monkeypatch.setattr(pages, "BUILT", built)
    if request.param == "unbuilt":
        return pages.UNBUILT
    (built / "assets").mkdir(parents=True)
    (built / "index.html").write_text('<!doctype html><script type="module" src="/assets/index-Ab1.js"></script>')
    (built / "assets" / "index-Ab1.js").write_text("// " + "x" * 3000)
    (built / "icon.svg").write_text("<svg/>")
    (built / "secret.txt").write_text("not named")
    return built


@pytest.mark.parametrize("path", SHOWN)
def test_every_view_is_the_page(stage: Stage, folder: Path, path: str) -> None:
    answer = stage.client.get(path)
    assert (answer.status_code, answer.text) == (200, (folder / "index.html").read_text())
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-security-policy"].startswith(POLICY)
    assert answer.headers["referrer-policy"] == "same-origin"
    assert stage.client.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_what_the_page_loads_is_here_and_kept_for_ever(stage: Stage, folder: Path) -> None:
    page = stage.client.get("/").text
    assert not re.search(r"<style|style=|\son\w+=|<script(?! type=\"module\" src=)", page)
    loaded = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page)
    assert loaded
    for path in loaded:
        answer = stage.client.get(path, headers={"Accept-Encoding": "gzip"})
        assert answer.content == (folder / path.lstrip("/")).read_bytes()
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["content-type"].partition(";")[0] in ("text/css", "text/javascript")
        assert answer.headers["content-encoding"] == "gzip"
        assert stage.client.head(path).headers["etag"]
    for link in re.findall(r'href="(/[^"]*)"', page):
        if link not in loaded:
            assert stage.client.get(link).status_code in (200, 503), link


def test_nothing_else_of_the_folder_is_served(stage: Stage, folder: Path) -> None:
    for path in ("/assets/none.js", "/assets/..%2findex.html", "/assets/%2e%2e/secret.txt", "/assets/",
                 "/assets/a%00b", "/secret.txt", "/index.html", "/assets"):  # fmt: skip
        answer = stage.client.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND"), path


def test_an_unbuilt_page_says_how_it_is_built(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "BUILT", tmp_path)
    page = stage.client.get("/").text
    assert "scripts/setup" in page
    assert 'href="/docs"' in page


def test_pages_shadow_nothing_and_are_no_part_of_the_api(stage: Stage) -> None:
    paths = stage.client.get("/openapi.json").json()["paths"]
    assert not set(paths) & {*VIEWS, "/assets/{name}", "/icon.svg"}
    assert all(path.startswith(("/v1/", "/v2", "/healthz", "/readyz", "/metrics")) for path in paths)
    for path in ("/nowhere", "/jobs/job_1/more", "/datasets/", "/v1", "/v1/nowhere"):
        answer = stage.client.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json"), path
    refused = stage.client.post("/jobs", json={})
    assert (refused.status_code, refused.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


def test_a_link_leads_to_a_view_and_a_frame_to_none(stage: Stage) -> None:
    for path in SHOWN:
        assert stage.client.get(path, headers=LINK).status_code == 200
        assert stage.client.get(path, headers={**LINK, "Sec-Fetch-Dest": "iframe"}).status_code == 403
    assert stage.client.get("/v1/jobs", headers=LINK).status_code == 403


def test_a_course_may_frame_the_dashboard_where_a_setting_says_so(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(frame_ancestors="https://Course.example/, http://localhost:3000")
    framed = {**LINK, "Sec-Fetch-Dest": "iframe"}
    for path in SHOWN:
        policy = stage.client.get(path, headers=framed).headers["content-security-policy"]
        assert "frame-ancestors https://course.example http://localhost:3000;" in policy
    assert stage.client.get("/docs", headers=framed).status_code == 403
    assert "frame-ancestors 'none'" in stage.client.get("/docs").headers["content-security-policy"]


def test_no_answer_is_taken_for_another_kind(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(cors_origins="https://app.example")
    preflight = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
    answers = [stage.client.request(method, path) for method, path, _ in calls(stage.client.app) if path != "/v1/events"]
    answers.append(stage.client.get("/v1/events", params={"jobs": "job_1"}))  # without jobs it has no end
    answers += [stage.client.get("/nowhere"), stage.client.put("/"), stage.client.options("/v1/jobs", headers=preflight)]
    assert len(answers) > 60
    assert {answer.headers["x-content-type-options"] for answer in answers} == {"nosniff"}


def test_the_page_needs_no_key(stage: Stage) -> None:
    with stage.place.database.transaction() as session:
        keys.create(session, "ana", ["read"])
    for path in [*SHOWN, "/docs"]:
        assert stage.client.get(path).status_code == 200
