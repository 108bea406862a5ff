"""Datasets over HTTP: in by file or sample, out as profile, rows and the original bytes; bad files leave nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cli.demo import IRIS
from engine.spec import kind_of, members
from engine.tables.samples import Sample
from tests.service.conftest import Stage


def test_an_uploaded_file_is_described_and_given_back(stage: Stage) -> None:
    response = stage.csv(IRIS.read_bytes(), "iris.csv")
    dataset = response.json()
    assert response.status_code == 201
    assert response.headers["location"] == f"/v1/datasets/{dataset['id']}"
    assert dataset["rows"] == 150
    assert dataset["bytes"] == IRIS.stat().st_size
    assert [column["kind"] for column in dataset["columns"]] == ["numeric"] * 4 + ["categorical"]
    petal = dataset["columns"][2]
    assert (petal["min"], petal["max"], petal["distinct"], petal["missing"]) == (1.0, 6.9, 43, 0)
    assert petal["mean"] == pytest.approx(3.758)
    assert dataset["columns"][4]["top"] == [{"value": name, "count": 50} for name in ("setosa", "versicolor", "virginica")]
    assert stage.client.get(response.headers["location"]).json() == dataset
    assert stage.client.get("/v1/datasets?view=full").json() == {"items": [dataset], "next_page_token": None, "total": None}
    assert stage.client.get(f"/v1/datasets/{dataset['id']}/content").content == IRIS.read_bytes()


def test_rows_are_given_by_the_stretch(stage: Stage) -> None:
    dataset_id = stage.csv("a,b\n1,x\n2,\n3,z\n").json()["id"]
    rows = stage.client.get(f"/v1/datasets/{dataset_id}/rows", params={"offset": 1, "limit": 5}).json()
    assert rows == {"columns": ["a", "b"], "rows": [[2, None], [3, "z"]], "offset": 1, "total": 3}


@pytest.mark.parametrize("kind", [kind_of(cls) for cls in members(Sample)])
def test_every_sample_becomes_a_dataset(stage: Stage, kind: str) -> None:
    response = stage.client.post("/v1/datasets", json={"sample": {"kind": kind}})
    assert response.status_code == 201, response.text
    assert response.json()["source"]["sample"]["kind"] == kind
    assert response.json()["rows"] > 3


def test_samples_list_the_schema_of_their_parameters(stage: Stage) -> None:
    items = {item["kind"]: item for item in stage.client.get("/v1/samples").json()["items"]}
    assert set(items) >= {
        "iris", "infant_weight", "anscombe", "double_moons", "xor", "and", "or", "blobs", "circles", "spiral",
        "house_prices", "digits",
    }  # fmt: skip
    assert set(items["double_moons"]["parameters"]["properties"]) >= {"distance", "radius", "width", "rows", "seed"}


BAD_FILES = {
    "empty": ("t.csv", b"", 422, "is empty"),
    "header only": ("t.csv", b"a,b\n", 422, "no rows"),
    "short row": ("t.csv", b"a,b\n1,2\n3\n", 422, "line 3 has 1 cells"),
    "long row": ("t.csv", b"a,b\n1,2\n3,4,5\n", 422, "line 3 has 3 cells"),
    "infinite": ("t.csv", b"a,b\n1,2\n3,inf\n", 422, "column 'b' holds an infinite number in row 1"),
    "NUL bytes": ("t.csv", b"a,b\n1,\0\n", 422, "NUL"),
    "unknown format": ("t.docx", b"a,b\n1,2\n", 415, "csv"),
    "a picture": ("table", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 415, "a picture"),
}


@pytest.mark.parametrize(("name", "content", "status", "text"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_a_bad_file_is_a_clear_problem_and_leaves_nothing(
    stage: Stage, name: str, content: bytes, status: int, text: str
) -> None:
    response = stage.csv(content, name)
    problem = response.json()
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert text in problem["detail"]
    assert problem["instance"] == "/v1/datasets"
    assert problem["request_id"] == response.headers["x-request-id"]
    assert stage.client.get("/v1/datasets").json()["items"] == []
    assert [path for path in stage.place.settings.files.rglob("*") if path.is_file()] == []


BAD_FORMS = {
    "no file": ({"name": (None, "x")}, "no file"),
    "two files of a column": ([("file", ("a.csv", b"a\n1\n")), ("file", ("b.csv", b"a\n1\n"))], "both have a column 'a'"),
    "unknown field": ({"file": ("a.csv", b"a\n1\n"), "color": (None, "1")}, "no form field 'color'"),
}


@pytest.mark.parametrize(("files", "text"), BAD_FORMS.values(), ids=BAD_FORMS.keys())
def test_a_form_that_is_not_understood_is_422(stage: Stage, files: object, text: str) -> None:
    response = stage.client.post("/v1/datasets", files=files)
    assert response.status_code == 422
    assert text in response.json()["detail"]


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary=x"])
def test_a_broken_form_is_422(stage: Stage, kind: str) -> None:
    response = stage.client.post("/v1/datasets", content=b"no form", headers={"content-type": kind})
    assert response.status_code == 422
    assert "curl -F" in response.json()["detail"]


def test_neither_form_nor_json_is_415(stage: Stage) -> None:
    response = stage.client.post("/v1/datasets", content=b"a,b\n1,2\n", headers={"content-type": "text/csv"})
    assert response.status_code == 415
    assert "multipart/form-data" in response.json()["detail"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"sample": {"kind": "double_moons", "distance": "far"}}, "/sample/distance"),
        ({"sample": {"kind": "double_moons", "color": 1}}, "/sample/color"),
        ({"sample": {"kind": "tulips"}}, "/sample"),
        ({"sample": {"kind": "iris"}, "nome": "x"}, "/nome"),
        ({}, "/sample"),
    ],
)
def test_a_bad_sample_points_at_the_field(stage: Stage, body: object, pointer: str) -> None:
    response = stage.client.post("/v1/datasets", json=body)
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]


@pytest.mark.parametrize("declared", [True, False])
def test_a_body_over_the_limit_is_413_however_it_comes(make_stage: Callable[..., Stage], declared: bool) -> None:
    stage = make_stage(max_upload_bytes=20_000)
    body = b"a,b\n" + b"1,2\n" * 10_000
    if declared:
        response = stage.csv(body)
    else:
        boundary = "x"
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="t.csv"\r\n\r\n'
        parts = iter([head, *(body[start : start + 4096] for start in range(0, len(body), 4096)), b"\r\n--x--\r\n"])
        headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
        response = stage.client.post("/v1/datasets", content=parts, headers=headers)
    assert response.status_code == 413
    assert "VIDRO_MAX_UPLOAD_BYTES" in response.json()["detail"]
    assert stage.client.get("/v1/datasets").json()["items"] == []


def test_the_same_content_twice_is_one_file_and_goes_with_the_last(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(inline_bytes=0)

    def files() -> set[Path]:
        return {path for path in stage.place.settings.files.rglob("*") if path.is_file()}

    first, second = (stage.iris() for _ in range(2))
    assert len(files()) == 2  # the file as it came, and its table
    assert stage.client.delete(f"/v1/datasets/{first}").status_code == 204
    assert stage.client.get(f"/v1/datasets/{first}").status_code == 404
    assert stage.client.get(f"/v1/datasets/{second}/content").content == IRIS.read_bytes()
    assert stage.client.delete(f"/v1/datasets/{second}").status_code == 204
    with stage.place.database.transaction() as session:
        stage.place.files.sweep(session, older_than=-1)
    assert files() == set()


def test_a_dataset_that_a_job_reads_stays(stage: Stage) -> None:
    dataset_id = stage.iris()
    body = {"dataset_id": dataset_id, "target": "species", "model": {"kind": "perceptron"}}
    body["model"] = {"kind": "logistic_regression"}
    job = stage.client.post("/v1/jobs", json=body).json()
    refused = stage.client.delete(f"/v1/datasets/{dataset_id}")
    assert refused.status_code == 409
    assert job["id"] in refused.json()["detail"]
    stage.client.post(f"/v1/jobs/{job['id']}/cancel")
    assert stage.client.delete(f"/v1/datasets/{dataset_id}").status_code == 204
