"""The glass box: the course's numbers, what follows from a changed one, a race down a landscape."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Site
from tests.browser.views import settled

DIGITS = re.compile(r"\s|\u2062|\u200b")


def shows(card: Locator, *wanted: str) -> None:
    """Wait until the card has those formulas, whatever stands between their signs."""
    for each in wanted:
        pattern = r"\s*".join(re.escape(sign) for sign in DIGITS.sub("", each))
        expect(card).to_have_text(re.compile(pattern))


def part(page: Page, name: str) -> Locator:
    """A unit, weight or bias of the drawing, whatever its number is now."""
    return page.get_by_role("group", name="The network").get_by_role("button", name=re.compile(rf"^{re.escape(name)}: "))


def working(page: Page) -> Locator:
    return page.locator("section.working")


def test_the_courses_worked_example_comes_first(page: Page) -> None:
    """Its numbers are those of docs and course: hidden (0.85, 0.48), o 0.191, error 0.3272405, δ −0.809, the new weights, and
    then o 0.2557457808, error 0.2769571714.
    """
    page.goto("/glass")
    expect(part(page, "Unit h₁")).to_have_accessible_name("Unit h₁: 0.85")
    expect(part(page, "Unit h₂")).to_have_accessible_name("Unit h₂: 0.48")
    expect(part(page, "Unit o₁")).to_have_accessible_name("Unit o₁: –")
    shows(working(page), "=0.11⋅2+0.21⋅3=0.85")
    following = page.get_by_role("button", name="Next")
    following.click()
    expect(part(page, "Unit o₁")).to_have_accessible_name("Unit o₁: 0.191")
    following.click()
    shows(working(page), "12⋅1⋅(0.191−1)2=0.3272405")
    following.click()
    expect(part(page, "Unit o₁")).to_have_accessible_name("Unit o₁: −0.809")
    page.get_by_label("Update", exact=True).check()
    new = {
        "Weight from x₁ to h₁": "0.11−0.05⋅(−0.22652)=0.121326",
        "Weight from x₁ to h₂": "=0.132135",
        "Weight from x₂ to h₁": "=0.226989",
        "Weight from x₂ to h₂": "=0.0982025",
        "Weight from h₁ to o₁": "0.14−0.05⋅(−0.68765)=0.1743825",
        "Weight from h₂ to o₁": "=0.169416",
    }
    part(page, "Weight from x₁ to h₁").focus()
    for name, told in new.items():
        for _ in range(4):  # the arrow keys come by units, too
            if name in working(page).inner_text():
                break
            page.keyboard.press("ArrowRight")
        expect(working(page)).to_contain_text(name)
        shows(working(page), told)
    row = page.get_by_role("row", name=re.compile("^2 ")).first
    expect(row).to_contain_text("0.2557457808")
    expect(row).to_contain_text("0.2769571714")
    expect(page.get_by_text("All slopes agree.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("-?−0.22652")).first).to_be_visible()


def test_a_changed_weight_changes_the_loss_and_can_be_shared(page: Page, visit: Callable[..., Page]) -> None:
    page.goto("/glass/network")
    weight = part(page, "Weight from h₁ to o₁")
    weight.focus()
    page.keyboard.press("Enter")
    field = working(page).get_by_role("textbox", name="Its value before the first step")
    field.fill("1,")  # on the way to 1,14 it is a number already
    field.fill("1,14")
    first = page.get_by_role("row", name=re.compile("^1 ")).first
    expect(first).to_contain_text("1.041")  # 0.85 · 1.14 + 0.48 · 0.15
    expect(first).to_contain_text("8.405E−4")  # ½ · 0.041²
    expect(weight).to_have_accessible_name("Weight from h₁ to o₁: 1.14")
    expect(page).to_have_url(re.compile("net="))
    other = visit(page.url)
    expect(part(other, "Weight from h₁ to o₁")).to_have_accessible_name("Weight from h₁ to o₁: 1.14")
    other.get_by_label("Example").select_option(label="A rate too large: it diverges")
    expect(other.get_by_text("A number is not finite any more")).to_be_visible()


def test_a_refused_network_says_why(page: Page, complaints: Any) -> None:
    complaints.expect("422")
    softmax = '{"l":[[[[1,2]],0,"identity"]],"j":"cross_entropy","o":"gradient_descent","x":[[1]],"y":[[0.5,2]],"n":1}'
    page.goto(f"/glass/network?net={quote(softmax)}")
    expect(page.get_by_role("alert").first).to_contain_text("/targets")


def test_the_next_step_of_a_job(page: Page, trained: dict[str, Any]) -> None:
    page.goto(f"/glass/network?job={trained['id']}&epoch=0&rows=0,1")
    expect(page.get_by_role("link", name=trained["name"])).to_be_visible()
    expect(page.get_by_text("All slopes agree.")).to_be_visible()
    expect(page.get_by_label("Row", exact=True)).to_be_visible()
    expect(working(page)).to_contain_text("=")


def test_optimizers_race_from_where_the_start_is_dragged(visit: Callable[..., Page], site: Site) -> None:
    page = visit("/glass/landscapes?on=bowl&steps=40", reduced_motion="reduce")
    settled(page)
    rows = page.get_by_role("row")
    expect(rows).to_have_count(5)
    start = page.get_by_role("button", name=re.compile("^Start at"))
    box = start.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y + 40, steps=4)
    page.mouse.up()
    expect(start).not_to_have_accessible_name(re.compile("w₁ = −2,"))
    expect(page).to_have_url(re.compile("start="))
    page.get_by_label("Start w₁").fill("1.5")
    page.get_by_label("Start w₂").fill("-1")
    expect(start).to_have_accessible_name(re.compile("w₁ = 1.5, w₂ = −1"))
    start.focus()
    page.keyboard.press("ArrowRight")
    expect(start).to_have_accessible_name(re.compile("w₁ = 1.56, w₂ = −1"))
    given = {"start": [1.56, -1.0], "optimizers": [{"kind": "gradient_descent", "learning_rate": 0.1}], "steps": 40}
    (path,) = site.client.post("/v1/landscapes/bowl/descend", json=given).json()["paths"]
    expect(rows.nth(1)).to_contain_text(f"{path['costs'][-1]:.5E}"[:4])
    page.get_by_role("button", name="To the start").click()
    expect(page.get_by_text("Step 0 of 40")).to_be_visible()
    page.get_by_role("button", name="Play").click()  # who wants no movement sees the end at once
    expect(page.get_by_text("Step 40 of 40")).to_be_visible()
    page.get_by_label("Learning Rate").first.fill("10")
    expect(page.get_by_text("Diverged: Gradient descent.")).to_be_visible()


def test_an_optimizers_numbers_step_by_step(page: Page) -> None:
    optimizer = quote('{"kind":"momentum","learning_rate":0.1,"momentum":0.5}')
    page.goto(f"/glass/optimizers?start=1&optimizer={optimizer}&at=2")
    shows(working(page), "0.5⋅0.2+0.1⋅1.6=0.26", "0.8−0.26=0.54")
    page.get_by_role("button", name="Next").click()
    expect(working(page).get_by_role("heading")).to_have_text("How step 3 came about")


def test_initializations_and_functions_say_what_they_do(page: Page) -> None:
    page.goto("/glass/initialisations?width=40&depth=10")
    expect(page.get_by_text("Vanished:")).to_be_visible()
    expect(page.get_by_text("Saturated:")).to_be_visible()
    expect(page.get_by_text("Keeps its size:")).to_be_visible()
    page.get_by_role("link", name="Functions").click()
    page.get_by_label("GELU", exact=True).check()
    expect(page.get_by_role("button", name="GELU").first).to_be_visible()
    expect(page).to_have_url(re.compile("gelu"))
