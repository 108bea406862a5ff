"""Writing down what an attempt learns: curves, histograms, checkpoints, the job's row and journal, and at the end the model,
in transactions that the attempt's lease fences.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine.glass.histograms import LayerHistogram
from engine.models.run_state import Epoch
from store import journal, leases, models
from store.curves import Recorder
from store.database import new_id
from store.errors import DiskFull, LeaseLost
from store.tables import Histograms, Job
from store.versions import versions
from worker.checkpoints import Checkpoints, Snapshot
from worker.context import WorkerContext
from worker.eta import Eta
from worker.lease import HeldLease
from worker.loading import Loaded

FLUSH_SECONDS = 0.5
FLUSH_POINTS = 5_000
RETRY_SECONDS = 0.2
log = structlog.get_logger()


def insist(held: HeldLease, write: Callable[[bool], str]) -> str:
    """Call `write`, and where the database is out of reach, or the disk full, again for as long as the lease lasts: then with
    True. Raises LeaseLost, or what kept it from being written.
    """
    deadline = time.monotonic() + held.seconds
    again = False
    while True:
        if held.lost:
            raise LeaseLost("the lease is another's")
        try:
            return write(again)
        except (OperationalError, DiskFull) as error:  # out of reach, or a deadlock, or no room
            if time.monotonic() > deadline:
                raise
            again = True  # nothing was written, unless the database was lost before it could say so
            log.warning("not written; trying again", job_id=held.lease.job_id, error=str(getattr(error, "orig", error)))
            time.sleep(RETRY_SECONDS)


@dataclass
class Pending:
    """What has been learned since the last write to the database."""

    values: dict[str, Any] = field(default_factory=dict)
    histograms: dict[int, list[LayerHistogram]] = field(default_factory=dict)
    since: float = field(default_factory=time.monotonic)


@dataclass
class Elapsed:
    """The seconds that a job has taken, and how much of the epoch at hand is done, from 0 to 1."""

    load: float = 0.0
    compile: float = 0.0
    train: float = 0.0
    share: float = 0.0


@dataclass(frozen=True)
class Ending:
    """The state that an attempt leaves its job in, why, what else its row says, and, where it succeeded, what is written
    after all else in the same transaction: the model, or a result.
    """

    state: str
    reason: str | None
    values: Mapping[str, Any] = field(default_factory=dict)
    settle: Callable[[Session], None] = lambda _: None


class Writer:
    """What an attempt has learned and not yet written: curves, values, histograms, warnings, checkpoints."""

    def __init__(
        self,
        context: WorkerContext,
        held: HeldLease,
        job: Job,
        loaded: Loaded,
        checkpoints: Checkpoints,
        recorder: Recorder,
        elapsed: Elapsed,
    ) -> None:
        self.context, self.held, self.lease, self.job = context, held, held.lease, job
        self.loaded, self.network = loaded, loaded.prepared.problem.learner
        self.checkpoints, self.recorder, self.elapsed = checkpoints, recorder, elapsed
        self.warnings = list(job.warnings)
        self.told = len(job.warnings)
        self.pending = Pending()
        self.eta = Eta()
        self.model_id = new_id("mdl")

    @property
    def is_due(self) -> bool:
        """Whether it is time to write."""
        return time.monotonic() - self.pending.since > FLUSH_SECONDS or len(self.recorder.points) > FLUSH_POINTS

    def take(self, epoch: Epoch, values: dict[str, Any], step: int) -> None:
        """Remember an epoch's `values`, its curves, which end at that step, and what it warns of."""
        self.recorder.add(epoch.number, epoch.values)
        if epoch.batch_losses is not None:
            first = step - len(epoch.batch_losses) + 1
            for batch_step, loss in enumerate(epoch.batch_losses.tolist(), start=first):
                self.recorder.add(batch_step, {"batch_loss": loss})
        self.pending.values = values
        # A run that was taken up again may have told some of the warnings before.
        self.warnings += [warning for warning in epoch.warnings if warning not in self.warnings]

    def warn(self, *warnings: dict[str, Any] | None) -> None:
        """Warn of each, once for each code."""
        for warning in warnings:
            if warning is not None and warning["code"] not in {told["code"] for told in self.warnings}:
                self.warnings.append(warning)

    def flush(self, ending: Ending | None = None) -> str:
        """Write what is pending, and how the attempt ends, in one transaction that the lease fences (see `insist`). Returns the
        job's state.
        """
        return insist(self.held, lambda again: self._write(ending, again))

    def _write(self, ending: Ending | None, again: bool) -> str:
        with self.context.database.transaction() as session:
            state = self._write_row(session, ending, again)  # first: it fences the rest
            self.recorder.write(session, again)
            for epoch, layers in self.pending.histograms.items():
                session.merge(Histograms(job_number=self.job.number, epoch=epoch, layers=[asdict(layer) for layer in layers]))
            self.checkpoints.write(session, again)
            if state == "succeeded":
                assert ending is not None
                ending.settle(session)
        self.checkpoints.written()
        self.pending = Pending()
        self.told = len(self.warnings)
        return state

    def _write_row(self, session: Session, ending: Ending | None, again: bool) -> str:
        """Write to the job's row and its journal. Returns the state that the job is in then."""
        row, messages = self._row(), [warning["detail"] for warning in self.warnings[self.told :]]
        if again:
            told = {entry.message for entry in journal.entries(session, self.job.number)}
            messages = [message for message in messages if message not in told]
        if ending is None:
            leases.update_row(session, self.lease, **row)
            for message in messages:
                journal.log(session, self.job.number, message)
            return "running"
        if ending.state == "queued":
            assert ending.reason is not None
            return leases.release(session, self.lease, ending.reason, messages, **row)
        return leases.finish(session, self.lease, ending.state, ending.reason, messages, **row, **ending.values)

    def _row(self) -> dict[str, Any]:
        fraction = (self.checkpoints.state.epoch + self.elapsed.share) / self.job.epochs
        self.eta.mark(self.elapsed.train, fraction)
        best = self.checkpoints.best
        row: dict[str, Any] = {"lost_attempts": 0} if self.checkpoints.has_some else {}
        row |= {
            "warnings": self.warnings,
            "load_seconds": self.elapsed.load,
            "compile_seconds": self.elapsed.compile,
            "train_seconds": self.elapsed.train,
            "parameters": self.network.parameters.size,
            "fitted": self.loaded.fitted,
            "device": "cpu" if self.network.xp is np else "cuda",
            "versions": versions(),
            "best": best.values if best else None,
            "fraction": fraction,
            "eta_seconds": self._remaining(fraction),
        }
        if self.pending.values:
            row |= {"epoch": self.pending.values["epoch"], "latest": self.pending.values}
        return row

    def _remaining(self, fraction: float) -> float | None:
        """Seconds to the last epoch, or until max_seconds are over; None where a solver decides when it ends."""
        training = self.loaded.training
        left = self.eta.remaining(self.elapsed.train, fraction)
        if left is None or not training.model.solved_by.descends:
            return None
        return max(0.0, min(left, training.max_seconds - self.elapsed.train))

    def make_model(self, session: Session, chosen: Snapshot) -> None:
        """Make the model of the epoch that was chosen, whose checkpoint is written."""
        assert chosen.digest is not None
        made = {
            "fitted": self.loaded.fitted,
            "dataset_sha256": self.loaded.dataset_sha256,
            "parameters": self.network.parameters.size,
            "name": session.scalars(select(Job.name).where(Job.number == self.job.number)).one(),  # as it is by now
        }
        learned = {"epoch": chosen.epoch, "metrics": chosen.values, "digest": chosen.digest}
        models.create(session, self.job, id=self.model_id, **made, **learned)
