"""A job is trained again: a stretch of it, to the bit, and all of it with other seeds and settings."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Complaints, Site
from tests.browser.views import flaws


@pytest.fixture
def job(site: Site) -> dict[str, Any]:
    return site.done(site.post(site.iris(), name="again", epochs=6, record={"checkpoint_every": 2}))


def test_a_replay_agrees_with_what_was_recorded(page: Page, site: Site, job: dict[str, Any], complaints: Complaints) -> None:
    complaints.expect("422.*replay")  # of a stretch that ends before it begins
    page.goto(f"/jobs/{job['id']}?tab=replay")
    page.get_by_label("After epoch").select_option("4")
    page.get_by_label("To epoch").fill("3")
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("the replay begins after epoch 4")).to_be_visible()
    page.get_by_label("To epoch").fill("6")
    page.get_by_role("button", name="Replay").click()
    replay = page.get_by_role("article")
    expect(replay).to_contain_text("Every bit agrees")
    (made,) = site.client.get("/v1/jobs", params={"parent": job["id"], "kind": "replay"}).json()["items"]
    result = site.client.get(f"/v1/jobs/{made['id']}/result").json()
    assert result["agrees"]
    expect(replay).to_contain_text(f"Epochs 5 to 6. {result['compared']['curve_points']} points")
    replay.get_by_text("Versions and processor").click()
    expect(replay.get_by_role("row", name="NumPy")).to_contain_text(result["versions"]["now"]["numpy"])

    # the replay leads back to the job, and stands in the list where it is asked for
    replay.get_by_role("link").click()
    expect(page.get_by_text("Replay of")).to_be_visible()
    page.get_by_role("link", name="another job", exact=True).click()
    expect(page).to_have_url(re.compile(f"{job['id']}.*tab=replay"))
    page.goto("/jobs")
    expect(page.get_by_role("table").get_by_role("link", name="again", exact=True).first).to_be_visible()
    expect(page.get_by_role("link", name="again replay")).to_have_count(0)
    page.get_by_label("Kind").select_option("replays")
    expect(page).to_have_url(re.compile("kind=replay"))


def test_a_group_tells_the_spread_of_its_runs(page: Page, visit: Callable[..., Page], site: Site, job: dict[str, Any]) -> None:
    page.goto(f"/jobs/{job['id']}?tab=repeat")
    page.get_by_role("spinbutton", name="Seeds").fill("3")
    page.get_by_label("What other seeds draw anew").select_option("first weights alone")
    page.get_by_role("button", name="Start 3 jobs").click()
    expect(page.get_by_text("3 of 3 jobs are done, 3 succeeded")).to_be_visible()
    group = site.client.get(f"/v1/groups/{page.url.partition('group=')[2]}").json()
    assert (group["asked"]["vary"], group["asked"]["seeds"]) == ("weights", 3)
    spread = group["result"][0]["metrics"]["validation_loss"]
    line = page.get_by_role("row", name="Loss (validation)")
    for name in ("mean", "deviation", "low", "high"):
        expect(line).to_contain_text(f"{spread[name]:.4g}")
    with page.expect_download() as kept:
        page.get_by_role("button", name="CSV: the numbers of “Loss (validation)”").click()
    assert len(kept.value.path().read_text().splitlines()) == 1 + 6
    assert flaws(page) == {}

    # one setting: a metric by its values, and a band of curves for each
    page.get_by_role("radio", name="values of a setting").check()
    page.get_by_label("Setting", exact=True).select_option("epochs")
    page.get_by_role("textbox", name="Values").fill("2 4")
    page.get_by_role("spinbutton", name="Seeds").fill("2")
    page.get_by_role("button", name="Start 4 jobs").click()
    expect(page.get_by_text("epochs: 2, 4, 2 seeds each.")).to_be_visible()
    expect(page.get_by_text("4 of 4 jobs are done, 4 succeeded")).to_be_visible()
    expect(page.get_by_role("img", name="Metric by value: Loss")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("^4 · Loss"))).to_have_count(2)
    expect(page.get_by_label("Groups of this job").get_by_role("option")).to_have_count(2)

    # a job of the group leads to it, and to the job that it repeats
    page.get_by_text("Jobs (4)").click()
    page.get_by_role("region", name="Jobs").get_by_role("link").first.click()
    expect(page.get_by_role("link", name="its group")).to_have_attribute("href", re.compile("tab=repeat&group=grp_"))
    phone = visit(f"/jobs/{job['id']}?tab=repeat", width=390, locale="pt-BR", color_scheme="dark")
    expect(phone.get_by_text("4 de 4 treinos terminaram")).to_be_visible()


def test_a_group_is_cancelled(page: Page, site: Site) -> None:
    seldom = {"checkpoint_every": 1000, "histograms_every": 1000}
    job = site.done(site.post(site.iris(), epochs=1, record=seldom))
    page.goto(f"/jobs/{job['id']}?tab=repeat")
    page.get_by_role("radio", name="values of a setting").check()
    page.get_by_label("Setting", exact=True).select_option("epochs")
    page.get_by_role("textbox", name="Values").fill("1000000")
    page.get_by_role("spinbutton", name="Seeds").fill("2")
    page.get_by_role("button", name="Start 2 jobs").click()
    page.get_by_role("button", name="Cancel the group").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel the group").click()
    expect(page.get_by_text("2 of 2 jobs are done, 0 succeeded")).to_be_visible()
    expect(page.get_by_text("No job has succeeded yet.")).to_be_visible()
