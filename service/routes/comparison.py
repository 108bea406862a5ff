"""Jobs side by side: their curves on one axis, their metrics, and what differs between their requests."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from engine.training.spec import units_of
from service.caching import identify
from service.comparison import (
    Wanted,
    differing_settings,
    drawn_of,
    metrics_of,
    named_jobs,
    sampling_of,
    stretches_of,
    tables_of,
)
from service.dependencies import Reader, ResourceResponse, StoreOf
from service.resources import job_summaries
from service.responses import problems
from service.routing import Route
from service.schemas.curves import ComparedJob, Comparison
from service.schemas.jobs import Origin
from service.work import refuse_too_much
from store import cursors, curves
from store.axes import AxisName, axis_of
from store.errors import NotFound, UnreadableFile
from store.smoothing import LARGEST_BETA
from store.states import DONE

router = APIRouter(prefix="/v1/compare", tags=["results"], route_class=Route)
MOST_JOBS = 20
LOSSES = "train_loss,validation_loss"


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
        rows = named_jobs(session, wanted, caller.sees)
        heads = cursors.heads(session, [job.number for job in rows])
        tables = tables_of(session, rows)
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
            job.id: stretches_of(
                session, job, how, axis_of(session, job, axis), [name for name in names if name in has[job.id]]
            )
            for job in rows
        }
        if smoothing is not None:
            averaged = sum(stretch.averaged(smoothing) for found in ranges.values() for stretch in found.values())
            remedy = "ask for fewer jobs or series, or a shorter stretch"
            refuse_too_much(store.settings.max_work, "/query/smoothing", remedy, {"averaged points": averaged})
        drawn = {job.id: drawn_of(session, job, how, ranges[job.id]) for job in rows}
        summaries = job_summaries(session, rows)
    compared = [
        ComparedJob(
            job=summary,
            metrics=metrics_of(job),
            series=drawn[job.id].curves,
            units=units_of(job.request),
            forked_from=Origin(job_id=job.forked_from, epoch=job.forked_epoch) if job.forked_from else None,
            table_sha256=tables[job.id],
            curves_removed_at=job.curves_removed_at,
            event_id=heads[job.number].cursor.id,
        )
        for job, summary in zip(rows, summaries, strict=True)
    ]
    sampling = sampling_of(drawn.values())
    answer = Comparison(axis=axis, jobs=compared, settings=differing_settings(rows), names=known, sampling=sampling)
    return ResourceResponse(answer.document())
