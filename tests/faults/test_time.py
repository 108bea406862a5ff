"""Faults 6 and 9: a worker whose time stands still, and one whose clock steps."""

import sqlite3
from collections.abc import Callable
from contextlib import closing

from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from store.tables import Job
from tests.end_to_end.conftest import wait_for
from tests.faults.deployment import HASTY, SHORT_LEASE_SECONDS, SWEEP_SECONDS, Deployment, count, freeze, kill, thaw, tree
from tests.faults.forks import Fork
from tests.faults.invariants import bits, everything
from tests.faults.test_kills import NETWORK


def holder(deployment: Deployment, workers: list[Fork], job_id: str) -> Fork:
    """The worker that trains the job, once one does."""
    name = wait_for(lambda: deployment.row(job_id).worker, "a worker for the job")
    return next(worker for worker in workers if int(name.rpartition(":")[2]) in tree(worker))


def freeze_outside_of_a_transaction(deployment: Deployment, worker: Fork, job_id: str) -> None:
    """Who is frozen while it writes keeps its locks until the database ends that in its own time: not what is tested here."""
    freeze(worker)
    while is_locked(deployment, job_id):
        thaw(worker)
        freeze(worker)


def is_locked(deployment: Deployment, job_id: str) -> bool:
    try:
        if deployment.database.is_sqlite:
            path = str(deployment.database.url.database)
            with closing(sqlite3.connect(path, timeout=0, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
        else:
            with deployment.database.transaction() as session:
                session.execute(select(Job.number).where(Job.id == job_id).with_for_update(nowait=True))
    except (sqlite3.OperationalError, OperationalError):
        return True
    return False


def test_a_worker_woken_after_its_lease_writes_nothing(deployment: Deployment, tally: Callable[..., None]) -> None:
    deployment.setting |= HASTY
    api = deployment.api()
    workers = [deployment.worker() for _ in range(2)]
    digits = deployment.digits(api)
    undisturbed = api.post(digits, **NETWORK)
    assert api.done(undisturbed)["state"] == "succeeded"
    for _ in range(count(1, 10)):
        job_id = api.post(digits, **NETWORK)
        frozen = holder(deployment, workers, job_id)
        wait_for(lambda job_id=job_id: deployment.last_checkpoint(job_id), "a checkpoint")  # type: ignore[misc]
        freeze_outside_of_a_transaction(deployment, frozen, job_id)
        job = api.done(job_id)
        before, told = everything(deployment.database), deployment.logs.count("nothing more is written")
        thaw(frozen)
        wait_for(lambda told=told: deployment.logs.count("nothing more is written") > told, "its notice")  # type: ignore[misc]
        assert everything(deployment.database) == before
        runs = [bits(deployment.database, deployment.files, each) for each in (undisturbed, job_id)]
        tally(attempts=job["attempt"], bit_differences=int(runs[0] != runs[1]))
        assert job["state"] == "succeeded", job["error"]
        assert job["attempt"] > 1
        assert runs[0] == runs[1]


def test_leases_do_not_care_for_the_workers_clocks(machines: Deployment) -> None:
    """Two workers whose clocks step by two hours every second, against each other, sweep each other's jobs."""
    machines.setting["lease_seconds"] = lease = 3 * SHORT_LEASE_SECONDS
    api = machines.api()
    workers = [machines.worker(f"step_the_clock {seconds}") for seconds in (3600, -3600)]
    digits = machines.digits(api)
    posted = machines.posted(api, digits, count(3, 20), **NETWORK)
    for each in posted:
        job = api.done(each)
        assert (job["state"], job["attempt"]) == ("succeeded", 1)
    job_id = api.post(digits, **NETWORK)
    struck = holder(machines, workers, job_id)
    wait_for(lambda: machines.last_checkpoint(job_id), "a checkpoint")
    kill(struck)
    wait_for(lambda: machines.row(job_id).attempt == 2, "a second attempt", lease + SWEEP_SECONDS + 2)
    assert api.done(job_id)["state"] == "succeeded"
