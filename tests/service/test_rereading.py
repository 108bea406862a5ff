"""Files read anew over HTTP: a column's own text, other form fields; what was trained keeps its table; records are read as
the file was.
"""

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import select

from store import stored_forms
from store.tables import Blob, Dataset, Job
from tests.service.conftest import Stage
from worker.training import run

ROWS = [
    f"{n:05d},{n % 5}.{n % 5}0,{9_000_000_000_000_000_000_0 + n % 7},{'ja' if n % 3 else 'nein'},{n % 2}" for n in range(40)
]
TABLE = "\n".join(["zip,version,id,answer,y", *ROWS, ""])


def upload(stage: Stage, text: str | bytes, status: int = 201, name: str = "t.csv", **form: str) -> dict[str, Any]:
    content = text.encode() if isinstance(text, str) else text
    response = stage.client.post("/v1/datasets", files={"file": (name, content)}, data=form)
    assert response.status_code == status, response.text
    return response.json()


def patch(stage: Stage, dataset_id: str, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    response = stage.client.patch(f"/v1/datasets/{dataset_id}", json=body)
    assert response.status_code == status, response.text
    return response.json()


def kinds(dataset: dict[str, Any]) -> dict[str, str]:
    return {column["name"]: column["kind"] for column in dataset["columns"]}


def cells(stage: Stage, dataset_id: str, name: str) -> list[Any]:
    page = stage.client.get(f"/v1/datasets/{dataset_id}/rows").json()
    return [row[page["columns"].index(name)] for row in page["rows"]]


def as_kind(*columns: str, kind: str = "categorical") -> dict[str, Any]:
    return {"columns": [{"name": name, "kind": kind} for name in columns]}


def predict(stage: Stage, job: dict[str, Any], *records: dict[str, Any]) -> Any:
    response = stage.client.post(f"/v1/models/{job['model_id']}/predict", json={"records": list(records)})
    return response.json()["predictions"] if response.status_code == 200 else response.json()


# --- a column's own text ---


def test_a_column_corrected_to_words_takes_the_files_own_text(stage: Stage) -> None:
    dataset = upload(stage, TABLE)
    before = {column["name"]: column for column in dataset["columns"]}
    found = patch(stage, dataset["id"], as_kind("zip", "version", "id"))
    columns = [line.split(",") for line in ROWS]
    for place, name in enumerate(("zip", "version", "id")):
        assert cells(stage, dataset["id"], name) == [row[place] for row in columns], name
    assert {column["name"]: column["distinct"] for column in found["columns"]} == {
        "zip": 40, "version": 5, "id": 7, "answer": 2, "y": 2,
    }  # fmt: skip
    for column in found["columns"][3:]:
        assert column == before[column["name"]]
    assert patch(stage, dataset["id"], as_kind("zip", "version", "id")) == found
    assert stage.client.get(f"/v1/datasets/{dataset['id']}").json() == found


def test_a_date_and_a_boolean_come_back_as_written_too(stage: Stage) -> None:
    text = "day,is,y\n" + "".join(f"{n % 28 + 1:02d}.03.2024,{'YES' if n % 2 else 'no'},{n}\n" for n in range(30))
    dataset = upload(stage, text, dates="days")
    assert kinds(dataset) == {"day": "integer", "is": "boolean", "y": "integer"}
    found = patch(stage, dataset["id"], as_kind("day", "is"))
    assert cells(stage, dataset["id"], "day")[:2] == ["01.03.2024", "02.03.2024"]
    assert cells(stage, dataset["id"], "is")[:2] == ["no", "YES"]
    assert found["source"]["read"]["columns"] == {}


def test_and_back_to_numbers(stage: Stage) -> None:
    text = "price,y\n" + "".join(f'"{n}.{n:03d},50",{n}\n' for n in range(1, 30))
    dataset = upload(stage, text, decimal=",", thousands=".", words="price")
    assert cells(stage, dataset["id"], "price")[0] == "1.001,50"
    found = patch(stage, dataset["id"], as_kind("price", kind="numeric"))
    assert cells(stage, dataset["id"], "price")[0] == 1001.5
    assert "words" not in found["source"]["given"]
    again = patch(stage, dataset["id"], as_kind("price"))
    assert cells(stage, dataset["id"], "price")[0] == "1.001,50"
    assert kinds(again)["price"] == "categorical"


def test_a_file_without_text_is_corrected_from_its_table(stage: Stage) -> None:
    packed = BytesIO()
    pl.DataFrame({"a": [1, 2, 2], "y": [1.5, 2.5, 3.5]}).write_parquet(packed)
    dataset = upload(stage, packed.getvalue(), name="t.parquet")
    patch(stage, dataset["id"], as_kind("a"))
    assert stage.client.get(f"/v1/datasets/{dataset['id']}").json()["columns"][0]["top"][0] == {"value": "2", "count": 2}


def test_several_files_are_each_read_anew(stage: Stage) -> None:
    parts = [
        ("file", (name, f"{column}\n" + "\n".join(f"{n:02d}" for n in range(9)))) for name, column in (("a", "x"), ("a", "z"))
    ]
    dataset = stage.client.post("/v1/datasets", files=parts).json()
    patch(stage, dataset["id"], as_kind("z"))
    assert cells(stage, dataset["id"], "z")[:2] == ["00", "01"]
    content = stage.client.get(f"/v1/datasets/{dataset['id']}/content").content
    assert len(zipfile.ZipFile(BytesIO(content)).namelist()) == 2


# --- the whole file ---


def test_a_file_is_read_anew_with_other_fields(stage: Stage) -> None:
    dataset = upload(stage, TABLE, missing="3.30")
    found = patch(stage, dataset["id"], {"read": {"booleans": "ja/nein"}, **as_kind("zip")})
    assert kinds(found)["answer"] == "boolean"
    assert [column["words"] for column in found["columns"] if column["name"] == "answer"] == [["nein", "ja"]]
    assert cells(stage, dataset["id"], "zip")[0] == "00000"
    assert found["source"]["given"] == {
        "missing": "3.30", "booleans": "ja/nein", "columns": [{"name": "zip", "kind": "categorical"}],
    }  # fmt: skip
    assert found["columns"][1]["missing"] == 8
    back = patch(stage, dataset["id"], {"read": {"booleans": None, "missing": None}})
    assert (kinds(back)["answer"], kinds(back)["zip"], back["columns"][1]["missing"]) == ("categorical", "categorical", 0)
    headless = patch(stage, dataset["id"], {"read": {"header": False}})
    assert (headless["rows"], next(iter(kinds(headless)))) == (41, "column_0")
    assert ("CORRECTION_LEFT_OUT", "zip") in [(told["code"], told["column"]) for told in headless["warnings"]]
    assert kinds(patch(stage, dataset["id"], {"read": {"header": None}}))["zip"] == "categorical"


@pytest.mark.parametrize(
    ("body", "status", "pointer", "told"),
    [
        ({"read": {"delimeter": ";"}}, 422, "/read/delimeter", "there is no field 'delimeter'; the fields are delimiter"),
        ({"read": {"columns": []}}, 422, "/read/columns", "there is no field 'columns'"),
        ({"read": {"decimal": "!"}}, 422, "/read/decimal", "'.' or ','"),
        ({"read": {"words": ["nope"]}}, 422, "/read/words", "no column 'nope'; there are zip, version"),
        ({"read": {"header": True}, **as_kind("nope")}, 404, "/columns/0/name", "no column 'nope'; there are zip"),
        ({"read": {}, **as_kind("zip", "y", "zip")}, 422, "/columns/2/name", "named twice"),
        ({"read": {}, **as_kind("zip", kind="boolean")}, 422, "/columns/0/kind", "cannot be boolean: row"),
    ],
)
def test_what_cannot_be_read_so_is_refused_and_nothing_changes(
    stage: Stage, body: dict[str, Any], status: int, pointer: str, told: str
) -> None:
    dataset = upload(stage, TABLE)
    problem = patch(stage, dataset["id"], body, status)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]
    assert told in problem["errors"][0]["detail"]
    assert stage.client.get(f"/v1/datasets/{dataset['id']}").json() == dataset


