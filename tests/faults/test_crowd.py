"""Fault 8: two APIs, two workers, jobs of every kind, and callers who change their minds."""

import random
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.end_to_end.conftest import LIMIT_SECONDS
from tests.faults.deployment import Deployment, count

JOBS = count(40, 300)
KINDS: list[dict[str, Any]] = [
    {"model": {"kind": "logistic_regression"}},
    {"model": {"kind": "logistic_regression", "solver": "gradient_descent"}},
    {"target": "petal_width", "model": {"kind": "linear_regression"}},
    {"target": "petal_width", "model": {"kind": "linear_regression", "solver": "gradient_descent"}, "epochs": 30},
    {"model": {"kind": "mlp"}, "epochs": 20, "record": {"curves": "batch", "histograms_every": 5}},
    {"model": {"kind": "mlp", "hidden": [{"units": 16}]}, "epochs": 200, "record": {"checkpoint_every": 20}},
    {"model": {"kind": "mlp", "hidden": [{"units": 64}, {"units": 64}]}, "epochs": 3000},
    {"model": {"kind": "mlp"}, "class_weight": {"tulip": 1.0}},
]
"""The last but one is long enough to be cancelled; the last fails."""


def test_every_job_of_a_crowd_ends_as_it_should(
    deployment: Deployment, chance: random.Random, tally: Callable[..., None]
) -> None:
    apis = [deployment.api() for _ in range(2)]
    for _ in range(2):
        deployment.worker()
    iris = apis[0].iris()
    posted: dict[str, dict[str, Any]] = {}
    cancelled: set[str] = set()
    for _ in range(JOBS):
        kind = chance.choice(KINDS)
        posted[chance.choice(apis).post(iris, **kind)] = kind
        if chance.random() < 0.4:
            job_id = chance.choice(list(posted))
            answer = chance.choice(apis).client.post(f"/v1/jobs/{job_id}/cancel")
            assert answer.status_code in (202, 409), answer.text
            cancelled |= {job_id} if answer.status_code == 202 else set()
    ends = {each: chance.choice(apis).done(each, 4 * LIMIT_SECONDS) for each in posted}
    counts = Counter(job["state"] for job in ends.values())
    tally(jobs=JOBS, **counts, jobs_lost=JOBS - counts.total(), doubled=sum(job["attempt"] > 1 for job in ends.values()))
    for job_id, job in ends.items():
        fails = "class_weight" in posted[job_id]
        allowed = {"failed"} if fails else {"succeeded"}
        if job_id in cancelled:
            allowed = {"cancelled", *({"failed"} if fails else ())}
        assert job["state"] in allowed, job
        assert job["attempt"] <= 1
