"""Changes that others commit: one thread finds out which of the jobs that this process watches have new events.

PostgreSQL tells it: triggers notify `vidro_jobs` of a job's number within the transaction that writes (migration 0009).
SQLite is asked whether anybody has written at all, which reads no table, and only then where the watched jobs are.
"""

import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from sqlalchemy import Connection

from store import feed
from store.cursors import Head, heads
from store.database import Database
from store.feed import FeedPlace

CHANNEL = "vidro_jobs"
POLL_SECONDS = 0.05
"""How often SQLite is asked; on PostgreSQL how long notifications are gathered before the next look."""
NET_SECONDS = 1.0
"""How often PostgreSQL's watched jobs are looked at in any case: a pooler in between may lose notifications."""
RETRY_SECONDS = 1.0
ROWS = 1000
"""Changes of the feed, and watched jobs, that are read at a time."""
log = structlog.get_logger()


class Changes:
    """Calls `tell`, from a thread of its own, with the new heads of watched jobs by number, None for a job that is gone; and
    `tell_feed` with where the feed of watched owners has come to, None for all owners.
    """

    def __init__(
        self,
        database: Database,
        tell: Callable[[dict[int, Head | None]], None],
        tell_feed: Callable[[dict[str | None, FeedPlace]], None] = lambda _: None,
    ) -> None:
        self.database, self.tell, self.tell_feed = database, tell, tell_feed
        self._lock = threading.Lock()
        self._watched: set[int] = set()
        self._seen: dict[int, Head] = {}
        self._owners: set[str | None] = set()
        self._place: FeedPlace | None = None
        self._added = False
        self._some, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="changes", daemon=True)

    def watch(self, number: int) -> None:
        """Tell of this job from now on; the thread starts with the first."""
        with self._lock:
            self._watched.add(number)
            self._start()

    def forget(self, number: int) -> None:
        """Tell of this job no more."""
        with self._lock:
            self._watched.discard(number)
            self._seen.pop(number, None)
            self._rest()

    def watch_feed(self, owner: str | None) -> None:
        """Tell where the feed of the owner, or of all owners, has come to from now on."""
        with self._lock:
            self._owners.add(owner)
            self._start()

    def forget_feed(self, owner: str | None) -> None:
        """Tell of the owner's feed no more."""
        with self._lock:
            self._owners.discard(owner)
            self._rest()

    def _start(self) -> None:
        self._added = True
        self._some.set()
        if self._thread.ident is None:
            self._thread.start()

    def _rest(self) -> None:
        if not self._watched and not self._owners:
            self._some.clear()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        self._some.set()
        if self._thread.ident is not None:
            self._thread.join(2 * NET_SECONDS)

    def _run(self) -> None:
        follow = self._follow_sqlite if self.database.is_sqlite else self._follow_postgresql
        while not self._stop.is_set():
            try:
                with self._connected() as connection:
                    follow(connection)
            except Exception as error:  # whatever it was, streams wait for this thread
                log.warning("no changes from the database; trying again", error=repr(getattr(error, "orig", error)))
                self._stop.wait(RETRY_SECONDS)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """A connection beside the pool, in no transaction between statements."""
        with self.database.engine.connect() as connection:
            connection.detach()
            yield connection

    def _follow_sqlite(self, connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        version = None
        while not self._stop.wait(POLL_SECONDS):
            self._some.wait()
            found = driver.execute("PRAGMA data_version").fetchone()
            if found != version or self._added:
                self._look(None)
            version = found

    def _follow_postgresql(self, connection: Connection) -> None:
        driver: Any = connection.connection.dbapi_connection
        driver.autocommit = True
        driver.execute(f"LISTEN {CHANNEL}")
        looked = 0.0
        while not self._stop.is_set():
            self._some.wait()
            told = {int(notify.payload) for notify in driver.notifies(timeout=NET_SECONDS / 2, stop_after=1)}
            if time.monotonic() - looked >= NET_SECONDS:
                looked = time.monotonic()
                self._look(None)
            elif told:
                self._look(told)
            if told:
                self._stop.wait(POLL_SECONDS)

    def _look(self, numbers: Collection[int] | None) -> None:
        """Tell where these of the watched jobs, or all, have come to, unless that is known."""
        with self._lock:
            self._added = self._added and numbers is not None
            wanted = self._watched if numbers is None else self._watched.intersection(numbers)
            wanted, owners = set(wanted), set(self._owners)
        if owners:
            self._look_at_feed(owners)
        else:
            self._place = None
        if wanted:
            self._look_at(wanted)

    def _look_at_feed(self, owners: Collection[str | None]) -> None:
        """Tell where the feed of each owner, and of all, has come to since the last time; the first time, of these."""
        with self.database.glancing() as session:
            if self._place is None:
                self._place = feed.end(session)
                self.tell_feed({owner: feed.end(session, owner) for owner in owners})
            while not self._stop.is_set() and (found := feed.changes(session, None, self._place, ROWS)):
                self._place = found[-1].place
                self.tell_feed({owner: change.place for change in found for owner in (change.owner, None)})

    def _look_at(self, wanted: set[int]) -> None:
        found: dict[int, Head] = {}
        with self.database.glancing() as session:
            numbers = sorted(wanted)
            for start in range(0, len(numbers), ROWS):
                found |= heads(session, numbers[start : start + ROWS])
        changed: dict[int, Head | None] = {}
        with self._lock:
            for number in wanted & self._watched:
                if (head := found.get(number)) != self._seen.get(number) or head is None:
                    changed[number] = head
                    if head is not None:
                        self._seen[number] = head
        if changed and not self._stop.is_set():
            self.tell(changed)
