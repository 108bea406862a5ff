"""Every call that these pages print is sent to the service, a worker runs its jobs, and its answer is the one printed."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.service.conftest import Stage
from tests.service.printed import Example, agree, examples, parsed
from worker.training import run

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"course.md": 23, "glass-box/repeat.md": 4, "glass-box/replay.md": 2}
"""The pages, and how many answers each prints at least."""
KINDS = "ds|job|mdl|grp"


def mnist() -> bytes:
    """A file of the shapes of MNIST: noise, since the documents ask only what a network of such images looks like."""
    rng, file = np.random.default_rng(0), io.BytesIO()
    np.savez_compressed(file, image=rng.integers(0, 256, (100, 28, 28)).astype(np.uint8), label=np.arange(100) % 10)
    return file.getvalue()


class Reader:
    """Sends the calls of a page in order, and puts in each the ids that those before it were answered with."""

    def __init__(self, stage: Stage) -> None:
        self.stage, self.ids = stage, dict[str, str]()

    def send(self, example: Example) -> Any:
        """The answer; jobs that it set going have ended."""
        call = example.call
        given: dict[str, Any] = {"content": self.filled(call.body)} if call.body is not None else {}
        if call.file is not None:
            given = {"files": {"file": (call.file, mnist())}}
        answer = self.stage.client.request(call.method, self.filled(call.path), headers=call.headers, **given)
        assert answer.is_success, (example.line, answer.text)
        if not answer.headers["content-type"].startswith("application/json"):
            assert answer.content
            return None
        found = answer.json()
        self.note(found)
        if answer.status_code == 202:
            while run(self.stage.place):
                pass
            job = self.stage.client.get(f"/v1/jobs/{self.ids['job']}").json()
            assert job["state"] == "succeeded", (example.line, job["error"])
            self.note(job)
        return found

    def filled(self, text: str | None) -> str:
        return re.sub(rf"\b({KINDS})_…", lambda found: self.ids[found[1]], text or "")

    def note(self, answer: dict[str, Any]) -> None:
        for name in ("id", "model_id"):
            kind = str(answer.get(name)).partition("_")[0]
            if re.fullmatch(KINDS, kind):
                self.ids[kind] = answer[name]


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_prints_is_what_is_answered(stage: Stage, page: str) -> None:
    found = examples(DOCS / page)
    assert sum(each.answer is not None for each in found) >= PAGES[page]
    reader, wrong = Reader(stage), []
    for example in found:
        answer = reader.send(example)
        if example.answer is not None:
            try:
                agree(parsed(example.answer), answer)
            except AssertionError as error:
                wrong.append(f"line {example.line}: {error}")
    assert not wrong, "\n".join(wrong)
