"""Two columns of a dataset: how they go together, and descents over the cost of telling one by the other."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.views import PHONE, flaws, settled, too_wide


@pytest.fixture(scope="module")
def infants(site: Site) -> str:
    return str(site.client.post("/v1/datasets", json={"sample": {"kind": "infant_weight"}}).json()["id"])


def shown(value: float, digits: int) -> str:
    """A number as the page shows it: so many significant digits, and no zeros at its end."""
    return f"{value:.{digits}g}".upper().replace("-", "−")


def asked(site: Site, **fields: Any) -> dict[str, Any]:
    answer = site.client.post("/v1/descents", json={"feature": "months", "target": "weight", **fields})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_descents_begin_where_the_start_is_dragged(page: Page, site: Site, infants: str) -> None:
    page.goto(f"/datasets/{infants}?tab=descents")
    start = page.get_by_role("button", name=re.compile("^Start at"))
    expect(start).to_have_accessible_name(re.compile("w = 0, b = 0"))
    expect(page.get_by_text("Step 260 of 260 (epoch 20)")).to_be_visible()  # of single rows; of 4 there are 80, of all 20
    outcome = page.get_by_role("region", name="Where each has come to")
    expect(outcome.get_by_role("row")).to_have_count(5)
    expect(outcome.get_by_role("row", name="The minimum")).to_contain_text("0.3022")  # as NumPy's polyfit has it
    assert flaws(page) == {}
    start.scroll_into_view_if_needed()
    box = start.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y - 40, steps=4)
    page.mouse.up()
    expect(start).not_to_have_accessible_name(re.compile("w = 0,"))
    start.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => new URLSearchParams(location.search).has('start')")
    settled(page)
    w, b = (float(part) for part in page.evaluate("() => new URLSearchParams(location.search).get('start')").split(","))
    assert w > 0 and b > 0
    expect(start).to_have_accessible_name(re.compile(re.escape(f"w = {shown(w, 4)}, b = {shown(b, 4)}.")))
    given = [{"batch_size": size} for size in ("full", 4, 1)]
    paths = asked(site, dataset_id=infants, start=[w, b], descents=given)["paths"]
    for name, path in zip(("all rows", "batches of 4", "one row"), paths, strict=True):
        expect(outcome.get_by_role("row", name=name)).to_contain_text(shown(path["costs"][-1], 6))

    # at the start all of them are at one point; a reload keeps it
    page.get_by_role("button", name="To the start").click()
    expect(page.get_by_text("Step 0 of 260 (epoch 0)")).to_be_visible()
    expect(outcome.get_by_role("row", name="one row")).to_contain_text(shown(paths[0]["costs"][0], 6))
    page.reload()
    expect(start).to_have_accessible_name(re.compile(re.escape(f"w = {shown(w, 4)},")))
    page.get_by_role("button", name="Start where training does").click()
    expect(start).to_have_accessible_name(re.compile("w = 0, b = 0"))

    page.get_by_label("Compare").select_option("rates")
    expect(page.get_by_text("Ends higher than it began: η 2.5.")).to_be_visible()
    page.get_by_label("Learning rate").last.fill("500")
    expect(page.get_by_text("Diverged: η 500.")).to_be_visible()
    page.get_by_label("Learning rate").last.fill("1")
    expect(page.get_by_text("Diverged:")).to_have_count(0)
    expect(page.get_by_label("Compare")).to_have_value("own")
    page.get_by_label("Compare").select_option("scalings")
    expect(page.get_by_role("group", name=re.compile("^Map of the cost"))).to_have_count(2)


def test_one_parameter_is_a_curve_with_its_tangents(page: Page, site: Site, infants: str) -> None:
    one = quote('[{"optimizer":{"kind":"gradient_descent","learning_rate":0.5},"batch_size":"full","scaling":"none"}]')
    page.goto(f"/datasets/{infants}?tab=descents&hold=b&start=1,5&epochs=3&descents={one}")
    start = page.get_by_role("button", name=re.compile("^Start at w = 1"))
    expect(page.get_by_role("group", name=re.compile("^Curve of the cost"))).to_be_visible()
    start.press("ArrowLeft")
    expect(start).to_have_count(0)
    expect(page.get_by_role("button", name=re.compile("^Start at w = 0.9"))).to_be_visible()
    page.get_by_label("b alone").check()
    expect(page.get_by_role("button", name=re.compile("^Start at b = 5"))).to_be_visible()


def test_a_relation_has_two_lines_and_its_rows(page: Page, infants: str) -> None:
    """The numbers are those of docs/glass-box/relation.md."""
    page.goto(f"/datasets/{infants}?tab=relation")
    expect(page.get_by_role("img", name="weight and months")).to_be_visible()
    for told in ("0.9639", "0.9292", "weight = 4.827 + 0.3022 · months", "months = −13.99 + 3.075 · weight"):
        expect(page.get_by_text(told, exact=True)).to_be_visible()
    moving = page.get_by_role("region", name="Rows that move the line most").get_by_role("row")
    expect(moving.nth(1)).to_have_text(re.compile(r"^003\.2−1\.6270\.2751\.5$"))
    expect(page.get_by_role("img", name="Residuals")).to_be_visible()
    assert flaws(page) == {}
    page.get_by_label("months by weight").check()
    expect(moving.nth(1)).to_contain_text("4.154")
    page.get_by_label("Leverages").check()
    expect(page.get_by_role("img", name="Leverages")).to_be_visible()


def test_they_are_in_portuguese_on_a_phone(visit: Callable[..., Page], infants: str) -> None:
    page = visit(locale="pt-BR", **PHONE)
    for tab, told in {"descents": "Aonde cada uma chegou", "relation": "Linhas que mais movem a reta"}.items():
        page.goto(f"/datasets/{infants}?tab={tab}")
        expect(page.get_by_role("heading", name=told)).to_be_visible()
        settled(page)
        assert too_wide(page) == []
