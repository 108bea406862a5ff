"""Backups that are made while jobs train, files come and datasets go: each is whole, and goes on to the same bits."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from cli.demo import IRIS
from store import jobs
from store.database import Database
from store.files import Files
from store.settings import Settings
from store.tables import Job
from tests.end_to_end.conftest import Server, command, wait_for
from tests.faults.deployment import HASTY, INLINE_BYTES, Deployment, count
from tests.faults.invariants import bits, check
from tests.faults.test_kills import NETWORK
from worker.recording import Workplace
from worker.training import run

BACKUPS = count(2, 12)


@contextmanager
def coming_and_going(api: Server) -> Iterator[list[int]]:
    """Files uploaded and datasets deleted all the while, each with a content of its own."""
    ended, turns = threading.Event(), [0]

    def work() -> None:
        kept: list[str] = []
        while not ended.is_set():
            turns[0] += 1
            content = IRIS.read_bytes() + f"\n5.1,3.5,1.4,0.2,kind {turns[0]}".encode()
            kept.append(api.client.post("/v1/datasets", files={"file": ("iris.csv", content)}).json()["id"])
            if len(kept) > 3:
                api.client.delete(f"/v1/datasets/{kept.pop(0)}")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield turns
    finally:
        ended.set()
        thread.join()


def called(deployment: Deployment, *arguments: Any) -> str:
    done = subprocess.run(
        command(*map(str, arguments)), env=deployment.environment(), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_backup_under_load_goes_on_to_the_same_bits(embedded: Deployment, tally: Callable[..., None]) -> None:
    embedded.setting |= HASTY | {"orphan_seconds": 0.3}  # so that files go soon after what named them
    api, _ = embedded.api(), embedded.worker()
    digits = embedded.digits(api)
    undisturbed = api.post(digits, **NETWORK)
    assert api.done(undisturbed)["state"] == "succeeded"
    expected, running = bits(embedded.database, embedded.files, undisturbed), 0
    with coming_and_going(api) as turns:
        for number in range(BACKUPS):
            job_id = api.post(digits, **NETWORK)
            wait_for(lambda job_id=job_id: embedded.last_checkpoint(job_id) > 0, "a checkpoint")  # type: ignore[misc]
            backup, restored = (embedded.folder / f"{name}-{number}" for name in ("backup", "restored"))
            called(embedded, "backup", backup)
            assert "is whole" in called(embedded, "backup", "--check", backup)
            url = f"sqlite:///{restored / 'vidro.db'}"
            embedded.setting["database_url"] = url
            called(embedded, "restore", backup, "--data", restored)
            del embedded.setting["database_url"]
            running += go_on(restored, expected)
            api.done(job_id)
    tally(backups=BACKUPS, of_running_jobs=running, uploads=turns[0], bit_differences=0)
    assert running


def go_on(folder: Path, expected: Any) -> int:
    """Run what the restored folder holds to its end, and hold all of it to the invariants. Returns how many jobs had been
    running.
    """
    setting = Settings(data=folder, inline_bytes=INLINE_BYTES)
    database, files = Database(setting.database), Files(setting.files, INLINE_BYTES)
    with database.transaction() as session:
        left = session.scalars(select(Job).where(Job.state.not_in(("succeeded", "failed", "cancelled")))).all()
        session.execute(update(Job).where(Job.lease_until.is_not(None)).values(lease_until=1.0))
    with database.transaction() as session:
        jobs.sweep(session)
    for job in left:
        run(Workplace(setting, database, files, "another worker"), job.id)
        assert bits(database, files, job.id) == expected
    check(database, files)
    database.close()
    return sum(job.state == "running" for job in left)
