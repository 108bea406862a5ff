"""Groups of jobs that repeat one job, its parent: with other seeds, on shares of its training rows, or with other values of one
setting. Each is an ordinary job of the kind `repeat`; a group tells what they come to together.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import InputError, InvalidSpec
from engine.training.spread import Spread, spread
from store import curves, datasets, jobs, queue, turns
from store.connections import Store
from store.database import new_id, put_row
from store.errors import Conflict, NotFound
from store.forks import overridden
from store.job_request import JobRequest, document_of, training_of
from store.keys import Caller
from store.pages import owned
from store.states import DONE
from store.submission import Completed, complete_for, described
from store.tables import Group, Job

KIND = "repeat"
MOST_JOBS = 100
"""Jobs of a group at most."""
Varied = Literal["all", "split", "training", "weights", "order"]
TRAINING = ("/seed", "/weights_seed", "/order_seed")
SEEDS: dict[str, tuple[str, ...]] = {
    "all": ("/split/seed", *TRAINING),
    "split": ("/split/seed",),
    "training": TRAINING,
    "weights": ("/weights_seed",),
    "order": ("/order_seed",),
}
"""By what is varied, the fields that get other seeds."""


@dataclass(frozen=True)
class Plan:
    """The jobs of a group: how many seeds each of the `values` of `setting` is tried with, and which seeds vary. Without a
    setting, the request is repeated as it is.
    """

    seeds: int
    vary: Varied
    setting: str | None = None
    values: Sequence[Any] = ()

    def changes(self, request: Mapping[str, Any]) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """For each job, what is told of it and the fields of the parent's request that differ, by JSON pointer. The first seed
        is the parent's own.
        """
        found = []
        for value in self.values or (None,):
            for index in range(self.seeds):
                fields = self._seeds(request, index)
                told: dict[str, Any] = {"seeds": dict(fields)}
                if self.setting is not None:
                    told["value"] = value
                    fields[self.setting] = value
                found.append((told, fields))
        return found

    def _seeds(self, request: Mapping[str, Any], index: int) -> dict[str, Any]:
        """The seeds of the `index`-th run: those that the request has, and what varies alone in the place of its `seed`."""
        found: dict[str, Any] = {}
        for pointer in SEEDS[self.vary]:
            own = _at(request, pointer)
            if own is None and self.vary in ("weights", "order") and index:
                own = request.get("seed")
            if own is not None:
                found[pointer] = own + index
        return found


def _at(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        document = (document or {}).get(part)
    return document


def _nested(pointer: str, value: Any) -> dict[str, Any]:
    for part in reversed(pointer.split("/")[1:]):
        value = {part: value}
    return value


def start(store: Store, caller: Caller, job_id: str, plan: Plan, settle: Callable[[Session, Group], None]) -> None:
    """Store a group that repeats that job, and send its jobs to their queue. `settle` is called with the group in the
    transaction that stores it.

    Raises NotFound, TooManyQueued, or InvalidSpec, which points at what was asked.
    """
    if len(plan.values or (None,)) * plan.seeds > MOST_JOBS:
        raise InvalidSpec([("/seeds", f"a group has {MOST_JOBS} jobs at most; ask for fewer seeds or values")])
    with store.database.glancing() as session:
        parent = jobs.get(session, job_id, caller.sees)
        jobs.refuse_slice(parent)
        _refuse_undrawn(training_of(parent.request), plan.vary)
        completed = [
            (told, _completed(session, store, caller, parent, plan, fields)) for told, fields in plan.changes(parent.request)
        ]
    with store.database.transaction() as session:
        turns.refuse_beyond(session, caller.owner, store.settings.max_queued_per_owner)
        datasets.of_job(session, parent, lock=True)
        asked = {"seeds": plan.seeds, "vary": plan.vary, "setting": plan.setting, "values": list(plan.values)}
        group_id = new_id("grp")
        put_row(session, Group(id=group_id, owner=caller.owner, kind=KIND, parent=parent.id, asked=asked))
        made = [
            jobs.create(
                session, caller.owner, document_of(each.request), kind=KIND, parent=parent.id, group_id=group_id, asked=told,
                queue=each.queue, table_digest=parent.table_digest,
            )
            for told, each in completed
        ]  # fmt: skip
        sent = [(job.id, job.queue) for job in made]
        settle(session, get(session, group_id, caller.sees))
    for each in sent:
        queue.send(*each)


def _refuse_undrawn(training: JobRequest, vary: Varied) -> None:
    """Raise InvalidSpec where chance has no part in what is to vary alone."""
    if vary == "training" and training.seed is None:
        detail = f"nothing is drawn where this {training.model.kind} is trained, it is solved at once"
        raise InvalidSpec([("/vary", f"{detail}; vary split or all")])
    if vary == "weights" and not training.model.draws_weights:
        detail = f"the first weights of this {training.model.kind} are not drawn, they are the same in every run"
        raise InvalidSpec([("/vary", f"{detail}; vary split, order or all")])
    if vary == "order" and not training.shuffle:
        raise InvalidSpec([("/vary", "this job does not shuffle its rows; vary split, weights or all")])


def _completed(session: Session, store: Store, caller: Caller, parent: Job, plan: Plan, fields: Mapping[str, Any]) -> Completed:
    """The parent's request with other values in these fields."""
    document = dict(parent.request)
    for pointer, value in fields.items():
        document = overridden(document, _nested(pointer, value))
    dataset = datasets.of_job(session, parent)
    try:
        request = training_of(document)
        return complete_for(session, store, request, *described(session, store, request, dataset))
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "unexpected_keyword_argument" and first["loc"][-1] in (plan.setting or "").split("/"):
            detail = (
                f"the request of job '{parent.id}' has no field {plan.setting}; GET /v1/jobs/{parent.id} shows those it has"
            )
            raise InvalidSpec([("/setting", detail)]) from None
        raise InvalidSpec([(_asked_at(plan), f"{fields.get(plan.setting or '')!r}: {first['msg']}")]) from None
    except InputError as error:
        raise InvalidSpec([(_asked_at(plan), detail) for _, detail in error.errors]) from None


