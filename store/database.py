"""One database, SQLite or PostgreSQL: connections, transactions, its clock, new ids."""

import json
import math
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uuid_utils
from sqlalchemy import URL, Boolean, Connection, Engine, Float, String, create_engine, event, insert, make_url, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.sql.functions import FunctionElement


class now(FunctionElement[float]):  # noqa: N801 (an SQL function, written as SQL writes it)
    """The database's own clock, seconds since 1970 in UTC: the one clock that leases are judged by."""

    type = Float(53)
    inherit_cache = True


@compiles(now, "sqlite")
def _sqlite_now(element: Any, compiler: Any, **options: Any) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _postgresql_now(element: Any, compiler: Any, **options: Any) -> str:
    return "extract(epoch from clock_timestamp())::double precision"


class has_tag(FunctionElement[bool]):  # noqa: N801 (as above)
    """Whether a JSON list of words, a column, holds a word."""

    type = Boolean()
    inherit_cache = True


@compiles(has_tag, "sqlite")
def _sqlite_has_tag(element: Any, compiler: Any, **options: Any) -> str:
    tags, tag = (compiler.process(clause, **options) for clause in element.clauses)
    return f"EXISTS (SELECT 1 FROM json_each({tags}) AS each WHERE each.value = {tag})"


@compiles(has_tag, "postgresql")
def _postgresql_has_tag(element: Any, compiler: Any, **options: Any) -> str:
    tags, tag = (compiler.process(clause, **options) for clause in element.clauses)
    return f"EXISTS (SELECT 1 FROM json_array_elements_text({tags}) AS each(value) WHERE each.value = {tag})"


class fold(FunctionElement[str]):  # noqa: N801 (as above)
    """Text without the difference between capitals and small letters, for comparing; of any script."""

    type = String()
    inherit_cache = True


@compiles(fold, "sqlite")
def _sqlite_fold(element: Any, compiler: Any, **options: Any) -> str:
    return f"vidro_fold({compiler.process(element.clauses, **options)})"


@compiles(fold, "postgresql")
def _postgresql_fold(element: Any, compiler: Any, **options: Any) -> str:
    return f"lower({compiler.process(element.clauses, **options)})"


def _fold(text: str | None) -> str | None:
    return None if text is None else text.casefold()


def insert_into(session: Session, table: Any) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can be told what to do where the row is there: both databases can, each with a construct of its own."""
    return (sqlite.insert if is_sqlite(session) else postgresql.insert)(table)


def is_sqlite(session: Session) -> bool:
    """Whether the session's database is SQLite, which only processes of one machine can share."""
    return session.get_bind().dialect.name == "sqlite"


def put_row(session: Session, row: DeclarativeBase) -> None:
    """INSERT that row at once, without the session, at half the cost: for rows that nothing changes afterwards."""
    values = {name: value for name, value in vars(row).items() if not name.startswith("_")}
    session.execute(insert(row.metadata.tables[row.__tablename__]), values)


def to_json(value: Any) -> str:
    """JSON with non-finite numbers as the strings "NaN", "Infinity" and "-Infinity", as the API gives them out."""
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(_finite(value), allow_nan=False, separators=(",", ":"))


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    return [_finite(entry) for entry in value] if isinstance(value, list | tuple) else value


COMMON: dict[str, Any] = {"json_serializer": to_json, "pool_size": 10, "max_overflow": 40}
POOL_SECONDS = 10
"""How long who needs a connection waits for one, at most."""

BUSY_SECONDS = 30
"""How long SQLite waits for its turn to write, unless told otherwise."""

LOG_BYTES = 64 * 2**20
"""Size that SQLite's log is cut back to once its pages are in the database."""

FRESH_SECONDS = 1.0
"""For so long after its last use a connection is taken to be alive; later it is asked first, at the cost of a round trip."""

IDLE_SECONDS = 30
"""How long PostgreSQL leaves its locks to who is silent within a transaction: a machine that lost its power, say."""


