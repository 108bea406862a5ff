"""One attempt at a job while it trains: what it learns, what is kept of it, and how it is written down."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import structlog
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine.fast.paths import make_ready
from engine.glass.histograms import LayerHistogram, layer_histograms
from engine.models.base import Model
from engine.models.run_state import Epoch
from engine.training.estimate import refuse_too_much
from engine.training.prepare import Prepared, prepare
from engine.training.run import train
from engine.training.verdicts import not_finite, verdicts
from engine.wording import Sentence, notice, say
from store import checkpoints, curves, datasets, journal, leases, models
from store.database import Database, new_id
from store.errors import ContentDamaged, DiskFull, LeaseLost
from store.files import Files
from store.fitted import fitted_of
from store.job_request import training_of
from store.settings import Settings
from store.states import BY_CALLER
from store.tables import Histograms, Job
from worker.checkpoints import Checkpoints, Snapshot
from worker.errors import Cancelled, Interrupted, Paused, Stopped, TimeUp
from worker.eta import Eta
from worker.lease import HeldLease

FLUSH_SECONDS = 0.5
FLUSH_POINTS = 5_000
RETRY_SECONDS = 0.2
INTERRUPTIONS: dict[str, type[Interrupted]] = {"cancelling": Cancelled, "pausing": Paused}
"""What a state that the caller has put the job in asks of the run."""
log = structlog.get_logger()


@dataclass(frozen=True)
class Workplace:
    """What every run of a worker process shares. `stopping` says that the process is about to end; `clock` gives seconds
    from anywhere, by which training is timed.
    """

    settings: Settings
    database: Database
    files: Files
    name: str
    stopping: Callable[[], bool] = lambda: False
    clock: Callable[[], float] = time.perf_counter


@dataclass
class Pending:
    """What has been learned since the last write to the database."""

    values: dict[str, Any] = field(default_factory=dict)
    histograms: dict[int, list[LayerHistogram]] = field(default_factory=dict)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Ending:
    """The state that an attempt leaves its job in, why, and what else its row is to say."""

    state: str
    reason: str | None
    values: Mapping[str, Any] = field(default_factory=dict)


class Recording:
    """One attempt at a job: the problem as posed, where the run stands, and what is still to be written down."""

    def __init__(self, place: Workplace, held: HeldLease, job: Job) -> None:
        started = time.perf_counter()
        self.place, self.held, self.lease, self.job = place, held, held.lease, job
        self.training = training_of(job.request)
        with place.database.glancing() as session:
            dataset = datasets.get(session, self.job.dataset_id, None)
            found = datasets.table_of(session, place.files, self.job, dataset)
        summaries = found.summaries(self.training)
        refuse_too_much(self.training, summaries, found.table.height, place.settings.job_bytes)
        self.dataset_sha256 = dataset.digest
        read = datasets.read_as(self.job, dataset, found.table, self.training.columns)
        columns = {}
        for column in found.each_column(self.training.columns):
            columns[column.name] = column
            self._heed()  # a large table takes its time
        self.prepared: Prepared = prepare(self.training, columns)
        self.fitted = fitted_of(self.prepared, found.table.columns, read)
        self.model_id = new_id("mdl")
        self.network = self.prepared.problem.network
        self.recorder = curves.Recorder(self.job.number)
        self.pending = Pending(warnings=list(self.job.warnings))
        self.told = len(self.job.warnings)
        self.ended_by: str | None = None
        self.checkpoints = Checkpoints(place.files, self.lease, self.network, place.settings.checkpoint_seconds)
        self.eta, self.share = Eta(), 0.0
        self._resume()
        self.load_seconds = time.perf_counter() - started
        self.compile_seconds = make_ready(self.prepared.problem)
        self.train_seconds = (self.job.train_seconds or 0.0) if self.checkpoints.state.step else 0.0
        has_validation = self.prepared.problem.validation is not None
        stopping = self.training.early_stopping
        model = self.training.model
        judged = Model if self.checkpoints.progress.lowest is None else type(model)  # as the run began
        self.monitor = stopping.monitor if stopping else judged.judged_by(model, has_validation)

    def _resume(self) -> None:
        """Go back to where the attempt before, or the job that this one was forked from, can be taken up; forget what was
        recorded after that: it is trained, and recorded, again.
        """
        if self.lease.attempt == 1 and self.job.forked_from is None:
            return
        found = self.checkpoints
        with self.place.database.reading() as session:
            damaged = found.resume(session)
        state, last, best = found.state, found.last, found.best
        if state.epoch < self.job.forked_epoch:
            begun = f"after epoch {self.job.forked_epoch} of '{self.job.forked_from}'"
            raise ContentDamaged(f"the checkpoint that this job began from, {begun}, is damaged; fork that one again")
        if state.place:
            self.share = min(1.0, max(0.0, self.job.fraction * self.job.epochs - state.epoch))
        reached: dict[str, Any] = {"latest": last.values if last else {}, "best": best.values if best else None}
        reached["fraction"] = (state.epoch + self.share) / self.job.epochs
        with self.place.database.transaction() as session:
            leases.update_row(session, self.lease, epoch=state.epoch, **reached)
            self.recorder.rewind(session, state.epoch, state.step - state.place)
            checkpoints.drop_damaged(session, self.place.files, self.lease, damaged)
        for point in damaged:
            detail = say(
                "the checkpoint taken after epoch {damaged} is damaged; the run went on from epoch {epoch}",
                damaged=point.epoch,
                epoch=state.epoch,
            )
            self.pending.warnings.append(notice("CHECKPOINT_DAMAGED", detail))

    def train(self) -> None:
        """Train to the end. Raises Interrupted, TimeUp, LeaseLost, or what the engine raises."""
        if self.checkpoints.state.epoch == self.job.forked_epoch and not self.checkpoints.state.place:
            self._look_inside()
        before, started = self.train_seconds, self.place.clock()
        self._listen()
        for epoch in train(self.prepared.problem, self.checkpoints.state):
            self.train_seconds = before + self.place.clock() - started
            self.share = epoch.done
            if epoch.whole:
                self._take(epoch)
                if self._is_over(epoch):  # before listening: what is over must not be taken up again after a stop
                    return
            elif self._is_time_up():
                return
            self._listen()

    def _listen(self) -> None:
        """Write what is due to be written, and heed what the caller or the machine wants. Raises Interrupted, LeaseLost."""
        self._heed()
        if self.place.stopping():
            raise Stopped
        due = time.monotonic() - self.pending.since > FLUSH_SECONDS or len(self.recorder.points) > FLUSH_POINTS
        if self.checkpoints.is_due:
            self.checkpoints.take_position()
            due = True
        if due:
            self.flush()

    def _heed(self) -> None:
        """Raises Interrupted where the caller wants the attempt to end, LeaseLost where another has begun."""
        if self.held.lost:
            raise LeaseLost("the lease is another's")
        if self.held.state in INTERRUPTIONS:
            raise INTERRUPTIONS[self.held.state]

    def _take(self, epoch: Epoch) -> None:
        """Remember an epoch's numbers, and its arrays where they are due or the best yet."""
        values = {"epoch": epoch.number, **epoch.values}
        self.recorder.add(epoch.number, epoch.values)
        if epoch.batch_losses is not None:
            first = self.checkpoints.state.step - len(epoch.batch_losses) + 1
            for step, loss in enumerate(epoch.batch_losses.tolist(), start=first):
                self.recorder.add(step, {"batch_loss": loss})
        self.pending.values = values
        told = self.pending.warnings  # a run that was taken up again may have told them before
        told += [warning for warning in epoch.warnings if warning not in told]
        self._tell(not_finite(self.prepared.problem, epoch))
        improved = self._improves(epoch)
        every = self.training.record.checkpoint_every
        periodic = every is not None and epoch.number % every == 0
        self.checkpoints.take_epoch(epoch.number, values, improved, periodic, epoch.values["seconds"] or 0.0)
        every = self.training.record.histograms_every
        if every is not None and epoch.number % every == 0:
            self._look_inside()

    def _look_inside(self) -> None:
        self.pending.histograms[self.checkpoints.state.epoch] = layer_histograms(self.prepared.problem)

    def _tell(self, *warnings: dict[str, Any] | None) -> None:
        """Warn of each once."""
        for warning in warnings:
            if warning is not None and warning["code"] not in {told["code"] for told in self.pending.warnings}:
                self.pending.warnings.append(warning)

    def _improves(self, epoch: Epoch) -> bool:
        """Whether the epoch is the best so far; remembered, as is what early stopping waits for."""
        min_delta = self.training.early_stopping.min_delta if self.training.early_stopping else 0.0
        return self.checkpoints.progress.take(epoch.number, epoch.values[self.monitor], min_delta)

    def _is_over(self, epoch: Epoch) -> bool:
        stopping = self.training.early_stopping
        if stopping is not None and self.checkpoints.progress.waited >= stopping.patience:
            told = {"loss": stopping.monitor, "patience": stopping.patience}
            detail = (
                say("{loss} has not fallen by more than {delta:g} for {patience} epochs", delta=stopping.min_delta, **told)
                if stopping.min_delta
                else say("{loss} has not fallen for {patience} epochs", **told)
            )
            self._end_early("EARLY_STOPPED", detail)
            return True
        return epoch.converged or self._is_time_up()

    def _is_time_up(self) -> bool:
        """Whether max_seconds are over and the last whole epoch can be kept; a short one is waited for. Raises TimeUp."""
        most, last = self.training.max_seconds, self.checkpoints.last
        if self.train_seconds <= most:
            return False
        if last is None:
            detail = f"max_seconds is {most:g}, and {self.share:.0%} of the first epoch took {self.train_seconds:.1f} s"
            raise TimeUp(f"{detail}: nothing is learned before an epoch is whole; set max_seconds higher")
        if not last.can_be_kept and self.checkpoints.state.place:
            return False
        self._end_early(
            "MAX_SECONDS", say("stopped after epoch {epoch}: max_seconds is {most}", epoch=last.epoch, most=f"{most:g}")
        )
        return True

    def _end_early(self, code: str, detail: Sentence) -> None:
        self.ended_by = code.lower()
        self.pending.warnings.append(notice(code, detail))

    def flush(self, ending: Ending | None = None) -> str:
        """Write what is pending, and how the attempt ends, in one transaction that the lease fences. Where the database is
        out of reach, or the disk full, it is tried again for as long as the lease lasts. Returns the job's state.
        """
        deadline = time.monotonic() + self.place.settings.lease_seconds
        again = False
        while True:
            try:
                return self._write(ending, again)
            except (OperationalError, DiskFull) as error:  # out of reach, or a deadlock, or no room
                if time.monotonic() > deadline:
                    raise
                again = True  # nothing was written, unless the database was lost before it could say so
                log.warning("not written; trying again", job_id=self.lease.job_id, error=str(getattr(error, "orig", error)))
                time.sleep(RETRY_SECONDS)

    def _write(self, ending: Ending | None, again: bool) -> str:
        if self.held.lost:
            raise LeaseLost("the lease is another's")
        with self.place.database.transaction() as session:
            state = self._write_row(session, ending, again)  # first: it fences the rest
            self.recorder.write(session, again)
            for epoch, layers in self.pending.histograms.items():
                session.merge(Histograms(job_number=self.job.number, epoch=epoch, layers=[asdict(layer) for layer in layers]))
            self.checkpoints.write(session, again)
            if state == "succeeded":
                self._make_model(session)
        self.checkpoints.written()
        self.pending = Pending(warnings=self.pending.warnings)
        self.told = len(self.pending.warnings)
        return state

    def _write_row(self, session: Session, ending: Ending | None, again: bool) -> str:
        """Write to the job's row and its journal. Returns the state that the job is in then."""
        row, messages = self._row(), [warning["detail"] for warning in self.pending.warnings[self.told :]]
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
        fraction = (self.checkpoints.state.epoch + self.share) / self.job.epochs
        self.eta.mark(self.train_seconds, fraction)
        best = self.checkpoints.best
        row: dict[str, Any] = {"lost_attempts": 0} if self.checkpoints.has_some else {}
        row |= {
            "warnings": self.pending.warnings,
            "load_seconds": self.load_seconds,
            "compile_seconds": self.compile_seconds,
            "train_seconds": self.train_seconds,
            "parameters": self.network.parameters.size,
            "fitted": self.fitted,
            "device": "cpu" if self.network.xp is np else "cuda",
            "best": best.values if best else None,
            "fraction": fraction,
            "eta_seconds": self._remaining(fraction),
        }
        if self.pending.values:
            row |= {"epoch": self.pending.values["epoch"], "latest": self.pending.values}
        return row

    def _remaining(self, fraction: float) -> float | None:
        """Seconds to the last epoch, or until max_seconds are over; None where a solver decides when it ends."""
        left = self.eta.remaining(self.train_seconds, fraction)
        if left is None or not self.training.model.solved_by.descends:
            return None
        return max(0.0, min(left, self.training.max_seconds - self.train_seconds))

    def succeed(self) -> str:
        """Save the last and the best epoch, make the model, and end the job. Raises Diverged as `verdicts` does."""
        self._tell(*verdicts(self.prepared.problem, self._chosen().values, self._started_at()))
        every = self.training.record.histograms_every
        if every is not None and self.checkpoints.state.epoch % every:
            self._look_inside()  # at the end, whenever that is
        self.checkpoints.keep_last()
        return self.flush(Ending("succeeded", self.ended_by, {"model_id": self.model_id}))

    def _make_model(self, session: Session) -> None:
        chosen = self._chosen()
        assert chosen.digest is not None
        made = {"fitted": self.fitted, "dataset_sha256": self.dataset_sha256, "parameters": self.network.parameters.size}
        learned = {"epoch": chosen.epoch, "metrics": chosen.values, "digest": chosen.digest}
        made["name"] = session.scalars(select(Job.name).where(Job.number == self.job.number)).one()  # as it is by now
        models.create(session, self.job, id=self.model_id, **made, **learned)

    def _chosen(self) -> Snapshot:
        """The epoch that the model is made of."""
        chosen = (self.training.early_stopping and self.checkpoints.best) or self.checkpoints.last
        assert chosen is not None
        return chosen

    def _started_at(self) -> float | None:
        """The training loss of the checkpoint that a fork began from."""
        if self.job.forked_from is None:
            return None
        with self.place.database.reading() as session:
            found = checkpoints.get(session, self.job.number, self.job.forked_epoch)
        return found.values.get("train_loss") if found else None

    def end(self, state: str, reason: str, **values: Any) -> str:
        """End the job in that state with all that it learned so far readable."""
        self.checkpoints.keep_last()
        return self.flush(Ending(state, reason, values))

    def pause(self) -> str:
        """Save where the run stands, exactly, and let the job wait."""
        self.checkpoints.take_position()
        return self.flush(Ending("paused", BY_CALLER["paused"]))

    def give_back(self) -> str:
        """Save where the run stands, exactly, and return the job to the queue."""
        self.checkpoints.take_position()
        return self.flush(Ending("queued", "its worker was stopped"))
