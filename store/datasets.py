"""Datasets: a file as it came, the same as Arrow IPC for training to read, and its profile."""

import io
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import polars as pl
from cachetools import LRUCache, cached
from sqlalchemy import delete as delete_rows
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.tables.features import Column, ColumnKind, ColumnSummary
from engine.tables.samples import Sample
from engine.tables.split import Rows
from engine.training import prepare
from engine.training.completion import task_of
from engine.training.findings import notices, of_target, of_training, rows_to_look_at, scales_matter
from engine.training.spec import Training
from store.database import new_id
from store.errors import Conflict, NotFound
from store.files import Files, Hashed, Part
from store.findings import warnings_of
from store.formats.assembly import let_go, map_table
from store.ingestion import Ingested
from store.job_request import training_of
from store.kinds import is_whole, read
from store.pages import owned
from store.profile import describe, profile
from store.readings.stored import readings_of
from store.states import ACTIVE
from store.tables import Dataset, Job

OF_FEATURES = ("ID_LIKE", "CONSTANT_COLUMN", "DUPLICATE_COLUMN")
"""Warnings of a table that a job is told again of the columns it learns from."""
CACHED_BYTES = 64 * 2**20
"""Of tables that are small enough to live in the database."""
KEPT_TABLE_BYTES, CACHED_COLUMN_BYTES = 2**20, 16 * 2**20
"""Of a table whose columns are kept as the engine reads them, and of all such columns."""
CACHED_FINDINGS = 256
SAMPLED_AT_ONCE = 1000


def sample_table(sample: Sample) -> pl.DataFrame:
    """A built-in sample as a table."""
    return pl.DataFrame(dict(sample.columns()))


def create(
    session: Session,
    files: Files,
    owner: str,
    name: str,
    source: dict[str, Any],
    content: bytes | Path,
    table: pl.DataFrame,
) -> Dataset:
    """Store content with its table, which is in memory, and their profile as one dataset."""
    columns = profile(table)
    buffer = io.BytesIO()
    table.write_ipc(buffer)
    warnings = warnings_of(columns, table)
    return _add(session, files, owner, name, source, content, buffer.getvalue(), table.height, columns, warnings)


def create_ingested(
    session: Session, files: Files, owner: str, name: str, source: dict[str, Any], content: Hashed, found: Ingested
) -> Dataset:
    """Store a file and what was read of it as one dataset."""
    return _add(session, files, owner, name, source, content, found.table, found.rows, found.columns, found.warnings)


def _add(
    session: Session,
    files: Files,
    owner: str,
    name: str,
    source: dict[str, Any],
    content: bytes | Path | Hashed,
    table: bytes | Hashed,
    rows: int,
    columns: list[dict[str, Any]],
    warnings: list[dict[str, Any]],
) -> Dataset:
    path = content.path if isinstance(content, Hashed) else content
    size = len(path) if isinstance(path, bytes) else path.stat().st_size
    dataset = Dataset(
        id=new_id("ds"),
        owner=owner,
        name=name,
        source=source,
        digest=files.put(session, content),
        table_digest=files.put(session, table),
        size=size,
        rows=rows,
        columns=columns,
        warnings=warnings,
    )
    session.add(dataset)
    session.flush()
    return dataset


def get(session: Session, dataset_id: str, owner: str | None, lock: bool = False) -> Dataset:
    """The dataset, `lock`ed against deletion until the transaction ends. Raises NotFound, also for another's."""
    query = select(Dataset).where(Dataset.id == dataset_id, *owned(Dataset, owner))
    dataset = session.scalars(query.with_for_update(read=True) if lock else query).one_or_none()
    if dataset is None:
        raise NotFound(f"no dataset '{dataset_id}'; GET /v1/datasets lists what there is")
    return dataset


def of_job(session: Session, job: Job, lock: bool = False) -> Dataset:
    """The dataset that the job was trained on, `lock`ed as `get` does. Raises NotFound where it has been deleted since."""
    query = select(Dataset).where(Dataset.id == job.dataset_id)
    dataset = session.scalars(query.with_for_update(read=True) if lock else query).one_or_none()
    if dataset is None:
        detail = (
            f"dataset '{job.dataset_id}', which job '{job.id}' was trained on, has been deleted; its curves and weights stand"
        )
        raise NotFound(detail)
    return dataset


