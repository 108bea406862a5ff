"""Journeys through the built dashboard in a real browser, on a real `vidro up`.

A journey is a test that takes `page` and says what a reader does and sees:

    def test_a_finished_job_can_be_looked_at(page: Page, trained: dict[str, Any]) -> None:
        page.goto(f"/jobs/{trained['id']}")
        expect(page.get_by_role("heading", level=1)).to_have_text(trained["name"])

- `page` is a page of a new context, 1280 px wide, in English and light. Addresses are relative to the server.
- `visit("/jobs", width=390, color_scheme="dark", locale="pt-BR")` opens another, as many as a journey needs.
- `site` is the server: `site.client` asks the API beside the page, `site.iris()`, `site.post()` and `site.done()` make things.
- `trained` is a job that has succeeded, and `model_id` is in it. It is shared: look at it, and change nothing.
- `keyed` is an API of its own that asks for `keyed.key`, without a worker.
- `complaints` holds what the browser complains of. Every page is watched: an error on the console, an exception, a violation
  of the policy or a request to another host fails the test. `complaints.expect("401")` first, where one is what a journey
  is about.

The server is one for all processes of pytest, and other journeys run beside yours: work on datasets and jobs of your own,
and kill servers of your own alone (`start`, which costs seconds). Wait by `expect(...)`, never for a time. Find things as a
reader does: by role, label and text.
"""

import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.browser import chromium
from tests.end_to_end.conftest import Server, alive, command, free_port, start, wait_for

__all__ = ["start"]

ROOT = Path(__file__).parents[2]
PATIENCE_MILLISECONDS = 30_000
"""How long a page may take for anything: other tests run beside it."""
TRAINED = {"name": "Looked at by all", "epochs": 30, "seed": 1, "batch_size": 16}
WATCH_POLICY = """
addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) =>
  console.error(`policy: ${violatedDirective} ${blockedURI}`));
"""
expect.set_options(timeout=PATIENCE_MILLISECONDS)


@dataclass
class Site(Server):
    """The server that all journeys share, and the origin of a page elsewhere that it lets in."""

    elsewhere: int = 0
    """The port of that page, on 127.0.0.1: no process listens there until a test does."""
    key: str | None = None

    @property
    def url(self) -> str:
        return str(self.client.base_url).rstrip("/")


@dataclass
class Complaints:
    """What browsers complained of during a test, and what of it was to be expected."""

    said: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def expect(self, pattern: str) -> None:
        """From now on, and for what was said before, take complaints that contain the pattern as right."""
        self.expected.append(pattern)

    @property
    def unexpected(self) -> list[str]:
        return [each for each in self.said if not any(re.search(pattern, each) for pattern in self.expected)]

    def watch(self, page: Page, hosts: set[str]) -> None:
        def console(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.said.append(f"console: {message.text} ({message.location.get('url')})")

        def request(asked: Request) -> None:
            parts = urlsplit(asked.url)
            if parts.scheme in ("http", "https", "ws", "wss") and parts.netloc not in hosts:
                self.said.append(f"request to another host: {asked.url}")

        page.on("console", console)
        page.on("request", request)
        page.on("pageerror", lambda error: self.said.append(f"exception: {error}"))


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this session of pytest see."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "browser"
    folder.mkdir(exist_ok=True)
    return folder


@contextmanager
def alone(shared: Path) -> Iterator[dict[str, Any]]:
    """What the processes of pytest know together, to read and to change while no other does."""
    with (shared / "lock").open("a+") as lock:
        flock(lock, LOCK_EX)
        file = shared / "known.json"
        known: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
        yield known
        file.write_text(json.dumps(known))


@pytest.fixture(scope="session")
def site(shared: Path) -> Iterator[Site]:
    """`vidro up`: the first process that needs it starts it, and the last one ends it."""
    if not (ROOT / "service/dashboard/index.html").exists():
        pytest.fail("the dashboard is not built; scripts/setup-dashboard builds it, or says why it cannot")
    with alone(shared) as known:
        if not known.get("users"):
            known |= begun(shared / f"up-{time.time_ns()}")
        known["users"] += 1
        data, log = Path(known["data"]), Path(known["log"])
    client = httpx.Client(base_url=f"http://127.0.0.1:{known['port']}", timeout=60)
    found = Site(None, client, data, log, known["elsewhere"])  # type: ignore[arg-type]
    wait_for(found.ready, "readiness")
    yield found
    client.close()
    with alone(shared) as known:
        known["users"] -= 1
        if not known["users"]:
            known.pop("trained", None)
            os.kill(known["pid"], signal.SIGTERM)
            wait_for(lambda: not alive(known["pid"]), "the end of the server")


def begun(folder: Path) -> dict[str, Any]:
    folder.mkdir()
    port, elsewhere, data, log = free_port(), free_port(), folder / "data", folder / "log"
    setting = {
        "VIDRO_DATA": str(data),
        "VIDRO_PORT": str(port),
        "VIDRO_WORKERS": "1",
        "VIDRO_CORS_ORIGINS": f"http://127.0.0.1:{elsewhere}",
    }
    with log.open("wb") as file:
        process = subprocess.Popen(command("up"), stdout=file, stderr=file, env=os.environ | setting, start_new_session=True)
    told = {"pid": process.pid, "port": port, "elsewhere": elsewhere, "data": str(data), "log": str(log), "users": 0}
    process.returncode = 0  # it is not this process that waits for its end
    return told


@pytest.fixture(scope="session")
def trained(site: Site, shared: Path) -> dict[str, Any]:
    with alone(shared) as known:
        if "trained" not in known:
            known["trained"] = site.done(site.post(site.iris(), **TRAINED))
        found: dict[str, Any] = known["trained"]
    assert found["state"] == "succeeded", found
    return found


@pytest.fixture
def keyed(start: Callable[..., Server]) -> Site:
    """An API alone that asks for a key."""
    server = start("serve")
    environment = os.environ | {"VIDRO_DATA": str(server.data)}
    subprocess.run(command("migrate"), env=environment, check=True, capture_output=True)
    made = subprocess.run(
        command("keys", "create", "--owner", "ana"), env=environment, check=True, capture_output=True, text=True
    )
    found = Site(server.process, server.client, server.data, server.log, key=made.stdout.strip())

    def answers() -> bool:
        try:
            return found.client.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    wait_for(answers, "the API")
    return found


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """A browser for as long as this process is at journeys: its event loop would be in the way of others' tests."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium.found(), args=list(chromium.ARGUMENTS))
        yield launched
        launched.close()


@pytest.fixture
def complaints() -> Iterator[Complaints]:
    found = Complaints()
    yield found
    assert found.unexpected == [], "the browser complained"


@pytest.fixture
def visit(request: pytest.FixtureRequest, browser: Browser, complaints: Complaints) -> Iterator[Callable[..., Page]]:
    """Open a page in a context of its own."""
    contexts = []

    def opened(path: str | None = None, *, at: str | None = None, width: int = 1280, height: int = 800, **options: Any) -> Page:
        url = at or request.getfixturevalue("site").url
        options = {"locale": "en-US", "color_scheme": "light", "reduced_motion": "reduce"} | options
        context = browser.new_context(base_url=url, viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        context.add_init_script(WATCH_POLICY)
        hosts = {urlsplit(url).netloc} | ({request.getfixturevalue("site").url.split("//")[1]} if at else set())
        context.on("page", lambda page: complaints.watch(page, hosts))
        page = context.new_page()
        if path is not None:
            page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def page(visit: Callable[..., Page]) -> Page:
    return visit()
