"""A job's decision boundary: predictions over the plane of two features, or along one."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import TypeAdapter, ValidationError

from engine.errors import InvalidSpec, UnusableData
from engine.glass.boundary import axis, chosen, plane, units
from engine.tables.features import Input, pointer
from engine.tables.target import Shares
from engine.training.predict import Predictor
from service.dependencies import Reader, ResourceResponse, StoreOf
from service.responses import problems
from service.routes.results import EPOCH, WHICH
from service.routing import Route, works_on
from service.schemas.glass import AxisResource, Boundary
from service.work import refuse_too_much, work_of_predictions
from store import datasets, jobs
from store.fitted import stored_readings
from store.predictors import predictor_at
from store.readings.records import read_records

router = APIRouter(prefix="/v1/jobs", tags=["results"], route_class=Route)


@router.get("/{job_id}/boundary", response_model=Boundary, responses=problems(404, 410, 429))
@works_on("tables")
def get_boundary(
    store: StoreOf,
    caller: Reader,
    job_id: str,
    x: Annotated[str | None, Query(description="a column; without y, the predictions along it are a curve")] = None,
    y: Annotated[str | None, Query(description="another column, for a plane")] = None,
    resolution: Annotated[int, Query(ge=2, le=200, description="points a side, for columns of numbers")] = 50,
    fixed: Annotated[str, Query(description="values of other columns, as JSON", examples=['{"petal_width": 1.3}'])] = "{}",
    epoch: Annotated[str, Query(description=WHICH), EPOCH] = "model",
    hidden: Annotated[bool, Query(description="also what each hidden unit answers, as `units`")] = False,
) -> Response:
    """What the weights after an epoch predict over a grid of two features, or along one, the others held still.

    With neither x nor y it is the plane of the first two features, or the curve of the only one.
    """
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        moment = predictor_at(session, store.files, job, epoch)
        predictor = moment.predictor
        dataset = datasets.of_job(session, job)
        table = datasets.table_of(session, store.files, job, dataset)
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
    given = _given(fixed)
    held = _held(predictor, profile, free, given)
    readings = stored_readings(job.fitted or {})
    cells = held if readings is None else {**held, **read_records(readings, predictor.features, [given])[0]}
    try:
        found = plane(predictor, across, down, cells)
        answers = units(predictor, across, down, cells) if hidden else None
    except UnusableData as error:
        raise InvalidSpec([(f"/query/fixed{at.removeprefix('/records/0')}", detail) for at, detail in error.errors]) from None
    width, shares = None if down is None else len(across.cells), found.by_name
    answer = Boundary(
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
    return ResourceResponse(answer.document())


def _chosen(predictor: Predictor, x: str | None, y: str | None) -> tuple[Input, Input | None]:
    try:
        return chosen(predictor, x, y)
    except InvalidSpec as error:
        raise InvalidSpec([(f"/query{at}" if at else "/job_id", detail) for at, detail in error.errors]) from None


def _refuse_too_many(limit: int, predictor: Predictor, points: int, hidden: bool) -> None:
    counts = work_of_predictions(predictor, points)
    if hidden:
        counts["numbers"] += points * sum(layer.outputs for layer in predictor.network.layers[:-1])
    remedy = f"these are {points:,} points; ask for fewer, or for columns with fewer categories"
    refuse_too_much(limit, "/query/resolution", remedy, counts)


def _given(fixed: str) -> dict[str, Any]:
    try:
        return TypeAdapter(dict[str, Any]).validate_json(fixed)
    except ValidationError:
        raise InvalidSpec([("/query/fixed", 'must be a JSON object, as {"petal_width": 1.3}')]) from None


def _held(
    predictor: Predictor, profile: Mapping[str, Mapping[str, Any]], free: set[str], given: Mapping[str, Any]
) -> dict[str, Any]:
    """A value of every feature that is not free: as given, or what is usual in its column."""
    others = [entry.name for entry in predictor.features.inputs if entry.name not in free]
    for name in given:
        if name not in others:
            detail = f"'{name}' is no other feature; there are {', '.join(others[:20]) or 'none'}"
            raise InvalidSpec([(pointer("query", "fixed", name), detail)])
    return {name: given.get(name, _usual(profile[name])) for name in others}


def _usual(column: Mapping[str, Any]) -> Any:
    """The median of numbers, the most frequent of anything else; nothing where the column holds nothing."""
    if column["kind"] in ("categorical", "boolean", "text"):
        return column["top"][0]["value"] if column["top"] else None
    return column["quantiles"]["0.5"] if column["quantiles"] else None


def _plane_of(share: Shares, width: int | None) -> Any:
    """Of a class or tag, or by the words of a tag."""
    if isinstance(share, Mapping):
        return {word: _rows(each.tolist(), width) for word, each in share.items()}
    return _rows(share.tolist(), width)


def _rows(cells: list[Any], width: int | None) -> list[Any]:
    return cells if width is None else [cells[start : start + width] for start in range(0, len(cells), width)]
