"""Fault 4: PostgreSQL dies in the middle of training and comes back."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from store.database import Database
from store.migrate import migrate
from tests.end_to_end.conftest import wait_for
from tests.faults.deployment import HASTY, Deployment, count
from tests.faults.forks import Forks
from tests.faults.invariants import bits
from tests.faults.servers import PostgresServer, ValkeyServer
from tests.faults.test_kills import NETWORK


@pytest.fixture
def postgres() -> Iterator[PostgresServer]:
    with PostgresServer().running() as server:
        yield server


@pytest.fixture
def mortal(forks: Forks, postgres: PostgresServer, valkey: ValkeyServer, tmp_path: Path) -> Iterator[Deployment]:
    """A deployment whose database may die."""
    database = Database(postgres.url)
    migrate(database)
    with Deployment(tmp_path, forks, database, valkey.url).harmed() as found:
        yield found
    database.close()


def test_training_outlives_its_database(mortal: Deployment, postgres: PostgresServer, tally: Callable[..., None]) -> None:
    mortal.setting |= HASTY
    api = mortal.api()
    mortal.worker()
    digits = mortal.digits(api)
    undisturbed = api.post(digits, **NETWORK)
    assert api.done(undisturbed)["state"] == "succeeded"
    job_id = api.post(digits, **NETWORK)
    deaths = count(1, 10)
    for death in range(deaths):
        epoch = wait_for(lambda: mortal.last_checkpoint(job_id), "a checkpoint")
        wait_for(lambda epoch=epoch: mortal.row(job_id).epoch > epoch, "progress")  # type: ignore[misc]
        postgres.kill()
        body = {"dataset_id": digits, "target": "digit", "model": {"kind": "mlp"}}
        for answer in (api.client.get(f"/v1/jobs/{job_id}"), api.client.post("/v1/jobs", json=body)):
            assert answer.status_code == 503
            assert answer.json()["code"] == "DATABASE_UNAVAILABLE"
            assert int(answer.headers["Retry-After"]) > 0
        assert api.client.get("/readyz").json()["database"]["status"] == "failing"
        assert api.client.get("/healthz").status_code == 200
        postgres.start()
        mortal.database.close()  # the connections of this process died, too
        wait_for(lambda: api.client.get(f"/v1/jobs/{job_id}").status_code == 200, f"recovery {death}")
    job = api.done(job_id)
    runs = [bits(mortal.database, mortal.files, each) for each in (undisturbed, job_id)]
    tally(deaths_survived=deaths, attempts=job["attempt"], bit_differences=int(runs[0] != runs[1]))
    assert job["state"] == "succeeded", job["error"]
    assert runs[0] == runs[1]
