"""Damaged tables of datasets, made anew of the file as it came: each as that file was last read."""

import tempfile
from pathlib import Path

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.exc import SQLAlchemyError

from store import corrections
from store.corrections import Wanted
from store.database import Database
from store.errors import StoreError
from store.files import Files
from store.ingestion import READERS, Ingested
from store.settings import Settings
from store.tables import Dataset, Job

log = structlog.get_logger()


def mend(setting: Settings, database: Database, files: Files, digest: str, folder: Path) -> None:
    """Make the tables anew that were read from the original of that digest, which is whole, and are damaged or missing. What
    cannot be is left as it is. Files are written into the folder.
    """
    for dataset in _damaged(database, files, digest):
        try:
            with tempfile.TemporaryDirectory(dir=folder) as within:
                _put(database, files, dataset, _read_again(setting, database, files, dataset, Path(within)))
        except (StoreError, SQLAlchemyError, OSError) as error:
            log.error("a damaged table could not be made anew", dataset_id=dataset.id, error=str(error))


def _damaged(database: Database, files: Files, digest: str) -> list[Dataset]:
    """One dataset for each table that is damaged or missing."""
    with database.reading() as session:
        each = select(func.min(Dataset.number)).where(Dataset.digest == digest).group_by(Dataset.table_digest)
        found = session.scalars(select(Dataset).where(Dataset.number.in_(each))).all()
        return [dataset for dataset in found if not files.is_whole(session, dataset.table_digest)]


def _read_again(setting: Settings, database: Database, files: Files, dataset: Dataset, folder: Path) -> Ingested:
    with database.reading() as session:
        paths = corrections.originals(session, files, dataset, folder)
    options = corrections.options_of(dataset)
    asked = corrections.with_earlier(options, Wanted(read={}))
    return READERS.read(setting, paths, corrections.format_of(dataset), options, folder, asked)


def _put(database: Database, files: Files, dataset: Dataset, found: Ingested) -> None:
    """Store the table in place of the damaged one. Another version of Vidro may write the same cells as other bytes, which
    all that named the damaged table name from now on.
    """
    before, columns = dataset.table_digest, [(column["name"], column["kind"]) for column in dataset.columns]
    if found.rows != dataset.rows or [(column["name"], column["kind"]) for column in found.columns] != columns:
        log.error("the file reads otherwise than it did; its damaged table stays", dataset_id=dataset.id)
        return
    with database.transaction() as session:
        digest = files.put(session, found.table)
        if digest != before:
            for table in (Dataset, Job):
                session.execute(update(table).where(table.table_digest == before).values(table_digest=digest))
            files.release(session, [before])
    log.warning("a damaged table was made anew", dataset_id=dataset.id)