def preview(stage: Stage, dataset_id: str, body: dict[str, Any], status: int = 200, limit: int = 3) -> dict[str, Any]:
    response = stage.client.post(f"/v1/datasets/{dataset_id}/preview", json=body, params={"limit": limit})
    assert response.status_code == status, response.text
    return response.json()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"read": {"booleans": "ja/nein", "header": None}},
        as_kind("zip"),
        {"read": {"header": False}},
        as_kind("y", kind="numeric"),
    ],
)
def test_a_preview_is_what_the_correction_will_make_and_changes_nothing(stage: Stage, body: dict[str, Any]) -> None:
    dataset = upload(stage, TABLE, missing="3.30")
    shown = preview(stage, dataset["id"], body)
    assert stage.client.get(f"/v1/datasets/{dataset['id']}").json() == dataset
    corrected = patch(stage, dataset["id"], body)
    first = stage.client.get(f"/v1/datasets/{dataset['id']}/rows?limit=3").json()
    assert shown == {name: corrected[name] for name in shown if name != "preview"} | {"preview": first}


def test_a_preview_refuses_what_a_correction_does_and_runs_beside_jobs(stage: Stage) -> None:
    dataset = upload(stage, TABLE)
    for body in ({"read": {"decimal": "!"}}, as_kind("nope"), as_kind("zip", kind="boolean")):
        status = 404 if body == as_kind("nope") else 422
        assert preview(stage, dataset["id"], body, status)["errors"] == patch(stage, dataset["id"], body, status)["errors"]
    preview(stage, dataset["id"], {"name": "other"}, 422)
    job = {"dataset_id": dataset["id"], "target": "y", "model": {"kind": "logistic_regression"}}
    assert stage.client.post("/v1/jobs", json=job).status_code == 202
    patch(stage, dataset["id"], {"read": {"header": False}}, 409)
    assert preview(stage, dataset["id"], {"read": {"header": False}})["rows"] == 41


