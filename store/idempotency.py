"""Idempotency-Key: the same key and request get the same answer, and the work is done once."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from store.database import Database, now
from store.errors import KeyReused, StillRunning
from store.tables import IdempotencyKey

KEPT_SECONDS = 86_400
ABANDONED_SECONDS = 600
"""A request that has not answered for so long died with its process: the key may be used again."""


@dataclass(frozen=True)
class Answer:
    """The answer that the first request got."""

    status: int
    location: str | None
    response: dict[str, Any]


def begin(database: Database, owner: str, key: str, fingerprint: str) -> Answer | None:
    """Claim the key for a request, or give the answer that it got before.

    Raises KeyReused where the key stood for another request, StillRunning where the first has not ended.
    """
    try:
        with database.transaction() as session:
            stored = session.get(IdempotencyKey, (owner, key), with_for_update=True)
            if stored is None:
                session.add(IdempotencyKey(owner=owner, key=key, fingerprint=fingerprint))
                return None
            return _again(session, stored, fingerprint)
    except IntegrityError:
        raise StillRunning(_still_running(key)) from None


def _again(session: Session, stored: IdempotencyKey, fingerprint: str) -> Answer | None:
    if stored.fingerprint != fingerprint:
        raise KeyReused(f"Idempotency-Key '{stored.key}' stood for another request; use a new key for a new request")
    if stored.response is not None and stored.status is not None:
        return Answer(stored.status, stored.location, stored.response)
    abandoned = select(IdempotencyKey.created_at < now() - ABANDONED_SECONDS).where(_is(stored.owner, stored.key))
    if not session.execute(abandoned).scalar():
        raise StillRunning(_still_running(stored.key))
    session.execute(update(IdempotencyKey).where(_is(stored.owner, stored.key)).values(created_at=now()))
    return None


def complete(session: Session, owner: str, key: str, answer: Answer) -> None:
    """Store the answer, in the transaction that does what it says."""
    values = {"status": answer.status, "location": answer.location, "response": answer.response}
    session.execute(update(IdempotencyKey).where(_is(owner, key)).values(**values))


def forget_old(session: Session) -> None:
    """Remove the keys of a day ago and before: nobody repeats a request that late."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now() - KEPT_SECONDS))


def abandon(database: Database, owner: str, key: str) -> None:
    """Free the key of a request that failed, so that it may be tried again."""
    with database.transaction() as session:
        session.execute(delete(IdempotencyKey).where(_is(owner, key), IdempotencyKey.status.is_(None)))


def _is(owner: str, key: str) -> Any:
    return (IdempotencyKey.owner == owner) & (IdempotencyKey.key == key)


def _still_running(key: str) -> str:
    return f"the first request with Idempotency-Key '{key}' has not ended; ask again in a moment"
