"""Content by its SHA-256: small in the database, large as a file in the data folder (decision 0003).

Nothing is given out that has not been proven to be what its name says. A file is read for that once a process; as long as
the system says that nobody has written to it since, it is taken to be the same.
"""

import hashlib
import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from cachetools import LRUCache
from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from store.database import insert_into
from store.errors import ContentDamaged, ContentMissing, DiskFull, says_full
from store.tables import Blob, Checkpoint, Dataset, Job, Model, Position

UPLOADING = ".upload-"
"""Prefix of the folders in which uploads are collected."""
RESUMABLE = ".resumable-"
"""The same of uploads that may be resumed, which stay longer."""
REFERENCES = (
    Dataset.digest, Dataset.table_digest, Job.table_digest, Job.result_digest, Checkpoint.digest, Position.digest,
    Model.digest,
)  # fmt: skip
"""Every column that keeps content alive."""


@dataclass(frozen=True)
class Hashed:
    """A finished file whose SHA-256 is known: hashed as it was written, it need not be read again."""

    path: Path
    digest: str


@dataclass(frozen=True)
class Part:
    """A content as its reader knows it, for the error if it cannot be read: its name, what works without it, and what to
    do.
    """

    name: str
    works: str = "everything else is as it was"
    remedy: str = "restore a backup"


Stamp = tuple[int, int, int, int, int]
"""The facts of a file that change with every write: its device, its inode, its size, and when it and its inode were written."""
KNOWN_STAMPS = 10_000
"""Files that a process remembers to have proven."""
PROOFS_AT_ONCE = 8


