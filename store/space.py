"""Room on the disk: what deletions leave free in a database file goes back to the system."""

from pathlib import Path

from store.database import Database

KEPT_PAGES = 1024
"""Free pages (of 4 KiB) that SQLite's file keeps, for what is written next."""
STEP_PAGES = 1024
"""Free pages that one step gives back: few enough that nobody waits long for its turn to write."""
INCREMENTAL = 2
"""SQLite's number for a file that gives room back by steps."""


def vacuum(database: Database) -> None:
    """Write the database anew without its gaps, and shorten its log. SQLite needs as much room again while it does, and
    lets nobody write; PostgreSQL marks gaps for use again.
    """
    statements = ["VACUUM"]
    if database.is_sqlite:  # the first has what comes after give room back by steps, also where the file was made without
        statements = ["PRAGMA auto_vacuum = INCREMENTAL", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"]
    engine = database.engine if database.is_sqlite else database.engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        for statement in statements:
            driver.execute(statement).fetchall() if database.is_sqlite else connection.exec_driver_sql(statement)


def give_back(database: Database) -> int:
    """Give some of the free pages of SQLite's file back, a step's worth. Returns how many bytes; 0 where there is little to
    give, for PostgreSQL, which does it by itself, and for a file that has not been vacuumed since version 0.2.
    """
    if not database.is_sqlite:
        return 0
    with database.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        free, size, mode = (
            driver.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_size", "auto_vacuum")
        )
        if mode != INCREMENTAL or free <= KEPT_PAGES:
            return 0
        driver.execute(f"PRAGMA incremental_vacuum({min(STEP_PAGES, free - KEPT_PAGES)})").fetchall()
        left = driver.execute("PRAGMA freelist_count").fetchone()[0]
    return int((free - left) * size)


def bytes_used(database: Database) -> int:
    """Bytes that the database takes, SQLite's log included."""
    if database.is_sqlite:
        paths = [Path(f"{database.url.database}{suffix}") for suffix in ("", "-wal")]
        return sum(path.stat().st_size for path in paths if path.is_file())
    with database.reading() as session:
        return int(session.connection().exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())
