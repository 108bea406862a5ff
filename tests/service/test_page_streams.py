"""One stream for several jobs, and one for all: no gap, no double, wherever it is cut and taken up again."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bench.streams import held, write_epochs
from service import page_stream
from service.feed_stream import RESET
from store import feed, jobs, journal, keys, leases
from store.curves import Recorder
from store.database import Database
from store.tables import Feed
from tests.service.conftest import Stage
from tests.service.test_streams import LIMIT_SECONDS, REQUEST, Served, make_served, served

__all__ = ["make_served", "served"]
JSON = {"accept": "application/json"}
Event = dict[str, Any]


def parsed(text: str) -> list[Event]:
    """The events of a stream, each as its fields; the first id is told without an event."""
    blocks = [block for block in text.split("\n\n") if block.startswith("event:")]
    events = [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]
    return [{**event, "data": json.loads(event["data"])} for event in events]


def stream(stage: Stage, path: str, after: str | None = None, **query: Any) -> list[Event]:
    headers = {"Last-Event-ID": after} if after else {}
    with stage.client.stream("GET", path, headers=headers, params=query) as response:
        return [] if response.status_code == 204 else parsed(response.read().decode())


def own(event: Event) -> tuple[str, Any]:
    """The event as the job's own stream has it."""
    return event["event"], {name: value for name, value in event["data"].items() if name != "job_id"}


def finished(stage: Stage, epochs: int) -> str:
    """A job with some history that has come to its end."""
    with stage.place.database.transaction() as session:
        job_id = jobs.create(session, "local", REQUEST).id
    lease = held(stage.place.database, job_id)
    recorder = Recorder(lease.job_number)
    with stage.place.database.transaction() as session:
        for epoch in range(1, epochs + 1):
            recorder.add(epoch, {"train_loss": 1 / epoch})
        leases.update_row(session, lease, epoch=epochs)
        recorder.write(session)
        journal.log(session, lease.job_number, f"{epochs} epochs")
    with stage.place.database.transaction() as session:
        leases.finish(session, lease, "failed")
    return job_id


@pytest.fixture
def ended(stage: Stage) -> tuple[Stage, dict[str, list[tuple[str, Any]]]]:
    """Three jobs that are done, and what the stream of each tells."""
    ids = [finished(stage, epochs) for epochs in (0, 3, 7)]
    return stage, {job_id: [own(event) for event in stream(stage, f"/v1/jobs/{job_id}/events")] for job_id in ids}


def by_job(events: list[Event]) -> dict[str, list[tuple[str, Any]]]:
    found: dict[str, list[tuple[str, Any]]] = {}
    for event in events:
        found.setdefault(event["data"]["job_id"], []).append(own(event))
    return found


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(1, 8), max_size=6), st.permutations(range(3)), st.integers(1, 9))
def test_wherever_it_is_cut_each_event_comes_once(
    ended: tuple[Stage, dict[str, list[tuple[str, Any]]]], cuts: list[int], order: list[int], page_size: int
) -> None:
    stage, expected = ended
    asked = {"jobs": ",".join([*expected][place] for place in order)}
    seen: list[Event] = []
    for cut in cuts:
        seen += stream(stage, "/v1/events", seen[-1]["id"] if seen else None, **asked)[:cut]
    seen += stream(stage, "/v1/events", seen[-1]["id"] if seen else None, **asked)
    assert by_job(seen) == expected
    assert len({event["id"] for event in seen}) == len(seen)
    assert stage.client.get("/v1/events", params=asked, headers={"Last-Event-ID": seen[-1]["id"]}).status_code == 204
    paged, token = list[Event](), None
    while True:
        query = {**asked, "page_size": page_size} | ({"page_token": token} if token else {})
        page = stage.client.get("/v1/events", params=query, headers=JSON).json()
        paged += page["items"]
        token = page["next_page_token"]
        if token is None:
            break
    assert by_job(paged) == expected


def test_a_job_may_begin_at_a_place_of_its_own(ended: tuple[Stage, dict[str, list[tuple[str, Any]]]]) -> None:
    stage, expected = ended
    first, second, third = expected
    place = stream(stage, f"/v1/jobs/{third}/events")[3]["id"]
    events = by_job(stream(stage, "/v1/events", jobs=f"{second},{third}:{place},{first}", **{"from": "start"}))
    assert events == {first: expected[first], second: expected[second], third: expected[third][4:]}
    events = by_job(stream(stage, "/v1/events", jobs=f"{second},{third}:{place}", **{"from": "now"}))
    assert events == {third: expected[third][4:]}


