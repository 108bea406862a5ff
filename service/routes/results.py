"""What a job has learned: curves, checkpoints, weights, evaluation."""

import io
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import numpy as np
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import InputError, within
from engine.forms import Matching
from engine.network.network import is_dense
from engine.parts.metrics import metric_units
from engine.training.evaluation import LARGEST, evaluate
from engine.training.predict import Predictor
from engine.training.spec import units_of
from service.caching import identify
from service.dependencies import Page, PageOf, Reader, ResourceResponse, StoreOf
from service.negotiation import TABLE_TYPES, accepted
from service.resources import listing
from service.responses import problems
from service.routing import Route, works_on
from service.schemas.common import Listing
from service.schemas.curves import Curves, JobCurve, Sampling
from service.schemas.events import LogEntry
from service.schemas.results import (
    CheckpointResource,
    Coefficients,
    EpochHistograms,
    EvaluationResource,
    LayerHistogramResource,
    LayerWeights,
    Weights,
)
from service.work import refuse_too_much
from store import checkpoints, curves, datasets, jobs, journal, retention
from store.axes import AxisName, axis_of
from store.connections import Store
from store.cursors import head
from store.database import to_json
from store.errors import NotFound
from store.pages import decode, encode
from store.predictors import open_predictor
from store.smoothing import LARGEST_BETA, Average, Smoothed, first_read, smooth
from store.states import DONE
from store.tables import Blob, Checkpoint, Entry, Histograms, Job
from store.tensors import pack

router = APIRouter(prefix="/v1/jobs", tags=["results"], route_class=Route)
EPOCH = Matching(r"^(model|last|best|\d{1,9})$", "model, last, best or the number of an epoch")
WHICH = (
    "model: the epoch that the job's model has, which is the best with early stopping and else the last, and while there is no "
    "model the last; last; best; or an epoch of /checkpoints, of which 0 is before training (of a fork, where it began)"
)


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


@router.get("/{job_id}/checkpoints", responses=problems(404))
def list_checkpoints(store: StoreOf, caller: Reader, job_id: str, page_of: PageOf) -> Listing[CheckpointResource]:
    """The epochs whose weights can be had, newest first: those that are kept, and 0, before training, which is worked out
    anew from the seed; a fork has the epoch that it began from instead.
    """
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        kept: dict[int, Checkpoint | None] = {each.epoch: each for each in checkpoints.of_job(session, job.number)}
        if job.fitted is not None and job.forked_from is None:
            kept[0] = None
        epochs, token = _page_of(sorted(kept, reverse=True), page_of)
        return Listing(**listing([_checkpoint(session, job, epoch, kept[epoch]) for epoch in epochs], token))


def _checkpoint(session: Session, job: Job, epoch: int, kept: Checkpoint | None) -> CheckpointResource:
    if kept is None:
        assert job.started_at is not None
        none: dict[str, Any] = {"sha256": None, "bytes": None, "values": {}, "periodic": False}
        return CheckpointResource(epoch=epoch, created_at=job.started_at, **none)
    return CheckpointResource(
        epoch=epoch,
        sha256=kept.digest,
        bytes=session.get_one(Blob, kept.digest).size,
        values=kept.values,
        periodic=kept.periodic,
        created_at=kept.created_at,
    )


def _page_of(newest: list[int], page_of: Page) -> tuple[list[int], str | None]:
    before = decode(page_of.token) if page_of.token else None
    found = [epoch for epoch in newest if before is None or epoch < before]
    items = found[: page_of.size]
    return items, encode(items[-1]) if len(found) > page_of.size else None


@router.get("/{job_id}/log", responses=problems(404))
def get_log(store: StoreOf, caller: Reader, job_id: str, page_of: PageOf) -> Listing[LogEntry]:
    """What happened to a job, newest first: its states, messages, and the checkpoints that are kept."""
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        entries = [_entry_of(entry) for entry in journal.entries(session, job.number)]
        entries += [
            (each.created_at, LogEntry(at=each.created_at, kind="checkpoint", epoch=each.epoch, state=None, message=None))
            for each in checkpoints.of_job(session, job.number)
        ]
    before = decode(page_of.token) if page_of.token else None
    newest = [(_microseconds(at), entry) for at, entry in sorted(entries, key=lambda found: found[0])[::-1]]
    found = [(at, entry) for at, entry in newest if before is None or at < before]
    last = found[min(page_of.size, len(found)) - 1][0] if found else 0
    items = [entry for at, entry in found if at >= last]  # with all of the last instant, which the token stands for
    return Listing(**listing(items, encode(last) if len(items) < len(found) else None))