class Database:
    """The engine's connections and the ways to use them: `transaction` to write, `reading` to read, `glancing` for a query."""

    def __init__(self, url: str, wait_seconds: float | None = None) -> None:
        """`wait_seconds` bounds every wait for others: for the turn to write, a lock, a connection."""
        self.url = make_url(url).set(drivername=_driver(url))
        make_engine = _sqlite_engine if self.is_sqlite else _postgresql_engine
        self.engine = make_engine(self.url, wait_seconds)
        # SQLite's transactions are snapshots; PostgreSQL's are asked to be, or each query would see a state of its own.
        snapshots = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        self._snapshots = self.engine if self.is_sqlite else self.engine.execution_options(**snapshots)
        self._glancing = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._writing = self.engine.execution_options(writes=True) if self.is_sqlite else self.engine

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits at the end of the block, or rolls back when it raises. On SQLite it waits for its turn
        to write at the start, so that what it reads is still true when it writes.
        """
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one state of the database, from its first query on, and writes nothing."""
        with Session(self._snapshots, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def glancing(self) -> Iterator[Session]:
        """A session for a query or two that need not see one state, and writes nothing: without the cost of a transaction
        where that is a round trip at either end.
        """
        with Session(self._glancing, expire_on_commit=False) as session:
            yield session

    def clock(self, session: Session) -> float:
        return float(session.execute(select(now())).scalar_one())

    def close(self) -> None:
        self.engine.dispose()


def _driver(url: str) -> str:
    """psycopg 3 for every spelling of PostgreSQL's URL."""
    name = make_url(url).drivername
    return "postgresql+psycopg" if name.split("+")[0] in ("postgres", "postgresql") else name


def _pool(wait_seconds: float | None) -> dict[str, Any]:
    return {**COMMON, "pool_timeout": min(POOL_SECONDS, wait_seconds or POOL_SECONDS)}


def _postgresql_engine(url: URL, wait_seconds: float | None) -> Engine:
    """A host that does not answer is given up after seconds, not minutes; text is UTF-8 whatever the server's default."""
    given = {"connect_timeout": "5", "client_encoding": "utf8"}
    engine = create_engine(url.update_query_dict({**given, **url.query}), **_pool(wait_seconds))

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: Any) -> None:
        connection.execute(f"SET idle_in_transaction_session_timeout = '{IDLE_SECONDS}s'")
        if wait_seconds is not None:
            connection.execute(f"SET lock_timeout = '{round(wait_seconds * 1000)}ms'")
        connection.commit()

    @event.listens_for(engine, "checkin")
    def _remember(connection: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _ping(connection: Any, record: Any, proxy: Any) -> None:
        if time.monotonic() - record.info.get("used_at", math.inf) < FRESH_SECONDS:
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # the pool opens another in its place

    return engine


def _sqlite_engine(url: Any, wait_seconds: float | None) -> Engine:
    busy_seconds = wait_seconds or BUSY_SECONDS
    engine = create_engine(url, connect_args={"timeout": busy_seconds}, **_pool(wait_seconds))

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy says BEGIN itself, below; sqlite3 would do it late
        if connection.execute("PRAGMA page_count").fetchone() == (0,):  # or each connection would wait for a writer's lock
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")  # of a file that is not there yet; see store/space.py
        _write_ahead(connection, busy_seconds)
        connection.create_function("vidro_fold", 1, _fold, deterministic=True)  # SQLite's lower knows ASCII alone
        log_size = f"journal_size_limit={LOG_BYTES}"
        for pragma in ("synchronous=NORMAL", f"busy_timeout={round(busy_seconds * 1000)}", "foreign_keys=ON", log_size):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get("writes")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _write_ahead(connection: Any, busy_seconds: float) -> None:
    """Turn on the write-ahead log. Its file remembers that; until one has done it, others are refused and not made to wait."""
    until = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)


def new_id(prefix: str) -> str:
    """A prefixed UUIDv7 (RFC 9562): ids sort by the time they were made."""
    return f"{prefix}_{uuid_utils.uuid7()}"
