"""Pictures of each view, for people to look at: at the width of a desktop and of a phone, light and dark.

`scripts/screenshots FOLDER` starts a server of its own with something in it, and ends it.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect, sync_playwright

from tests.browser import chromium
from tests.browser.views import ADDRESSES, settled
from tests.end_to_end.conftest import Server, starting, wait_for

WIDTHS = {"desktop": 1280, "phone": 390}
HEIGHT = 800
NETWORK = {"kind": "mlp", "hidden": [{"units": 8}, {"units": 6}]}
expect.set_options(timeout=60_000)


def stocked(server: Server) -> dict[str, Any]:
    """A job to look at, beside others: of classes, numbers and pictures, some of them ended otherwise."""
    iris = server.iris()
    samples = {
        kind: server.client.post("/v1/datasets", json={"sample": {"kind": kind, **more}}).json()["id"]
        for kind, more in {"house_prices": {}, "digits": {}, "double_moons": {"rows": 400}}.items()
    }
    shown = server.post(iris, name="Iris, two hidden layers", model=NETWORK, epochs=80, tags=["course"])
    others = [
        server.post(iris, name="Iris, logistic", model={"kind": "logistic_regression"}),
        server.post(
            iris, name="Iris, larger steps", model=NETWORK, epochs=80, optimizer={"kind": "adam", "learning_rate": 0.05}
        ),
        server.post(samples["house_prices"], name="House prices", target="price", model={"kind": "linear_regression"}),
        server.post(samples["digits"], name="Digits", target="digit", epochs=15, tags=["pictures"]),
        server.post(iris, name="Steps too large", optimizer={"kind": "gradient_descent", "learning_rate": 1e20}),
    ]
    jobs = [server.done(job_id, 300) for job_id in (shown, *others)]
    server.post(samples["digits"], name="Still learning", target="digit", epochs=1_000_000, model=NETWORK)
    return jobs[0] | {"others": [job["id"] for job in jobs[1:3]]}


def take(browser: Browser, url: str, job: dict[str, Any], folder: Path, names: list[str]) -> None:
    for size, width in WIDTHS.items():
        for theme in ("light", "dark"):
            scheme: Any = theme
            with browser.new_context(
                base_url=url,
                viewport={"width": width, "height": HEIGHT},
                color_scheme=scheme,
                reduced_motion="reduce",
                locale="en-US",
            ) as context:
                page = context.new_page()
                for name in names:
                    page.goto(ADDRESSES[name](job))
                    settled(page)
                    page.wait_for_timeout(1500)  # charts draw once their numbers are there, which nothing tells
                    page.screenshot(path=folder / f"{name}-{size}-{theme}.png", full_page=True)
                    sys.stdout.write(f"{name}-{size}-{theme}.png\n")


def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, starting(Path(data)) as begin, sync_playwright() as playwright:
        server = begin(workers=1, lease_seconds=30)
        wait_for(server.ready, "readiness")
        job = stocked(server)
        browser = playwright.chromium.launch(executable_path=chromium.found(), args=list(chromium.ARGUMENTS))
        take(browser, str(server.client.base_url), job, folder, names)
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots"), sys.argv[2:] or list(ADDRESSES))