def _entry_of(entry: Entry) -> tuple[float, LogEntry]:
    kind: Literal["state", "message"] = "state" if entry.kind == "state" else "message"
    return entry.at, LogEntry(at=entry.at, kind=kind, epoch=entry.epoch, state=entry.state, message=entry.message)


def _microseconds(at: float) -> int:
    return round(at * 1e6)


WEIGHT_TYPES = {
    "json": "application/json",
    "npz": "application/x-npz",
    "safetensors": "application/vnd.safetensors",
}
TYPE_NAMES = {media_type: name for name, media_type in WEIGHT_TYPES.items()}


@router.get(
    "/{job_id}/weights",
    response_model=Weights,
    responses={
        **problems(404, 406, 410),
        200: {
            "description": "as JSON, NPZ or safetensors, by `format` or Accept",
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in list(WEIGHT_TYPES.values())[1:]},
        },
    },
)
def get_weights(
    store: StoreOf,
    caller: Reader,
    request: Request,
    job_id: str,
    epoch: Annotated[str, Query(description=WHICH), EPOCH] = "model",
    layer: Annotated[str | None, Query(description="one layer by its name")] = None,
    format: Literal["json", "npz", "safetensors"] | None = None,  # noqa: A002 (the contract's name)
) -> Response:
    """The weights after an epoch: W (inputs, outputs) and bias of every layer; a linear model's also in the data's units."""
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        checkpoint = checkpoints.find(session, job, epoch)
        kind = format or TYPE_NAMES[accepted(request, TYPE_NAMES, ", or use ?format=")]
        if checkpoint is not None:
            identify(request, "weights", job.id, checkpoint.epoch, checkpoint.digest, kind, layer)
        moment = open_predictor(session, store.files, job, checkpoint)
    found = moment.predictor.network.exported()
    known = list(found)
    if layer not in (None, *known):
        raise NotFound(f"no layer '{layer}'; there are {', '.join(known)}", "/query/layer")
    if kind == "json":
        sizes = {name: sum(array.size for array in arrays.values()) for name, arrays in found.items()}
        numbers = sum(size for name, size in sizes.items() if layer in (None, name)) * (1 + len(moment.beside))
        remedy = "name one layer, or take format=safetensors or npz"
        refuse_too_much(store.settings.max_work, "/query/layer", remedy, {"numbers": numbers})
        shown = _shown(moment.predictor, layer)
        beside = {name: _shown(predictor, layer) for name, predictor in moment.beside.items()}
        return ResourceResponse(Weights(job_id=job.id, epoch=moment.epoch, **shown, **beside).document())
    tensors = _tensors(moment.predictor, layer)
    tensors |= {
        f"{beside}.{name}": array for beside, each in moment.beside.items() for name, array in _tensors(each, layer).items()
    }
    headers = {"Content-Disposition": f'attachment; filename="{job.id}-{moment.epoch}.{kind}"'}
    return Response(ENCODERS[kind](tensors), media_type=WEIGHT_TYPES[kind], headers=headers)


def _shown(predictor: Predictor, layer: str | None) -> dict[str, Any]:
    """The layers, or the one, with the names of what goes in and what comes out of the whole; and the coefficients."""
    found, network = predictor.network.exported(), predictor.network
    names = network.names
    layers = [
        LayerWeights(
            name=name,
            kind=bound.kind,
            inputs=predictor.features.names if name == names[0] and is_dense([bound]) else None,
            outputs=predictor.target.output_names(bound.outputs) if name == names[-1] else None,
            weights=found[name]["weights"].tolist() if is_dense([bound]) else None,
            bias=found[name]["bias"].tolist() if "bias" in found[name] else None,
            arrays=None if is_dense([bound]) else {key: array.tolist() for key, array in found[name].items()},
        )
        for name, bound in zip(names, network.layers, strict=True)
        if name in found and layer in (None, name)
    ]
    return {"layers": layers, "coefficients": _coefficients(predictor)}


def _tensors(predictor: Predictor, layer: str | None) -> dict[str, np.ndarray]:
    found = predictor.network.exported()
    return {f"{name}.{key}": array for name, arrays in found.items() if layer in (None, name) for key, array in arrays.items()}


