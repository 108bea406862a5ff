"""The checkpoints that are kept of a job, and its log."""

from typing import Any, Literal

from fastapi import APIRouter
from sqlalchemy.orm import Session

from service.dependencies import Page, PageOf, Reader, StoreOf
from service.resources import listing
from service.responses import problems
from service.routing import Route
from service.schemas.events import LogEntry
from service.schemas.parts import Listing
from service.schemas.results import CheckpointResource
from store import checkpoints, jobs, journal
from store.pages import decode, encode
from store.tables import Blob, Checkpoint, Entry, Job

router = APIRouter(prefix="/v1/jobs", tags=["results"], route_class=Route)


@router.get("/{job_id}/checkpoints", responses=problems(404))
def list_checkpoints(store: StoreOf, caller: Reader, job_id: str, page_of: PageOf) -> Listing[CheckpointResource]:
    """The epochs whose weights can be had, newest first: those that are kept, and 0, before training, which is worked out
    anew from the seed; a fork has the epoch that it began from instead, and k_means nothing, for it starts at rows.
    """
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        kept: dict[int, Checkpoint | None] = {each.epoch: each for each in checkpoints.of_job(session, job.number)}
        if checkpoints.has_start(job):
            kept[0] = None
        epochs, token = _page_of(sorted(kept, reverse=True), page_of)
        return Listing(**listing([_checkpoint(session, job, epoch, kept[epoch]) for epoch in epochs], token))


def _checkpoint(session: Session, job: Job, epoch: int, kept: Checkpoint | None) -> CheckpointResource:
    if kept is None:
        assert job.started_at is not None
        none: dict[str, Any] = {"sha256": None, "bytes": None, "values": {}, "periodic": False}
        return CheckpointResource(epoch=epoch, created_at=job.started_at, **none)
    return CheckpointResource(
        epoch=epoch,
        sha256=kept.digest,
        bytes=session.get_one(Blob, kept.digest).size,
        values=kept.values,
        periodic=kept.periodic,
        created_at=kept.created_at,
    )


def _page_of(newest: list[int], page_of: Page) -> tuple[list[int], str | None]:
    before = decode(page_of.token) if page_of.token else None
    found = [epoch for epoch in newest if before is None or epoch < before]
    items = found[: page_of.size]
    return items, encode(items[-1]) if len(found) > page_of.size else None


@router.get("/{job_id}/log", responses=problems(404))
def get_log(store: StoreOf, caller: Reader, job_id: str, page_of: PageOf) -> Listing[LogEntry]:
    """The history of a job, newest first: its states, messages, and the checkpoints that are kept."""
    with store.database.reading() as session:
        job = jobs.get(session, job_id, caller.sees)
        entries = [_entry_of(entry) for entry in journal.entries(session, job.number)]
        entries += [
            (each.created_at, LogEntry(at=each.created_at, kind="checkpoint", epoch=each.epoch, state=None, message=None))
            for each in checkpoints.of_job(session, job.number)
        ]
    before = decode(page_of.token) if page_of.token else None
    newest = [(_microseconds(at), entry) for at, entry in sorted(entries, key=lambda found: found[0])[::-1]]
    found = [(at, entry) for at, entry in newest if before is None or at < before]
    last = found[min(page_of.size, len(found)) - 1][0] if found else 0
    items = [entry for at, entry in found if at >= last]  # with all of the last instant, which the token stands for
    return Listing(**listing(items, encode(last) if len(items) < len(found) else None))


def _entry_of(entry: Entry) -> tuple[float, LogEntry]:
    kind: Literal["state", "message"] = "state" if entry.kind == "state" else "message"
    return entry.at, LogEntry(at=entry.at, kind=kind, epoch=entry.epoch, state=entry.state, message=entry.message)


def _microseconds(at: float) -> int:
    return round(at * 1e6)
