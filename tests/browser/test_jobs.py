"""The list of jobs, live in several tabs; and a page whose API is killed and comes back."""

import os
import signal
import subprocess
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from bench.streams import held, write_epochs
from store.database import Database
from store.settings import Settings
from tests.browser.conftest import Complaints, Site
from tests.end_to_end.conftest import Server, command, wait_for

LISTENING = """
window.told = [];
const Own = EventSource;
window.EventSource = class extends Own {
  constructor(...given) {
    super(...given);
    this.addEventListener("metric", (event) => told.push(JSON.parse(event.data).epoch));
  }
};
"""


def row(page: Page, name: str) -> Any:
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def test_the_list_is_live_in_two_tabs(site: Site, page: Page) -> None:
    page.goto("/jobs?name=live+list")
    expect(page.get_by_text("No job fits")).to_be_visible()
    dataset = site.iris()
    first = site.post(dataset, name="Live list, first", epochs=3)
    expect(row(page, "Live list, first")).to_contain_text("succeeded")
    expect(page.get_by_text("1 job", exact=True)).to_be_visible()
    other = page.context.new_page()
    other.goto(page.url)
    second = site.post(dataset, name="Live list, second", epochs=3)
    site.client.patch(f"/v1/jobs/{first}", json={"name": "Live list, renamed"})
    for tab in (page, other):
        expect(row(tab, "Live list, second")).to_contain_text("succeeded")
        expect(row(tab, "Live list, renamed")).to_be_visible()
        expect(row(tab, "Live list, first")).to_have_count(0)

    page.get_by_role("columnheader", name="Name").get_by_role("button").click()
    expect(page).to_have_url(f"{site.url}/jobs?name=live+list&order=name")
    expect(page.locator(".job-name")).to_have_text(["Live list, renamed", "Live list, second"])
    page.locator(".job-name").first.focus()
    page.keyboard.press("Space")  # selects, and goes on to the next by the arrow
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    compare = page.get_by_role("link", name="Compare", exact=True).last
    expect(compare).to_have_attribute("href", f"/compare?jobs={first},{second}")
    page.get_by_role("button", name="Delete (2)").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    for tab in (page, other):
        expect(tab.get_by_text("No job fits")).to_be_visible()
    assert site.client.get(f"/v1/jobs/{first}").status_code == 404


def test_an_api_that_was_killed_comes_back_without_gap_or_double(
    start: Callable[..., Server], visit: Callable[..., Page], complaints: Complaints
) -> None:
    complaints.expect("ERR_|Failed to load resource")  # while nobody answers
    server = start("serve")
    subprocess.run(command("migrate"), env=os.environ | {"VIDRO_DATA": str(server.data)}, check=True, capture_output=True)
    wait_for(lambda: answers(server), "the API")
    job_id = server.post(server.iris(), name="Killed", epochs=100)
    database = Database(Settings(data=server.data).database)
    lease = held(database, job_id)
    url = str(server.client.base_url).rstrip("/")
    page = visit(at=url)
    page.add_init_script(LISTENING)
    page.goto(f"/jobs/{job_id}")
    page.get_by_text("Live", exact=True).wait_for()
    write_epochs(database, lease, 5, 0)
    wait_for(lambda: len(page.evaluate("() => told")) >= 5, "epoch 5")
    table = page.context.new_page()
    table.goto("/jobs")
    expect(row(table, "Killed")).to_contain_text("epoch 5 of 100")

    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    for tab in (page, table):
        expect(tab.get_by_text("Connection lost")).to_be_visible()
    write_epochs(database, lease, 5, 0, first=6)
    start("serve", port=url.rpartition(":")[2], data=server.data)
    wait_for(lambda: len(page.evaluate("() => told")) >= 10, "epoch 10")
    write_epochs(database, lease, 5, 0, first=11)
    wait_for(lambda: len(page.evaluate("() => told")) >= 15, "epoch 15")
    assert page.evaluate("() => told") == list(range(1, 16))
    for tab in (page, table):
        expect(tab.get_by_text("Live", exact=True)).to_be_visible()
    expect(row(table, "Killed")).to_contain_text("epoch 15 of 100")
    database.close()


def answers(server: Server) -> bool:
    try:
        return server.client.get("/healthz").status_code == 200
    except Exception:
        return False
