"""Content by its SHA-256: small in the database, large as a file in the data folder (decision 0003)."""

import hashlib
import math
import os
import shutil
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import Session

from store.database import insert_into
from store.errors import ContentDamaged, ContentMissing, DiskFull, says_full
from store.tables import Blob, Checkpoint, Dataset, Job, Model, Position

UPLOADING = ".upload-"
"""What the folders begin with in which uploads are collected."""
RESUMABLE = ".resumable-"
"""The same of uploads that may be resumed, which stay longer."""
REFERENCES = (Dataset.digest, Dataset.table_digest, Job.table_digest, Checkpoint.digest, Position.digest, Model.digest)
"""Every column that keeps content alive."""


@dataclass(frozen=True)
class Hashed:
    """A finished file whose SHA-256 is known: hashed as it was written, it need not be read again."""

    path: Path
    digest: str


class Files:
    """Content under a folder. A file is written whole beside its place and renamed into it, so it is never half there."""

    def __init__(self, folder: Path, inline_bytes: int) -> None:
        self.folder, self.inline_bytes = folder, inline_bytes

    def path(self, digest: str) -> Path:
        return self.folder / digest[:2] / digest

    def put(self, session: Session, content: bytes | Path | Hashed) -> str:
        """Store bytes, or move a finished file here, and return the SHA-256; the same content twice is stored once.

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
        _insert_unless_there(session, digest=digest, size=size, content=inline)
        return digest

    def get(self, session: Session, digest: str) -> bytes:
        """The content. Raises ContentMissing where the row is gone or its file is, ContentDamaged where its SHA-256 is not
        the name that it goes by.
        """
        content = self.locate(session, digest)
        content = content if isinstance(content, bytes) else content.read_bytes()
        if _sha256(content) != digest:
            raise ContentDamaged(f"content {digest} is not what was written; the disk or the database has damaged it")
        return content

    def discard(self, digest: str) -> None:
        """Remove the file of damaged content, so that the same content can be written again."""
        self.path(digest).unlink(missing_ok=True)

    def locate(self, session: Session, digest: str) -> bytes | Path:
        """The content itself where it lies in the database, else the path of its file."""
        row = session.execute(select(Blob.content).where(Blob.digest == digest)).one_or_none()
        if row is not None and row.content is not None:
            return bytes(row.content)
        path = self.path(digest)
        if row is None or not path.is_file():
            raise ContentMissing(
                f"content {digest} is not here; where processes share no data folder, raise VIDRO_INLINE_BYTES so that "
                "it lives in the database"
            )
        return path

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
        path = self.path(digest)
        try:
            os.utime(path)  # young again, so that no sweep takes it before the row that names it is committed
            return
        except FileNotFoundError:
            pass
        try:
            self._write(path, content)
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
