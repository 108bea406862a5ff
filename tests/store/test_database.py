import json
import math
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from store.database import IDLE_SECONDS, Database, new_id, now, to_json
from store.errors import says_busy, says_full
from store.tables import Blob, Checkpoint, Job, Series
from tests.store.staging import count, make_job, row, together

JSON = [
    (1.5, "1.5"),
    (math.nan, '"NaN"'),
    (math.inf, '"Infinity"'),
    (-math.inf, '"-Infinity"'),
    ({"a": [1, math.nan, {"b": (math.inf, None)}]}, '{"a":[1,"NaN",{"b":["Infinity",null]}]}'),
    ([True, False, None, "é", 0.1], '[true,false,null,"\\u00e9",0.1]'),
    ("NaN", '"NaN"'),
    (1e308, "1e+308"),
]


@pytest.mark.parametrize(("value", "expected"), JSON)
def test_json_has_strings_for_what_is_not_finite(value: Any, expected: str) -> None:
    assert to_json(value) == expected


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_is_always_valid(value: Any) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    def same(found: Any, given: Any) -> bool:
        if isinstance(given, float) and not math.isfinite(given):
            return bool(found == {math.inf: "Infinity", -math.inf: "-Infinity"}.get(given, "NaN"))
        if isinstance(given, list):
            return len(found) == len(given) and all(map(same, found, given))
        if isinstance(given, dict):
            return found.keys() == given.keys() and all(same(found[key], given[key]) for key in given)
        return bool(found == given)

    assert same(json.loads(to_json(value), parse_constant=refuse), value)


def test_json_columns_keep_what_is_not_finite_as_strings(database: Database) -> None:
    job = make_job(database)
    with database.transaction() as session:
        session.get_one(Job, job.number).latest = {"loss": math.nan, "deep": [math.inf, {"low": -math.inf}]}
    assert row(database, job).latest == {"loss": "NaN", "deep": ["Infinity", {"low": "-Infinity"}]}


def test_the_clock_is_the_time_and_never_falls(database: Database) -> None:
    with database.reading() as session:
        found = [(time.time(), database.clock(session), time.time()) for _ in range(50)]
    for before, clock, after in found:
        assert before - 0.01 < clock < after + 0.01  # SQLite's has milliseconds
    clocks = [clock for _, clock, _ in found]
    assert clocks == sorted(clocks)
    assert clocks[0] < clocks[-1]


def test_the_clock_goes_on_within_a_transaction(database: Database) -> None:
    """Unlike PostgreSQL's own now(), which stands still: a lease must not be judged by when the sweep began."""
    with database.transaction() as session:
        first = database.clock(session)
        begun = time.monotonic()
        while time.monotonic() - begun < 0.005:
            pass
        assert database.clock(session) > first


def test_the_clock_fills_and_compares(database: Database) -> None:
    job = make_job(database)
    with database.reading() as session:
        assert abs(job.created_at - database.clock(session)) < 60
        assert session.scalars(select(Job.id).where(Job.created_at <= now(), Job.created_at > now() - 60)).all() == [job.id]


def test_ids_sort_by_the_time_they_were_made() -> None:
    ids = [new_id("job") for _ in range(10_000)]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids)
    assert all(found.startswith("job_") and len(found) == 40 for found in ids)


def test_a_transaction_commits_whole_or_not_at_all(database: Database) -> None:
    def add_two(session: Session) -> None:
        session.add(Series(name="b"))
        session.flush()
        session.add(Series(name="a"))

    with database.transaction() as session:
        session.add(Series(name="a"))
    with pytest.raises(IntegrityError), database.transaction() as session:
        add_two(session)
    with database.reading() as session:
        assert session.scalars(select(Series.name)).all() == ["a"]


def test_reading_sees_one_state(database: Database) -> None:
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Series)) == 0
        with database.transaction() as other:
            other.add(Series(name="a"))
        assert session.scalar(select(func.count()).select_from(Series)) == 0
    assert count(database, Series) == 1


def test_reading_first_leaves_writing_as_it_was(database: Database) -> None:
    """PostgreSQL's connections come back to the pool as they left it: not read-only, and each query on the newest state."""
    with database.reading() as session:
        session.execute(select(Series))
    with database.transaction() as session:
        session.add(Series(name="a"))
        session.flush()
        if not database.is_sqlite:
            assert session.scalar(text("SHOW transaction_isolation")) == "read committed"


def test_what_sqlite_reads_is_still_true_when_it_writes(sqlite_database: Database) -> None:
    job = make_job(sqlite_database)

    def count_up(_: int) -> None:
        for _ in range(5):
            with sqlite_database.transaction() as session:
                session.get_one(Job, job.number).epoch += 1

    assert together(4, count_up) == [None] * 4
    assert row(sqlite_database, job).epoch == 20


