"""New jobs that go on from another's checkpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import ValidationError
from sqlalchemy.orm import Session

from engine.errors import InvalidSpec, within
from engine.spec import present_name
from engine.tables.features import Column, ColumnSummary
from engine.training.estimate import Estimated, estimate
from engine.training.fork import FIXED, inherit, refusals, repeated
from engine.training.prepare import refuse_few_rows, refuse_unwatched, refuse_weightless
from store import checkpoints, datasets, jobs, queue, turns
from store.checkpoints import Kept
from store.connections import Store
from store.files import Files
from store.fitted import TARGET
from store.job_request import JobRequest, document_of, training_of
from store.keys import Caller
from store.submission import Completed, Settle, complete_for, described, nothing
from store.tables import Checkpoint, Dataset, Job
from store.tensors import pack

Epoch = int | Literal["last", "best"]


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


class InvalidOverrides(ValueError):
    """Overrides that make no request: the `errors` that validation found in the `document` that they made of it."""

    def __init__(self, errors: Sequence[Any], document: dict[str, Any]) -> None:
        super().__init__("the overrides make no request")
        self.errors, self.document = errors, document


@dataclass(frozen=True)
class Fork:
    """A fork that may be made: what it goes on from, and its request with its defaults."""

    parent: Job
    checkpoint: Checkpoint
    dataset: Dataset
    completed: Completed

    @property
    def request(self) -> JobRequest:
        return self.completed.request

    def estimate(self, columns: Mapping[str, Column]) -> Estimated:
        """The estimate of a run with that request, of whose epochs the fork has some behind it."""
        found = estimate(self.request, columns)
        epochs = self.request.epochs or 1
        left = (epochs - self.checkpoint.epoch) / epochs
        return replace(found, seconds=None if found.seconds is None else found.seconds * left)


def submit(store: Store, caller: Caller, job_id: str, epoch: Epoch, overrides: dict[str, Any], settle: Settle = nothing) -> Job:
    """Store a fork of that job and send it to its queue. Raises what `check` does."""
    with store.database.transaction() as session:
        fork = _checked(session, store, caller, job_id, epoch, overrides, lock=True)
        job = create(session, store.files, caller.owner, fork)
        settle(session, job)
    queue.send(job.id, job.queue)
    return job


def check(store: Store, caller: Caller, job_id: str, epoch: Epoch, overrides: dict[str, Any]) -> tuple[Fork, Estimated]:
    """The fork that it would be, and its estimate; nothing is stored. Raises NotFound, Removed, TooManyQueued,
    InvalidOverrides, or InputError, which points at `/epoch` or into `/overrides`.
    """
    with store.database.glancing() as session:
        fork = _checked(session, store, caller, job_id, epoch, overrides, lock=False)
        columns = datasets.table_of(session, store.files, fork.parent, fork.dataset).columns(fork.request.columns)
    return fork, fork.estimate(columns)


def _checked(
    session: Session, store: Store, caller: Caller, job_id: str, epoch: Epoch, overrides: dict[str, Any], lock: bool
) -> Fork:
    turns.refuse_beyond(session, caller.owner, store.settings.max_queued_per_owner)
    parent = jobs.get(session, job_id, caller.sees)
    jobs.refuse_slice(parent)
    checkpoint = checkpoint_of(session, parent, epoch)
    dataset = datasets.of_job(session, parent, lock=lock)
    with within("overrides"):
        request, before = _overridden(parent, overrides), training_of(parent.request)
        seen = _described_by(session, store, parent, dataset) or described(session, store, before, dataset)
        request = repeated(before, request, seen[0])
        refuse(parent, request, checkpoint)  # before its defaults, which another target would change, too
        completed = complete_for(session, store, request, *seen)
        refuse(parent, completed.request, checkpoint)
        check_rows(parent, completed.request)
    return Fork(parent, checkpoint, dataset, completed)


def _described_by(
    session: Session, store: Store, parent: Job, dataset: Dataset
) -> tuple[Mapping[str, ColumnSummary], int] | None:
    """The columns and rows of the table that the parent was trained on, where its dataset has been read anew since."""
    if parent.table_digest is None:
        return None
    table = datasets.table_of(session, store.files, parent, dataset)
    return table.summaries(training_of(parent.request)), table.table.height


def _overridden(parent: Job, overrides: dict[str, Any]) -> JobRequest:
    now = {**document_of(training_of(parent.request)), "name": parent.name, "tags": parent.tags or None}
    document = forked(now, overrides)
    try:
        return training_of(document)
    except ValidationError as error:
        raise InvalidOverrides(error.errors(), document) from None


def checkpoint_of(session: Session, job: Job, epoch: Epoch) -> Checkpoint:
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
    refuse_few_rows(request, parent.fitted["rows"]["train"])
    refuse_unwatched(request, parent.fitted["rows"])
    refuse_weightless(request, TARGET.validate_python(parent.fitted["target"]))


def create(session: Session, files: Files, owner: str, fork: Fork) -> Job:
    """A queued job whose curves begin after the checkpoint's epoch, with a copy of it to go on from.

    Raises ContentMissing or ContentDamaged where the checkpoint cannot be read.
    """
    parent, checkpoint, request = fork.parent, fork.checkpoint, fork.request
    arrays = checkpoints.load(session, files, parent, checkpoint)
    arrays.pop("progress")  # its best epoch is to be one of its own
    epoch, document = checkpoint.epoch, document_of(request)
    job = jobs.create(
        session, owner, document, queue=fork.completed.queue, forked_from=parent.id, forked_epoch=epoch, epoch=epoch,
        fraction=epoch / (request.epochs or 1), latest=checkpoint.values, fitted=parent.fitted, parameters=parent.parameters,
        table_digest=parent.table_digest,
    )  # fmt: skip
    checkpoints.begin(session, files, job, pack(inherit(arrays, training_of(parent.request), request)), checkpoint.values)
    return job
