"""Lists of jobs, datasets and models: their common parameters, and a page with its total."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Query
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session
from sqlalchemy.orm.interfaces import ORMOption

from service.dependencies import Page
from store.keys import Caller
from store.pages import Order, Row, count, named_like, owned, page, scope_of

NEWEST = "-created_at"
View = Literal["brief", "full"]
NameHolds = Annotated[
    str | None, Query(min_length=1, max_length=200, description="text that the name holds, in capitals or not")
]
Total = Annotated[bool, Query(description="also count the items of all pages, in `total`")]
ORDERED = "what to order by, with a minus from the last to the first; those that have none come last"


@dataclass(frozen=True)
class Asked:
    """Which rows a list is to have, of whose, in which order, and whether they are to be counted."""

    caller: Caller
    page: Page
    order_by: str
    total: bool
    name: str | None = None
    fields: Mapping[str, Any] | None = None
    """Other filters as they were asked for: what a page's token is good for."""
    filters: Sequence[ColumnElement[bool]] = ()

    def read(
        self,
        session: Session,
        table: type[Row],
        keys: Mapping[str, ColumnElement[Any]],
        options: Sequence[ORMOption] = (),
        order: Order | None = None,
    ) -> tuple[Sequence[Row], dict[str, Any]]:
        """The rows of the page, and the rest of the listing. `keys` are what can be ordered by besides `created_at`; `order` is
        what `order_by` asks for where it is none of them.
        """
        filters = [*owned(table, self.caller.sees), *self.filters]
        if self.name is not None:
            filters.append(named_like(table, self.name))
        order = order or Order(keys.get(self.order_by.removeprefix("-")), self.order_by.startswith("-"))
        asked = {**(self.fields or {}), "name": self.name, "order_by": None if self.order_by == NEWEST else self.order_by}
        rows, token = page(session, table, filters, self.page.size, self.page.token, order, scope_of(asked), options)
        total = count(session, table, filters) if self.total else None
        return rows, {"next_page_token": token, "total": total}
