"""The browser that journeys run in: an installed Chromium or Chrome."""

import os
import shutil

NAMED = "VIDRO_TEST_BROWSER"
"""The environment variable that says which; without it the first of these that is installed."""
NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LEFT_OUT = (
    "tests/browser was left out, the journeys through the dashboard: no Chromium or Chrome was found.\n"
    f"Install one (on Debian: apt-get install chromium), or name one by {NAMED}=/path/to/chrome."
)


def found() -> str | None:
    """The path of the browser, or None where there is none. One that is named is taken, whatever becomes of it."""
    if named := os.environ.get(NAMED):
        return named
    return next((path for name in NAMES if (path := shutil.which(name))), None)
