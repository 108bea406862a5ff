"""What has to be true of everything stored, whatever happened before."""

import hashlib
from collections import defaultdict
from itertools import pairwise
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from store import checkpoints, curves, jobs, journal
from store.curves import FANOUT, Span, merge
from store.database import Database
from store.files import REFERENCES, UPLOADING, Files
from store.recovery import MAX_LOST_ATTEMPTS
from store.states import DONE, HELD, LEGAL
from store.tables import Blob, Checkpoint, CurveBucket, CurvePoint, Entry, Histograms, Job, Model, Series, Table
from store.tensors import unpack


def check(database: Database, files: Files, are_done: bool = True) -> None:
    """Everything, once no process writes any more. What waits for a sweep is swept first."""
    with database.transaction() as session:
        checkpoints.forget_positions_of_done(session, files)
    with database.reading() as session:
        files.sweep(session, older_than=-1)
        all_jobs = session.scalars(select(Job)).all()
        for job in all_jobs:
            assert not are_done or job.state in DONE, f"{job.id} is {job.state}"
            check_row(job)
            check_journal(session, job)
            if job.kind == "slice":
                check_slice(session, job)
                continue
            check_curves(session, job)
            check_checkpoints(session, job)
            check_model(session, job)
        check_parents(session)
        check_content(session, files)


def check_row(job: Job) -> None:
    where = f"{job.id} ({job.state})"
    assert (job.finished_at is not None) == (job.state in DONE), where
    assert (job.lease_until is not None) == (job.worker is not None) == (job.state in HELD), where
    assert (job.error is not None) == (job.state == "failed"), where
    assert 0 <= job.lost_attempts <= MAX_LOST_ATTEMPTS, where
    assert job.epoch <= job.epochs, where
    if job.state == "succeeded" and job.kind != "slice":
        assert job.epoch == job.epochs or job.state_reason or job.model_kind != "mlp", where
        assert job.latest["epoch"] == job.epoch, where


def check_journal(session: Session, job: Job) -> None:
    """The whole life, entry by entry: legal steps from `queued` to where the row is, and one attempt a run."""
    entries = journal.entries(session, job.number)
    assert [entry.sequence for entry in entries] == list(range(1, len(entries) + 1)), job.id
    path = [entry.state or "" for entry in entries if entry.kind == "state"]
    assert path[0] == "queued"
    assert path[-1] == job.state, f"{job.id}: {path}"
    for before, after in pairwise(path):
        assert after in LEGAL[before], f"{job.id}: {before} → {after}"
    assert path.count("running") == job.attempt, f"{job.id}: {path} in attempt {job.attempt}"


def check_slice(session: Session, job: Job) -> None:
    """It has a result if it succeeded, and once it is done holds nothing of its parent any more."""
    assert (job.result_digest is not None) == (job.state == "succeeded"), job.id
    assert job.state != "succeeded" or job.epoch == job.epochs, job.id
    assert job.state not in DONE or not checkpoints.digests(session, job.number), job.id


def check_curves(session: Session, job: Job) -> None:
    """Every curve of epochs has the points 1, 2, … to the row's epoch, each once; summaries are those of the points."""
    points: dict[str, dict[int, float | None]] = defaultdict(dict)
    query = select(Series.name, CurvePoint.step, CurvePoint.value).join(Series, Series.number == CurvePoint.series_number)
    for name, step, value in session.execute(query.where(CurvePoint.job_number == job.number)):
        assert step not in points[name], f"{job.id}: {name} has step {step} twice"
        points[name][step] = value
    for name, values in points.items():
        last = max(values) if name.startswith("batch_") else job.epoch
        assert sorted(values) == list(range(1, last + 1)), f"{job.id}: {name} has gaps, or other points than {last}"
        check_summaries(session, job, name, values)
    assert not job.epoch or "train_loss" in points, job.id


