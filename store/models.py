"""Trained models: the row that says what a model is, and its weights ready to predict."""

import platform
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from threading import Lock
from typing import Any

import numpy as np
from cachetools import LRUCache, cached
from pydantic import TypeAdapter
from safetensors.numpy import load as load_tensors
from safetensors.numpy import save as save_tensors
from sqlalchemy import delete as delete_rows
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.models.run_state import COEFFICIENTS
from engine.tables.features import Features
from engine.tables.target import Target
from engine.training.predict import Predictor
from engine.training.prepare import Prepared
from store.database import put_row
from store.errors import NotFound
from store.files import Files, Part
from store.job_request import training_of
from store.pages import owned
from store.readings import records as recorded
from store.readings.records import Record
from store.readings.stored import Readings
from store.tables import Job, Model

FEATURES: TypeAdapter[Features] = TypeAdapter(Features)
TARGET: TypeAdapter[Target] = TypeAdapter(Target)
CACHED_PREDICTORS = 32
TRAIN_AGAIN = "a job with the same request makes the same weights, which mends these, or restore a backup"
"""What to do about weights that are damaged."""


def pack(arrays: dict[str, np.ndarray]) -> bytes:
    """Arrays as safetensors: the same arrays are always the same bytes."""
    return save_tensors({name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)})


def unpack(content: bytes) -> dict[str, np.ndarray]:
    return dict(load_tensors(content))


def fitted_of(prepared: Prepared, columns: Iterable[str], read: Mapping[str, Any] | None) -> dict[str, Any]:
    """What was fitted to the training rows, the names of all of the table's `columns`, and how the cells of those that the
    job reads were `read`, as JSON.
    """
    return {
        "features": FEATURES.dump_python(prepared.features, mode="json"),
        "target": TARGET.dump_python(prepared.target, mode="json"),
        "rows": {split: len(rows) for split, rows in prepared.rows.items()},
        "kinds": prepared.kinds,
        "words": prepared.words,
        "columns": list(columns),
        "read": read,
    }


def create(session: Session, job: Job, **made: Any) -> Model:
    """The model that a job has `made`: its id, what was fitted, and the epoch, metrics and weights of the one chosen; and
    its name, where the job was renamed since it was read.
    """
    made.setdefault("name", job.name)
    model = Model(
        owner=job.owner,
        kind=job.model_kind,
        job_id=job.id,
        dataset_id=job.dataset_id,
        request=job.request,
        versions=_versions(),
        **made,
    )
    put_row(session, model)
    return model


@cache
def _versions() -> dict[str, str]:
    """What a model is made with; looking it up takes milliseconds."""
    return {"python": platform.python_version(), **{name: version(name) for name in ("vidro", "numpy", "polars")}}


def get(session: Session, model_id: str, owner: str | None) -> Model:
    """The model. Raises NotFound, also for another's."""
    model = session.scalars(select(Model).where(Model.id == model_id, *owned(Model, owner))).one_or_none()
    if model is None:
        raise NotFound(f"no model '{model_id}'; GET /v1/models lists what there is")
    return model


def columns_of_table(model: Model) -> frozenset[str]:
    """Every column of the table that the model was trained on."""
    return frozenset(model.fitted["columns"])


def delete(session: Session, files: Files, model: Model) -> None:
    """Forget the model and free its weights; its job stays and says so."""
    session.execute(update(Job).where(Job.model_id == model.id).values(model_id=None))
    session.execute(delete_rows(Model).where(Model.number == model.number))
    files.release(session, [model.digest])


@cached(LRUCache(CACHED_PREDICTORS), key=lambda session, files, model: model.id, lock=Lock())
def predictor(session: Session, files: Files, model: Model) -> Predictor:
    """The model ready to predict; kept for the next request, as a model never changes."""
    works = "what it was trained on and with can still be read"
    part = Part(f"the weights of model '{model.id}'", works, TRAIN_AGAIN)
    return make_predictor(model.request, model.fitted, files.get(session, model.digest, part))


def read_records(model: Model, predictor: Predictor, records: Sequence[Record]) -> Sequence[Record]:
    """The records with their cells read as those of the model's file were; as they are where it had no text, and for a model
    that was stored without.
    """
    readings = _readings(model)
    return records if readings is None else recorded.read_records(readings, predictor.features, records)


@cached(LRUCache(CACHED_PREDICTORS), key=lambda model: model.id, lock=Lock())
def _readings(model: Model) -> Readings | None:
    return stored_readings(model.fitted)


def stored_readings(fitted: Mapping[str, Any]) -> Readings | None:
    """How the columns were read that a model, or a job, was fitted to; None where they were no text, or that is not known."""
    return Readings.of_document(fitted["read"]) if fitted["read"] else None


def make_predictor(request: dict[str, Any], fitted: dict[str, Any], weights: bytes) -> Predictor:
    """A predictor from what is stored of a model."""
    arrays = unpack(weights)
    return predictor_of(request, fitted, arrays["theta"], arrays.get(COEFFICIENTS))


def predictor_of(
    request: dict[str, Any], fitted: dict[str, Any], theta: np.ndarray | None, coefficients: np.ndarray | None = None
) -> Predictor:
    """A predictor of what was fitted and θ (p,), by default as it was before training, with what its solver kept."""
    features = FEATURES.validate_python(fitted["features"])
    target = TARGET.validate_python(fitted["target"])
    return Predictor(training_of(request), features, target, theta, coefficients)
