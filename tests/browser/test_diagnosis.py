"""What is wrong with a run, and the change that helps: taken up by a fork, or by a new job where the weights cannot stay."""

import json
import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Site

SLOW = {"model": {"kind": "mlp"}, "optimizer": {"kind": "momentum", "learning_rate": 1e-4, "momentum": 0.5}, "epochs": 20}


def card(page: Page, title: str) -> Locator:
    return page.get_by_role("article").filter(has=page.get_by_role("heading", name=title))


def test_a_finding_is_taken_up(page: Page, visit: Callable[..., Page], site: Site) -> None:
    job = site.done(site.post(site.iris(), **SLOW))
    found = site.client.get(f"/v1/jobs/{job['id']}/diagnosis").json()["findings"]
    by_rule = {finding["rule"]: finding for finding in found}
    page.goto(f"/jobs/{job['id']}?tab=diagnosis")
    expect(page.get_by_role("article")).to_have_count(len(found))
    low = card(page, "Learning rate too low")
    expect(low).to_contain_text("could be better")
    expect(low).to_contain_text("epochs 1 to 20")
    expect(low).to_contain_text(by_rule["LEARNING_RATE_TOO_LOW"]["suggestion"])

    # the weights cannot stay: the form has the job's settings with the change, and nothing else is changed
    few = card(page, "Few rows for the parameters").get_by_role("link", name="New job with this change")
    wanted = parse_qs(urlsplit(few.get_attribute("href") or "").query)
    assert wanted["from"] == [job["id"]]
    body = by_rule["FEW_ROWS"]["patch"]["body"]
    assert json.loads(wanted["set"][0]) == {"regularization": {"l2": body["regularization"]["l2"]}}

    # the weights can stay: the fork has the change, and what the optimizer had besides
    low.get_by_role("button", name="Fork with this change").click()
    rate = by_rule["LEARNING_RATE_TOO_LOW"]["patch"]["body"]["overrides"]["optimizer"]["learning_rate"]
    expect(page.locator("[data-pointer='/optimizer/learning_rate'] input").first).to_have_value(str(rate))
    page.get_by_role("button", name="Start the fork").click()
    expect(page).not_to_have_url(re.compile(job["id"]))
    fork = site.client.get(f"/v1/jobs/{page.url.rpartition('/')[2]}").json()
    assert fork["forked_from"] == {"job_id": job["id"], "epoch": 20}
    assert fork["request"]["optimizer"] == job["request"]["optimizer"] | {"learning_rate": rate}

    phone = visit(f"/jobs/{job['id']}?tab=diagnosis", width=390, locale="pt-BR")
    expect(card(phone, "Taxa de aprendizado baixa demais")).to_contain_text("pode melhorar")


def test_a_running_job_is_diagnosed(page: Page, site: Site) -> None:
    job_id = site.post(site.iris(), model={"kind": "mlp"}, epochs=1_000_000, batch_size=4)
    page.goto(f"/jobs/{job_id}?tab=diagnosis")
    expect(page.get_by_text("The job still runs.")).to_be_visible()
    page.get_by_role("button", name="Ask again").click()
    expect(page.get_by_text("rules were asked").first).to_be_visible()
    site.client.post(f"/v1/jobs/{job_id}/cancel")
    expect(page.locator(".page-head .state")).to_have_text("cancelled")
    expect(page.get_by_text("The job still runs.")).to_have_count(0)
