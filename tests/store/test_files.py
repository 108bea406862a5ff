import errno
import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from store.database import Database
from store.errors import ContentDamaged, ContentMissing, DiskFull
from store.files import REFERENCES, Files
from store.tables import Blob, Checkpoint, Dataset, Job, Model, Position, Table
from tests.conftest import INLINE_BYTES
from tests.store.staging import count, make_job, together

SIZES = [0, 1, INLINE_BYTES, INLINE_BYTES + 1, 300_000]
SMALL, LARGE = b"small", b"large" * INLINE_BYTES


def put(database: Database, files: Files, content: bytes | Path) -> str:
    with database.transaction() as session:
        return files.put(session, content)


def get(database: Database, files: Files, digest: str) -> bytes:
    with database.reading() as session:
        return files.get(session, digest)


def release(database: Database, files: Files, digests: Sequence[str]) -> None:
    with database.transaction() as session:
        files.release(session, digests)


def sweep(database: Database, files: Files, older_than: float) -> int:
    with database.transaction() as session:
        return files.sweep(session, older_than)


def on_disk(files: Files) -> set[str]:
    """Every file under the folder, hidden ones too."""
    return {path.name for path in files.folder.rglob("*") if path.is_file()}


def refer(session: Session, digest: str, name: str = "d") -> None:
    """A dataset of that content."""
    session.execute(insert(Dataset).values({**DATASET, "id": name, "digest": digest, "table_digest": digest}))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("as_file", [False, True])
def test_what_is_put_comes_back(database: Database, files: Files, tmp_path: Path, size: int, as_file: bool) -> None:
    content = os.urandom(size)
    if as_file:
        (tmp_path / "upload").write_bytes(content)
    digest = put(database, files, tmp_path / "upload" if as_file else content)
    assert digest == hashlib.sha256(content).hexdigest()
    assert get(database, files, digest) == content
    assert on_disk(files) == ({digest} if size > INLINE_BYTES else set())
    with database.reading() as session:
        assert session.get_one(Blob, digest).size == size
        found = files.locate(session, digest)
        assert found == (content if size <= INLINE_BYTES else files.path(digest))


@pytest.mark.parametrize("content", [SMALL, LARGE])
def test_the_same_twice_is_stored_once(database: Database, files: Files, content: bytes) -> None:
    assert put(database, files, content) == put(database, files, content)
    assert count(database, Blob) == 1
    assert len(on_disk(files)) == (content == LARGE)


def test_a_file_is_moved_and_not_copied(database: Database, files: Files, tmp_path: Path) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(LARGE)
    inode = upload.stat().st_ino
    digest = put(database, files, upload)
    assert not upload.exists()
    assert files.path(digest).stat().st_ino == inode


def test_a_file_from_another_disk_is_copied(
    database: Database, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = tmp_path / "upload"
    upload.write_bytes(LARGE)
    devices = iter(range(100))
    real = Path.stat

    def other_disk(path: Path, **options: bool) -> os.stat_result:
        found = list(real(path, **options))
        found[2] = next(devices)
        return os.stat_result(found)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "stat", other_disk)
        digest = put(database, files, upload)
    assert get(database, files, digest) == LARGE
    assert on_disk(files) == {digest}


DATASET = {"id": "ds_1", "owner": "ana", "name": "d", "source": {}, "size": 1, "rows": 1, "columns": [], "warnings": []}
MODEL = {
    "id": "mdl_1",
    "owner": "ana",
    "kind": "mlp",
    "job_id": "job_1",
    "dataset_id": "ds_1",
    "dataset_sha256": "0",
    "request": {},
}
JOB = {"id": "job_2", "owner": "ana", "dataset_id": "ds_1", "request": {}, "model_kind": "mlp"}
MODEL |= {"fitted": {}, "metrics": {}, "epoch": 1, "parameters": 1, "versions": {}}


@pytest.mark.parametrize("content", [SMALL, LARGE])
@pytest.mark.parametrize("column", REFERENCES, ids=str)
def test_content_stays_while_any_column_names_it(
    database: Database, files: Files, content: bytes, column: InstrumentedAttribute[str]
) -> None:
    digest, other, job = put(database, files, content), put(database, files, b"another"), make_job(database)
    rows = {
        Dataset: {**DATASET, "digest": other, "table_digest": other},
        Checkpoint: {"job_number": job.number, "epoch": 1, "values": {}},
        Position: {"job_number": job.number, "epoch": 1, "place": 3, "values": {}},
        Model: MODEL,
        Job: JOB,
    }
    with database.transaction() as session:
        session.execute(insert(column.class_).values({**rows[column.class_], column.key: digest}))
    release(database, files, [digest])
    assert get(database, files, digest) == content
    with database.transaction() as session:
        session.execute(delete(column.class_))
    release(database, files, [digest, digest])
    with pytest.raises(ContentMissing), database.reading() as session:
        files.get(session, digest)


def test_every_column_with_a_digest_is_a_reference() -> None:
    named = {
        str(key.parent)
        for table in Table.metadata.sorted_tables
        for key in table.foreign_keys
        if key.column.table.name == "blobs"
    }
    assert named == {f"{column.table.name}.{column.key}" for column in REFERENCES}


