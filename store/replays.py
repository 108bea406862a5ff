"""Replays: a stretch of a job's epochs is trained again from its checkpoint, as a job of its own, and held against what was
recorded.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from engine.errors import InvalidSpec
from store import checkpoints, datasets, jobs, queue, retention, turns
from store.checkpoints import Kept
from store.connections import Store
from store.files import Files
from store.keys import Caller
from store.submission import Settle
from store.tables import Checkpoint, CurvePoint, Job, Model, Series
from store.tensors import pack

KIND = "replay"
UNCOMPARED = ("progress",)
"""Arrays of a checkpoint that are not the run's numbers: a fork's memory of its best epoch begins anew."""


@dataclass(frozen=True)
class Difference:
    """The first number that came out otherwise: on a curve after an epoch or a step, or in an array of a checkpoint."""

    what: str
    name: str
    at: int
    index: tuple[int, ...] | None
    then: float | None
    now: float | None


def submit(store: Store, caller: Caller, job_id: str, from_epoch: int | None, to_epoch: int | None, settle: Settle) -> Job:
    """Store a replay of that job and send it to its queue. By default it begins where the job did and ends with its last
    epoch. Raises NotFound, Removed, TooManyQueued, ContentMissing, ContentDamaged, or InvalidSpec, which points at
    `/from_epoch` or `/to_epoch`.
    """
    with store.database.transaction() as session:
        turns.refuse_beyond(session, caller.owner, store.settings.max_queued_per_owner)
        parent = jobs.get(session, job_id, caller.sees)
        jobs.refuse_slice(parent)
        datasets.of_job(session, parent, lock=True)
        job = _create(session, store.files, caller.owner, parent, from_epoch, to_epoch)
        settle(session, job)
    queue.send(job.id, job.queue)
    return job


def _create(session: Session, files: Files, owner: str, parent: Job, from_epoch: int | None, to_epoch: int | None) -> Job:
    if parent.curves_removed_at is not None:
        raise retention.removed(parent, "curves", ())
    first = parent.forked_epoch if from_epoch is None else from_epoch
    last = parent.epoch if to_epoch is None else to_epoch
    if last > parent.epoch:
        raise InvalidSpec([("/to_epoch", f"the job has recorded epochs up to {parent.epoch}; end with one of these")])
    if last <= first:
        raise InvalidSpec(
            [("/to_epoch", f"the replay begins after epoch {first}; end with a later one, {parent.epoch} at most")]
        )
    checkpoint = _beginning(session, parent, first)
    given: dict[str, Any] = {
        "kind": KIND, "parent": parent.id, "asked": {"from_epoch": first, "to_epoch": last}, "epochs": last, "epoch": first,
        "queue": parent.queue, "parameters": parent.parameters, "table_digest": parent.table_digest,
    }  # fmt: skip
    if checkpoint is None:
        return jobs.create(session, owner, parent.request, **given)
    arrays = checkpoints.load(session, files, parent, checkpoint)
    given |= {
        "forked_from": parent.id, "forked_epoch": first, "latest": checkpoint.values, "fitted": parent.fitted,
        "fraction": first / last,
    }  # fmt: skip
    job = jobs.create(session, owner, parent.request, **given)
    checkpoints.begin(session, files, job, pack(arrays), checkpoint.values)
    return job


def _beginning(session: Session, parent: Job, epoch: int) -> Checkpoint | None:
    """The checkpoint that a replay begins from; None before training. Raises InvalidSpec where none is kept."""
    if epoch == 0 and parent.forked_from is None:
        return None
    kept = Kept.of(session, parent)
    found = kept.get(epoch)
    if found is None:
        there = ", ".join(map(str, [*([] if parent.forked_from else [0]), *kept.by_epoch]))
        raise InvalidSpec([("/from_epoch", f"no weights of epoch {epoch} are kept to begin from; there are those of {there}")])
    return found


def result(session: Session, files: Files, replay: Job) -> dict[str, Any]:
    """What the replay came to: whether every number of the curves and weights agrees with its parent's to the bit, or the
    first that does not, how much was compared, and both versions. Raises NotFound where the parent was deleted.
    """
    assert replay.parent is not None
    parent = jobs.get(session, replay.parent, None)
    found, points, series = _curves(session, parent, replay)
    differing, epochs = _weights(session, files, parent, replay)
    first = min((each for each in (found, differing) if each is not None), key=lambda each: each.at, default=None)
    made_with = parent.versions or session.scalars(select(Model.versions).where(Model.job_id == parent.id)).one_or_none()
    return {
        "agrees": first is None,
        "from_epoch": replay.forked_epoch,
        "to_epoch": replay.epoch,
        "compared": {"curve_points": points, "series": series, "weights_of_epochs": epochs},
        "first_difference": None if first is None else asdict(first),
        "versions": {"then": made_with, "now": replay.versions},
    }


def _curves(session: Session, parent: Job, replay: Job) -> tuple[Difference | None, int, list[str]]:
    """The first point that differs, how many were compared, and on which curves."""
    then, now = aliased(CurvePoint), aliased(CurvePoint)
    same_step = (then.job_number == parent.number) & (then.series_number == now.series_number) & (then.step == now.step)
    pairs = (
        select(Series.name, now.step, then.value.label("then"), now.value.label("now"))
        .select_from(now)
        .join(Series, Series.number == now.series_number)
        .outerjoin(then, same_step)
        .where(now.job_number == replay.number, Series.name != "seconds")
    )
    differs = or_(then.step.is_(None), then.value.is_distinct_from(now.value))
    first = session.execute(pairs.where(differs).order_by(now.step, Series.number).limit(1)).one_or_none()
    counts = session.execute(
        select(Series.name, func.count())
        .select_from(now)
        .join(Series, Series.number == now.series_number)
        .where(now.job_number == replay.number, Series.name != "seconds")
        .group_by(Series.name, Series.number)
        .order_by(Series.name)
    ).all()
    found = None if first is None else Difference("curve", first.name, first.step, None, first.then, first.now)
    return found, sum(count for _, count in counts), [name for name, _ in counts]


def _weights(session: Session, files: Files, parent: Job, replay: Job) -> tuple[Difference | None, list[int]]:
    """The first number that differs among the checkpoints that both have kept, and the epochs of these."""
    theirs = {each.epoch: each for each in checkpoints.of_job(session, parent.number)}
    ours = [each for each in checkpoints.of_job(session, replay.number) if each.epoch > replay.forked_epoch]
    epochs = [each.epoch for each in ours if each.epoch in theirs]
    for checkpoint in ours:
        before = theirs.get(checkpoint.epoch)
        if before is None or before.digest == checkpoint.digest:
            continue
        then = checkpoints.load(session, files, parent, before)
        now = checkpoints.load(session, files, replay, checkpoint)
        for name in sorted(then.keys() | now.keys()):
            if name in UNCOMPARED:
                continue
            found = _first_difference(then.get(name), now.get(name))
            if found is not None:
                return Difference("weights", name, checkpoint.epoch, *found), epochs
    return None, epochs


def _first_difference(
    then: np.ndarray | None, now: np.ndarray | None
) -> tuple[tuple[int, ...] | None, float | None, float | None] | None:
    """The index and both numbers of the first that differs in its bits; None where none does."""
    if then is None or now is None or then.shape != now.shape or then.dtype != now.dtype:
        return None if then is now else (None, None, None)
    if then.tobytes() == now.tobytes():
        return None
    bits = f"u{then.dtype.itemsize}"
    index = np.unravel_index(int(np.flatnonzero(then.reshape(-1).view(bits) != now.reshape(-1).view(bits))[0]), then.shape)
    place = tuple(int(part) for part in index)
    return place, float(then[place]), float(now[place])
