"""Processes that start by a fork of one that has imported everything, as `vidro COMMAND` starts without: in 0.1 s, not in 3.

`python -m tests.faults.forks` is that one. It takes one order a line, and answers each with one line.
"""

import json
import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any

IMPORTED = (
    "engine.fast.warm_up",
    "service.protocol",
    "service.server",
    "tests.faults.entry",
    "worker.training",
)
"""All that is dear, but not worker.tasks: its word that the worker stops would be one for all forks."""
POLL_SECONDS = 0.01


class Forks:
    """The process that forks, and the way to it."""

    def __init__(self) -> None:
        self._lock, self._asked = Lock(), 0
        self._root = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.forks"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def start(self, command: str, fault: str, environment: dict[str, str], log: Path) -> "Fork":
        return Fork(self, self.ask(command=command, fault=fault, environment=environment, log=str(log)))

    def ask(self, **order: Any) -> Any:
        assert self._root.stdin is not None and self._root.stdout is not None
        with self._lock:
            self._asked += 1
            self._root.stdin.write(json.dumps({"number": self._asked, "order": order}).encode() + b"\n")
            self._root.stdin.flush()
            number = 0
            while number != self._asked:  # the answer to one that a limit of time cut off may come before it
                number, answer = json.loads(self._root.stdout.readline())
            return answer

    def close(self) -> None:
        self._root.communicate()


class Fork:
    """As subprocess.Popen has it: a process, the code that it ended with, and signals to it."""

    def __init__(self, forks: Forks, pid: int) -> None:
        self._forks, self.pid = forks, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._forks.ask(ended=self.pid)
        return self.returncode

    def wait(self, timeout: float = float("inf")) -> int:
        deadline = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(POLL_SECONDS)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def serve_orders() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the tests' own end is told by the end of the orders
    for line in sys.stdin:
        told = json.loads(line)
        order = told["order"]
        if "ended" in order:
            pid, status = os.waitpid(order["ended"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        else:
            answer = os.fork()
            if answer == 0:
                become(**order)
        sys.stdout.write(f"{json.dumps([told['number'], answer])}\n")
        sys.stdout.flush()


def become(command: str, fault: str, environment: dict[str, str], log: str) -> None:
    """Be `vidro COMMAND` with that fault in it, in that environment, from now on."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with open(os.devnull) as nothing, open(log, "wb") as file:
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv[1:] = [command]
    import_module("tests.faults.entry").run(fault)


if __name__ == "__main__":
    for name in IMPORTED:
        import_module(name)
    serve_orders()