def _npz(tensors: dict[str, np.ndarray]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **tensors)  # type: ignore[arg-type]
    return buffer.getvalue()


ENCODERS = {"npz": _npz, "safetensors": pack}


def _coefficients(predictor: Predictor) -> Coefficients | None:
    found = predictor.coefficients()
    if found is None:
        return None
    W, b = found
    outputs = predictor.target.output_names(W.shape[1])
    return Coefficients(features=predictor.features.names, outputs=outputs, weights=W.tolist(), bias=b.tolist())


@router.get("/{job_id}/histograms", responses=problems(404, 410))
def get_histograms(
    store: StoreOf,
    caller: Reader,
    job_id: str,
    epoch: Annotated[int | None, Query(ge=0, le=2**31 - 1, description="one epoch, 0 before training; by default all")] = None,
    layer: Annotated[str | None, Query(description="one layer by its name")] = None,
    of: Literal["weights", "gradients", "activations"] | None = None,
) -> Listing[EpochHistograms]:
    """How every layer's weights, gradients and activations were spread, through the epochs, oldest first: before training,
    every `record.histograms_every`, and at the end.
    """
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        if job.curves_removed_at is not None:
            raise retention.removed(job, "curves")
        query = select(Histograms).where(Histograms.job_number == job.number).order_by(Histograms.epoch)
        kept = session.scalars(query if epoch is None else query.where(Histograms.epoch == epoch)).all()
    known = {entry["layer"]: None for row in kept for entry in row.layers}
    if layer is not None and known and layer not in known:
        raise NotFound(f"no layer '{layer}'; there are {', '.join(known)}", "/query/layer")
    if epoch is not None and not kept:
        raise NotFound(f"no histograms of epoch {epoch} are kept; record.histograms_every says which are", "/query/epoch")
    items = []
    for row in kept:
        layers = [entry for entry in row.layers if layer in (None, entry["layer"]) and of in (None, entry["of"])]
        items.append(EpochHistograms(epoch=row.epoch, layers=[LayerHistogramResource(**entry) for entry in layers]))
    return Listing(**listing(items, None))


@router.get("/{job_id}/evaluation", responses=problems(404, 410, 429))
@works_on("tables")
def get_evaluation(
    request: Request,
    store: StoreOf,
    caller: Reader,
    job_id: str,
    split: Annotated[
        Literal["train", "validation", "test"] | None, Query(description="test, else validation, else train")
    ] = None,
    epoch: Annotated[str, Query(description=WHICH), EPOCH] = "model",
    largest: Annotated[
        int, Query(ge=0, le=1000, description="rows to name whose residuals are the largest, of a regression")
    ] = LARGEST,
    top_k: Annotated[
        int | None,
        Query(ge=1, le=10_000, description="the k of top_k_accuracy, of a classification; 5 where there are more classes"),
    ] = None,
) -> EvaluationResource:
    """Every metric of the task on one split's rows; confusion matrix, ROC and precision-recall points, or residuals and
    the rows where they are largest.
    """
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        checkpoint = checkpoints.find(session, job, epoch)
        dataset = datasets.of_job(session, job)
        if checkpoint is not None:
            digests = (checkpoint.digest, job.table_digest or dataset.table_digest)
            identify(request, "evaluation", job.id, checkpoint.epoch, *digests, split, largest, top_k)
        moment = open_predictor(session, store.files, job, checkpoint)
        table = datasets.table_of(session, store.files, job, dataset)
    predictor = moment.predictor
    work = {"products": dataset.rows * predictor.network.parameters.size}
    refuse_too_much(store.settings.max_work, "/query/split", "whoever runs the server can raise the limit", work)
    with within("query"):
        found = evaluate(predictor, table.columns(predictor.training.columns), split, largest, top_k)
    if found is None:
        raise NotFound(_no_rows(predictor, str(split)), "/query/split")
    return EvaluationResource(job_id=job.id, epoch=moment.epoch, units=metric_units(found.metrics), **vars(found))


def _no_rows(predictor: Predictor, split: str) -> str:
    asked = getattr(predictor.training.split, split, None)
    if not asked:
        return f"this job has no {split} rows; it was not asked to set any apart (split.{split})"
    return f"this job has no {split} rows: split.{split} is {asked:g}, which came to none of the rows that could be used"
