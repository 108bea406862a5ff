from pathlib import Path

import pytest
from pydantic import ValidationError

from store.settings import Settings, settings


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"VIDRO_{name.upper()}", raising=False)


def test_defaults_are_the_embedded_form() -> None:
    found = Settings()
    data = Path("data").absolute()
    assert found.database == f"sqlite:///{data / 'vidro.db'}"
    assert found.broker == "filesystem://localhost"
    assert (found.files, found.messages) == (data / "files", data / "messages")
    assert (found.host, found.port) == ("127.0.0.1", 8000)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("data", "/srv/vidro", Path("/srv/vidro")),
        ("database_url", "postgresql://h/d", "postgresql://h/d"),
        ("broker_url", "redis://h", "redis://h"),
        ("port", "9000", 9000),
        ("workers", "3", 3),
        ("max_upload_bytes", "5", 5),
        ("inline_bytes", "0", 0),
        ("lease_seconds", "2.5", 2.5),
    ],
)
def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch, name: str, value: str, expected: object) -> None:
    monkeypatch.setenv(f"VIDRO_{name.upper()}", value)
    assert getattr(Settings(), name) == expected


def test_a_folder_of_secrets_is_read(tmp_path: Path) -> None:
    (tmp_path / "vidro_database_url").write_text("postgresql://u:secret@h/d\n")
    (tmp_path / "vidro_port").write_text("9001")
    found = Settings(_secrets_dir=tmp_path)
    assert found.database == "postgresql://u:secret@h/d"
    assert found.port == 9001


def test_the_environment_goes_before_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "vidro_port").write_text("9001")
    monkeypatch.setenv("VIDRO_PORT", "9002")
    assert Settings(_secrets_dir=tmp_path).port == 9002


def test_urls_go_before_the_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDRO_DATABASE_URL", "postgresql://h/d")
    monkeypatch.setenv("VIDRO_BROKER_URL", "redis://h")
    assert (Settings().database, Settings().broker) == ("postgresql://h/d", "redis://h")


@pytest.mark.parametrize(
    ("name", "value"),
    [("port", "http"), ("workers", "0"), ("lease_seconds", "0"), ("sweep_seconds", "-1"), ("polling_seconds", "0")],
)
def test_what_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"VIDRO_{name.upper()}", value)
    with pytest.raises(ValidationError, match=name):
        Settings()


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_a_process_reads_them_once(monkeypatch: pytest.MonkeyPatch) -> None:
    settings.cache_clear()
    try:
        first = settings()
        monkeypatch.setenv("VIDRO_PORT", "9002")
        assert settings() is first
    finally:
        settings.cache_clear()
