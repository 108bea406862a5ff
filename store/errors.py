"""Errors of what is stored, and every error as a problem.

StoreError
├── NotFound         NOT_FOUND           404
├── Conflict         CONFLICT            409  the state forbids the action
├── UnreadableFile   UNREADABLE_FILE     422  a file that is not what it should be, with the place and the remedy
├── ColumnMisfit     COLUMN_MISFIT       422  a column that cannot be of the kind it is corrected to, with the row
├── UnknownFormat    UNKNOWN_FORMAT      415
├── TooLarge         TOO_LARGE           413
├── BadPageToken     BAD_PAGE_TOKEN      422
├── TooManyQueued    TOO_MANY_QUEUED     429  an owner has as many jobs queued as one may
├── KeyReused        IDEMPOTENCY_KEY_REUSED   422
├── StillRunning     IDEMPOTENCY_KEY_IN_USE   409
├── UploadOffset     MISMATCHING_UPLOAD_OFFSET 409  bytes that begin elsewhere than an upload ends
├── UploadComplete   COMPLETED_UPLOAD 400
├── UploadLength     INCONSISTENT_UPLOAD_LENGTH 400
├── ContentMissing   CONTENT_MISSING     500  a row names content that is neither in the database nor in the data folder
├── ContentDamaged   CONTENT_DAMAGED     500  content is not what its name, its SHA-256, says
├── Removed          REMOVED             410  what a setting had removed some time after a job's end
├── KeyExpired       KEY_EXPIRED         401  an API key whose time is over
├── BackupUnusable   BACKUP_UNUSABLE     409  a backup that cannot be made, or is none
├── InvalidKey       INVALID_KEY         422  an API key that cannot be made as asked
├── DatabaseDamaged  DATABASE_DAMAGED    503  the database is cut off, overwritten, or none at all
├── ForeignDatabase  FOREIGN_DATABASE    503  the database is another program's, or a later version's
├── DiskFull         DISK_FULL           503  there is no room left where data is stored
├── TooManyRequests  TOO_MANY_REQUESTS   429  others of its kind are worked on, and it has waited long
├── TooManyStreams   TOO_MANY_STREAMS    429  a key has as many event streams open as it may; 503 where the process has
└── LeaseLost        LEASE_LOST          409  another attempt holds the job
"""

import errno
import math
import sqlite3
from typing import Any

from engine.errors import EngineError, InputError

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""Errors of the system for a full disk, a quota that is used up, or a file that may not grow."""
SQLITE_NO_ROOM = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE})
SQLITE_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_BUSY_SNAPSHOT})
POSTGRESQL_LOCKED = "55P03"
SQLITE_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
POSTGRESQL_DAMAGED = frozenset({"XX001", "XX002"})
POSTGRESQL_DISK_FULL = "53100"


def problem(code: str, status: int, detail: str, errors: list[tuple[str, str]]) -> dict[str, Any]:
    """An error as an RFC 9457 problem: what the API answers with, and what a failed job keeps under `error`."""
    document: dict[str, Any] = {
        "type": f"urn:vidro:problem:{code.lower().replace('_', '-')}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        document["errors"] = [{"pointer": pointer, "detail": text} for pointer, text in errors]
    return document


def problem_of(error: Exception) -> dict[str, Any]:
    """An error of the engine, the store or a worker as a problem."""
    return problem(error.code, status_of(error), str(error), getattr(error, "errors", []))  # type: ignore[attr-defined]


def status_of(error: Exception) -> int:
    """The HTTP status that suits an error. The engine's name none: what the caller can mend is a 422, anything else a 500."""
    if isinstance(error, EngineError):
        return 422 if isinstance(error, InputError) else 500
    status: int = error.status  # type: ignore[attr-defined]
    return status


class StoreError(Exception):
    code = "STORE_ERROR"
    status = 500
    headers: dict[str, str] | None = None
    """Fields that the answer is to have."""

    def __init__(self, detail: str, pointer: str | None = None) -> None:
        super().__init__(detail)
        self.errors: list[tuple[str, str]] = [] if pointer is None else [(pointer, detail)]


class NotFound(StoreError):
    code, status = "NOT_FOUND", 404


class Conflict(StoreError):
    code, status = "CONFLICT", 409


class UnreadableFile(StoreError):
    code, status = "UNREADABLE_FILE", 422


class ColumnMisfit(StoreError):
    code, status = "COLUMN_MISFIT", 422

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(detail for _, detail in errors[:5]))
        self.errors = errors


class UnknownFormat(StoreError):
    code, status = "UNKNOWN_FORMAT", 415


class TooLarge(StoreError):
    code, status = "TOO_LARGE", 413


class BadPageToken(StoreError):
    code, status = "BAD_PAGE_TOKEN", 422


