"""Damaged and missing contents: one clear problem wherever one is read, everything else as it was, and an upload mends them."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from cli.demo import IRIS
from store import checkpoints, datasets, files, predictors
from store.files import Files
from store.settings import Settings
from store.tables import Blob, Dataset, Job, Model
from tests.service.conftest import Stage
from tests.store.staging import damaged, gone
from worker.training import run

ROW = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
FIELDS = {"epochs": 4, "record": {"checkpoint_every": 2}}
INLINE = {"inline": 2**20, "files": 100}
CODES = {damaged: "CONTENT_DAMAGED", gone: "CONTENT_MISSING"}
READS: dict[str, tuple[str, Any]] = {
    "GET /v1/datasets/{dataset_id}/rows": ("table", None),
    "GET /v1/datasets/{dataset_id}/warnings?target=species": ("table", None),
    "GET /v1/datasets/{dataset_id}/correlations": ("table", None),
    "GET /v1/datasets/{dataset_id}/histogram?column=petal_width": ("table", None),
    "GET /v1/datasets/{dataset_id}/histograms": ("table", None),
    "GET /v1/datasets/{dataset_id}/relation?x=petal_width&y=petal_length": ("table", None),
    "POST /v1/descents": ("table", {"dataset_id": "{dataset_id}", "feature": "petal_width", "target": "petal_length"}),
    "POST /v1/datasets/{dataset_id}/preview": ("table", {}),
    "PATCH /v1/datasets/{dataset_id}": ("table", {"columns": [{"name": "petal_width", "kind": "text"}]}),
    "GET /v1/datasets/{dataset_id}/content": ("original", None),
    "PATCH /v1/datasets/{dataset_id}?": ("original", {"read": {"header": True}}),
    "POST /v1/jobs": ("table", {"dataset_id": "{dataset_id}", "target": "species", "model": {"kind": "mlp"}}),
    "GET /v1/jobs/{job_id}/weights": ("checkpoint", None),
    "GET /v1/jobs/{job_id}/weights?format=safetensors": ("checkpoint", None),
    "GET /v1/jobs/{job_id}/evaluation": ("checkpoint", None),
    "GET /v1/jobs/{job_id}/evaluation?epoch=0": ("table", None),
    "GET /v1/jobs/{job_id}/boundary": ("checkpoint", None),
    "GET /v1/jobs/{job_id}/boundary?epoch=0": ("table", None),
    "GET /v1/jobs/{clusters_job_id}/clusters": ("clusters checkpoint", None),
    "GET /v1/jobs/{job_id}/diagnosis": ("table", None),
    "GET /v1/jobs/{job_id}/predictions": ("table", None),
    "POST /v1/jobs/{job_id}/what_if": ("checkpoint", {"row": 0, "changes": {"petal_width": 1}}),
    "POST /v1/jobs/{job_id}/landscape": ("checkpoint", {"resolution": 3}),
    "GET /v1/jobs/{image_job_id}/filters": ("image checkpoint", None),
    "GET /v1/jobs/{image_job_id}/feature_maps": ("table", None),
    "POST /v1/jobs/{job_id}/fork": ("checkpoint", {"epoch": 2}),
    "POST /v1/traces": ("checkpoint", {"job_id": "{job_id}", "epoch": 4}),
    "POST /v1/traces?": ("table", {"job_id": "{job_id}", "epoch": 0}),
    "POST /v1/gradient_checks": ("checkpoint", {"job_id": "{job_id}", "epoch": 4, "parameters": 3}),
    "GET /v1/models/{model_id}/dependence?feature=petal_width": ("table", None),
    "GET /v1/models/{model_id}/importance": ("table", None),
    "GET /v1/models/{linear_model_id}/contributions": ("table", None),
    "POST /v1/models/{model_id}/predict": ("model", {"records": [ROW]}),
}
"""Every call that reads contents, with the first that it reads and its body."""
HARMED = pytest.mark.parametrize(
    ("filled_stage", "harm"), [("inline", damaged), ("files", damaged), ("files", gone)], indirect=["filled_stage"]
)
NAMED = {
    "table": "dataset_id",
    "original": "dataset_id",
    "checkpoint": "job_id",
    "image checkpoint": "image_job_id",
    "clusters checkpoint": "clusters_job_id",
    "model": "model_id",
}
IMAGES: dict[str, Any] = {"model": {"layers": [{"kind": "conv2d", "filters": 2, "kernel": 2}], "input_shape": [2, 2, 1]}}
"""A network that takes the four numbers of an iris for an image."""
CLUSTERS: dict[str, Any] = {"model": {"clusters": 2, "restarts": 1}}


def filled(value: Any, ids: dict[str, str]) -> Any:
    if isinstance(value, str):
        return value.format(**ids)
    return {name: filled(entry, ids) for name, entry in value.items()} if isinstance(value, dict) else value


def call(stage: Stage, name: str, ids: dict[str, str], body: Any = None) -> Any:
    method, path = filled(name, ids).split(" ")
    return stage.client.request(method, path, json=filled(body, ids))


def forget() -> None:
    """Empty what a process keeps of the contents that it has read."""
    datasets._TABLES.clear()
    predictors.of_model.cache.clear()  # type: ignore[attr-defined]


@pytest.fixture
def filled_stage(make_stage: Callable[..., Stage], request: pytest.FixtureRequest) -> tuple[Stage, dict[str, str]]:
    """A dataset, a job and its model, their contents in the database or in files."""
    forget()
    stage = make_stage(inline_bytes=INLINE[request.param])
    dataset_id = stage.iris()
    job = stage.job(dataset_id, "species", "mlp", **FIELDS)
    seeing = stage.job(dataset_id, "species", "network", **IMAGES, **FIELDS)
    clusters = stage.job(dataset_id, None, "k_means", **CLUSTERS)
    linear = stage.job(dataset_id, "species", "logistic_regression")
    made = {"image_job_id": seeing["id"], "clusters_job_id": clusters["id"], "linear_model_id": linear["model_id"]}
    ids = {"job_id": job["id"], **made, "model_id": job["model_id"]}
    return stage, {"dataset_id": dataset_id, **ids, "row": "0"}


def digests(stage: Stage, ids: dict[str, str]) -> dict[str, list[str]]:
    with stage.place.database.reading() as session:
        dataset = session.scalars(select(Dataset).where(Dataset.id == ids["dataset_id"])).one()
        model = session.scalars(select(Model).where(Model.id == ids["model_id"])).one()
        kept = {
            what: [checkpoint.digest for job in session.scalars(select(Job).where(Job.id == ids[NAMED[what]]))
                   for checkpoint in checkpoints.of_job(session, job.number)]
            for what in ("checkpoint", "image checkpoint", "clusters checkpoint")
        }  # fmt: skip
    return {"table": [dataset.table_digest], "original": [dataset.digest], "model": [model.digest], **kept}


def everything(stage: Stage, ids: dict[str, str]) -> list[str]:
    return sorted({digest for found in digests(stage, ids).values() for digest in found})


def hurt(stage: Stage, harm: Callable[..., None], digests: list[str]) -> None:
    for digest in digests:
        harm(stage.place.database, stage.place.files, digest)
    forget()


@HARMED
def test_whoever_reads_a_damaged_content_is_told_so(filled_stage: tuple[Stage, dict[str, str]], harm: Any) -> None:
    """Calls are, and a job is, in one state or the other: answered, or refused with that problem at once."""
    stage, ids = filled_stage
    posted = call(stage, "POST /v1/jobs", ids, READS["POST /v1/jobs"][1]).json()["id"]
    for name, (_, body) in READS.items():
        if name.startswith("GET") or "predict" in name:
            assert call(stage, name, ids, body).status_code == 200, name
    hurt(stage, harm, everything(stage, ids))
    run(stage.place, posted)
    job = stage.client.get(f"/v1/jobs/{posted}").json()
    assert (job["state"], job["attempt"], job["error"]["code"]) == ("failed", 1, CODES[harm])
    assert ids["dataset_id"] in job["error"]["detail"]
    for name, (what, body) in READS.items():
        answer = call(stage, name, ids, body)
        problem = answer.json()
        assert (answer.status_code, problem.get("code")) == (500, CODES[harm]), f"{name}: {answer.text}"
        assert answer.headers["content-type"] == "application/problem+json"
        assert f"'{ids[NAMED[what]]}'" in problem["detail"], name
        assert "still work" in problem["detail"] or "can still be read" in problem["detail"], name
        assert "backup" in problem["detail"]
        assert str(stage.place.settings.data) not in answer.text
    for method, path in other_reads(stage):
        without = 404 if path.endswith("/result") else 422  # a job that trains has none
        assert call(stage, f"{method} {path}", ids).status_code in (200, without), path


def other_reads(stage: Stage) -> Iterator[tuple[str, str]]:
    """Every GET of something by its id that is not said to read contents."""
    known = {re.sub("(image|clusters|linear)_", "", name.partition("?")[0]) for name in READS}
    for path, operations in stage.client.get("/openapi.json").json()["paths"].items():
        named = any(f"{{{part}}}" in path for part in ("dataset_id", "job_id", "model_id"))
        if named and "get" in operations and f"GET {path}" not in known:
            yield "GET", path


@pytest.mark.parametrize(("filled_stage", "harm"), [("inline", damaged), ("files", gone)], indirect=["filled_stage"])
def test_the_same_file_and_the_same_job_mend_everything(filled_stage: tuple[Stage, dict[str, str]], harm: Any) -> None:
    stage, ids = filled_stage
    before = [call(stage, name, ids).content for name in answers()]
    found = everything(stage, ids)
    hurt(stage, harm, found)
    again = stage.iris()
    for target, model, fields in (
        ("species", "mlp", FIELDS),
        ("species", "network", IMAGES | FIELDS),
        (None, "k_means", CLUSTERS),
    ):
        assert stage.job(again, target, model, **fields)["state"] == "succeeded"
    forget()
    assert [call(stage, name, ids).content for name in answers()] == before
    with stage.place.database.reading() as session:
        for digest in found:
            assert stage.place.files.is_whole(session, digest)


def answers() -> list[str]:
    return [name for name, (_, body) in READS.items() if body is None]


@pytest.mark.parametrize("filled_stage", ["files"], indirect=True)
def test_an_upload_mends_a_table_that_was_read_otherwise(filled_stage: tuple[Stage, dict[str, str]]) -> None:
    """Its bytes are not those of the new dataset's table: the file is read again as that one was."""
    stage, ids = filled_stage
    path = f"/v1/datasets/{ids['dataset_id']}"
    assert stage.client.patch(path, json={"read": {"missing": "0.2"}}).status_code == 200
    before = stage.client.get(f"{path}/rows").json()
    hurt(stage, damaged, digests(stage, ids)["table"])
    assert stage.client.get(f"{path}/rows").status_code == 500
    stage.iris()
    assert stage.client.get(f"{path}/rows").json() == before
    assert any(row[3] is None for row in before["rows"])


