"""What a document prints is held to the answer: what is left out must be marked, and each digit must be right."""

from pathlib import Path
from typing import Any

import pytest

from tests.service.printed import agree, examples, parsed

REAL: dict[str, Any] = {"id": "ds_01", "rows": 3, "r2": 0.92916, "tiny": 1.4499e-8, "x": [1.0, 2.5, 4.0, 5.5], "y": None}

PAGE = """# Title

    curl -F file=@a.csv localhost:8000/v1/datasets
    curl localhost:8000/v1/x  # and …/y

    {
      "a": 1}

Words.

    curl -H 'Accept: text/csv' -X PUT 'localhost:8000/v1/y?z=1' -d '
      {"b":
       2}'
"""


@pytest.mark.parametrize(
    "printed",
    [
        '{"id": "ds_…", "rows": 3, "r2": 0.9292, "tiny": 1.45e-8, "x": [1, 2.5, 4, 5.5], "y": null}',
        '{"id": "ds_01", …, "x": [1, …, 5.5]}',
        '{"x": […, 2.5, …, 5.5], …}',
        '{"x": …, "y": null, …}',
        '{"x": [1, 2.5, 4, 5.5, …], …}',
    ],
)
def test_what_is_rounded_or_left_out_with_a_mark_agrees(printed: str) -> None:
    agree(parsed(printed), REAL)


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ('{"r2": 0.9291, …}', "/r2: 0.9291 is printed, and it is 0.92916"),
        ('{"tiny": 1.44e-8, …}', "/tiny"),
        ('{"rows": 4, …}', "/rows"),
        ('{"y": 0, …}', "/y"),
        ('{"id": "job_…", …}', "/id"),
        ('{"rows": 3}', "left out without …"),
        ('{"z": …, …}', "there is no {'z'}"),
        ('{"x": [1, 2.5, 4], …}', "/x: 4 elements, not 3"),
        ('{"x": [2.5, …], …}', "/x/0"),
        ('{"x": […, 4, 2.5, …], …}', "/x"),
        ('{"x": [1, 2.5, 4, …, 4, 5.5], …}', "/x: only 4 elements"),
    ],
)
def test_what_is_wrong_is_named(printed: str, why: str) -> None:
    with pytest.raises(AssertionError) as raised:
        agree(parsed(printed), REAL)
    assert why in str(raised.value)


def test_calls_and_answers_are_found_in_a_document(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text(PAGE)
    first, second, third = examples(document)
    assert (first.call.method, first.call.path, first.call.file, first.answer) == ("POST", "/v1/datasets", "a.csv", None)
    assert (second.call.method, second.call.path, second.line) == ("GET", "/v1/x", 3)
    assert parsed(second.answer or "") == {"a": "1"}
    assert (third.call.method, third.call.headers, third.call.path) == ("PUT", {"Accept": "text/csv"}, "/v1/y?z=1")
    assert (third.call.body or "").split() == ['{"b":', "2}"]