def delete(session: Session, files: Files, dataset: Dataset) -> None:
    """Forget the dataset and free its content, with the tables that its jobs were trained on. Raises Conflict while a job
    reads it.
    """
    refuse_in_use(session, dataset, "still reads this dataset; cancel it or wait for its end, then delete")
    theirs = (Job.dataset_id == dataset.id, Job.table_digest.is_not(None))
    tables = session.scalars(select(Job.table_digest).where(*theirs).distinct()).all()
    session.execute(update(Job).where(*theirs).values(table_digest=None))
    session.execute(delete_rows(Dataset).where(Dataset.number == dataset.number))
    files.release(session, [dataset.digest, dataset.table_digest, *filter(None, tables)])


def refuse_in_use(session: Session, dataset: Dataset, detail: str) -> None:
    """Hold the dataset's row until the transaction ends. Raises Conflict with the detail while a job reads the dataset."""
    session.execute(select(Dataset.number).where(Dataset.number == dataset.number).with_for_update())
    reading = select(Job.id).where(Job.dataset_id == dataset.id, Job.state.in_(ACTIVE)).limit(1)
    job_id = session.scalars(reading).first()
    if job_id is not None:
        raise Conflict(f"job '{job_id}' {detail}")


def load(session: Session, files: Files, dataset: Dataset) -> pl.DataFrame:
    """The dataset's table: mapped into memory where it is a file, else kept for the next job where there is room for it."""
    return opened(_found(session, files, dataset.table_digest, _table_part(dataset)))


def original(session: Session, files: Files, dataset: Dataset) -> bytes | Path:
    """The file as it came, or where it lies. Raises ContentMissing or ContentDamaged."""
    works = "its table, and the jobs and models that were made of it, still work"
    return files.locate(session, dataset.digest, Part(f"the original of dataset '{dataset.id}'", works, _mending(dataset)))


def table_file(session: Session, files: Files, dataset: Dataset) -> bytes | Path:
    """The dataset's table as an Arrow file, or where it lies. Raises ContentMissing or ContentDamaged."""
    return files.locate(session, dataset.table_digest, _table_part(dataset))


def _table_part(dataset: Dataset) -> Part:
    works = "its original (GET …/content), and the weights and models that were made of it, still work"
    return Part(f"the table of dataset '{dataset.id}'", works, _mending(dataset))


def _mending(dataset: Dataset) -> str:
    if dataset.source.get("kind") == "sample":
        return "make the same sample again with POST /v1/datasets, which mends this one, or restore a backup"
    return "send the same file again with POST /v1/datasets, which mends this dataset, or restore a backup"


def opened(found: pl.DataFrame | Path) -> pl.DataFrame:
    """The table, mapped into memory where it is a file."""
    return map_table(found) if isinstance(found, Path) else found


