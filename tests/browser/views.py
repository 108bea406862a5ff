"""Every view with something to see in it, the addresses that lead there, and what may be wrong with any of them."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, ViewportSize, expect
from playwright.sync_api import TimeoutError as TookTooLong

AXE = Path(__file__).parents[2] / "dashboard/node_modules/axe-core/axe.min.js"
FOUND = """
async (options) => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...options });
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
}
"""
TOO_WIDE = """
() => {
  const width = document.documentElement.clientWidth;
  const wide = [...document.querySelectorAll("body *")].filter((each) => each.getBoundingClientRect().right > width + 1);
  return document.documentElement.scrollWidth > width ? wide.slice(0, 5).map((each) => each.outerHTML.slice(0, 120)) : [];
}
"""
DRAWN_MILLISECONDS = 5_000
"""How long a chart may take to be drawn in a new width."""
DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 800}
GLASS = ("landscapes", "functions", "initialisations", "optimizers")
PANELS = ("curves", "network", "layers", "boundary", "evaluation", "rows", "diagnosis", "replay", "repeat", "settings", "log")
ADDRESSES: dict[str, Callable[[dict[str, Any]], str]] = {
    "home": lambda job: "/",
    "datasets": lambda job: "/datasets",
    "dataset": lambda job: f"/datasets/{job['dataset_id']}",
    "jobs": lambda job: "/jobs",
    "new-job": lambda job: "/jobs/new",
    "new-job-from": lambda job: f"/jobs/new?from={job['id']}",
    **{f"job-{tab}": lambda job, tab=tab: f"/jobs/{job['id']}?tab={tab}" for tab in PANELS},  # type: ignore[misc]
    "compare": lambda job: f"/compare?jobs={','.join([job['id'], *job.get('others', [])])}",
    "models": lambda job: "/models",
    "model": lambda job: f"/models/{job['model_id']}",
    "glass": lambda job: "/glass",
    **{f"glass-{page}": lambda job, page=page: f"/glass/{page}" for page in GLASS},  # type: ignore[misc]
    "lessons": lambda job: "/lessons",
    "lesson": lambda job: "/lessons/losses?seed=1",
}


def settled(page: Page) -> None:
    """Wait until the view is there, and nothing in it is awaited any more."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("[aria-busy=true], .waiting")).to_have_count(0)


def too_wide(page: Page) -> list[str]:
    """What does not fit the window's width, once charts had time to take it."""
    with suppress(TookTooLong):
        page.wait_for_function(f"() => ({TOO_WIDE.strip()})().length === 0", timeout=DRAWN_MILLISECONDS)
    found: list[str] = page.evaluate(TOO_WIDE)
    return found


def flaws(page: Page) -> dict[str, list[str]]:
    """What axe finds that is serious, in light and in dark, and what a phone does not show; the page is left as it was."""
    settled(page)
    page.evaluate(AXE.read_text())
    found = {"light": page.evaluate(FOUND, {})}
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    found["dark"] = page.evaluate(FOUND, {"runOnly": ["color-contrast"]})
    page.set_viewport_size(PHONE)
    settled(page)
    found["phone"] = too_wide(page)
    page.set_viewport_size(DESKTOP)
    page.emulate_media(color_scheme="light")
    return {where: what for where, what in found.items() if what}
