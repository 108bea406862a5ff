"""How long after kill −9 of the process that trains it a job goes on, by the default lease: PostgreSQL, Valkey, two workers."""

import os
import signal
import time

import httpx2 as httpx

from bench.processes import machines, start
from store import jobs
from store.database import Database
from store.settings import Settings

KILLS = 3
LEASE_SECONDS = Settings.model_fields["lease_seconds"].default
LONG = {"target": "digit", "model": {"kind": "mlp", "hidden": [{"units": 64}, {"units": 64}]}, "epochs": 1_000_000}


def main() -> None:
    with machines(2, checkpoint_seconds=1) as (client, url):
        database = Database(url)
        digits = client.post("/v1/datasets", json={"sample": {"kind": "digits"}}).json()["id"]
        job_id = start(client, {"dataset_id": digits, **LONG})
        seconds = []
        for kill in range(KILLS):
            progressed(client, job_id, attempt=kill + 1)
            began = time.perf_counter()
            os.kill(trainer(database, job_id), signal.SIGKILL)
            progressed(client, job_id, attempt=kill + 2)
            seconds.append(time.perf_counter() - began)
        client.post(f"/v1/jobs/{job_id}/cancel")
        database.close()
    print(
        f"kill −9 → training again: {', '.join(f'{each:.1f}' for each in seconds)} s"
        f" with a lease of {LEASE_SECONDS:g} s (target: ≤ {LEASE_SECONDS + 2:g} s)"
    )


def trainer(database: Database, job_id: str) -> int:
    """The pid of the process that holds the job."""
    with database.reading() as session:
        return int((jobs.get(session, job_id, None).worker or "").rpartition(":")[2])


def progressed(client: httpx.Client, job_id: str, attempt: int) -> None:
    """Wait until that attempt has trained an epoch more than the one before."""
    first: int | None = None
    while True:
        job = client.get(f"/v1/jobs/{job_id}").json()
        if job["done"]:
            raise RuntimeError(job["error"])
        if job["attempt"] == attempt and job["state"] == "running":
            epoch = job["progress"]["epoch"]
            first = epoch if first is None else first
            if epoch > first:
                return
        time.sleep(0.05)


if __name__ == "__main__":
    main()
