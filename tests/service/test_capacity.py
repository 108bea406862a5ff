"""What is heavy takes no turn from what is not; who waits long is told when to come back; /healthz waits for nobody."""

import sqlite3
import threading
from collections.abc import Callable

import anyio
import pytest
from fastapi.routing import iter_route_contexts

from service.capacity import AT_ONCE
from service.routing import Route
from tests.service.conftest import Stage

WAIT = 0.05


@pytest.fixture
def brief(make_stage: Callable[..., Stage]) -> Stage:
    return make_stage(wait_seconds=WAIT)


def fill(stage: Stage, kind: str) -> None:
    """Have every turn of the kind be taken by others."""
    stage.client.app.state.capacity.turns[kind] = anyio.Semaphore(0)  # type: ignore[attr-defined]


def test_every_endpoint_has_a_kind_of_work_or_waits_within_the_loop(stage: Stage) -> None:
    routes = [
        context.original_route
        for context in iter_route_contexts(stage.client.app.routes)  # type: ignore[attr-defined]
        if context.path.startswith("/v1") or context.path in ("/healthz", "/readyz", "/metrics")
    ]
    assert len(routes) > 40
    for route in routes:
        assert isinstance(route, Route), route
        assert route.work is None or route.work in {*AT_ONCE, "files"}
    works = {route.path: route.work for route in routes if isinstance(route, Route)}
    assert (works["/healthz"], works["/v1/landscapes/{name}/descend"]) == (None, "computations")


def test_healthz_answers_whatever_is_full(brief: Stage) -> None:
    for kind in (*AT_ONCE, "files"):
        fill(brief, kind)
    assert brief.client.get("/healthz").status_code == 200
    full = brief.client.get("/v1/jobs")
    assert (full.status_code, full.headers["Retry-After"], full.json()["code"]) == (429, "1", "TOO_MANY_REQUESTS")


@pytest.mark.parametrize("kind", [*AT_ONCE, "files"])
def test_a_kind_that_is_full_takes_no_turn_from_another(brief: Stage, kind: str) -> None:
    dataset = brief.iris()
    model = brief.job(dataset, "species", "logistic_regression")["model_id"]
    row = {"sepal_length": 5.1, "sepal_width": 3.5, "petal_length": 1.4, "petal_width": 0.2}
    fill(brief, kind)
    client, found = brief.client, {}
    found["probes"] = client.get("/metrics")
    found["reads"] = client.get(f"/v1/datasets/{dataset}")
    found["writes"] = client.delete("/v1/jobs/job_none")
    found["tables"] = client.get(f"/v1/datasets/{dataset}/rows")
    found["computations"] = client.get("/v1/landscapes/bowl?resolution=2")
    found["predictions"] = client.post(f"/v1/models/{model}/predict", json={"records": [row]})
    found["bodies"] = client.post("/v1/jobs", json={"name": "x" * 20_000})
    found["files"] = brief.csv("a,b\n1,2\n")
    refused = [name for name, answer in found.items() if answer.status_code == 429]
    assert refused == [kind]
    assert "its turn; try again in" in found[kind].json()["detail"]


def test_a_locked_database_is_told_in_time_and_reads_go_on(brief: Stage) -> None:
    path = brief.place.database.url.database
    held = sqlite3.connect(str(path), isolation_level=None)
    held.execute("BEGIN IMMEDIATE")
    try:
        refused = brief.client.post("/v1/datasets", json={"sample": {"kind": "xor"}})
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert "busy with what others write" in refused.json()["detail"]
        assert brief.client.get("/v1/jobs").status_code == 200
        assert brief.client.get("/healthz").status_code == 200
    finally:
        held.close()
    assert brief.client.post("/v1/datasets", json={"sample": {"kind": "xor"}}).status_code == 201


def test_who_waits_for_a_turn_holds_no_thread_and_gets_it_when_it_is_free(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(wait_seconds=30)
    fill(stage, "reads")
    found: list[int] = []
    waiting = [threading.Thread(target=lambda: found.append(stage.client.get("/v1/jobs").status_code)) for _ in range(60)]
    for thread in waiting:
        thread.start()
    assert stage.client.get("/readyz").status_code in (200, 503)
    assert stage.client.get("/v1/landscapes/bowl?resolution=2").status_code == 200
    assert stage.client.portal is not None
    stage.client.portal.call(stage.client.app.state.capacity.turns["reads"].release)  # type: ignore[attr-defined]
    for thread in waiting:
        thread.join(30)
    assert found == [200] * 60
