"""The stream of all jobs that a caller sees."""

from service.feed import progress_event
from service.hub import Hub
from service.stream import EventStream
from store import feed
from store.database import Database
from store.feed import FeedPlace
from store.keys import Caller

NOW = "now"
RESET = "event: reset\ndata: {}\n\n"


async def open_feed(hub: Hub, caller: Caller, last_event_id: str | None, wanted: str) -> EventStream:
    """A stream of all jobs that the caller sees. It begins anew, and says so, where what follows the place is not kept any
    more. Raises BadPageToken, TooManyStreams.
    """
    place = None
    if last_event_id:
        place = feed.feed_place(last_event_id, "/header/last-event-id")
    elif wanted != NOW:
        place = feed.feed_place(wanted, "/query/from")
    with hub.admitted(EventStream(hub, caller)) as stream:
        channel = await hub.owner_channel(caller.sees)
        end, is_complete = await hub.run(_begin, hub.database, place)
        stream.watch(channel, place if place is not None and is_complete else end)
        if not is_complete:
            stream.before = RESET
        for data in hub.progress_of(caller.sees):
            stream.before += progress_event(data).decode()
    return stream


def _begin(database: Database, place: FeedPlace | None) -> tuple[FeedPlace, bool]:
    """The end of the feed, and whether all that follows the place is still there."""
    with database.reading() as session:
        return feed.end(session), place is None or feed.is_complete(session, place)
