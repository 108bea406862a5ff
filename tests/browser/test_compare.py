"""Jobs side by side: chosen, drawn on one axis, told apart, and gone on with when one is deleted."""

import csv
import os
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Complaints, Site


@pytest.fixture(scope="module")
def three(site: Site) -> list[dict[str, Any]]:
    dataset_id, made = site.iris(), []
    for rate in (0.003, 0.03, 0.3):
        optimizer = {"kind": "adam", "learning_rate": rate}
        made.append(site.post(dataset_id, name=f"compared at {rate} by {os.getpid()}", epochs=12, seed=1, optimizer=optimizer))
    return [site.done(job_id) for job_id in made]


def test_jobs_are_chosen_and_compared(page: Page, three: list[dict[str, Any]]) -> None:
    page.goto("/compare")
    page.get_by_label("Find by name").fill("compared at")
    for job in three:
        page.get_by_role("checkbox", name=job["name"]).check()
    expect(page).to_have_url(re.compile(three[2]["id"]))

    metrics = page.get_by_role("group", name="Metrics")
    expect(metrics.get_by_role("row")).to_have_count(4)
    best = max(three, key=lambda job: job["best"]["validation_accuracy"])["best"]["validation_accuracy"]
    column = metrics.get_by_role("columnheader").all_inner_texts().index("Accuracy (validation)")
    marked = [row.get_by_role("cell").nth(column - 1).inner_text() for row in metrics.get_by_role("row").all()[1:]]
    winners = [job["best"]["validation_accuracy"] == best for job in three]
    assert ["★" in text for text in marked] == (winners if not all(winners) else [False] * 3)

    settings = page.get_by_role("group", name="Settings that differ")
    expect(settings.get_by_role("rowheader")).to_have_text(["optimizer.learning_rate"])
    expect(settings.get_by_role("cell")).to_have_text(["0.003", "0.03", "0.3"])

    expect(page.get_by_role("img", name="Loss (validation) by Epoch for 3 jobs")).to_be_visible()
    page.get_by_role("checkbox", name="Loss (training)").check()
    page.get_by_role("radio", name="Steps").check()
    expect(page.get_by_role("img", name="Loss (training) by Optimizer step for 3 jobs")).to_be_visible()
    with page.expect_download() as kept:
        page.get_by_role("button", name=re.compile(r"Loss \(training\)")).filter(has_text="CSV").click()
    head, *rows = csv.reader(kept.value.path().read_text().splitlines())
    assert head == ["job", "id", "Optimizer step", "train_loss"]
    assert {row[0] for row in rows} == {job["name"] for job in three} and len(rows) == 36

    page.reload()
    expect(page.get_by_role("img", name="Loss (training) by Optimizer step for 3 jobs")).to_be_visible()
    page.get_by_role("button", name=f"Remove “{three[1]['name']}” from the comparison").click()
    expect(page.get_by_role("img", name="Loss (training) by Optimizer step for 2 jobs")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("img", name="Loss (training) by Optimizer step for 3 jobs")).to_be_visible()


def test_a_job_that_is_gone_is_left_out(page: Page, site: Site, three: list[dict[str, Any]], complaints: Complaints) -> None:
    complaints.expect("404")
    gone = site.done(site.post(three[0]["dataset_id"], epochs=1))["id"]
    assert site.client.delete(f"/v1/jobs/{gone}").status_code == 204
    page.goto(f"/compare?jobs={three[0]['id']},{gone},{three[1]['id']}")
    expect(page.get_by_text(f"No longer there, and left out: {gone}.")).to_be_visible()
    expect(page.get_by_role("img", name="Loss (validation) by Epoch for 2 jobs")).to_be_visible()
    page.get_by_role("button", name="Leave them out of the address").click()
    expect(page).not_to_have_url(re.compile(gone))
    expect(page.get_by_text("No longer there")).to_have_count(0)


def test_a_running_job_is_followed(visit: Callable[..., Page], site: Site, three: list[dict[str, Any]]) -> None:
    running = site.post(three[0]["dataset_id"], name="runs on", epochs=1_000_000)
    page = visit(f"/compare?jobs={three[0]['id']},{running}&of=last")
    row = page.get_by_role("group", name="Metrics").get_by_role("row").filter(has_text="runs on")
    epoch = row.get_by_role("cell").nth(1)
    expect(epoch).to_have_text(re.compile(r"\d"))
    before = epoch.inner_text()
    expect(epoch).not_to_have_text(before)
    site.client.post(f"/v1/jobs/{running}/cancel")
    expect(row).to_contain_text("cancelled")
