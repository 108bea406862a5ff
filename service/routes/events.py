"""Events of several jobs, or of all, in one stream."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from service.capacity import capacity_of
from service.dependencies import EventsAPage, HubOf, LastEventId, PageToken, ResourceResponse, StoreOf, Watcher
from service.feed_stream import NOW, open_feed
from service.negotiation import accepted
from service.page_stream import MOST_JOBS, Named, open_page, page
from service.resources import listing
from service.responses import problems, reference, stream_of
from service.routing import Route
from service.schemas.events import JobEvent, JobGone, JobProgress
from service.schemas.parts import Listing
from store.errors import BadPageToken

router = APIRouter(prefix="/v1/events", tags=["jobs"], route_class=Route)

TEMPLATE = "#/components/schemas/{model}"
DATA = [
    *map(reference, ("JobResource", "MetricEvent", "LogEvent", "JobSummary")),
    *(kind.model_json_schema(mode="serialization", ref_template=TEMPLATE) for kind in (JobProgress, JobGone)),
]
for _schema in DATA:
    _schema.pop("$defs", None)
STREAM = stream_of(("state", "metric", "log", "deleted", "progress", "reset"), DATA)


@router.get(
    "",
    responses={
        **problems(404, 406, 429),
        200: {
            "description": "the stream, or with `jobs` and Accept: application/json a page of the same events",
            "content": {
                "application/json": {"schema": reference("Listing_JobEvent_")},
                "text/event-stream": {"schema": STREAM},
            },
        },
        204: {"description": "the jobs are done and every event told: an EventSource does not connect again"},
    },
    response_model=Listing[JobEvent],
)
async def stream_all_events(
    store: StoreOf,
    hub: HubOf,
    caller: Watcher,
    request: Request,
    jobs: Annotated[
        str | None,
        Query(
            description=f"ids of up to {MOST_JOBS} jobs, with commas between; `ID:EVENT_ID` begins after that event of the job",
            examples=["job_01937b2e-7c1d-7a63-9a53-0c9c1a2b3d4e,job_01937b2f-11d0-7d0c-8f0e-5d0b7f3c2a10:8589934612"],
        ),
    ] = None,
    page_size: EventsAPage = 100,
    page_token: PageToken = None,
    last_event_id: LastEventId = None,
    wanted: Annotated[
        str | None,
        Query(
            alias="from",
            description="an event's id; now, for what is yet to come, as without `jobs`; start, as with `jobs` by default",
        ),
    ] = None,
) -> Response:
    """Events of several jobs, or of all that you see, in one stream: a browser has six connections to a host.

    With `jobs`: the events that each job's own stream has, with `job_id` in their data. An id is that of the whole stream, and
    every job goes on at its place. A job that was deleted is told as `deleted`.

    Without: `state` is a job's line of a table whenever its state, name or tags have changed, new jobs included, as it is by
    then; `deleted` names one that is gone; `progress` tells how far running jobs are, at most once a second, and has no id.
    `reset` comes where what follows the id is not kept any more (an hour): read the list again.
    """
    if jobs is None:
        accepted(request, ("text/event-stream",), "; pages of JSON need `jobs`")
        if page_token is not None:
            raise BadPageToken(
                "only events of `jobs` come in pages; send the id of the last event as `from`", "/query/page_token"
            )
        return await open_feed(hub, caller, last_event_id, wanted or NOW)
    begun = Named(jobs).begin(page_token, last_event_id, wanted or "start")
    if accepted(request, ("text/event-stream", "application/json")) == "application/json":
        async with capacity_of(request).turn("reads"):
            found, token = await run_in_threadpool(page, store.database, caller, begun, page_size)
        return ResourceResponse(listing([event.document() for event in found], token if len(found) == page_size else None))
    stream = await open_page(hub, caller, begun)
    return Response(status_code=204) if stream is None else stream