def test_what_is_not_there_or_not_meant_is_refused(ended: tuple[Stage, dict[str, list[tuple[str, Any]]]]) -> None:
    stage, expected = ended
    first, second, _ = expected
    get = stage.client.get
    last = stream(stage, "/v1/events", jobs=f"{first},{second}")[-1]["id"]
    for accept in (JSON, {"accept": "text/event-stream"}):
        unknown = get("/v1/events", params={"jobs": f"{first},job_1,job_2"}, headers=accept)
        assert (unknown.status_code, unknown.json()["errors"][0]["pointer"]) == (404, "/query/jobs")
        assert "'job_1', 'job_2'" in unknown.json()["detail"]
        assert first not in unknown.json()["detail"]
        for asked, pointer in (
            ({"jobs": ""}, "/query/jobs"),
            ({"jobs": " , "}, "/query/jobs"),
            ({"jobs": ",".join(f"job_{number}" for number in range(page_stream.MOST_JOBS + 1))}, "/query/jobs"),
            ({"jobs": f"{first}:x"}, "/query/jobs"),
            ({"jobs": f"{first}:{2**40}"}, "/query/jobs"),
            ({"jobs": first, "from": "x"}, "/query/from"),
            ({"jobs": f"{second},{first}", "from": last}, "/query/from"),
            ({"jobs": first, "page_token": "1"}, "/query/page_token"),
        ):
            answer = get("/v1/events", params=asked, headers=accept)
            assert answer.status_code == 422, asked
            assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert get("/v1/events", headers=JSON).status_code == 406
    for wrong in ({"from": "start"}, {"from": "1"}, {"page_token": "0-1"}):
        assert get("/v1/events", params=wrong).status_code == 422


def test_a_job_that_is_gone_is_told_once_to_who_knew_it(ended: tuple[Stage, dict[str, list[tuple[str, Any]]]]) -> None:
    stage, expected = ended
    first, second, third = expected
    asked = {"jobs": f"{first},{second},{third}"}
    place = stream(stage, "/v1/events", **asked)[1]["id"]
    assert stage.client.delete(f"/v1/jobs/{second}").status_code == 204
    deadline = time.monotonic() + LIMIT_SECONDS  # who watched it lately may be served for a moment more
    while stage.client.get("/v1/events", params=asked).status_code != 404:
        assert time.monotonic() < deadline
    events = stream(stage, "/v1/events", place, **asked)
    assert [event["data"] for event in events if event["event"] == "deleted"] == [{"job_id": second}]
    gone = next(event["id"] for event in events if event["event"] == "deleted")
    assert {event["event"] for event in stream(stage, "/v1/events", gone, **asked)} == {"state", "metric", "log"}
    page = stage.client.get("/v1/events", params={**asked, "from": place, "page_size": 1000}, headers=JSON).json()
    assert by_job(page["items"]) == by_job(events)


class Cut:
    """A reader that hangs up after some events, again and again, and goes on with the id that it had last."""

    def __init__(self, served: Served, **query: Any) -> None:
        self.served, self.query = served, query
        self.events: list[Event] = []
        self.last_id: str | None = None
        self.statuses: list[int] = []
        self.random = random.Random(0)

    def read(self, most: int, condition: Callable[[], bool] = lambda: False) -> None:
        """Read up to so many events, or until the condition holds; lines as they come."""
        headers = {"Last-Event-ID": self.last_id} if self.last_id else {}
        with self.served.client() as client, client.stream("GET", "/v1/events", params=self.query, headers=headers) as answer:
            self.statuses.append(answer.status_code)
            fields: dict[str, str] = {}
            for line in answer.iter_lines():
                if line:
                    name, _, value = line.partition(": ")
                    fields[name] = value
                    continue
                self.last_id = fields.get("id", self.last_id)
                if "event" in fields:
                    self.events.append({**fields, "data": json.loads(fields["data"])})
                    most -= 1
                fields = {}
                if most <= 0 or condition():
                    return

    def read_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + LIMIT_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.events[-5:]
            self.read(self.random.randint(1, 6), condition)