def test_a_tab_has_a_name(stage: Stage) -> None:
    dataset = upload(stage, TABLE.replace(",", "\t"), delimiter=";", header="true")
    found = patch(stage, dataset["id"], {"read": {"delimiter": "tab"}})
    assert (len(found["columns"]), found["source"]["given"]["delimiter"]) == (5, "\t")


def test_a_sample_has_no_file_to_read_anew(stage: Stage) -> None:
    problem = patch(stage, stage.sample("xor"), {"read": {"header": True}}, 422)
    assert problem["errors"] == [{"pointer": "/read", "detail": problem["detail"]}]


def test_a_dataset_that_says_no_options_is_read_as_it_was_found(stage: Stage) -> None:
    """As those do that were stored before they were kept."""
    dataset = upload(stage, TABLE.replace(",", ";"))
    with stage.place.database.transaction() as session:
        row = session.scalars(select(Dataset)).one()
        row.source, row.form = {name: value for name, value in row.source.items() if name != "given"}, 0
        session.flush()
        stored_forms.bring_up(session.connection())
    found = patch(stage, dataset["id"], as_kind("zip"))
    assert cells(stage, dataset["id"], "zip")[1] == "00001"
    assert found["source"]["given"]["delimiter"] == ";"


# --- the form ---


def test_an_upload_says_what_columns_are(stage: Stage) -> None:
    columns = json.dumps([{"name": "version", "kind": "categorical"}, {"name": "y", "kind": "boolean"}])
    dataset = upload(stage, TABLE, columns=columns, words='["zip","id"]')
    assert kinds(dataset) | {"answer": ""} == {
        "zip": "categorical", "version": "categorical", "id": "categorical", "answer": "", "y": "boolean",
    }  # fmt: skip
    assert cells(stage, dataset["id"], "zip")[7] == "00007"
    assert cells(stage, dataset["id"], "version")[1] == "1.10"
    assert dataset["source"]["given"] == {"columns": json.loads(columns), "words": ["zip", "id"]}
    for form, pointer, told in (
        ({"words": "zip,nope"}, "/words", "no column 'nope'; there are zip, version, id"),
        ({"columns": json.dumps([{"name": "nope", "kind": "text"}])}, "/columns/0/name", "no column 'nope'; there are zip"),
        ({"columns": json.dumps([{"name": "zip", "kind": "boolean"}])}, "/columns/0/kind", "cannot be boolean: row"),
        ({"columns": json.dumps([{"name": "zip", "kind": "date"}])}, "/columns/0/kind", "numeric"),
        ({"columns": "zip"}, "/columns", "must be JSON"),
    ):
        (error,) = upload(stage, TABLE, 422, **form)["errors"]
        assert error["pointer"] == pointer
        assert told in error["detail"]


