"""Jobs: start, watch, cancel, and read what they learned."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Body, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from polars import DataFrame
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from engine.catalog import choices, schema_in
from engine.errors import InputError
from engine.network.network import layer_names
from engine.tables.features import Column, ColumnSummary
from engine.training.completion import complete, guesses
from engine.training.estimate import Estimated, estimate, parameters_ahead, refuse_too_much
from engine.training.fork import FIXED
from service import events
from service.capacity import capacity_of
from service.dependencies import (
    EventsAPage,
    HubOf,
    IdempotencyKey,
    LastEventId,
    PageOf,
    PageToken,
    Reader,
    ResourceResponse,
    Store,
    StoreOf,
    Watcher,
    Writer,
    once,
)
from service.language import language, spoken, translation
from service.lists import ORDERED, Asked, NameHolds, Total, View
from service.negotiation import accepted
from service.pointers import within
from service.resources import BRIEF_JOB, job_resource, job_resources, job_summaries, listing
from service.responses import problems, reference, stream_of
from service.routing import Route
from service.schemas.common import CountedListing, Listing
from service.schemas.events import EventResource
from service.schemas.jobs import (
    Estimate,
    EstimatedLayer,
    ForkRequest,
    JobChange,
    JobResource,
    JobSchema,
    JobsSummary,
    JobSummary,
    ModelChoices,
    State,
    StateCounts,
)
from service.schemas.models import ModelKind
from store import best_values, datasets, forks, jobs, journal, queue, turns, workers
from store.database import fold, has_tag
from store.job_request import REQUEST, JobRequest, document_of, training_of
from store.keys import Caller
from store.pages import named_like
from store.tables import Checkpoint, Dataset, Job

GPU_QUEUE = "gpu"
MOST_CELLS = 200_000
"""Cells of a table that is posed, when a job comes in, for the sake of its number of parameters."""
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

EVENT_STREAM = stream_of(("state", "metric", "log"), [reference(name) for name in ("JobResource", "MetricEvent", "LogEvent")])

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
        return ResourceResponse(_estimate(store, caller, request).document())
    with once(store, caller, idempotency_key, "/v1/jobs", document_of(request)) as answer:
        if answer.answer is not None:
            return answer.response
        looked_at = _looked_at(store, caller, request)  # before the database's one writer is held up
        with store.database.transaction() as session:
            dataset = datasets.get(session, request.dataset_id, caller.sees, lock=True)
            completed, queue_name = looked_at.request, looked_at.queue_name
            seen = looked_at.dataset
            if (dataset.columns, dataset.table_digest) != (seen.columns, seen.table_digest):  # corrected meanwhile
                completed, queue_name, _ = _completed(session, store, request, *_seen(session, store, request, dataset))
            turns.refuse_beyond(session, caller.owner, store.settings.max_queued_per_owner)
            parameters = looked_at.parameters if completed is looked_at.request else None
            given = {"queue": queue_name, "warnings": looked_at.warnings, "parameters": parameters}
            job = jobs.create(session, caller.owner, document_of(completed), **given)
            resource = job_resource(session, job, entries=[journal.first_entry(job)])
            answer.give(session, 202, f"/v1/jobs/{job.id}", resource.document())
    queue.send(job.id, queue_name)  # after the commit: a worker that is told of a job must find it
    return answer.response


def _completed(
    session: Session, store: Store, request: JobRequest, table: Mapping[str, ColumnSummary], rows: int
) -> tuple[JobRequest, str, list[dict[str, Any]]]:
    """The request with its defaults, held against the table's columns and rows and the room that workers have; the queue it
    is for; and what had to be guessed.
    """
    takers = workers.takers(session, store.settings.presence_seconds)
    completed = complete(request, table, rows, takers.serve(GPU_QUEUE))
    queue_name = GPU_QUEUE if completed.device == "cuda" else "train"
    refuse_too_much(completed, table, rows, takers.room(queue_name) or store.settings.max_job_bytes or None)
    return completed, queue_name, guesses(request, completed, table, rows)


def _seen(session: Session, store: Store, request: JobRequest, dataset: Dataset) -> tuple[Mapping[str, ColumnSummary], int]:
    """The columns and rows of the dataset that the request is about."""
    return datasets.summaries_for(lambda: datasets.load(session, store.files, dataset), dataset, request), dataset.rows


class LookedAt(NamedTuple):
    """A request with its defaults, the table it names, what is worth a look in it, and how many numbers are to be trained,
    as far as that is known.
    """

    request: JobRequest
    queue_name: str
    dataset: Dataset
    table: DataFrame
    warnings: list[dict[str, Any]]
    parameters: int | None


def _looked_at(store: Store, caller: Caller, request: JobRequest) -> LookedAt:
    with store.database.glancing() as session:
        dataset = datasets.get(session, request.dataset_id, caller.sees)
        turns.refuse_beyond(session, caller.owner, store.settings.max_queued_per_owner)
        completed, queue_name, guessed = _completed(session, store, request, *_seen(session, store, request, dataset))
        table = datasets.load(session, store.files, dataset)
        datasets.check_rows(table, dataset, completed)
    warnings = guessed + datasets.findings(table, dataset, completed)
    return LookedAt(completed, queue_name, dataset, table, warnings, _parameters(completed, dataset, table))


def _parameters(completed: JobRequest, dataset: Dataset, table: DataFrame) -> int | None:
    """From the table's summary; where that does not tell, from a small table itself."""
    found = parameters_ahead(completed, datasets.summaries(dataset))
    if found is None and dataset.rows * len(completed.columns) <= MOST_CELLS:
        with suppress(InputError):  # which the job will fail with
            return estimate(completed, datasets.columns(table, dataset, completed.columns)).parameters
    return found


