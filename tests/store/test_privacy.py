"""What is stored is nobody else's to read."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.database import Database
from store.files import Files
from store.migrate import migrate
from store.privacy import keep_private


@pytest.fixture(autouse=True)
def _same_mask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> set[str]:
    """What the group and others may do with the folder and all that is in it."""
    return {stat.filemode(path.stat().st_mode)[4:] for path in (folder, *folder.rglob("*"))}


def stored(folder: Path) -> Database:
    """A database in use, so that its log is there too, and files."""
    database = Database(f"sqlite:///{folder / 'vidro.db'}")
    migrate(database)
    with database.transaction() as session:
        Files(folder / "files", 0).put(session, b"content")
    return database


def test_a_new_folder_is_private(tmp_path: Path) -> None:
    keep_private(tmp_path / "data")
    database = stored(tmp_path / "data")
    assert modes(tmp_path / "data") == {"------"}
    assert {path.name for path in (tmp_path / "data").iterdir()} >= {"vidro.db", "vidro.db-wal", "vidro.db-shm", "files"}
    database.close()


def test_a_folder_that_others_could_read_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    database = stored(folder)
    (folder / "of somebody else").touch(0o644)
    assert modes(folder) != {"------"}
    keep_private(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "vidro.db").stat().st_mode) == stat.S_IMODE((folder / "vidro.db-wal").stat().st_mode) == 0o600
    assert modes(folder / "files") == {"------"}
    assert stat.S_IMODE((folder / "of somebody else").stat().st_mode) == 0o644
    database.close()


def test_a_folder_that_everybody_shares_stays_open(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    (tmp_path / "vidro.db").touch(0o644)
    keep_private(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777
    assert stat.S_IMODE((tmp_path / "vidro.db").stat().st_mode) == 0o600


def test_a_mount_of_another_user_is_told_of_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(f"{path} is another's")

    monkeypatch.setattr(Path, "chmod", refuse)
    tmp_path.stat()
    os.chmod(tmp_path, 0o755)
    keep_private(tmp_path)
    database = stored(tmp_path)
    database.close()
