"""The curves of a job: its losses and metrics, step by step."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from engine.errors import InputError
from engine.training.spec import units_of
from service.caching import identify
from service.dependencies import Reader, ResourceResponse, StoreOf
from service.negotiation import TABLE_TYPES, accepted
from service.responses import problems
from service.routing import Route
from service.schemas.curves import Curves, JobCurve, Sampling
from service.work import refuse_too_much
from store import curves, jobs, retention
from store.axes import AxisName, axis_of
from store.connections import Store
from store.cursors import head
from store.database import to_json
from store.errors import NotFound
from store.smoothing import LARGEST_BETA, Average, Smoothed, first_read, smooth
from store.states import DONE

router = APIRouter(prefix="/v1/jobs", tags=["results"], route_class=Route)


@router.get(
    "/{job_id}/curves",
    response_model=Curves,
    responses={
        **problems(404, 406, 410),
        200: {
            "description": "curves; as text/csv, every point: series, step, value, and smoothed where that is asked for",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        },
    },
)
def get_curves(
    store: StoreOf,
    caller: Reader,
    request: Request,
    job_id: str,
    series: Annotated[str | None, Query(description="comma-separated; all by default")] = None,
    from_step: Annotated[int, Query(ge=0, le=2**62)] = 0,
    to_step: Annotated[int | None, Query(ge=0, le=2**62)] = None,
    max_points: Annotated[int, Query(ge=2, le=100_000, description="a series")] = 1000,
    smoothing: Annotated[
        float | None,
        Query(
            ge=0,
            le=LARGEST_BETA,
            allow_inf_nan=False,
            description="β of an exponential moving average beside each value, over every point and not only those returned: "
            "s_t = Σ β^(t−i) y_i / Σ β^(t−i), over the points i ≤ t with a finite value and β^(t−i) ≥ 2^−53. Costs the points "
            "from `from_step` to `to_step`, and 37 / −ln β before them",
        ),
    ] = None,
    axis: Annotated[
        AxisName | None,
        Query(
            description="have `x` tell where each point lies: by optimizer steps (of a solver without batches, epochs), "
            "epochs, or seconds of training. Not in text/csv, whose rows have their own step"
        ),
    ] = None,
) -> Response:
    """The curves. Longer ones are sampled: first and last point, minima and maxima are kept, and the work is bounded."""
    media_type = accepted(request, TABLE_TYPES)
    if axis is not None and media_type == "text/csv":
        raise InputError(
            [("/query/axis", "rows of text/csv have no place on an axis; leave it out, or accept application/json")]
        )
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        if job.curves_removed_at is not None:
            raise retention.removed(job, "curves")
        known = curves.names(session, job.number)
        names = list(dict.fromkeys(series.split(","))) if series else known
        for name in names:
            if name not in known and known:
                raise NotFound(f"no series '{name}'; this job has {', '.join(known)}", "/query/series")
        event_id = head(session, job).cursor.id
        if job.state in DONE:
            identify(request, "curves", job.id, event_id, names, media_type, from_step, to_step, max_points, smoothing, axis)
        ranges, begins = {}, {}
        for name in names:
            last = curves.last_step(session, job.number, name)
            begins[name] = curves.first_step(session, job.number, name)
            ranges[name] = (max(begins[name], from_step), last if to_step is None else min(to_step, last))
        if media_type == "text/csv":
            return StreamingResponse(_csv(store, job.number, ranges, begins, smoothing), media_type="text/csv")
        points = sum(min(max_points, max(0, last - first + 1)) for first, last in ranges.values())
        remedy = "ask for fewer points or series, or accept text/csv, which streams every point"
        refuse_too_much(store.settings.max_work, "/query/max_points", remedy, {"numbers": 4 * points})
        if smoothing is not None:
            averaged = {
                name: max(0, last - first_read(smoothing, begins[name], first) + 1) for name, (first, last) in ranges.items()
            }
            remedy = "ask for a shorter stretch (from_step, to_step) or fewer series, or accept text/csv"
            refuse_too_much(store.settings.max_work, "/query/smoothing", remedy, {"averaged points": sum(averaged.values())})
        read = {name: curves.read(session, job.number, name, *ranges[name], max_points) for name in names}
        steps = {name: [span.step for span in spans] for name, (spans, _) in read.items()}
        smoothed, x = {}, {}
        if smoothing is not None:
            smoothed = {name: smooth(session, job.number, name, begins[name], steps[name], smoothing) for name in names}
        if axis is not None:
            x_of = axis_of(session, job, axis).x_of
            x = {name: x_of(name, steps[name]) for name in names}
    exact = all(is_exact for _, is_exact in read.values())
    sampling = Sampling(
        method="none" if exact else "buckets",
        total=sum(max(0, last - first + 1) for first, last in ranges.values()),
        returned=sum(len(spans) for spans, _ in read.values()),
        exact=exact,
    )
    units = {name: unit for name, unit in units_of(job.request).items() if name in read}
    drawn = {name: _curve(spans, smoothed.get(name), x.get(name)) for name, (spans, _) in read.items()}
    answer = Curves(series=drawn, units=units, sampling=sampling, event_id=event_id)
    return ResourceResponse(answer.document())


def _curve(spans: list[curves.Span], smoothed: Smoothed | None, x: list[float] | None) -> JobCurve:
    return JobCurve(
        x=x,
        step=[span.step for span in spans],
        value=[span.value for span in spans],
        min=[span.low for span in spans],
        max=[span.high for span in spans],
        smoothed=smoothed and smoothed.values,
        smoothed_weight=smoothed and smoothed.weight,
    )


CSV_BLOCK = 10_000


def _csv(
    store: Store, job_number: int, ranges: dict[str, tuple[int, int]], begins: dict[str, int], beta: float | None
) -> Iterator[str]:
    """Every point, a line each, read block by block."""
    yield "series,step,value\n" if beta is None else "series,step,value,smoothed\n"
    for name, (first, last) in ranges.items():
        average = None if beta is None else Average(beta)
        for start in range(first if beta is None else first_read(beta, begins[name], first), last + 1, CSV_BLOCK):
            end = min(start + CSV_BLOCK - 1, last)
            with store.database.reading() as session:
                spans, _ = curves.read(session, job_number, name, start, end, CSV_BLOCK)
            lines = []
            for span in spans:
                if average is not None:
                    average.add(span.value)
                if span.step >= first:
                    beside = "" if average is None else f",{_cell(average.value)}"
                    lines.append(f"{name},{span.step},{_cell(span.value)}{beside}\n")
            yield "".join(lines)


def _cell(value: float | None) -> str:
    """The number as JSON has it, without quotes: Infinity, not inf."""
    return "" if value is None else to_json(value).strip('"')
