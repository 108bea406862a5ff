"""From data to a job by way of the form, and from a job to its fork."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Complaints, Site


def field(page: Page, pointer: str) -> Locator:
    return page.locator(f'[data-pointer="{pointer}"]').locator("input, select").first


def held(page: Page) -> dict[str, Any]:
    """The settings that the address holds."""
    found: dict[str, Any] = json.loads(parse_qs(urlsplit(page.url).query)["set"][0])
    return found


def jobs_on(site: Site, dataset_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = site.client.get("/v1/jobs", params={"dataset_id": dataset_id}).json()["items"]
    return found


def test_a_job_is_made_step_by_step(page: Page, site: Site) -> None:
    dataset_id = site.iris()
    page.goto(f"/jobs/new?dataset={dataset_id}")
    page.get_by_label("What to predict").select_option("species")
    estimate = page.get_by_role("complementary", name="What it will be")
    expect(estimate).to_contain_text("131")  # 4·16 + 16 + 16·3 + 3 parameters
    expect(page.get_by_label("Task")).to_have_text(re.compile(r"Classification \(by itself\)"))
    page.get_by_label("petal_width").uncheck()

    # layers are added, and put in another order by key and by dragging; their shapes follow
    page.get_by_role("button", name="Add layer").click()
    field(page, "/model/hidden/1/units").fill("4")
    expect(page.get_by_text("16 → 4, 68 parameters")).to_be_visible()
    page.get_by_role("button", name="Move Layer 2: drag").press("ArrowUp")
    expect(page.get_by_text("4 → 16, 80 parameters")).to_be_visible()
    expect(page.get_by_role("button", name="Move Layer 1: drag")).to_be_focused()
    page.get_by_role("button", name="Move Layer 1: drag").drag_to(page.locator("li", has_text="Layer 2"))
    expect(page.get_by_text("16 → 4, 68 parameters")).to_be_visible()

    page.get_by_label("Optimizer").select_option("Momentum")
    field(page, "/optimizer/learning_rate").fill("0,05")
    field(page, "/epochs").fill("7")
    chosen = {
        "target": "species",
        "features": ["sepal_length", "sepal_width", "petal_length"],
        "model": {"kind": "mlp", "hidden": [{"units": 16}, {"units": 4}]},
        "optimizer": {"kind": "momentum", "learning_rate": 0.05},
        "epochs": 7,
    }
    expect(page.get_by_label("Short", exact=True).nth(1)).to_contain_text('"epochs": 7')
    page.wait_for_function("() => location.search.includes('epochs')")
    assert held(page) == chosen
    page.reload()
    expect(field(page, "/optimizer/learning_rate")).to_have_value("0.05")

    # pressed twice, one job begins
    page.get_by_role("button", name="Start training").dblclick()
    expect(page).to_have_url(re.compile("/jobs/job_"))
    (job,) = jobs_on(site, dataset_id)
    assert page.url.endswith(job["id"])
    assert job["request"]["features"] == chosen["features"]
    assert [layer["units"] for layer in job["request"]["model"]["hidden"]] == [16, 4]
    assert job["request"]["optimizer"] == {"kind": "momentum", "learning_rate": 0.05, "momentum": 0.9}

    # another like it says the same again, and its Python runs as it stands
    page.goto(f"/jobs/new?from={job['id']}")
    expect(field(page, "/epochs")).to_have_value("7")
    page.wait_for_function("() => !location.search.includes('from=')")
    assert held(page) == chosen
    page.get_by_label("Python").check()
    code = page.locator("pre.request").inner_text()
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    again = site.job(told.split()[0])
    assert again["request"] == job["request"]


def test_what_is_wrong_is_told_at_its_field(page: Page, site: Site, complaints: Complaints) -> None:
    complaints.expect("422")
    settings = {"target": "species", "model": "mlp", "split": {"validation": 2}}
    page.goto(f"/jobs/new?dataset={site.iris()}&set={json.dumps(settings)}")
    problem = page.get_by_role("complementary").get_by_role("alert")
    expect(problem).to_contain_text("split.validation")
    expect(page.get_by_role("button", name="Start training")).to_be_disabled()
    expect(field(page, "/epochs")).to_have_value("100")  # defaults are known all the same
    problem.get_by_role("button").click()
    wrong = field(page, "/split/validation")
    expect(wrong).to_be_focused()
    expect(wrong).to_have_attribute("aria-invalid", "true")
    wrong.fill("0.3")
    expect(page.get_by_role("button", name="Start training")).to_be_enabled()
    expect(page.get_by_role("complementary")).to_contain_text("105 train, 45 validate")

    # what means nothing for another model is left out, told, and can be had again
    field(page, "/epochs").fill("9")
    page.get_by_label("Linear regression").check()
    page.get_by_role("button", name="Undo").click()
    expect(field(page, "/epochs")).to_have_value("9")


def test_gaps_are_mended_in_the_form(visit: Callable[..., Page], site: Site, complaints: Complaints) -> None:
    complaints.expect("422")
    rows = "\n".join(f"{row % 7},{'' if row == 3 else row},{row * 2}" for row in range(60))
    dataset_id = site.client.post("/v1/datasets", files={"file": ("gaps.csv", f"a,b,y\n{rows}\n")}).json()["id"]
    page = visit(f"/jobs/new?dataset={dataset_id}&set={json.dumps({'target': 'y'})}", width=390, locale="pt-BR")
    expect(page.get_by_label("Tarefa")).to_contain_text("Regressão (automática)")
    expect(page.get_by_role("button", name="Começar o treinamento")).to_be_disabled()
    page.get_by_label("Valores ausentes").select_option("median")
    expect(page.get_by_role("button", name="Começar o treinamento")).to_be_enabled()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_fork_goes_on_with_a_change(page: Page, trained: dict[str, Any], site: Site, complaints: Complaints) -> None:
    complaints.expect("422")
    page.goto(f"/jobs/{trained['id']}")
    page.get_by_role("button", name="Fork").click()
    dialog = page.get_by_role("dialog", name="Fork this job")
    expect(dialog.get_by_text("30 epochs to go")).to_be_visible()  # as many again are offered
    epochs = dialog.get_by_role("textbox", name="Epochs")
    epochs.fill("20")
    expect(epochs).to_have_attribute("aria-invalid", "true")
    expect(dialog.get_by_role("button", name="Start the fork")).to_be_disabled()
    epochs.fill("40")
    dialog.get_by_role("textbox", name="Learning rate").fill("0.001")
    expect(dialog.get_by_text("10 epochs to go")).to_be_visible()
    dialog.get_by_role("button", name="Start the fork").click()
    page.wait_for_url(lambda url: trained["id"] not in url)
    job = site.job(page.url.rsplit("/", 1)[1])
    assert job["forked_from"] == {"job_id": trained["id"], "epoch": 30}
    assert job["request"] == trained["request"] | {
        "epochs": 40,
        "optimizer": trained["request"]["optimizer"] | {"learning_rate": 0.001},
    }
