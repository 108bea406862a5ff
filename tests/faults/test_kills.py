"""Fault 1: kill −9 at random moments, and a job that kills its worker."""

import random
import signal
import time
from collections.abc import Callable
from typing import Any

from tests.end_to_end.conftest import wait_for
from tests.faults.deployment import HASTY, Deployment, count, kill, signal_to
from tests.faults.invariants import bits

KILLS = count(3, 20)
LEASE_SECONDS = 4.0
"""Longer than a busy machine keeps a worker from renewing it, for each kill costs one attempt and nothing else does."""
NETWORK = {
    "target": "digit",
    "model": {"kind": "mlp", "hidden": [{"units": 32, "activation": "tanh", "dropout": 0.1}, {"units": 16}]},
    "epochs": count(60, 300),
    "batch_size": 16,
    "record": {"checkpoint_every": 5, "histograms_every": 10},
}


def test_kills_at_random_moments_change_no_bit(
    deployment: Deployment, chance: random.Random, tally: Callable[..., None]
) -> None:
    deployment.setting |= HASTY | {"lease_seconds": LEASE_SECONDS}
    api, worker = deployment.api(), deployment.worker()
    digits = deployment.digits(api)
    undisturbed = api.post(digits, **NETWORK)
    assert api.done(undisturbed)["state"] == "succeeded"
    job_id = api.post(digits, **NETWORK)
    kills = 0
    while kills < KILLS and not api.job(job_id)["done"]:
        name = wait_for(lambda: deployment.row(job_id).worker, f"attempt {kills + 1}")
        time.sleep(chance.uniform(0, 0.5))
        if deployment.row(job_id).lost_attempts == 2:  # a third in a row without a checkpoint would be a poisonous job's end
            wait_for(lambda: deployment.row(job_id).lost_attempts == 0, "a checkpoint")
        if chance.random() < 0.5:  # or else the process that trains alone; the one above it starts another
            kill(worker)
            worker = deployment.worker()
        signal_to(int(name.rpartition(":")[2]), signal.SIGKILL)
        kills += 1
        wait_for(lambda name=name: deployment.row(job_id).worker != name, "its loss")  # type: ignore[misc]
    job = api.done(job_id)
    runs = [bits(deployment.database, deployment.files, each) for each in (undisturbed, job_id)]
    tally(kills_survived=kills, attempts=job["attempt"], bit_differences=int(runs[0] != runs[1]))
    assert job["state"] == "succeeded", job["error"]
    assert (kills, job["attempt"]) == (KILLS, KILLS + 1)
    assert runs[0] == runs[1]


def test_a_job_that_kills_its_worker_fails_after_three(embedded: Deployment) -> None:
    embedded.setting |= HASTY
    api = embedded.api()
    embedded.worker("die_at_poison")
    iris = api.iris()
    poison, good = api.post(iris, name="poison"), api.post(iris)
    failed: dict[str, Any] = api.done(poison)
    assert (failed["state"], failed["error"]["code"], failed["attempt"]) == ("failed", "WORKER_LOST", 3)
    assert api.done(good)["state"] == "succeeded"
