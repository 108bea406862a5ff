"""Jobs side by side: curves on one axis, metrics, settings that differ; who may see them, and what is refused."""

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from store import curves, keys
from tests.service.conftest import Stage, stages

PARENT_BATCH, FORK_BATCH, EPOCHS, FORKED = 16, 40, 6, 4
TRAINING_ROWS = 120


class Here(NamedTuple):
    stage: Stage
    parent: dict[str, Any]
    fork: dict[str, Any]
    other: dict[str, Any]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Here]:
    with stages(tmp_path_factory.mktemp("comparison"), migrated) as make:
        stage = make()
        iris = stage.iris()
        record = {"curves": "batch", "checkpoint_every": 2}
        parent = stage.job(iris, "species", "mlp", epochs=EPOCHS, batch_size=PARENT_BATCH, record=record, name="parent")
        overrides = {"epochs": 10, "batch_size": FORK_BATCH}
        fork = stage.client.post(f"/v1/jobs/{parent['id']}/fork", json={"epoch": FORKED, "overrides": overrides}).json()
        stopping = {"monitor": "train_loss", "patience": 2}
        hidden = {"hidden": [{"units": 4}, {"units": 3}]}
        other = stage.job(iris, "species", "mlp", epochs=40, model=hidden, early_stopping=stopping, batch_size="full")
        yield Here(stage, parent, stage.run(fork["id"]), other)


def compare(here: Here, *jobs: dict[str, Any], status: int = 200, **asked: Any) -> dict[str, Any]:
    ids = ",".join(job["id"] for job in jobs or here[1:])
    response = here.stage.client.get("/v1/compare", params={"jobs": ids, **asked})
    assert response.status_code == status, response.text
    return response.json()


def test_jobs_come_as_they_were_asked_for_with_their_metrics(here: Here) -> None:
    found = compare(here, here.other, here.parent, here.other)
    assert [entry["job"]["id"] for entry in found["jobs"]] == [here.other["id"], here.parent["id"]]
    line = here.stage.client.get("/v1/jobs?view=brief").json()["items"]
    for entry, job in zip(found["jobs"], (here.other, here.parent), strict=True):
        assert entry["job"] in line
        for name, values in (("best", job["best"]), ("last", job["latest"])):
            assert entry["metrics"][name]["epoch"] == values["epoch"]
            assert entry["metrics"][name].items() <= values.items()
        model = here.stage.client.get(f"/v1/models/{job['model_id']}").json()
        assert entry["metrics"]["final"]["epoch"] == model["epoch"]
        assert entry["metrics"]["final"].items() <= model["metrics"].items()
        assert entry["event_id"] == job["event_id"]


def test_only_the_settings_that_differ_are_told(here: Here) -> None:
    parent, fork, other = here[1:]
    found = {entry["pointer"]: entry["values"] for entry in compare(here)["settings"]}
    ids = [job["id"] for job in here[1:]]
    assert found["/batch_size"] == dict(zip(ids, (PARENT_BATCH, FORK_BATCH, "full"), strict=True))
    assert found["/model/hidden/1"].keys() == {other["id"]}
    assert found["/early_stopping"][parent["id"]] is None
    assert not found.keys() & {"/name", "/tags", "/seed", "/target", "/dataset_id", "/optimizer/kind"}
    assert {entry["pointer"] for entry in compare(here, parent, fork)["settings"]} == {"/epochs", "/batch_size"}
    assert compare(here, parent)["settings"] == []


def test_curves_are_those_of_the_jobs_whatever_the_axis(here: Here) -> None:
    for axis in ("step", "epoch", "seconds"):
        found = compare(here, axis=axis, series="train_loss,batch_loss,seconds")
        assert found["axis"] == axis
        for entry in found["jobs"]:
            own = here.stage.client.get(f"/v1/jobs/{entry['job']['id']}/curves").json()["series"]
            assert entry["series"].keys() == {"train_loss", "batch_loss", "seconds"} & own.keys()
            for name, curve in entry["series"].items():
                x = curve.pop("x")
                assert curve == {part: own[name][part] for part in curve}
                assert all(before < after for before, after in itertools.pairwise(x)), (axis, name)


def test_curves_are_smoothed_as_a_jobs_own(here: Here) -> None:
    asked = {"smoothing": 0.6, "max_points": 3, "series": "train_loss,batch_loss"}
    for entry in compare(here, **asked)["jobs"]:
        own = here.stage.client.get(f"/v1/jobs/{entry['job']['id']}/curves", params={**asked, "series": None}).json()["series"]
        for name, curve in entry["series"].items():
            assert curve["smoothed"] == own[name]["smoothed"]
            assert curve["smoothed"][-1] != curve["value"][-1]


