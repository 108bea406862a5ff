"""Streams that are open at the same time, over sockets, on both databases: what each gets, and what they cost others."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
import uvicorn
from fastapi import FastAPI

from bench.streams import Crowd, held, write_epochs
from service import events, hub, stream
from service.app import create_app
from service.hub import Hub
from service.protocol import bounded
from service.server import StreamingServer
from store import jobs, journal, keys, leases, sessions
from store.database import Database
from store.leases import Lease
from store.settings import Settings
from store.states import DONE
from tests.end_to_end.conftest import free_port
from tests.store.staging import make_job

LIMIT_SECONDS = 30
REQUEST: dict[str, Any] = {
    "dataset_id": "ds_1",
    "model": {"kind": "mlp"},
    "task": "regression",
    "preprocessing": {"scaling": "none"},
    "epochs": 100_000,
}


@dataclass
class Served:
    """An API behind a socket, in a thread."""

    app: FastAPI
    server: StreamingServer
    database: Database
    port: int

    @property
    def hub(self) -> Hub:
        found: Hub = self.app.state.hub
        return found

    def client(self, **fields: Any) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=LIMIT_SECONDS, **fields)

    def crowd(self, job_id: str, headers: str = "", query: str = "") -> Crowd:
        return Crowd("127.0.0.1", self.port, f"/v1/jobs/{job_id}/events{query}", headers)

    def running(self, owner: str = "local") -> tuple[str, Lease]:
        """A job that a worker holds."""
        with self.database.transaction() as session:
            job_id = jobs.create(session, owner, REQUEST).id
        return job_id, held(self.database, job_id)

    def begin_all_readers(self) -> None:
        """Have every thread that streams share, which else begin one by one as they are needed at the same time."""
        together = threading.Barrier(hub.READERS)

        async def begin() -> None:
            await asyncio.gather(*(self.hub.run(together.wait, LIMIT_SECONDS) for _ in range(hub.READERS)))

        asyncio.run_coroutine_threadsafe(begin(), self.hub._loop).result(LIMIT_SECONDS)

    def finish(self, lease: Lease) -> None:
        with self.database.transaction() as session:
            leases.finish(session, lease, "failed", "for the test")


async def until(condition: Callable[[], Any]) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        await asyncio.sleep(0.01)


@pytest.fixture
def make_served(database: Database, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    ends: list[Callable[[], None]] = []

    def make(**values: Any) -> Served:
        url = database.url.render_as_string(hide_password=False)
        setting = Settings(data=tmp_path, database_url=url, port=free_port(), log_level="ERROR", **values)
        app = create_app(setting)
        options = {"http": bounded(setting), "log_config": None, "timeout_graceful_shutdown": 5}
        server = StreamingServer(uvicorn.Config(app, port=setting.port, **options))
        thread = threading.Thread(target=server.run)
        thread.start()

        def end() -> None:
            server.should_exit = True
            thread.join(LIMIT_SECONDS)
            assert not thread.is_alive()

        ends.append(end)
        deadline = time.monotonic() + LIMIT_SECONDS
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return Served(app, server, database, setting.port)

    yield make
    for end in ends:
        end()


@pytest.fixture
def served(make_served: Callable[..., Served]) -> Served:
    return make_served()


def test_each_gets_every_event_once_and_the_database_is_read_once(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Early and late ones, those from now on and those from the start; then all of them end with the job."""
    read: list[Any] = []

    def counting(database: Database, job_id: str, after: Any) -> Any:
        read.append(after)
        return events.block(database, job_id, after)

    monkeypatch.setattr(hub, "block", counting)
    job_id, lease = served.running()

    async def scene() -> None:
        start, now = served.crowd(job_id), served.crowd(job_id, query="?from=now")
        await start.open(20)
        await now.open(20)
        await until(lambda: all(reader.last_id == 2 * 2**32 for reader in start.readers))
        await asyncio.to_thread(served.begin_all_readers)
        threads = threading.active_count()
        await asyncio.to_thread(write_epochs, served.database, lease, 5, 0.2)
        await start.open(10)
        readers = [*start.readers, *now.readers]
        await until(lambda: all(reader.last_id == 2 * 2**32 + 5 for reader in readers))
        assert threading.active_count() <= threads + 1  # the writer's
        assert served.database.engine.pool.checkedout() == 0
        served.finish(lease)
        await asyncio.gather(*(reader.ended_in_order.wait() for reader in readers))
        for reader in readers:
            assert [event_id % 2**32 for event_id, kind in reader.events if kind == b"metric"] == [1, 2, 3, 4, 5]
        for reader in start.readers:
            assert [kind for _, kind in reader.events if kind == b"state"] == [b"state"] * 3
        assert len(read) <= 3 * 7  # each of the seven places from which there was something new, and late ones' beginnings
        await start.open(1)
        assert start.readers[-1].status == 200
        await start.close()
        await now.close()
        await until(lambda: not served.hub.streams)

    asyncio.run(scene())


