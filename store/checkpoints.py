"""Checkpoints of a job: those of whole epochs, and the position within one. They are saved, found, opened, gone on from and
dropped here, and nowhere else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from store import leases, retention
from store.database import is_sqlite, put_row
from store.errors import ContentDamaged, ContentMissing, NotFound
from store.files import Files, Part
from store.job_request import training_of
from store.leases import Lease
from store.states import DONE
from store.tables import Blob, Checkpoint, Job, Position
from store.tensors import unpack

ResumePoint = Checkpoint | Position
"""A point that a run can go on from."""
TRAIN_AGAIN = "a job with the same request makes the same weights, which mends these, or restore a backup"
"""Remedy for weights that are damaged."""

# --- saved and dropped by the worker that holds the job


def save(
    session: Session, files: Files, lease: Lease, epoch: int, content: bytes, replaces: bool = True, **values: Any
) -> Checkpoint:
    """Keep a checkpoint; the same epoch's is replaced, for which `replaces` has it looked for. Raises LeaseLost."""
    leases.fence(session, lease)
    if replaces:
        forget(session, files, lease, [epoch])
    checkpoint = Checkpoint(job_number=lease.job_number, epoch=epoch, digest=files.put(session, content), **values)
    put_row(session, checkpoint)
    return checkpoint


def begin(session: Session, files: Files, job: Job, content: bytes, values: dict[str, Any]) -> None:
    """Keep the checkpoint that a fork begins from, of the epoch that it stands at. It stays, like those that were asked for:
    there is no other beginning to fall back on.
    """
    digest = files.put(session, content)
    session.add(Checkpoint(job_number=job.number, epoch=job.epoch, digest=digest, values=values, periodic=True))
    session.flush()


def forget(session: Session, files: Files, lease: Lease, epochs: Sequence[int]) -> None:
    """Drop the checkpoints of these epochs and free what they held."""
    mine = (Checkpoint.job_number == lease.job_number, Checkpoint.epoch.in_(epochs))
    digests = session.scalars(select(Checkpoint.digest).where(*mine)).all()
    if digests:
        session.execute(delete(Checkpoint).where(*mine))
        files.release(session, digests)


def save_position(session: Session, files: Files, lease: Lease, position: Position, content: bytes) -> None:
    """Keep where the run stands within an epoch, in place of the position before. Raises LeaseLost."""
    leases.fence(session, lease)
    forget_position(session, files, lease.job_number)
    position.job_number, position.digest = lease.job_number, files.put(session, content)
    session.add(position)
    session.flush()


def forget_position(session: Session, files: Files, number: int) -> None:
    """Drop the job's position, which something later has made needless, and free what it held."""
    digests = session.scalars(select(Position.digest).where(Position.job_number == number)).all()
    if digests:
        session.execute(delete(Position).where(Position.job_number == number))
        files.release(session, digests)


def forget_positions_of_done(session: Session, files: Files) -> None:
    """Drop the positions of jobs that are done, with what was lent to them: they go on from nowhere."""
    done = select(Job.number, Job.kind).join(Position, Job.number == Position.job_number).where(Job.state.in_(DONE))
    for number, kind in session.execute(done).all():
        forget_position(session, files, number)
        if kind == "slice":
            digests = session.scalars(select(Checkpoint.digest).where(Checkpoint.job_number == number)).all()
            session.execute(delete(Checkpoint).where(Checkpoint.job_number == number))
            files.release(session, digests)


def lend(session: Session, lender: Job, borrower: Job, epochs: Iterable[int]) -> None:
    """Have a slice hold the checkpoints that its parent has of these epochs: their content stays until both are through with
    it. Raises NotFound.
    """
    lent = [checkpoint for epoch in sorted(epochs) if (checkpoint := at(session, lender, epoch)) is not None]
    wanted = [checkpoint.digest for checkpoint in lent]
    session.execute(select(Blob.digest).where(Blob.digest.in_(wanted)).with_for_update())  # see Files.release
    for each in lent:
        given = {"epoch": each.epoch, "digest": each.digest, "values": each.values, "periodic": True}
        session.add(Checkpoint(job_number=borrower.number, **given))
    session.flush()


def drop_damaged(session: Session, files: Files, lease: Lease, damaged: Sequence[ResumePoint]) -> None:
    """Forget those whose content is not what was written; the run has written to its row in this transaction."""
    for point in damaged:
        if isinstance(point, Position):
            forget_position(session, files, lease.job_number)
        else:
            forget(session, files, lease, [point.epoch])


# --- found


def of_job(session: Session, number: int) -> Sequence[Checkpoint]:
    """The job's checkpoints of whole epochs, oldest first."""
    return session.scalars(select(Checkpoint).where(Checkpoint.job_number == number).order_by(Checkpoint.epoch)).all()


def get(session: Session, number: int, epoch: int) -> Checkpoint | None:
    """The job's checkpoint of that epoch; None where none is kept."""
    return session.get(Checkpoint, (number, epoch))


def digests(session: Session, number: int) -> list[str]:
    """The content that the job's checkpoints and its position hold."""
    found: list[str] = []
    for table in (Checkpoint, Position):
        found += session.scalars(select(table.digest).where(table.job_number == number)).all()
    return found


