"""What no command begins to work with, said in words."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.main import app
from cli.supervision import REFUSED
from store.settings import settings

COMMANDS = ("up", "serve", "worker", "migrate", "keys list")


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("VIDRO_DATA", str(tmp_path))
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_database_that_is_none_is_named(data: Path, command: str) -> None:
    (data / "vidro.db").write_bytes(b"no database at all" * 1000)
    found = CliRunner().invoke(app, command.split())
    assert (found.exit_code, found.exception.__class__) == (REFUSED, SystemExit)
    assert f"{data / 'vidro.db'} is no SQLite database" in found.stderr
    assert "restore a backup" in found.stderr
    assert [path.name for path in data.iterdir() if path.is_file()] == ["vidro.db"]


@pytest.mark.parametrize("command", ["up", "migrate"])
def test_contents_whose_database_is_gone_are_named(data: Path, command: str) -> None:
    (data / "files" / "ab").mkdir(parents=True)
    (data / "files" / "ab" / "abcd").write_bytes(b"x")
    found = CliRunner().invoke(app, command.split())
    assert found.exit_code == REFUSED
    assert "there is no database" in found.stderr
    assert not (data / "vidro.db").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_setting_is_named(data: Path, monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("VIDRO_PORT", "abc")
    monkeypatch.setenv("VIDRO_LEASE_SECONDS", "0")
    found = CliRunner().invoke(app, command.split())
    assert found.exit_code == REFUSED
    assert "VIDRO_PORT=abc is no setting: Input should be a valid integer" in found.stderr
    assert "VIDRO_LEASE_SECONDS=0 is no setting: Input should be greater than 0" in found.stderr
    assert list(data.iterdir()) == []


@pytest.mark.parametrize(("name", "value", "says"), [
    ("CORS_ORIGINS", "app.example", "'app.example' is no origin"),
    ("ALLOWED_HOSTS", "*", "name each host"),
    ("ALLOWED_HOSTS", "box.example, https://box.example/", "'https://box.example/' is no host"),
    ("TRUSTED_PROXIES", "10.0.0.1, abc", "'abc' is no address or network"),
    ("PUBLIC_URL", "vidro.example", "'vidro.example' is no origin of pages"),
    ("PUBLIC_URL", "https://vidro.example/below", "is no origin of pages"),
    ("FRAME_ANCESTORS", "https://course.example, *", "'*' is no origin of pages"),
    ("FRAME_ANCESTORS", "https://a.example;script-src", "is no origin of pages"),
    ("SESSION_HOURS", "0", "Input should be greater than 0"),
])  # fmt: skip
def test_addresses_that_are_none_are_named_with_a_remedy(
    data: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(f"VIDRO_{name}", value)
    found = CliRunner().invoke(app, ["serve"])
    assert (found.exit_code, found.exception.__class__) == (REFUSED, SystemExit)
    assert found.stderr.startswith(f"VIDRO_{name}={value} is no setting: ")
    assert says in found.stderr
    assert list(data.iterdir()) == []