def _asked_at(plan: Plan) -> str:
    return "/seeds" if plan.setting is None else "/values"


def get(session: Session, group_id: str, owner: str | None) -> Group:
    """The group. Raises NotFound, also for another's."""
    group = session.scalars(select(Group).where(Group.id == group_id, *owned(Group, owner))).one_or_none()
    if group is None:
        raise NotFound(f"no group '{group_id}'; POST /v1/jobs/…/repeat makes one")
    return group


def jobs_of(session: Session, group: Group) -> Sequence[Job]:
    """The jobs of the group that were not deleted, in the order in which they were made."""
    return session.scalars(select(Job).where(Job.group_id == group.id).order_by(Job.number)).all()


def cancel(session: Session, group: Group) -> None:
    """Cancel what is not done. Raises Conflict where all is."""
    waiting = [job for job in jobs_of(session, group) if job.state not in DONE]
    if not waiting:
        raise Conflict(f"all jobs of group '{group.id}' are done; there is nothing left to cancel")
    for job in waiting:
        jobs.cancel(session, job)


def spreads(made: Sequence[Job]) -> list[dict[str, Any]]:
    """For each value that was tried, in their order, how many jobs succeeded and the spread of every loss and metric of what
    these have learned last.
    """
    by_value: dict[str, list[Job]] = defaultdict(list)
    for job in made:
        by_value[repr((job.asked or {}).get("value"))].append(job)
    found = []
    for tried in by_value.values():
        ended = [job for job in tried if job.state == "succeeded"]
        names = [name for name in (ended[0].latest if ended else {}) if name.startswith(("train_", "validation_"))]
        numbers = {name: [job.latest[name] for job in ended if job.latest.get(name) is not None] for name in names}
        metrics = {name: spread(values) for name, values in numbers.items() if values}
        found.append(
            {"value": (tried[0].asked or {}).get("value"), "jobs": len(tried), "succeeded": len(ended), "metrics": metrics}
        )
    return found


def bands(session: Session, made: Sequence[Job], name: str, first: int, last: int) -> list[tuple[int, Spread]]:
    """For each epoch from `first` to `last`, the spread of one curve over the jobs that have a value there."""
    values: dict[int, list[float]] = defaultdict(list)
    for job in made:
        spans, _ = curves.read(session, job.number, name, first, last, last - first + 1)
        for span in spans:
            if span.value is not None:
                values[span.step].append(span.value)
    return [(epoch, spread(found)) for epoch, found in sorted(values.items())]
