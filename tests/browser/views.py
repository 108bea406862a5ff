"""Every view with something to see in it, and the addresses that lead there."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

GLASS = ("landscapes", "functions", "initialisations", "optimizers")
PANELS = ("curves", "network", "histograms", "boundary", "evaluation", "settings", "log")
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
}


def settled(page: Page) -> None:
    """Wait until the view is there, and nothing in it is awaited any more."""
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("[aria-busy=true], .waiting")).to_have_count(0)