@dataclass(frozen=True)
class Kept:
    """The checkpoints that are kept of a job, by epoch, and the epochs that names stand for."""

    job: Job
    by_epoch: dict[int, Checkpoint]

    @classmethod
    def of(cls, session: Session, job: Job) -> "Kept":
        return cls(job, {checkpoint.epoch: checkpoint for checkpoint in of_job(session, job.number)})

    @property
    def are_cut(self) -> bool:
        """Whether some were removed, some time after the job's end."""
        return self.job.checkpoints_removed_at is not None

    @property
    def last(self) -> int:
        """The last epoch; 0 while none is kept."""
        return self.job.epoch if self.are_cut else max(self.by_epoch, default=0)

    @property
    def best(self) -> int | None:
        """The best epoch so far, which may not be kept yet; None where no epoch was the best."""
        found: int | None = (self.job.best or {}).get("epoch")
        return found

    def get(self, epoch: int) -> Checkpoint | None:
        """The checkpoint of the epoch; None where there is none. Raises Removed where it may have been removed."""
        if epoch not in self.by_epoch and self.are_cut:
            raise retention.removed(self.job, "checkpoints", self.by_epoch)
        return self.by_epoch.get(epoch)


def find(session: Session, job: Job, epoch: str) -> Checkpoint | None:
    """The job's checkpoint of an epoch by number, `last`, `best`, or `model`: that of the job's model, or while there is none
    the last. None for 0, the weights before training, which are worked out anew; of a fork that is where it began.

    Raises NotFound with what there is instead, or Removed.
    """
    if job.kind == "slice":
        raise NotFound(f"job '{job.id}' is a slice of the loss of '{job.parent}' and has no weights; look at that one's")
    kept = Kept.of(session, job)
    if epoch == "0" and has_start(job):
        return None
    if not kept.by_epoch and not kept.are_cut:
        raise NotFound(f"job '{job.id}' has kept no weights yet; they come with its first checkpoint")
    best = kept.last if kept.best is None else kept.best
    stopped = job.state == "succeeded" and job.request.get("early_stopping") is not None
    named = {"last": kept.last, "best": best, "model": best if stopped else kept.last, "0": job.forked_epoch}
    wanted = named[epoch] if epoch in named else int(epoch)
    found = kept.get(wanted)
    if found is None and epoch == "best":
        raise NotFound(f"epoch {wanted}, the best so far, is kept with the next checkpoint; ask again then")
    if found is None:
        there = ", ".join(map(str, sorted(kept.by_epoch)))
        raise NotFound(f"no weights of epoch {wanted} are kept; there are those of {there}")
    return found


def at(session: Session, job: Job, epoch: int) -> Checkpoint | None:
    """The job's checkpoint of that very epoch; None for 0 where that is worked out anew. Raises NotFound or Removed."""
    if epoch == 0 and has_start(job):
        return None
    return get(session, job.number, epoch) or find(session, job, str(epoch))


def has_start(job: Job) -> bool:
    """Whether the job's weights before training can be worked out anew: where the seed and what was fitted tell them."""
    return job.forked_from is None and job.fitted is not None and training_of(job.request).model.has_start


# --- opened


def load(session: Session, files: Files, job: Job, checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    """The arrays that a checkpoint of the job holds. Raises ContentMissing or ContentDamaged."""
    part = Part(_name(job.id, checkpoint), "the job's curves and its other checkpoints still work", TRAIN_AGAIN)
    return unpack(files.get(session, checkpoint.digest, part))


def _name(job_id: str, point: ResumePoint) -> str:
    return f"the checkpoint of job '{job_id}' after epoch {point.epoch}"


# --- gone on from


def position_of(session: Session, files: Files, job: Job) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The values and the arrays of the position at which a slice stands, which began with one; no arrays where these are
    damaged: it begins again.
    """
    found = session.get_one(Position, job.number)
    try:
        return found.values, unpack(files.get(session, found.digest, Part(_name(job.id, found))))
    except (ContentDamaged, ContentMissing):
        return found.values, {}


@dataclass(frozen=True)
class Resumable:
    """The latest point that a job can go on from, with its arrays; None where there is no whole one. All other points that
    may be whole stand in `points`, in `damaged` those that are not.
    """

    point: ResumePoint | None = None
    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    points: Sequence[ResumePoint] = ()
    damaged: Sequence[ResumePoint] = ()


def resume_points(session: Session, number: int) -> Sequence[ResumePoint]:
    """All that the job could go on from, the latest first."""
    found: list[ResumePoint] = [*of_job(session, number)]
    found += session.scalars(select(Position).where(Position.job_number == number)).all()
    return sorted(found, key=lambda point: (point.epoch, steps_within(point)), reverse=True)


def steps_within(point: ResumePoint) -> int:
    """How far within an epoch: 0 at the end of a whole one."""
    return point.place if isinstance(point, Position) else 0


def latest(session: Session, files: Files, lease: Lease) -> Resumable:
    """The latest point whose content is whole. Damaged are, on SQLite, where all processes share a folder, those that are
    missing, too. Raises ContentMissing elsewhere: another machine may have them.
    """
    damaged: list[ResumePoint] = []
    points = resume_points(session, lease.job_number)
    for point in points:
        try:
            arrays = unpack(files.get(session, point.digest, Part(_name(lease.job_id, point))))
        except (ContentDamaged, ContentMissing) as error:
            if isinstance(error, ContentMissing) and not is_sqlite(session):
                raise
            damaged.append(point)
            continue
        return Resumable(point, arrays, [each for each in points if each not in damaged], damaged)
    return Resumable(damaged=damaged)
