"""The document tells the truth: it is valid, it resolves, and what comes back is what it says."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from service.app import create_app
from service.routes.traces import CHECKS, TRACES
from service.uploads import FIELDS
from tests.service.conftest import Stage
from tests.service.routes import calls as calls_of

IRIS_ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from references(child)
    elif isinstance(node, list):
        for child in node:
            yield from references(child)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app().openapi()


def test_every_reference_resolves_and_every_operation_is_described(stage: Stage) -> None:
    document = stage.client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for reference in set(references(document)):
        node = document
        for part in reference.removeprefix("#/").split("/"):
            node = node[part]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path} has no description"


def test_the_specs_are_the_schema(stage: Stage) -> None:
    schemas = stage.client.get("/openapi.json").json()["components"]["schemas"]
    adam = schemas["Adam"]
    assert adam["properties"]["learning_rate"]["exclusiveMinimum"] == 0
    assert adam["additionalProperties"] is False
    assert "kind" in adam["required"]
    mapping = schemas["JobRequest"]["properties"]["model"]["anyOf"][1]["discriminator"]["mapping"]
    models = {"linear_regression", "logistic_regression", "perceptron", "mlp", "network", "lenet5", "alexnet", "k_means"}
    assert set(mapping) == models


def schemas(node: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object of the document with where it stands, but for examples."""
    if isinstance(node, dict):
        yield at, node
        for name, child in node.items():
            if name not in ("example", "examples"):
                yield from schemas(child, f"{at}/{name}")
    elif isinstance(node, list):
        for place, child in enumerate(node):
            yield from schemas(child, f"{at}/{place}")


def test_every_default_is_as_its_own_schema_has_it_and_no_object(document: dict[str, Any]) -> None:
    held = 0
    for at, schema in schemas(document):
        if "default" in schema and not at.endswith("/properties"):
            whole = {name: value for name, value in schema.items() if name != "default"}
            jsonschema.Draft202012Validator({**whole, "components": document["components"]}).validate(schema["default"])
            entries = schema["default"] if isinstance(schema["default"], list) else [schema["default"]]
            assert not any(isinstance(entry, dict) for entry in entries), f"{at}: generators of clients have no words for it"
            held += 1
    assert held > 100


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_every_operation_goes_by_the_name_of_its_function(stage: Stage, document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names), names
    functions = {call.route.original_route.endpoint.__name__ for call in calls_of(stage.client.app)}
    assert set(names) <= functions
    assert {"create_job", "create_dataset", "healthz"} <= set(names)


