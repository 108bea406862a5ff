"""A new job that goes on from another's checkpoint."""

from typing import Any, Literal

from sqlalchemy.orm import Session

from engine.errors import InvalidSpec
from engine.spec import present_name
from engine.training.fork import FIXED, inherit, refusals
from engine.training.prepare import refuse_unwatched, refuse_weightless
from store import checkpoints, jobs
from store.checkpoints import Kept
from store.files import Files
from store.fitted import TARGET
from store.job_request import JobRequest, document_of, training_of
from store.tables import Checkpoint, Job
from store.tensors import pack


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
    kept = Kept.of(session, job)
    wanted = kept.last if epoch == "last" else (kept.best or 0) if epoch == "best" else epoch
    found = kept.get(wanted)
    if found is None:
        epochs = ", ".join(map(str, kept.by_epoch))
        there = f"there are those of {epochs}" if epochs else "they come with the first checkpoint"
        raise InvalidSpec([("/epoch", f"no weights of epoch {wanted or epoch} are kept; {there}")])
    if job.request.get("epochs") is None:
        raise InvalidSpec([("/epoch", "this model is solved at once, not by epochs; there is nothing to go on with")])
    return found


def refuse(parent: Job, request: JobRequest, checkpoint: Checkpoint) -> None:
    """Raise InvalidSpec where the request cannot go on from that checkpoint."""
    found = list(refusals(training_of(forked(parent.request, {})), request, checkpoint.epoch, ("dataset_id", *FIXED)))
    if found:
        raise InvalidSpec(found)


def check_rows(parent: Job, request: JobRequest) -> None:
    """Raise what keeps the request from being trained on the rows that the parent was: UnusableData, EmptySplit."""
    assert parent.fitted is not None
    refuse_unwatched(request, parent.fitted["rows"])
    refuse_weightless(request, TARGET.validate_python(parent.fitted["target"]))


def create(
    session: Session, files: Files, owner: str, parent: Job, checkpoint: Checkpoint, request: JobRequest, queue: str
) -> Job:
    """A queued job whose curves begin after the checkpoint's epoch, with a copy of it to go on from.

    Raises ContentMissing or ContentDamaged where the checkpoint cannot be read.
    """
    arrays = checkpoints.load(session, files, parent, checkpoint)
    arrays.pop("progress")  # its best epoch is to be one of its own
    epoch, document = checkpoint.epoch, document_of(request)
    job = jobs.create(
        session, owner, document, queue=queue, forked_from=parent.id, forked_epoch=epoch, epoch=epoch,
        fraction=epoch / (request.epochs or 1), latest=checkpoint.values, fitted=parent.fitted, parameters=parent.parameters,
        table_digest=parent.table_digest,
    )  # fmt: skip
    checkpoints.begin(session, files, job, pack(inherit(arrays, training_of(parent.request), request)), checkpoint.values)
    return job
