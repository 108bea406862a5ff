"""Through the door: a key, wrong and then right; from the first view to a job; from a model to a prediction."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Complaints, Site


def test_a_wrong_key_is_told_at_its_field_and_a_right_one_goes_on(
    keyed: Site, visit: Callable[..., Page], complaints: Complaints
) -> None:
    """In two tabs, which are let in together and out together; the view is the one that was asked for."""
    complaints.expect("401")
    page = visit("/models?name=nothing", at=keyed.url)
    other = page.context.new_page()
    other.goto("/models")
    dialog = page.get_by_role("dialog", name="Sign in with a key")
    key = dialog.get_by_role("textbox", name="Key")
    expect(key).to_be_focused()
    key.fill("vidro_guess")
    key.press("Enter")
    expect(dialog.get_by_role("alert")).to_contain_text("not known here")
    expect(other.get_by_role("dialog")).to_be_visible()
    key.fill(str(keyed.key))
    key.press("Enter")
    expect(page.get_by_text("No model has such a name")).to_be_visible()
    expect(page).to_have_url(re.compile(r"name=nothing$"))
    expect(other.get_by_text("There is no model yet")).to_be_visible()
    (cookie,) = page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert keyed.key not in page.evaluate("JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])")
    other.get_by_role("button", name="Sign out").click()
    for tab in (other, page):
        expect(tab.get_by_role("dialog")).to_be_visible()
    assert page.context.cookies() == []


def test_a_sample_of_the_first_view_leads_to_a_new_job(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="House prices").click()
    expect(page).to_have_url(re.compile(r"/jobs/new\?dataset=ds_"))
    expect(page.get_by_role("link", name="house_prices")).to_be_visible()


def test_a_prediction_follows_the_form_and_its_address(page: Page, trained: dict[str, Any]) -> None:
    page.goto(f"/models/{trained['model_id']}")
    predicted = page.locator(".predicted strong")
    expect(predicted).to_have_text("versicolor")
    page.get_by_role("spinbutton", name="petal_length").fill("1.4")
    page.get_by_role("spinbutton", name="petal_width").fill("0.2")
    expect(predicted).to_have_text("setosa")
    page.reload()
    expect(predicted).to_have_text("setosa")
    expect(page.get_by_role("row", name=re.compile("^setosa"))).to_contain_text("%")
    page.get_by_role("spinbutton", name="petal_length").fill("")
    expect(page.get_by_text("Fill in what is missing.")).to_be_visible()


def test_pasted_rows_are_predicted_and_what_is_wrong_is_told_by_row(
    page: Page, trained: dict[str, Any], complaints: Complaints
) -> None:
    complaints.expect("422")
    page.goto(f"/models/{trained['model_id']}?by=rows")
    rows = page.get_by_role("textbox", name="Rows")
    rows.fill("5.1\t3.5\t1.4\t0.2\n6\t3\toops\t2")
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_role("alert")).to_contain_text("Row 2, petal_length")
    rows.fill("5.1\t3.5\t1.4\t0.2\n6.5\t3\t5.8\t2.2")
    page.get_by_role("button", name="Predict").click()
    expect(page.get_by_role("rowheader")).to_contain_text(["setosa", "virginica"])
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0].startswith("sepal_length,sepal_width,petal_length,petal_width,predicted species,probability ")
    assert [line.split(",")[4] for line in lines[1:]] == ["setosa", "virginica"]


@pytest.fixture(scope="module")
def digits(site: Site) -> str:
    dataset_id = site.client.post("/v1/datasets", json={"sample": {"kind": "digits"}}).json()["id"]
    model = {"kind": "mlp", "hidden": [{"units": 32, "activation": "relu"}]}
    return str(site.done(site.post(dataset_id, target="digit", model=model, epochs=20, seed=1))["model_id"])


def test_a_drawn_digit_is_read(page: Page, digits: str) -> None:
    page.goto(f"/models/{digits}")
    board = page.get_by_role("img", name="Drawing area")
    for stroke in ([(140, 40), (140, 240)], [(80, 50), (200, 50), (120, 240)]):
        expect(board).to_be_visible()
        page.get_by_role("button", name="Clear").click()
        box = board.bounding_box()
        assert box is not None
        for number, (x, y) in enumerate(stroke):
            page.mouse.move(box["x"] + x, box["y"] + y, steps=6)
            if number == 0:
                page.mouse.down()
        page.mouse.up()
        expect(page.locator(".predicted strong")).to_have_text("1" if len(stroke) == 2 else "7")