def _estimate(store: Store, caller: Caller, request: JobRequest) -> Estimate:
    looked_at = _looked_at(store, caller, request)
    completed = looked_at.request
    found = estimate(completed, datasets.columns(looked_at.table, looked_at.dataset, completed.columns))
    return _told(completed, found, looked_at.warnings)


def _told(completed: JobRequest, found: Estimated, warnings: Sequence[Mapping[str, Any]]) -> Estimate:
    names = layer_names(found.layers)
    layers = [
        EstimatedLayer(
            name=name,
            inputs=layer.inputs,
            outputs=layer.outputs,
            activation=None if name == names[-1] else layer.activation.kind,
            parameters=layer.size,
        )
        for name, layer in zip(names, found.layers, strict=True)
    ]
    told = {"request": document_of(completed), "warnings": spoken(warnings), "layers": layers}
    return Estimate(**vars(found) | told)


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
Tagged = Annotated[str | None, Query(description="a tag that they carry, among others")]


def _filters(dataset_id: str | None, model_kind: str | None, tag: str | None, state: str | None = None) -> list[Any]:
    wanted = {Job.state: state, Job.dataset_id: dataset_id, Job.model_kind: model_kind}
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
    order_by: Annotated[JobOrder, Query(description=OF_JOBS)] = "-created_at",
    total: Total = False,
    view: Annotated[View, Query(description="whole jobs, or as lines of a table, a tenth as long")] = "full",
) -> CountedListing[JobResource] | CountedListing[JobSummary]:
    """The jobs, newest first by default. A page's token is good for the same filters and order."""
    fields = {"state": state, "dataset_id": dataset_id, "model_kind": model_kind, "tag": tag}
    wanted = Asked(caller, page_of, order_by, total, name, fields, _filters(dataset_id, model_kind, tag, state))
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
) -> JobsSummary:
    """How many jobs there are in each state, with the list's filters."""
    filters = _filters(dataset_id, model_kind, tag) + ([] if name is None else [named_like(Job, name)])
    with store.database.reading() as session:
        counts = jobs.counts(session, caller.sees, filters)
    return JobsSummary(total=sum(counts.values()), states=StateCounts(**counts))


