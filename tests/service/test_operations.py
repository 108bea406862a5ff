"""Health, readiness, metrics, request ids, and what a broken part of the server looks like from outside."""

import errno
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from service.routes import glass
from store import datasets, supervised
from store.database import Database
from store.supervised import Exit, Supervised
from tests.service.conftest import Stage
from worker import tasks


def test_ready_names_each_part(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stage.client.get("/readyz")
    assert before.status_code == 503
    assert before.json()["database"]["status"] == "ok"
    assert "vidro worker" in before.json()["worker"]["detail"]
    tasks.sweep_once(stage.place)
    after = stage.client.get("/readyz")
    assert after.status_code == 200, after.text
    assert after.json()["status"] == "ok"


def test_ready_tells_what_a_supervisor_sees(stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It decides nothing: what a process that is down does not do is told by its own part."""
    tasks.sweep_once(stage.place)
    assert stage.client.get("/readyz").json()["supervisor"] is None
    died = Exit(at=0.0, signal="SIGSEGV")
    processes = [
        Supervised("serve", "up", 0.0, [time.time() - 3000, time.time() - 4000], died),
        Supervised("worker", "waiting"),
    ]
    supervised.write(tmp_path / "seen", processes)
    monkeypatch.setenv(supervised.FILE, str(tmp_path / "seen"))
    answer = stage.client.get("/readyz")
    assert (answer.status_code, answer.json()["supervisor"]["status"]) == (200, "degraded")
    exit_seen = {"at": "1970-01-01T00:00:00.000Z", "code": None, "signal": "SIGSEGV"}
    serve, worker = answer.json()["supervisor"]["processes"]
    assert serve == {
        "name": "serve", "state": "up", "up_since": "1970-01-01T00:00:00.000Z", "restarts_last_hour": 1, "last_exit": exit_seen
    }  # fmt: skip
    assert worker["state"] == "waiting"


def test_a_database_out_of_reach_is_503_with_retry_after(stage: Stage) -> None:
    lost = Database("postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=1")
    stage.client.app.state.store = stage.client.app.state.store.__class__(stage.place.settings, lost, stage.place.files)
    response = stage.client.get("/v1/jobs")
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert response.json()["code"] == "DATABASE_UNAVAILABLE"
    assert stage.client.get("/healthz").status_code == 200
    assert stage.client.get("/readyz").json()["database"]["status"] == "failing"
    lost.close()


@pytest.mark.parametrize("start", [0, 100])
def test_a_damaged_database_is_one_clear_problem(stage: Stage, tmp_path: Path, start: int) -> None:
    stage.iris()
    tasks.sweep_once(stage.place)
    stage.place.database.close()
    path = shutil.copy(str(stage.place.database.url.database), tmp_path / "damaged.db")
    with open(path, "r+b") as file:
        file.seek(start)
        file.write(os.urandom(os.path.getsize(path) - start))
    damaged = Database(f"sqlite:///{path}")
    stage.client.app.state.store = stage.client.app.state.store.__class__(stage.place.settings, damaged, stage.place.files)
    body = {"dataset_id": "ds_1", "target": "y", "model": {"kind": "mlp"}}
    for method, where in (("GET", "/v1/jobs"), ("GET", "/v1/datasets/ds_1/rows"), ("POST", "/v1/jobs")):
        response = stage.client.request(method, where, json=body if method == "POST" else None)
        assert (response.status_code, response.json()["code"]) == (503, "DATABASE_DAMAGED"), where
        assert "backup" in response.json()["detail"]
        assert str(tmp_path) not in response.text
    assert stage.client.get("/healthz").status_code == 200
    assert "damaged" in stage.client.get("/readyz").json()["database"]["detail"]
    damaged.close()


def test_what_breaks_inside_says_nothing_of_the_inside(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(glass, "_catalog", lambda: 1 / 0)
    response = stage.client.get("/v1/catalog")
    assert response.status_code == 500
    assert response.json()["request_id"] == response.headers["x-request-id"]
    assert "ZeroDivision" not in response.text
    assert stage.client.get("/healthz").status_code == 200


def test_a_request_id_is_kept_where_harmless_and_made_otherwise(stage: Stage) -> None:
    assert stage.client.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
    made = stage.client.get("/healthz", headers={"X-Request-ID": "a b\x1b[31m"}).headers["x-request-id"]
    assert len(made) == 36


def test_metrics_count_by_route_not_by_path(stage: Stage) -> None:
    stage.client.get("/v1/jobs/job_1")
    stage.client.get("/v1/jobs/job_2")
    text = stage.client.get("/metrics").text
    assert 'vidro_requests_total{method="GET",route="/v1/jobs/{job_id}",status="404"}' in text
    assert "job_1" not in text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("PUT", "/v1/jobs", 405)])
def test_wrong_addresses_are_problems_too(stage: Stage, method: str, path: str, status: int) -> None:
    response = stage.client.request(method, path)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert "/docs" in response.json()["detail"]


def test_a_json_body_over_the_limit_is_413(make_stage: Callable[..., Stage], tmp_path: Path) -> None:
    stage = make_stage(max_body_bytes=1000)
    response = stage.client.post("/v1/jobs", json={"name": "x" * 2000})
    assert response.status_code == 413


def test_the_catalog_is_enough_to_build_a_form(stage: Stage) -> None:
    catalog = stage.client.get("/v1/catalog").json()
    assert set(catalog) == {
        "models", "layers", "losses", "optimizers", "schedules", "initializers", "activations", "scalers", "metrics",
    }  # fmt: skip
    adam = next(entry for entry in catalog["optimizers"] if entry["name"] == "adam")
    assert adam["schema"]["properties"]["beta_1"]["default"] == 0.9
    assert adam["formula"]
    assert adam["source"]


@pytest.mark.parametrize("error", [
    OSError(errno.ENOSPC, "No space left on device"),
    OperationalError("INSERT", {}, psycopg.errors.DiskFull("could not extend file")),
])  # fmt: skip
def test_a_full_disk_is_503_with_retry_after(stage: Stage, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def full(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(datasets, "create", full)
        response = stage.client.post("/v1/datasets", json={"sample": {"kind": "xor"}})
    assert response.status_code == 503
    assert response.json()["code"] == "DISK_FULL"
    assert int(response.headers["Retry-After"]) > 0
    assert stage.sample("xor")


def test_another_error_of_the_system_is_one_of_ours(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(datasets, "create", broken)
    response = stage.client.post("/v1/datasets", json={"sample": {"kind": "xor"}})
    assert (response.status_code, response.json()["code"]) == (500, "INTERNAL")
