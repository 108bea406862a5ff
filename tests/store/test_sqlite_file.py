"""What is opened as Vidro's database, and what is refused by name with nothing written to it."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from store import sqlite_file
from store.database import Database
from store.errors import DatabaseDamaged, ForeignDatabase, StoreError
from store.migrate import migrate
from tests.store.staging import make_job


def cut(path: Path, share: float) -> None:
    os.truncate(path, int(path.stat().st_size * share))


def foreign(path: Path, *tables: str) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    for table in tables:
        connection.execute(f"CREATE TABLE {table} (id INTEGER)")
    connection.close()


def emptied(path: Path) -> None:
    path.with_name(f"{path.name}-wal").write_bytes(b"what was written last")
    path.write_bytes(b"")


def lost(path: Path) -> None:
    emptied(path)
    path.unlink()


HARMS: dict[str, tuple[Callable[[Path], None], type[StoreError], str]] = {
    "cut in half": (lambda path: cut(path, 0.5), DatabaseDamaged, "cut off"),
    "cut within its last page": (lambda path: os.truncate(path, path.stat().st_size - 10), DatabaseDamaged, "cut off"),
    "cut within its header": (lambda path: os.truncate(path, 50), DatabaseDamaged, "damaged"),
    "its schema overwritten": (lambda path: overwrite(path, 100, 3000), DatabaseDamaged, "damaged"),
    "random bytes": (lambda path: path.write_bytes(os.urandom(50_000)), DatabaseDamaged, "is no SQLite database"),
    "text": (lambda path: path.write_text("a,b\n1,2\n"), DatabaseDamaged, "is no SQLite database"),
    "empty with a log": (emptied, DatabaseDamaged, "was cut off or lost"),
    "gone with a log": (lost, DatabaseDamaged, "was cut off or lost"),
    "another program's": (lambda path: foreign(path, "recipes", "cooks"), ForeignDatabase, "cooks, recipes"),
    "another program's with migrations": (
        lambda path: foreign(path, "alembic_version", "jobs", "users"), ForeignDatabase, "alembic_version, jobs, users"
    ),
}  # fmt: skip


def overwrite(path: Path, start: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(os.urandom(length))


@pytest.fixture
def path(sqlite_database: Database) -> Path:
    """A closed database's file with a job in it."""
    make_job(sqlite_database)
    sqlite_database.close()
    return Path(str(sqlite_database.url.database))


def opened(path: Path) -> Database:
    return Database(f"sqlite:///{path}")


@pytest.mark.parametrize("harm", HARMS)
def test_it_is_refused_by_name_and_not_written_to(path: Path, harm: str) -> None:
    damage, error, says = HARMS[harm]
    damage(path)
    before = path.read_bytes() if path.exists() else None
    database = opened(path)
    with pytest.raises(error, match=says) as found:
        migrate(database)
    database.close()
    assert str(path) in str(found.value)
    assert "backup" in str(found.value) or "VIDRO_DATABASE_URL" in str(found.value)
    assert (path.read_bytes() if path.exists() else None) == before


def count(path: Path) -> int:
    database = opened(path)
    migrate(database)
    with database.reading() as session:
        found = int(session.execute(text("SELECT count(*) FROM jobs")).scalar_one())
    database.close()
    return found


def test_what_is_vidro_s_new_or_empty_is_opened(path: Path, tmp_path: Path) -> None:
    assert count(path) == 1
    assert count(tmp_path / "new.db") == 0
    (tmp_path / "empty.db").touch()
    assert count(tmp_path / "empty.db") == 0
    sqlite_file.check(make_url("sqlite://"))


@pytest.mark.parametrize("removed", [["-shm"], ["-wal", "-shm"]])
def test_a_copy_without_its_log_is_opened(path: Path, tmp_path: Path, removed: list[str]) -> None:
    """As a process that was killed leaves it: the log is played back; without it what it held is not there."""
    database = opened(path)
    make_job(database)
    target = tmp_path / "copy"
    target.mkdir()
    for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
        shutil.copy(path.with_name(name), target)
    database.close()
    for ending in removed:
        (target / f"{path.name}{ending}").unlink()
    assert count(target / path.name) == (1 if "-wal" in removed else 2)


def test_a_later_version_s_tables_are_left_alone(database: Database) -> None:
    with database.transaction() as session:
        before = session.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        with pytest.raises(ForeignDatabase, match="revision '9999'"):
            migrate(database)
    finally:
        with database.transaction() as session:
            session.execute(text("UPDATE alembic_version SET version_num = :before"), {"before": before})


def test_contents_without_their_database_are_not_begun_anew_with(tmp_path: Path) -> None:
    """A sweep would remove them all as nobody's."""
    content = tmp_path / "files" / "ab" / "abcd"
    url = make_url(f"sqlite:///{tmp_path / 'vidro.db'}")
    sqlite_file.refuse_orphaned(url, tmp_path / "files")
    content.parent.mkdir(parents=True)
    content.write_bytes(b"x")
    with pytest.raises(DatabaseDamaged, match="restore a backup"):
        sqlite_file.refuse_orphaned(url, tmp_path / "files")