class Files:
    """Content under a folder. A file is written whole beside its place and renamed into it, so it is never half there."""

    def __init__(self, folder: Path, inline_bytes: int) -> None:
        self.folder, self.inline_bytes = folder, inline_bytes
        self._proven: LRUCache[str, Stamp] = LRUCache(KNOWN_STAMPS)
        self._lock, self._proving = Lock(), [Lock() for _ in range(PROOFS_AT_ONCE)]

    def path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest

    def put(self, session: Session, content: bytes | Path | Hashed) -> str:
        """Store bytes, or move a finished file here, and return the SHA-256; the same content twice is stored once, and whole
        again where what was stored has been damaged since.

        Raises DiskFull where there is no room for it; then nothing of it is left.
        """
        digest = content.digest if isinstance(content, Hashed) else _sha256(content)
        content = content.path if isinstance(content, Hashed) else content
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        inline: bytes | None = None
        if size <= self.inline_bytes:
            inline = content if isinstance(content, bytes) else content.read_bytes()
        else:
            self._place(digest, content)
            inline = self._mended(session, digest)
        _insert_unless_there(session, digest=digest, size=size, content=inline)
        return digest

    def get(self, session: Session, digest: str, part: Part | None = None) -> bytes:
        """The content. Raises ContentMissing where the row is gone or its file is, ContentDamaged where its SHA-256 is not
        the name that it goes by; both say what `part` says.
        """
        part = part or Part(f"content {digest}")
        content = self._found(session, digest, part)
        try:
            content = content if isinstance(content, bytes) else content.read_bytes()
        except OSError as error:
            raise _unreadable(part, error) from None
        if _sha256(content) != digest:
            raise _damaged(part)
        return content

    def locate(self, session: Session, digest: str, part: Part | None = None) -> bytes | Path:
        """The content itself where it lies in the database, else the path of its file. Raises as `get` does: a file is read
        to its end (a gigabyte takes about a second) unless this process has done so and nobody has written to it since.
        """
        part = part or Part(f"content {digest}")
        content = self._found(session, digest, part)
        if isinstance(content, Path):
            self._prove(content, digest, part)
        elif _sha256(content) != digest:
            raise _damaged(part)
        return content

    def is_whole(self, session: Session, digest: str) -> bool:
        """Whether the content is there and what its name says."""
        try:
            self.locate(session, digest)
        except (ContentMissing, ContentDamaged):
            return False
        return True

    def _found(self, session: Session, digest: str, part: Part) -> bytes | Path:
        row = session.execute(select(Blob.content).where(Blob.digest == digest)).one_or_none()
        if row is not None and row.content is not None:
            return bytes(row.content)
        path = self.path(digest)
        if row is None or not path.is_file():
            raise ContentMissing(
                f"{part.name} is not here; {part.works}; {part.remedy}. Where processes share no data folder, raise "
                "VIDRO_INLINE_BYTES so that it lives in the database"
            )
        return path

    def _prove(self, path: Path, digest: str, part: Part) -> None:
        """Raises ContentDamaged. Who asks for the same file meanwhile waits for the one that reads it."""
        with self._proving[int(digest[:8], 16) % PROOFS_AT_ONCE]:
            try:
                stamp = _stamp(path)
                if self._stamped(digest) == stamp:
                    return
                is_whole = _sha256(path) == digest
            except OSError as error:
                raise _unreadable(part, error) from None
            if not is_whole:
                raise _damaged(part)
            self._remember(digest, stamp)

    def _stamped(self, digest: str) -> Stamp | None:
        with self._lock:
            return self._proven.get(digest)

    def _remember(self, digest: str, stamp: Stamp) -> None:
        with self._lock:
            self._proven[digest] = stamp

    def _mended(self, session: Session, digest: str) -> bytes | None:
        """The bytes for a row that holds this content, too, from when it was small enough, where those are damaged."""
        inline = session.execute(select(Blob.content).where(Blob.digest == digest)).scalar_one_or_none()
        return None if inline is None or _sha256(bytes(inline)) == digest else self.path(digest).read_bytes()

    def release(self, session: Session, digests: Iterable[str]) -> None:
        """Forget content that nothing refers to any more. Its file goes after the commit, by `sweep`."""
        for digest in dict.fromkeys(digests):
            # Who is about to refer to it holds the row since `put`: wait, then look.
            session.execute(select(Blob.digest).where(Blob.digest == digest).with_for_update())
            used = [exists().where(column == digest) for column in REFERENCES]
            session.execute(delete(Blob).where(Blob.digest == digest, *(~use for use in used)))

    def sweep(self, session: Session, older_than: float, resumable_older_than: float = 86_400) -> int:
        """Remove files that no row names, unless they were written within the last `older_than` seconds: their row may
        still be on its way. Returns how many.
        """
        removed = 0
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*") if self.folder.is_dir() else ():
            if session.get(Blob, path.name) is None and _modified_at(path) < time.time() - older_than:
                path.unlink(missing_ok=True)
                removed += 1
        for prefix, age in ((UPLOADING, older_than), (RESUMABLE, resumable_older_than)):
            for folder in self.folder.glob(f"{prefix}*"):  # of uploads whose process or client is gone
                if max(map(_modified_at, [folder, *folder.rglob("*")])) < time.time() - age:
                    shutil.rmtree(folder, ignore_errors=True)
        return removed

    def _place(self, digest: str, content: bytes | Path) -> None:
        """Have the content lie at its path, in place of what may lie there: that may have been damaged, or about to be swept,
        and to write it costs no more than to find out.
        """
        path = self.path(digest)
        try:
            self._write(path, content)
            self._remember(digest, _stamp(path))
        except OSError as error:
            if says_full(error):
                raise DiskFull from error
            raise

    def _write(self, path: Path, content: bytes | Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Path) and content.stat().st_dev == path.parent.stat().st_dev:
            _flush(content)
            os.replace(content, path)
        else:
            data = content if isinstance(content, bytes) else content.read_bytes()
            descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=".")
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(data)
                    file.flush()
                    os.fsync(descriptor)
                os.replace(beside, path)
            except BaseException:
                os.unlink(beside)  # a full disk is the last place to leave it
                raise
        _flush(path.parent)


def _modified_at(path: Path) -> float:
    """Seconds since 1970; infinite where another has removed the file by now."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def _stamp(path: Path) -> Stamp:
    found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _damaged(part: Part) -> ContentDamaged:
    return ContentDamaged(f"{part.name} is damaged: what is stored is not what was written; {part.works}; {part.remedy}")


def _unreadable(part: Part, error: OSError) -> ContentDamaged:
    return ContentDamaged(f"{part.name} cannot be read ({error.strerror}); {part.works}; {part.remedy}")


def _flush(path: Path) -> None:
    """Wait until the disk holds the file, or a folder's entries."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sha256(content: bytes | Path) -> str:
    if isinstance(content, bytes):
        return hashlib.sha256(content).hexdigest()
    with content.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _insert_unless_there(session: Session, **values: Any) -> None:
    """The row, locked either way: what is put stays until the transaction that puts it has said what refers to it. It is
    written again where it was there: it may have been damaged, or its file may be another's.
    """
    given = {name: value for name, value in values.items() if value is not None}
    insert = insert_into(session, Blob).values(**values)
    session.execute(insert.on_conflict_do_update(index_elements=["digest"], set_=given))
