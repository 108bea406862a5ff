"""A job's layers through time, from what was kept of them as it trained. Knows no HTTP."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from engine.errors import InvalidSpec
from engine.glass.histograms import BINS, ROWS, LayerHistogram, in_common_bins
from engine.training.predict import WITHOUT_LAYERS
from service.schemas.layers import LayerSeries, LayersResource
from service.work import refuse_too_much
from store import jobs, retention
from store.errors import NotFound
from store.job_request import training_of
from store.tables import Histograms, Job

NUMBERS = ("mean", "std", "norm", "min", "max")
OF_ACTIVATIONS, OF_WEIGHTS = ("dead", "saturated"), ("update_ratio", "alike")
FORMULAS = {
    "mean": r"\bar w = \frac{1}{n} \sum_i w_i",
    "std": r"\sqrt{\tfrac{1}{n} \sum_i (w_i - \bar w)^2}",
    "norm": r"\lVert w \rVert = \sqrt{\sum_i w_i^2}",
    "dead": r"\frac{1}{u} \left|\{j : f'(z_{ij}) = 0 \text{ at every row } i\}\right|",
    "saturated": r"\frac{1}{n} \left|\{(i, j) : |f'(z_{ij})| < 0.01\}\right|",
    "update_ratio": r"\frac{\lVert \Delta W \rVert}{\lVert W \rVert}",
    "alike": r"\frac{1}{u} \left|\{j : \exists\, k \ne j,\; \lVert w_j - w_k \rVert \le 10^{-3} \lVert w_j \rVert\}\right|",
}


def refuse_without_layers(job: Job) -> None:
    """Raise InvalidSpec for a job that trains nothing or a model that has no layers, and Removed where what was kept of them
    is gone.
    """
    jobs.refuse_slice(job)
    if job.curves_removed_at is not None:
        raise retention.removed(job, "curves")
    if not training_of(job.request).model.has_layers:
        raise InvalidSpec([("/job_id", WITHOUT_LAYERS.format(kind=job.model_kind))])


def refuse_unknown_layer(layer: str | None, kept: Sequence[Histograms]) -> None:
    """Raise NotFound where no kept epoch has a layer of that name."""
    known = {entry["layer"]: None for row in kept for entry in row.layers}
    if layer is not None and known and layer not in known:
        raise NotFound(f"no layer '{layer}'; there are {', '.join(known)}", "/query/layer")


def kept_epochs(session: Session, job: Job, first: int, last: int | None) -> list[int]:
    """The epochs from `first` to `last` at which the job's layers were looked at. Raises what `refuse_without_layers` does, or
    InvalidSpec where the last comes before the first.
    """
    refuse_without_layers(job)
    if last is not None and last < first:
        raise InvalidSpec(
            [("/query/to_epoch", f"epoch {last} comes before from_epoch, {first}; end with that one or a later one")]
        )
    return list(session.scalars(_between(select(Histograms.epoch), job, first, last)))


def layers_through_time(
    session: Session, limit: int, job: Job, epochs: Sequence[int], layer: str | None, of: str | None, bins: bool
) -> LayersResource:
    """Every number of the job's layers, or of one, at those of its `kept_epochs`; with `bins` their histograms, between edges
    that are common to all epochs. Raises NotFound, or TooMuchWork at `/query/layer`.
    """
    kept: Sequence[Histograms] = ()
    if epochs:
        one = session.scalars(_between(select(Histograms), job, epochs[-1], epochs[-1])).all()
        refuse_unknown_layer(layer, one)
        entries = len(_wanted(one[0], layer, of)) * len(epochs)
        remedy = "name one layer, ask for a stretch of the epochs (from_epoch, to_epoch), or leave bins out"
        refuse_too_much(limit, "/query/layer", remedy, {"numbers": entries * (10 + BINS * bins)})
        kept = session.scalars(_between(select(Histograms), job, epochs[0], epochs[-1])).all()
    by_series: dict[tuple[str, str, int], dict[int, LayerHistogram]] = {}
    for row in kept:
        seen: dict[tuple[str, str], int] = {}
        for found in _wanted(row, layer, of):
            place = seen[found.layer, found.of] = seen.get((found.layer, found.of), -1) + 1
            by_series.setdefault((found.layer, found.of, place), {})[row.epoch] = found
    told = [row.epoch for row in kept]
    series = [_series(told, found, bins) for found in by_series.values()]
    return LayersResource(job_id=job.id, rows=ROWS, epochs=told, formulas=FORMULAS, layers=series)


def _wanted(row: Histograms, layer: str | None, of: str | None) -> list[LayerHistogram]:
    found = (entry for entry in row.layers if layer in (None, entry["layer"]) and of in (None, entry["of"]))
    return [LayerHistogram(**entry) for entry in found]


def _series(epochs: Sequence[int], found: dict[int, LayerHistogram], bins: bool) -> LayerSeries:
    """The numbers of one layer's weights, activations or gradients, an entry an epoch."""
    one = next(iter(found.values()))
    courses: dict[str, Any] = dict.fromkeys((*OF_ACTIVATIONS, *OF_WEIGHTS, "edges", "counts"))
    names = ("count", *NUMBERS, *{"activations": OF_ACTIVATIONS, "weights": OF_WEIGHTS}.get(one.of, ()))
    for name in names:
        course = [getattr(found[epoch], name) if epoch in found else None for epoch in epochs]
        courses[name] = course if name in NUMBERS or any(value is not None for value in course) else None
    if bins:
        courses["edges"], counts = in_common_bins(list(found.values()))
        by_epoch = dict(zip(found, counts, strict=True))
        courses["counts"] = [by_epoch.get(epoch) for epoch in epochs]
    return LayerSeries(layer=one.layer, of=one.of, **courses)


def entry_of(entry: dict[str, Any]) -> dict[str, Any]:
    """A histogram as it was stored, with all that is told of it."""
    found = LayerHistogram(**entry)
    return {**asdict(found), "norm": found.norm}


def _between(query: Select[Any], job: Job, first: int, last: int | None) -> Select[Any]:
    query = query.where(Histograms.job_number == job.number, Histograms.epoch >= first).order_by(Histograms.epoch)
    return query if last is None else query.where(Histograms.epoch <= last)
