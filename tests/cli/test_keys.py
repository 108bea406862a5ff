"""`vidro keys`, as it is called: what it makes, shows, refuses."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from cli.main import app
from store import keys
from store.database import Database
from store.settings import settings

Run = Callable[..., Result]


@pytest.fixture
def vidro(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Call `vidro keys …` on an empty data folder."""
    monkeypatch.setenv("VIDRO_DATA", str(tmp_path))
    monkeypatch.setattr("cli.keys.configure_logs", lambda level: None)
    settings.cache_clear()
    yield lambda *arguments, **given: CliRunner().invoke(app, ["keys", *arguments], **given)
    settings.cache_clear()


def identifier(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return re.search(r"key_[\w-]+", result.output)[0]  # type: ignore[index]


def lines(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.output
    return [re.split(r"\s{2,}", line) for line in result.stdout.splitlines()]


def test_keys_are_listed_with_their_names_and_times(vidro: Run) -> None:
    assert "no keys" in vidro("list").stderr
    lasting = identifier(vidro("create", "--owner", "ana"))
    ending = identifier(vidro("create", "--owner", "rui", "--name", "dashboard", "--scopes", "read", "--expires", "30d"))
    assert vidro("revoke", lasting).exit_code == 0
    heading, first, second = lines(vidro("list"))
    assert heading == ["id", "owner", "name", "scopes", "state", "created", "last used", "expires"]
    assert first[:1] + first[-3:-1] == [lasting, "read,write", "revoked"]
    assert second[:5] == [ending, "rui", "dashboard", "read", "active"]
    in_30_days = datetime.now(UTC) + timedelta(days=30)
    assert abs(datetime.fromisoformat(second[-1] + "+00:00") - in_30_days) < timedelta(minutes=3)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--owner", ""), "owner"),
        (("--owner", "ana", "--scopes", "root"), "scopes are some of read, write, admin"),
        (("--owner", "ana", "--expires", "soon"), "write it as 12h, 30d, 8w"),
        (("--owner", "ana", "--expires", "0h"), "is over"),
        (("--owner", "ana", "--expires", "2020-01-31"), "is over"),
    ],
)
def test_what_is_no_key_is_refused(vidro: Run, options: tuple[str, ...], told: str) -> None:
    refused = vidro("create", *options)
    assert refused.exit_code != 0
    assert told in " ".join(re.sub(r"[│\n]", " ", refused.stderr).split())
    assert "no keys" in vidro("list").stderr


def test_a_date_is_taken_as_utc(vidro: Run) -> None:
    assert "until 2999-01-31 00:00 UTC" in vidro("create", "--owner", "ana", "--expires", "2999-01-31").stderr


def test_open_asks_before_it_forgets(vidro: Run, tmp_path: Path) -> None:
    vidro("create", "--owner", "ana")
    assert vidro("open", input="n\n").exit_code == 1
    assert len(lines(vidro("list"))) == 2
    assert "1 keys forgotten" in vidro("open", "--yes").stderr
    database = Database(f"sqlite:///{tmp_path / 'vidro.db'}")
    with database.reading() as session:
        assert not keys.configured(session)
    database.close()


def test_a_secret_is_taken_up_once(vidro: Run, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a secret of one's own, long enough\n")
    taken = ("create", "--owner", "ana", "--secret-file", str(tmp_path / "secret"))
    key_id = identifier(vidro(*taken))
    assert identifier(vidro(*taken)) == key_id
    assert "make another secret for rui" in vidro("create", "--owner", "rui", *taken[3:]).stderr
    vidro("revoke", key_id)
    refused = vidro(*taken)
    assert (refused.exit_code, "is revoked" in refused.stderr) == (1, True)
    assert vidro("revoke", "key_none").exit_code == 1
