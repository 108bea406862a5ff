"""The feed: what is a change, in which order it is told, and for how long."""

from typing import Any

import pytest
from sqlalchemy import delete, update

from store import feed, jobs, journal, leases
from store.database import Database
from store.errors import BadPageToken
from store.feed import FeedPlace, feed_place
from store.files import Files
from store.tables import Feed
from tests.store.staging import LEASE_SECONDS, claim, make_job


def changes(database: Database, owner: str | None = None, after: FeedPlace | None = None) -> list[tuple[str, bool]]:
    with database.reading() as session:
        return [(change.job_id, change.is_deleted) for change in feed.changes(session, owner, after or FeedPlace(), 1000)]


def end(database: Database, owner: str | None = None) -> FeedPlace:
    with database.reading() as session:
        return feed.end(session, owner)


def test_what_lists_show_is_a_change_and_nothing_else(database: Database, files: Files) -> None:
    job = make_job(database)
    lease = claim(database, job)
    with database.transaction() as session:
        leases.renew(session, lease, LEASE_SECONDS)
        leases.update_row(session, lease, epoch=1)
        journal.log(session, job.number, "a message")
    with database.transaction() as session:
        jobs.describe(session, jobs.get(session, job.id, None), name="first")  # as it was
        jobs.describe(session, jobs.get(session, job.id, None), name="another")
        jobs.describe(session, jobs.get(session, job.id, None), tags=["week 3"])
    with database.transaction() as session:
        leases.finish(session, lease, "failed")
    with database.transaction() as session:
        jobs.delete(session, files, jobs.get(session, job.id, None))
    told = [(job.id, False)] * 5 + [(job.id, True)]  # queued, running, two names, failed; gone
    assert changes(database) == told


def test_each_owner_has_their_own_and_places_go_on(database: Database) -> None:
    ana, rui = make_job(database, "ana"), make_job(database, "rui")
    place = end(database)
    assert place == end(database, "rui") > end(database, "ana") > FeedPlace()
    assert (changes(database, "ana"), changes(database, "rui")) == ([(ana.id, False)], [(rui.id, False)])
    claim(database, ana)
    assert changes(database, None, place) == changes(database, "ana", place) == [(ana.id, False)]
    assert changes(database, "rui", place) == changes(database, None, end(database)) == []
    assert feed_place(place.id) == place


def test_postgresql_tells_nothing_that_something_may_still_come_before(postgresql_database: Database) -> None:
    """The first transaction commits last: who was told of the second alone would never be told of the first."""
    with postgresql_database.transaction() as first:
        early = jobs.create(first, "ana", {"dataset_id": "ds_1", "model": {"kind": "mlp"}})
        late = make_job(postgresql_database, "rui")
        assert changes(postgresql_database) == []
    assert changes(postgresql_database) == [(early.id, False), (late.id, False)]


def test_old_changes_are_forgotten_and_who_comes_back_later_is_told_so(database: Database) -> None:
    def is_complete(place: FeedPlace) -> bool:
        with database.reading() as session:
            return feed.is_complete(session, place)

    assert is_complete(FeedPlace())
    places = []
    for _ in range(4):
        make_job(database)
        places.append(end(database))
    assert all(map(is_complete, (FeedPlace(), *places)))
    with database.transaction() as session:
        old = Feed.number <= places[2].number
        session.execute(update(Feed).where(old).values(at=Feed.at - 2 * feed.KEPT_SECONDS))
        feed.forget_old(session)
    assert [is_complete(place) for place in (FeedPlace(), *places)] == [False, False, False, True, True]
    assert len(changes(database, None, places[2])) == 1
    assert not is_complete(FeedPlace(places[3].txid, places[3].number + 1))  # of another database, or of one that was restored


@pytest.mark.parametrize("bad", ["", "1", "-", "1-", "-1", "1-2-3", "a-1", "1-٣", "9" * 30 + "-1", f"1-{2**62}"])
def test_a_foreign_place_is_refused(bad: str) -> None:
    with pytest.raises(BadPageToken):
        feed_place(bad)


def test_numbers_are_never_given_out_again(sqlite_database: Database, files: Files) -> None:
    """SQLite would, of rows that were deleted at the end."""
    job: Any = make_job(sqlite_database)
    before = end(sqlite_database)
    with sqlite_database.transaction() as session:
        session.execute(delete(Feed))
    make_job(sqlite_database)
    assert end(sqlite_database) > before
    assert changes(sqlite_database, None, before) != [(job.id, False)]
