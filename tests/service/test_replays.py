"""A stretch of a job, trained again: it agrees to the bit, or the first number that does not is named."""

from typing import Any

import pytest
from sqlalchemy import update

from store import checkpoints
from store.tables import CurvePoint, Job
from store.tensors import pack, unpack
from tests.service.conftest import Stage

NET: dict[str, Any] = {"kind": "mlp", "hidden": [{"units": 5}]}


def trained(stage: Stage, **fields: Any) -> dict[str, Any]:
    wishes = {"epochs": 6, "record": {"checkpoint_every": 2, "curves": "batch"}, **fields}
    return stage.job(stage.iris(), "species", "mlp", model=NET, **wishes)


def replayed(stage: Stage, job: dict[str, Any], **body: Any) -> dict[str, Any]:
    answer = stage.client.post(f"/v1/jobs/{job['id']}/replay", json=body)
    assert answer.status_code == 202, answer.text
    made = answer.json()
    assert answer.headers["Location"] == f"/v1/jobs/{made['id']}"
    assert (made["kind"], made["parent"]) == ("replay", job["id"])
    return stage.run(made["id"])


def result(stage: Stage, job: dict[str, Any]) -> Any:
    return stage.client.get(f"/v1/jobs/{job['id']}/result").json()


@pytest.mark.parametrize(
    ("body", "stretch", "epochs"),
    [({}, (0, 6), [2, 4, 6]), ({"from_epoch": 2, "to_epoch": 5}, (2, 5), [4]), ({"to_epoch": 4}, (0, 4), [2, 4])],
)
def test_a_replay_agrees_to_the_bit(stage: Stage, body: dict[str, Any], stretch: tuple[int, int], epochs: list[int]) -> None:
    job = trained(stage, schedule="cosine", early_stopping={"patience": 3})
    replay = replayed(stage, job, **body)
    assert replay["state"] == "succeeded", replay["error"]
    assert (replay["model_id"], replay["progress"]["epoch"]) == (None, stretch[1])
    found = result(stage, replay)
    assert found["agrees"], found
    assert (found["from_epoch"], found["to_epoch"]) == stretch
    assert set(epochs) <= set(found["compared"]["weights_of_epochs"])
    assert {"train_loss", "validation_accuracy", "batch_loss"} <= set(found["compared"]["series"])
    assert "seconds" not in found["compared"]["series"]
    assert found["versions"]["then"] == found["versions"]["now"]
    assert found["versions"]["now"].keys() >= {"vidro", "numpy", "processor"}


def test_a_fork_and_what_is_solved_at_once_are_replayed(stage: Stage) -> None:
    job = trained(stage)
    fork = stage.client.post(f"/v1/jobs/{job['id']}/fork", json={"epoch": 4, "overrides": {"epochs": 8}}).json()
    found = result(stage, replayed(stage, stage.run(fork["id"])))
    assert (found["agrees"], found["from_epoch"], found["to_epoch"]) == (True, 4, 8)
    line = stage.job(stage.iris(), "petal_width", "linear_regression")
    found = result(stage, replayed(stage, line))
    assert (found["agrees"], found["compared"]["weights_of_epochs"]) == (True, [1])


def test_the_first_number_that_differs_is_named(stage: Stage) -> None:
    job = trained(stage)
    with stage.place.database.transaction() as session:
        number = session.query(Job.number).filter_by(id=job["id"]).scalar()
        session.execute(update(CurvePoint).filter_by(job_number=number, step=5).values(value=7.0))
    first = result(stage, replayed(stage, job, from_epoch=2))["first_difference"]
    assert (first["what"], first["at"], first["then"]) == ("curve", 5, 7.0)
    assert first["now"] != 7.0


def test_a_weight_that_differs_is_named_by_its_index(stage: Stage) -> None:
    job = trained(stage)
    files = stage.place.files
    with stage.place.database.transaction() as session:
        number = session.query(Job.number).filter_by(id=job["id"]).scalar()
        kept = checkpoints.get(session, number, 4)
        assert kept is not None
        arrays = {name: array.copy() for name, array in unpack(files.get(session, kept.digest)).items()}
        arrays["theta"][3] += 1
        kept.digest = files.put(session, pack(arrays))
    first = result(stage, replayed(stage, job))["first_difference"]
    assert (first["what"], first["name"], first["at"], first["index"]) == ("weights", "theta", 4, [3])
    assert first["then"] == pytest.approx(first["now"] + 1)


@pytest.mark.parametrize(
    ("body", "pointer", "words"),
    [
        ({"from_epoch": 3}, "/from_epoch", "there are those of 0, 2, 4, 6"),
        ({"to_epoch": 7}, "/to_epoch", "epochs up to 6"),
        ({"from_epoch": 4, "to_epoch": 4}, "/to_epoch", "begins after epoch 4"),
        ({"until": 4}, "/until", ""),
    ],
)
def test_a_stretch_that_cannot_be_replayed(stage: Stage, body: dict[str, Any], pointer: str, words: str) -> None:
    job = trained(stage)
    answer = stage.client.post(f"/v1/jobs/{job['id']}/replay", json=body)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert words in error["detail"]
    assert stage.client.get("/v1/jobs", params={"parent": job["id"]}).json()["items"] == []


def test_lists_show_training_unless_asked(stage: Stage) -> None:
    job = trained(stage)
    replay = replayed(stage, job)

    def ids(**query: Any) -> list[str]:
        return [item["id"] for item in stage.client.get("/v1/jobs", params=query).json()["items"]]

    assert ids() == ids(kind="training") == [job["id"]]
    assert ids(kind="replay") == ids(parent=job["id"]) == [replay["id"]]
    assert ids(kind="any") == [replay["id"], job["id"]]
    assert stage.client.get("/v1/jobs/summary").json()["total"] == 1
    assert stage.client.get("/v1/jobs/summary", params={"kind": "any"}).json()["total"] == 2


def test_a_result_comes_when_a_job_about_another_has_succeeded(stage: Stage) -> None:
    job = trained(stage)
    waiting = stage.client.post(f"/v1/jobs/{job['id']}/replay", json={}).json()
    for job_id, words in ((job["id"], "trains a model"), (waiting["id"], "is not done (queued)")):
        answer = stage.client.get(f"/v1/jobs/{job_id}/result")
        assert answer.status_code == 404
        assert words in answer.json()["detail"]
    assert stage.client.delete(f"/v1/jobs/{job['id']}").status_code == 204
    failed = stage.run(waiting["id"])
    assert (failed["state"], failed["error"]["code"]) == ("failed", "NOT_FOUND")


def test_of_a_deleted_dataset_nothing_is_trained_again(stage: Stage) -> None:
    job = trained(stage)
    assert stage.client.delete(f"/v1/datasets/{job['dataset_id']}").status_code == 204
    for again in ("replay", "repeat", "fork"):
        answer = stage.client.post(f"/v1/jobs/{job['id']}/{again}", json={})
        assert answer.status_code == 404, again
        assert f"which job '{job['id']}' was trained on, has been deleted" in answer.json()["detail"]