def test_an_empty_field_leaves_only_empty_cells_as_gaps(stage: Stage) -> None:
    text = "country,y\n" + "".join(f"{'NA' if n % 3 else 'ZA'},{n}\n" for n in range(12)) + ",12\n"
    dataset = upload(stage, text, missing="")
    assert (dataset["columns"][0]["missing"], dataset["columns"][0]["distinct"]) == (1, 2)
    job = stage.job(dataset["id"], "y", "linear_regression", preprocessing={"missing": "most_frequent"})
    namibia, south_africa = predict(stage, job, {"country": "NA"}, {"country": "ZA"})
    assert namibia != south_africa


# --- what was trained, and predictions ---


def test_what_was_trained_before_keeps_its_table(stage: Stage) -> None:
    dataset = upload(stage, TABLE, words="zip,id")
    given = {"features": ["version", "answer"], "split": {"validation": 0.25}, "epochs": 4, "record": {"checkpoint_every": 2}}
    job = stage.job(dataset["id"], "y", "mlp", model={"hidden": [{"units": 2}]}, **given)
    urls = [f"/v1/jobs/{job['id']}/{part}" for part in ("evaluation", "boundary?resolution=3", "histograms", "weights?epoch=2")]

    def answers() -> list[Any]:
        trace = stage.client.post("/v1/traces", json={"job_id": job["id"], "epoch": 2})
        found = [stage.client.get(url) for url in urls] + [trace]
        assert {answer.status_code for answer in found} == {200}, [answer.text for answer in found]
        return [answer.json() for answer in found]

    before, model = answers(), stage.client.get(f"/v1/models/{job['model_id']}").json()
    patch(stage, dataset["id"], as_kind("version", "y"))
    assert answers() == before
    patch(stage, dataset["id"], {"read": {"header": False}, "columns": []})
    assert answers() == before
    assert stage.client.get(f"/v1/models/{job['model_id']}").json() == model
    forked = stage.client.post(f"/v1/jobs/{job['id']}/fork", json={"epoch": 2, "overrides": {}}).json()
    run(stage.place, forked["id"])
    weights = [stage.client.get(f"/v1/jobs/{name}/weights").json()["layers"] for name in (job["id"], forked["id"])]
    assert weights[0] == weights[1]
    fresh = stage.job(dataset["id"], "column_4", "logistic_regression", features=["column_3"])
    assert fresh["state"] == "succeeded", fresh["error"]
    with stage.place.database.reading() as session:
        kept = {row.id: row.table_digest for row in session.scalars(select(Job))}
    assert kept[job["id"]] == kept[forked["id"]] is not None
    assert kept[fresh["id"]] is None
    for name in (job["id"], forked["id"]):
        assert stage.client.delete(f"/v1/jobs/{name}").status_code == 204
    with stage.place.database.reading() as session:
        assert session.get(Blob, kept[job["id"]]) is None


def test_a_deleted_dataset_takes_its_jobs_tables_with_it(stage: Stage) -> None:
    dataset = upload(stage, TABLE)
    job = stage.job(dataset["id"], "y", "logistic_regression", features=["version"], split={"validation": 0.25})
    patch(stage, dataset["id"], as_kind("version"))
    with stage.place.database.reading() as session:
        digest = session.scalars(select(Job.table_digest)).one()
    assert digest is not None
    assert stage.client.delete(f"/v1/datasets/{dataset['id']}").status_code == 204
    assert "has been deleted" in stage.client.get(f"/v1/jobs/{job['id']}/evaluation").json()["detail"]
    with stage.place.database.reading() as session:
        assert session.scalars(select(Job.table_digest)).one() is None
        assert session.get(Blob, digest) is None
    assert predict(stage, job, {"version": "1.10"}) == predict(stage, job, {"version": 1.1})


def test_while_a_job_reads_it_a_file_is_not_read_anew(stage: Stage) -> None:
    dataset = upload(stage, TABLE)
    body = {"dataset_id": dataset["id"], "target": "y", "features": ["version"], "model": {"kind": "linear_regression"}}
    job = stage.client.post("/v1/jobs", json=body).json()
    for correction in (as_kind("zip"), {"read": {"header": False}}):
        assert job["id"] in patch(stage, dataset["id"], correction, 409)["detail"]
    run(stage.place, job["id"])
    assert stage.client.get(f"/v1/datasets/{dataset['id']}").json() == dataset


