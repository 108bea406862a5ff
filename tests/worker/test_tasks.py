"""The process above the pool: it forks others while its sweeper uses the database."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from store.database import Database
from store.files import Files
from store.settings import Settings
from store.tables import Worker
from worker import tasks
from worker.context import WorkerContext

WAIT_SECONDS = 0.5
Hooks = dict[str, Callable[[], None]]


@pytest.fixture
def hooks(monkeypatch: pytest.MonkeyPatch) -> Hooks:
    """What the building of a worker has called around each fork; kept from this process, where nothing would take it back."""
    found: Hooks = {}
    monkeypatch.setattr(os, "register_at_fork", lambda **given: found.update(given))
    monkeypatch.setattr(tasks, "_worker_pid", 0)
    tasks.build()
    return found


def test_no_process_is_forked_amid_a_transaction(
    hooks: Hooks, sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or it could never write to the database, as the locks of its parent are taken to be its own."""
    url = sqlite_database.url.render_as_string(hide_password=False)
    above = WorkerContext(Settings(data=tmp_path), Database(url, WAIT_SECONDS), Files(tmp_path / "files", 1000), "above")
    monkeypatch.setattr(tasks, "_context", above)
    begun = threading.Event()

    def sweep() -> None:
        with tasks._using_database, above.database.transaction() as session:
            session.add(Worker(name="above", queues=[], seen_at=0.0))
            session.flush()
            begun.set()
            time.sleep(WAIT_SECONDS)  # in which the fork is wanted

    thread = threading.Thread(target=sweep)
    thread.start()
    assert begun.wait(60)
    hooks["before"]()
    child = os.fork()
    if child == 0:
        write_and_exit(url, hooks)
    hooks["after_in_parent"]()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert not tasks._using_database.locked()


def write_and_exit(url: str, hooks: Hooks) -> None:
    """As the forked process, which ends with 0 if it can write."""
    try:
        hooks["after_in_child"]()
        time.sleep(2 * WAIT_SECONDS)  # by then the parent's transaction has ended, whatever the fork waited for
        with tasks._using_database, Database(url, WAIT_SECONDS).transaction() as session:
            session.add(Worker(name="below", queues=[], seen_at=0.0))
        os._exit(0)
    finally:
        os._exit(1)
