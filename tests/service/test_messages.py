"""The messages about what was sent: a place, words that need no knowledge of Python, and what there is instead."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from service.mistakes import told
from service.uploads import FIELDS
from tests.service.conftest import Stage

WRONG: list[Any] = [
    None, True, -1, 1.5, 10**400, -1e300, "", "x", "\0", "x" * 300, [], [None], [[], "x"], ["x", 1], [{}], {}, {"x": 1},
    {"kind": 3}, {"kind": "x", "y": 1},
]  # fmt: skip
FOREIGN = re.compile(
    r"\^|\\|pydantic|dataclass|union|function|constrained|literal|Input|String should|discriminator|Traceback|valid string|"
    r"\b(str|int|float|bool|dict|tuple|list|None|NoneType|dictionary|keyword|argument|attribute|instance)\b"
)
"""What only who knows the machinery understands."""
JOB = {"dataset_id": "ds_none", "target": "y", "model": {"kind": "mlp", "hidden": [{"units": 3}]}}


def bodies(document: dict[str, Any], schema: dict[str, Any]) -> Iterator[Any]:
    """Wrong bodies for that schema: of another kind altogether, and with something else in each field, two levels deep."""
    yield from WRONG
    for form in objects(document, schema):
        whole = {
            name: example(document, field) for name, field in form["properties"].items() if name in form.get("required", ())
        }
        yield {**whole, "unknown": 1}
        for name, field in form["properties"].items():
            yield from ({**whole, name: value} for value in WRONG)
            for inner in objects(document, field):
                for key in inner.get("properties", {}):
                    given = {"kind": inner["properties"]["kind"]["const"]} if "kind" in inner["properties"] else {}
                    yield from ({**whole, name: {**given, key: value}} for value in WRONG[:8])


def objects(document: dict[str, Any], schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects that a schema allows."""
    if "$ref" in schema:
        return objects(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    members = [found for form in schema.get("anyOf", schema.get("oneOf", ())) for found in objects(document, form)]
    return [schema, *members] if "properties" in schema else members


def example(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    """Something of the schema, roughly."""
    forms = schema.get("anyOf", schema.get("oneOf", [schema]))
    return {"string": "x", "integer": 1, "array": [], "number": 1.0}.get(forms[0].get("type", ""), {})


def validators(app: FastAPI) -> dict[str, Callable[[Any], list[Any]]]:
    """For every route with a JSON body, the mistakes that its validation finds in one, as a handler of errors has them."""
    found = {}
    for router in app.routes:
        for route in getattr(router, "original_router", app).routes:
            if isinstance(route, APIRoute) and route.body_field is not None:
                found[f"{min(route.methods)} {route.path}"] = partial(mistakes, route.body_field)
    return found


def mistakes(field: Any, body: Any) -> list[Any]:
    return field.validate(body, {}, loc=("body",))[1] or []


def test_no_message_needs_to_know_the_machinery(stage: Stage) -> None:
    document, told_of, foreign = stage.client.get("/openapi.json").json(), Counter[str](), {}
    for name, validate in validators(stage.client.app).items():
        method, path = name.split(" ")
        schema = document["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]["schema"]
        for body in bodies(document, schema):
            for pointer, text in told(validate(body), body):
                told_of[path] += 1
                if FOREIGN.search(text):
                    foreign[text] = (path, pointer, body)
    assert not foreign
    assert set(told_of) >= {
        "/v1/jobs",
        "/v1/jobs/{job_id}",
        "/v1/traces",
        "/v1/functions/loss",
        "/v1/models/{model_id}/predict",
    }
    assert told_of.total() > 3000


def test_no_message_about_a_form_needs_to_know_the_machinery(stage: Stage) -> None:
    details = []
    for field in FIELDS[3:]:
        for value in ("", "x", "#" * 9, "\n", "-1", "[", "[3]", '[{"name": 3}]', "9" * 400):
            query = {"filename": "t.csv", field: value}
            response = stage.client.post("/v1/uploads", params=query, headers={"Upload-Complete": "?0"})
            assert response.status_code in (201, 422)
            if response.status_code == 422:
                details.append((query, response.json()["detail"]))
    assert len(details) > 50
    assert not [each for each in details if FOREIGN.search(each[1])]


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        (None, "the body came without a Content-Type; send JSON, and say so with -H 'Content-Type: application/json'"),
        ("application/x-www-form-urlencoded", "as curl -d sends it unless told otherwise; send JSON"),
        ("text/plain", "the body came as Content-Type: text/plain; send JSON"),
    ],
)
def test_json_that_does_not_say_so_is_told_the_header(stage: Stage, sent: str | None, says: str) -> None:
    headers = {} if sent is None else {"Content-Type": sent}
    for path in ("/v1/jobs", "/v1/traces", "/v1/models/none/predict", "/v1/landscapes/bowl/descend"):
        response = stage.client.post(path, content=b'{"a": 1}', headers=headers)
        assert response.status_code == 415
        assert says in response.json()["detail"]
    response = stage.client.post("/v1/datasets", content=b'{"sample": "iris"}', headers=headers)
    assert response.status_code == 415
    assert "-H 'Content-Type: application/json'" in response.json()["detail"]


ALTERNATIVES: dict[str, tuple[str, Any, dict[str, str]]] = {
    "no kind": (
        "jobs",
        {**JOB, "model": {}},
        {"/model": 'say which kind, as in {"kind": "linear_regression"}; choose \'linear_r'},
    ),
    "nearly a kind": ("jobs", {**JOB, "model": {"kind": "mpl"}}, {"/model": "'mpl' is not known; did you mean 'mlp'? choose"}),
    "nearly a name": ("jobs", {**JOB, "optimizer": "Adam W"}, {"/optimizer": "did you mean 'adamw'?"}),
    "a size": ("jobs", {**JOB, "batch_size": "all"}, {"/batch_size": "must be either an integer or 'full'"}),
    "a target": ("jobs", {**JOB, "target": 3}, {"/target": "must be either text or a JSON array"}),
    "one of several targets": ("jobs", {**JOB, "target": ["a", 3]}, {"/target/1": "must be text"}),
    "no form of a trace": (
        "traces",
        {},
        {"": "give either 'job_id', or 'layers', 'loss', 'inputs', 'targets' and 'optimizer'"},
    ),
    "half of a form": ("traces", {"layers": []}, {"/loss": "this field is needed; add it"}),
    "no form of records": ("models/none/predict", {}, {"": "give either 'records', or 'columns' and 'data'"}),
    "a layer": (
        "jobs",
        {**JOB, "model": {"kind": "mlp", "hidden": ["16"]}},
        {"/model/hidden/0": 'must be a number of units, as in 16, or a JSON object, as in {"units": 16}'},
    ),
}


@pytest.mark.parametrize(("path", "body", "says"), ALTERNATIVES.values(), ids=ALTERNATIVES.keys())
def test_alternatives_are_told_as_such(stage: Stage, path: str, body: Any, says: dict[str, str]) -> None:
    response = stage.client.post(f"/v1/{path}", json=body)
    assert response.status_code == 422
    found = {error["pointer"]: error["detail"] for error in response.json()["errors"]}
    for pointer, text in says.items():
        assert text in found[pointer], found
    assert "/target" in says or "/target" not in found


def test_short_forms_are_filled_in_and_returned_whole(stage: Stage) -> None:
    short = {
        "dataset_id": stage.iris(), "target": "species", "epochs": 2.0, "optimizer": "adam", "schedule": "cosine",
        "loss": "cross_entropy", "model": {"kind": "mlp", "hidden": [16, 8.0], "initializer": "xavier_normal"},
        "preprocessing": {"scaling": "standard"},
    }  # fmt: skip
    response = stage.client.post("/v1/jobs", json=short)
    assert response.status_code == 202, response.text
    request = response.json()["request"]
    assert request["optimizer"] == {"kind": "adam", "learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8}
    assert request["loss"] == {"kind": "cross_entropy"}
    assert request["schedule"] == {"kind": "cosine", "minimum": 0.0}
    assert request["model"]["initializer"] == {"kind": "xavier_normal"}
    assert request["model"]["hidden"] == [{"units": units, "activation": "relu", "dropout": 0.0} for units in (16, 8)]
    assert (request["epochs"], type(request["epochs"])) == (2, int)
    bare = stage.client.post("/v1/jobs?validate_only=true", json={**short, "model": "mlp"})
    assert bare.json()["request"]["model"]["hidden"] == [{"units": 16, "activation": "relu", "dropout": 0.0}]
    again = stage.client.post("/v1/jobs?validate_only=true", json=request)
    assert again.json()["request"] == request, "what was filled in means the same"


def test_the_glass_box_takes_short_forms(stage: Stage) -> None:
    given = {"layers": [{"weights": [[1], [2]]}], "loss": "half_mse", "inputs": [[1, 2]], "targets": [[3]]}
    whole = {**given, "loss": {"kind": "half_mse"}}
    for path, short, long in (
        ("traces", {**given, "optimizer": "momentum"}, {**whole, "optimizer": {"kind": "momentum"}}),
        ("gradient_checks", given, whole),
        (
            "landscapes/bowl/descend",
            {"optimizers": ["adam"], "schedule": "constant"},
            {"optimizers": [{"kind": "adam"}], "schedule": {"kind": "constant"}},
        ),
        (
            "functions/loss",
            {"loss": "hinge", "z": [[1, 2]], "targets": [0]},
            {"loss": {"kind": "hinge"}, "z": [[1, 2]], "targets": [0]},
        ),
        ("datasets", {"sample": "xor"}, {"sample": {"kind": "xor"}}),
    ):
        answers = [stage.client.post(f"/v1/{path}", json=body).json() for body in (short, long)]
        for answer in answers:
            answer.pop("id", None), answer.pop("created_at", None)
        assert answers[0] == answers[1]
        assert "code" not in answers[0]


def test_patterns_are_told_in_words(stage: Stage) -> None:
    found = stage.client.get("/v1/jobs/none/weights?epoch=ten").json()
    assert found["errors"] == [{"pointer": "/query/epoch", "detail": "must be model, last, best or the number of an epoch"}]
    found = stage.client.post("/v1/uploads", headers={"Upload-Complete": "yes"}).json()
    assert found["errors"] == [{"pointer": "/header/Upload-Complete", "detail": "must be ?0 or ?1"}]


def test_true_is_no_number_of_lines(stage: Stage) -> None:
    dataset_id = stage.csv("a,b\n1,2\n").json()["id"]
    response = stage.client.patch(f"/v1/datasets/{dataset_id}", json={"read": {"skip_lines": True}})
    assert response.json()["errors"] == [{"pointer": "/read/skip_lines", "detail": "must be an integer"}]