@pytest.fixture
def worker() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Has something done in a thread beside the test."""
    threads: list[threading.Thread] = []

    def begin(work: Callable[[], None]) -> None:
        threads.append(threading.Thread(target=work))
        threads[-1].start()

    yield begin
    for thread in threads:
        thread.join(LIMIT_SECONDS)
        assert not thread.is_alive()


def test_live_no_gap_and_no_double(served: Served, worker: Callable[[Callable[[], None]], None]) -> None:
    """Three jobs learn while the reader is cut off again and again; one is deleted in the end."""
    running = [served.running() for _ in range(3)]

    def learn() -> None:
        for first in range(1, 25, 3):
            for _, lease in running:
                write_epochs(served.database, lease, 3, 0.01, first)
        for _, lease in running:
            served.finish(lease)

    reader = Cut(served, jobs=",".join(job_id for job_id, _ in running))
    worker(learn)
    reader.read_until(lambda: reader.statuses[-1:] == [204])
    found = by_job(reader.events)
    for job_id, _ in running:
        kinds = [kind for kind, _ in found[job_id]]
        assert [data["epoch"] for kind, data in found[job_id] if kind == "metric"] == list(range(1, 25))
        assert [data["state"] for kind, data in found[job_id] if kind == "state"] == ["queued", "running", "failed"]
        assert len(kinds) == 27
    assert len(reader.statuses) > 10


def test_all_jobs_live(served: Served, worker: Callable[[Callable[[], None]], None]) -> None:
    """New ones, others' names, states and ends: what was told makes the list that can be read."""
    before = served.running()

    def live() -> None:
        with served.client() as client:
            for round_ in range(6):
                job_id, lease = served.running()
                client.patch(f"/v1/jobs/{before[0]}", json={"name": f"name {round_}"})
                served.finish(lease)
                if round_ % 2:
                    client.delete(f"/v1/jobs/{job_id}")
            client.patch(f"/v1/jobs/{before[0]}", json={"name": "the end"})

    reader = Cut(served)
    with suppress(Exception), served.client() as client, client.stream("GET", "/v1/events") as answer:
        head = next(answer.iter_text())
        reader.last_id = next(line[4:] for line in head.splitlines() if line.startswith("id: "))
    worker(live)
    reader.read_until(lambda: any(event["data"].get("name") == "the end" for event in reader.events))
    told = [event for event in reader.events if event["event"] != "progress"]
    places = [feed.feed_place(event["id"]) for event in told]
    assert places == sorted(set(places))
    table = {}
    for event in told:
        if event["event"] == "deleted":
            table.pop(event["data"]["id"], None)
        else:
            table[event["data"]["id"]] = event["data"]
    with served.client() as client:
        rows = {row["id"]: row for row in client.get("/v1/jobs?view=brief").json()["items"]}
    assert table == rows
    assert len(table) == 4
    assert {event["event"] for event in told} == {"state", "deleted"}


def test_progress_is_told_of_own_jobs_without_an_id(make_served: Callable[..., Served]) -> None:
    served = make_served()
    (mine, lease), (other, _) = served.running("ana"), served.running("rui")
    with served.database.transaction() as session:
        _, secret = keys.create(session, "ana", ["read"])
    with served.client(headers={"Authorization": f"Bearer {secret}"}) as client:
        with client.stream("GET", "/v1/events") as answer:
            text = ""
            for epoch, piece in enumerate(answer.iter_text(), start=1):
                text += piece
                events = parsed(text)
                if [event for event in events if event["data"].get("latest", {}).get("epoch")]:
                    break
                if epoch == 1:
                    write_epochs(served.database, lease, 2, 0)
        assert {event["data"]["id"] for event in events} == {mine}
        assert {event["event"] for event in events} == {"progress"}
        assert all("id" not in event for event in events)
        assert events[-1]["data"]["progress"]["epoch"] == 2
        assert events[-1]["data"]["best_values"]["validation_accuracy"] == 0.6
        page = client.get("/v1/events", params={"jobs": f"{mine},{other}"}, headers=JSON)
        assert (page.status_code, page.json()["code"]) == (404, "NOT_FOUND")
        assert other in page.json()["detail"]


def test_who_comes_back_too_late_is_told_to_read_the_list(served: Served, database: Database) -> None:
    for _ in range(2):
        served.running()
    with database.transaction() as session:
        place = feed.changes(session, None, feed.FeedPlace(), 1)[0].place
        for row in session.query(Feed):
            row.at -= 2 * feed.KEPT_SECONDS
        session.flush()
        feed.forget_old(session)
    reader = Cut(served)
    reader.last_id = place.id
    reader.read(1)
    assert [event["event"] for event in reader.events] == ["reset"]
    with database.reading() as session:
        assert reader.last_id == feed.end(session).id
    assert RESET.startswith("event: reset")
