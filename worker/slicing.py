"""One attempt at a slice of a loss: point by point, from where the attempt before was."""

import time
from typing import Any

from store import leases, results, slices
from store.states import BY_CALLER
from store.tables import Job
from store.versions import versions
from worker.context import WorkerContext
from worker.errors import Stopped
from worker.eta import Eta
from worker.lease import HeldLease
from worker.writing import FLUSH_SECONDS, insist


def begin_slice(context: WorkerContext, held: HeldLease, job: Job) -> "Slicing":
    """Load what the slice is made of. Raises Interrupted, LeaseLost, and what keeps it from being worked out."""
    started = time.perf_counter()
    with context.database.reading() as session:
        opened, costs = slices.resume(session, context.files, job, held.heed)
    return Slicing(context, held, opened, costs, time.perf_counter() - started)


class Slicing:
    """An attempt that has begun: it works out costs, keeps them from time to time, and ends the job."""

    def __init__(
        self, context: WorkerContext, held: HeldLease, opened: slices.Opened, costs: list[float], load_seconds: float
    ) -> None:
        self.context, self.held, self.opened, self.costs = context, held, opened, costs
        self.row: dict[str, Any] = {"load_seconds": load_seconds, "device": "cpu", "versions": versions()}
        self.eta, self.started = Eta(), context.clock()
        self.told_at = self.kept_at = time.monotonic()
        self.document: dict[str, Any] = {}
        self._mark()

    def work(self) -> None:
        """Work out all costs. Raises Interrupted, LeaseLost, or what the engine raises."""
        lines = self.opened.lines(self.costs, self._heed)
        while True:
            try:
                next(lines)
            except StopIteration as end:
                self.document = end.value
                self._mark()
                return

    def _heed(self) -> None:
        """Write what is due to be written, and heed what the caller or the machine wants. Raises Interrupted, LeaseLost."""
        self.held.heed()
        if self.context.stopping():
            raise Stopped
        if time.monotonic() - self.told_at > FLUSH_SECONDS:
            self._mark()
            keeps = time.monotonic() - self.kept_at > self.context.settings.checkpoint_seconds
            insist(self.held, lambda _: self._tell(keeps))

    def _mark(self) -> None:
        """Note how far it is, for the row."""
        seconds, lines = self.context.clock() - self.started, self.opened.wanted.resolution
        share = len(self.costs) / lines**2
        self.eta.mark(seconds, share)
        self.row |= {"epoch": len(self.costs) // lines, "fraction": share, "eta_seconds": self.eta.remaining(seconds, share)}

    def _tell(self, keeps: bool) -> str:
        """Write how far it is to the job's row, and keep the costs where that is due."""
        with self.context.database.transaction() as session:
            leases.update_row(session, self.held.lease, **self.row)
            if keeps:
                slices.save(session, self.context.files, self.held.lease, self.opened.run, self.costs)
        self.told_at = time.monotonic()
        self.kept_at = self.told_at if keeps else self.kept_at
        return "running"

    def succeed(self) -> str:
        """Keep the slice, and end the job."""
        return insist(self.held, lambda _: self._succeed())

    def _succeed(self) -> str:
        lease = self.held.lease
        with self.context.database.transaction() as session:
            state = leases.finish(session, lease, "succeeded", None, **self.row)
            if state == "succeeded":
                results.keep(session, self.context.files, lease.job_number, self.document)
        return state

    def end(self, state: str, reason: str, **values: Any) -> str:
        """End the job in that state."""
        self._mark()
        return insist(self.held, lambda _: self._end(state, reason, **values))

    def _end(self, state: str, reason: str, **values: Any) -> str:
        with self.context.database.transaction() as session:
            return leases.finish(session, self.held.lease, state, reason, **self.row, **values)

    def pause(self) -> str:
        """Keep the costs, and let the job wait."""
        return self._keep("paused")

    def give_back(self) -> str:
        """Keep the costs, and return the job to the queue."""
        return self._keep("queued")

    def _keep(self, state: str) -> str:
        self._mark()
        return insist(self.held, lambda _: self._leave(state))

    def _leave(self, state: str) -> str:
        lease = self.held.lease
        with self.context.database.transaction() as session:
            leases.update_row(session, lease, **self.row)
            slices.save(session, self.context.files, lease, self.opened.run, self.costs)
            if state == "queued":
                return leases.release(session, lease, "its worker was stopped")
            return leases.finish(session, lease, state, BY_CALLER[state])
