"""Why a model is as it is: the updates of a perceptron, what predictions rest on, and slices of a loss."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Site
from tests.browser.test_descents import shown
from tests.browser.views import PHONE, flaws, settled, too_wide


@pytest.fixture(scope="module")
def moons(site: Site) -> str:
    return str(site.client.post("/v1/datasets", json={"sample": {"kind": "double_moons", "distance": 1}}).json()["id"])


@pytest.fixture(scope="module")
def perceptron(site: Site, moons: str) -> dict[str, Any]:
    return site.done(site.post(moons, target="moon", model="perceptron"))


def test_each_update_of_a_perceptron(page: Page, site: Site, perceptron: dict[str, Any]) -> None:
    updates = site.client.get(f"/v1/jobs/{perceptron['id']}/updates").json()
    items, total = updates["items"], updates["total"]
    assert total == len(items) > 3 and items[-1]["mistakes"] == 0
    page.goto(f"/jobs/{perceptron['id']}")
    page.get_by_role("navigation", name="Parts of the job").get_by_role("link", name="Updates").click()
    expect(page.get_by_role("img", name="The line after update 1", exact=True)).to_be_visible()
    expect(page.get_by_text("This line lies outside of the picture")).to_have_count(0 if items[0]["line"] else 1)
    expect(page.get_by_text("line before")).to_have_count(0)
    page.get_by_role("button", name="Next").click()
    expect(page.get_by_text(f"Update 2 of {total} (epoch 1)")).to_be_visible()
    second = items[1]
    expect(page.get_by_text(f"Row {second['row']} is of class {updates['classes'][second['y'] == 1]}: y = ")).to_be_visible()
    expect(page.get_by_text(f"wᵀx = {shown(second['score'], 4)}, whose sign is not y's.")).to_be_visible()
    weights = page.get_by_role("region", name="How the update came about").get_by_role("row")
    for row, (name, was, value, then) in enumerate(
        zip((*updates["features"], "bias"), second["before"], second["x"], second["after"], strict=True), start=1
    ):
        expect(weights.nth(row)).to_have_text("".join([name, *(shown(number, 4) for number in (was, value, then))]))
    page.get_by_role("slider", name="The updates").press("End")
    expect(page).to_have_url(re.compile(f"update={total - 1}"))
    expect(
        page.get_by_text("The new w gets 0 training rows wrong, fewer than any before it: it goes into the pocket.")
    ).to_be_visible()
    expect(page.get_by_text("line after")).to_be_visible()
    assert flaws(page) == {}


def test_what_predictions_rest_on(page: Page, site: Site, trained: dict[str, Any], perceptron: dict[str, Any]) -> None:
    given = {"row": 72, "changes": {"petal_width": 1.1}}
    answer = site.client.post(f"/v1/jobs/{trained['id']}/what_if", json=given).json()
    page.goto(f"/models/{trained['model_id']}")
    ways = page.get_by_role("navigation", name="How to give rows")
    ways.get_by_role("link", name="What if").click()
    page.get_by_label("Row of the data").fill("72")
    page.get_by_label("Column", exact=True).select_option("petal_width")
    cell = page.get_by_label("petal_width", exact=True)
    expect(cell).to_have_value("1.5")
    rows = page.get_by_role("region", name="What if").get_by_role("row")
    expect(rows.nth(1)).to_have_text(re.compile("^Prediction"))  # nothing is changed yet
    cell.fill("1.1")
    expect(rows.nth(1)).to_have_text("petal_width ✕1.51.1−0.4")
    for name in ("setosa", "versicolor", "virginica"):
        shares = [answer[side]["probabilities"][name] for side in ("before", "after")]
        pattern = "".join(rf"{re.escape(f'{100 * share:.1f}'.removesuffix('.0'))}%" for share in shares)
        expect(rows.filter(has_text=name).last).to_have_text(re.compile(pattern))
    assert flaws(page) == {}
    page.get_by_role("slider", name="petal_width, over its range in the data").press("Home")
    expect(cell).to_have_value("0.1")
    page.get_by_role("button", name="Change petal_width back").click()
    expect(cell).to_have_value("1.5")

    ways.get_by_role("link", name="Dependence").click()
    page.get_by_label("Feature").select_option("petal_length")
    expect(page.get_by_role("img", name="Partial dependence on petal_length")).to_be_visible()
    ways.get_by_role("link", name="Importance").click()
    expect(
        page.get_by_role("region", name="What is lost when a column is shuffled: Accuracy").get_by_role("row")
    ).to_have_count(5)
    expect(ways.get_by_role("link", name="Contributions")).to_have_count(0)  # a network is no sum

    model_id = perceptron["model_id"]
    found = site.client.get(f"/v1/models/{model_id}/contributions", params={"row": 3}).json()
    ((name, output),) = found["outputs"].items()
    page.goto(f"/models/{model_id}?by=contributions&at=3")
    table = page.get_by_role("region", name=f"How {name} comes about").get_by_role("row")
    expect(table).to_have_count(5)
    expect(table.nth(1)).to_have_text(f"The answer to the mean row{shown(output['mean_output'], 6)}")
    expect(table.last).to_have_text(f"The model's output{shown(output['output'], 6)}")
    page.get_by_label("from zero").check()
    expect(table.nth(1)).to_have_text(f"The bias{shown(output['bias'], 6)}")


def test_a_slice_of_the_loss_with_the_runs_path(page: Page, site: Site, trained: dict[str, Any]) -> None:
    page.goto(f"/jobs/{trained['id']}?tab=slice&points=9")
    page.get_by_role("button", name="Draw the slice").click()
    expect(page.get_by_role("group", name="The cost on the plane")).to_be_visible()
    answer = site.client.post(f"/v1/jobs/{trained['id']}/landscape", json={"directions": "principal", "resolution": 9}).json()
    run = page.get_by_role("region", name="The run on this plane").get_by_role("row")
    expect(run).to_have_count(1 + len(answer["path"]))
    expect(run.last).to_contain_text(shown(answer["path"][-1]["cost"], 4))
    assert flaws(page) == {}
    page.get_by_label("Two parameters").check()
    page.get_by_label("Layer and array").last.select_option("output: b")
    page.get_by_label("Extent to either side").fill("2")
    page.get_by_role("button", name="Draw the slice").click()
    expect(page).to_have_url(re.compile("second=output%3Ab%3A0"))
    expect(page.get_by_text("Of the run's movement")).to_have_count(0)  # chosen parameters explain none of it


def test_a_slice_that_takes_long_is_a_job_that_can_be_cancelled(page: Page, site: Site, moons: str) -> None:
    job = site.done(site.post(moons, target="moon", model={"kind": "mlp", "hidden": [{"units": 256}]}, epochs=2))
    page.goto(f"/jobs/{job['id']}?tab=slice&points=200&along=random")
    page.get_by_role("button", name="Draw the slice").click()
    expect(page.get_by_role("progressbar", name="Progress of the slice")).to_be_visible()
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.get_by_text("The slice was cancelled.")).to_be_visible()
    (first,) = slices_of(site, job)
    assert first["state"] == "cancelled"
    page.get_by_label("Points a side").fill("125")
    page.get_by_role("button", name="Draw the slice").click()
    expect(page.get_by_text("The slice was cancelled.")).to_have_count(0)
    page.wait_for_function("(before) => !location.search.includes(before)", arg=first["id"])
    second = slices_of(site, job)[0]
    assert site.done(second["id"])["state"] == "succeeded"
    page.reload()  # the address holds it
    expect(page.get_by_role("group", name="The cost on the plane")).to_be_visible()


def slices_of(site: Site, job: dict[str, Any]) -> list[dict[str, Any]]:
    """The jobs that slice its loss, the newest first."""
    return [each for each in site.client.get("/v1/jobs?kind=slice").json()["items"] if each["parent"] == job["id"]]


def test_they_are_in_portuguese_on_a_phone(
    visit: Callable[..., Page], trained: dict[str, Any], perceptron: dict[str, Any]
) -> None:
    page = visit(locale="pt-BR", **PHONE)
    told = {
        f"/jobs/{perceptron['id']}?tab=updates": "Como a atualização surgiu",
        f"/jobs/{trained['id']}?tab=slice": "Desenhar o corte",
        f"/models/{trained['model_id']}?by=what_if": "A linha é uma das|O modelo foi treinado",
        f"/models/{trained['model_id']}?by=dependence": "Dependência parcial de",
        f"/models/{trained['model_id']}?by=importance": "O que se perde ao embaralhar cada coluna",
        f"/models/{perceptron['model_id']}?by=contributions": "A resposta à linha média",
    }
    for path, text in told.items():
        page.goto(path)
        expect(page.get_by_text(re.compile(text)).first).to_be_visible()
        settled(page)
        assert too_wide(page) == [], path
