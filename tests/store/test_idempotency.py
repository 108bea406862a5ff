from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from store import idempotency
from store.database import Database
from store.errors import KeyReused, StillRunning
from store.idempotency import ABANDONED_SECONDS, Answer, begin
from store.tables import IdempotencyKey, Series
from tests.store.staging import count, together

ANSWERS = [
    Answer(201, "/v1/datasets/ds_1", {"id": "ds_1", "rows": 3}),
    Answer(202, None, {"id": "job_1", "deep": {"list": [1, None, "é"]}}),
    Answer(200, None, {}),
]


def complete(database: Database, answer: Answer, key: str = "k", owner: str = "ana") -> None:
    with database.transaction() as session:
        idempotency.complete(session, owner, key, answer)


def age(database: Database, seconds: float) -> None:
    with database.transaction() as session:
        session.execute(update(IdempotencyKey).values(created_at=IdempotencyKey.created_at - seconds))


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_same_request_gets_the_same_answer(database: Database, answer: Answer) -> None:
    assert begin(database, "ana", "k", "f") is None
    complete(database, answer)
    assert begin(database, "ana", "k", "f") == answer
    assert begin(database, "ana", "k", "f") == answer


@pytest.mark.parametrize("done", [False, True])
def test_another_request_under_the_same_key_is_refused(database: Database, done: bool) -> None:
    begin(database, "ana", "k", "f")
    if done:
        complete(database, ANSWERS[0])
    with pytest.raises(KeyReused, match="'k'"):
        begin(database, "ana", "k", "other")


def test_while_the_first_runs_the_second_is_told_so(database: Database) -> None:
    begin(database, "ana", "k", "f")
    with pytest.raises(StillRunning, match="'k'"):
        begin(database, "ana", "k", "f")


def test_keys_are_each_owners_own(database: Database) -> None:
    for owner, key in [("ana", "k"), ("rui", "k"), ("ana", "l")]:
        assert begin(database, owner, key, "f") is None
    complete(database, ANSWERS[0], owner="rui")
    assert begin(database, "rui", "k", "f") == ANSWERS[0]
    with pytest.raises(StillRunning):
        begin(database, "ana", "k", "f")


def test_a_request_that_failed_frees_its_key(database: Database) -> None:
    begin(database, "ana", "k", "f")
    idempotency.abandon(database, "ana", "k")
    assert begin(database, "ana", "k", "other") is None


def test_an_answer_that_was_given_stays(database: Database) -> None:
    begin(database, "ana", "k", "f")
    complete(database, ANSWERS[0])
    idempotency.abandon(database, "ana", "k")
    assert begin(database, "ana", "k", "f") == ANSWERS[0]


def test_a_request_whose_process_died_is_tried_again_by_one(database: Database) -> None:
    begin(database, "ana", "k", "f")
    age(database, ABANDONED_SECONDS - 60)
    with pytest.raises(StillRunning):
        begin(database, "ana", "k", "f")
    age(database, 120)
    assert begin(database, "ana", "k", "f") is None
    with pytest.raises(StillRunning):
        begin(database, "ana", "k", "f")


def test_the_answer_comes_and_goes_with_what_it_says(database: Database) -> None:
    def answer_and_break(session: Session) -> None:
        session.add(Series(name="a"))
        idempotency.complete(session, "ana", "k", ANSWERS[0])
        raise ZeroDivisionError

    begin(database, "ana", "k", "f")
    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        answer_and_break(session)
    assert count(database, Series) == 0
    with pytest.raises(StillRunning):
        begin(database, "ana", "k", "f")


def outcomes(found: list[Any]) -> list[str]:
    return sorted(type(entry).__name__ for entry in found)


@pytest.mark.parametrize("abandoned", [False, True])
def test_of_many_at_once_one_goes_on(database: Database, abandoned: bool) -> None:
    if abandoned:
        begin(database, "ana", "k", "f")
        age(database, ABANDONED_SECONDS + 1)
    found = together(10, lambda _: begin(database, "ana", "k", "f"))
    assert outcomes(found) == ["NoneType"] + ["StillRunning"] * 9


def test_keys_of_yesterday_are_forgotten(database: Database) -> None:
    begin(database, "ana", "old", "f")
    complete(database, ANSWERS[0], "old")
    age(database, idempotency.KEPT_SECONDS + 1)
    begin(database, "ana", "new", "f")
    with database.transaction() as session:
        idempotency.forget_old(session)
    assert begin(database, "ana", "old", "another") is None
    with pytest.raises(StillRunning):
        begin(database, "ana", "new", "f")
