"""One attempt at a job: the loop over its epochs, and how it ends."""

import time
from typing import Any

from sqlalchemy.orm import Session

from engine.fast.paths import make_ready
from engine.glass.histograms import layer_histograms
from engine.models.base import Model
from engine.models.run_state import Epoch
from engine.training.run import train
from engine.training.verdicts import Verdict, not_finite, verdicts
from engine.wording import Sentence, notice, say
from store import checkpoints, replays, results
from store.curves import Recorder
from store.job_request import training_of
from store.states import BY_CALLER
from store.tables import Job
from worker.checkpoints import Checkpoints, Snapshot
from worker.context import WorkerContext
from worker.errors import Stopped, TimeUp
from worker.lease import HeldLease
from worker.loading import Loaded, load
from worker.resuming import resume
from worker.writing import Elapsed, Ending, Writer


def begin(context: WorkerContext, held: HeldLease, job: Job) -> "Attempt":
    """Load the job, take it up where it was left, and compile what it needs. Raises Interrupted, LeaseLost, and what keeps
    the job from being trained.
    """
    started = time.perf_counter()
    loaded = load(context, job, training_of(job.request), held.heed)
    problem = loaded.prepared.problem
    kept = Checkpoints(context.files, held.lease, problem.learner, context.settings.checkpoint_seconds)
    recorder, elapsed = Recorder(job.number), Elapsed()
    writer = Writer(context, held, job, loaded, kept, recorder, elapsed)
    elapsed.share, damaged = resume(context, job, kept, recorder)
    writer.warnings += damaged
    elapsed.load = time.perf_counter() - started
    elapsed.compile = make_ready(problem)
    elapsed.train = (job.train_seconds or 0.0) if kept.state.step else 0.0
    return Attempt(context, held, job, loaded, kept, writer)


