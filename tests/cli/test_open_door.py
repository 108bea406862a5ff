"""What the server refuses to start with, and what it says then."""

from pathlib import Path

import pytest
import typer

from cli.processes import refuse_open_door
from store import keys
from store.database import Database
from store.migrate import migrate
from store.settings import Settings


@pytest.mark.parametrize(("given", "says"), [
    ({"cors_origins": "*"}, "vidro keys create"),
    ({"host": "0.0.0.0"}, "vidro keys create"),
])  # fmt: skip
def test_it_does_not_start_open_to_all_and_names_the_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: dict[str, str], says: str
) -> None:
    setting = Settings(data=tmp_path, **given)
    database = Database(setting.database)
    migrate(database)
    with pytest.raises(typer.Exit) as found:
        refuse_open_door(setting)
    assert found.value.exit_code == 2
    assert says in capsys.readouterr().err
    with database.transaction() as session:
        keys.create(session, "ana", ["read"])
    database.close()
    if says == "vidro keys create":
        refuse_open_door(setting)  # a key closes the door