def test_writers_lose_nothing(database: Database) -> None:
    job = make_job(database)

    def count_up(_: int) -> None:
        for _ in range(5):
            with database.transaction() as session:
                session.execute(update(Job).values(epoch=Job.epoch + 1))

    assert together(4, count_up) == [None] * 4
    assert row(database, job).epoch == 20


def test_foreign_keys_hold(database: Database) -> None:
    job = make_job(database)
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.execute(insert(Checkpoint).values(job_number=job.number, epoch=1, digest="0" * 64, values={}))


def test_turning_the_write_ahead_log_on_waits_for_its_turn(tmp_path: Path) -> None:
    """SQLite refuses it at once while another writes: several processes that begin together on a new file met that."""
    path = tmp_path / "new.db"
    holder = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    holder.execute("CREATE TABLE t (x)")
    holder.execute("BEGIN IMMEDIATE")
    holder.execute("INSERT INTO t VALUES (1)")
    database = Database(f"sqlite:///{path}")
    refused: list[str] = []

    def end_once_refused(statement: str) -> None:
        refused.append(statement)
        if statement == "PRAGMA journal_mode=WAL" and refused.count(statement) == 2:  # the first was refused
            holder.execute("COMMIT")

    @event.listens_for(database.engine, "connect", insert=True)
    def watch(connection: Any, record: Any) -> None:
        connection.set_trace_callback(end_once_refused)

    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM t")) == 1
        assert session.scalar(text("PRAGMA journal_mode")) == "wal"
    assert refused.count("PRAGMA journal_mode=WAL") == 2
    holder.close()
    database.close()


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("postgres://u:p@h/d", "postgresql+psycopg"),
        ("postgresql://u:p@h/d", "postgresql+psycopg"),
        ("postgresql+psycopg2://u:p@h/d", "postgresql+psycopg"),
        ("sqlite:////tmp/x.db", "sqlite"),
    ],
)
def test_every_spelling_of_a_url_finds_its_driver(url: str, driver: str) -> None:
    database = Database(url)
    assert database.url.drivername == driver
    assert database.is_sqlite == (driver == "sqlite")


def test_many_threads_share_the_pool(database: Database) -> None:
    with ThreadPoolExecutor(20) as pool:
        jobs = list(pool.map(lambda _: make_job(database), range(40)))
    assert sorted(job.number for job in jobs) == list(range(1, 41))


def test_a_full_sqlite_says_so(sqlite_database: Database) -> None:
    with sqlite_database.transaction() as session:
        session.execute(text("PRAGMA max_page_count = 1"))  # as many as there are
    with pytest.raises(OperationalError) as caught, sqlite_database.transaction() as session:
        session.execute(insert(Blob).values(digest="d", size=1, content=b"x" * 10_000_000))
    assert says_full(caught.value)
    assert not says_full(OperationalError("SELECT", {}, sqlite3.OperationalError("database is locked")))


def test_who_is_silent_within_a_transaction_loses_its_locks(postgresql_database: Database) -> None:
    with postgresql_database.reading() as session:
        assert session.scalar(text("SHOW idle_in_transaction_session_timeout")) == f"{IDLE_SECONDS}s"


@pytest.mark.parametrize(("fresh", "fails"), [(0.0, 0), (60.0, 1)])
def test_a_connection_that_died_idle_is_replaced(
    postgresql_database: Database, monkeypatch: pytest.MonkeyPatch, fresh: float, fails: int
) -> None:
    """One that was just used is not asked whether it lives: then the first to use it hears of it, and nobody after."""
    monkeypatch.setattr("store.database.FRESH_SECONDS", fresh)
    number, other = select(func.pg_backend_pid()), Database(postgresql_database.url.render_as_string(hide_password=False))
    with postgresql_database.reading() as session:
        dead = session.execute(number).scalar_one()
    with other.transaction() as session:
        assert session.execute(select(func.pg_terminate_backend(dead, 5000))).scalar_one()
    other.close()
    failed = 0
    for _ in range(3):
        try:
            with postgresql_database.reading() as session:
                assert session.execute(number).scalar_one() != dead
        except OperationalError:
            failed += 1
    assert failed == fails


def test_who_waits_for_another_writer_waits_no_longer_than_told(database: Database) -> None:
    impatient = Database(database.url.render_as_string(hide_password=False), wait_seconds=0.1)
    try:
        with database.transaction() as session:
            session.execute(text("CREATE TABLE held (number INTEGER)"))
        with database.transaction() as session:
            session.execute(text("INSERT INTO held VALUES (1)"))
            with pytest.raises(OperationalError) as caught, impatient.transaction() as other:
                other.execute(text("DROP TABLE held"))
            assert says_busy(caught.value)
    finally:
        impatient.close()
        with database.transaction() as session:  # PostgreSQL's is there for other tests, too
            session.execute(text("DROP TABLE IF EXISTS held"))
