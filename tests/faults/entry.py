"""`vidro serve` and `vidro worker` with something wrong in them: what the fault names, and nothing else.

What happens to a process from outside (kill, stop, a full disk, a server gone) the tests do themselves; here is what has to
happen at one exact place inside.
"""

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from cli.main import app
from service import multipart
from service.routes import job_control
from store import files, forks, queue, submission
from worker.attempt import Attempt


def die(*_: Any, **__: Any) -> Any:
    """As kill −9 would have it: no handler, no clean-up, no goodbye."""
    os.kill(os.getpid(), signal.SIGKILL)


def die_before_sending() -> None:
    """Between the commit of a job and its message."""
    queue.send = die  # type: ignore[assignment]


def die_between_chunks() -> None:
    """With a part of an upload in the data folder."""
    take = multipart._Parts._take

    def once(self: multipart._Parts, data: bytes, start: int, end: int) -> None:
        take(self, data, start, end)
        if self._file is not None:
            self._file.flush()
            die()

    multipart._Parts._take = once  # type: ignore[method-assign]


def die_before_commit() -> None:
    """With an upload's file in its place, and the row that names it not committed."""

    def insert(*_: Any, **__: Any) -> None:
        die()

    files._insert_unless_there = insert


def send_three_times() -> None:
    send = queue.send

    def thrice(job_id: str, name: str) -> bool:
        return min(send(job_id, name) for _ in range(3))

    queue.send = thrice


def die_at_poison() -> None:
    """A job of that name kills the process that takes it."""
    work = Attempt.work

    def poisoned(self: Attempt) -> None:
        if self.job.name == "poison":
            die()
        work(self)

    Attempt.work = poisoned  # type: ignore[method-assign]


def step_the_clock(seconds: str) -> None:
    """Every second time.time steps that far to and fro, for all Python code here; the database's clock does not."""
    real, real_ns = time.time, time.time_ns

    def offset() -> float:
        return float(seconds) if int(time.monotonic()) % 2 else -float(seconds)

    time.time = lambda: real() + offset()
    time.time_ns = lambda: real_ns() + int(offset() * 1e9)


def deliver_again_soon() -> None:
    """What was delivered and not acknowledged is delivered again after a second: Redis' visibility timeout."""
    options = queue._transport_options
    queue._transport_options = lambda setting: {**options(setting), "ack_emulation": True, "visibility_timeout": 1}


FAULTS: dict[str, Callable[..., None]] = {
    function.__name__: function
    for function in (
        die_before_sending,
        die_between_chunks,
        die_before_commit,
        send_three_times,
        die_at_poison,
        step_the_clock,
        deliver_again_soon,
    )
}


def run(fault: str) -> None:
    """Be the `vidro` of this command line, with that fault."""
    assert submission.queue is forks.queue is job_control.queue is queue  # or a fault would miss its place
    if fault:
        name, *arguments = fault.split()
        FAULTS[name](*arguments)
    app()
