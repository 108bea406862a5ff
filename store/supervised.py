"""A supervisor's report on the processes that it keeps running: a small file that it writes and the API reads."""

import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

FILE = "VIDRO_SUPERVISOR"
"""The environment variable that names the file to a process that is supervised."""
HOUR = 3600.0


@dataclass
class Exit:
    """How a process ended: its exit code, or the name of the signal that ended it, and when, in seconds since 1970."""

    at: float
    code: int | None = None
    signal: str | None = None


@dataclass
class Supervised:
    """One process: `starting`, `up` since then, or `waiting` to be started again; when it was, within the last hour."""

    name: str
    state: Literal["starting", "up", "waiting"] = "starting"
    up_since: float | None = None
    restarts: list[float] = field(default_factory=list)
    last_exit: Exit | None = None

    @property
    def restarts_last_hour(self) -> int:
        return sum(moment > time.time() - HOUR for moment in self.restarts)

    def forget_old(self) -> None:
        """Forget what is older than that hour."""
        self.restarts = [moment for moment in self.restarts if moment > time.time() - HOUR]


def write(path: Path, processes: list[Supervised]) -> None:
    """Replace the file. Raises OSError."""
    draft = path.with_name(f".{path.name}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump([asdict(process) for process in processes], file)
    draft.replace(path)


def read() -> list[Supervised] | None:
    """The last report of this process's supervisor; None if there is no supervisor, or no report yet."""
    path = os.environ.get(FILE)
    if path is None:
        return None
    try:
        found = json.loads(Path(path).read_text())
    except (OSError, ValueError):
        return None
    processes = []
    for entry in found:
        last_exit = entry.pop("last_exit")
        processes.append(Supervised(**entry, last_exit=Exit(**last_exit) if last_exit else None))
    return processes
