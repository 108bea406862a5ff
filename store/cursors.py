"""Event ids: how far a job's events have been told.

An id is (journal entries told) · 2³² + (epochs told). Both only grow, so it rises with every event, the same event always
has the same id, and an epoch trained again after a lost attempt, which gives the same numbers, is not told twice.
"""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from store.errors import BadPageToken
from store.states import DONE
from store.tables import Entry, Job

EPOCHS = 2**32
LONGEST = 19
"""Digits of the largest id there can be."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place among a job's events: after so many entries of its journal and so many epochs."""

    entries: int = 0
    epochs: int = 0

    @property
    def id(self) -> int:
        return self.entries * EPOCHS + self.epochs


def cursor(event_id: str, pointer: str | None = None) -> Cursor:
    """The place that an event's id stands for. Raises BadPageToken, which points at where the id was given."""
    digits = event_id.isascii() and event_id.isdecimal() and len(event_id) <= LONGEST
    if not digits or int(event_id) >= 2**62:
        detail = "the event id is none that was given out here; leave it out to start at the first event"
        raise BadPageToken(detail, pointer)
    return Cursor(*divmod(int(event_id), EPOCHS))


@dataclass(frozen=True, slots=True)
class Head:
    """The present end of a job's events: its row and its curves include all up to `cursor`; `furthest` counts the epochs that
    were ever recorded, which are more while a lost attempt's are trained again; `ended` says that no event will follow.
    """

    job_id: str
    owner: str
    cursor: Cursor
    furthest: int
    ended: bool

    def is_after(self, place: Cursor) -> bool:
        """Whether there are events after the place."""
        return place.entries < self.cursor.entries or (not self.ended and place.epochs < self.cursor.epochs)

    def check(self, place: Cursor, pointer: str | None = None) -> None:
        """Raises BadPageToken for a place that the job's events have not come to."""
        if place.entries > self.cursor.entries or place.epochs > max(self.furthest, self.cursor.epochs):
            detail = f"job '{self.job_id}' has not come to that event; read the job, and go on from its event_id"
            raise BadPageToken(detail, pointer)


def heads(session: Session, numbers: Collection[int]) -> dict[int, Head]:
    """By the job's number, where its events end; without those that are no longer there."""
    query = (
        select(
            Job.number,
            Job.id,
            Job.owner,
            Job.state,
            Job.epoch,
            Job.forked_epoch,
            func.max(Entry.sequence).label("entries"),
            func.max(Entry.epoch).label("furthest"),
        )
        .join(Entry, Entry.job_number == Job.number)
        .where(Job.number.in_(numbers))
        .group_by(Job.number)
    )
    return {
        row.number: Head(
            row.id,
            row.owner,
            Cursor(row.entries, max(row.epoch, row.forked_epoch)),
            max(row.furthest, row.epoch),
            row.state in DONE,
        )
        for row in session.execute(query)
    }


def head(session: Session, job: Job) -> Head:
    """The end of the job's events, in the state of the database that the session sees."""
    return heads(session, [job.number])[job.number]
