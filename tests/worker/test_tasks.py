"""The process above the pool: it forks others while its sweeper uses the database."""

import os
import threading
from pathlib import Path

import pytest

from store.database import Database
from store.files import Files
from store.settings import Settings
from store.tables import Worker
from worker import tasks
from worker.context import WorkerContext

WAIT_SECONDS = 0.5


@pytest.fixture
def above(sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkerContext:
    """The context of such a process, in whose place this one is."""
    monkeypatch.setattr(os, "register_at_fork", lambda **_: None)  # which nothing would take back
    url = sqlite_database.url.render_as_string(hide_password=False)
    context = WorkerContext(Settings(data=tmp_path), Database(url, WAIT_SECONDS), Files(tmp_path / "files", 1000), "above")
    monkeypatch.setattr(tasks, "_context", context)
    return context


def writes_in_a_fork(context: WorkerContext) -> bool:
    """Whether a process that is forked now can write to the database."""
    child = os.fork()
    if child == 0:
        try:
            own = Database(context.database.url.render_as_string(hide_password=False), WAIT_SECONDS)
            with own.transaction() as session:
                session.add(Worker(name="below", queues=[], seen_at=0.0))
            os._exit(0)
        except BaseException:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")
def test_no_process_is_forked_amid_a_transaction(above: WorkerContext) -> None:
    begun, forks = threading.Event(), threading.Event()

    def sweep() -> None:
        with tasks._using_database, above.database.transaction() as session:
            session.add(Worker(name="above", queues=[], seen_at=0.0))
            session.flush()
            begun.set()
            forks.wait(WAIT_SECONDS)

    thread = threading.Thread(target=sweep)
    thread.start()
    assert begun.wait(60)
    tasks._leave_database()  # as before each fork: here it waits for the transaction to end
    try:
        assert writes_in_a_fork(above)
    finally:
        tasks._using_database.release()
        thread.join()