@pytest.mark.parametrize("content", [SMALL, LARGE])
def test_damaged_content_is_not_given_out_and_can_be_written_again(database: Database, files: Files, content: bytes) -> None:
    digest = put(database, files, content)
    damaged = content[:-1] + b"!"
    if content == LARGE:
        files.path(digest).write_bytes(damaged)
    else:
        with database.transaction() as session:
            session.get_one(Blob, digest).content = damaged
    with pytest.raises(ContentDamaged, match=digest):
        get(database, files, digest)
    assert put(database, files, content) == digest
    assert get(database, files, digest) == content


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_leaves_nothing_half_there(
    database: Database, files: Files, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    kept = put(database, files, LARGE + b"before")

    def full(descriptor: int) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(DiskFull, match="make room"):
            put(database, files, LARGE)
    assert get(database, files, kept) == LARGE + b"before"
    assert [path.name for path in files.folder.glob("??/*")] + list(files.folder.glob("??/.*")) == [kept]
    assert get(database, files, put(database, files, LARGE)) == LARGE


@pytest.mark.parametrize("content", [SMALL, LARGE])
def test_a_row_whose_content_is_gone_says_so(database: Database, files: Files, content: bytes) -> None:
    with pytest.raises(ContentMissing, match="VIDRO_INLINE_BYTES"), database.reading() as session:
        files.get(session, hashlib.sha256(content).hexdigest())
    digest = put(database, files, content)
    files.path(digest).unlink(missing_ok=True)
    if content == SMALL:
        assert get(database, files, digest) == SMALL
        return
    with pytest.raises(ContentMissing, match=digest), database.reading() as session:
        files.locate(session, digest)
    assert put(database, files, content) == digest
    assert get(database, files, digest) == content


def test_the_sweep_takes_old_orphans_alone(database: Database, files: Files) -> None:
    kept, freed, young = (put(database, files, LARGE + tail) for tail in (b"1", b"2", b"3"))
    half_written = files.path(kept).with_name(".tmp1234")
    half_written.write_bytes(b"half")
    with database.transaction() as session:
        refer(session, kept)
    release(database, files, [freed, young])
    an_hour_ago = time.time() - 3600
    for path in (files.path(kept), files.path(freed), half_written):
        os.utime(path, (an_hour_ago, an_hour_ago))
    assert sweep(database, files, 7200) == 0
    assert on_disk(files) == {kept, freed, young, ".tmp1234"}
    assert sweep(database, files, 1800) == 2
    assert on_disk(files) == {kept, young}
    assert sweep(database, files, 0) == 1
    assert get(database, files, kept) == LARGE + b"1"


def test_a_sweep_of_nothing(database: Database, files: Files) -> None:
    assert sweep(database, files, 0) == 0


def test_putting_makes_a_file_young_again(database: Database, files: Files) -> None:
    """Its row may have been released and be about to come back: no sweep may take the file in between."""
    digest = put(database, files, LARGE)
    release(database, files, [digest])
    os.utime(files.path(digest), (0, 0))
    with database.transaction() as session:
        files.put(session, LARGE)
        assert files.path(digest).stat().st_mtime > time.time() - 60


def test_a_file_swept_away_beneath_a_put_is_written_again(
    database: Database, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = put(database, files, LARGE)
    release(database, files, [digest])
    real = os.utime

    def swept(path: Path, *times: float) -> None:
        Path(path).unlink()
        real(path, *times)

    monkeypatch.setattr(os, "utime", swept)
    put(database, files, LARGE)
    assert get(database, files, digest) == LARGE


def test_several_sweeps_at_once(database: Database, files: Files) -> None:
    for place in range(20):
        release(database, files, [put(database, files, LARGE + bytes([place]))])
    found = together(4, lambda _: sweep(database, files, -60))
    assert all(isinstance(removed, int) for removed in found), found
    assert on_disk(files) == set()


@pytest.mark.parametrize("content", [SMALL, LARGE])
def test_the_same_content_put_by_many_at_once(database: Database, files: Files, content: bytes) -> None:
    digest = hashlib.sha256(content).hexdigest()
    assert together(8, lambda _: put(database, files, content)) == [digest] * 8
    assert count(database, Blob) == 1
    assert on_disk(files) == ({digest} if content == LARGE else set())
    assert get(database, files, digest) == content


def test_what_one_puts_another_does_not_free(database: Database, files: Files) -> None:
    """One dataset goes while another of the same content comes: whoever is first, what is referred to is there."""

    def replace(place: int) -> None:
        for turn in range(5):
            name = f"ds_{place}_{turn}"
            with database.transaction() as session:
                refer(session, files.put(session, SMALL), name)
            with database.transaction() as session:
                session.execute(delete(Dataset).where(Dataset.id == name))
                files.release(session, [hashlib.sha256(SMALL).hexdigest()])

    assert together(4, replace) == [None] * 4
    assert count(database, Dataset) == count(database, Blob) == 0


def test_a_put_that_is_rolled_back_leaves_no_row(database: Database, files: Files) -> None:
    def put_and_break(session: Session) -> None:
        session.add(Checkpoint(job_number=7, epoch=1, digest=files.put(session, LARGE), values={}))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), database.transaction() as session:
        put_and_break(session)
    with database.reading() as session:
        assert session.scalars(select(Blob.digest)).all() == []
    assert sweep(database, files, -60) == 1


def test_another_error_of_the_disk_is_not_taken_for_a_full_one(
    database: Database, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: int) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, "fsync", broken)
    with pytest.raises(OSError, match="broken"):
        put(database, files, LARGE)
