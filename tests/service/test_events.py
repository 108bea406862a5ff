"""The event stream: everything once, in order, from the start or after any event."""

import json
from typing import Any

import pytest

from service.events import Cursor, cursor
from store import jobs
from store.errors import BadPageToken
from tests.service.conftest import Stage


def told(stage: Stage, job_id: str, after: str | None = None) -> list[dict[str, Any]]:
    """Every event of the stream, each as its fields."""
    headers = {"Last-Event-ID": after} if after else {}
    with stage.client.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["x-accel-buffering"] == "no"
        text = response.read().decode()
    blocks = [block for block in text.split("\n\n") if block and not block.startswith(":")]
    events = [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]
    return [{**event, "data": json.loads(event["data"])} for event in events]


def test_the_stream_tells_states_and_epochs_in_order_and_ends(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=40)
    events = told(stage, job["id"])
    kinds = [event["event"] for event in events]
    assert kinds == ["state", "state", *["metric"] * 40, "state"]
    assert [event["data"]["state"] for event in events if event["event"] == "state"] == ["queued", "running", "succeeded"]
    assert [event["data"]["epoch"] for event in events if event["event"] == "metric"] == list(range(1, 41))
    ids = [int(event["id"]) for event in events]
    assert ids == sorted(set(ids))
    assert events[-2]["data"] == job["latest"]
    assert events[-1]["data"] == job
    assert not events[0]["data"]["done"]
    assert len(events[0]["data"]["transitions"]) == 1


def test_it_goes_on_after_any_event(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "logistic_regression")
    events = told(stage, job["id"])
    for place, event in enumerate(events[:-1]):
        assert told(stage, job["id"], event["id"]) == events[place + 1 :]


def test_pages_of_json_hold_the_same_events(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=12)
    seen, token = [], None
    while True:
        parameters = {"page_size": 4, **({"page_token": token} if token else {})}
        url = f"/v1/jobs/{job['id']}/events"
        page = stage.client.get(url, params=parameters, headers={"accept": "application/json"}).json()
        seen += page["items"]
        token = page["next_page_token"]
        if token is None:
            break
    streamed = [{"id": int(event["id"]), "event": event["event"], "data": event["data"]} for event in told(stage, job["id"])]
    assert seen == streamed


def test_an_attempt_that_was_lost_is_told_once(stage: Stage) -> None:
    """Epochs trained again after a lost attempt give the same numbers and are no new events."""
    body = {"dataset_id": stage.iris(), "target": "species", "model": {"kind": "mlp"}, "epochs": 20}
    job_id = stage.client.post("/v1/jobs", json=body).json()["id"]
    with stage.place.database.transaction() as session:
        job = jobs.claim(session, job_id, "elsewhere", 60)
        assert job is not None
        jobs.release(session, jobs.lease_of(job), "its worker was stopped")
    from worker.training import run

    run(stage.place, job_id)
    events = told(stage, job_id)
    states = [event["data"]["state"] for event in events if event["event"] == "state"]
    assert states == ["queued", "running", "queued", "running", "succeeded"]
    assert [event["data"]["epoch"] for event in events if event["event"] == "metric"] == list(range(1, 21))


def test_an_unknown_job_is_a_problem_not_a_stream(stage: Stage) -> None:
    response = stage.client.get("/v1/jobs/job_nowhere/events")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("bad", ["x", "-1", "1.5", "9" * 30])
def test_a_foreign_event_id_is_refused(bad: str) -> None:
    with pytest.raises(BadPageToken):
        cursor(bad)


def test_ids_and_cursors_are_one_to_one() -> None:
    for place in (Cursor(), Cursor(1, 0), Cursor(3, 1_000_000), Cursor(2**20, 7)):
        assert cursor(str(place.id)) == place


def test_a_warning_is_a_line_of_the_log(stage: Stage) -> None:
    job = stage.job(stage.sample("xor"), "y", "perceptron", epochs=3)
    events = told(stage, job["id"])
    assert [event["event"] for event in events] == ["state", "state", "metric", "metric", "metric", "log", "state"]
    assert [event["data"]["message"] for event in events if event["event"] == "log"] == [job["warnings"][0]["detail"]]