@dataclass(frozen=True)
class JobTable:
    """The table that a job was trained on, or is about to be, whatever has been corrected since: the kinds that its columns
    were read as, their words for false and true, and what is known of them.
    """

    found: pl.DataFrame | Path
    digest: str
    kinds: Mapping[str, ColumnKind]
    words: Mapping[str, Any]
    known: Mapping[str, Mapping[str, Any]]

    @cached_property
    def table(self) -> pl.DataFrame:
        """All of it, mapped into memory where it is a file."""
        return opened(self.found)

    def each_column(self, names: Iterable[str]) -> Iterator[Column]:
        """The named columns as the engine reads them, one after the other, for who needs no two at once."""
        return _each_column(self.table, self.digest, self.kinds, self.words, names)

    def columns(self, names: Iterable[str]) -> Mapping[str, Column]:
        """The named columns as the engine reads them."""
        return {column.name: column for column in self.each_column(names)}

    def taken(self, names: Iterable[str], rows: np.ndarray) -> dict[str, Column]:
        """The named columns at those rows alone."""
        return {column.name: column.take(rows) for column in self.each_column(names)}

    def split_rows(self, training: Training) -> Rows:
        """Which rows of the table train, validate and test by a completed spec."""
        drops = training.preprocessing.missing == "drop"
        known = self.described(training.trained_columns) if drops else {}
        usable = prepare.usable_rows(
            training, self.table.height, self.each_column(name for name, column in known.items() if column["missing"])
        )
        chosen_by = self.columns(dict.fromkeys((*training.targets, *training.split.columns)))
        return prepare.choose_rows(training, usable, chosen_by)[1]

    def described(self, names: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """The description of the named columns; one that was read as another kind, or from another table, is made anew."""
        found = {}
        for name in names:
            known = self.known.get(name)
            is_same = known is not None and known["kind"] == self.kinds.get(name)
            found[name] = known if known and is_same else describe(self.table[name], self.kinds.get(name))
        return found

    def summaries(self, training: Training) -> dict[str, ColumnSummary]:
        """What the engine's checks read of each column of a completed spec."""
        known = {name: _summary(column) for name, column in self.described(training.columns).items()}
        return _with_whole(known, lambda: self.table, training)


def table_of(session: Session, files: Files, job: Job, dataset: Dataset) -> JobTable:
    """The table of a job on that dataset: the dataset's, or the job's own where the dataset has been read anew since."""
    kept: dict[str, ColumnKind] = {} if job.fitted is None else job.fitted["kinds"]
    words = _words(dataset) if job.fitted is None else job.fitted["words"]
    if job.table_digest is None:
        found = _found(session, files, dataset.table_digest, _table_part(dataset))
        return JobTable(found, dataset.table_digest, _kinds(dataset) | kept, words, {c["name"]: c for c in dataset.columns})
    part = Part(f"the table that job '{job.id}' was trained on", "its curves, weights and model still work")
    found = _found(session, files, job.table_digest, part)
    others = [name for name in training_of(job.request).columns if name not in kept]
    kinds = {name: describe(opened(found)[name])["kind"] for name in others}
    return JobTable(found, job.table_digest, kinds | kept, words, {})


def read_as(job: Job, dataset: Dataset, table: pl.DataFrame, names: Iterable[str]) -> dict[str, Any] | None:
    """How the cells of the named columns were read, as JSON: as the job was begun with, whatever has been corrected since.
    None where they were no text.
    """
    kept: dict[str, Any] | None = None if job.fitted is None else job.fitted["read"]
    found = None if kept else readings_of(dataset.source, table.schema, names)
    return found.document if found else kept


_TABLES: LRUCache[str, pl.DataFrame] = LRUCache(CACHED_BYTES, lambda table: table.estimated_size())
_TABLES_LOCK = Lock()


def _found(session: Session, files: Files, digest: str, part: Part) -> pl.DataFrame | Path:
    """The table, kept for the next who wants it, or the path of its file, which is looked at each time."""
    with _TABLES_LOCK:
        kept = _TABLES.get(digest)
    if kept is not None:
        return kept
    content = files.locate(session, digest, part)
    if isinstance(content, Path):
        return content
    table = pl.read_ipc(io.BytesIO(content))
    with _TABLES_LOCK, suppress(ValueError):  # larger than all that is kept
        _TABLES[digest] = table
    return table


def summaries(dataset: Dataset) -> dict[str, ColumnSummary]:
    """What the engine's checks read of each column."""
    return {column["name"]: _summary(column) for column in dataset.columns}


def summaries_for(table: Callable[[], pl.DataFrame], dataset: Dataset, training: Training) -> dict[str, ColumnSummary]:
    """The same, with a look into the table at those whose numbers are to be classes or groups: whether they are whole."""
    return _with_whole(summaries(dataset), table, training)


def _with_whole(
    known: dict[str, ColumnSummary], table: Callable[[], pl.DataFrame], training: Training
) -> dict[str, ColumnSummary]:
    for name in (*training.targets, *training.split.columns, *training.model.columns):
        if name in known and known[name].kind == "numeric":
            known[name] = replace(known[name], whole=is_whole(table()[name]))
    return known


def _summary(column: Mapping[str, Any]) -> ColumnSummary:
    names = ("name", "kind", "missing", "distinct", "first_missing", "min", "max")
    found: dict[str, Any] = {name: column[name] for name in names}
    low, high = found.pop("min"), found.pop("max")
    distinct, shape = found["distinct"] or 0, tuple(column["shape"] or ())
    is_index = column.get("role") == "index"
    return ColumnSummary(**{**found, "distinct": distinct}, low=low, high=high, shape=shape, is_index=is_index)


def columns(table: pl.DataFrame, dataset: Dataset, names: Iterable[str]) -> Mapping[str, Column]:
    """The named columns as the engine reads them, each as of its kind and with its words for false and true."""
    return {column.name: column for column in each_column(table, dataset, names)}


def each_column(table: pl.DataFrame, dataset: Dataset, names: Iterable[str]) -> Iterator[Column]:
    """The same, one after the other, for who needs no two at once."""
    return _each_column(table, dataset.table_digest, _kinds(dataset), _words(dataset), names)


def _each_column(
    table: pl.DataFrame, digest: str, kinds: Mapping[str, ColumnKind], words: Mapping[str, Any], names: Iterable[str]
) -> Iterator[Column]:
    is_large = table.estimated_size() > KEPT_TABLE_BYTES  # also one that is mapped: a column kept would keep the whole file
    for name in names:
        found = read(table[name], kinds[name]) if is_large else _column(table[name], kinds[name], digest)
        yield _with_words(found, words.get(name))


def _words(dataset: Dataset) -> dict[str, Any]:
    """The words for false and true of the columns that a file gave other words than these."""
    return {column["name"]: column["words"] for column in dataset.columns if column.get("words")}


def _with_words(column: Column, words: Sequence[str] | None) -> Column:
    return replace(column, words=(words[0], words[1])) if words and column.kind == "boolean" else column


def _kinds(dataset: Dataset) -> dict[str, Any]:
    return {column["name"]: column["kind"] for column in dataset.columns}


@cached(
    LRUCache(CACHED_COLUMN_BYTES, lambda column: 1 + column.values.nbytes + sum(map(len, column.categories))),
    key=lambda column, kind, digest: (digest, column.name, kind),
    lock=Lock(),
)
def _column(column: pl.Series, kind: ColumnKind, digest: str) -> Column:
    """A whole column of the small table of that digest; kept for the next job, in memory of its own: what a file is mapped to
    changes with the file, and nobody would prove it again.
    """
    found = read(column, kind)
    found = replace(found, values=found.values.copy())
    found.values.flags.writeable = False
    return found


def findings(table: pl.DataFrame, dataset: Dataset, training: Training) -> list[dict[str, Any]]:
    """What is worth a look before that completed spec is trained on the table; kept, for many specs differ in settings that
    have no part in it.
    """
    features = set(training.features or ())
    of_table = [found for found in dataset.warnings if found["code"] in OF_FEATURES and found.get("column") in features]
    assert training.features is not None and training.task is not None
    wanted = (training.features, training.targets, training.task, scales_matter(training))
    return _of_training(table, dataset, *wanted) + of_table


def check_rows(table: pl.DataFrame, dataset: Dataset, training: Training) -> None:
    """Raise what keeps that completed spec from being trained on the table's rows: UnusableData, EmptySplit."""
    known = summaries(dataset)
    gaps = [name for name in training.trained_columns if known[name].missing]
    read_by_split = columns(table, dataset, dict.fromkeys((*training.targets, *training.split.columns)))
    prepare.check_rows(training, dataset.rows, each_column(table, dataset, gaps), read_by_split)


def _rests_on(table: pl.DataFrame, dataset: Dataset, *wanted: Hashable) -> Hashable:
    return dataset.table_digest, tuple((column["name"], column["kind"]) for column in dataset.columns), wanted


@cached(LRUCache(CACHED_FINDINGS), key=_rests_on, lock=Lock())
def _of_training(
    table: pl.DataFrame, dataset: Dataset, features: tuple[str, ...], targets: tuple[str, ...], task: str, scales: bool
) -> list[dict[str, Any]]:
    known = summaries(dataset)
    sample = _sample(table, dataset, [name for name in (*features, *targets) if not known[name].shape])
    answers, whole = {name: sample[name] for name in targets}, columns(table, dataset, targets)
    return of_training([sample[name] for name in features if name in sample], answers, whole, task, scales)


def findings_of_target(table: pl.DataFrame, dataset: Dataset, target: str) -> list[dict[str, Any]]:
    """What is worth a look before that column is learned from all others that are not free text."""
    known = summaries(dataset)
    left_out = [name for name, column in known.items() if column.shape or column.kind == "text" or column.is_index]
    names = [name for name in known if name == target or name not in left_out]
    sample = _sample(table, dataset, names)
    features = [column for name, column in sample.items() if name != target]
    whole = columns(table, dataset, [target])[target]
    return notices(of_target(features, sample[target], whole, task_of(known[target])))


def _sample(table: pl.DataFrame, dataset: Dataset, names: Sequence[str]) -> Mapping[str, Column]:
    """Some rows of the named columns; of a mapped table not much is held at once, however large it is."""
    wanted, parts = table.select(names), []
    rows = rows_to_look_at(table.height, len(names))
    for start in range(0, len(rows), SAMPLED_AT_ONCE):
        parts.append(wanted[rows[start : start + SAMPLED_AT_ONCE]])
        let_go()
    rows_of, known = pl.concat(parts, rechunk=True) if len(parts) > 1 else parts[0], _kinds(dataset)
    words = _words(dataset)
    return {name: _with_words(read(rows_of[name], known[name]), words.get(name)) for name in names}
