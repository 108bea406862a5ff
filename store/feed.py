"""The feed: which jobs have changed, one after the other, for who watches all of an owner's at once.

A place in it is where a reader has come to. On SQLite one transaction writes at a time, so numbers rise in the order of
commits. On PostgreSQL they do not: a reader that has come to number 8 may have passed 7 by, which was not committed yet. There
a row names the transaction that wrote it, rows come in the order of transactions, and those of a transaction come once no
earlier one is under way any more.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, and_, delete, or_, select, true
from sqlalchemy.orm import Session
from sqlalchemy.sql.expression import literal_column

from store.database import is_sqlite, now
from store.errors import BadPageToken
from store.pages import owned
from store.tables import Feed

KEPT_SECONDS = 3600.0
"""How long a change is kept for readers who come back."""
LONGEST = 19
"""Digits of the largest number there can be."""


@dataclass(frozen=True, slots=True, order=True)
class FeedPlace:
    """After a row of the feed, and all before it."""

    txid: int = 0
    number: int = 0

    @property
    def id(self) -> str:
        return f"{self.txid}-{self.number}"


def feed_place(event_id: str, pointer: str | None = None) -> FeedPlace:
    """The place that an event's id stands for. Raises BadPageToken, which points at where the id was given."""
    txid, _, number = event_id.partition("-")
    if not all(part.isascii() and part.isdecimal() and len(part) <= LONGEST and int(part) < 2**62 for part in (txid, number)):
        raise BadPageToken("the event id is none that was given out here; leave it out to be told what is yet to come", pointer)
    return FeedPlace(int(txid), int(number))


@dataclass(frozen=True, slots=True)
class Change:
    """A job that has changed, or is gone, and the place after that."""

    place: FeedPlace
    owner: str
    job_id: str
    is_deleted: bool


def _settled(session: Session) -> ColumnElement[bool]:
    """The condition that nothing can come before a row any more."""
    if is_sqlite(session):
        return true()
    oldest: ColumnElement[Any] = literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", BigInteger())
    return Feed.txid < oldest


def _after(place: FeedPlace) -> ColumnElement[bool]:
    return or_(Feed.txid > place.txid, and_(Feed.txid == place.txid, Feed.number > place.number))


def changes(session: Session, owner: str | None, after: FeedPlace, limit: int) -> Sequence[Change]:
    """The owner's changes after the place, in order; those of all owners for None."""
    query = (
        select(Feed.txid, Feed.number, Feed.owner, Feed.job_id, Feed.is_deleted)
        .where(_after(after), _settled(session), *owned(Feed, owner))
        .order_by(Feed.txid, Feed.number)
        .limit(limit)
    )
    return [Change(FeedPlace(row.txid, row.number), *row[2:]) for row in session.execute(query)]


def end(session: Session, owner: str | None = None) -> FeedPlace:
    """The place after all of the owner's changes so far, or of everybody's."""
    query = (
        select(Feed.txid, Feed.number)
        .where(_settled(session), *owned(Feed, owner))
        .order_by(Feed.txid.desc(), Feed.number.desc())
        .limit(1)
    )
    row = session.execute(query).one_or_none()
    return FeedPlace() if row is None else FeedPlace(*row)


def is_complete(session: Session, after: FeedPlace) -> bool:
    """Whether every change after the place is still kept, and the place is one that the feed has come to."""
    first = session.execute(select(Feed.txid, Feed.number).order_by(Feed.txid, Feed.number).limit(1)).one_or_none()
    begin = FeedPlace() if first is None or first.number == 1 else FeedPlace(*first)
    return begin <= after <= max(end(session), begin)


def forget_old(session: Session) -> None:
    """Drop the changes that were kept for long, but the last of them: it says from where on the feed is complete."""
    old = Feed.at < now() - KEPT_SECONDS
    last = select(Feed.txid, Feed.number).where(old).order_by(Feed.txid.desc(), Feed.number.desc()).limit(1)
    row = session.execute(last).one_or_none()
    if row is not None:
        before = or_(Feed.txid < row.txid, and_(Feed.txid == row.txid, Feed.number < row.number))
        session.execute(delete(Feed).where(old, before))
