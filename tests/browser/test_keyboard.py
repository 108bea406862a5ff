"""From a file to a prediction by keyboard alone."""

import re

from playwright.sync_api import Locator, Page, expect

from cli.demo import IRIS

MOST_STEPS = 90


def go_to(page: Page, place: Locator) -> None:
    """Press Tab until the place has the focus, which can be seen there."""
    expect(place).to_be_visible()
    for _ in range(MOST_STEPS):
        page.keyboard.press("Tab")
        if place.evaluate("(element) => element === document.activeElement"):
            assert place.evaluate("(element) => getComputedStyle(element).outlineStyle") != "none"
            return
    raise AssertionError(f"Tab does not lead to {place}")


def test_a_file_leads_to_a_prediction_without_a_mouse(page: Page) -> None:
    page.on("filechooser", lambda _: None)  # asked for in time: on a busy machine the key may come before the request for it
    page.goto("/")
    go_to(page, page.get_by_role("link", name="Skip to the content"))
    go_to(page, page.locator("button", has_text="Choose a file"))
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files(IRIS)
    expect(page).to_have_url(re.compile(r"/datasets/ds_"))
    go_to(page, page.get_by_role("link", name="Train a model"))
    page.keyboard.press("Enter")
    target = page.get_by_label("What to predict")
    go_to(page, target)
    page.keyboard.press("End")  # not its letters: typed slowly on a busy machine they choose others
    expect(target).to_have_value("species")
    go_to(page, page.get_by_role("button", name="Start training"))
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/jobs/job_"))
    predict = page.get_by_role("link", name="Predict", exact=True)
    go_to(page, predict)
    page.keyboard.press("Enter")
    go_to(page, page.get_by_role("spinbutton", name="petal_length"))
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("1.4")
    go_to(page, page.get_by_role("spinbutton", name="petal_width"))
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("0.2")
    expect(page.locator(".predicted strong")).to_have_text("setosa")