def test_a_half_written_correction_leaves_nothing(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = upload(stage, TABLE)
    monkeypatch.setattr("store.files.Files.release", lambda *_: 1 / 0)
    patch(stage, dataset["id"], as_kind("version"), 500)
    monkeypatch.undo()
    assert stage.client.get(f"/v1/datasets/{dataset['id']}").json() == dataset
    assert not [path for path in Path(stage.place.settings.files).iterdir() if path.name.startswith(".upload")]


GERMAN = "\n".join(["preis;menge;y", *(f"{n}.{n:03d},{n};{n};{n * 2}" for n in range(1, 60)), ""])


def test_records_are_read_as_the_file_was(stage: Stage) -> None:
    job = stage.job(upload(stage, GERMAN, decimal=",", thousands=".")["id"], "y", "linear_regression")
    text, number = predict(stage, job, {"preis": "12.345,5", "menge": "12.345"}, {"preis": 12345.5, "menge": 12345})
    assert text == number
    (error,) = predict(stage, job, {"preis": "12,345.5", "menge": 1})["errors"]
    assert error["pointer"] == "/records/0/preis"
    assert "written with decimal ',' and thousands '.', not '12,345.5'" in error["detail"]
    read = {column["name"]: column["read"] for column in stage.client.get(f"/v1/models/{job['model_id']}").json()["inputs"]}
    assert read["preis"] == {"kind": "number", "decimal": ",", "thousands": "."}
    body = {"columns": ["menge", "preis"], "data": [["12.345", "12.345,5"], ["x", 1]]}
    response = stage.client.post(f"/v1/models/{job['model_id']}/predict", json=body).json()
    assert [error["pointer"] for error in response["errors"]] == ["/data/1/0"]


def test_a_marker_of_the_file_is_a_gap_in_a_record(stage: Stage) -> None:
    text = "depth,y\n" + "".join(f"{-9999 if n % 5 == 0 else n},{n % 2}\n" for n in range(60))
    dataset = upload(stage, text, missing="-9999")
    job = stage.job(dataset["id"], "y", "linear_regression", preprocessing={"missing": "mean"})
    found = predict(stage, job, *({"depth": cell} for cell in (None, "-9999", -9999, -9999.0, " -9999 ")))
    assert found == [found[0]] * 5
    strict = stage.job(dataset["id"], "y", "linear_regression", preprocessing={"missing": "drop"})
    (error,) = predict(stage, strict, {"depth": -9999})["errors"]
    assert "is missing; give it a value" in error["detail"]


def test_a_boundary_holds_others_as_the_file_writes_them(stage: Stage) -> None:
    rows = GERMAN.splitlines()[1:]
    text = "\n".join(
        ["preis;menge;z;y", *(f"{line.rpartition(';')[0]};{place % 7};{place}" for place, line in enumerate(rows)), ""]
    )
    job = stage.job(upload(stage, text, decimal=",", thousands=".")["id"], "y", "linear_regression")
    url = f"/v1/jobs/{job['id']}/boundary"
    given = {"x": "menge", "y": "z", "resolution": 2}
    text_given, number = (
        stage.client.get(url, params={**given, "fixed": json.dumps({"preis": cell})}).json()["predictions"]
        for cell in ("12.345,5", 12345.5)
    )
    assert text_given == number
    problem = stage.client.get(url, params={**given, "fixed": json.dumps({"preis": "12,345.5"})}).json()
    assert problem["errors"][0]["pointer"] == "/query/fixed/preis"


def test_an_index_is_no_feature_unless_it_is_asked_for(stage: Stage) -> None:
    dataset = upload(stage, TABLE, words="zip,id")
    with stage.place.database.transaction() as session:
        row = session.scalars(select(Dataset)).one()
        row.columns = [{**column, "role": "index"} if column["name"] == "version" else column for column in row.columns]
    assert stage.client.get(f"/v1/datasets/{dataset['id']}").json()["columns"][1]["role"] == "index"
    body = {"dataset_id": dataset["id"], "target": "y", "model": {"kind": "logistic_regression"}}
    for given, wanted in (({}, ["zip", "id", "answer"]), ({"features": ["version"]}, ["version"])):
        response = stage.client.post("/v1/jobs", json={**body, **given}, params={"validate_only": True})
        assert response.json()["request"]["features"] == wanted, response.text
