"""The weights of a job after an epoch: those that are kept, and those that it began with."""

from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from engine.models.run_state import COEFFICIENTS
from engine.training.predict import Predictor
from store import jobs, models, retention
from store.errors import NotFound
from store.files import Files, Part
from store.tables import Checkpoint, Job


@dataclass(frozen=True)
class Moment:
    """A job's network after an epoch, and by name other weights of then, as a perceptron's last `beside` its pocket."""

    epoch: int
    predictor: Predictor
    beside: dict[str, Predictor]


def checkpoint_of(session: Session, job: Job, epoch: str) -> Checkpoint | None:
    """The job's checkpoint of an epoch by number, `last`, `best`, or `model`: that of the job's model, or while there is none
    the last. None for 0, the weights before training, which are worked out anew; of a fork that is where it began.

    Raises NotFound with what there is instead, or Removed.
    """
    epochs = {checkpoint.epoch: checkpoint for checkpoint in jobs.checkpoints(session, job.number)}
    if epoch == "0" and job.forked_from is None and job.fitted is not None:
        return None
    is_cut = job.checkpoints_removed_at is not None
    if not epochs and not is_cut:
        raise NotFound(f"job '{job.id}' has kept no weights yet; they come with its first checkpoint")
    last = job.epoch if is_cut else max(epochs)
    best = int((job.best or {}).get("epoch", last))
    stopped = job.state == "succeeded" and job.request.get("early_stopping") is not None
    named = {"last": last, "best": best, "model": best if stopped else last, "0": job.forked_epoch}
    wanted = named.get(epoch)
    wanted = int(epoch) if wanted is None else wanted
    if wanted not in epochs and is_cut:
        raise retention.removed(job, "checkpoints", epochs)
    if wanted not in epochs and epoch == "best":
        raise NotFound(f"epoch {wanted}, the best so far, is kept with the next checkpoint; ask again then")
    if wanted not in epochs:
        raise NotFound(f"no weights of epoch {wanted} are kept; there are those of {', '.join(map(str, sorted(epochs)))}")
    return epochs[wanted]


def arrays_of(session: Session, files: Files, job: Job, checkpoint: Checkpoint) -> dict[str, np.ndarray]:
    """What the job's checkpoint holds. Raises ContentMissing or ContentDamaged."""
    name = f"the checkpoint of job '{job.id}' after epoch {checkpoint.epoch}"
    part = Part(name, "the job's curves and its other checkpoints still work", models.TRAIN_AGAIN)
    return models.unpack(files.get(session, checkpoint.digest, part))


def moment_of(session: Session, files: Files, job: Job, epoch: str) -> Moment:
    """The job's network after that epoch. Raises NotFound as `checkpoint_of` does."""
    return moment_at(session, files, job, checkpoint_of(session, job, epoch))


def moment_at(session: Session, files: Files, job: Job, checkpoint: Checkpoint | None) -> Moment:
    """The job's network at a checkpoint that `checkpoint_of` found, or before training."""
    fitted = job.fitted or {}
    arrays = {} if checkpoint is None else arrays_of(session, files, job, checkpoint)
    predictor = models.predictor_of(job.request, fitted, arrays.get("theta"), arrays.get(COEFFICIENTS))
    names = [name for name in predictor.training.model.beside if checkpoint is None or name in arrays]
    beside = {name: models.predictor_of(job.request, fitted, arrays.get(name)) for name in names}
    return Moment(0 if checkpoint is None else checkpoint.epoch, predictor, beside)
