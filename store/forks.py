"""A new job that goes on from another's checkpoint."""

from typing import Any, Literal

from sqlalchemy.orm import Session

from engine.errors import InvalidSpec
from engine.spec import present_name
from engine.training.fork import FIXED, inherit, refusals
from engine.training.prepare import refuse_unwatched, refuse_weightless
from store import jobs, models, retention
from store.checkpoints import arrays_of
from store.files import Files
from store.job_request import JobRequest, document_of, training_of
from store.tables import Checkpoint, Job


def overridden(request: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """The request with some of its fields changed, as a JSON merge patch (RFC 7396) does it: null takes the default again.
    An object of another `kind` takes the place of the whole.
    """
    merged = dict(request)
    for given, value in overrides.items():
        name = present_name(given, request)
        before = request.get(name)
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, dict) and isinstance(before, dict) and value.get("kind") in (None, before.get("kind")):
            merged[name] = overridden(before, value)
        else:
            merged[name] = value
    return merged


def forked(request: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """The request of a fork. The target stays scaled as it was, by default too: not at all, where the parent's request is
    from before there was a choice.
    """
    merged = overridden(request, overrides)
    scaling = (request.get("preprocessing") or {}).get("target_scaling", "none")
    preprocessing = merged.get("preprocessing", {})
    if request.get("task") == "regression" and isinstance(preprocessing, dict) and not preprocessing.get("target_scaling"):
        merged["preprocessing"] = preprocessing | {"target_scaling": scaling}
    return merged


def checkpoint_of(session: Session, job: Job, epoch: int | Literal["last", "best"]) -> Checkpoint:
    """The job's checkpoint of that epoch. Raises InvalidSpec where none is kept, Removed where it was."""
    kept = {checkpoint.epoch: checkpoint for checkpoint in jobs.checkpoints(session, job.number)}
    is_cut = job.checkpoints_removed_at is not None
    named = {"last": job.epoch if is_cut else max(kept, default=0), "best": (job.best or {}).get("epoch", 0)}
    wanted = named.get(epoch, epoch) if isinstance(epoch, str) else epoch
    if wanted not in kept and is_cut:
        raise retention.removed(job, "checkpoints", kept)
    if wanted not in kept:
        there = f"there are those of {', '.join(map(str, kept))}" if kept else "they come with the first checkpoint"
        raise InvalidSpec([("/epoch", f"no weights of epoch {wanted or epoch} are kept; {there}")])
    if job.request.get("epochs") is None:
        raise InvalidSpec([("/epoch", "this model is solved at once, not by epochs; there is nothing to go on with")])
    return kept[wanted]


def refuse(parent: Job, request: JobRequest, checkpoint: Checkpoint) -> None:
    """Raise InvalidSpec where the request cannot go on from that checkpoint."""
    found = list(refusals(training_of(forked(parent.request, {})), request, checkpoint.epoch, ("dataset_id", *FIXED)))
    if found:
        raise InvalidSpec(found)


def check_rows(parent: Job, request: JobRequest) -> None:
    """Raise what keeps the request from being trained on the rows that the parent was: UnusableData, EmptySplit."""
    assert parent.fitted is not None
    refuse_unwatched(request, parent.fitted["rows"])
    refuse_weightless(request, models.TARGET.validate_python(parent.fitted["target"]))


def create(
    session: Session, files: Files, owner: str, parent: Job, checkpoint: Checkpoint, request: JobRequest, queue: str
) -> Job:
    """A queued job whose curves begin after the checkpoint's epoch, with a copy of it to go on from.

    Raises ContentMissing or ContentDamaged where the checkpoint cannot be read.
    """
    arrays = arrays_of(session, files, parent, checkpoint)
    arrays.pop("progress")  # its best epoch is to be one of its own
    epoch, document = checkpoint.epoch, document_of(request)
    job = jobs.create(
        session, owner, document, queue=queue, forked_from=parent.id, forked_epoch=epoch, epoch=epoch,
        fraction=epoch / (request.epochs or 1), latest=checkpoint.values, fitted=parent.fitted, parameters=parent.parameters,
        table_digest=parent.table_digest,
    )  # fmt: skip
    content = models.pack(inherit(arrays, training_of(parent.request), request))
    # Kept like those that were asked for: there is no other beginning to fall back on.
    given = {"digest": files.put(session, content), "values": checkpoint.values, "periodic": True}
    session.add(Checkpoint(job_number=job.number, epoch=epoch, **given))
    session.flush()
    return job
