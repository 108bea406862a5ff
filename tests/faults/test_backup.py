"""Backups that are made while a job trains and files come and go: each is whole, and the job goes on from it to the same
bits.
"""

import subprocess
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
from sqlalchemy import select, update

from store.database import Database
from store.files import Files
from store.states import DONE
from store.tables import Job
from tests.end_to_end.conftest import LIMIT_SECONDS, command, wait_for
from tests.faults.deployment import INLINE_BYTES, Deployment, count, kill
from tests.faults.invariants import bits, check
from tests.faults.test_kills import NETWORK

BACKUPS = count(1, 12)
LONG_ENOUGH = NETWORK | {"epochs": count(120, 300)}
"""A job that still trains when its backup is made."""


def called(deployment: Deployment, *arguments: Any) -> str:
    done = subprocess.run(
        command(*map(str, arguments)), env=deployment.environment(), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def coming_and_going(url: httpx.URL) -> Iterator[Counter[int]]:
    """Somebody who uploads one file after another and deletes it again; the answers, by status."""
    answers: Counter[int] = Counter()
    stop = threading.Event()

    def come_and_go() -> None:
        number = 0
        with httpx.Client(base_url=url, timeout=LIMIT_SECONDS) as client:
            while not stop.is_set():
                number += 1
                table = "a,b\n" + "".join(f"{row},{row * number}\n" for row in range(500))
                made = client.post("/v1/datasets", files={"file": ("table.csv", table)})
                answers[made.status_code] += 1
                if made.is_success:
                    answers[client.delete(made.headers["location"]).status_code] += 1

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        yield answers
    finally:
        stop.set()
        thread.join()


def test_a_backup_under_load_goes_on_to_the_same_bits(embedded: Deployment, tally: Callable[..., None]) -> None:
    embedded.setting |= {"checkpoint_seconds": 0.2, "orphan_seconds": 10}  # files go soon, and no upload takes as long
    api, _ = embedded.api(), embedded.worker()
    digits = embedded.digits(api)
    undisturbed = api.post(digits, **LONG_ENOUGH)
    assert api.done(undisturbed, 4 * LIMIT_SECONDS)["state"] == "succeeded"
    expected, running, gone = bits(embedded.database, embedded.files, undisturbed), 0, 0
    for number in range(BACKUPS):
        backup, restored = (embedded.folder / f"{name}-{number}" for name in ("backup", "restored"))
        with coming_and_going(api.client.base_url) as answers:
            wait_for(lambda answers=answers: answers[204] > 3, "files that came and went")  # type: ignore[misc]
            job_id = api.post(digits, **LONG_ENOUGH)
            wait_for(lambda job_id=job_id: embedded.last_checkpoint(job_id) > 0, "a checkpoint", 200)  # type: ignore[misc]
            called(embedded, "backup", backup)
        assert set(answers) == {201, 204}
        gone += answers[204]
        assert "is whole" in called(embedded, "backup", "--check", backup)
        url = f"sqlite:///{restored / 'vidro.db'}"
        embedded.setting["database_url"] = url
        called(embedded, "restore", backup, "--data", restored)
        del embedded.setting["database_url"]
        running += go_on(embedded, restored, url, expected)
        api.done(job_id, 4 * LIMIT_SECONDS)
    tally(backups=BACKUPS, files_that_came_and_went=gone, of_running_jobs=running, bit_differences=0)
    assert running


def go_on(deployment: Deployment, folder: Path, url: str, expected: Any) -> int:
    """Have a worker run what the restored folder holds to its end, and hold all of it to the invariants. Returns how many
    jobs had been running.
    """
    database, files = Database(url), Files(folder / "files", INLINE_BYTES)
    with database.transaction() as session:
        left = session.scalars(select(Job).where(Job.state.not_in(DONE))).all()
        session.execute(update(Job).where(Job.lease_until.is_not(None)).values(lease_until=1.0))
    worker = deployment.worker(data=folder, database_url=url)
    wait_for(lambda: not _undone(database), "end of what was restored", 4 * LIMIT_SECONDS)
    kill(worker)
    for job in left:
        assert bits(database, files, job.id) == expected
    check(database, files)
    database.close()
    return sum(job.state == "running" for job in left)


def _undone(database: Database) -> bool:
    with database.reading() as session:
        return bool(session.scalars(select(Job.id).where(Job.state.not_in(DONE))).all())
