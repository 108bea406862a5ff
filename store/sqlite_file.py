"""Whether a SQLite file is Vidro's, and whole enough to be opened: told by name before anything writes to it."""

import sqlite3
from pathlib import Path

from sqlalchemy import URL

from store.errors import DatabaseDamaged, ForeignDatabase, says_damaged

HEADER = b"SQLite format 3\0"
REVISION = "alembic_version"
OURS = frozenset({REVISION, "blobs", "datasets", "jobs"})
"""Tables that every version of Vidro has made."""
RESTORE = "restore a backup (vidro restore)"


def check(url: URL) -> None:
    """Have nothing but a new, an empty, or a database of Vidro's be opened; nothing is written to any other.

    Raises DatabaseDamaged for a file that is cut off or no database, ForeignDatabase for another program's.
    """
    if not url.database or url.database == ":memory:":
        return
    path = Path(url.database)
    size = path.stat().st_size if path.is_file() else 0
    if size == 0:
        _refuse_lost(path)
        return
    with path.open("rb") as file:
        begins = file.read(18)
    if not begins.startswith(HEADER):
        raise DatabaseDamaged(f"{path} is no SQLite database: it does not begin as one does; {RESTORE}")
    page = int.from_bytes(begins[16:18], "big")
    if page > 1 and size % page and not _logged(path):  # which SQLite rounds up; with its log it can mend that
        raise DatabaseDamaged(f"{path} is a damaged SQLite database: it was cut off within a page; {RESTORE}")
    try:
        tables = _tables(path)
    except sqlite3.DatabaseError as error:
        if not says_damaged(error):
            return  # it is locked, say: whoever opens it will be told
        raise DatabaseDamaged(f"{path} is a damaged SQLite database ({error}), cut off perhaps; {RESTORE}") from None
    if tables - {REVISION} and not tables >= OURS:
        named = ", ".join(sorted(tables)[:5])
        raise ForeignDatabase(
            f"{path} is a SQLite database of another program: its tables are {named}. Nothing was written to it; name another "
            "place by VIDRO_DATA or VIDRO_DATABASE_URL"
        )


def _refuse_lost(path: Path) -> None:
    """An empty file beside a log of what was written is one that was cut off: a new one would throw the log away."""
    if _logged(path):
        raise DatabaseDamaged(
            f"{path} is empty or gone, and its log beside it (-wal) is not: it was cut off or lost; {RESTORE}"
        )


def _logged(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.is_file() and log.stat().st_size > 0


def _tables(path: Path) -> set[str]:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)
    try:
        return {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")} - {
            "sqlite_sequence"
        }
    finally:
        connection.close()


def refuse_orphaned(url: URL, files: Path) -> None:
    """Raise DatabaseDamaged where there is no database yet, and contents of one that there was: with a new one they would be
    swept away, and a backup would come too late.
    """
    path = Path(url.database or "")
    if (not path.is_file() or path.stat().st_size == 0) and next(files.glob("[0-9a-f][0-9a-f]/*"), None) is not None:
        raise DatabaseDamaged(
            f"there is no database at {path}, and contents of one lie in {files}; {RESTORE}, or move that folder away to begin "
            "anew"
        )
