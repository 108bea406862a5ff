"""Keep processes running: one that dies is started again, at once at first, ever more slowly where it keeps dying."""

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import structlog
import typer

from store import supervised
from store.supervised import Exit, Supervised

UP_PIPE = "VIDRO_UP_PIPE"
"""The environment variable that gives a supervised process the number of the pipe to say that it is up."""
REFUSED = 2
"""The exit code of a process that cannot work as it is set: a taken port, a wrong setting, a database that is none."""
CHECK_SECONDS = 0.2
GRACE_SECONDS = 20.0
STABLE_SECONDS = 60.0
"""A process that has been up for so long is taken to have got over what it died of before."""
LONGEST_PAUSE_SECONDS = 30.0
MOST_FIRST_STARTS = 5
"""A process that has never been up is started so often at most: something is wrong that a start does not mend."""
log = structlog.get_logger()


def say_up() -> None:
    """Tell the supervisor, where there is one, that this process does its work from now on."""
    number = os.environ.pop(UP_PIPE, None)
    if number is not None:
        with suppress(OSError):
            os.write(int(number), b"1")
        os.close(int(number))


@dataclass
class Child:
    """A supervised process."""

    name: str
    command: Sequence[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    has_been_up: bool = False
    deaths: int = 0
    """In a row, none of them after a stable minute."""
    due: float = 0.0
    """When it is started again, by the monotonic clock."""
    up_at: float | None = None
    seen: Supervised = field(init=False)
    pipe: int = -1

    def __post_init__(self) -> None:
        self.seen = Supervised(self.name)

    def start(self) -> None:
        if self.deaths:
            self.seen.restarts.append(time.time())
        self.seen.state, self.up_at = "starting", None
        self.pipe, write = os.pipe()
        os.set_blocking(self.pipe, False)
        try:
            # A session of its own, so that Ctrl-C reaches the supervisor alone, which then asks for an orderly end.
            self.process = subprocess.Popen(
                self.command,
                env=self.environment | {UP_PIPE: str(write)},
                stdin=subprocess.PIPE,
                start_new_session=True,
                pass_fds=(write,),
            )
        except OSError as error:  # no memory, say, or no process to be had
            log.error("could not be started", process=self.name, error=error.strerror)
            self._put_off()
        else:
            log.info("started", process=self.name, pid=self.process.pid)
        finally:
            os.close(write)

    def look(self) -> bool:
        """See whether the process is up, or dead, or to be started again. Returns whether anything has changed.

        Raises Exit where it has never been up and is not to be.
        """
        if self.process is None:
            if time.monotonic() < self.due:
                return False
            self.start()
            return True
        code = self.process.poll()
        if code is not None:
            self._died(code)
            return True
        if self.up_at is None and self._says_up():
            self.up_at, self.has_been_up = time.monotonic(), True
            self.seen.state, self.seen.up_since = "up", time.time()
            return True
        return False

    def _says_up(self) -> bool:
        try:
            return os.read(self.pipe, 1) == b"1"
        except BlockingIOError:
            return False

    def _died(self, code: int) -> None:
        assert self.process is not None
        if self.up_at is None and self._says_up():  # and died before anybody looked
            self.has_been_up = True
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process = None
        by = _signal_name(-code) if code < 0 else None
        self.seen.last_exit = Exit(time.time(), None if by else code, by)
        if not self.has_been_up and (code == REFUSED or self.deaths + 1 >= MOST_FIRST_STARTS):
            log.error("has never been up; giving up", process=self.name, exit_code=code)
            raise typer.Exit(REFUSED if code == REFUSED else 1)
        if self.up_at is not None and time.monotonic() - self.up_at >= STABLE_SECONDS:
            self.deaths = 0
        self._put_off(exit_code=code)

    def _put_off(self, **told: int) -> None:
        """Have it started again: at once, then after 1, 2, 4, … seconds."""
        os.close(self.pipe)
        pause = min(LONGEST_PAUSE_SECONDS, 2.0 ** (self.deaths - 1)) if self.deaths else 0.0
        self.deaths += 1
        self.due = time.monotonic() + pause
        self.seen.state, self.seen.up_since = "waiting", None
        log.warning("starting it again", process=self.name, in_seconds=pause, **told)

    def stop(self, deadline: float) -> None:
        """Wait for the end that was asked for, and after the deadline end what is left of its session."""
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("did not end in time", process=self.name)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def supervise(processes: Sequence[Child], told: list[int], report: Path) -> None:
    """Keep the processes running until told to stop, then end them: all at once asked, and waited for. What is seen of them
    is written to the file `report`, for as long as they run.
    """
    try:
        for child in processes:
            child.start()
        _write(report, processes)
        while not told:
            changed = [child.look() for child in processes]
            if any(changed):
                _write(report, processes)
            time.sleep(CHECK_SECONDS)
        log.info("stopping")
    finally:
        deadline = time.monotonic() + GRACE_SECONDS
        for child in processes:
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        for child in processes:
            child.stop(deadline)
        report.unlink(missing_ok=True)


def _write(report: Path, processes: Sequence[Child]) -> None:
    for child in processes:
        child.seen.forget_old()
    try:
        supervised.write(report, [child.seen for child in processes])
    except OSError as error:  # a full disk is no reason to leave the processes alone
        log.warning("what the supervisor sees could not be written", error=error.strerror)
