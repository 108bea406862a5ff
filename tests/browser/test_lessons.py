"""The lessons: each opens with its pictures and numbers, refuses a wrong answer and takes a right one, in both languages."""

import math
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, Request, expect

from tests.browser.conftest import Site
from tests.browser.views import flaws, settled

SEED = 7
LIVE = "main .live, main math"
Asked = list[float]
"""The numbers in an exercise's question."""
Sent = dict[str, Any]
"""The last body that the page sent to an address."""


def made(site: Site, name: str) -> str:
    """The id of the dataset that a lesson has made."""
    found = site.client.get("/v1/datasets", params={"name": f"lesson: {name}"}).json()["items"]
    return next(str(dataset["id"]) for dataset in found if dataset["name"] == f"lesson: {name}")


def moons(site: Site) -> float:
    """The height at which the least cost has both moons equally likely."""
    asked = {"feature": "y", "target": "moon", "penalty": {"l2": 0}}
    dataset = made(site, f"double_moons, distance -4, rows 200, seed {SEED}")
    found = site.client.post("/v1/descents", json={"dataset_id": dataset, **asked}).json()
    w, b = found["surfaces"][0]["minimum"]["coefficients"]
    return float(-b / w)


def weight(site: Site, months: float) -> float:
    asked = {"x": "months", "y": "weight"}
    found = site.client.get(f"/v1/datasets/{made(site, 'infant_weight')}/relation", params=asked).json()
    return float(found["y_on_x"]["intercept"] + found["y_on_x"]["slope"] * months)


def stepped(sent: Sent) -> float:
    """The new weight from the first input to the first hidden unit, worked out by hand."""
    given = sent["/v1/traces"]
    W, V = (layer["weights"] for layer in given["layers"])
    (x,), (target,) = given["inputs"], given["targets"]
    h = [x[0] * W[0][unit] + x[1] * W[1][unit] for unit in range(2)]
    error = h[0] * V[0][0] + h[1] * V[1][0] - target[0]
    return float(W[0][0] - given["optimizer"]["learning_rate"] * error * V[0][0] * x[0])


TYPED: dict[str, tuple[float, Callable[[Site, Asked, Sent], float]]] = {
    "line": (0, lambda site, asked, sent: weight(site, asked[0])),
    "rate": (0.5, lambda site, asked, sent: 2.5),
    "batches": (3, lambda site, asked, sent: asked[1] * math.ceil(asked[2] / asked[0])),
    "scaling": (0.5, lambda site, asked, sent: 0.005),
    "logistic": (50, lambda site, asked, sent: moons(site)),
    "perceptron": (1, lambda site, asked, sent: -1),
    "xor": (1, lambda site, asked, sent: 4),
    "activations": (1, lambda site, asked, sent: 0.25 ** asked[0]),
    "backpropagation": (0, lambda site, asked, sent: stepped(sent)),
    "lenet-5": (96, lambda site, asked, sent: (asked[1] * asked[2] * asked[3] + 1) * asked[0]),
    "losses": (0, lambda site, asked, sent: asked[0] - 0.5),
    "optimizers": (0.02, lambda site, asked, sent: 0.09),
}
"""Of lessons whose answer is a number: a wrong one and the right one."""
CHOSEN: dict[str, tuple[str, Callable[[str], str]]] = {
    "correlation": ("the line rests on a single row", lambda text: "ABCD"[places(text, r"in set A, .+ in D").index("1")]),
    "initialisation": ("less than a thousandth", lambda text: "small"),
}
"""Of lessons whose answer is chosen: what the question says, and the right choice by what the page says."""
LESSONS = (*CHOSEN, *TYPED)


def places(text: str, pattern: str) -> list[str]:
    """The numbers in the sentence that matches, the one before it included."""
    found = re.search(r"[\d.]+ " + pattern, text)
    assert found is not None, text
    return re.findall(r"[\d.]+", found[0])


def asked(exercise: Locator) -> Asked:
    return [float(told) for told in exercise.locator("> p .live").all_inner_texts()]


def answer(exercise: Locator, value: float) -> None:
    exercise.get_by_role("textbox").fill(f"{value:.6g}")
    exercise.get_by_role("button", name="Check").click()


def bodies(page: Page) -> Sent:
    found: Sent = {}

    def note(request: Request) -> None:
        if request.method == "POST":
            found[urlsplit(request.url).path] = request.post_data_json

    page.on("request", note)
    return found


