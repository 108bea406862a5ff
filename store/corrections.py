"""Correcting how a dataset was read: the kinds of its columns, or any of it, from the file as it came."""

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import update
from sqlalchemy.orm import Session

from engine.tables.features import pointer
from engine.wording import to_documents
from store import described
from store.datasets import load, original, refuse_in_use, table_file
from store.described import Correction, Described
from store.errors import Conflict, UnreadableFile
from store.files import Files, Hashed
from store.findings import OF_TABLE, warnings_of
from store.formats import FORMATS
from store.ingestion import READERS
from store.readings.options import FIELDS, TEXTUAL, ReadOptions
from store.readings.stored import listed
from store.settings import Settings
from store.tables import Dataset, Job

KEPT_AS_WORDS = ("ALMOST_NUMBERS", "MIXED_NUMBERS", "LEADING_ZEROS", "LARGE_NUMBERS")
"""Warnings that a column is kept as words, which hold no longer once it is corrected to another kind."""


@dataclass(frozen=True)
class Wanted:
    """A correction of a dataset: the kinds of columns, and fields of an upload's form that say how the file is read."""

    columns: Sequence[Correction] = ()
    read: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Corrected:
    """The new parts of a dataset, besides its original; `table` is None if the table stays."""

    source: dict[str, Any]
    rows: int
    columns: Described
    warnings: Described
    table: Hashed | None = None


def corrected(dataset: Dataset, table: pl.DataFrame, corrections: Sequence[Correction]) -> Corrected:
    """The dataset with the named columns described anew as of the kind given, from its table's cells.

    Raises NotFound, or ColumnMisfit with the row of each column that does not fit, pointing into the list.
    """
    columns, _ = described.corrected(dataset.columns, table, corrections, dataset.source)
    numbers = {correction.name for correction in corrections if correction.kind not in TEXTUAL}
    kept = [
        warning
        for warning in dataset.warnings
        if warning["code"] not in OF_TABLE and not (warning["code"] in KEPT_AS_WORDS and warning.get("column") in numbers)
    ]
    source = dataset.source
    if source.get("kind") == "upload":
        source = _source_of(dataset, source, merged(options_of(dataset), {}, corrections))
    return Corrected(source, dataset.rows, columns, kept + warnings_of(columns, table, kept))


def _source_of(dataset: Dataset, read: Mapping[str, Any], options: ReadOptions) -> dict[str, Any]:
    """The source of a dataset that has been read anew with the options."""
    before = dataset.source
    form = {"format": before["given"]["format"]} if "format" in before.get("given", {}) else {}
    return {"kind": before["kind"], "filename": before["filename"], **read, "given": {**form, **options.given}}


def prepare(
    session: Session, setting: Settings, files: Files, dataset: Dataset, wanted: Wanted, folder: Path
) -> Callable[[], Corrected]:
    """A function that makes the corrected dataset; it takes time and needs no session: from its table, or from the file as it
    came. Files are written into the folder.

    Raises UnreadableFile, or ValidationError where a field of `wanted.read` is wrong.
    """
    corrections, read = wanted.columns, wanted.read
    names: list[str] = []
    if read is None:  # else the table is not looked at, which may be damaged
        table = load(session, files, dataset)
        names = _texts(dataset, table.schema, corrections)
        if not names:
            return lambda: corrected(dataset, table, corrections)
    options = merged(options_of(dataset), read or {}, corrections)
    paths, form = originals(session, files, dataset, folder), format_of(dataset)
    current = None if read is not None else _current(session, files, dataset, names, folder)
    asked = corrections if current else with_earlier(options, wanted)

    def reread() -> Corrected:
        found = READERS.read(setting, paths, form, options, folder, asked, current)
        return Corrected(_source_of(dataset, found.source, options), found.rows, found.columns, found.warnings, found.table)

    return reread


def _texts(dataset: Dataset, dtypes: Mapping[str, Any], corrections: Sequence[Correction]) -> list[str]:
    """The columns whose corrections ask for the file's own text, or for what it says where it was kept as words: none where
    the file has no text.
    """
    files = dataset.source.get("files") or [dataset.source]
    if not all("words" in getattr(FORMATS.get(file.get("format")), "options", ()) for file in files):
        return []
    kept, told, found = options_of(dataset).texts, listed(dataset.source), []
    for correction in corrections:
        name = correction.name
        is_text = dtypes.get(name) == pl.String and getattr(told.get(name), "kind", "words") == "words"
        if name in dtypes and (not is_text if correction.kind in TEXTUAL else is_text and name in kept):
            found.append(name)
    return found


