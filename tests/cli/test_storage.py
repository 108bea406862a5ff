"""`vidro backup`, `restore` and `vacuum`, as they are called."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.main import app
from store.settings import settings

Run = Callable[..., Result]


@pytest.fixture
def vidro(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Call `vidro …` on a data folder with a key in it."""
    monkeypatch.setenv("VIDRO_DATA", str(tmp_path / "data"))
    for module in ("keys", "storage"):
        monkeypatch.setattr(f"cli.{module}.configure_logs", lambda level: None)
    before = os.umask(0o022)
    settings.cache_clear()
    CliRunner().invoke(app, ["keys", "create", "--owner", "ana"])
    yield lambda *arguments: CliRunner().invoke(app, list(map(str, arguments)))
    settings.cache_clear()
    os.umask(before)


def test_a_backup_is_checked_and_restored(vidro: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = vidro("backup", tmp_path / "backup")
    assert (made.exit_code, "is made: 0 contents" in made.stdout) == (0, True), made.output
    assert "is whole" in vidro("backup", "--check", tmp_path / "backup").stdout
    again = vidro("backup", tmp_path / "backup")
    assert (again.exit_code, "give a folder that is new or empty" in again.stderr) == (1, True)
    restored = vidro("restore", tmp_path / "backup", "--data", tmp_path / "other")
    assert restored.exit_code == 0, restored.output
    taken = vidro("restore", tmp_path / "backup")
    assert (taken.exit_code, "is not empty" in taken.stderr) == (1, True)
    monkeypatch.setenv("VIDRO_DATA", str(tmp_path / "other"))
    settings.cache_clear()
    assert "ana" in vidro("keys", "list").stdout


def test_what_is_no_backup_is_told(vidro: Run, tmp_path: Path) -> None:
    refused = vidro("restore", tmp_path, "--data", tmp_path / "other")
    assert (refused.exit_code, "is no backup" in refused.stderr) == (1, True)


def test_a_servers_database_is_left_to_its_own_tools(vidro: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDRO_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    settings.cache_clear()
    for arguments in (("backup", tmp_path / "backup"), ("restore", tmp_path)):
        refused = vidro(*arguments)
        assert (refused.exit_code, "pg_dump" in refused.stderr) == (2, True)


def test_vacuum_says_what_it_did(vidro: Run) -> None:
    done = vidro("vacuum")
    assert (done.exit_code, "0 files removed" in done.stdout) == (0, True), done.output