class TooManyQueued(StoreError):
    code, status = "TOO_MANY_QUEUED", 429
    headers = {"Retry-After": "60"}  # noqa: RUF012 (never changed)

    def __init__(self, most: int) -> None:
        super().__init__(
            f"{most} jobs of yours are queued, which is as many as one owner may have; wait until some have started, or cancel"
            " some (POST /v1/jobs/{id}/cancel)"
        )


class KeyReused(StoreError):
    code, status = "IDEMPOTENCY_KEY_REUSED", 422


class StillRunning(StoreError):
    code, status = "IDEMPOTENCY_KEY_IN_USE", 409


class UploadError(StoreError):
    """A problem that the draft on resumable uploads names."""

    members: dict[str, Any]

    def __init__(self, detail: str, **members: Any) -> None:
        super().__init__(detail)
        kind = self.code.lower().replace("_", "-")
        self.members = {"type": f"https://iana.org/assignments/http-problem-types#{kind}", **members}


class UploadOffset(UploadError):
    code, status = "MISMATCHING_UPLOAD_OFFSET", 409

    def __init__(self, expected: int, provided: int) -> None:
        detail = f"the upload has {expected} bytes and these begin at {provided}; go on from Upload-Offset: {expected}"
        super().__init__(detail, **{"expected-offset": expected, "provided-offset": provided})
        self.headers = {"Upload-Offset": str(expected)}


class UploadComplete(UploadError):
    code, status = "COMPLETED_UPLOAD", 400


class UploadLength(UploadError):
    code, status = "INCONSISTENT_UPLOAD_LENGTH", 400


class ContentMissing(StoreError):
    code, status = "CONTENT_MISSING", 500


class ContentDamaged(StoreError):
    code, status = "CONTENT_DAMAGED", 500


class Removed(StoreError):
    code, status = "REMOVED", 410


class KeyExpired(StoreError):
    code, status = "KEY_EXPIRED", 401
    headers = {"WWW-Authenticate": 'Bearer error="invalid_token"'}  # noqa: RUF012 (never changed)


class BackupUnusable(StoreError):
    code, status = "BACKUP_UNUSABLE", 409


class InvalidKey(StoreError):
    code, status = "INVALID_KEY", 422


class DatabaseDamaged(StoreError):
    code, status = "DATABASE_DAMAGED", 503


class ForeignDatabase(StoreError):
    code, status = "FOREIGN_DATABASE", 503


class DiskFull(StoreError):
    code, status = "DISK_FULL", 503

    def __init__(self) -> None:
        super().__init__("the disk is full: nothing was written; make room where Vidro stores its data, then try again")


class TooManyRequests(StoreError):
    code, status = "TOO_MANY_REQUESTS", 429

    def __init__(self, detail: str, seconds: float) -> None:
        """`seconds` until it is worth another try."""
        after = max(1, math.ceil(seconds))
        super().__init__(f"{detail}; try again in {after} s")
        self.headers = {"Retry-After": str(after)}

    @classmethod
    def waited(cls, kind: str, at_once: int, seconds: float) -> "TooManyRequests":
        told = f"{at_once} requests of this kind ({kind}) are worked on at once, and this one has waited {seconds:g} s"
        return cls(f"{told} for its turn", seconds / 2)


class TooManyStreams(StoreError):
    code, status = "TOO_MANY_STREAMS", 429

    def __init__(self, detail: str, is_full: bool = False) -> None:
        super().__init__(detail)
        self.status = 503 if is_full else 429
        self.headers = {"Retry-After": "5"}


class LeaseLost(StoreError):
    code, status = "LEASE_LOST", 409


def says_damaged(error: BaseException) -> bool:
    """Whether an error of a database says that what it reads is not what it once wrote."""
    driver = getattr(error, "orig", error)
    code = getattr(driver, "sqlite_errorcode", None)
    if code is not None:
        return code & 0xFF in SQLITE_DAMAGED or code == sqlite3.SQLITE_IOERR_SHORT_READ
    return getattr(driver, "sqlstate", None) in POSTGRESQL_DAMAGED


def says_busy(error: BaseException) -> bool:
    """Whether an error of a database says that others have held what it waited for."""
    driver = getattr(error, "orig", None)
    return getattr(driver, "sqlite_errorcode", None) in SQLITE_BUSY or getattr(driver, "sqlstate", None) == POSTGRESQL_LOCKED


def says_full(error: BaseException) -> bool:
    """Whether an error of the system or of a database says that there is no room."""
    driver = getattr(error, "orig", None)  # of SQLAlchemy's, which a reader of files is not to load for this
    if driver is not None:
        code = getattr(driver, "sqlite_errorcode", None)
        return code in SQLITE_NO_ROOM or getattr(driver, "sqlstate", None) == POSTGRESQL_DISK_FULL
    return isinstance(error, OSError) and error.errno in NO_ROOM
