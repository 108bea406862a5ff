"""Jobs side by side: their curves on one axis, their metrics, and what differs between their requests."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.training.differences import differing
from engine.training.spec import units_of
from service.caching import identify
from service.dependencies import Reader, ResourceResponse, StoreOf
from service.resources import job_summaries, learned
from service.responses import problems
from service.routing import Route
from service.schemas.curves import ComparedCurve, ComparedJob, ComparedValues, Comparison, Sampling, SettingDifference
from service.schemas.jobs import Origin
from service.work import refuse_too_much
from store import cursors, curves
from store.axes import Axis, AxisName, axis_of
from store.errors import NotFound, UnreadableFile
from store.pages import owned
from store.smoothing import LARGEST_BETA, first_read, smooth
from store.states import DONE
from store.tables import Dataset, Job

router = APIRouter(prefix="/v1/compare", tags=["results"], route_class=Route)
MOST_JOBS = 20
LOSSES = "train_loss,validation_loss"
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


@router.get("", response_model=Comparison, responses=problems(404))
def compare_jobs(
    request: Request,
    store: StoreOf,
    caller: Reader,
    ids: Annotated[
        str,
        Query(alias="jobs", description=f"ids, comma-separated: up to {MOST_JOBS}, each once", min_length=1, max_length=4000),
    ],
    series: Annotated[str, Query(description="comma-separated, of those that `names` lists", max_length=4000)] = LOSSES,
    axis: Annotated[
        AxisName,
        Query(
            description="what `x` counts: optimizer steps (of a solver without batches, epochs), epochs, or seconds of training"
        ),
    ] = "epoch",
    from_: Annotated[
        float | None, Query(alias="from", ge=0, le=2**62, description="on the axis; the first point by default")
    ] = None,
    to: Annotated[float | None, Query(ge=0, le=2**62, description="on the axis; the last point by default")] = None,
    max_points: Annotated[int, Query(ge=2, le=2000, description="a series of a job")] = 500,
    smoothing: Annotated[
        float | None,
        Query(ge=0, le=LARGEST_BETA, allow_inf_nan=False, description="an average beside each value, as in a job's /curves"),
    ] = None,
) -> Response:
    """Up to 20 jobs side by side: curves on one axis, sampled as /curves samples them, final, best and last metrics, and the
    settings that differ.
    """
    how = Wanted(axis, from_, to, max_points, smoothing)
    wanted = list(dict.fromkeys(filter(None, (each.strip() for each in ids.split(",")))))
    if not 1 <= len(wanted) <= MOST_JOBS:
        raise UnreadableFile(f"{len(wanted)} jobs are named; name 1 to {MOST_JOBS}, comma-separated", "/query/jobs")
    with store.database.reading() as session:
        rows = _named(session, wanted, caller.sees)
        heads = cursors.heads(session, [job.number for job in rows])
        tables = _tables(session, rows)
        if all(job.state in DONE for job in rows):
            about = [(job.id, job.name, job.tags, job.curves_removed_at, tables[job.id]) for job in rows]
            events = [heads[job.number].cursor.id for job in rows]
            identify(request, "compare", about, events, series, how)
        has = {job.id: curves.names(session, job.number) if job.curves_removed_at is None else [] for job in rows}
        known = list(dict.fromkeys(name for names in has.values() for name in names))
        names = list(dict.fromkeys(filter(None, series.split(","))))
        for name in names:
            if name not in known and known and name not in LOSSES.split(","):
                raise NotFound(f"none of these jobs has a series '{name[:100]}'; there are {', '.join(known)}", "/query/series")
        refuse_too_much(
            store.settings.max_work,
            "/query/max_points",
            "ask for fewer jobs, series or points",
            {"numbers": 5 * max_points * len(names) * len(rows)},
        )
        ranges = {
            job.id: _ranges(session, job, how, axis_of(session, job, axis), [name for name in names if name in has[job.id]])
            for job in rows
        }
        if smoothing is not None:
            averaged = sum(stretch.averaged(smoothing) for found in ranges.values() for stretch in found.values())
            remedy = "ask for fewer jobs or series, or a shorter stretch"
            refuse_too_much(store.settings.max_work, "/query/smoothing", remedy, {"averaged points": averaged})
        drawn = {job.id: _drawn(session, job, how, ranges[job.id]) for job in rows}
        summaries = job_summaries(session, rows)
    compared = [
        ComparedJob(
            job=summary,
            metrics=_metrics(job),
            series=drawn[job.id].curves,
            units=units_of(job.request),
            forked_from=Origin(job_id=job.forked_from, epoch=job.forked_epoch) if job.forked_from else None,
            table_sha256=tables[job.id],
            curves_removed_at=job.curves_removed_at,
            event_id=heads[job.number].cursor.id,
        )
        for job, summary in zip(rows, summaries, strict=True)
    ]
    sampling = _sampling(drawn.values())
    answer = Comparison(axis=axis, jobs=compared, settings=_settings(rows), names=known, sampling=sampling)
    return ResourceResponse(answer.document())


def _named(session: Session, ids: Sequence[str], owner: str | None) -> list[Job]:
    """The jobs in that order. Raises NotFound with those that are not there, or another's."""
    found = {job.id: job for job in session.scalars(select(Job).where(Job.id.in_(ids), *owned(Job, owner)))}
    missing = [job_id for job_id in ids if job_id not in found]
    if missing:
        listed = ", ".join(f"'{job_id[:50]}'" for job_id in missing)
        raise NotFound(f"no job {listed}; GET /v1/jobs lists what there is", "/query/jobs")
    return [found[job_id] for job_id in ids]


def _tables(session: Session, rows: Sequence[Job]) -> dict[str, str | None]:
    """By job, the digest of the table that it was trained on."""
    query = select(Dataset.id, Dataset.table_digest).where(Dataset.id.in_({job.dataset_id for job in rows}))
    now = {row.id: row.table_digest for row in session.execute(query)}
    return {job.id: job.table_digest or now.get(job.dataset_id) for job in rows}


def _ranges(session: Session, job: Job, how: Wanted, axis: Axis, names: Sequence[str]) -> dict[str, Stretch]:
    found = {}
    for name in names:
        first, last = axis.steps_of(name, how.low, how.high)
        begin = curves.first_step(session, job.number, name)
        last = min(last, curves.last_step(session, job.number, name))
        found[name] = Stretch(axis, begin, max(first, begin), last)
    return found


def _drawn(session: Session, job: Job, how: Wanted, stretches: Mapping[str, Stretch]) -> Drawn:
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


def _sampling(drawn: Collection[Drawn]) -> Sampling:
    exact = all(each.exact for each in drawn)
    returned = sum(len(curve.step) for each in drawn for curve in each.curves.values())
    total = sum(each.total for each in drawn)
    return Sampling(method="none" if exact else "buckets", total=total, returned=returned, exact=exact)


def _metrics(job: Job) -> ComparedValues:
    best = None if job.best is None else learned(job.best)
    last = learned(job.latest)
    chosen = best if job.request.get("early_stopping") else last
    return ComparedValues(final=chosen if job.state == "succeeded" else None, best=best, last=last)


def _settings(rows: Sequence[Job]) -> list[SettingDifference]:
    requests = {job.id: {name: value for name, value in job.request.items() if name not in NO_SETTINGS} for job in rows}
    return [SettingDifference(pointer=pointer, values=dict(values)) for pointer, values in differing(requests)]
