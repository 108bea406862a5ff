"""Jobs side by side: which stretches of their curves are drawn, their metrics, and the settings that differ."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.training.differences import differing
from service.resources import learned
from service.schemas.curves import ComparedCurve, ComparedValues, Sampling, SettingDifference
from store import curves
from store.axes import Axis, AxisName
from store.errors import NotFound
from store.pages import owned
from store.smoothing import first_read, smooth
from store.tables import Dataset, Job

NO_SETTINGS = ("name", "tags")
"""Fields of a request that training does not depend on."""


@dataclass(frozen=True)
class Wanted:
    """How curves are to be drawn: on which axis and from where to where on it, at how many points, and how smooth."""

    axis: AxisName
    low: float | None
    high: float | None
    max_points: int
    smoothing: float | None


@dataclass(frozen=True)
class Stretch:
    """The steps of a curve that are drawn, from `first` to `last`; the curve begins at `begin`."""

    axis: Axis
    begin: int
    first: int
    last: int

    @property
    def points(self) -> int:
        return max(0, self.last - self.first + 1)

    def averaged(self, smoothing: float) -> int:
        """How many points smoothing them reads."""
        return max(0, self.last - first_read(smoothing, self.begin, self.first) + 1)


@dataclass(frozen=True)
class Drawn:
    """A job's curves on an axis: how many points lie in the range, and whether these are all of them."""

    curves: dict[str, ComparedCurve]
    total: int
    exact: bool


def named_jobs(session: Session, ids: Sequence[str], owner: str | None) -> list[Job]:
    """The jobs in that order. Raises NotFound with those that are not there, or another's."""
    found = {job.id: job for job in session.scalars(select(Job).where(Job.id.in_(ids), *owned(Job, owner)))}
    missing = [job_id for job_id in ids if job_id not in found]
    if missing:
        listed = ", ".join(f"'{job_id[:50]}'" for job_id in missing)
        raise NotFound(f"no job {listed}; GET /v1/jobs lists what there is", "/query/jobs")
    return [found[job_id] for job_id in ids]


def tables_of(session: Session, rows: Sequence[Job]) -> dict[str, str | None]:
    """By job, the digest of the table that it was trained on."""
    query = select(Dataset.id, Dataset.table_digest).where(Dataset.id.in_({job.dataset_id for job in rows}))
    now = {row.id: row.table_digest for row in session.execute(query)}
    return {job.id: job.table_digest or now.get(job.dataset_id) for job in rows}


def stretches_of(session: Session, job: Job, how: Wanted, axis: Axis, names: Sequence[str]) -> dict[str, Stretch]:
    """The stretch of each of these curves that is to be drawn."""
    found = {}
    for name in names:
        first, last = axis.steps_of(name, how.low, how.high)
        begin = curves.first_step(session, job.number, name)
        last = min(last, curves.last_step(session, job.number, name))
        found[name] = Stretch(axis, begin, max(first, begin), last)
    return found


def drawn_of(session: Session, job: Job, how: Wanted, stretches: Mapping[str, Stretch]) -> Drawn:
    """The job's curves, sampled and smoothed as they are wanted."""
    found: dict[str, ComparedCurve] = {}
    is_exact = True
    for name, part in stretches.items():
        spans, exact = curves.read(session, job.number, name, part.first, part.last, how.max_points)
        steps = [span.step for span in spans]
        smoothed = None
        if how.smoothing is not None:
            smoothed = smooth(session, job.number, name, part.begin, steps, how.smoothing)
        found[name] = ComparedCurve(
            x=part.axis.x_of(name, steps),
            step=steps,
            value=[span.value for span in spans],
            min=[span.low for span in spans],
            max=[span.high for span in spans],
            smoothed=smoothed and smoothed.values,
            smoothed_weight=smoothed and smoothed.weight,
        )
        is_exact = is_exact and exact
    return Drawn(found, sum(part.points for part in stretches.values()), is_exact)


def sampling_of(drawn: Collection[Drawn]) -> Sampling:
    """How all of these curves were sampled."""
    exact = all(each.exact for each in drawn)
    returned = sum(len(curve.step) for each in drawn for curve in each.curves.values())
    total = sum(each.total for each in drawn)
    return Sampling(method="none" if exact else "buckets", total=total, returned=returned, exact=exact)


def metrics_of(job: Job) -> ComparedValues:
    """The job's losses and metrics: final, best and last."""
    best = None if job.best is None else learned(job.best)
    last = learned(job.latest)
    chosen = best if job.request.get("early_stopping") else last
    return ComparedValues(final=chosen if job.state == "succeeded" else None, best=best, last=last)


def differing_settings(rows: Sequence[Job]) -> list[SettingDifference]:
    """The settings that are not the same in all of these jobs."""
    requests = {job.id: {name: value for name, value in job.request.items() if name not in NO_SETTINGS} for job in rows}
    return [SettingDifference(pointer=pointer, values=dict(values)) for pointer, values in differing(requests)]
