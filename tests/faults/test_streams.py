"""Fault 10: a crowd of event streams whose API dies, and is there again."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from bench.streams import Crowd, Reader, held, write_epochs
from store import leases
from store.host import raise_open_files
from tests.end_to_end.conftest import LIMIT_SECONDS, Server
from tests.faults.deployment import Deployment, count, kill

STREAMS = count(300, 5_000)
EPOCHS = 5


def crowd_of(api: Server, job_id: str, after: int = 0) -> Crowd:
    url, headers = api.client.base_url, f"Last-Event-ID: {after}\r\n" if after else ""
    return Crowd(str(url.host), url.port or 80, f"/v1/jobs/{job_id}/events", headers)


async def come_to(readers: list[Reader], epoch: int) -> None:
    deadline = time.monotonic() + 4 * LIMIT_SECONDS
    while not all(reader.last_id % 2**32 == epoch for reader in readers):
        assert time.monotonic() < deadline, {reader.last_id for reader in readers}
        await asyncio.sleep(0.05)


def test_streams_go_on_where_they_were_once_the_api_is_back(deployment: Deployment, tally: Callable[..., None]) -> None:
    raise_open_files()
    api = deployment.api(log_level="WARNING")
    job_id = api.post(api.iris(), epochs=1000)
    database, lease = deployment.database, held(deployment.database, job_id)
    figures: dict[str, Any] = {}

    async def scene() -> None:
        before = crowd_of(api, job_id)
        await before.open(STREAMS)
        await asyncio.to_thread(write_epochs, database, lease, EPOCHS, 0.2)
        await come_to(before.readers, EPOCHS)
        kill(api.process)
        await before.close()
        (last,) = {reader.last_id for reader in before.readers}
        other = deployment.api(log_level="WARNING")
        after = crowd_of(other, job_id, last)
        began = time.monotonic()
        await after.open(STREAMS)
        figures["seconds_to_connect_again"] = round(time.monotonic() - began, 1)
        await asyncio.to_thread(write_epochs, database, lease, EPOCHS, 0.2, EPOCHS + 1)
        await come_to(after.readers, 2 * EPOCHS)
        began = time.monotonic()
        assert other.client.get("/healthz").status_code == 200
        other.process.terminate()
        await asyncio.gather(*(reader.ended_in_order.wait() for reader in after.readers))
        assert other.process.wait(LIMIT_SECONDS) is not None
        figures["seconds_to_stop"] = round(time.monotonic() - began, 1)
        for first, second in zip(before.readers, after.readers, strict=True):
            told = [event_id % 2**32 for event_id, kind in first.events + second.events if kind == b"metric"]
            assert told == list(range(1, 2 * EPOCHS + 1))
        await after.close()

    asyncio.run(scene())
    tally(streams=STREAMS, events_missed=0, **figures)
    with database.transaction() as session:
        leases.finish(session, lease, "failed", "for the test", error={"code": "TEST"})
