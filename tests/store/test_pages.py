import base64
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert

from store.database import Database
from store.errors import BadPageToken
from store.pages import decode, encode, owned, page
from store.tables import Job
from tests.store.staging import REQUEST

JOB = {"owner": "ana", "dataset_id": "ds_1", "request": REQUEST, "model_kind": "mlp"}


def add(database: Database, first: int, last: int, owner: str = "ana") -> None:
    with database.transaction() as session:
        session.execute(insert(Job), [{**JOB, "id": f"job_{place}", "owner": owner} for place in range(first, last + 1)])


def read_all(database: Database, size: int, between: list[int] | None = None) -> list[list[int]]:
    """The numbers of every page; `between` are the places of jobs that are added after the page of that index."""
    pages, token = [], None
    while True:
        with database.reading() as session:
            rows, token = page(session, Job, owned(Job, "ana"), size, token)
        pages.append([row.number for row in rows])
        if token is None:
            return pages
        for place in between or []:
            add(database, place + 1000 * len(pages), place + 1000 * len(pages))


@pytest.mark.parametrize(
    ("rows", "size", "lengths"),
    [
        (0, 5, [0]),
        (1, 5, [1]),
        (5, 5, [5]),
        (6, 5, [5, 1]),
        (10, 5, [5, 5]),
        (11, 5, [5, 5, 1]),
        (3, 1, [1, 1, 1]),
    ],
)
def test_pages_are_full_and_the_last_says_so(database: Database, rows: int, size: int, lengths: list[int]) -> None:
    if rows:
        add(database, 1, rows)
    pages = read_all(database, size)
    assert [len(found) for found in pages] == lengths
    assert list(chain(*pages)) == list(range(rows, 0, -1))


@pytest.mark.parametrize("size", [3, 7, 50, 1000])
def test_each_is_shown_once_whatever_is_added_between(database: Database, size: int) -> None:
    add(database, 1, 200)
    pages = read_all(database, size, between=[1, 2, 3])
    assert list(chain(*pages)) == list(range(200, 0, -1))


def test_what_is_deleted_between_shifts_nothing(database: Database) -> None:
    add(database, 1, 10)
    with database.transaction() as session:
        first, token = page(session, Job, [], 4, None)
        session.execute(delete(Job).where(Job.number.in_([7, 6])))
        second, token = page(session, Job, [], 4, token)
        third, end = page(session, Job, [], 4, token)
    assert [[row.number for row in rows] for rows in (first, second, third)] == [[10, 9, 8, 7], [5, 4, 3, 2], [1]]
    assert end is None


def test_filters_hold_on_every_page(database: Database) -> None:
    add(database, 1, 5)
    add(database, 6, 10, owner="rui")
    add(database, 11, 15)
    assert read_all(database, 4) == [[15, 14, 13, 12], [11, 5, 4, 3], [2, 1]]
    with database.reading() as session:
        rows, _ = page(session, Job, owned(Job, None), 100, None)
    assert len(rows) == 15


@given(st.integers(0, 10**18 - 1))
def test_a_token_stands_for_its_place(place: int) -> None:
    assert decode(encode(place)) == place


def unpadded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


BAD = [
    "", "p", "5", "p5", "=", "====", "é", "\x00", " ", "a" * 10_000, "cDU\n", "null", "../../etc",
    encode(5) + "=", encode(5) + " ", " " + encode(5), encode(5)[:-1], "!" + encode(5),
    *map(unpadded, ["5", "p", "q5", "p-5", "p5.0", "p05", "p٣", "p²", "p 5", "pp5", "p" + "9" * 19]),
]  # fmt: skip


@pytest.mark.parametrize("token", BAD)
def test_a_token_not_given_out_here_is_refused(token: str) -> None:
    with pytest.raises(BadPageToken, match="page_token"):
        decode(token)


@given(st.text() | st.binary().map(lambda data: base64.urlsafe_b64encode(data).decode()) | st.text("p0123456789").map(unpadded))
def test_no_token_does_worse_than_being_refused(token: str) -> None:
    try:
        place = decode(token)
    except BadPageToken:
        return
    assert encode(place) == token


def test_the_furthest_place_can_be_asked_for(database: Database) -> None:
    add(database, 1, 3)
    with database.reading() as session:
        rows, token = page(session, Job, [], 5, encode(10**18 - 1))
        assert (len(rows), token) == (3, None)
        assert page(session, Job, [], 5, encode(0)) == ([], None)
