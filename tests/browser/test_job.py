"""One job: its curves while it runs, without gap or double; pause, resume and cancel; settings and log."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Site

MOONS = {"kind": "double_moons", "rows": 20_000, "seed": 1}
SLOW: dict[str, Any] = {
    "target": "moon",
    "model": {"kind": "mlp", "hidden": [{"units": 32}]},
    "batch_size": 8,
    "epochs": 900,  # fewer than are sampled
    "name": "followed",
}
POINTS = re.compile(r"Points: (\d+), from 1 to (\d+)\.")


@pytest.fixture
def followed(site: Site) -> dict[str, Any]:
    dataset = site.client.post("/v1/datasets", json={"sample": MOONS}).json()["id"]
    answer = site.client.post("/v1/jobs", json={"dataset_id": dataset, **SLOW})
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def points(chart: Locator) -> int:
    """How many points a curve has, which are its epochs from the first to the last: each once."""
    found = POINTS.search(chart.get_attribute("aria-label") or "")
    assert found is not None
    assert found[1] == found[2], "a gap, or an epoch twice"
    return int(found[1])


def test_a_running_job_is_followed_reloaded_paused_resumed_and_cancelled(
    page: Page, site: Site, followed: dict[str, Any]
) -> None:
    page.goto(f"/jobs/{followed['id']}")
    loss = page.get_by_role("img", name=re.compile(r"^Loss by epoch"))

    def has_more_than(epochs: int) -> None:
        more = re.compile(rf"Points: (?!{epochs}\b)\d+,")
        expect(loss).to_have_attribute("aria-label", more)

    has_more_than(0)
    seen = points(loss)
    has_more_than(seen)
    assert points(loss) > seen
    page.reload()
    has_more_than(seen)
    assert points(loss) > seen

    state = page.locator(".page-head .state")
    page.get_by_role("button", name="Pause").click()
    expect(state).to_have_text("paused")
    told = site.client.get(f"/v1/jobs/{followed['id']}").json()
    paused = told["progress"]["epoch"]
    expect(loss).to_have_attribute("aria-label", re.compile(rf"Points: {paused}, from 1 to {paused}\."))
    expect(page.get_by_text(f"Epoch {paused} of 900")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(state).to_have_text("running")
    has_more_than(paused)
    assert points(loss) > paused

    page.get_by_role("link", name="Log").click()
    expect(page.locator(".job-log .state")).to_have_text(["running", "queued", "paused", "pausing", "running", "queued"])
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel").last.click()
    expect(state).to_have_text("cancelled")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile(r"/jobs$"))
    assert site.client.get(f"/v1/jobs/{followed['id']}").status_code == 404


def test_curves_keep_what_is_chosen_in_the_address(page: Page, trained: dict[str, Any]) -> None:
    page.goto(f"/jobs/{trained['id']}")
    page.get_by_role("radio", name="Log", exact=True).check()
    page.get_by_role("radio", name="Step").check()
    page.get_by_role("radio", name="0.9", exact=True).check()
    expect(page).to_have_url(re.compile(r"(?=.*scale=log)(?=.*axis=step)(?=.*smoothing=0\.9)"))
    loss = page.get_by_role("img", name=re.compile(r"^Loss by step"))
    loss.press("+")
    expect(page).to_have_url(re.compile(r"range=\d"))
    page.reload()
    expect(page.get_by_role("radio", name="Step")).to_be_checked()
    expect(page.get_by_role("button", name=re.compile(r"Train, smoothed \(β = 0\.9\)"))).not_to_have_count(0)
    page.get_by_role("button", name="Show all").click()
    expect(page).not_to_have_url(re.compile("range="))
    with page.expect_download() as download:
        page.get_by_role("button", name="CSV: the numbers of “Loss”").click()
    rows = download.value.path().read_text().splitlines()
    assert rows[0] == "series,step,value,smoothed"
    assert len(rows) == 1 + 2 * 30


def test_a_job_is_renamed_and_tagged(page: Page, site: Site) -> None:
    job = site.done(site.post(site.iris(), epochs=1, name="before"))
    page.goto(f"/jobs/{job['id']}?tab=settings")
    page.get_by_role("button", name="Name and tags").click()
    page.get_by_role("textbox", name="Name").fill("after")
    page.get_by_role("textbox", name="Tags").fill("week 3, baseline")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("after")
    expect(page.get_by_role("link", name="week 3")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Weights after epoch 1 as npz").click()
    assert download.value.path().read_bytes()[:2] == b"PK"
