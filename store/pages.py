"""Lists, a page at a time: the token is the place of the last row seen, so inserts shift nothing (AIP-158)."""

import base64
import binascii
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, and_, func, literal, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import ORMOption

from store.database import fold
from store.errors import BadPageToken
from store.tables import Dataset, Job, Model

Row = TypeVar("Row", Dataset, Job, Model)
NOT_GIVEN_OUT = "page_token is none that was given out here; leave it out to start at the first page"


class Order(NamedTuple):
    """The order of a list: by a `key`, by default the time of creation; rows without one come last either way."""

    key: ColumnElement[Any] | None = None
    descending: bool = True
    beside: tuple[Any, ColumnElement[bool]] | None = None
    """The table that the key is a column of, where that is another, and the condition that joins it."""


NEWEST_FIRST = Order()


class Place(NamedTuple):
    """A row's place in a list: its key, where there is one to order by, and its number."""

    number: int
    key: str | float | None = None


def page(
    session: Session,
    table: type[Row],
    filters: Sequence[ColumnElement[bool]],
    size: int,
    token: str | None,
    order: Order = NEWEST_FIRST,
    scope: str = "",
    options: Sequence[ORMOption] = (),
) -> tuple[Sequence[Row], str | None]:
    """Up to `size` rows that pass the filters, in order, and the token of the next page, or None at the end. The token is good
    for lists of the same `scope`. By creation the page is all that is read; by a key, the key of every row that passes.

    Raises BadPageToken.
    """
    conditions = list(filters)
    if token is not None:
        conditions.append(_after(table, order, _place_of(token, scope)))
    if order.key is None:
        number = table.number.desc() if order.descending else table.number.asc()
        query = select(table).where(*conditions).options(*options).order_by(number).limit(size + 1)
        rows = session.scalars(query).all()
        places = [Place(row.number) for row in rows]
    else:
        key, number = (column.desc() if order.descending else column.asc() for column in (order.key, table.number))
        query_of_keys = select(table.number, order.key).select_from(table)
        if order.beside is not None:
            query_of_keys = query_of_keys.outerjoin(*order.beside)
        query_of_keys = query_of_keys.where(*conditions).order_by(order.key.is_(None), key, number)
        places = [Place(*row) for row in session.execute(query_of_keys.limit(size + 1))]
        numbers = [place.number for place in places[:size]]
        found = {row.number: row for row in session.scalars(select(table).where(table.number.in_(numbers)).options(*options))}
        rows = [found[number] for number in numbers]
    return rows[:size], _token_of(places[size - 1], scope) if len(places) > size else None


def _after(table: Any, order: Order, place: Place) -> ColumnElement[bool]:
    """The condition that a row comes after that place."""
    number: ColumnElement[bool] = table.number < place.number if order.descending else table.number > place.number
    if order.key is None:
        if place.key is not None:
            raise BadPageToken(NOT_GIVEN_OUT)
        return number
    if place.key is None:
        return and_(order.key.is_(None), number)
    if not isinstance(place.key, order.key.type.python_type):
        raise BadPageToken(NOT_GIVEN_OUT)
    later = order.key < place.key if order.descending else order.key > place.key
    return or_(later, and_(order.key == place.key, number), order.key.is_(None))


def count(session: Session, table: type[Row], filters: Sequence[ColumnElement[bool]]) -> int:
    """How many rows pass the filters."""
    return session.execute(select(func.count()).select_from(table).where(*filters)).scalar_one()


def named_like(table: Any, text: str) -> ColumnElement[bool]:
    """The filter for rows whose name holds that text, in capitals or not."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    matches: ColumnElement[bool] = fold(table.name).like(fold(literal(f"%{escaped}%")), escape="\\")
    return matches


def scope_of(asked: Mapping[str, Any]) -> str:
    """The scope of a token: a few characters that stand for the order and filters of a list; none if none were given."""
    given = {name: value for name, value in asked.items() if value is not None}
    return hashlib.sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()[:12] if given else ""


def _token_of(place: Place, scope: str) -> str:
    token = encode(place.number)
    if scope:
        token += f".{scope}"
    return token if place.key is None else f"{token}.{_packed(json.dumps(place.key))}"


def _place_of(token: str, scope: str) -> Place:
    first, *rest = token.split(".")
    if rest[:1] != [scope] and (scope or rest):
        decode(first)
        raise BadPageToken(
            "page_token is of a list with other filters or another order; leave it out to start at the first page"
        )
    try:
        key = json.loads(_unpacked(rest[1])) if len(rest) == 2 else None
        place = Place(decode(first), key)
        is_finite = not isinstance(key, float) or math.isfinite(key)
        if not is_finite or "\0" in str(key) or _token_of(place, scope) != token:
            raise ValueError(token)
    except (ValueError, TypeError, RecursionError):
        raise BadPageToken(NOT_GIVEN_OUT) from None
    return place


def _packed(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _unpacked(token: str) -> str:
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()


def encode(place: int) -> str:
    return _packed(f"p{place}")


def decode(token: str) -> int:
    """The place that a token stands for. Raises BadPageToken for one that was not given out here."""
    try:
        text = _unpacked(token)
        if text[:1] != "p" or not text[1:].isdecimal() or len(text) > 19:
            raise ValueError(text)
        place = int(text[1:])
        if encode(place) != token:
            raise ValueError(token)
        return place
    except (ValueError, binascii.Error, UnicodeDecodeError):
        raise BadPageToken(NOT_GIVEN_OUT) from None


def owned(table: Any, owner: str | None) -> list[ColumnElement[bool]]:
    """The filter for what an owner may see; None sees all."""
    return [] if owner is None else [table.owner == owner]
