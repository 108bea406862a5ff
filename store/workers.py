"""The workers that are alive, as they say themselves: which queues they take jobs from, and how much memory a job may have."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from store.database import now
from store.tables import Worker


def beat(session: Session, name: str, queues: list[str], max_job_bytes: int | None = None) -> None:
    """Say that a worker is alive, and what it takes; forget those not heard of for an hour."""
    says = {"queues": queues, "max_job_bytes": max_job_bytes}
    seen = update(Worker).where(Worker.name == name).values(seen_at=now(), **says).returning(Worker.name)
    if session.execute(seen).one_or_none() is None:
        session.add(Worker(name=name, **says))
    session.execute(delete(Worker).where(Worker.seen_at < now() - 3600))


def live(session: Session, within_seconds: float) -> list[str]:
    """Names of the workers heard of within that time."""
    return list(session.scalars(select(Worker.name).where(Worker.seen_at > now() - within_seconds).order_by(Worker.name)))


@dataclass(frozen=True)
class Takers:
    """The live workers' queues, each with the bytes that they give to one job, where they have said."""

    given: Sequence[tuple[Sequence[str], int | None]]

    def serve(self, queue: str) -> bool:
        """Whether one of them takes jobs from that queue."""
        return any(queue in queues for queues, _ in self.given)

    def room(self, queue: str) -> int | None:
        """The bytes that the roomiest of that queue gives to one job; None where none has said."""
        return max((most for queues, most in self.given if queue in queues and most is not None), default=None)


def takers(session: Session, within_seconds: float) -> Takers:
    """The workers heard of within that time, by what they take."""
    given = select(Worker.queues, Worker.max_job_bytes).where(Worker.seen_at > now() - within_seconds)
    return Takers([(queues, most) for queues, most in session.execute(given)])
