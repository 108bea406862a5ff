"""Decision boundaries: predictions of a job over the plane of two features, or along one. Knows no HTTP."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from engine.errors import InvalidSpec, UnusableData
from engine.glass.boundary import axis, chosen, plane, units
from engine.tables.features import Input, pointer
from engine.tables.target import Shares
from engine.training.predict import Predictor
from service.schemas.glass import AxisResource, Boundary
from service.work import refuse_too_much, work_of_predictions
from store import datasets, jobs
from store.connections import Store
from store.fitted import stored_readings
from store.keys import Caller
from store.predictors import predictor_at
from store.readings.records import read_records


def boundary_of(
    store: Store,
    caller: Caller,
    job_id: str,
    x: str | None = None,
    y: str | None = None,
    *,
    resolution: int = 50,
    fixed: Mapping[str, Any] | str = "{}",
    epoch: str = "model",
    hidden: bool = False,
) -> Boundary:
    """The predictions of the weights after an epoch over a grid of two features, or along one. The others are held at what
    is usual, or at the values that are `fixed`, which may be JSON.

    Raises NotFound, Removed, or InputError, which names the argument: `/x`, `/y`, `/fixed`, `/resolution`,
    `/hidden`, `/job_id`.
    """
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        moment = predictor_at(session, store.files, job, epoch)
        predictor = moment.predictor
        dataset = datasets.of_job(session, job)
        table = datasets.table_of(session, store.files, job, dataset)
    if hidden and not predictor.learner.layers:
        raise InvalidSpec([("/hidden", f"{job.model_kind} has no hidden units; leave it out")])
    profile = table.described(entry.name for entry in predictor.features.inputs)
    first, second = _chosen(predictor, x, y)
    across, down = (
        None if entry is None else axis(entry, profile[entry.name]["min"], profile[entry.name]["max"], resolution)
        for entry in (first, second)
    )
    assert across is not None
    points = len(across.cells) * (1 if down is None else len(down.cells))
    _refuse_too_many(store.settings.max_work, predictor, points, hidden)
    free = {across.name} if down is None else {across.name, down.name}
    given = _given(fixed) if isinstance(fixed, str) else fixed
    held = _held(predictor, profile, free, given)
    readings = stored_readings(job.fitted or {})
    cells = held if readings is None else {**held, **read_records(readings, predictor.features, [given])[0]}
    try:
        found = plane(predictor, across, down, cells)
        answers = units(predictor, across, down, cells) if hidden else None
    except UnusableData as error:
        raise InvalidSpec([(f"/fixed{at.removeprefix('/records/0')}", detail) for at, detail in error.errors]) from None
    width, shares = None if down is None else len(across.cells), found.by_name
    return Boundary(
        job_id=job.id,
        epoch=moment.epoch,
        x=AxisResource(column=across.name, values=across.cells),
        y=None if down is None else AxisResource(column=down.name, values=down.cells),
        fixed=held,
        classes=predictor.target.labels,
        predictions=_rows(found.values, width),
        probabilities=None if shares is None else {name: _plane_of(share, width) for name, share in shares.items()},
        units=None if answers is None else {name: [_rows(unit, width) for unit in A.tolist()] for name, A in answers.items()},
    )


def _chosen(predictor: Predictor, x: str | None, y: str | None) -> tuple[Input, Input | None]:
    try:
        return chosen(predictor, x, y)
    except InvalidSpec as error:
        raise InvalidSpec([(at or "/job_id", detail) for at, detail in error.errors]) from None


def _refuse_too_many(limit: int, predictor: Predictor, points: int, hidden: bool) -> None:
    counts = work_of_predictions(predictor, points)
    if hidden:
        counts["numbers"] += points * sum(layer.outputs for layer in predictor.network.layers[:-1])
    remedy = f"these are {points:,} points; ask for fewer, or for columns with fewer categories"
    refuse_too_much(limit, "/resolution", remedy, counts)


def _given(fixed: str) -> dict[str, Any]:
    try:
        return TypeAdapter(dict[str, Any]).validate_json(fixed)
    except ValidationError:
        raise InvalidSpec([("/fixed", 'must be a JSON object, as {"petal_width": 1.3}')]) from None


def _held(
    predictor: Predictor, profile: Mapping[str, Mapping[str, Any]], free: set[str], given: Mapping[str, Any]
) -> dict[str, Any]:
    """A value of every feature that is not free: as given, or what is usual in its column."""
    others = [entry.name for entry in predictor.features.inputs if entry.name not in free]
    for name in given:
        if name not in others:
            detail = f"'{name}' is no other feature; there are {', '.join(others[:20]) or 'none'}"
            raise InvalidSpec([(pointer("fixed", name), detail)])
    return {name: given.get(name, _usual(profile[name])) for name in others}


def _usual(column: Mapping[str, Any]) -> Any:
    """The median of numbers, the most frequent of anything else; nothing where the column holds nothing."""
    if column["kind"] in ("categorical", "boolean", "text"):
        return column["top"][0]["value"] if column["top"] else None
    return column["quantiles"]["0.5"] if column["quantiles"] else None


def _plane_of(share: Shares, width: int | None) -> Any:
    """Probabilities of a class or tag, or by the words of a tag."""
    if isinstance(share, Mapping):
        return {word: _rows(each.tolist(), width) for word, each in share.items()}
    return _rows(share.tolist(), width)


def _rows(cells: list[Any], width: int | None) -> list[Any]:
    return cells if width is None else [cells[start : start + width] for start in range(0, len(cells), width)]
