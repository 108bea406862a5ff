"""JSON and JSON Lines in stretches: the same table as all at once, whatever is cut where."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.errors import UnreadableFile
from store.formats import documents
from tests.store.formats import read

cells: dict[str, Any] = {
    "n": st.none() | st.integers(-5, 300) | st.floats(-1e6, 1e6),
    "t": st.none() | st.text(st.sampled_from('ab"\\,[]{}\n é\t'), max_size=12),
    "b": st.none() | st.booleans(),
    "v": st.none() | st.lists(st.integers(0, 300), min_size=2, max_size=2),
}
rows = st.lists(st.fixed_dictionaries({}, optional=cells), min_size=1, max_size=25)
FORMS = {
    "json": lambda rows: json.dumps(rows),
    "indented.json": lambda rows: json.dumps(rows, indent=3, ensure_ascii=False),
    "jsonl": lambda rows: "\n".join(map(json.dumps, rows)),
    "spaced.jsonl": lambda rows: "\r\n\r\n".join(map(json.dumps, rows)) + "\n\n",
}


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(table=rows, stretch=st.integers(1, 60))
def test_in_stretches_it_is_the_same_table(tmp_path: Path, form: str, table: list[Any], stretch: int) -> None:
    table = [*table, {"n": 1, "t": "x", "b": True, "v": [1, 2]}]
    text = FORMS[form](table)
    whole = read(tmp_path, text, f"t.{form}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "STRETCH_BYTES", stretch)
        found = read(tmp_path, text, f"t.{form}")
    assert found.equals(whole.select(found.columns))
    wanted = [{name: row.get(name) for name in found.columns} for row in table]
    assert found.to_dicts() == wanted


BAD: dict[str, tuple[str, str]] = {
    # what it is: (the file, what is said of it)
    "a comma too many": ('[{"a": 1}, {"a": 2}, ]', "is no JSON"),
    "two commas": ('[{"a": 1}, , {"a": 2}]', "is no JSON"),
    "no comma": ('[{"a": 1}, {"a": 2} {"a": 3}]', "is no JSON"),
    "no end": ('[{"a": 1}, {"a": 2}, {"a": 3}', "is no JSON"),
    "more after the end": ('[{"a": 1}, {"a": 2}] [{"a": 3}, {"a": 4}]', "is no JSON"),
    "a string that does not end": ('[{"a": "1}, {"a": 2}, {"a": 3}]', "is no JSON"),
    "a number in between": ('[{"a": 1}, {"a": 2}, 3, {"a": 3}]', "row 2 is no object"),
    "objects of nothing": ("[{}, {}]", "no columns"),
    "nothing": ("[ ]", "no columns"),
}


@pytest.mark.parametrize("stretch", [4, 10, 17, 1 << 20])
@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_named_wherever_it_is_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, stretch: int
) -> None:
    text, said = BAD[case]
    monkeypatch.setattr(documents, "STRETCH_BYTES", stretch)
    with pytest.raises(UnreadableFile, match=said):
        read(tmp_path, text, "t.json")
