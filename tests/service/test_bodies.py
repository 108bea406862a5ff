"""Bodies that are deep, long or wrong in many places cost little, and what is told of them is as true as of small ones."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.bodies import LARGE_BYTES, MOST_DEPTH, _measure
from service.problems import MOST_ERRORS
from store import keys
from tests.service.conftest import Stage

ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
VALUES = st.recursive(
    st.none() | st.integers() | st.text(st.sampled_from('[]{},"\\a:é')),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.sampled_from('[]{},"\\a')), inner),
)


def count(value: Any) -> tuple[int, int]:
    """Containers and commas, and the depth."""
    if not isinstance(value, list | dict):
        return 0, 0
    inner = [count(entry) for entry in (value.values() if isinstance(value, dict) else value)]
    return 1 + max(0, len(value) - 1) + sum(number for number, _ in inner), 1 + max((deep for _, deep in inner), default=0)


@settings(max_examples=50)
@given(VALUES)
def test_values_and_depth_are_counted_whatever_stands_in_strings(value: Any) -> None:
    for escapes in (True, False):
        values, depth = _measure(json.dumps(value, ensure_ascii=escapes).encode())
        assert (values - 1, depth) == count(value)


def test_values_and_depth_are_counted_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.bodies.BLOCK_BYTES", 7)
    value = {"[" * 20: ['"\\,{' * 5, [[1, 2], {"a": [3]}]], "b": list(range(30))}
    assert _measure(json.dumps(value).encode()) == (1 + count(value)[0], 5)


def test_depth_is_bounded_in_small_bodies_and_large_ones(stage: Stage) -> None:
    for depth in (MOST_DEPTH + 1, LARGE_BYTES, 1_000_000):
        answer = stage.client.post(
            "/v1/jobs", content=b"[" * depth + b"]" * depth, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_SPEC")
        assert f"are {depth:,} deep" in answer.json()["detail"]
    nested: Any = 1
    for _ in range(MOST_DEPTH - 2):
        nested = [nested]
    assert "deep" not in stage.client.post("/v1/jobs", json={"name": nested}).json()["detail"]


def test_the_number_of_values_is_bounded(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(max_body_values=10_000)
    answer = stage.client.post("/v1/functions/activation", json={"activation": "relu", "z": [[1.0] * 10_001]})
    assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")
    assert "send at most 10,000" in answer.json()["detail"]
    name = stage.client.post("/v1/jobs", json={"name": "," * 20_000})
    assert name.status_code == 422  # commas within a string are no values


WRONG: dict[str, tuple[str, Any]] = {
    "numbers that are none": ("/v1/functions/activation", {"activation": "relu", "z": [["x"] * 50] * 2000}),
    "objects for rows": ("/v1/functions/activation", {"activation": "relu", "z": [{}] * 100_000}),
    "keys that there are not": ("/v1/jobs", {f"key{number}": 0 for number in range(200_000)}),
    "cells that are objects": ("/v1/models/mdl_none/predict", {"columns": ["a"], "data": [[{}]] * 30_000}),
    "keys that there are not, after much that is right": (
        "/v1/functions/activation",
        {"activation": "relu", "z": [[1.0]] * 20_000, **{f"key{number}": 0 for number in range(20_000)}},
    ),
    "wrong only after a long while": ("/v1/functions/activation", {"activation": "relu", "z": [[1.0]] * 5000 + [[{}]] * 4000}),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_hundred_mistakes_are_told_and_that_there_are_more(stage: Stage, name: str) -> None:
    path, body = WRONG[name]
    answer = stage.client.post(path, json=body)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "INVALID_REQUEST")
    assert 1 <= len(problem["errors"]) <= MOST_ERRORS
    assert "there are more" in problem["detail"]
    assert len(answer.content) < 100_000


def test_a_mistake_far_down_is_told_where_it_is(stage: Stage) -> None:
    rows = [[1.0, 2.0] for _ in range(9000)]
    rows[8765] = [1.0, "x"]  # type: ignore[list-item]
    problem = stage.client.post("/v1/functions/activation", json={"activation": "relu", "z": rows}).json()
    assert [error["pointer"] for error in problem["errors"]] == ["/z/8765/1"]
    assert "there are more" not in problem["detail"]


def test_what_a_window_cuts_off_is_no_mistake(stage: Stage) -> None:
    """Of an object with many keys the ones that are needed may come last."""
    body = {**{f"k{number}": None for number in range(300)}, "columns": ["a"], "data": [[1.0]] * 9000}
    problem = stage.client.post("/v1/models/mdl_none/predict", json=body).json()
    assert not {"/columns", "/data"} & {error["pointer"] for error in problem["errors"]}


def test_a_large_body_that_is_right_is_taken_as_a_small_one_is(stage: Stage) -> None:
    model = stage.job(stage.iris(), "species", "logistic_regression")["model_id"]
    path, count = f"/v1/models/{model}/predict", 1000
    small = stage.client.post(path, json={"records": [ROW]}).json()
    large = stage.client.post(path, json={"records": [ROW] * count}).json()
    assert large["predictions"] == small["predictions"] * count
    assert len(large["probabilities"]) == count
    for row in large["probabilities"]:
        assert row == pytest.approx(small["probabilities"][0], rel=1e-12)  # a sum of many rows rounds otherwise
    columns, data = {"columns": list(ROW)}, {"data": [list(ROW.values())] * count}
    for table in ({**columns, **data}, {**data, **columns}):  # also where what tells the two forms apart comes last
        assert stage.client.post(path, json=table).json()["predictions"] == large["predictions"]


@pytest.mark.parametrize("padding", [0, LARGE_BYTES])
def test_what_is_no_json_is_told_alike_of_small_bodies_and_large_ones(stage: Stage, padding: int) -> None:
    def refused(content: bytes) -> tuple[int, str, str]:
        answer = stage.client.post("/v1/jobs", content=content, headers={"Content-Type": "application/json"})
        return answer.status_code, answer.json()["code"], answer.json()["detail"]

    broken = b" " * padding + b'{"name": 1,}'
    status, code, detail = refused(broken)
    assert (status, code) == (422, "INVALID_JSON")
    assert f"character {padding + 11}" in detail
    assert refused(b" " * padding + b'{"epochs": ' + b"9" * 5000 + b"}")[0] == 422
    assert refused(b" " * padding + b'{"name": "\xff"}')[0] == 422


def test_a_stranger_is_turned_away_before_a_large_body_is_read(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage()
    with stage.place.database.transaction() as session:
        keys.create(session, "somebody", ["read", "write"])
    sent = []

    def blocks() -> Any:
        for _ in range(4):
            sent.append(1)
            yield b"[" * LARGE_BYTES

    answer = stage.client.post("/v1/jobs", content=blocks(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 401


def test_bodies_in_memory_are_bounded_all_together(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(max_bodies_bytes=100_000)
    for _ in range(3):  # who is refused gives its share back
        answer = stage.client.post("/v1/jobs", content=b" " * 200_000, headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")
        assert stage.client.post("/v1/jobs", json={}).status_code == 422
