"""Jobs: start, list, describe and delete them; what a form for one is built from."""

from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from engine.catalog import choices, schema_in
from engine.training.fork import FIXED
from service.dependencies import IdempotencyKey, PageOf, Reader, ResourceResponse, StoreOf, Writer, once
from service.language import language, translation
from service.lists import ORDERED, Asked, NameHolds, Total, View
from service.resources import BRIEF_JOB, estimate_resource, job_resource, job_resources, job_summaries
from service.responses import problems
from service.routing import Route
from service.schemas.jobs import (
    Estimate,
    JobChange,
    JobKind,
    JobResource,
    JobSchema,
    JobsSummary,
    JobSummary,
    ModelChoices,
    State,
    StateCounts,
)
from service.schemas.models import ModelKind
from service.schemas.parts import CountedListing
from store import best_values, jobs, journal, submission
from store.database import fold, has_tag
from store.job_request import REQUEST, JobRequest, document_of
from store.pages import named_like
from store.tables import Job

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=Route)

SHORT = {
    "dataset_id": "ds_01937b2e-7c1d-7a63-9a53-0c9c1a2b3d4e",
    "target": "species",
    "model": {"kind": "mlp", "hidden": [{"units": 16, "activation": "relu"}]},
    "epochs": 100,
}
LINEAR = {
    "dataset_id": "ds_01937b2e-7c1d-7a63-9a53-0c9c1a2b3d4e",
    "target": "weight",
    "model": {"kind": "linear_regression", "solver": "gradient_descent"},
    "optimizer": {"kind": "momentum", "learning_rate": 0.05},
    "epochs": 300,
}
EXAMPLES: dict[str, Any] = {
    "short": {"summary": "A network, with every default", "value": SHORT},
    "linear": {"summary": "A line by gradient descent with momentum", "value": LINEAR},
}

CHANGES: dict[str, Any] = {
    "name": {"summary": "Another name", "value": {"name": "wider network"}},
    "tags": {"summary": "Tags", "value": {"tags": ["week 3", "baseline"]}},
}


