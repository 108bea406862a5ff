"""The journal of a job: its states and messages, in order."""

from collections.abc import Sequence

from sqlalchemy import bindparam, func, insert, select
from sqlalchemy.orm import Session

from store.database import now
from store.tables import Entry, Job, Table

_NEXT = select(func.coalesce(func.max(Entry.sequence), 0) + 1).where(Entry.job_number == bindparam("number"))
_EPOCH = select(Job.epoch).where(Job.number == bindparam("number"))
_ENTRY = insert(Table.metadata.tables["journal"]).values(
    job_number=bindparam("number"), sequence=_NEXT.scalar_subquery(), epoch=_EPOCH.scalar_subquery(), at=now()
)


def first_entry(job: Job) -> Entry:
    """The line that a new job's journal begins with."""
    return Entry(job_number=job.number, sequence=1, kind="state", epoch=job.epoch, state="queued", at=job.created_at)


def write(session: Session, number: int, kind: str, *, state: str | None = None, message: str | None = None) -> None:
    """Add a line to the journal. The job's row is locked by its UPDATE or INSERT before, so numbers do not collide."""
    session.execute(_ENTRY, {"number": number, "kind": kind, "state": state, "message": message})


def log(session: Session, number: int, message: str) -> None:
    """Add a message to the job's journal; the caller has written to its row in this transaction."""
    write(session, number, "log", message=message)


def entries(session: Session, number: int, after: int = 0) -> Sequence[Entry]:
    """The job's journal from `after` on, in order."""
    query = select(Entry).where(Entry.job_number == number, Entry.sequence > after).order_by(Entry.sequence)
    return session.scalars(query).all()


def entries_of_jobs(session: Session, numbers: Sequence[int]) -> dict[int, list[Entry]]:
    """The journals of several jobs, whole and in order, by the job's number."""
    found: dict[int, list[Entry]] = {number: [] for number in numbers}
    query = select(Entry).where(Entry.job_number.in_(numbers)).order_by(Entry.job_number, Entry.sequence)
    for entry in session.scalars(query):
        found[entry.job_number].append(entry)
    return found
