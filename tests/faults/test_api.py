"""Fault 5: an API that dies at the worst places."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx2 as httpx
import pytest

from cli.demo import IRIS
from store.files import UPLOADING
from tests.end_to_end.conftest import Server, wait_for
from tests.faults.deployment import Deployment, kill
from tests.faults.invariants import everything

BIG = IRIS.read_bytes() + b"5.1,3.5,1.4,0.2,setosa\n" * 40_000
"""More than lives in a row, and than comes in one piece."""


@contextmanager
def dying(server: Server) -> Iterator[None]:
    """The request in the block gets no answer, and the process ends by kill −9."""
    with pytest.raises(httpx.TransportError):
        yield
    assert server.process.wait(30) == -9


def test_a_job_whose_message_was_never_sent_runs(machines: Deployment) -> None:
    """Between commit and send. The caller asks again with the same key and is given the job that is there."""
    whole, broken = machines.api(), machines.api("die_before_sending")
    body = {"dataset_id": whole.iris(), "target": "species", "model": {"kind": "logistic_regression"}}
    machines.worker()
    with dying(broken):
        broken.client.post("/v1/jobs", json=body, headers={"Idempotency-Key": "once"})
    again = whole.client.post("/v1/jobs", json=body, headers={"Idempotency-Key": "once"})
    assert again.status_code == 202
    job = whole.done(again.json()["id"])
    assert (job["state"], job["attempt"]) == ("succeeded", 1)
    assert len(whole.client.get("/v1/jobs").json()["items"]) == 1


@pytest.mark.parametrize("fault", ["die_between_chunks", "die_before_commit"])
def test_an_upload_that_never_ended_leaves_nothing(embedded: Deployment, fault: str) -> None:
    broken, before = embedded.api(fault), everything(embedded.database)
    with dying(broken):
        broken.client.post("/v1/datasets", files={"file": ("big.csv", BIG)})
    assert any(embedded.files.folder.iterdir())
    assert_swept(embedded, before)


def test_an_upload_cut_off_on_its_way_leaves_nothing(embedded: Deployment) -> None:
    api, before = embedded.api(), everything(embedded.database)
    url = api.client.base_url
    head = (
        f"POST /v1/datasets HTTP/1.1\r\nHost: {url.host}\r\nContent-Length: {2 * len(BIG)}\r\n"
        "Content-Type: multipart/form-data; boundary=B\r\n\r\n"
        '--B\r\nContent-Disposition: form-data; name="file"; filename="big.csv"\r\n\r\n'
    )
    with socket.create_connection((url.host, url.port)) as connection:
        connection.sendall(head.encode() + BIG)
        kill(api.process)
    assert_swept(embedded, before)


def assert_swept(deployment: Deployment, before: Callable[..., None] | dict[str, list[tuple[object, ...]]]) -> None:
    """The sweeper's next round leaves neither file nor row, and the service goes on."""
    sweeper = deployment.worker(orphan_seconds=0.5)
    folder = deployment.files.folder
    wait_for(lambda: not [p for p in folder.rglob("*") if p.is_file() or p.name.startswith(UPLOADING)], "an empty folder")
    assert everything(deployment.database) == before
    kill(sweeper)  # so short an age would take the next upload, too, while it is read
    deployment.worker()
    api = deployment.api()
    assert api.done(api.post(api.iris()))["state"] == "succeeded"
