"""The Celery shell around worker.training: one task, one process signal, one sweeper; no decisions."""

import math
import multiprocessing
import os
import signal
import socket
import threading
import time

import structlog
from celery import Celery, signals
from sqlalchemy.exc import SQLAlchemyError

from engine.fast import threads
from store import checkpoints, idempotency, parent, queue, recovery, retention, sessions, space, workers
from store.database import Database
from store.files import Files
from store.settings import settings
from worker import limits
from worker.context import WorkerContext
from worker.training import work

SHORTEST_PAUSE = 0.05
MOST_STEPS = 5
"""Steps of removal in one round of the sweeper."""
log = structlog.get_logger()
# Made before the pool forks, so that its processes hear of the shutdown; without a lock, which a killed one could keep.
_stopping = multiprocessing.RawValue("b", 0)
_worker_pid = 0
_context: WorkerContext | None = None
_using_database = threading.Lock()
"""Held while the process above the pool uses the database, and while it forks: a process that is forked in the midst of a
transaction on SQLite takes the locks of its parent for its own, and waits for itself for good (sqlite.org/howtocorrupt.html,
section 2.6).
"""


def own_context() -> WorkerContext:
    """This process's connections; made anew after a fork."""
    global _context
    if _context is None:
        setting = settings()
        name = f"{socket.gethostname()}:{os.getpid()}"
        files = Files(setting.files, setting.inline_bytes)
        _context = WorkerContext(setting, Database(setting.database), files, name, _is_stopping)
    return _context


def _is_stopping() -> bool:
    return bool(_stopping.value)


def build() -> Celery:
    """The worker's Celery application, with its task and its signals. The process that calls it is the worker."""
    global _worker_pid
    _worker_pid = os.getpid()
    os.register_at_fork(before=_leave_database, after_in_parent=_using_database.release, after_in_child=_using_database.release)
    app = queue.celery_app()
    app.task(train, name=queue.TASK)
    signals.worker_process_init.connect(_forget_parent)
    signals.worker_ready.connect(_start_sweeper)
    signals.worker_shutting_down.connect(_announce_stop)
    return app


def train(job_id: str) -> None:
    """The task: run what waits, each in its turn; the message of a job means only that there is work."""
    work(own_context(), job_id)


def _leave_database() -> None:
    """Have nobody use the database, and no connection to it open, until the fork is done."""
    _using_database.acquire()
    if _context is not None:
        _context.database.close()


def _forget_parent(**_: object) -> None:
    """In a new pool process: never touch the connections that the fork copied."""
    global _context
    _context = None
    threads.limit(settings().threads_each)
    limits.confine(settings().job_bytes)
    if os.getpid() != _worker_pid:
        # On Linux Celery has the kernel see to that, but not where the worker died before it could ask.
        parent.watch(_worker_pid, lambda: os.kill(os.getpid(), signal.SIGKILL))


def _announce_stop(**_: object) -> None:
    _stopping.value = 1


def _start_sweeper(**_: object) -> None:
    threading.Thread(target=_sweep_for_ever, name="sweeper", daemon=True).start()


def _sweep_for_ever() -> None:
    context = own_context()
    files_swept = time.monotonic()
    while not _is_stopping():
        pause = context.settings.sweep_seconds
        try:
            with _using_database:
                pause = min(pause, sweep_once(context))
                if time.monotonic() - files_swept > context.settings.orphan_seconds:
                    files_swept = time.monotonic()
                    sweep_files(context)
                make_room(context)
        except SQLAlchemyError as error:
            log.warning("database out of reach", error=type(error).__name__)
        except Exception:
            log.exception("a round of the sweeper broke; the next one comes")
        time.sleep(pause)


def sweep_files(context: WorkerContext) -> None:
    """Remove the files that no row names: of uploads and checkpoints that were never committed."""
    with context.database.reading() as session:
        removed = context.files.sweep(session, context.settings.orphan_seconds, context.settings.upload_seconds)
    with context.database.transaction() as session:
        idempotency.forget_old(session)
        sessions.forget_ended(session)
    if removed:
        log.info("removed files that nothing names", count=removed)


def make_room(context: WorkerContext) -> None:
    """Take a few small steps: remove what settings let go of jobs that are done, and give free room back to the system."""
    setting = context.settings
    if setting.keep_checkpoints_days or setting.keep_curves_days:
        for _ in range(MOST_STEPS):
            with context.database.transaction() as session:
                days = setting.keep_checkpoints_days, setting.keep_curves_days
                if not retention.remove_some(session, context.files, *days):
                    break
    space.give_back(context.database)


def sweep_once(context: WorkerContext) -> float:
    """Say that this worker lives, take back what dead ones held, and send again what waits without a message. Returns in how
    many seconds the next lease runs out.
    """
    with context.database.transaction() as session:
        workers.beat(session, context.name, context.settings.queues.split(","), context.settings.job_bytes)
        unsent = recovery.sweep(session)
        checkpoints.forget_positions_of_done(session, context.files)
        expiry = recovery.next_expiry(session)
    for job_id, queue_name in unsent:
        queue.send(job_id, queue_name)
    return math.inf if expiry is None else max(SHORTEST_PAUSE, expiry)
