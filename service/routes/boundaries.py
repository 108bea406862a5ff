"""A job's decision boundary: predictions over the plane of two features."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import TypeAdapter, ValidationError

from engine.boundary import axis, chosen, plane
from engine.errors import InvalidSpec, UnusableData
from engine.predict import Predictor
from service.dependencies import Reader, ResourceResponse, StoreOf
from service.glass_schemas import AxisResource, Boundary
from service.responses import problems
from service.routes.results import EPOCH, checkpoint_of
from store import datasets, jobs, models

router = APIRouter(prefix="/v1/jobs", tags=["results"])
MOST_CELLS = 20_000_000
"""Of the matrix of features that is predicted from."""


@router.get("/{job_id}/boundary", response_model=Boundary, responses=problems(404))
def get_boundary(
    store: StoreOf,
    caller: Reader,
    job_id: str,
    x: Annotated[str | None, Query(description="a column; by default the first")] = None,
    y: Annotated[str | None, Query(description="another; by default the first that x is not")] = None,
    resolution: Annotated[int, Query(ge=2, le=200, description="points a side, for columns of numbers")] = 50,
    fixed: Annotated[str, Query(description="values of other columns, as JSON", examples=['{"petal_width": 1.3}'])] = "{}",
    epoch: Annotated[str, Query(pattern=EPOCH, description="last, best, or an epoch of /checkpoints")] = "last",
) -> Response:
    """What the weights after an epoch predict over a grid of two features, the others held still."""
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        checkpoint = checkpoint_of(jobs.checkpoints(session, job.number), job, epoch)
        profile = {column["name"]: column for column in datasets.get(session, job.dataset_id, caller.sees).columns}
        predictor = models.make_predictor(job.request, job.fitted or {}, store.files.get(session, checkpoint.digest))
    first, second = chosen(predictor, x, y)
    if resolution**2 * predictor.features.width > MOST_CELLS:
        raise InvalidSpec([("/query/resolution", f"too fine for {predictor.features.width} features; ask for fewer points")])
    across, down = (
        axis(entry, profile[entry.name]["min"], profile[entry.name]["max"], resolution) for entry in (first, second)
    )
    held = _held(predictor, profile, {across.name, down.name}, _given(fixed))
    try:
        found = plane(predictor, across, down, held)
    except UnusableData as error:
        raise InvalidSpec([(f"/query/fixed{at.removeprefix('/records/0')}", detail) for at, detail in error.errors]) from None
    width, shares = len(across.cells), found.probabilities
    answer = Boundary(
        job_id=job.id,
        epoch=checkpoint.epoch,
        x=AxisResource(column=across.name, values=across.cells),
        y=AxisResource(column=down.name, values=down.cells),
        fixed=held,
        classes=None if predictor.target.classes is None else list(predictor.target.classes),
        predictions=_rows(found.values, width),
        probabilities=None if shares is None else {str(name): _rows(share.tolist(), width) for name, share in shares.items()},
    )
    return ResourceResponse(answer.document())


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
            raise InvalidSpec(
                [(f"/query/fixed/{name}", f"'{name}' is no other feature; there are {', '.join(others[:20]) or 'none'}")]
            )
    return {name: given.get(name, _usual(profile[name])) for name in others}


def _usual(column: Mapping[str, Any]) -> Any:
    """The median of numbers, the most frequent of anything else."""
    return column["top"][0]["value"] if column["kind"] in ("categorical", "boolean", "text") else column["quantiles"]["0.5"]


def _rows(cells: list[Any], width: int) -> list[list[Any]]:
    return [cells[start : start + width] for start in range(0, len(cells), width)]