@pytest.mark.parametrize("filled_stage", ["files"], indirect=True)
def test_a_table_that_another_version_wrote_is_mended_too(
    filled_stage: tuple[Stage, dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same cells as other bytes take the damaged one's place."""
    stage, ids = filled_stage
    rows = stage.client.get(f"/v1/datasets/{ids['dataset_id']}/rows").json()
    with stage.place.database.transaction() as session:
        other = stage.place.files.put(session, b"as an earlier version wrote it" * 10)
        dataset = session.scalars(select(Dataset).where(Dataset.id == ids["dataset_id"])).one()
        dataset.table_digest = other
        session.scalars(select(Job).where(Job.id == ids["job_id"])).one().table_digest = other
    hurt(stage, damaged, [other])
    stage.iris()
    assert stage.client.get(f"/v1/datasets/{ids['dataset_id']}/rows").json() == rows
    assert call(stage, "GET /v1/jobs/{job_id}/evaluation", ids).status_code == 200
    with stage.place.database.reading() as session:
        assert session.get(Blob, other) is None


@pytest.mark.parametrize("filled_stage", ["files"], indirect=True)
def test_reading_the_file_anew_mends_its_table(filled_stage: tuple[Stage, dict[str, str]]) -> None:
    stage, ids = filled_stage
    path = f"/v1/datasets/{ids['dataset_id']}"
    before = stage.client.get(f"{path}/rows").json()
    hurt(stage, damaged, digests(stage, ids)["table"])
    assert stage.client.patch(path, json={"read": {}}).status_code == 200
    assert stage.client.get(f"{path}/rows").json() == before


def test_a_sample_is_mended_by_the_same_sample(stage: Stage) -> None:
    first = stage.sample("xor")
    with stage.place.database.reading() as session:
        dataset = session.scalars(select(Dataset)).one()
    hurt(stage, damaged, [dataset.digest, dataset.table_digest])
    told = stage.client.get(f"/v1/datasets/{first}/rows").json()
    assert "the same sample" in told["detail"]
    stage.sample("xor")
    assert stage.client.get(f"/v1/datasets/{first}/rows").status_code == 200


def test_another_owner_is_not_named(make_stage: Callable[..., Stage]) -> None:
    """The same bytes are stored once for all; each owner hears of their own dataset."""
    stage = make_stage(inline_bytes=INLINE["files"])
    first, second = stage.iris(), stage.iris()
    with stage.place.database.reading() as session:
        hurt(stage, damaged, [session.scalars(select(Dataset.table_digest)).first() or ""])
    for dataset_id, other in ((first, second), (second, first)):
        detail = stage.client.get(f"/v1/datasets/{dataset_id}/rows").json()["detail"]
        assert dataset_id in detail
        assert other not in detail


def test_a_large_file_is_read_once_until_it_is_written_to(
    make_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = make_stage(inline_bytes=INLINE["files"])
    dataset_id = stage.iris()
    hashed, real = [], files._sha256
    monkeypatch.setattr(files, "_sha256", lambda content: hashed.append(content) or real(content))
    stage.client.app.state.store = type(stage.client.app.state.store)(  # type: ignore[attr-defined]
        stage.place.settings, stage.place.database, fresh(stage.place.settings)
    )
    for _ in range(3):
        assert stage.client.get(f"/v1/datasets/{dataset_id}/content").content == IRIS.read_bytes()
    assert len(hashed) == 1
    with stage.place.database.reading() as session:
        damaged(stage.place.database, stage.place.files, session.scalars(select(Dataset.digest)).one())
    assert stage.client.get(f"/v1/datasets/{dataset_id}/content").json()["code"] == "CONTENT_DAMAGED"
    assert len(hashed) == 2


def fresh(setting: Settings) -> Files:
    """As another process has it, which has proven nothing yet."""
    return Files(setting.files, setting.inline_bytes)
