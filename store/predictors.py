"""Jobs and models ready to predict: from what is stored of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from cachetools import LRUCache, cached
from sqlalchemy.orm import Session

from engine.models.run_state import COEFFICIENTS
from engine.network.network import Network
from engine.training.predict import Predictor
from store import checkpoints
from store.checkpoints import TRAIN_AGAIN
from store.files import Files, Part
from store.fitted import FEATURES, TARGET, stored_readings
from store.job_request import training_of
from store.readings import records as recorded
from store.readings.records import Record
from store.readings.stored import Readings
from store.tables import Checkpoint, Job, Model
from store.tensors import unpack

CACHED_PREDICTORS = 32
MOST_EPOCHS, MOST_NUMBERS = 100, 10_000_000
"""Epochs of a run that are opened at once, and the parameters of all of them."""


@cached(LRUCache(CACHED_PREDICTORS), key=lambda session, files, model: model.id, lock=Lock())
def of_model(session: Session, files: Files, model: Model) -> Predictor:
    """The model ready to predict; kept for the next request, as a model never changes."""
    works = "what it was trained on and with can still be read"
    part = Part(f"the weights of model '{model.id}'", works, TRAIN_AGAIN)
    return predictor_of(model.request, model.fitted, unpack(files.get(session, model.digest, part)))


def read_records(model: Model, predictor: Predictor, records: Sequence[Record]) -> Sequence[Record]:
    """The records with their cells read as those of the model's file were; as they are where it had no text, and for a model
    that was stored without.
    """
    readings = _readings(model)
    return records if readings is None else recorded.read_records(readings, predictor.features, records)


@cached(LRUCache(CACHED_PREDICTORS), key=lambda model: model.id, lock=Lock())
def _readings(model: Model) -> Readings | None:
    return stored_readings(model.fitted)


def predictor_of(request: dict[str, Any], fitted: dict[str, Any], arrays: dict[str, np.ndarray]) -> Predictor:
    """A predictor from what is stored: the completed request, what was fitted, and arrays as a checkpoint has them. Without
    a θ (p,) among them, it predicts as before training.
    """
    features, target = FEATURES.validate_python(fitted["features"]), TARGET.validate_python(fitted["target"])
    return Predictor(training_of(request), features, target, arrays.get("theta"), arrays.get(COEFFICIENTS), arrays)


@dataclass(frozen=True)
class PredictorAt:
    """A job's model after an epoch, ready to predict, and by name other weights of then `beside` it, as a perceptron's last
    beside its pocket.
    """

    epoch: int
    predictor: Predictor
    beside: dict[str, Predictor]


def predictor_at(session: Session, files: Files, job: Job, epoch: str) -> PredictorAt:
    """The job's model after that epoch. Raises NotFound or Removed as `checkpoints.find` does."""
    return open_predictor(session, files, job, checkpoints.find(session, job, epoch))


def open_predictor(session: Session, files: Files, job: Job, checkpoint: Checkpoint | None) -> PredictorAt:
    """The job's model at a checkpoint that `checkpoints.find` found, or before training."""
    fitted = job.fitted or {}
    arrays = {} if checkpoint is None else checkpoints.load(session, files, job, checkpoint)
    predictor = predictor_of(job.request, fitted, arrays)
    names = [name for name in predictor.training.model.beside if checkpoint is None or name in arrays]
    beside = {name: predictor_of(job.request, fitted, {"theta": arrays[name]} if name in arrays else {}) for name in names}
    return PredictorAt(0 if checkpoint is None else checkpoint.epoch, predictor, beside)


@dataclass(frozen=True)
class Run:
    """The epochs of a job that are opened along its run, the first and the last among them, and how many are kept."""

    epochs: list[int]
    kept: int


def run_of(session: Session, job: Job, parameters: int) -> Run:
    """The epochs that can be opened at once, of a model of so many parameters."""
    kept = sorted(checkpoints.Kept.of(session, job).by_epoch)
    kept = [0, *kept] if checkpoints.has_start(job) else kept
    most = max(2, min(MOST_EPOCHS, MOST_NUMBERS // max(1, parameters)))
    places = np.linspace(0, max(0, len(kept) - 1), min(most, len(kept))).round().astype(int)
    return Run([kept[place] for place in np.unique(places)], len(kept))


def networks_of(
    session: Session, files: Files, job: Job, run: Run, heed: Callable[[], None] = lambda: None
) -> dict[int, Network]:
    """The job's network after each of those epochs; `heed` is called before each. Raises InvalidSpec for a model that learns
    none.
    """
    found = {}
    for epoch in run.epochs:
        heed()
        found[epoch] = open_predictor(session, files, job, checkpoints.at(session, job, epoch)).predictor.network
    return found
