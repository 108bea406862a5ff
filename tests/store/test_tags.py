"""Names and tags of jobs in either database; and a database of before, whose jobs have none."""

from alembic import command
from sqlalchemy import text

from store import jobs, leases
from store.database import Database, has_tag
from store.migrate import config, migrate
from store.pages import page
from store.tables import Job
from tests.store.staging import claimed, make_job, row


def named(database: Database, tag: str) -> list[str | None]:
    with database.reading() as session:
        found, _ = page(session, Job, [has_tag(Job.tags, tag)], 10, None)
        return [job.name for job in found]


def test_jobs_are_found_by_exactly_a_tag(database: Database) -> None:
    tags = {"one": ["a", "b"], "two": ["A", "ä"], "three": ['say "a"', ","], "four": []}
    for name, given in tags.items():
        job = make_job(database)
        with database.transaction() as session:
            jobs.describe(session, session.get_one(Job, job.number), name=name, tags=given)
        assert (row(database, job).name, row(database, job).tags) == (name, given)
    for tag in ("a", "b", "A", "ä", 'say "a"', ","):
        assert named(database, tag) == [name for name, given in tags.items() if tag in given]
    for tag in ("", "%", "_", '","', "B"):
        assert named(database, tag) == []


def test_a_running_job_keeps_its_lease_when_it_is_renamed(database: Database) -> None:
    job, lease = claimed(database)
    with database.transaction() as session:
        jobs.describe(session, session.get_one(Job, job.number), name="other")
    with database.transaction() as session:
        leases.update_row(session, lease, epoch=2)
    assert (row(database, job).name, row(database, job).epoch, row(database, job).state) == ("other", 2, "running")


def test_jobs_of_before_have_no_tags(empty_database: Database) -> None:
    migrate(empty_database)
    with empty_database.engine.begin() as connection:
        command.downgrade(config(connection), "0004")
    columns = (
        "id, owner, dataset_id, request, model_kind, queue, state, attempt, lost_attempts, epoch, epochs, latest, warnings"
    )
    values = """'job_1', 'ana', 'ds_1', '{"model": "mlp"}', 'mlp', 'train', 'queued', 0, 0, 0, 1, '{}', '[]'"""
    with empty_database.engine.begin() as connection:
        connection.execute(text(f"INSERT INTO jobs ({columns}) VALUES ({values})"))
    migrate(empty_database)
    with empty_database.reading() as session:
        assert jobs.get(session, "job_1", "ana").tags == []
    assert named(empty_database, "a") == []
