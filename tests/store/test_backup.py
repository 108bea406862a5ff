"""Backups: whole, of one moment, told apart from what is none, and restored to the same."""

import json
import os
import stat
from pathlib import Path

import pytest
from alembic.runtime.migration import MigrationContext

from store import backup as backups
from store.database import Database
from store.errors import BackupUnusable
from store.files import Files
from store.migrate import migrate
from store.tables import Blob


class Place:
    """A data folder with contents in the database and in files."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder, folder / "vidro.db"
        self.database = Database(f"sqlite:///{self.path}")
        migrate(self.database)
        self.files = Files(folder / "files", 8)
        self.digests = [self.put(content) for content in (b"small", b"large enough for a file", b"another one for a file")]

    def put(self, content: bytes) -> str:
        with self.database.transaction() as session:
            return self.files.put(session, content)

    def back_up(self, destination: Path) -> backups.Report:
        return backups.back_up(self.path, self.folder / "files", destination)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "data")


def contents(folder: Path) -> dict[str, bytes]:
    database, files = Database(f"sqlite:///{folder / 'vidro.db'}"), Files(folder / "files", 8)
    with database.reading() as session:
        found = {digest: files.get(session, digest) for (digest,) in session.query(Blob.digest)}
    database.close()
    return found


def test_a_backup_is_restored_to_the_same(place: Place, tmp_path: Path) -> None:
    made = place.back_up(tmp_path / "backup")
    assert (made.contents, made.missing, made.damaged) == (3, [], [])
    assert backups.verify(tmp_path / "backup") == made
    assert backups.restore(tmp_path / "backup", tmp_path / "restored") == made
    assert contents(tmp_path / "restored") == contents(place.folder)
    assert not (tmp_path / "restored" / "manifest.json").exists()
    for path in (tmp_path / "restored", *(tmp_path / "restored").rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "data", "restored"]


def test_what_is_there_is_not_written_over(place: Place, tmp_path: Path) -> None:
    with pytest.raises(BackupUnusable, match="new or empty"):
        place.back_up(place.folder)
    place.back_up(tmp_path / "backup")
    with pytest.raises(BackupUnusable, match="is not empty"):
        backups.restore(tmp_path / "backup", place.folder)
    (tmp_path / "empty").mkdir()
    backups.restore(tmp_path / "backup", tmp_path / "empty")


def test_a_file_that_goes_while_it_is_copied_is_not_missed(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What named it was deleted after the database was copied: the database is copied again."""
    doomed, rounds = place.digests[1], 0
    original = backups._copy_database

    def copy(source: Path, target: Path) -> str:
        nonlocal rounds
        found, rounds = original(source, target), rounds + 1
        if rounds == 1:
            with place.database.transaction() as session:
                place.files.release(session, [doomed])
            place.files.path(doomed).unlink()
        return found

    monkeypatch.setattr(backups, "_copy_database", copy)
    made = place.back_up(tmp_path / "backup")
    assert (rounds, made.contents, made.missing) == (2, 2, [])
    assert backups.verify(tmp_path / "backup").missing == []
    assert doomed not in contents(tmp_path / "backup")


def test_what_is_missing_or_damaged_is_told_and_the_rest_copied(place: Place, tmp_path: Path) -> None:
    place.files.path(place.digests[1]).unlink()
    place.files.path(place.digests[2]).write_bytes(b"something else")
    made = place.back_up(tmp_path / "backup")
    assert (made.missing, made.damaged) == ([place.digests[1]], [place.digests[2]])
    assert backups.verify(tmp_path / "backup").damaged == [place.digests[2]]


def test_a_backup_that_was_changed_is_told(place: Place, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    place.back_up(backup)
    path = Files(backup / "files", 8).path(place.digests[1])
    path.write_bytes(b"changed")
    assert backups.verify(backup).damaged == [place.digests[1]]
    path.unlink()
    assert backups.verify(backup).missing == [place.digests[1]]
    with (backup / "vidro.db").open("r+b") as file:
        file.seek(5000)
        file.write(os.urandom(3000))
    with pytest.raises(BackupUnusable, match="is not what was written"):
        backups.verify(backup)
    (backup / "manifest.json").write_text("{")
    with pytest.raises(BackupUnusable, match="is no backup"):
        backups.restore(backup, tmp_path / "restored")


def test_a_damaged_database_makes_no_backup(place: Place, tmp_path: Path) -> None:
    place.database.close()
    with place.path.open("r+b") as file:
        file.seek(4096)
        file.write(bytes(255 for _ in range(8192)))
    with pytest.raises(BackupUnusable, match="is damaged"):
        place.back_up(tmp_path / "backup")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_the_manifest_says_what_was_made(place: Place, tmp_path: Path) -> None:
    place.back_up(tmp_path / "backup")
    manifest = json.loads((tmp_path / "backup" / "manifest.json").read_text())
    assert set(manifest["files"]) == set(place.digests[1:])
    assert manifest["files"][place.digests[1]] == len(b"large enough for a file")
    with place.database.engine.connect() as connection:
        assert manifest["revision"] == MigrationContext.configure(connection).get_current_revision()