def test_a_forks_steps_go_on_from_its_parents(here: Here) -> None:
    steps = {
        entry["job"]["id"]: entry["series"] for entry in compare(here, axis="step", series="train_loss,batch_loss")["jobs"]
    }
    parent, fork = steps[here.parent["id"]], steps[here.fork["id"]]
    an_epoch = -(-TRAINING_ROWS // PARENT_BATCH)
    assert parent["train_loss"]["x"] == [an_epoch * epoch for epoch in range(1, EPOCHS + 1)]
    assert fork["train_loss"]["x"] == [an_epoch * FORKED + 3 * epoch for epoch in range(1, 7)]
    for series in (parent, fork):  # an epoch ends with its last batch, whose step was counted while training
        assert series["batch_loss"]["x"] == series["batch_loss"]["step"]
        assert series["train_loss"]["x"][-1] == series["batch_loss"]["x"][-1]
    assert steps[here.other["id"]]["train_loss"]["x"][:3] == [1, 2, 3]
    epochs = {entry["job"]["id"]: entry["series"] for entry in compare(here, series="train_loss,batch_loss")["jobs"]}
    assert epochs[here.fork["id"]]["batch_loss"]["x"][2::3] == epochs[here.fork["id"]]["train_loss"]["x"] == [5, 6, 7, 8, 9, 10]
    assert epochs[here.parent["id"]]["batch_loss"]["x"][0] == 1 / an_epoch


def test_seconds_are_the_sum_of_the_epochs_that_a_job_took(here: Here) -> None:
    found = compare(here, axis="seconds", series="seconds,batch_loss")
    for entry in found["jobs"]:
        curve = entry["series"]["seconds"]
        assert curve["x"] == pytest.approx(list(itertools.accumulate(curve["value"])))
        if "batch_loss" in entry["series"]:
            assert entry["series"]["batch_loss"]["x"][-1] == pytest.approx(curve["x"][-1])


@pytest.mark.parametrize("axis", ["step", "epoch", "seconds"])
def test_a_stretch_of_the_axis_has_the_points_that_lie_there(here: Here, axis: str) -> None:
    whole = compare(here, here.fork, axis=axis, series="train_loss")["jobs"][0]["series"]["train_loss"]
    low, high = whole["x"][1], whole["x"][3]
    part = compare(here, here.fork, axis=axis, series="train_loss", **{"from": low, "to": high + 1e-9})
    assert part["jobs"][0]["series"]["train_loss"] == {name: values and values[1:4] for name, values in whole.items()}
    assert part["sampling"] == {"method": "none", "total": 3, "returned": 3, "exact": True}
    beyond = compare(here, here.fork, axis=axis, series="train_loss", **{"from": whole["x"][-1] + 1})
    assert beyond["jobs"][0]["series"]["train_loss"]["x"] == []


def test_long_curves_are_sampled_with_both_ends_and_the_same_again(here: Here) -> None:
    found = compare(here, here.parent, series="batch_loss", axis="step", max_points=7)
    curve = found["jobs"][0]["series"]["batch_loss"]
    assert (curve["x"][0], curve["x"][-1], len(curve["x"]) <= 7) == (1, 48, True)
    assert found["sampling"] == {"method": "buckets", "total": 48, "returned": len(curve["x"]), "exact": False}
    assert compare(here, here.parent, series="batch_loss", axis="step", max_points=7) == found


def test_what_cannot_be_compared_is_refused_by_name(here: Here) -> None:
    missing = compare(here, here.parent, {"id": "job_none"}, status=404)
    assert "no job 'job_none'" in missing["detail"]
    assert missing["errors"][0]["pointer"] == "/query/jobs"
    assert "21 jobs are named" in compare(here, *({"id": f"job_{n}"} for n in range(21)), status=422)["detail"]
    assert compare(here, {"id": ","}, status=422)["errors"][0]["pointer"] == "/query/jobs"
    unknown = compare(here, series="train_los", status=404)
    assert "train_loss" in unknown["detail"]
    assert unknown["errors"][0]["pointer"] == "/query/series"
    compare(here, axis="days", status=422)


def test_a_comparison_of_jobs_that_are_done_is_made_once(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/v1/compare?jobs={here.parent['id']},{here.other['id']}"
    tag = here.stage.client.get(path).headers["etag"]
    here.stage.client.patch(f"/v1/jobs/{here.other['id']}", json={"name": "renamed"})
    changed = here.stage.client.get(path, headers={"If-None-Match": tag})
    assert changed.json()["jobs"][1]["job"]["name"] == "renamed"
    monkeypatch.setattr(curves, "read", None)
    assert here.stage.client.get(path, headers={"If-None-Match": changed.headers["etag"]}).status_code == 304


def test_jobs_that_have_not_begun_have_nothing_to_draw(here: Here) -> None:
    body = {"dataset_id": here.parent["dataset_id"], "target": "species", "model": {"kind": "logistic_regression"}}
    job = here.stage.client.post("/v1/jobs", json=body).json()
    for axis in ("step", "epoch", "seconds"):
        (entry,) = compare(here, job, axis=axis)["jobs"]
        assert (entry["series"], entry["metrics"]) == ({}, {"final": None, "best": None, "last": {}})


def test_anothers_jobs_are_none(here: Here) -> None:
    with here.stage.place.database.transaction() as session:  # from here on nobody comes in without a key
        headers = {"Authorization": f"Bearer {keys.create(session, 'ben', ['read'])[1]}"}
    foreign = here.stage.client.get(f"/v1/compare?jobs={here.parent['id']}", headers=headers)
    assert (foreign.status_code, here.parent["id"] in foreign.json()["detail"]) == (404, True)
