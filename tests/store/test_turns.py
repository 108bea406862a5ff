"""Owners' turns: who is served next, what a position in the queue says, and what looking at a long queue costs."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import delete, event, insert, select

from store import jobs, leases, turns
from store.database import Database
from store.errors import TooManyQueued
from store.pages import page
from store.tables import Job, Turn
from tests.conftest import BACKENDS
from tests.store.staging import LEASE_SECONDS, REQUEST, claim, make_job, together

START = ("start", "train")
OWNERS, QUEUES = ("ana", "rui", "eva"), ("train", "gpu")
SENT = st.tuples(st.sampled_from(OWNERS), st.sampled_from(("train", "train", "gpu")))
STEPS = st.lists(SENT | st.just(START) | st.tuples(st.just("cancel"), st.sampled_from(OWNERS)), max_size=18)


def start(database: Database, *queues: str) -> Job | None:
    with database.transaction() as session:
        return leases.claim_next(session, queues, "w", LEASE_SECONDS)


def queued(database: Database, queue: str) -> dict[int, int]:
    """The position of every queued job of the queue, by its number."""
    with database.reading() as session:
        return turns.positions(session, session.scalars(select(Job).where(Job.queue == queue)).all())


def play(database: Database, steps: list[tuple[str, str]]) -> None:
    with database.transaction() as session:
        for table in (Job, Turn):
            session.execute(delete(table))
    waiting: dict[str, list[Job]] = defaultdict(list)
    since: dict[str, Counter[str]] = defaultdict(Counter)
    """By who waits in `train`: how many jobs of each other owner have started since the last of theirs, or since they came."""
    for step in steps:
        if step == START:
            expected = next((number for number, place in queued(database, "train").items() if place == 1), None)
            job = start(database, "train")
            assert (job and job.number) == expected
            if job is None:
                assert not any(waiting.values())
                continue
            oldest = waiting[job.owner].pop(0)
            assert oldest.id == job.id
            since.pop(job.owner, None)
            for other in (owner for owner in waiting if waiting[owner] and owner != job.owner):
                since[other][job.owner] += 1
                assert since[other][job.owner] == 1, f"{job.owner} was served twice while {other} waited"
        elif step[0] == "cancel":
            for job in waiting[step[1]][:1]:
                with database.transaction() as session:
                    jobs.cancel(session, job)
                waiting[step[1]].pop(0)
        else:
            owner, queue = step
            job = make_job(database, owner, queue=queue)
            if queue == "train":
                if not waiting[owner]:
                    since.pop(owner, None)
                waiting[owner].append(job)
    for queue in QUEUES:
        told = queued(database, queue)
        starts = [job.number for job in iter(lambda queue=queue: start(database, queue), None)]
        assert starts == sorted(told, key=lambda number: told[number])
        assert sorted(told.values()) == list(range(1, len(told) + 1))


@pytest.mark.parametrize(("backend", "examples"), list(zip(BACKENDS, (30, 8), strict=True)))
def test_owners_are_served_in_turn_and_positions_tell_it(request: pytest.FixtureRequest, backend: str, examples: int) -> None:
    database = request.getfixturevalue(f"{backend}_database")

    @settings(max_examples=examples, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(STEPS)
    def run(steps: list[tuple[str, str]]) -> None:
        play(database, steps)

    run()


def test_one_of_few_jobs_waits_for_no_more_than_a_round(database: Database) -> None:
    many = [make_job(database, "many") for _ in range(5)]
    few = make_job(database, "few")
    assert queued(database, "train") == {job.number: place for job, place in zip([*many, few], (1, 3, 4, 5, 6, 2), strict=True)}
    assert [job and job.owner for job in (start(database, "train") for _ in range(4))] == ["many", "few", "many", "many"]


def test_a_start_out_of_turn_counts(database: Database) -> None:
    _, second = make_job(database, "ana"), make_job(database, "ana")
    make_job(database, "rui")
    claim(database, second)
    assert [job and job.owner for job in (start(database, "train") for _ in range(2))] == ["rui", "ana"]


def test_two_claims_at_the_same_moment_serve_two_owners(postgresql_database: Database) -> None:
    owners = ("ana", "ana", "rui")
    for owner in owners:
        make_job(postgresql_database, owner)
    with postgresql_database.transaction() as one, postgresql_database.transaction() as other:
        found = [leases.claim_next(session, ["train"], "w", LEASE_SECONDS) for session in (one, other, other)]
    assert [job and job.owner for job in found] == ["ana", "rui", "ana"]


def test_many_workers_at_once_start_every_job_once(database: Database) -> None:
    made = {make_job(database, owner).id for owner in ("ana", "rui") for _ in range(10)}

    def work(_: int) -> list[str]:
        return [job.id for job in iter(lambda: start(database, "train"), None)]

    started = [job_id for found in together(3, work) if isinstance(found, list) for job_id in found]
    started += work(0)  # a claim finds nothing where others hold all that waits at that moment; the last one finds the rest
    assert sorted(started) == sorted(made)


def test_a_job_whose_owner_has_no_turn_is_started_all_the_same(database: Database) -> None:
    job = make_job(database)
    with database.transaction() as session:
        session.execute(delete(Turn))
    assert queued(database, "train") == {job.number: 1}
    found = start(database, "train")
    assert found is not None
    assert found.id == job.id


@pytest.mark.parametrize(("most", "refused"), [(0, False), (2, True), (3, False)])
def test_how_many_jobs_an_owner_may_have_queued(database: Database, most: int, refused: bool) -> None:
    for owner, queue in (("ana", "train"), ("ana", "gpu"), ("ana", "train"), ("rui", "train"), ("rui", "train")):
        make_job(database, owner, queue=queue)
    start(database, "train")
    with database.reading() as session:
        turns.refuse_beyond(session, "nobody", most)
        if not refused:
            turns.refuse_beyond(session, "ana", most)
            return
        with pytest.raises(TooManyQueued, match="2 jobs"):
            turns.refuse_beyond(session, "ana", most)


@contextmanager
def statements(database: Database) -> Iterator[list[tuple[str, Any]]]:
    """What the database is asked within the block."""
    found: list[tuple[str, Any]] = []

    def hear(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        found.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", hear)
    try:
        yield found
    finally:
        event.remove(database.engine, "before_cursor_execute", hear)


def queue_up(database: Database, count: int) -> None:
    fields = {"dataset_id": "ds_1", "request": REQUEST, "model_kind": "mlp"}
    with database.transaction() as session:
        rows = [{**fields, "id": f"job_{place}", "owner": f"owner {place % 3}"} for place in range(count)]
        session.execute(insert(Job), rows)
        session.execute(insert(Turn), [{"queue": "train", "owner": f"owner {place}"} for place in range(3)])


def test_a_page_and_its_positions_are_three_queries_however_long(database: Database) -> None:
    queue_up(database, 300)
    for size in (1, 200):
        with statements(database) as asked, database.reading() as session:
            rows, _ = page(session, Job, [], size, None)
            found = turns.positions(session, rows)
        assert [found[row.number] for row in rows] == [row.number for row in rows]  # three owners in turn from the first on
        assert len([statement for statement, _ in asked if "jobs" in statement]) == 3


def test_a_claim_and_a_position_look_into_indexes_alone(sqlite_database: Database) -> None:
    queue_up(sqlite_database, 30)
    with statements(sqlite_database) as asked:
        job = start(sqlite_database, "train")
        assert job is not None
        queued(sqlite_database, "train")
    asked = [(statement, given) for statement, given in asked if "jobs" in statement and "queued" in repr(given)]
    assert len(asked) == 4
    with sqlite_database.engine.connect() as connection:
        for statement, given in asked:
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)]
            assert not [step for step in plan if step.startswith("SCAN jobs")], plan
            assert [step for step in plan if "jobs_in_line" in step or "PRIMARY KEY" in step], plan
