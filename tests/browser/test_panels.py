"""What a job has learned, in pictures: network, histograms, boundary, evaluation."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site


@pytest.fixture(scope="module")
def houses(site: Site) -> dict[str, Any]:
    dataset_id = site.client.post("/v1/datasets", json={"sample": {"kind": "house_prices"}}).json()["id"]
    return site.done(site.post(dataset_id, target="price", model="linear_regression"))


def test_the_pictures_follow_the_epoch(page: Page, trained: dict[str, Any]) -> None:
    """Reached by the tabs, with one epoch chosen for all: the address carries it along, and a reload keeps it."""
    page.goto(f"/jobs/{trained['id']}?tab=boundary&x=petal_length&y=petal_width")
    expect(page.get_by_role("img", name="What the model predicts: petal_length, petal_width")).to_be_visible()
    expect(page.get_by_role("img", name="hidden_1, unit 1", exact=True)).to_be_visible()
    slider = page.get_by_role("slider", name="Epoch")
    slider.focus()
    page.keyboard.press("Home")
    expect(page).to_have_url(re.compile("epoch=0"))
    page.reload()
    expect(page.get_by_role("slider", name="Epoch")).to_have_attribute("aria-valuetext", "0")

    tabs = page.get_by_role("navigation", name="Parts of the job")
    tabs.get_by_role("link", name="Evaluation").click()
    expect(page.get_by_role("region", name="Confusion matrix").get_by_role("row")).to_have_count(4)
    before = page.locator("dl.tiles").inner_text()
    page.get_by_role("slider", name="Epoch").press("End")
    expect(page.locator("dl.tiles")).not_to_have_text(before)

    tabs.get_by_role("link", name="Network").click()
    expect(page.get_by_role("heading", name="Weights of hidden_1").first).to_be_visible()
    expect(page.get_by_role("link", name="Step through the network")).to_be_visible()
    tabs.get_by_role("link", name="Histograms").click()
    expect(page.get_by_role("img", name="Activations, hidden_1")).to_be_visible()


def test_numbers_have_residuals_and_a_curve(visit: Callable[..., Page], houses: dict[str, Any]) -> None:
    page = visit(f"/jobs/{houses['id']}?tab=evaluation")
    expect(page.get_by_role("img", name="Predicted against actual: price")).to_be_visible()
    with page.expect_download() as kept:
        page.get_by_role("button", name="CSV: the numbers of “Predicted against actual: price”").click()
    rows = kept.value.path().read_text().splitlines()
    assert rows[0] == "actual,predicted" and len(rows) > 50
    page.goto(f"/jobs/{houses['id']}?tab=boundary&x=area&y=")
    expect(page.get_by_role("img", name="What the model predicts: area")).to_be_visible()