@router.post(
    "",
    status_code=202,
    response_model=JobResource,
    responses={**problems(404, 409, 413, 429), 200: {"description": "validate_only: what it would be", "model": Estimate}},
)
def create_job(
    store: StoreOf,
    caller: Writer,
    request: Annotated[JobRequest, Body(openapi_examples=EXAMPLES)],
    validate_only: Annotated[bool, Query(description="check and complete the body; store nothing")] = False,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Start a job. The answer is the whole resource, with the completed body under `request`."""
    if validate_only:
        checked = submission.check(store, caller, request)
        return ResourceResponse(estimate_resource(checked.request, checked.estimate(), checked.warnings).document())
    with once(store, caller, idempotency_key, "/v1/jobs", document_of(request)) as answer:
        if answer.answer is not None:
            return answer.response

        def settle(session: Session, job: Job) -> None:
            resource = job_resource(session, job, entries=[journal.first_entry(job)])
            answer.give(session, 202, f"/v1/jobs/{job.id}", resource.document())

        submission.submit(store, caller, request, settle)
    return answer.response


if TYPE_CHECKING:
    JobOrder = str
else:
    KEYS = ("created_at", "name", "state", "started_at", "finished_at", *best_values.BETTER)
    JobOrder = Literal[tuple(f"{sign}{key}" for key in KEYS for sign in ("", "-"))]
OF_JOBS = f"{ORDERED}; by a loss or a metric, it is the best value that a job has had"
ORDERS: dict[str, Any] = {
    "name": fold(Job.name),
    "state": Job.state,
    "started_at": Job.started_at,
    "finished_at": Job.finished_at,
}
OfDataset = Annotated[str | None, Query(description="the id of the dataset that they learn from")]
OfKind = Annotated[ModelKind | None, Query(description="the kind of their model")]
WhatItDoes = Annotated[
    JobKind | Literal["any"] | None,
    Query(description="what they do: by default train a model, or, with a `parent`, any thing about it"),
]
OfParent = Annotated[str | None, Query(description="the id of the job that they are about; of kinds but training")]
Tagged = Annotated[str | None, Query(description="a tag that they carry, among others")]


def _filters(
    dataset_id: str | None,
    model_kind: str | None,
    tag: str | None,
    kind: str | None,
    parent: str | None,
    state: str | None = None,
) -> list[Any]:
    kind = kind or ("training" if parent is None else "any")
    of_kind = None if kind == "any" else kind
    wanted = {
        Job.state: state, Job.dataset_id: dataset_id, Job.model_kind: model_kind, Job.kind: of_kind, Job.parent: parent,
    }  # fmt: skip
    filters: list[Any] = [column == value for column, value in wanted.items() if value is not None]
    return filters + ([] if tag is None else [has_tag(Job.tags, tag)])


@router.get("", responses=problems())
def list_jobs(
    store: StoreOf,
    caller: Reader,
    page_of: PageOf,
    state: Annotated[State | None, Query(description="the state that they are in")] = None,
    dataset_id: OfDataset = None,
    model_kind: OfKind = None,
    tag: Tagged = None,
    name: NameHolds = None,
    kind: WhatItDoes = None,
    parent: OfParent = None,
    order_by: Annotated[JobOrder, Query(description=OF_JOBS)] = "-created_at",
    total: Total = False,
    view: Annotated[View, Query(description="whole jobs, or as lines of a table, a tenth as long")] = "full",
) -> CountedListing[JobResource] | CountedListing[JobSummary]:
    """The jobs, newest first by default. A page's token is good for the same filters and order."""
    fields = {"state": state, "dataset_id": dataset_id, "model_kind": model_kind, "tag": tag}
    fields |= {"kind": kind, "parent": parent}
    filters = _filters(dataset_id, model_kind, tag, kind, parent, state)
    wanted = Asked(caller, page_of, order_by, total, name, fields, filters)
    key, descending = order_by.removeprefix("-"), order_by.startswith("-")
    order = best_values.order(key, descending) if key in best_values.BETTER else None
    with store.database.reading() as session:
        rows, rest = wanted.read(session, Job, ORDERS, [BRIEF_JOB] if view == "brief" else [], order)
        if view == "brief":
            return CountedListing[JobSummary](items=job_summaries(session, rows), **rest)
        return CountedListing[JobResource](items=job_resources(session, rows), **rest)


@router.get("/summary", responses=problems())
def summarize_jobs(
    store: StoreOf,
    caller: Reader,
    dataset_id: OfDataset = None,
    model_kind: OfKind = None,
    tag: Tagged = None,
    name: NameHolds = None,
    kind: WhatItDoes = None,
    parent: OfParent = None,
) -> JobsSummary:
    """How many jobs there are in each state, with the list's filters."""
    filters = _filters(dataset_id, model_kind, tag, kind, parent) + ([] if name is None else [named_like(Job, name)])
    with store.database.reading() as session:
        counts = jobs.counts(session, caller.sees, filters)
    return JobsSummary(total=sum(counts.values()), states=StateCounts(**counts))


@router.get("/schema", responses=problems())
def get_job_schema(caller: Reader) -> JobSchema:
    """The material for a job's form: the JSON Schema of the body of `POST /v1/jobs`, and what is left to choose for each
    model and task. The catalog has the formulas; `validate_only` has the defaults that a model and a table give. Titles and
    descriptions are in Portuguese or English, by Accept-Language.
    """
    return _job_schema(language())


@lru_cache
def _job_schema(language: str) -> JobSchema:
    fixed = [f"/{name}" for name in ("dataset_id", *FIXED)]
    schema = schema_in(REQUEST.json_schema(), translation(language))
    return JobSchema(schema=schema, choices=[ModelChoices(**choice) for choice in choices()], fixed=fixed)


@router.get("/{job_id}", responses=problems(404))
def get_job(store: StoreOf, caller: Reader, job_id: str) -> JobResource:
    """One job."""
    with store.database.reading() as session:
        return job_resource(session, jobs.get(session, job_id, caller.sees))


@router.patch("/{job_id}", responses=problems(404))
def describe_job(
    store: StoreOf, caller: Writer, job_id: str, change: Annotated[JobChange, Body(openapi_examples=CHANGES)]
) -> JobResource:
    """Rename or tag a job, whatever its state. Its training, and the request that is kept of it, stay as they are."""
    values = change.model_dump(exclude_unset=True)
    if "tags" in values:
        values["tags"] = list(values["tags"] or ())
    with store.database.transaction() as session:
        job = jobs.get(session, job_id, caller.sees)
        jobs.describe(session, job, **values)
        return job_resource(session, job)


@router.delete("/{job_id}", status_code=204, responses=problems(404, 409))
def delete_job(store: StoreOf, caller: Writer, job_id: str) -> Response:
    """Forget a job that is done, with its curves and checkpoints; the model made of it stays."""
    with store.database.transaction() as session:
        jobs.delete(session, store.files, jobs.get(session, job_id, caller.sees))
    return Response(status_code=204)
