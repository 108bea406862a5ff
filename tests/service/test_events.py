"""The event stream: everything once, in order, from the start or after any event."""

import json
from typing import Any

import pytest

from service.events import Cursor, cursor
from store import jobs, leases
from store.curves import Recorder
from store.errors import BadPageToken
from store.leases import Lease
from tests.service.conftest import Stage
from worker.training import run

BODY: dict[str, Any] = {"target": "y", "model": {"kind": "mlp"}, "epochs": 3000}


def claim(stage: Stage, job_id: str) -> tuple[Lease, Recorder]:
    """The job as a worker takes it, with what writes its curves."""
    with stage.place.database.transaction() as session:
        job = leases.claim(session, job_id, "test worker", 60)
    assert job is not None
    return leases.lease_of(job), Recorder(job.number)


def record(stage: Stage, lease: Lease, recorder: Recorder, last: int) -> None:
    """Commit the epochs up to `last`, as a worker does."""
    with stage.place.database.transaction() as session:
        for epoch in range(jobs.get(session, lease.job_id, None).epoch + 1, last + 1):
            recorder.add(epoch, {"train_loss": 1 / epoch})
        leases.update_row(session, lease, epoch=last)
        recorder.write(session)


def told(stage: Stage, job_id: str, after: str | None = None, **query: Any) -> list[dict[str, Any]]:
    """Every event of the stream, each as its fields."""
    headers = {"Last-Event-ID": after} if after else {}
    with stage.client.stream("GET", f"/v1/jobs/{job_id}/events", headers=headers, params=query) as response:
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
        job = leases.claim(session, job_id, "elsewhere", 60)
        assert job is not None
        leases.release(session, leases.lease_of(job), "its worker was stopped")
    run(stage.place, job_id)
    events = told(stage, job_id)
    states = [event["data"]["state"] for event in events if event["event"] == "state"]
    assert states == ["queued", "running", "queued", "running", "succeeded"]
    assert [event["data"]["epoch"] for event in events if event["event"] == "metric"] == list(range(1, 21))


def test_an_unknown_job_is_a_problem_not_a_stream(stage: Stage) -> None:
    response = stage.client.get("/v1/jobs/job_nowhere/events")
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("bad", ["x", "-1", "1.5", "9" * 30, "9" * 4_301, "٣", ""])
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


def test_after_the_last_event_there_is_no_content(stage: Stage) -> None:
    """A 204 ends an EventSource, which connects again after every other end."""
    job = stage.job(stage.iris(), "species", "logistic_regression")
    url, last = f"/v1/jobs/{job['id']}/events", told(stage, job["id"])[-1]["id"]
    assert int(last) == job["event_id"]
    ends = [{"headers": {"Last-Event-ID": last}}, {"params": {"from": last}}, {"params": {"from": "now"}}]
    for end in ends:
        response = stage.client.get(url, **end)
        assert (response.status_code, response.content) == (204, b"")
    page = stage.client.get(url, params={"from": last}, headers={"accept": "application/json"})
    assert page.json() == {"items": [], "next_page_token": None}


def test_from_says_where_to_begin_and_a_last_event_id_wins(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=5)
    events = told(stage, job["id"])
    assert told(stage, job["id"], **{"from": "start"}) == events
    for place, event in enumerate(events[:-1]):
        assert told(stage, job["id"], **{"from": event["id"]}) == events[place + 1 :]
        assert told(stage, job["id"], event["id"], **{"from": "now"}) == events[place + 1 :]
        parameters = {"from": event["id"], "page_size": 1}
        page = stage.client.get(f"/v1/jobs/{job['id']}/events", params=parameters, headers={"accept": "application/json"})
        assert page.json()["items"][0]["id"] == int(events[place + 1]["id"])


@pytest.mark.parametrize("bad", ["", "begin", "NOW", "-1", "1.5", str(2**62), "9" * 4_301, str(9 * 2**32), "4000"])
@pytest.mark.parametrize("accept", ["text/event-stream", "application/json"])
def test_a_place_that_is_none_is_refused_with_a_remedy(stage: Stage, bad: str, accept: str) -> None:
    job_id = stage.client.post("/v1/jobs", json=BODY | {"dataset_id": stage.sample("xor")}).json()["id"]
    url, headers = f"/v1/jobs/{job_id}/events", {"accept": accept}
    asked = {"/query/from": {"params": {"from": bad}, "headers": headers}}
    if bad:
        asked["/header/last-event-id"] = {"headers": headers | {"Last-Event-ID": bad}}
    for pointer, request in asked.items():
        problem = stage.client.get(url, **request)
        assert problem.status_code == 422
        assert [error["pointer"] for error in problem.json()["errors"]] == [pointer]
        assert "event" in problem.json()["detail"]


