"""What a warning of a dataset advises and can be sent: sent, it does away with the warning."""

from typing import Any

import pytest

from service.remedies import KINDS, READ
from tests.service.conftest import Stage

ROWS = 60
NUMBERS = [f"{n},{n % 3}" for n in range(ROWS)]
WORDS = [f"{word},{n % 3}" for n, word in enumerate(("red", "green", "blue") * 20)]


def table(header: str, *rows: str) -> str:
    return "\n".join([header, *rows])


NINE = range(9)
FILES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a mark in numbers": ("ALMOST_NUMBERS", table("a,b", *NUMBERS, "unknown,1"), {"read": {"missing": "unknown"}}),
    "a word that may be a gap": ("READ_AS", table("a,b", *WORDS, "NA,1"), {"read": {"missing": ""}}),
    "a mark among words": ("READ_AS", table("a,b", *WORDS, "-,1"), {"read": {"missing": "-"}}),
    "a decimal mark": ("READ_AS", table("a;b", *(f"{n}.{n:03d};1" for n in range(100, 160))), {"read": {"decimal": ","}}),
    "a header of words": ("READ_AS", table("x,y", *(f"{word},{word}s" for word in "abcdefgh")), {"read": {"header": False}}),
    "apostrophes": ("QUOTES", table("a,b", *WORDS[:5], "'red',1"), {"read": {"quote": "'"}}),
    "one column": ("ONE_COLUMN", table("a%b", *(f"{n}%{n % 3}" for n in NINE)), {"read": {"delimiter": "%"}}),
    "a total": ("TOTAL_ROW", table("name,b", *(f"n{n},{n}" for n in NINE), "Total,36"), {"read": {"skip_footer": 1}}),
    "two headers": (
        "HEADER_ROWS",
        table("men,men,women", "small,tall,all", *(f"{n},{n},{n}" for n in NINE)),
        {"read": {"skip_lines": 1}},
    ),
    "a code": (
        "LEADING_ZEROS",
        table("zip,b", *(f"{n:05d},{n}" for n in range(ROWS))),
        {"columns": [{"name": "zip", "kind": "integer"}]},
    ),
    "free text": (
        "FREE_TEXT",
        table("a,b", *(f"words of {n % 55},{n}" for n in range(ROWS))),
        {"columns": [{"name": "a", "kind": "categorical"}]},
    ),
}


@pytest.mark.parametrize("case", FILES)
def test_what_a_warning_advises_can_be_sent_and_ends_it(stage: Stage, case: str) -> None:
    code, text, remedy = FILES[case]
    dataset = stage.csv(text + "\n").json()
    advised = [warning for warning in dataset["warnings"] if "remedy" in warning]
    assert remedy in [warning["remedy"] for warning in advised if warning["code"] == code], dataset["warnings"]
    path = f"/v1/datasets/{dataset['id']}"
    said = next(warning["detail"] for warning in advised if warning["remedy"] == remedy)
    portuguese = stage.client.get(path, headers={"Accept-Language": "pt-BR"}).json()["warnings"]
    assert remedy in [warning.get("remedy") for warning in portuguese if warning["detail"] != said]
    corrected = stage.client.patch(path, json=remedy)
    assert corrected.status_code == 200, corrected.text
    assert (code, said) not in [(warning["code"], warning["detail"]) for warning in corrected.json()["warnings"]]
    assert remedy not in [warning.get("remedy") for warning in corrected.json()["warnings"]]


def test_every_way_to_advise_is_tried_above() -> None:
    tried = {name for _, _, remedy in FILES.values() for name in remedy.get("read", ())}
    assert tried == {name for _, name, _ in READ}
    assert {code for code, _, _ in FILES.values()} >= KINDS.keys()