def test_fast_epochs_come_several_in_a_write(served: Served) -> None:
    job_id, lease = served.running()

    async def scene() -> None:
        crowd = served.crowd(job_id)
        await crowd.open(5)
        began = time.monotonic()
        await asyncio.to_thread(write_epochs, served.database, lease, 200, 0)
        await until(lambda: all(reader.last_id % 2**32 == 200 for reader in crowd.readers))
        most = (time.monotonic() - began) / hub.WAVE_SECONDS + 5
        for reader in crowd.readers:
            assert reader.writes <= most
            assert [event_id % 2**32 for event_id, kind in reader.events if kind == b"metric"] == list(range(1, 201))
        await crowd.close()

    asyncio.run(scene())


def test_a_key_that_is_refused_by_now_has_no_stream_left(served: Served) -> None:
    """Revoked, expired, of a browser that has signed out, and none at all once there is one."""
    job_id, _ = served.running("ana")

    async def scene() -> None:
        without = served.crowd(job_id)
        await without.open(2)
        with served.database.transaction() as session:
            now = served.database.clock(session)
            kept, kept_secret = keys.create(session, "ana", ["read"])
            revoked, revoked_secret = keys.create(session, "ana", ["read"])
            _, expiring_secret = keys.create(session, "ana", ["read"], expires_at=now + 2)
            _, token = sessions.begin(session, kept_secret, 1)  # type: ignore[misc]
        known_by = [f"Authorization: Bearer {secret}" for secret in (kept_secret, revoked_secret, expiring_secret)]
        crowds = [served.crowd(job_id, f"{field}\r\n") for field in (*known_by, f"Cookie: vidro-session-{served.port}={token}")]
        for crowd in crowds:
            await crowd.open(2)
        with served.database.transaction() as session:
            keys.revoke(session, revoked.id)
            sessions.end(session, token)
        for crowd in (without, *crowds[1:]):
            await asyncio.gather(*(reader.ended_in_order.wait() for reader in crowd.readers))
        assert {found.proof for found in served.hub.streams} == {kept.id}
        await crowds[1].open(1)
        assert crowds[1].readers[-1].status == 401
        for crowd in (without, *crowds):
            await crowd.close()

    asyncio.run(scene())


def test_there_is_a_limit_for_all_and_one_for_a_key(make_served: Callable[..., Served]) -> None:
    served = make_served(max_streams=3, max_streams_per_key=2)
    job_id, lease = served.running("ana")
    with served.database.transaction() as session:
        secrets = [keys.create(session, "ana", ["read"])[1] for _ in range(2)]

    async def scene() -> None:
        first, second = (served.crowd(job_id, f"Authorization: Bearer {secret}\r\n") for secret in secrets)
        await first.open(2)
        with served.client(headers={"Authorization": f"Bearer {secrets[0]}"}) as client:
            answer = await asyncio.to_thread(client.get, f"/v1/jobs/{job_id}/events")
            assert (answer.status_code, answer.json()["code"]) == (429, "TOO_MANY_STREAMS")
            assert int(answer.headers["retry-after"]) > 0
            page = await asyncio.to_thread(client.get, f"/v1/jobs/{job_id}/events", headers={"accept": "application/json"})
            assert page.status_code == 200
        await second.open(1)
        with served.client(headers={"Authorization": f"Bearer {secrets[1]}"}) as client:
            answer = await asyncio.to_thread(client.get, f"/v1/jobs/{job_id}/events")
            assert (answer.status_code, answer.json()["code"]) == (503, "TOO_MANY_STREAMS")
            await first.close()  # a client that hung up is noticed
            await until(lambda: len(served.hub.streams) == 1)
            served.finish(lease)
            await until(lambda: not served.hub.streams)
            answer = await asyncio.to_thread(client.get, f"/v1/jobs/{job_id}/events")
            assert answer.status_code == 200
        await second.close()

    asyncio.run(scene())


