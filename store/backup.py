"""A copy of a data folder while everything runs: the database as of one moment, and every file that it names.

The copy is a data folder itself, with a manifest that says what each of its files is, by its SHA-256. The database is copied
first, by SQLite's online backup, in one read that no writer disturbs. A file that it names may be gone by the time it would
be copied, because what named it was deleted meanwhile; then the database is copied again, which does not name it any more.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from store.errors import BackupUnusable

DATABASE = "vidro.db"
MANIFEST = "manifest.json"
MOST_ROUNDS = 5
NAMED = "SELECT digest, content IS NULL FROM blobs"


@dataclass
class Report:
    """The contents of a backup, and what was wrong with the content that it was made of."""

    contents: int = 0
    size: int = 0
    missing: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)


def back_up(database: Path, files: Path, destination: Path) -> Report:
    """Copy a database and its files into a folder, which must not be there yet or be empty. It has its name only once it is
    whole. Content that is missing or damaged where it is copied from is reported, and what is there of it is copied.

    Raises BackupUnusable.
    """
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise BackupUnusable(f"{destination} is there already; give a folder that is new or empty")
    if not database.is_file():
        raise BackupUnusable(f"there is no database at {database}; VIDRO_DATA names the data folder")
    with _made_whole(destination) as partial:
        return _copy(database, files, partial)


@contextmanager
def _made_whole(folder: Path) -> Iterator[Path]:
    """An empty folder to fill, which has the name of `folder` once it is whole and on the disk, or is removed."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    partial.mkdir(mode=0o700)
    try:
        yield partial
        _flush_tree(partial)
        if folder.exists():
            folder.rmdir()
        os.rename(partial, folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _copy(database: Path, files: Path, folder: Path) -> Report:
    report, copied = Report(), dict[str, int]()
    for _ in range(MOST_ROUNDS):
        revision = _copy_database(database, folder / DATABASE)
        inline, named = _contents(folder / DATABASE)
        report.damaged = []
        report.missing = [digest for digest in named if not _copy_file(files, folder, digest, copied, report)]
        if not report.missing:
            break
    for digest in copied.keys() - named:  # whose rows were deleted between two rounds
        _path(folder / "files", digest).unlink()
        del copied[digest]
    report.contents, report.size = inline + len(copied), (folder / DATABASE).stat().st_size + sum(copied.values())
    manifest = {
        "vidro": version("vidro"),
        "made_at": time.time(),
        "revision": revision,
        "database": hash_of(folder / DATABASE),
        "files": dict(sorted(copied.items())),
        "missing": report.missing,
        "damaged": report.damaged,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1))
    return report


def _copy_database(source: Path, target: Path) -> str:
    """Copy the database as of one moment. Returns its last migration. Raises BackupUnusable where it is damaged."""
    target.unlink(missing_ok=True)
    try:
        with closing(sqlite3.connect(source)) as there, closing(sqlite3.connect(target)) as here:
            there.backup(here)  # all pages at once: by steps it would begin anew whenever another process writes
            here.execute("PRAGMA journal_mode=DELETE")  # one file; whoever opens it turns the log on again
            revision = str(here.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    except sqlite3.DatabaseError as error:
        raise BackupUnusable(f"the database {source} is damaged, or none of Vidro's: {error}") from None
    _refuse_damaged(target)
    return revision


def _refuse_damaged(database: Path) -> None:
    try:
        with closing(sqlite3.connect(database)) as connection:
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.DatabaseError as error:
        found = str(error)
    if found != "ok":
        raise BackupUnusable(f"the database {database} is damaged: {found}")


def _contents(database: Path) -> tuple[int, list[str]]:
    """How many contents lie in the database, and the digests of those that lie in files."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(NAMED).fetchall()
    named = [digest for digest, is_file in rows if is_file]
    return len(rows) - len(named), named


def _copy_file(files: Path, folder: Path, digest: str, copied: dict[str, int], report: Report) -> bool:
    """Copy a content's file, unless it has been. False where it is gone."""
    source, target = _path(files, digest), _path(folder / "files", digest)
    if digest not in copied:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(source, target)
        except FileNotFoundError:
            return False
        copied[digest] = target.stat().st_size
    if hash_of(target) != digest:
        report.damaged.append(digest)
    return True


def hash_of(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _path(files: Path, digest: str) -> Path:
    return files / digest[:2] / digest


def verify(folder: Path) -> Report:
    """Check a backup: that its database and each file are what the manifest says, and that nothing is missing which the
    database names. Raises BackupUnusable where it is none, or its database is not what was written.
    """
    manifest = _manifest(folder)
    if hash_of(folder / DATABASE) != manifest["database"]:
        raise BackupUnusable(f"{folder / DATABASE} is not what was written; it has been damaged, or opened by `vidro up`")
    _refuse_damaged(folder / DATABASE)
    inline, named = _contents(folder / DATABASE)
    report = Report(contents=inline, size=(folder / DATABASE).stat().st_size)
    report.damaged = _damaged_inline(folder / DATABASE)
    for digest in named:
        path = _path(folder / "files", digest)
        if not path.is_file():
            report.missing.append(digest)
            continue
        report.contents, report.size = report.contents + 1, report.size + path.stat().st_size
        if hash_of(path) != digest:
            report.damaged.append(digest)
    return report


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        return found
    except (OSError, ValueError):
        raise BackupUnusable(f"{folder} is no backup: it has no {MANIFEST}; `vidro backup FOLDER` makes one") from None


def _damaged_inline(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT digest, content FROM blobs WHERE content IS NOT NULL")
        return [digest for digest, content in rows if hashlib.sha256(content).hexdigest() != digest]


def restore(backup: Path, folder: Path) -> Report:
    """Copy a backup to where a data folder is to be, which must not be there yet or be empty. What is damaged or missing in
    the backup is reported, and the rest restored. Raises BackupUnusable.
    """
    report = verify(backup)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BackupUnusable(f"{folder} is not empty; move what is there away, or give another folder by --data")
    with _made_whole(folder) as partial:
        ignored = shutil.ignore_patterns(MANIFEST)
        shutil.copytree(backup, partial, ignore=ignored, copy_function=shutil.copyfile, dirs_exist_ok=True)
    return report


def _flush_tree(folder: Path) -> None:
    """Wait until the disk holds all of it, readable by its owner alone."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
