"""Lists, newest first, a page at a time: the token is the place of the last row seen, so inserts shift nothing (AIP-158)."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from store.errors import BadPageToken
from store.tables import Dataset, Job, Model

Row = TypeVar("Row", Dataset, Job, Model)


def page(
    session: Session, table: type[Row], filters: Sequence[ColumnElement[bool]], size: int, token: str | None
) -> tuple[Sequence[Row], str | None]:
    """Up to `size` rows that pass the filters, and the token of the next page, or None at the end."""
    query = select(table).where(*filters).order_by(table.number.desc()).limit(size + 1)
    if token is not None:
        query = query.where(table.number < decode(token))
    rows = session.scalars(query).all()
    return rows[:size], encode(rows[size - 1].number) if len(rows) > size else None


def encode(place: int) -> str:
    return base64.urlsafe_b64encode(f"p{place}".encode()).decode().rstrip("=")


def decode(token: str) -> int:
    """The place that a token stands for. Raises BadPageToken for one that was not given out here."""
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        if text[:1] != "p" or not text[1:].isdecimal() or len(text) > 19:
            raise ValueError(text)
        place = int(text[1:])
        if encode(place) != token:
            raise ValueError(token)
        return place
    except (ValueError, binascii.Error, UnicodeDecodeError):
        raise BadPageToken("page_token is none that was given out here; leave it out to start at the first page") from None


def owned(table: Any, owner: str | None) -> list[ColumnElement[bool]]:
    """The filter for what an owner may see; None sees all."""
    return [] if owner is None else [table.owner == owner]