class Attempt:
    """An attempt that has begun: it trains epoch by epoch, remembers what each one gave, and ends the job."""

    def __init__(
        self, context: WorkerContext, held: HeldLease, job: Job, loaded: Loaded, kept: Checkpoints, writer: Writer
    ) -> None:
        self.context, self.held, self.job = context, held, job
        self.training, self.problem = loaded.training, loaded.prepared.problem
        self.checkpoints, self.writer, self.elapsed = kept, writer, writer.elapsed
        self.ended_by: str | None = None
        self.last_epoch: int | None = (job.asked or {}).get("to_epoch") if job.kind == replays.KIND else None
        """The epoch that a replay ends after; None of a training, which ends as its request says."""
        self.monitor = self._monitor()

    def _monitor(self) -> str:
        """The value whose least is the best epoch's."""
        stopping, model = self.training.early_stopping, self.training.model
        judged = Model if self.checkpoints.progress.lowest is None else type(model)  # as the run began
        return stopping.monitor if stopping else judged.judged_by(model, self.problem.validation is not None)

    def work(self) -> None:
        """Train to the end. Raises Interrupted, TimeUp, LeaseLost, or what the engine raises."""
        if self.checkpoints.state.epoch == self.job.forked_epoch and not self.checkpoints.state.place:
            self._look_inside()
        before, started = self.elapsed.train, self.context.clock()
        self._listen()
        for epoch in train(self.problem, self.checkpoints.state):
            self.elapsed.train = before + self.context.clock() - started
            self.elapsed.share = epoch.done
            if epoch.whole:
                self._take(epoch)
                if self._is_over(epoch):  # before listening: what is over must not be taken up again after a stop
                    return
            elif self._is_time_up():
                return
            self._listen()

    def _listen(self) -> None:
        """Write what is due to be written, and heed what the caller or the machine wants. Raises Interrupted, LeaseLost."""
        self.held.heed()
        if self.context.stopping():
            raise Stopped
        due = self.writer.is_due
        if self.checkpoints.is_due:
            self.checkpoints.take_position()
            due = True
        if due:
            self.writer.flush()

    def _take(self, epoch: Epoch) -> None:
        """Remember an epoch's numbers, and its arrays where they are due or the best yet."""
        values = {"epoch": epoch.number, **epoch.values}
        self.writer.take(epoch, values, self.checkpoints.state.step)
        self._warn(not_finite(self.problem, epoch))
        improved = self._improves(epoch)
        every = self.training.record.checkpoint_every
        periodic = every is not None and epoch.number % every == 0
        self.checkpoints.take_epoch(epoch.number, values, improved, periodic, epoch.values["seconds"] or 0.0)
        every = self.training.record.histograms_every
        if every is not None and epoch.number % every == 0:
            self._look_inside()

    def _look_inside(self) -> None:
        """Remember how every layer's numbers are spread, where there are layers."""
        if not self.problem.learner.layers:
            return
        state = self.checkpoints.state
        self.writer.pending.histograms[state.epoch] = layer_histograms(self.problem, state)

    def _warn(self, *found: Verdict | None) -> None:
        self.writer.warn(*(None if verdict is None else verdict.notice for verdict in found))

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
        return epoch.number == self.last_epoch or epoch.converged or self._is_time_up()

    def _is_time_up(self) -> bool:
        """Whether max_seconds are over and the last whole epoch can be kept; a short one is waited for. Raises TimeUp."""
        most, last = self.training.max_seconds, self.checkpoints.last
        if self.elapsed.train <= most:
            return False
        if last is None:
            share, seconds = self.elapsed.share, self.elapsed.train
            detail = f"max_seconds is {most:g}, and {share:.0%} of the first epoch took {seconds:.1f} s"
            raise TimeUp(f"{detail}: nothing is learned before an epoch is whole; set max_seconds higher")
        if not last.can_be_kept and self.checkpoints.state.place:
            return False
        self._end_early(
            "MAX_SECONDS", say("stopped after epoch {epoch}: max_seconds is {most}", epoch=last.epoch, most=f"{most:g}")
        )
        return True

    def _end_early(self, code: str, detail: Sentence) -> None:
        self.ended_by = code.lower()
        self.writer.warnings.append(notice(code, detail))

    def succeed(self) -> str:
        """Save the last and the best epoch, make the model or compare the replay, and end the job. Raises Diverged as
        `verdicts` does.
        """
        if self.job.kind == replays.KIND:
            self.checkpoints.keep_last()
            return self.writer.flush(Ending("succeeded", self.ended_by, settle=self._compare))
        chosen = self._chosen()
        self._warn(*verdicts(self.problem, chosen.values, self._started_at()))
        every = self.training.record.histograms_every
        if every is not None and self.checkpoints.state.epoch % every:
            self._look_inside()  # at the end, whenever that is
        self.checkpoints.keep_last()
        ids = {"model_id": self.writer.model_id}
        return self.writer.flush(
            Ending("succeeded", self.ended_by, ids, lambda session: self.writer.make_model(session, chosen))
        )

    def _compare(self, session: Session) -> None:
        """Hold the replay against what its parent recorded, and keep the result."""
        job = session.get_one(Job, self.job.number)
        results.keep(session, self.context.files, job.number, replays.result(session, self.context.files, job))

    def _chosen(self) -> Snapshot:
        """The epoch that the model is made of."""
        chosen = (self.training.early_stopping and self.checkpoints.best) or self.checkpoints.last
        assert chosen is not None
        return chosen

    def _started_at(self) -> float | None:
        """The training loss of the checkpoint that a fork began from."""
        if self.job.forked_from is None:
            return None
        with self.context.database.reading() as session:
            found = checkpoints.get(session, self.job.number, self.job.forked_epoch)
        return found.values.get("train_loss") if found else None

    def end(self, state: str, reason: str, **values: Any) -> str:
        """End the job in that state with all that it learned so far readable."""
        self.checkpoints.keep_last()
        return self.writer.flush(Ending(state, reason, values))

    def pause(self) -> str:
        """Save where the run stands, exactly, and let the job wait."""
        self.checkpoints.take_position()
        return self.writer.flush(Ending("paused", BY_CALLER["paused"]))

    def give_back(self) -> str:
        """Save where the run stands, exactly, and return the job to the queue."""
        self.checkpoints.take_position()
        return self.writer.flush(Ending("queued", "its worker was stopped"))
