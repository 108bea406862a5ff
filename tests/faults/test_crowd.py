"""Fault 8: two APIs, two workers, jobs of every kind, and callers who cancel, pause and resume."""

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.end_to_end.conftest import LIMIT_SECONDS, Server, wait_for
from tests.faults.deployment import Deployment, count

JOBS = count(40, 300)
KINDS: list[dict[str, Any]] = [
    {"model": {"kind": "logistic_regression"}},
    {"model": {"kind": "logistic_regression", "solver": "gradient_descent"}},
    {"target": "petal_width", "model": {"kind": "linear_regression"}},
    {"target": "petal_width", "model": {"kind": "linear_regression", "solver": "gradient_descent"}, "epochs": 30},
    {"model": {"kind": "mlp"}, "epochs": 20, "record": {"curves": "batch", "histograms_every": 5}},
    {"model": {"kind": "mlp", "hidden": [{"units": 16}]}, "epochs": 200, "record": {"checkpoint_every": 20}},
    *2 * [{"model": {"kind": "mlp", "hidden": [{"units": 64}, {"units": 64}]}, "epochs": 3000}],
    {"model": {"kind": "mlp"}, "optimizer": {"kind": "gradient_descent", "learning_rate": 1e20}},
]
"""The last but one is long enough to be cancelled; the last diverges in its first epoch."""

ACTIONS = ("cancel", "pause", "pause", "resume")


def resumed(api: Server, job_id: str) -> bool:
    """Whether the job neither is nor will be paused any more; it is resumed where it is."""
    job = api.job(job_id)
    if job["state"] == "paused":
        api.client.post(f"/v1/jobs/{job_id}/resume")
    return job["state"] not in ("paused", "pausing")


def test_every_job_of_a_crowd_ends_as_it_should(
    deployment: Deployment, chance: random.Random, tally: Callable[..., None]
) -> None:
    apis = [deployment.api() for _ in range(2)]
    for _ in range(2):
        deployment.worker()
    iris = apis[0].iris()
    posted: dict[str, dict[str, Any]] = {}
    done: dict[str, set[str]] = {action: set() for action in ACTIONS}
    for turn in range(2 * JOBS):  # as many posts as changes of mind, the posts early on
        if len(posted) < JOBS and (turn < JOBS // 2 or chance.random() < 0.7):
            kind = chance.choice(KINDS)
            posted[chance.choice(apis).post(iris, **kind)] = kind
            continue
        api, action = chance.choice(apis), chance.choice(ACTIONS)
        running = [job["id"] for job in api.client.get("/v1/jobs?state=running").json()["items"]]
        job_id = chance.choice([*running, chance.choice(list(posted))])
        answer = api.client.post(f"/v1/jobs/{job_id}/{action}")
        assert answer.status_code in (202, 409), answer.text
        if answer.status_code == 202:
            done[action].add(job_id)
        time.sleep(chance.uniform(0, 0.2))
    wait_for(lambda: all(resumed(chance.choice(apis), each) for each in posted), "a crowd with nobody paused", 300)
    ends = {each: chance.choice(apis).done(each, 4 * LIMIT_SECONDS) for each in posted}
    counts = Counter(job["state"] for job in ends.values())
    pauses = sum(entry["state"] == "paused" for job in ends.values() for entry in job["transitions"])
    tally(jobs=len(posted), **counts, pauses=pauses, jobs_lost=len(posted) - counts.total())
    for job_id, job in ends.items():
        fails = posted[job_id] is KINDS[-1]
        allowed = {"failed"} if fails else {"succeeded"}
        if job_id in done["cancel"]:
            allowed = {"cancelled", *({"failed"} if fails else ())}
        assert job["state"] in allowed, job
        assert job["state"] != "failed" or job["error"]["code"] == "DIVERGED", job
        assert job["attempt"] <= 1 + sum(entry["state"] == "paused" for entry in job["transitions"])
