"""Checkpoints and curves that go some time after a job's end: what stays, and what is said of what went."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from store import retention
from store.tables import Blob, Checkpoint, CurveBucket, CurvePoint, Histograms, Job
from tests.service.conftest import Stage
from worker import tasks

SHORT = {"model": {"hidden": [{"units": 2}]}, "record": {"checkpoint_every": 2, "histograms_every": 2}, "epochs": 6}


def days_pass(stage: Stage, days: float = 2) -> None:
    with stage.place.database.transaction() as session:
        session.execute(update(Job).values(finished_at=Job.finished_at - days * retention.DAY))


def trained(stage: Stage) -> dict[str, dict[str, Any]]:
    iris = stage.iris()
    return {
        "mlp": stage.job(iris, "species", "mlp", **SHORT),
        "newton": stage.job(iris, "species", "logistic_regression"),
    }


def rows(stage: Stage, table: Any) -> int:
    with stage.place.database.reading() as session:
        return len(session.execute(select(*table.__table__.primary_key)).all())


def test_nothing_goes_by_default(stage: Stage) -> None:
    trained(stage)
    before = [rows(stage, table) for table in (Checkpoint, CurvePoint, Histograms, Blob)]
    days_pass(stage, 1000)
    tasks.make_room(stage.place)
    assert [rows(stage, table) for table in (Checkpoint, CurvePoint, Histograms, Blob)] == before


def test_checkpoints_go_but_the_models(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(keep_checkpoints_days=1)
    done = trained(stage)
    get = stage.client.get
    weights = {name: get(f"/v1/jobs/{job['id']}/weights?epoch=model").json() for name, job in done.items()}
    models = {name: get(f"/v1/models/{job['model_id']}").json()["epoch"] for name, job in done.items()}
    tasks.make_room(stage.place)
    assert get(f"/v1/jobs/{done['mlp']['id']}").json()["checkpoints_removed_at"] is None
    days_pass(stage)
    tasks.make_room(stage.place)
    for name, job in done.items():
        path = f"/v1/jobs/{job['id']}"
        assert get(f"{path}/weights?epoch=model").json() == weights[name]
        assert get(f"{path}/evaluation?epoch=model").status_code == 200
        assert get(f"{path}/curves").status_code == 200
        kept = [entry["epoch"] for entry in get(f"{path}/checkpoints").json()["items"]]
        assert set(kept) == {0, models[name]}
        record = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
        assert stage.client.post(f"/v1/models/{job['model_id']}/predict", json={"records": [record]}).status_code == 200
    assert get(f"/v1/jobs/{done['newton']['id']}").json()["checkpoints_removed_at"] is None  # it had its model's alone
    assert get(f"/v1/jobs/{done['mlp']['id']}").json()["checkpoints_removed_at"] is not None
    gone = get(f"/v1/jobs/{done['mlp']['id']}/weights?epoch=2")
    assert (gone.status_code, gone.json()["code"]) == (410, "REMOVED")
    assert "VIDRO_KEEP_CHECKPOINTS_DAYS" in gone.json()["detail"]
    assert f"the weights of epoch {models['mlp']} are left" in gone.json()["detail"]
    fork = stage.client.post(f"/v1/jobs/{done['mlp']['id']}/fork", json={"epoch": 2, "overrides": {"epochs": 8}})
    assert fork.status_code == 410
    fork = stage.client.post(f"/v1/jobs/{done['mlp']['id']}/fork", json={"epoch": models["mlp"], "overrides": {"epochs": 8}})
    assert fork.status_code == 202, fork.text
    with stage.place.database.transaction() as session:  # as where a run stopped early, whose model is not the last epoch's
        session.execute(update(Job).where(Job.id == done["mlp"]["id"]).values(epoch=Job.epoch + 1))
    assert get(f"/v1/jobs/{done['mlp']['id']}/weights?epoch=last").status_code == 410


def test_curves_and_histograms_go(make_stage: Callable[..., Stage], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "STEP_ROWS", 5)
    stage = make_stage(keep_curves_days=1)
    done = trained(stage)
    days_pass(stage)
    fresh = stage.job(done["mlp"]["dataset_id"], "species", "mlp", **SHORT)
    tasks.make_room(stage.place)
    job = stage.client.get(f"/v1/jobs/{done['mlp']['id']}").json()
    assert job["curves_removed_at"] is not None
    assert (job["latest"], job["best"]) == (done["mlp"]["latest"], done["mlp"]["best"])
    for part in ("curves", "histograms"):
        gone = stage.client.get(f"/v1/jobs/{job['id']}/{part}")
        assert (gone.status_code, gone.json()["code"]) == (410, "REMOVED")
        assert "VIDRO_KEEP_CURVES_DAYS" in gone.json()["detail"]
        assert stage.client.get(f"/v1/jobs/{fresh['id']}/{part}").status_code == 200
    events = stage.client.get(f"/v1/jobs/{job['id']}/events", headers={"Accept": "application/json"}).json()["items"]
    assert [event["data"]["state"] for event in events if event["event"] == "state"] == ["queued", "running", "succeeded"]
    for _ in range(30):
        tasks.make_room(stage.place)
    with stage.place.database.reading() as session:
        for table in (CurvePoint, CurveBucket, Histograms):
            assert set(session.scalars(select(table.job_number))) <= {_number(session, fresh["id"])}


def _number(session: Any, job_id: str) -> int:
    return int(session.scalars(select(Job.number).where(Job.id == job_id)).one())
