"""When keys were last used: noted in memory by whoever lets a caller in, and written once a minute."""

import threading
import time
from types import TracebackType

import structlog
from sqlalchemy.exc import SQLAlchemyError

from store import keys
from store.database import Database

WRITE_SECONDS = 60.0
log = structlog.get_logger()


class KeyUses:
    """A context in which uses of keys are written every `seconds` and at its end, in one transaction for all of them: no
    request waits for it. Uses that a killed process noted and had not written are lost.
    """

    def __init__(self, database: Database, seconds: float = WRITE_SECONDS) -> None:
        self.database, self.seconds = database, seconds
        self._used: dict[str, float] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._write_for_ever, name="uses of keys", daemon=True)

    def note(self, key_id: str | None) -> None:
        """Remember that a key was used now; None, no key, is nothing to remember."""
        if key_id is not None:
            self._used[key_id] = time.monotonic()

    def __enter__(self) -> "KeyUses":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._ending.set()
        self._thread.join()

    def _write_for_ever(self) -> None:
        is_ending = False
        while not is_ending:
            is_ending = self._ending.wait(self.seconds)
            self.write()

    def write(self) -> None:
        """Write what was noted since the last time."""
        used, self._used = self._used, {}
        if not used:
            return
        noted = time.monotonic()
        try:
            with self.database.transaction() as session:
                keys.note_uses(session, {key_id: noted - moment for key_id, moment in used.items()})
        except SQLAlchemyError as error:
            log.warning("uses of keys not written", error=type(error).__name__)