@router.get("/schema", responses=problems())
def get_job_schema(caller: Reader) -> JobSchema:
    """What a form for a job is built from: the JSON Schema of the body of `POST /v1/jobs`, and what is left to choose for each
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


@router.post("/{job_id}/cancel", status_code=202, responses=problems(404, 409))
def cancel_job(store: StoreOf, caller: Writer, job_id: str, response: Response) -> JobResource:
    """Cancel: at once from queued or paused; a running job is `cancelling` until its worker has stopped."""
    with store.database.transaction() as session:
        jobs.cancel(session, jobs.get(session, job_id, caller.sees))
    response.headers["Location"] = f"/v1/jobs/{job_id}"
    return get_job(store, caller, job_id)


@router.post("/{job_id}/pause", status_code=202, responses=problems(404, 409))
def pause_job(store: StoreOf, caller: Writer, job_id: str, response: Response) -> JobResource:
    """Pause a running job: it is `pausing` until its worker has saved where exactly it stands, then `paused`."""
    with store.database.transaction() as session:
        jobs.pause(session, jobs.get(session, job_id, caller.sees))
    response.headers["Location"] = f"/v1/jobs/{job_id}"
    return get_job(store, caller, job_id)


@router.post("/{job_id}/resume", status_code=202, responses=problems(404, 409, 429))
def resume_job(store: StoreOf, caller: Writer, job_id: str, response: Response) -> JobResource:
    """Let a paused job go on where it stands; it ends in the same bits as one that was never paused."""
    with store.database.transaction() as session:
        job = jobs.get(session, job_id, caller.sees)
        turns.refuse_beyond(session, job.owner, store.settings.max_queued_per_owner)
        jobs.resume(session, job)
    queue.send(job.id, job.queue)
    response.headers["Location"] = f"/v1/jobs/{job_id}"
    return get_job(store, caller, job_id)


@router.post(
    "/{job_id}/fork",
    status_code=202,
    response_model=JobResource,
    responses={**problems(404, 409, 410, 429), 200: {"description": "validate_only: what it would be", "model": Estimate}},
)
def fork_job(
    store: StoreOf,
    caller: Writer,
    job_id: str,
    fork: ForkRequest,
    validate_only: Annotated[bool, Query(description="check and complete the fork; store nothing")] = False,
    idempotency_key: IdempotencyKey = None,
) -> JSONResponse:
    """Start a new job from a checkpoint of this one, whatever its state, with some settings changed.

    It inherits the weights, and the optimizer's state where the optimizer stays of its kind; its curves begin after that
    epoch. What the weights were made for stays: dataset, target, features, task, model, preprocessing, split, precision.
    With nothing changed it ends in the same bits as its parent.
    """
    if validate_only:
        with store.database.glancing() as session:
            begun = _begun(session, store, caller, job_id, fork, lock=False)
            columns = datasets.table_of(session, store.files, begun.parent, begun.dataset).columns(begun.request.columns)
        return ResourceResponse(_told(begun.request, _still_to_do(begun, columns), ()).document())
    with once(store, caller, idempotency_key, f"/v1/jobs/{job_id}/fork", fork.document()) as answer:
        if answer.answer is not None:
            return answer.response
        with store.database.transaction() as session:
            begun = _begun(session, store, caller, job_id, fork, lock=True)
            given = (caller.owner, begun.parent, begun.checkpoint, begun.request, begun.queue_name)
            job = forks.create(session, store.files, *given)
            answer.give(session, 202, f"/v1/jobs/{job.id}", job_resource(session, job).document())
    queue.send(job.id, begun.queue_name)
    return answer.response


class Begun(NamedTuple):
    """A fork that may be made: what it goes on from, and its request with its defaults."""

    parent: Job
    checkpoint: Checkpoint
    dataset: Dataset
    request: JobRequest
    queue_name: str


def _begun(session: Session, store: Store, caller: Caller, job_id: str, fork: ForkRequest, lock: bool) -> Begun:
    turns.refuse_beyond(session, caller.owner, store.settings.max_queued_per_owner)
    parent = jobs.get(session, job_id, caller.sees)
    checkpoint = forks.checkpoint_of(session, parent, fork.epoch)
    dataset = datasets.get(session, parent.dataset_id, caller.sees, lock=lock)
    with within("overrides"):
        request = _overridden(parent, fork.overrides)
        forks.refuse(parent, request, checkpoint)  # before its defaults, which another target would change, too
        seen = _seen_by(session, store, parent, dataset) or _seen(session, store, request, dataset)
        completed, queue_name, _ = _completed(session, store, request, *seen)
        forks.refuse(parent, completed, checkpoint)
        forks.check_rows(parent, completed)
    return Begun(parent, checkpoint, dataset, completed, queue_name)


def _still_to_do(begun: Begun, columns: Mapping[str, Column]) -> Estimated:
    """The estimate of a run with that request, of whose epochs the fork has some behind it."""
    found = estimate(begun.request, columns)
    epochs = begun.request.epochs or 1
    left = (epochs - begun.checkpoint.epoch) / epochs
    return replace(found, seconds=None if found.seconds is None else found.seconds * left)


def _seen_by(session: Session, store: Store, parent: Job, dataset: Dataset) -> tuple[Mapping[str, ColumnSummary], int] | None:
    """The columns and rows of the table that the parent was trained on, where its dataset has been read anew since."""
    if parent.table_digest is None:
        return None
    table = datasets.table_of(session, store.files, parent, dataset)
    return table.summaries(training_of(parent.request)), table.table.height


def _overridden(parent: Job, overrides: dict[str, Any]) -> JobRequest:
    now = {**document_of(training_of(parent.request)), "name": parent.name, "tags": parent.tags or None}
    document = forks.forked(now, overrides)
    try:
        return training_of(document)
    except ValidationError as error:
        places = [{**entry, "loc": ("body", "overrides", *entry["loc"])} for entry in error.errors()]
        raise RequestValidationError(places, body={"overrides": document}) from None


@router.delete("/{job_id}", status_code=204, responses=problems(404, 409))
def delete_job(store: StoreOf, caller: Writer, job_id: str) -> Response:
    """Forget a job that is done, with its curves and checkpoints; the model made of it stays."""
    with store.database.transaction() as session:
        jobs.delete(session, store.files, jobs.get(session, job_id, caller.sees))
    return Response(status_code=204)


@router.get(
    "/{job_id}/events",
    responses={
        **problems(404, 406, 429),
        200: {
            "description": "the stream, or with Accept: application/json a page of the same events",
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/Listing_EventResource_"}},
                "text/event-stream": {"schema": EVENT_STREAM},
            },
        },
        204: {"description": "the job is done and every event told: an EventSource does not connect again"},
    },
    response_model=Listing[EventResource],
)
async def stream_events(
    store: StoreOf,
    hub: HubOf,
    caller: Watcher,
    request: Request,
    job_id: str,
    page_size: EventsAPage = 100,
    page_token: PageToken = None,
    last_event_id: LastEventId = None,
    wanted: Annotated[
        str, Query(alias="from", description="start; now, for what is yet to come; or the event_id of the job or its curves")
    ] = "start",
) -> Response:
    """What happened to a job, until its last state: changes of state, the values of every epoch, messages.

    A page that draws a job reads `/curves` and then streams `from` the `event_id` in that answer: it gets what comes after,
    with nothing missed and nothing twice. Who is cut off sends the id of the last event as `Last-Event-ID`.
    """
    begin = events.begin(page_token, last_event_id, wanted)
    if accepted(request, ("text/event-stream", "application/json")) == "application/json":
        async with capacity_of(request).turn("reads"):
            found = await run_in_threadpool(events.page, store.database, caller, job_id, begin, page_size)
        more = len(found.events) == page_size
        documents = [event.document() for event in found.events]
        return ResourceResponse(listing(documents, str(found.events[-1].id) if more else None))
    stream = await hub.open(caller, job_id, begin)
    return Response(status_code=204) if stream is None else stream
