"""Room that deletions leave goes back to the disk."""

from sqlalchemy import insert, text

from store import space
from store.database import Database
from store.tables import Blob

MANY = 3 * space.KEPT_PAGES * 4096


def fill(database: Database) -> None:
    with database.transaction() as session:
        for place in range(12):
            session.execute(insert(Blob).values(digest=f"{place:064d}", size=MANY // 12, content=bytes(MANY // 12)))


def empty(database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("DELETE FROM blobs"))


def test_deletions_give_room_back_by_steps(sqlite_database: Database) -> None:
    """Of a file that is new, without a vacuum."""
    fill(sqlite_database)
    empty(sqlite_database)
    steps = []
    while given := space.give_back(sqlite_database):
        steps.append(given)
    assert len(steps) >= 2
    assert max(steps) <= space.STEP_PAGES * 4096
    assert sum(steps) >= MANY - (space.KEPT_PAGES + space.STEP_PAGES) * 4096
    space.vacuum(sqlite_database)
    assert space.bytes_used(sqlite_database) < 2**20


def test_a_file_made_before_gives_room_back_after_its_first_vacuum(sqlite_database: Database) -> None:
    with sqlite_database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        for statement in ("PRAGMA auto_vacuum = NONE", "VACUUM"):
            driver.execute(statement)
    fill(sqlite_database)
    empty(sqlite_database)
    assert space.give_back(sqlite_database) == 0
    space.vacuum(sqlite_database)
    assert space.bytes_used(sqlite_database) < 2**20
    fill(sqlite_database)
    empty(sqlite_database)
    assert space.give_back(sqlite_database) > 0


def test_a_server_does_it_by_itself(postgresql_database: Database) -> None:
    assert space.give_back(postgresql_database) == 0
    space.vacuum(postgresql_database)
    assert space.bytes_used(postgresql_database) > 0
