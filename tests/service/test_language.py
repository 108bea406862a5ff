"""Texts by Accept-Language: the catalog, samples, landscapes, the schema of a job, and warnings."""

import json
from typing import Any

import pytest
from sqlalchemy import text

from tests.service.conftest import Stage

PT = {"Accept-Language": "pt-BR,pt;q=0.9,en;q=0.8"}
DE = {"Accept-Language": "de"}
TEXTS = ("title", "summary", "description")
CODES = ("formula", "derivative", "source", "default", "examples", "const", "enum", "kind", "name")


def texts(document: Any, within: str = "") -> dict[str, str]:
    """Every text that people read in a document, by where it stands."""
    if isinstance(document, list):
        return {at: each for place, entry in enumerate(document) for at, each in texts(entry, f"{within}/{place}").items()}
    if not isinstance(document, dict):
        return {}
    found = {}
    for name, entry in document.items():
        if name in TEXTS and isinstance(entry, str):
            found[f"{within}/{name}"] = entry
        elif name not in CODES or isinstance(entry, dict):
            found |= texts(entry, f"{within}/{name}")
    return found


def without(document: Any) -> Any:
    """The document without those texts."""
    if isinstance(document, list):
        return [without(entry) for entry in document]
    if not isinstance(document, dict):
        return document
    return {name: without(entry) for name, entry in document.items() if name not in TEXTS or not isinstance(entry, str)}


@pytest.mark.parametrize("path", ["/v1/catalog", "/v1/samples", "/v1/landscapes", "/v1/jobs/schema"])
def test_texts_come_in_the_readers_language(stage: Stage, path: str) -> None:
    english, portuguese, other = (stage.client.get(path, headers=headers) for headers in ({}, PT, DE))
    assert [answer.headers["content-language"] for answer in (english, portuguese, other)] == ["en", "pt-BR", "en"]
    assert all("Accept-Language" in answer.headers["vary"] for answer in (english, portuguese))
    assert english.headers["etag"] != portuguese.headers["etag"]
    assert english.json() == other.json() != portuguese.json()
    assert without(english.json()) == without(portuguese.json())
    pairs = [(here, texts(portuguese.json())[at]) for at, here in texts(english.json()).items()]
    assert pairs
    assert all(there != here for here, there in pairs if len(here) > 25)


def test_who_has_an_answer_in_one_language_has_it_in_no_other(stage: Stage) -> None:
    english = stage.client.get("/v1/catalog")
    known = {"If-None-Match": english.headers["etag"]}
    same, other = (stage.client.get("/v1/catalog", headers=known | headers) for headers in ({}, PT))
    assert (same.status_code, other.status_code) == (304, 200)
    assert "Accept-Language" in same.headers["vary"]


def test_an_answer_without_such_texts_does_not_vary(stage: Stage) -> None:
    answer = stage.client.get("/v1/models", headers=PT)
    assert "content-language" not in answer.headers
    assert "Accept-Language" not in answer.headers.get("vary", "")


def warnings(answer: Any) -> dict[str, str]:
    return {warning["code"]: warning["detail"] for warning in answer.json()["warnings"]}


def test_warnings_of_a_dataset_are_said_in_the_readers_language(stage: Stage) -> None:
    content = "a,b\n" + "".join(f"{n % 3},{'' if n == 4 else 1}\n" for n in range(30))
    made = stage.client.post("/v1/datasets", files={"file": ("t.csv", content)}, headers=PT)
    path = f"/v1/datasets/{made.json()['id']}"
    portuguese, english = stage.client.get(path, headers=PT), stage.client.get(path)
    assert warnings(made) == warnings(portuguese)
    assert warnings(portuguese)["MISSING_VALUES"].startswith("na coluna 'b' faltam 1 de 30 valores (3,3%)")
    assert warnings(english)["MISSING_VALUES"].startswith("column 'b' is missing 1 of 30 values (3.3%)")
    assert warnings(portuguese)["CONSTANT_COLUMN"] == "a coluna 'b' nunca muda, então nada se aprende com ela"
    assert portuguese.headers["content-language"] == "pt-BR"
    assert portuguese.headers["etag"] != english.headers["etag"]
    assert all(set(warning) == {"code", "column", "detail"} for warning in portuguese.json()["warnings"])
    listed = stage.client.get("/v1/datasets", headers=PT).json()["items"][0]
    assert listed["warnings"] == portuguese.json()["warnings"]
    assert stage.client.get(f"{path}/warnings", headers=PT).json()["items"] == portuguese.json()["warnings"]