def test_who_takes_nothing_is_ended_and_holds_up_nobody(
    make_served: Callable[..., Served], database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "BLOCKED_SECONDS", 1.0)
    monkeypatch.setattr(events, "BATCH", 1)
    served = make_served()
    job_id, lease = served.running()
    with database.transaction() as session:  # more than the sockets in between take
        leases.update_row(session, lease, warnings=[])
        for _ in range(20):
            journal.log(session, lease.job_number, "x" * 500_000)

    async def scene() -> None:
        crowd = served.crowd(job_id)
        await crowd.open(1, buffer=4096)
        blocked = crowd.readers[0]
        assert blocked.transport is not None
        blocked.transport.pause_reading()
        await crowd.open(1)
        other = crowd.readers[1]
        await until(lambda: other.last_id // 2**32 == 22)
        await until(lambda: len(served.hub.streams) == 1)
        served.finish(lease)
        await other.ended_in_order.wait()
        await crowd.close()

    asyncio.run(scene())


def test_silence_is_broken_by_comments(make_served: Callable[..., Served], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "SILENT_SECONDS", 1.0)
    served = make_served()
    job_id, _ = served.running()

    async def scene() -> None:
        crowd = served.crowd(job_id, query="?from=now")
        await crowd.open(3)
        await until(lambda: all(reader.comments >= 2 for reader in crowd.readers))
        await crowd.close()

    asyncio.run(scene())


def test_streams_end_in_order_when_the_server_stops(served: Served) -> None:
    job_id, _ = served.running()

    async def scene() -> None:
        crowd = served.crowd(job_id)
        await crowd.open(5)
        served.server.should_exit = True
        await asyncio.gather(*(reader.ended_in_order.wait() for reader in crowd.readers))
        await crowd.close()

    asyncio.run(scene())


def test_a_deleted_job_ends_its_streams_and_is_then_unknown(served: Served) -> None:
    job_id, lease = served.running()

    async def scene() -> None:
        crowd = served.crowd(job_id)
        await crowd.open(2)
        with served.client() as client:
            served.finish(lease)
            assert (await asyncio.to_thread(client.delete, f"/v1/jobs/{job_id}")).status_code == 204
            await asyncio.gather(*(reader.ended_in_order.wait() for reader in crowd.readers))
            await until(lambda: not served.hub._channels)
            answer = await asyncio.to_thread(client.get, f"/v1/jobs/{job_id}/events")
            assert answer.status_code == 404
            other = make_job(served.database, "somebody else")  # on SQLite it has the same number
            assert other.state not in DONE
        await crowd.close()

    asyncio.run(scene())


def test_anothers_job_is_unknown_also_while_it_is_watched(served: Served) -> None:
    job_id, _ = served.running("ana")
    with served.database.transaction() as session:
        _, ana = keys.create(session, "ana", ["read"])
        _, ben = keys.create(session, "ben", ["read"])

    async def scene() -> None:
        crowd = served.crowd(job_id, f"Authorization: Bearer {ana}\r\n")
        await crowd.open(1)
        with served.client(headers={"Authorization": f"Bearer {ben}"}) as client:
            answer = await asyncio.to_thread(client.get, f"/v1/jobs/{job_id}/events")
            assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
        assert len(served.hub.streams) == 1
        await crowd.close()

    asyncio.run(scene())