def check_summaries(session: Session, job: Job, name: str, values: dict[int, float | None]) -> None:
    number = curves.series_numbers(session, [name])[name]
    found = session.scalars(select(CurveBucket).filter_by(job_number=job.number, series_number=number)).all()
    spans = [Span(step, step, values[step], values[step], values[step]) for step in sorted(values)]
    expected, level = set(), 0
    while len(spans) >= FANOUT:
        level += 1
        whole = len(spans) // FANOUT * FANOUT
        spans = [merge(spans[start : start + FANOUT]) for start in range(0, whole, FANOUT)]
        expected |= {(level, span) for span in spans}
    assert {(b.level, Span(b.step, b.last_step, b.value, b.low, b.high)) for b in found} == expected, f"{job.id}: {name}"


def check_checkpoints(session: Session, job: Job) -> None:
    for kept in checkpoints.of_job(session, job.number):
        assert 0 <= kept.epoch <= job.epoch, f"{job.id}: a checkpoint of epoch {kept.epoch} at {job.epoch}"
    for standing in checkpoints.resume_points(session, job.number):
        assert job.state not in DONE or isinstance(standing, Checkpoint), f"{job.id} is done and has a position"
        assert standing.epoch <= job.epoch, f"{job.id}: a position of epoch {standing.epoch} at {job.epoch}"
    for epoch in session.scalars(select(Histograms.epoch).where(Histograms.job_number == job.number)):
        assert epoch <= job.epoch, f"{job.id}: histograms of epoch {epoch} at {job.epoch}"


def check_model(session: Session, job: Job) -> None:
    made = session.scalars(select(Model.id).where(Model.job_id == job.id)).all()
    assert list(made) == ([job.model_id] if job.model_id else []), job.id
    assert bool(made) == (job.state == "succeeded"), job.id


def check_parents(session: Session) -> None:
    """No row without its parent, whether or not the database holds the foreign key itself."""
    for table in Table.metadata.sorted_tables:
        for key in table.foreign_keys:
            lost = select(key.parent).where(key.parent.is_not(None), key.parent.not_in(select(key.column)))
            assert not session.execute(lost).all(), f"{key.parent} without {key.column}"
    assert not session.execute(select(Entry.job_number).where(Entry.job_number.not_in(select(Job.number)))).all()


def check_content(session: Session, files: Files) -> None:
    """Every content is what its name says and is used by somebody; every file has its row, every row its file."""
    used = {digest for column in REFERENCES for digest in session.scalars(select(column).where(column.is_not(None)))}
    blobs = session.scalars(select(Blob)).all()
    assert {blob.digest for blob in blobs} == used
    for blob in blobs:
        content = files.get(session, blob.digest)
        assert hashlib.sha256(content).hexdigest() == blob.digest
        assert len(content) == blob.size
    on_disk = {path.name for path in files.folder.rglob("*") if path.is_file()}
    assert on_disk == {blob.digest for blob in blobs if blob.content is None}
    assert list(files.folder.glob(f"{UPLOADING}*")) == []
    for kept in session.scalars(select(Checkpoint)):
        assert unpack(files.get(session, kept.digest))


def bits(database: Database, files: Files, job_id: str) -> tuple[bytes, list[tuple[str, int, Any]], dict[str, Any]]:
    """All that has to be equal between a run that was disturbed and one that was not: the last checkpoint's bytes, every
    point of every curve but its seconds, and the best epoch.
    """
    with database.reading() as session:
        job = jobs.get(session, job_id, None)
        last = checkpoints.of_job(session, job.number)[-1]
        found = session.query(CurvePoint, Series.name).join(Series, Series.number == CurvePoint.series_number)
        found = found.filter(CurvePoint.job_number == job.number, Series.name != "seconds")
        points = sorted((name, point.step, point.value) for point, name in found)
        best = {name: value for name, value in (job.best or {}).items() if name != "seconds"}
        return files.get(session, last.digest), points, best


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but the workers' signs of life: to see that nothing is written."""
    with database.reading() as session:
        tables = [table for table in Table.metadata.sorted_tables if table.name != "workers"]
        return {table.name: sorted(map(tuple, session.execute(select(table))), key=repr) for table in tables}
