"""API keys: made on the command line, shown once, stored as a hash; each speaks for an owner and carries scopes."""

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from store.database import new_id
from store.errors import NotFound
from store.tables import ApiKey

SCOPES = ("read", "write", "admin")
LOCAL_OWNER = "local"
"""Who everybody is while no key is configured and the server listens on loopback alone."""


@dataclass(frozen=True)
class Caller:
    """Who asks: an owner and what they may do. An admin sees what belongs to others, too."""

    owner: str
    scopes: frozenset[str]

    @property
    def sees(self) -> str | None:
        """The owner whose things the caller sees; None for all."""
        return None if "admin" in self.scopes else self.owner


LOCAL = Caller(LOCAL_OWNER, frozenset(SCOPES))


def create(session: Session, owner: str, scopes: list[str], secret: str | None = None) -> tuple[ApiKey, str]:
    """A new key, or the given one taken up, and its secret, which is not stored. The same secret twice is one key."""
    secret = secret or f"vidro_{secrets.token_urlsafe(32)}"
    key = session.scalars(select(ApiKey).where(ApiKey.digest == _digest(secret))).one_or_none()
    if key is None:
        key = ApiKey(id=new_id("key"), owner=owner, digest=_digest(secret), scopes=scopes)
        session.add(key)
        session.flush()
    return key, secret


def revoke(session: Session, key_id: str) -> None:
    """Forget a key. Raises NotFound."""
    if session.get(ApiKey, key_id) is None:
        raise NotFound(f"no key '{key_id}'; `vidro keys list` shows what there is")
    session.execute(delete(ApiKey).where(ApiKey.id == key_id))


def configured(session: Session) -> bool:
    """Whether there is any key."""
    return bool(session.execute(select(exists(select(ApiKey.id)))).scalar())


def caller(session: Session, secret: str) -> Caller | None:
    """Whom a secret speaks for; None where it is no key's."""
    key = session.scalars(select(ApiKey).where(ApiKey.digest == _digest(secret))).one_or_none()
    return None if key is None else Caller(key.owner, frozenset(key.scopes))


def _digest(secret: str) -> str:
    # One round of SHA-256 is enough for 256 random bits; slow hashes are for what people make up.
    return hashlib.sha256(secret.encode()).hexdigest()
