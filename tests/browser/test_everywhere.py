"""What holds in every view: axe finds nothing serious in either theme, a phone shows all of it, and it loads fast again."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from service.views import DASHBOARD
from tests.browser.conftest import ROOT, Site
from tests.browser.views import ADDRESSES, flaws, settled

MOST_SCRIPT_BYTES = 120_000


@pytest.mark.parametrize("name", ADDRESSES)
def test_everybody_can_use_the_view(page: Page, trained: dict[str, Any], name: str) -> None:
    page.goto(ADDRESSES[name](trained))
    assert flaws(page) == {}


def test_these_are_all_views() -> None:
    job = {"id": "job", "dataset_id": "data", "model_id": "model"}
    paths = {address(job).partition("?")[0] for address in ADDRESSES.values()}
    assert [pattern.pattern for pattern in DASHBOARD if not any(map(pattern.match, paths))] == []


def test_the_first_view_is_light(visit: Callable[..., Page], site: Site) -> None:
    """All that is loaded to show it, what comes lazily included."""
    page = visit("/")
    settled(page)
    names = "performance.getEntriesByType('resource').map(({ name }) => name)"
    loaded = [ROOT / "service/dashboard" / url.removeprefix(f"{site.url}/") for url in page.evaluate(names)]
    scripts = {path.name: len(gzip.compress(path.read_bytes())) for path in loaded if path.suffix == ".js"}
    assert scripts
    assert sum(scripts.values()) <= MOST_SCRIPT_BYTES, scripts


def test_what_has_not_changed_is_not_sent_again(page: Page, site: Site) -> None:
    job = site.done(site.post(site.iris(), epochs=5))
    path = f"/jobs/{job['id']}"
    page.goto(path)
    settled(page)
    curve = page.get_by_role("img", name=re.compile("loss", re.IGNORECASE)).first
    expect(curve).to_be_visible()
    asked: dict[str, str] = {}
    answers: list[tuple[str, int]] = []
    network = page.context.new_cdp_session(page)
    network.on("Network.requestWillBeSent", lambda told: asked.update({told["requestId"]: told["request"]["url"]}))
    network.on(
        "Network.responseReceivedExtraInfo",
        lambda told: answers.append((asked.get(told["requestId"], ""), told["statusCode"])),
    )
    network.send("Network.enable")
    page.reload()
    settled(page)
    expect(curve).to_be_visible()
    again = {url.removeprefix(site.url): status for url, status in answers if f"/v1{path}" in url and "/events" not in url}
    assert f"/v1{path}" in again
    assert set(again.values()) == {304}, again
    assert not [url for url in asked.values() if "/assets/" in url and (url, 200) in answers]


def test_the_built_page_is_the_one_that_is_served(site: Site) -> None:
    built = Path(ROOT / "service/dashboard/index.html").read_text()
    assert site.client.get("/").text == built
