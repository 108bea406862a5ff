"""Removal some time after a job's end, if settings say so: its checkpoints but its model's; its curves and histograms.

The job stays, with its last and its best values, and says when each was removed.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from store.database import now
from store.errors import Removed
from store.files import Files
from store.states import DONE
from store.tables import Checkpoint, CurveBucket, CurvePoint, Histograms, Job, Model, Position

DAY = 86_400
STEP_ROWS = 10_000
"""Points of curves, about, that one step removes."""
SETTINGS = {"checkpoints": "VIDRO_KEEP_CHECKPOINTS_DAYS", "curves": "VIDRO_KEEP_CURVES_DAYS"}


def removed(job: Job, part: str, epochs: Iterable[int] = ()) -> Removed:
    """The problem that a part of the job was removed; `epochs` are those whose weights are left."""
    moment: float | None = getattr(job, f"{part}_removed_at")
    day = datetime.fromtimestamp(moment or 0, UTC).date()
    left = f"; the weights of epoch {', '.join(map(str, sorted(epochs)))} are left, the model's" if epochs else ""
    detail = f"the {part} of job '{job.id}' were removed on {day}, as {SETTINGS[part]} asks for on this server{left}"
    return Removed(detail)


def remove_some(session: Session, files: Files, checkpoints_days: float, curves_days: float) -> bool:
    """Take one step: one job's checkpoints, or a stretch of one job's curves. False where nothing is left to do."""
    if checkpoints_days and (job := _due(session, checkpoints_days, Job.checkpoints_removed_at, _has_other_checkpoints())):
        _remove_checkpoints(session, files, job)
        return True
    if curves_days and (job := _due(session, curves_days, Job.curves_removed_at, _has_points())):
        _remove_curves(session, job)
        return True
    return False


def _due(session: Session, days: float, removed_at: Any, has_some: ColumnElement[bool]) -> Job | None:
    """A job that ended so long ago and has some: one of which nothing was removed yet, or whose removal was cut short."""
    begun_lately = and_(removed_at > now() - DAY, has_some)
    ended = (Job.state.in_(DONE), Job.finished_at < now() - days * DAY)
    query = select(Job).where(*ended, or_(removed_at.is_(None) & has_some, begun_lately)).order_by(Job.number).limit(1)
    return session.scalars(query).one_or_none()


def _models_digest() -> ColumnElement[bool]:
    """Whether a checkpoint holds the weights of its job's model."""
    return exists().where(Model.job_id == Job.id, Model.digest == Checkpoint.digest)


def _has_other_checkpoints() -> ColumnElement[bool]:
    return exists().where(Checkpoint.job_number == Job.number, ~_models_digest())


def _has_points() -> ColumnElement[bool]:
    return or_(*(exists().where(table.job_number == Job.number) for table in (CurvePoint, CurveBucket, Histograms)))


def _remove_checkpoints(session: Session, files: Files, job: Job) -> None:
    kept = select(Model.digest).where(Model.job_id == job.id)
    digests: list[str] = []
    for table in (Checkpoint, Position):
        query = delete(table).where(table.job_number == job.number, table.digest.not_in(kept)).returning(table.digest)
        digests += session.scalars(query)
    session.execute(update(Job).where(Job.number == job.number).values(checkpoints_removed_at=now()))
    files.release(session, digests)


def _remove_curves(session: Session, job: Job) -> None:
    """A stretch of epochs of every table; from the first step on, none of the curves is told any more."""
    session.execute(update(Job).where(Job.number == job.number).values(curves_removed_at=now()))
    tables: list[tuple[Any, Any]] = [
        (CurvePoint, CurvePoint.step), (CurveBucket, CurveBucket.step), (Histograms, Histograms.epoch),
    ]  # fmt: skip
    for table, step in tables:
        mine = table.job_number == job.number
        last = select(step).where(mine).order_by(step).offset(STEP_ROWS).limit(1)
        edge = session.scalars(last).one_or_none()
        session.execute(delete(table).where(mine, *(() if edge is None else (step <= edge,))))
