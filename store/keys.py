"""API keys: made on the command line, shown once, stored as a hash; each speaks for an owner and carries scopes.

While there has never been a key, everybody on this machine may do everything. From the first key on, none is let in without
one, also where all of them are revoked or expired: revoked keys stay listed, until `open_to_all` forgets them.
"""

import hashlib
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.orm import Session

from store.database import new_id, now
from store.errors import Conflict, InvalidKey, KeyExpired, NotFound
from store.tables import ApiKey, BrowserSession

SCOPES = ("read", "write", "admin")
LOCAL_OWNER = "local"
"""The owner that everybody is while there is no key and the server listens on loopback alone."""
SESSION_PREFIX = "ses_"
LONGEST_NAME = 200
"""Characters of an owner or of a key's name."""


@dataclass(frozen=True)
class Caller:
    """A caller: an owner, what they may do, by which key, or a browser's session that began with it, and until when. An admin
    sees what belongs to others, too.
    """

    owner: str
    scopes: frozenset[str]
    key_id: str | None = field(default=None, compare=False)
    session_id: str | None = field(default=None, compare=False)
    expires_at: float | None = field(default=None, compare=False)

    @property
    def proof(self) -> str | None:
        """The proof that let the caller in: the session, or else the key; None without either."""
        return self.session_id or self.key_id

    @property
    def sees(self) -> str | None:
        """The owner whose things the caller sees; None for all."""
        return None if "admin" in self.scopes else self.owner


LOCAL = Caller(LOCAL_OWNER, frozenset(SCOPES))


def create(
    session: Session,
    owner: str,
    scopes: list[str],
    secret: str | None = None,
    *,
    name: str | None = None,
    expires_at: float | None = None,
) -> tuple[ApiKey, str]:
    """A new key, or the given one taken up, and its secret, which is not stored. The same secret twice is one key.

    Raises InvalidKey, or Conflict where the secret is that of another owner's key, of other scopes, or of a revoked one.
    """
    _refuse_unprintable("owner", owner)
    if name is not None:
        _refuse_unprintable("name", name)
    if not scopes or set(scopes) - set(SCOPES):
        raise InvalidKey(f"scopes are some of {', '.join(SCOPES)}, not '{','.join(scopes)}'")
    scopes = list(dict.fromkeys(scopes))
    secret = secret or f"vidro_{secrets.token_urlsafe(32)}"
    key = session.scalars(select(ApiKey).where(ApiKey.digest == digest(secret))).one_or_none()
    if key is not None:
        _refuse_another(key, owner, scopes)
        return key, secret
    key = ApiKey(id=new_id("key"), owner=owner, name=name, digest=digest(secret), scopes=scopes, expires_at=expires_at)
    session.add(key)
    session.flush()
    return key, secret


def _refuse_unprintable(what: str, text: str) -> None:
    if not text or text != text.strip() or not text.isprintable() or len(text) > LONGEST_NAME:
        raise InvalidKey(
            f"{text[:LONGEST_NAME]!r} is no {what} of a key; give 1 to {LONGEST_NAME} characters that can be printed, with no "
            "space at either end"
        )


def _refuse_another(key: ApiKey, owner: str, scopes: list[str]) -> None:
    if key.revoked_at is not None:
        raise Conflict(f"this secret is that of {key.id}, which is revoked; make another secret")
    if (key.owner, set(key.scopes)) != (owner, set(scopes)):
        is_now = f"{key.id}, which is {key.owner}'s ({','.join(key.scopes)})"
        raise Conflict(f"this secret is that of {is_now}; make another secret for {owner} ({','.join(scopes)})")


def revoke(session: Session, key_id: str) -> None:
    """Refuse a key from now on; it stays listed. Raises NotFound."""
    key = session.get(ApiKey, key_id)
    if key is None:
        raise NotFound(f"no key '{key_id}'; `vidro keys list` shows what there is")
    session.execute(update(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked_at.is_(None)).values(revoked_at=now()))


def open_to_all(session: Session) -> int:
    """Forget every key, so that everybody on this machine may do everything again. Returns how many there were."""
    return len(session.scalars(delete(ApiKey).returning(ApiKey.id)).all())


def listed(session: Session) -> Sequence[ApiKey]:
    """All keys, also those that are revoked or expired, oldest first."""
    return session.scalars(select(ApiKey).order_by(ApiKey.created_at, ApiKey.id)).all()


def configured(session: Session) -> bool:
    """Whether there is any key, or has been: then nobody is let in without one."""
    return bool(session.execute(select(exists(select(ApiKey.id)))).scalar())


def caller(session: Session, secret: str) -> Caller | None:
    """Whom a secret speaks for; None where it is no key's, or a revoked one's. Raises KeyExpired."""
    query = select(ApiKey, _is_over()).where(ApiKey.digest == digest(secret), ApiKey.revoked_at.is_(None))
    row = session.execute(query).one_or_none()
    if row is None:
        return None
    key, is_over = row
    if is_over:
        until = datetime.fromtimestamp(float(key.expires_at or 0), UTC).isoformat(timespec="seconds")
        raise KeyExpired(f"{key.id} expired at {until}; ask for another, which `vidro keys create` makes")
    return Caller(key.owner, frozenset(key.scopes), key.id, expires_at=key.expires_at)


def valid(session: Session, proofs: Collection[str | None]) -> set[str | None]:
    """The proofs of callers (`Caller.proof`) who would be let in now as well: keys that are neither revoked nor expired, and
    sessions that have not ended. None, the caller without a key, is among them while there has been no key. At most three
    queries.
    """
    of_sessions = {proof for proof in proofs if proof is not None and proof.startswith(SESSION_PREFIX)}
    wanted = [proof for proof in proofs if proof is not None and proof not in of_sessions]
    found: set[str | None] = set()
    if wanted:
        found.update(session.scalars(select(ApiKey.id).where(ApiKey.id.in_(wanted), is_alive())))
    if of_sessions:
        query = select(BrowserSession.id).join(ApiKey, ApiKey.id == BrowserSession.key_id).where(is_alive())
        found.update(session.scalars(query.where(BrowserSession.id.in_(of_sessions), BrowserSession.expires_at > now())))
    if None in proofs and not configured(session):
        found.add(None)
    return found


def note_uses(session: Session, seconds_ago: dict[str, float]) -> None:
    """Write down that keys were used, each so many seconds ago; a later use stays."""
    for key_id, seconds in seconds_ago.items():
        used_at = now() - seconds
        is_later = or_(ApiKey.last_used_at.is_(None), ApiKey.last_used_at < used_at)
        session.execute(update(ApiKey).where(ApiKey.id == key_id, is_later).values(last_used_at=used_at))


def is_alive() -> ColumnElement[bool]:
    """Whether a key is neither revoked nor expired."""
    return and_(ApiKey.revoked_at.is_(None), ~_is_over())


def _is_over() -> ColumnElement[bool]:
    """Whether a key's time is over, by the database's clock."""
    return (ApiKey.expires_at.is_not(None)) & (ApiKey.expires_at <= now())


def digest(secret: str) -> str:
    """The digest that is stored of a key, or of a session's token."""
    # One round of SHA-256 is enough for 256 random bits; slow hashes are for what people make up.
    return hashlib.sha256(secret.encode()).hexdigest()
