"""The events of one job, as a stream or page by page."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from service import events
from service.capacity import capacity_of
from service.dependencies import EventsAPage, HubOf, LastEventId, PageToken, ResourceResponse, StoreOf, Watcher
from service.negotiation import accepted
from service.resources import listing
from service.responses import problems, reference, stream_of
from service.routing import Route
from service.schemas.events import EventResource
from service.schemas.parts import Listing

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=Route)
EVENT_STREAM = stream_of(("state", "metric", "log"), [reference(name) for name in ("JobResource", "MetricEvent", "LogEvent")])


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
    """Events of a job, until its last state: changes of state, the values of every epoch, messages.

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