def test_warnings_are_said_anew_after_a_correction(stage: Stage) -> None:
    made = stage.csv("a,b\n" + "".join(f"00{n % 7},{n % 2}\n" for n in range(30))).json()
    path = f"/v1/datasets/{made['id']}"
    assert "zeros à esquerda, como '000'" in warnings(stage.client.get(path, headers=PT))["LEADING_ZEROS"]
    change = {"columns": [{"name": "b", "kind": "categorical"}]}
    corrected = stage.client.patch(path, json=change, headers=PT)
    assert "zeros à esquerda" in warnings(corrected)["LEADING_ZEROS"]


def test_warnings_of_jobs_and_of_what_would_be_one(stage: Stage) -> None:
    dataset = stage.csv("x,z,y\n" + "".join(f"{n},{1000 * n},{n % 2}\n" for n in range(60))).json()["id"]
    body = {
        "dataset_id": dataset, "target": "y", "epochs": 2, "preprocessing": {"scaling": "none"},
        "model": {"kind": "mlp", "hidden": [2]}, "task": "classification",
    }  # fmt: skip
    ahead = stage.client.post("/v1/jobs", params={"validate_only": True}, json=body, headers=PT)
    assert "a descida do gradiente vai se arrastar ou divergir" in warnings(ahead)["SCALES_DIFFER"]
    job = stage.client.post("/v1/jobs", json=body).json()["id"]
    stage.run(job)
    portuguese, english = (stage.client.get(f"/v1/jobs/{job}", headers=headers) for headers in (PT, {}))
    assert set(warnings(portuguese)) == set(warnings(english)) > {"SCALES_DIFFER"}
    for code, detail in warnings(portuguese).items():
        assert detail != warnings(english)[code]
    assert portuguese.headers["content-language"] == "pt-BR"


def test_warnings_of_predictions(stage: Stage) -> None:
    dataset = stage.csv("x,w,y\n" + "".join(f"{n},{'ab'[n % 2]},{n}\n" for n in range(30))).json()["id"]
    model = stage.job(dataset, "y", "linear_regression")["model_id"]
    body = {"records": [{"x": 1, "w": "c"}]}
    answer = stage.client.post(f"/v1/models/{model}/predict", json=body, headers=PT)
    assert "nenhuma linha de treinamento tinha 'c' na coluna 'w'" in warnings(answer)["UNSEEN_CATEGORY"]


def test_warnings_that_were_stored_before_stay_as_they_were(stage: Stage) -> None:
    """A sentence without its template is English in every language."""
    dataset = stage.sample("xor")
    before = [{"code": "CONSTANT_COLUMN", "column": "x{1}", "detail": "column 'x{1}' never changes"}]
    with stage.place.database.transaction() as session:
        session.execute(text("UPDATE datasets SET warnings = :stored"), {"stored": json.dumps(before)})
    for headers in ({}, PT):
        assert stage.client.get(f"/v1/datasets/{dataset}", headers=headers).json()["warnings"] == before


def test_what_readers_share_is_english(stage: Stage) -> None:
    """A stream's events are made once for all who read them."""
    dataset = stage.csv("a,b\n" + "".join(f"{n},{n % 2}\n" for n in range(30))).json()["id"]
    job = stage.job(dataset, "b", "perceptron", epochs=1, task="classification")
    with stage.client.stream("GET", f"/v1/jobs/{job['id']}/events", headers=PT) as stream:
        assert "No line was found" in "".join(stream.iter_text())


def test_a_function_is_described_in_the_readers_language(stage: Stage) -> None:
    answer = stage.client.get("/v1/functions/activation/relu", headers=PT)
    assert answer.json()["summary"].startswith("A unidade linear retificada")
    assert answer.headers["content-language"] == "pt-BR"
