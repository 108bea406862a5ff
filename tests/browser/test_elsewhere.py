"""A page of another origin does all that the dashboard does, and docs/dashboards.md says how."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Site

DOCUMENT = Path(__file__).parents[2] / "docs/dashboards.md"
JOURNEY = """
async ({ api, csv }) => {
  const call = async (path, options) => {
    const answer = await fetch(api + path, options);
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  };
  const post = (path, value) =>
    call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value) });
  const form = new FormData();
  form.append("file", new File([csv], "points.csv"));
  const dataset = await call("/v1/datasets", { method: "POST", body: form });
  const asked = { dataset_id: dataset.id, target: "y", model: { kind: "mlp" }, epochs: 20 };
  const job = await post("/v1/jobs", asked);
  const epochs = [];
  const last = await new Promise((resolve) => {
    const events = new EventSource(`${api}/v1/jobs/${job.id}/events`);
    events.addEventListener("metric", ({ data }) => epochs.push(JSON.parse(data).epoch));
    events.addEventListener("state", ({ data }) => {
      const told = JSON.parse(data);
      if (told.done) { events.close(); resolve(told); }
    });
  });
  const { predictions } = await post(`/v1/models/${last.model_id}/predict`, { records: [{ x: 3 }] });
  return { origin: location.origin, state: last.state, epochs, predictions: predictions.length };
}
"""


@contextmanager
def served(port: int, text: str) -> Iterator[str]:
    """The URL of a page of that text, from a server that knows nothing else."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = self.path.startswith("/page")
            self.send_response(200 if found else 204)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            if found:
                self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Pages)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_page_elsewhere_goes_from_a_file_to_a_prediction(visit: Callable[..., Page], site: Site) -> None:
    csv = "x,y\n" + "".join(f"{x},{2 * x + 1}\n" for x in range(40))
    with served(site.elsewhere, "<!doctype html><title>Elsewhere</title>") as url:
        told = visit("/page", at=url).evaluate(JOURNEY, {"api": site.url, "csv": csv})
    assert told == {"origin": url, "state": "succeeded", "epochs": list(range(1, 21)), "predictions": 1}


def test_the_documents_page_draws_every_epoch(visit: Callable[..., Page], site: Site, trained: dict[str, Any]) -> None:
    [code] = re.findall(r"```html\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    [script] = re.findall(r'<script type="module">\n(.*?)</script>', code, re.DOTALL)
    assert len(script.splitlines()) <= 20
    with served(site.elsewhere, code) as url:
        page = visit(f"/page?api={site.url}&job={trained['id']}", at=url)
        expect(page.locator("#state")).to_have_text(f"{trained['name']}: succeeded")
        points = page.locator("polyline").get_attribute("points")
    assert points is not None
    heights = [float(point.split(",")[1]) for point in points.split()]
    assert len(heights) == trained["progress"]["epochs"]
    assert heights[-1] > heights[0] == min(heights)  # the loss falls, and the first is the largest