def options_of(dataset: Dataset) -> ReadOptions:
    """The options that the dataset's file was read with."""
    given = dataset.source.get("given", {})  # a sample has none
    return ReadOptions.of({name: value for name, value in given.items() if name != "format"})


def format_of(dataset: Dataset) -> str | None:
    """The format to read the dataset's file in: the one that was given or found; of several files, each one's is found."""
    source = dataset.source
    given: str | None = source.get("given", {}).get("format")
    return given or (None if "files" in source else source.get("format"))


def merged(options: ReadOptions, read: Mapping[str, Any], corrections: Sequence[Correction]) -> ReadOptions:
    """The options with the fields of `read`, null for one that is to be found out again, and with the corrections. Raises
    UnreadableFile or ValidationError.
    """
    unknown = [name for name in read if name not in FIELDS or name == "columns"]
    if unknown:
        known = ", ".join(name for name in FIELDS if name != "columns")
        raise UnreadableFile(f"there is no field '{unknown[0][:50]}'; the fields are {known}", pointer("read", unknown[0]))
    given = {name: value for name, value in {**options.given, **read}.items() if value is not None}
    kinds = {column["name"]: column["kind"] for column in given.get("columns", ())}
    kinds |= {correction.name: correction.kind for correction in corrections}
    words = [name for name in ReadOptions.of(given).words or () if kinds.get(name, "text") in TEXTUAL]
    given |= {"columns": [{"name": name, "kind": kind} for name, kind in kinds.items()] or None, "words": words or None}
    return ReadOptions.of(given)


def with_earlier(options: ReadOptions, wanted: Wanted) -> list[Correction]:
    """The corrections that are wanted, after what was said before of other columns."""
    named = {correction.name for correction in wanted.columns}
    words = () if "words" in (wanted.read or {}) else options.words or ()
    kinds = [(column.name, column.kind) for column in options.columns or ()] + [(name, None) for name in words]
    before = [Correction(name, kind) for name, kind in dict(reversed(kinds)).items() if name not in named]
    return [*before, *wanted.columns]


def originals(session: Session, files: Files, dataset: Dataset, folder: Path) -> list[tuple[Path, str]]:
    """The files that the dataset was uploaded as, each with its name; what is not a file of its own is written into the
    folder. Raises UnreadableFile of what was never a file.
    """
    source = dataset.source
    if source.get("kind") != "upload":
        raise UnreadableFile("this dataset was not uploaded, so there is no file to read anew; leave 'read' out", "/read")
    content = original(session, files, dataset)
    path = content if isinstance(content, Path) else folder / "original"
    if isinstance(content, bytes):
        path.write_bytes(content)
    if "files" not in source:
        return [(path, source["filename"])]
    found = []
    with zipfile.ZipFile(path) as archive:
        for place, (member, file) in enumerate(zip(archive.infolist(), source["files"], strict=True)):
            target = folder / f"file-{place}"
            with archive.open(member) as packed, target.open("wb") as out:
                while block := packed.read(1 << 20):
                    out.write(block)
            found.append((target, file["filename"]))
    return found


def _current(session: Session, files: Files, dataset: Dataset, names: Sequence[str], folder: Path) -> dict[str, Any]:
    """The options for a reader that reads only the named columns of a dataset again."""
    content = table_file(session, files, dataset)
    path = content if isinstance(content, Path) else folder / "current.arrow"
    if isinstance(content, bytes):
        path.write_bytes(content)
    parts = {"source": dataset.source, "columns": dataset.columns, "warnings": to_documents(dataset.warnings)}
    return {"table": str(path), "texts": list(names), **parts}


def correct(session: Session, files: Files, dataset: Dataset, before: Dataset, found: Corrected) -> None:
    """Write what was corrected of the dataset as it was `before`. Jobs that are done keep the table that they were trained
    on.

    Raises Conflict while a job reads the dataset, or where another correction came between.
    """
    refuse_in_use(session, dataset, "still reads this dataset as it is; cancel it or wait for its end, then correct")
    if (dataset.columns, dataset.table_digest) != (before.columns, before.table_digest):
        raise Conflict("another correction of this dataset came between; look at it and send yours again")
    digest = dataset.table_digest if found.table is None else files.put(session, found.table)
    if digest != before.table_digest:
        theirs = update(Job).where(Job.dataset_id == dataset.id, Job.table_digest.is_(None))
        session.execute(theirs.values(table_digest=before.table_digest))
        dataset.table_digest = digest
    dataset.source, dataset.rows, dataset.columns, dataset.warnings = found.source, found.rows, found.columns, found.warnings
    session.flush()
    if digest != before.table_digest:
        files.release(session, [before.table_digest])
