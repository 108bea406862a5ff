"""One attempt at a job while it trains: what it learns, what is kept of it, and how it is written down."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import structlog
from sqlalchemy.exc import OperationalError

from engine.histograms import LayerHistogram, layer_histograms
from engine.prepare import Prepared, prepare
from engine.train import Epoch, State, train
from store import curves, datasets, jobs, models
from store.database import Database
from store.errors import LeaseLost, StorageFull
from store.files import Files
from store.requests import training_of
from store.settings import Settings
from store.tables import Checkpoint, Histograms, Job
from worker.lease import HeldLease

FLUSH_SECONDS = 0.5
FLUSH_POINTS = 5_000
RETRY_SECONDS = 0.2
log = structlog.get_logger()


@dataclass(frozen=True)
class Workplace:
    """What every run of a worker process shares. `stopping` says that the process is about to end."""

    settings: Settings
    database: Database
    files: Files
    name: str
    stopping: Callable[[], bool] = lambda: False


class Stopped(Exception):
    """The worker process is ending: the job goes back to the queue."""


class Cancelled(Exception):
    """The caller wants the job to end."""


@dataclass
class Progress:
    """What early stopping and the best epoch need to remember; as an array it travels in every checkpoint."""

    best_value: float = float("inf")
    best_epoch: int = 0
    waited: int = 0

    def array(self) -> np.ndarray:
        return np.array([self.best_value, self.best_epoch, self.waited], np.float64)

    @classmethod
    def from_array(cls, array: np.ndarray) -> "Progress":
        return cls(float(array[0]), int(array[1]), int(array[2]))


@dataclass
class Snapshot:
    """The arrays of a run after an epoch, with that epoch's values."""

    epoch: int
    arrays: dict[str, np.ndarray]
    values: dict[str, Any]
    periodic: bool = False
    saved: bool = False


@dataclass
class Pending:
    """What has been learned since the last write to the database."""

    values: dict[str, Any] = field(default_factory=dict)
    snapshots: list[Snapshot] = field(default_factory=list)
    histograms: dict[int, list[LayerHistogram]] = field(default_factory=dict)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    since: float = field(default_factory=time.monotonic)


