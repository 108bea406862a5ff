"""What a job has learned, in pictures and row by row: network, layers, boundary, evaluation, rows."""

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
    tabs.get_by_role("link", name="Layers").click()
    page.get_by_role("radio", name="Activations").check()
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


def test_a_cell_of_the_confusion_matrix_opens_its_rows(page: Page, site: Site, trained: dict[str, Any]) -> None:
    """By keyboard; the rows of the cell are those that the API lists, and one opens with its cells and probabilities."""
    path = f"/v1/jobs/{trained['id']}/predictions"
    (wrong, *_) = site.client.get(path, params={"split": "train", "only": "wrong"}).json()["items"]
    page.goto(f"/jobs/{trained['id']}?tab=evaluation&split=train")
    truth, predicted = wrong["target"], wrong["prediction"]
    page.get_by_role("link", name=re.compile(f"rows .* of class {truth} predicted as {predicted}$")).press("Enter")
    expect(page).to_have_url(re.compile(f"(?=.*tab=rows)(?=.*split=train)(?=.*true={truth})(?=.*predicted={predicted})"))
    listed = site.client.get(path, params={"split": "train", "true": truth, "predicted": predicted}).json()["items"]
    rows = page.get_by_role("region", name="Every row of a split").get_by_role("rowheader")
    expect(rows).to_have_text([f"{item['row']:,}" for item in listed])
    rows.first.get_by_role("button").press("Enter")
    dialog = page.get_by_role("dialog", name=f"Row {listed[0]['row']}")
    expect(dialog.get_by_text("petal_length")).to_be_visible()
    expect(dialog.get_by_text("Probabilities")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_label("Order").select_option("surest first")
    page.get_by_label("True class").select_option("any")
    page.get_by_label("Predicted class").select_option("any")
    surest = site.client.get(path, params={"split": "train", "sort": "confidence", "order": "desc", "limit": 1}).json()["items"]
    expect(rows.first).to_have_text(str(surest[0]["row"]))


def test_rows_of_numbers_have_residuals(page: Page, site: Site, houses: dict[str, Any]) -> None:
    page.goto(f"/jobs/{houses['id']}?tab=rows&sort=leverage")
    (first,) = site.client.get(f"/v1/jobs/{houses['id']}/predictions", params={"sort": "leverage", "limit": 1}).json()["items"]
    table = page.get_by_role("region", name="Every row of a split")
    expect(table.get_by_role("rowheader").first).to_have_text(str(first["row"]))
    expect(table.get_by_role("columnheader")).to_have_text(["Row", "Target", "Predicted", "Residual", "Loss", "Leverage"])
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text("31 to 60 of")).to_be_visible()


def test_layers_have_curves_and_histograms_through_the_epochs(page: Page, site: Site, trained: dict[str, Any]) -> None:
    """By an address of an earlier version; what is shown is what the API tells, and the outline is that of a chosen epoch."""
    page.goto(f"/jobs/{trained['id']}?tab=histograms")
    ratio = page.get_by_role("figure").filter(has=page.get_by_role("heading", name="Ratio of update to weight"))
    expect(ratio.get_by_role("button", name="hidden_1")).to_be_visible()
    with page.expect_download() as kept:
        ratio.get_by_role("button", name="CSV").click()
    found = site.client.get(f"/v1/jobs/{trained['id']}/layers", params={"of": "weights"}).json()
    first, *rows = kept.value.path().read_text().splitlines()
    assert first.split(",") == ["epoch", *(layer["layer"] for layer in found["layers"])]
    courses = [layer["update_ratio"] for layer in found["layers"]]
    assert [[float(cell) for cell in row.split(",")] for row in rows] == [
        list(each) for each in zip(found["epochs"], *courses, strict=True)
    ]

    hidden = page.get_by_role("img", name="Weights, hidden_1")
    outline = hidden.locator("path.outline")
    before = outline.get_attribute("d")
    page.get_by_label("Outline").select_option("epoch 20")
    expect(outline).not_to_have_attribute("d", before or "")
    expect(page.get_by_text("Bars: epoch 30. Outline: epoch 20.")).to_be_visible()
    page.get_by_role("slider", name="Epoch").press("Home")
    expect(page.get_by_text("Bars: epoch 0. Outline: epoch 20.")).to_be_visible()
    page.get_by_role("radio", name="Activations").check()
    expect(page.get_by_role("heading", name="Saturated units")).to_be_visible()
