"""Taking a job up again where an attempt before, or the job that it was forked from, left it."""

from typing import Any

from engine.wording import notice, say
from store import checkpoints, leases
from store.curves import Recorder
from store.errors import ContentDamaged
from store.tables import Job
from worker.checkpoints import Checkpoints
from worker.context import WorkerContext


def resume(context: WorkerContext, job: Job, kept: Checkpoints, recorder: Recorder) -> tuple[float, list[dict[str, Any]]]:
    """Go back to the latest point that is whole, and forget what was recorded after it: that is trained, and recorded, again.

    Returns the share of the epoch at hand that is done there, from 0 to 1, and a warning of each point that is damaged.
    Raises ContentDamaged where a fork has nothing left to begin from, ContentMissing, LeaseLost.
    """
    if kept.lease.attempt == 1 and job.forked_from is None:
        return 0.0, []
    with context.database.reading() as session:
        damaged = kept.resume(session)
    state, last, best = kept.state, kept.last, kept.best
    if state.epoch < job.forked_epoch:
        begun = f"after epoch {job.forked_epoch} of '{job.forked_from}'"
        raise ContentDamaged(f"the checkpoint that this job began from, {begun}, is damaged; fork that one again")
    share = min(1.0, max(0.0, job.fraction * job.epochs - state.epoch)) if state.place else 0.0
    reached: dict[str, Any] = {"latest": last.values if last else {}, "best": best.values if best else None}
    reached["fraction"] = (state.epoch + share) / job.epochs
    with context.database.transaction() as session:
        leases.update_row(session, kept.lease, epoch=state.epoch, **reached)
        recorder.rewind(session, state.epoch, state.step - state.place)
        checkpoints.drop_damaged(session, context.files, kept.lease, damaged)
    return share, [
        notice(
            "CHECKPOINT_DAMAGED",
            say(
                "the checkpoint taken after epoch {damaged} is damaged; the run went on from epoch {epoch}",
                damaged=point.epoch,
                epoch=state.epoch,
            ),
        )
        for point in damaged
    ]
