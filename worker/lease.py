"""Holding a job: a thread that renews the lease and listens for a cancel while the main thread trains."""

import threading
import time
from types import TracebackType

import structlog
from sqlalchemy.exc import SQLAlchemyError

from store import leases
from store.database import Database
from store.errors import LeaseLost
from store.leases import Lease
from worker.errors import Cancelled, Interrupted, Paused

LISTEN_SECONDS = 0.1
INTERRUPTIONS: dict[str, type[Interrupted]] = {"cancelling": Cancelled, "pausing": Paused}
"""By the state that the caller has put the job in, what it asks of the run."""
log = structlog.get_logger()


class HeldLease:
    """A context in which the lease is renewed at a third of its term. `state` is the job's as last read; `lost` is set
    once the lease is another's, and then nothing may be written any more.
    """

    def __init__(self, database: Database, lease: Lease, seconds: float) -> None:
        self.database, self.lease, self.seconds = database, lease, seconds
        self.state = "running"
        self.lost = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._hold, name=f"lease of {lease.job_id}", daemon=True)

    def __enter__(self) -> "HeldLease":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._stopped.set()
        self._thread.join()

    def heed(self) -> None:
        """Raise Interrupted where the caller wants the attempt to end, LeaseLost where another has begun."""
        if self.lost:
            raise LeaseLost("the lease is another's")
        if self.state in INTERRUPTIONS:
            raise INTERRUPTIONS[self.state]

    def _hold(self) -> None:
        renewed = time.monotonic()
        while not self._stopped.wait(LISTEN_SECONDS):
            try:
                if time.monotonic() - renewed > self.seconds / 3:
                    with self.database.transaction() as session:
                        leases.renew(session, self.lease, self.seconds)
                    renewed = time.monotonic()
                with self.database.glancing() as session:
                    self.state = leases.state_of(session, self.lease)
            except LeaseLost:
                if not self._stopped.is_set():
                    self.lost = True
                return
            except SQLAlchemyError as error:  # out of reach for now; the lease may outlast it
                log.warning("database out of reach", job_id=self.lease.job_id, error=type(error).__name__)
