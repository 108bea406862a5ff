"""Fault 7: no room for a checkpoint, a dataset, a row."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest

from cli.demo import IRIS
from store.database import Database
from tests.end_to_end.conftest import wait_for
from tests.faults.deployment import SHORT_LEASE_SECONDS, Deployment
from tests.faults.disks import DISKS, MEGABYTE, Quota, SmallDisk
from tests.faults.forks import Forks
from tests.faults.invariants import bits, everything
from tests.faults.test_kills import NETWORK

LARGE: dict[str, Any] = {
    "target": "digit",
    "model": {"kind": "mlp", "hidden": [{"units": 1024}, {"units": 700}]},
    "epochs": 1000,
    "batch_size": 512,
    "record": {"checkpoint_every": 1},
}
"""Checkpoints of 9 MB."""
ROOM = 6 * MEGABYTE
"""For the database, whose log stays under 5 MB, and not for such a checkpoint."""


@pytest.fixture(params=DISKS)
def limited(request: pytest.FixtureRequest, forks: Forks, sqlite_database: Database, tmp_path: Path) -> Iterator[Deployment]:
    """The embedded form, with everything in one folder."""
    folder = tmp_path / "deployment"
    folder.mkdir()
    with request.param.at(folder / "data"):
        path = shutil.copy(str(sqlite_database.url.database), folder / "data" / "vidro.db")
        database = Database(f"sqlite:///{path}")
        setting = {"lease_seconds": 2 * SHORT_LEASE_SECONDS}  # as long as a worker tries to write
        with Deployment(folder, forks, database, setting=setting).harmed() as found:
            yield found
        database.close()


@pytest.fixture
def disk(request: pytest.FixtureRequest, limited: Deployment) -> Quota | SmallDisk:
    made: Quota | SmallDisk = request.node.callspec.params["limited"](limited)
    return made


def refused(answer: httpx.Response) -> bool:
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    return bool(answer.json()["code"] == "DISK_FULL")


def test_no_room_for_a_checkpoint_fails_the_job_and_keeps_the_one_before(limited: Deployment, disk: Quota | SmallDisk) -> None:
    api = limited.api()
    limited.worker()
    digits = limited.digits(api)
    job_id = api.post(digits, **LARGE)
    wait_for(lambda: limited.last_checkpoint(job_id), "a checkpoint")
    disk.fill(ROOM)
    job = api.done(job_id)
    assert (job["state"], job["error"]["code"]) == ("failed", "DISK_FULL")
    assert api.client.get(f"/v1/jobs/{job_id}/weights?epoch=last").status_code == 200
    assert api.done(api.post(digits, target="digit"))["state"] == "succeeded"  # there is room for a small one
    disk.free()
    assert api.done(api.post(digits, **LARGE | {"epochs": 2}))["state"] == "succeeded"


def test_no_room_for_a_dataset_refuses_it_and_leaves_nothing(limited: Deployment, disk: Quota | SmallDisk) -> None:
    api = limited.api()
    file = {"file": ("big.csv", IRIS.read_bytes() + b"5.1,3.5,1.4,0.2,setosa\n" * 400_000)}
    before = everything(limited.database)
    disk.fill(ROOM)
    assert refused(api.client.post("/v1/datasets", files=file))
    assert everything(limited.database) == before
    assert [path for path in limited.files.folder.rglob("*") if path.is_file()] == []
    assert api.client.get("/healthz").status_code == 200
    disk.free()
    assert api.client.post("/v1/datasets", files=file).status_code == 201


def test_no_room_for_the_database_stops_nothing_for_good(limited: Deployment, disk: Quota | SmallDisk) -> None:
    api = limited.api()
    limited.worker()
    digits = limited.digits(api)
    undisturbed = api.post(digits, **NETWORK)
    assert api.done(undisturbed)["state"] == "succeeded"
    job_id = api.post(digits, **NETWORK)
    wait_for(lambda: limited.last_checkpoint(job_id), "a checkpoint")
    disk.fill(0)
    body = {"dataset_id": digits, "target": "digit", "model": {"kind": "mlp"}}
    wait_for(lambda: (answer := api.client.post("/v1/jobs", json=body)).status_code != 202 and refused(answer), "a refusal")
    assert api.client.get(f"/v1/jobs/{job_id}").status_code == 200
    disk.free()
    job = api.done(job_id)
    assert job["state"] == "succeeded", job["error"]
    runs = [bits(limited.database, limited.files, each) for each in (undisturbed, job_id)]
    assert runs[0] == runs[1]
    for each in api.client.get("/v1/jobs").json()["items"]:
        api.done(each["id"])
