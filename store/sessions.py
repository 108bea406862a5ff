"""Sessions: a browser gives its key once and is known by a random token from then on, until the session or the key ends."""

import secrets
from dataclasses import replace

from sqlalchemy import delete, exists, func, select
from sqlalchemy.orm import Session

from store import keys
from store.database import new_id, now
from store.keys import Caller
from store.tables import ApiKey, BrowserSession

MOST_EACH = 10_000
"""Sessions of one key: one more ends the oldest."""


def begin(session: Session, secret: str, hours: float) -> tuple[Caller, str] | None:
    """Begin a session of a key: whom it speaks for, and its token, which is not stored. None where the secret is no key's.
    Raises KeyExpired.
    """
    found = keys.caller(session, secret)
    if found is None or found.key_id is None:
        return None
    token, session_id = secrets.token_urlsafe(32), new_id(keys.SESSION_PREFIX.removesuffix("_"))
    _make_room(session, found.key_id)
    expires_at = float(session.execute(select(now())).scalar_one()) + hours * 3600
    if found.expires_at is not None:
        expires_at = min(expires_at, found.expires_at)
    row = BrowserSession(id=session_id, key_id=found.key_id, digest=keys.digest(token), expires_at=expires_at)
    session.add(row)
    return replace(found, session_id=session_id, expires_at=expires_at), token


def _make_room(session: Session, key_id: str) -> None:
    mine = BrowserSession.key_id == key_id
    if session.scalar(select(func.count()).where(mine)) >= MOST_EACH:  # type: ignore[operator]
        oldest = select(BrowserSession.id).where(mine).order_by(BrowserSession.id).limit(1)
        session.execute(delete(BrowserSession).where(BrowserSession.id.in_(oldest)))


def caller(session: Session, token: str) -> Caller | None:
    """Whom a session's token speaks for; None where it has ended or never was, or its key has."""
    query = select(ApiKey, BrowserSession.id, BrowserSession.expires_at).join(ApiKey, ApiKey.id == BrowserSession.key_id)
    query = query.where(BrowserSession.digest == keys.digest(token), BrowserSession.expires_at > now(), keys.is_alive())
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    key, session_id, expires_at = row
    return Caller(key.owner, frozenset(key.scopes), key.id, session_id, expires_at)


def end(session: Session, token: str) -> None:
    """End the session of that token, where there is one."""
    session.execute(delete(BrowserSession).where(BrowserSession.digest == keys.digest(token)))


def forget_ended(session: Session) -> int:
    """Remove the sessions whose time is over, or whose key's is. Returns how many."""
    has_key = exists().where(ApiKey.id == BrowserSession.key_id, keys.is_alive())
    ended = delete(BrowserSession).where((BrowserSession.expires_at <= now()) | ~has_key)
    return len(session.scalars(ended.returning(BrowserSession.id)).all())