def test_every_operation_tells_what_it_may_answer(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        told = {int(status) for status in operation["responses"]}
        wanted = {401, 403, 422, 429, 500, 503} if path.startswith("/v1/") else set()
        content = operation.get("requestBody", {}).get("content", {})
        wanted |= {413, 415} if content.keys() & {"application/json", "multipart/form-data"} else set()
        wanted |= {404} if "{" in path else set()
        names = {parameter["name"].lower() for parameter in operation.get("parameters", ())}
        wanted |= {409} if "idempotency-key" in names else set()
        assert wanted <= told, f"{method} {path} does not tell {wanted - told}"
        assert any(status < 300 for status in told)
        for status, response in operation["responses"].items():
            if int(status) >= 400 and path != "/readyz":
                assert list(response["content"]) == ["application/problem+json"], f"{method} {path} {status}"


def test_every_tag_and_every_schema_is_described(document: dict[str, Any]) -> None:
    described = {tag["name"] for tag in document["tags"] if tag["description"]}
    assert {tag for _, _, operation in operations(document) for tag in operation["tags"]} == described
    assert document["info"]["summary"]
    assert document["components"]["schemas"]["Problem"]["description"]


def test_files_and_streams_are_described_as_they_are(document: dict[str, Any]) -> None:
    def contents(path: str, method: str, status: str | None = None) -> dict[str, Any]:
        operation = document["paths"][path][method]
        return (operation["requestBody"] if status is None else operation["responses"][status])["content"]

    form = document["components"]["schemas"]["DatasetUpload"]
    assert contents("/v1/datasets", "post") == {
        "multipart/form-data": {"schema": {"$ref": "#/components/schemas/DatasetUpload"}}
    }
    assert form["properties"]["file"]["items"] == {"type": "string", "format": "binary"}
    assert set(form["properties"]) == set(FIELDS)
    events = contents("/v1/jobs/{job_id}/events", "get", "200")
    assert list(events) == ["application/json", "text/event-stream"]
    assert events["text/event-stream"]["schema"]["type"] == "string"
    assert list(contents("/v1/jobs/{job_id}/curves", "get", "200")) == ["application/json", "text/csv"]
    weights = contents("/v1/jobs/{job_id}/weights", "get", "200")
    assert list(weights) == ["application/json", "application/x-npz", "application/vnd.safetensors"]
    assert list(contents("/v1/datasets/{dataset_id}/content", "get", "200")) == ["application/octet-stream"]
    assert list(contents("/v1/uploads", "post")) == ["application/octet-stream"]
    assert {"201", "400"} <= document["paths"]["/v1/uploads"]["post"]["responses"].keys()


def schema_of(document: dict[str, Any], method: str, path: str, status: int, media_type: str) -> dict[str, Any]:
    """The schema that the document declares for an answer. Raises KeyError where it declares none."""
    for template, operations in document["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path) and method in operations:
            content = operations[method]["responses"][str(status)]["content"][media_type]
            return {"components": document["components"], **content["schema"]}
    raise KeyError(path)


def calls(stage: Stage) -> list[tuple[str, str, Any]]:
    """One of every operation that answers JSON, good and bad, as method, path and body."""
    iris = stage.iris()
    job = stage.job(iris, "species", "mlp", epochs=20)
    near = stage.job(iris, None, "k_means", model={"clusters": 3})
    flat = stage.job(stage.csv("a,b,y\n1,2,3\n2,4,5\n3,6,8\n").json()["id"], "y", "linear_regression")
    body = {"dataset_id": iris, "target": "species", "model": {"kind": "mlp"}}
    wild = TRACES["given"]["value"] | {"optimizer": {"kind": "gradient_descent", "learning_rate": 1e200}, "steps": 5}
    parts = ("", "/curves", "/checkpoints", "/weights", "/predictions?cells=true")
    jobs = [f"/v1/jobs/{made['id']}{part}" for made in (job, flat) for part in parts]
    rest = [f"/v1/models/{made['model_id']}/importance?repeats=2&rows=20&split=train" for made in (job, flat)]
    rest += [f"/v1/models/{flat['model_id']}/contributions", f"/v1/models/{job['model_id']}/contributions"]
    got = [
        "/v1/datasets", f"/v1/datasets/{iris}", f"/v1/datasets/{iris}/rows", "/v1/samples", "/v1/jobs", *jobs, "/v1/models",
        f"/v1/models/{job['model_id']}", f"/v1/models/{flat['model_id']}", "/v1/catalog", "/v1/landscapes",
        "/v1/jobs/schema",
        "/v1/landscapes/bowl",
        f"/v1/jobs/{job['id']}/evaluation",
        *(f"/v1/jobs/{near['id']}/{part}" for part in ("weights", "evaluation", "clusters", "clusters?x=sepal_width")),
        *rest, f"/v1/models/{flat['model_id']}/dependence?feature=a",
        f"/v1/jobs/{job['id']}/histograms", f"/v1/jobs/{flat['id']}/evaluation", f"/v1/datasets/{iris}/correlations",
        f"/v1/datasets/{iris}/histogram?column=petal_width", "/healthz", "/readyz",
        "/v1/datasets/ds_none", "/v1/jobs/job_none", "/v1/jobs/job_none/weights", "/v1/models/mdl_none",
        "/v1/jobs?page_size=0", "/v1/jobs?page_token=x",
        f"/v1/jobs/{job['id']}/boundary", f"/v1/jobs/{flat['id']}/boundary", f"/v1/jobs/{job['id']}/boundary?x=none",
        "/v1/functions/activation/softmax", "/v1/functions/loss/huber?delta=2", "/v1/functions/loss/none",
    ]  # fmt: skip
    return [
        *(("get", path, None) for path in got),
        ("post", "/v1/datasets", {"sample": {"kind": "xor"}}),
        ("post", "/v1/datasets", {"sample": {"kind": "none"}}),
        ("post", "/v1/jobs", body),
        ("post", "/v1/jobs?validate_only=true", body),
        ("post", "/v1/jobs", body | {"epochs": 0}),
        ("post", "/v1/jobs", body | {"dataset_id": "ds_none"}),
        ("post", f"/v1/jobs/{job['id']}/cancel", None),
        ("post", f"/v1/models/{job['model_id']}/predict", {"records": [IRIS_ROW]}),
        ("post", f"/v1/models/{job['model_id']}/predict", {"records": [{}]}),
        ("post", "/v1/traces", {"job_id": job["id"], "epoch": 0, "steps": 2}),
        ("post", "/v1/traces", TRACES["given"]["value"]),
        ("post", "/v1/traces", wild),
        ("post", "/v1/traces", {"job_id": flat["id"]}),
        ("post", "/v1/traces", {"job_id": "job_none"}),
        ("post", "/v1/gradient_checks", {"job_id": job["id"], "parameters": 9}),
        ("post", "/v1/gradient_checks", CHECKS["given"]["value"]),
        ("post", "/v1/gradient_checks", {}),
        ("post", f"/v1/jobs/{job['id']}/what_if", {"row": 3, "changes": {"petal_width": 2.1}}),
        ("post", f"/v1/jobs/{flat['id']}/what_if", {"row": 1, "changes": {"a": "x"}}),
        ("post", "/v1/landscapes/bowl/descend", {"optimizers": [{"kind": "adam"}]}),
        ("post", "/v1/initializations", {"width": 10, "depth": 2, "rows": 5}),
        ("delete", f"/v1/jobs/{stage.client.post('/v1/jobs', json=body).json()['id']}", None),
    ]


def test_every_answer_is_as_declared(stage: Stage) -> None:
    document = stage.client.get("/openapi.json").json()
    statuses = set()
    for method, path, body in calls(stage):
        response = stage.client.request(method.upper(), path, json=body)
        media_type = response.headers["content-type"].partition(";")[0]
        schema = schema_of(document, method, path.partition("?")[0], response.status_code, media_type)
        jsonschema.Draft202012Validator(schema).validate(response.json())
        statuses.add(response.status_code)
        if response.status_code >= 400 and path != "/readyz":
            assert media_type == "application/problem+json"
    assert statuses == {200, 201, 202, 404, 409, 422, 503}


def shown(operation: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Any]]:
    """The schemas of an operation's good answers in JSON, each with the example of it."""
    for status, response in operation["responses"].items():
        content = response.get("content", {}).get("application/json", {})
        if status.startswith("2") and "example" in content:
            yield content["schema"], content["example"]


def test_every_example_of_an_answer_is_as_declared(document: dict[str, Any]) -> None:
    held = 0
    for method, path, operation in operations(document):
        for schema, example in shown(operation):
            whole = {**schema, "components": document["components"]}
            assert jsonschema.Draft202012Validator(whole).is_valid(example), f"{method} {path}"
            held += 1
    assert held >= 15


WITHOUT = {
    "/v1/catalog", "/v1/functions/{family}/{name}", "/v1/functions/loss", "/v1/functions/activation", "/v1/functions/neuron",
    "/v1/landscapes", "/v1/landscapes/{name}", "/v1/landscapes/{name}/descend", "/v1/initializations", "/v1/traces",
    "/v1/gradient_checks", "/v1/jobs/{job_id}/filters", "/v1/jobs/{job_id}/feature_maps",
}  # fmt: skip
"""Calls of before version 0.6, most of which answer without any data of one's own."""


def test_the_glass_box_shows_what_it_answers(document: dict[str, Any]) -> None:
    """Who reads the document sees what a call answers before there is a job to ask about."""
    glass = {path: operation for _, path, operation in operations(document) if "glass box" in operation["tags"]}
    assert {path for path, operation in glass.items() if not any(shown(operation))} == WITHOUT
    assert any(shown(document["paths"]["/v1/datasets/{dataset_id}/relation"]["get"]))


@pytest.mark.parametrize("name", ["short", "linear"])
def test_the_examples_are_accepted(stage: Stage, name: str) -> None:
    document = stage.client.get("/openapi.json").json()
    examples = document["paths"]["/v1/jobs"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    dataset_id = stage.iris() if name == "short" else stage.sample("infant_weight")
    response = stage.client.post("/v1/jobs", json=examples[name]["value"] | {"dataset_id": dataset_id})
    assert response.status_code == 202, response.text


def test_no_two_schemas_share_a_name(document: dict[str, Any]) -> None:
    """FastAPI tells such apart by their modules, or by the way that they go; generated clients cannot."""
    assert [name for name in document["components"]["schemas"] if "__" in name or name.endswith(("-Input", "-Output"))] == []