def opened(page: Page, name: str) -> Locator:
    """The exercise of a lesson, once all of its pictures and numbers are there."""
    page.goto(f"/lessons/{name}?seed={SEED}")
    exercise = page.locator(".exercise")
    expect(exercise).to_be_visible()
    settled(page)
    assert "…" not in page.locator("main").inner_text()
    return exercise


def numbers(page: Page) -> list[str]:
    """Every number of the text and its formulas."""
    text = " ".join(page.locator(LIVE).all_text_contents())
    return re.findall(
        r"\d+(?:\.\d+)?",
        re.sub(r"(?<=\d),(?=\d{3}\b)" if page.locator("html[lang=en]").count() else r"\.(?=\d{3}\b)", "", text).replace(
            ",", "."
        ),
    )


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_teaches_and_checks(page: Page, site: Site, name: str) -> None:
    sent = bodies(page)
    exercise = opened(page, name)
    assert page.locator(".lesson-picture :is(svg[role], canvas[role], [role=img], img)").count() >= 1
    verdict = exercise.get_by_role("status").first
    if name in TYPED:
        wrong, right = TYPED[name]
        answer(exercise, wrong)
        expect(verdict).to_contain_text("Not yet.")
        answer(exercise, right(site, asked(exercise), sent))
    else:
        question, choose = CHOSEN[name]
        expect(exercise).to_contain_text(question)
        right_choice = choose(page.locator("main").inner_text())
        wrong_choice = next(each for each in exercise.get_by_role("radio").all() if each.get_attribute("value") != right_choice)
        wrong_choice.check()
        exercise.get_by_role("button", name="Check").click()
        expect(verdict).to_contain_text("Not yet.")
        exercise.locator(f"input[value='{right_choice}']").check()
        exercise.get_by_role("button", name="Check").click()
    expect(verdict).to_contain_text("Right!")
    assert flaws(page) == {}
    english = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("combobox", name="Language").select_option("Português")
    expect(exercise).to_contain_text("Exercício")
    settled(page)
    assert page.get_by_role("heading", level=1).inner_text() != english or name in ("xor", "lenet-5")
    assert "…" not in page.locator("main").inner_text()


def test_every_lesson_is_tested(page: Page) -> None:
    page.goto("/lessons")
    links = page.locator(".lessons a")
    expect(links).to_have_count(len(LESSONS))
    assert {str(link.get_attribute("href")).removeprefix("/lessons/").partition("?")[0] for link in links.all()} == set(LESSONS)


def test_a_seed_decides_all_numbers(visit: Callable[..., Page]) -> None:
    """The same in another browser and in the other language; others by another seed, which the address holds."""
    page, other = visit(), visit(locale="pt-BR")
    for each in (page, other):
        opened(each, "line")
    assert numbers(page) == numbers(other)
    before = numbers(page)
    page.get_by_role("textbox", name="Seed").fill("8")
    expect(page).to_have_url(re.compile(r"/lessons/line\?seed=8$"))
    expect(page.locator(".seed code")).to_have_text(re.compile(r"/lessons/line\?seed=8$"))
    settled(page)
    assert numbers(page) != before
    page.get_by_role("link", name="All lessons").click()
    expect(page.get_by_role("link", name="XOR")).to_have_attribute("href", "/lessons/xor?seed=8")


def test_jobs_of_a_lesson_are_made_once(visit: Callable[..., Page], site: Site) -> None:
    def jobs() -> list[Any]:
        return [job["id"] for job in site.client.get("/v1/jobs", params={"tag": "lesson", "page_size": 1000}).json()["items"]]

    opened(visit(), "xor")
    before = jobs()
    assert before
    opened(visit(locale="en-GB"), "xor")
    assert jobs() == before


def test_what_is_no_answer_is_not_checked(page: Page) -> None:
    exercise = opened(page, "rate")
    field = exercise.get_by_role("textbox")
    field.fill("fast")
    field.press("Enter")
    expect(exercise.get_by_role("alert")).to_have_text("Type a number.")
    field.fill("99")
    expect(exercise.get_by_role("alert")).to_contain_text("From")
    expect(exercise.get_by_role("status").first).to_be_empty()
    exercise.get_by_text("A hint").click()
    expect(exercise.locator("details p")).to_be_visible()