class Recording:
    """One attempt at a job: the problem as posed, where the run stands, and what is still to be written down."""

    def __init__(self, place: Workplace, held: HeldLease) -> None:
        started = time.perf_counter()
        self.place, self.held, self.lease = place, held, held.lease
        with place.database.reading() as session:
            self.job = session.get_one(Job, self.lease.job_number)
            self.training = training_of(self.job.request)
            dataset = datasets.get(session, self.job.dataset_id, None)
            table = datasets.load(session, place.files, dataset)
            resumed = jobs.checkpoints(session, self.job.number)[-1:] if self.lease.attempt > 1 else []
            arrays = models.unpack(place.files.get(session, resumed[0].digest)) if resumed else None
        self.dataset_sha256 = dataset.digest
        columns = datasets.columns(table, dataset, self.training.columns)
        self.prepared: Prepared = prepare(self.training, columns)
        self.fitted = models.fitted_of(self.prepared)
        self.network = self.prepared.problem.network
        self.recorder = curves.Recorder(self.job.number)
        self.pending = Pending(warnings=list(self.job.warnings))
        self.told = len(self.job.warnings)
        self.state, self.progress = State(), Progress()
        self.ended_by: str | None = None
        self.last: Snapshot | None = None
        self.best: Snapshot | None = None
        if arrays is not None:
            self._resume(resumed[0], arrays)
        elif self.lease.attempt > 1:
            self._rewind(0)
        self.load_seconds = time.perf_counter() - started
        self.train_seconds = self.seconds_before = (self.job.train_seconds or 0.0) if arrays is not None else 0.0
        has_validation = self.prepared.problem.validation is not None
        stopping = self.training.early_stopping
        self.monitor = stopping.monitor if stopping else ("validation_loss" if has_validation else "train_loss")

    def _resume(self, checkpoint: Checkpoint, arrays: dict[str, np.ndarray]) -> None:
        """Go back to a checkpoint: arrays, curves, and the best epoch so far, which was saved with it or before."""
        self.progress = Progress.from_array(arrays.pop("progress"))
        self.state = State.from_arrays(arrays, self.network)
        snapshot = Snapshot(checkpoint.epoch, arrays, checkpoint.values, checkpoint.periodic, saved=True)
        self.last = snapshot
        self._rewind(checkpoint.epoch)
        with self.place.database.reading() as session:
            best = session.get(Checkpoint, (self.job.number, self.progress.best_epoch))
        if best is not None:
            self.best = Snapshot(best.epoch, {}, best.values, best.periodic, saved=True)

    def _rewind(self, epoch: int) -> None:
        """Forget what the attempt before recorded after that epoch; it is trained, and recorded, again."""
        with self.place.database.transaction() as session:
            jobs.update_row(session, self.lease, epoch=epoch)
            self.recorder.rewind(session, epoch, self.state.step)

    def train(self) -> None:
        """Train to the end. Raises Cancelled, Stopped, LeaseLost, or what the engine raises."""
        started = time.perf_counter()
        try:
            for epoch in train(self.prepared.problem, self.state):
                self.train_seconds = self.seconds_before + time.perf_counter() - started
                if epoch.whole:
                    self._take(epoch)
                    if self._is_over(epoch):  # before listening: what is over must not be taken up again after a stop
                        return
                self._listen()
        finally:
            self.train_seconds = self.seconds_before + time.perf_counter() - started

    def _listen(self) -> None:
        if self.held.lost:
            raise LeaseLost("the lease is another's")
        due = time.monotonic() - self.pending.since > FLUSH_SECONDS or len(self.recorder.points) > FLUSH_POINTS
        if due and self.pending.values:
            self.flush()
        if self.held.state == "cancelling":
            raise Cancelled
        if self.place.stopping():
            raise Stopped

    def _take(self, epoch: Epoch) -> None:
        """Remember an epoch's numbers, and its arrays where they are due or the best yet."""
        values = {"epoch": epoch.number, **epoch.values}
        self.recorder.add(epoch.number, epoch.values)
        if epoch.batch_losses is not None:
            first = self.state.step - len(epoch.batch_losses) + 1
            for step, loss in enumerate(epoch.batch_losses.tolist(), start=first):
                self.recorder.add(step, {"batch_loss": loss})
        self.pending.values = values
        self.pending.warnings += epoch.warnings
        watched = epoch.values[self.monitor]
        min_delta = self.training.early_stopping.min_delta if self.training.early_stopping else 0.0
        improved = watched is not None and watched < self.progress.best_value - min_delta
        self.progress.waited = 0 if improved else self.progress.waited + 1
        if improved:
            assert watched is not None
            self.progress.best_value, self.progress.best_epoch = watched, epoch.number
        every = self.training.record.checkpoint_every
        periodic = every is not None and epoch.number % every == 0
        self.last = Snapshot(epoch.number, self._arrays() if improved or periodic else {}, values, periodic)
        if improved:
            self.best = self.last
        every = self.training.record.histograms_every
        if every is not None and epoch.number % every == 0:
            self.pending.histograms[epoch.number] = layer_histograms(self.prepared.problem)
        if periodic:
            self.pending.snapshots.append(self.last)

    def _arrays(self) -> dict[str, np.ndarray]:
        return {**self.state.arrays(self.network), "progress": self.progress.array()}

    def _is_over(self, epoch: Epoch) -> bool:
        stopping = self.training.early_stopping
        if stopping is not None and self.progress.waited >= stopping.patience:
            self._end_early("EARLY_STOPPED", f"{stopping.monitor} has not fallen for {stopping.patience} epochs")
            return True
        if self.train_seconds > self.training.max_seconds:
            self._end_early("MAX_SECONDS", f"stopped after epoch {epoch.number}: max_seconds is {self.training.max_seconds:g}")
            return True
        return epoch.converged

    def _end_early(self, code: str, detail: str) -> None:
        self.ended_by = code.lower()
        self.pending.warnings.append({"code": code, "detail": detail})

    def flush(self, session_work: Callable[[Any], str] | None = None) -> str:
        """Write what is pending, in one transaction that the lease fences, and `session_work` at its end. Where the
        database is out of reach, or the disk full, it is tried again for as long as the lease lasts.
        """
        deadline = time.monotonic() + self.place.settings.lease_seconds
        while True:
            try:
                return self._write(session_work)
            except (OperationalError, StorageFull) as error:  # out of reach, or a deadlock, or no room: nothing was written
                if time.monotonic() > deadline:
                    raise
                log.warning("not written; trying again", job_id=self.lease.job_id, error=str(getattr(error, "orig", error)))
                time.sleep(RETRY_SECONDS)

    def _write(self, session_work: Callable[[Any], str] | None) -> str:
        if self.held.lost:
            raise LeaseLost("the lease is another's")
        to_save = [snapshot for snapshot in self.pending.snapshots if not snapshot.saved]
        if to_save and self.best is not None and not self.best.saved and self.best not in to_save:
            to_save.insert(0, self.best)  # a checkpoint to resume from is of no use without the best epoch before it
        with self.place.database.transaction() as session:
            jobs.update_row(session, self.lease, **self._row(bool(to_save)))
            self.recorder.write(session)
            for warning in self.pending.warnings[self.told :]:
                jobs.log(session, self.job.number, warning["detail"])
            for epoch, layers in self.pending.histograms.items():
                session.merge(Histograms(job_number=self.job.number, epoch=epoch, layers=[asdict(layer) for layer in layers]))
            for snapshot in to_save:
                content = models.pack(snapshot.arrays)
                values, files = snapshot.values, self.place.files
                jobs.save_checkpoint(
                    session, files, self.lease, snapshot.epoch, content, periodic=snapshot.periodic, values=values
                )
            if to_save:
                self._forget_superseded(session)
            outcome = session_work(session) if session_work else "running"
        for snapshot in to_save:
            snapshot.saved = True
        self.pending = Pending(warnings=self.pending.warnings)
        self.told = len(self.pending.warnings)
        return outcome

    def _row(self, has_checkpoint: bool) -> dict[str, Any]:
        row: dict[str, Any] = {
            "warnings": self.pending.warnings,
            "load_seconds": self.load_seconds,
            "train_seconds": self.train_seconds,
            "parameters": self.network.parameters.size,
            "fitted": self.fitted,
            "device": "cpu" if self.network.xp is np else "cuda",
            "best": self.best.values if self.best else None,
        }
        if self.pending.values:
            row |= {"epoch": self.pending.values["epoch"], "latest": self.pending.values}
        if has_checkpoint:
            row["lost_attempts"] = 0
        return row

    def _forget_superseded(self, session: Any) -> None:
        """Of the checkpoints that were not asked for, only the best and the last are kept."""
        kept = {self.best.epoch if self.best else None, self.last.epoch if self.last else None}
        others = [c.epoch for c in jobs.checkpoints(session, self.job.number) if not c.periodic and c.epoch not in kept]
        if others:
            jobs.forget_checkpoints(session, self.place.files, self.lease, others)

    def _keep_last(self) -> None:
        """Make sure that the best and the last whole epoch are saved. Within an epoch the last one's arrays are gone."""
        best = self.best
        if best is not None and best.arrays and not best.saved and best not in self.pending.snapshots:
            self.pending.snapshots.append(best)
        if self.last is None or self.last.saved:
            return
        if not self.last.arrays and self.state.epoch == self.last.epoch:
            self.last.arrays = self._arrays()
        if self.last.arrays and self.last not in self.pending.snapshots:
            self.pending.snapshots.append(self.last)

    def succeed(self) -> str:
        """Save the last and the best epoch, make the model, and end the job."""
        self._keep_last()

        def make_model(session: Any) -> str:
            chosen = self.best if self.training.early_stopping else self.last
            assert chosen is not None
            checkpoint = session.get_one(Checkpoint, (self.job.number, chosen.epoch))
            job = session.get_one(Job, self.job.number)
            model = models.create(session, job, checkpoint, self.fitted, self.dataset_sha256)
            state = jobs.finish(session, self.lease, "succeeded", self.ended_by, model_id=model.id)
            if state != "succeeded":
                models.delete(session, self.place.files, model)
            return state

        return self.flush(make_model)

    def end(self, state: str, reason: str, **values: Any) -> str:
        """End the job in that state with all that it learned so far readable."""
        self._keep_last()
        return self.flush(lambda session: jobs.finish(session, self.lease, state, reason, **values))

    def give_back(self) -> str:
        """Save where the run stands and return the job to the queue."""
        self._keep_last()

        def release(session: Any) -> str:
            jobs.release(session, self.lease, "its worker was stopped")
            return "queued"

        return self.flush(release)
