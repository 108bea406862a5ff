"""Trained models: the rows that say what each is."""

from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from store.database import put_row
from store.errors import NotFound
from store.files import Files
from store.pages import owned
from store.tables import Job, Model
from store.versions import versions


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
        versions=versions(),
        **made,
    )
    put_row(session, model)
    return model


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
