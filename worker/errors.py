"""How an attempt at a job ends otherwise than by its last epoch.

Interrupted: somebody wants it to end now
├── Stopped          the worker process is ending: the job goes back to the queue
├── Paused           the caller wants it to wait
└── Cancelled        the caller wants it to end
WorkerError            INTERNAL       500  it cannot go on
├── TimeUp           MAX_SECONDS    422  not one epoch ended within max_seconds
└── OutOfMemory      OUT_OF_MEMORY  500  it asked for more memory than its process may have
"""

from typing import ClassVar


class Interrupted(Exception):
    """Not an error: somebody wants the attempt to end."""


class Stopped(Interrupted):
    pass


class Paused(Interrupted):
    pass


class Cancelled(Interrupted):
    pass


class WorkerError(Exception):
    code: ClassVar[str] = "INTERNAL"
    status: ClassVar[int] = 500


class TimeUp(WorkerError):
    code, status = "MAX_SECONDS", 422


class OutOfMemory(WorkerError):
    code, status = "OUT_OF_MEMORY", 500