class TestEventIds:
    """A page reads a job or its curves and goes on from the event id in the answer."""

    def assert_what_follows(self, stage: Stage, job_id: str, seen: list[int]) -> list[dict[str, Any]]:
        """The curves hold the epochs `seen`, and from their event id the pages of events tell all others."""
        job = stage.client.get(f"/v1/jobs/{job_id}").json()
        curves = stage.client.get(f"/v1/jobs/{job_id}/curves").json()
        assert curves["event_id"] == job["event_id"]
        assert curves["series"].get("train_loss", {}).get("step", []) == seen
        parameters = {"from": curves["event_id"], "page_size": 1000}
        answer = stage.client.get(f"/v1/jobs/{job_id}/events", params=parameters, headers={"accept": "application/json"})
        items: list[dict[str, Any]] = answer.json()["items"]
        return items

    def test_nothing_is_missed_and_nothing_told_twice(self, stage: Stage) -> None:
        job_id = stage.client.post("/v1/jobs", json=BODY | {"dataset_id": stage.sample("xor")}).json()["id"]
        lease, recorder = claim(stage, job_id)
        assert self.assert_what_follows(stage, job_id, []) == []
        ids = []
        for last in (3, 7, 8):
            record(stage, lease, recorder, last)
            assert self.assert_what_follows(stage, job_id, list(range(1, last + 1))) == []
            ids.append(stage.client.get(f"/v1/jobs/{job_id}").json()["event_id"])
        assert ids == sorted(ids)
        parameters = {"from": ids[0]}
        answer = stage.client.get(f"/v1/jobs/{job_id}/events", params=parameters, headers={"accept": "application/json"})
        assert [event["data"]["epoch"] for event in answer.json()["items"]] == [4, 5, 6, 7, 8]

    def test_nor_while_a_lost_attempt_is_trained_again(self, stage: Stage) -> None:
        """Its curves were cut back to its checkpoint: who reads them then has to be told those epochs again."""
        job_id = stage.client.post("/v1/jobs", json=BODY | {"dataset_id": stage.sample("xor")}).json()["id"]
        lease, recorder = claim(stage, job_id)
        record(stage, lease, recorder, 8)
        told_before = stage.client.get(f"/v1/jobs/{job_id}").json()["event_id"]
        with stage.place.database.transaction() as session:
            leases.release(session, lease, "its worker was stopped")
        lease, recorder = claim(stage, job_id)
        with stage.place.database.transaction() as session:
            leases.update_row(session, lease, epoch=5)
            recorder.rewind(session, 5, 0)
        assert self.assert_what_follows(stage, job_id, [1, 2, 3, 4, 5]) == []
        page = stage.client.get(f"/v1/jobs/{job_id}/curves").json()["event_id"]
        record(stage, lease, recorder, 9)
        for place, epochs in ((page, [6, 7, 8, 9]), (told_before, [9])):
            url, headers = f"/v1/jobs/{job_id}/events", {"accept": "application/json", "Last-Event-ID": str(place)}
            items = stage.client.get(url, headers=headers).json()["items"]
            assert [event["data"]["epoch"] for event in items if event["event"] == "metric"] == epochs

    def test_of_a_fork(self, stage: Stage) -> None:
        parent = stage.job(stage.iris(), "species", "mlp", epochs=6, record={"checkpoint_every": 3})
        fork = stage.client.post(f"/v1/jobs/{parent['id']}/fork", json={"epoch": 3}).json()
        assert self.assert_what_follows(stage, fork["id"], []) == []
        run(stage.place, fork["id"])
        events = told(stage, fork["id"], str(fork["event_id"]))
        assert [event["data"]["epoch"] for event in events if event["event"] == "metric"] == [4, 5, 6]

    def test_state_events_carry_their_own(self, stage: Stage) -> None:
        job = stage.job(stage.iris(), "species", "mlp", epochs=4)
        states = [event for event in told(stage, job["id"]) if event["event"] == "state"]
        assert [str(event["data"]["event_id"]) for event in states] == [event["id"] for event in states]
