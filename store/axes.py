"""Positions of curves' points on an axis on which jobs can be compared: optimizer steps, epochs, or seconds."""

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal

from sqlalchemy import BigInteger, column, func, select, values
from sqlalchemy.orm import Session

from store.tables import CurvePoint, Job, Series

AxisName = Literal["step", "epoch", "seconds"]
MOST_ANCESTORS = 100
"""Forks of forks that are followed back to count their steps."""


@dataclass(frozen=True)
class Course:
    """How a job's epochs and steps go together: after `epoch` it has taken `step`, and takes `steps` more in each epoch."""

    epoch: int
    step: int
    steps: int

    def step_at(self, epoch: float) -> float:
        return self.step + (epoch - self.epoch) * self.steps

    def epoch_at(self, step: float) -> float:
        return self.epoch + (step - self.step) / self.steps


def course_of(session: Session, job: Job) -> Course:
    """The job's course. A solver without batches takes a step an epoch. A fork goes on from its parent's steps; where the
    parent is deleted, they are counted as if it had taken as many an epoch as the fork does.
    """
    begun, steps = job.forked_epoch, _steps_an_epoch(job.request, job.fitted)
    chain = [(begun, steps)]
    parent = job.forked_from
    columns = (Job.forked_from, Job.forked_epoch, Job.request, Job.fitted)
    while parent is not None and len(chain) <= MOST_ANCESTORS:
        found = session.execute(select(*columns).where(Job.id == parent)).one_or_none()
        if found is None:
            break
        parent = found.forked_from
        chain.append((found.forked_epoch, _steps_an_epoch(found.request, found.fitted)))
    first, rate = chain[-1]
    step = first * rate
    for (start, each), (end, _) in zip(reversed(chain[1:]), reversed(chain[:-1]), strict=True):
        step += (end - start) * each
    return Course(begun, step, steps)


def _steps_an_epoch(request: dict[str, Any], fitted: dict[str, Any] | None) -> int:
    batch = request.get("batch_size")
    if fitted is None or not isinstance(batch, int):
        return 1
    return max(1, math.ceil(fitted["rows"]["train"] / batch))


@dataclass(frozen=True)
class Axis:
    """One job's axis: `x_of` gives where points of a curve lie, `steps_of` the range of a curve's steps that lies within."""

    x_of: Callable[[str, Sequence[int]], list[float]]
    steps_of: Callable[[str, float | None, float | None], tuple[int, int]]


FIRST, LAST = 0, 2**62


def axis_of(session: Session, job: Job, name: AxisName) -> Axis:
    """The job's axis of that name. Curves of batches count steps, all others epochs."""
    if name == "seconds":
        return _seconds(session, job)
    course = course_of(session, job)

    def x_of(curve: str, steps: Sequence[int]) -> list[float]:
        if _counts_steps(curve) == (name == "step"):
            return [float(step) for step in steps]
        return [course.step_at(step) if name == "step" else course.epoch_at(step) for step in steps]

    def steps_of(curve: str, low: float | None, high: float | None) -> tuple[int, int]:
        if _counts_steps(curve) == (name == "step"):
            return _whole(low, high)
        back = course.epoch_at if name == "step" else course.step_at
        return _whole(None if low is None else back(low), None if high is None else back(high))

    return Axis(x_of, steps_of)


def _counts_steps(curve: str) -> bool:
    return curve.startswith("batch_")


def _whole(low: float | None, high: float | None) -> tuple[int, int]:
    """The whole numbers from `low` to `high`, beyond what any curve has where there is no bound."""
    ends = (FIRST if low is None else math.ceil(low), LAST if high is None else math.floor(high))
    return max(FIRST, min(LAST, ends[0])), max(FIRST - 1, min(LAST, ends[1]))


def _seconds(session: Session, job: Job) -> Axis:
    """Seconds of training of the job itself: the sum of its epochs' durations. Steps lie evenly within their epoch."""
    course = course_of(session, job)

    def x_of(curve: str, steps: Sequence[int]) -> list[float]:
        epochs = [course.epoch_at(step) for step in steps] if _counts_steps(curve) else [float(step) for step in steps]
        ends = {whole for epoch in epochs for whole in (math.floor(epoch), math.ceil(epoch))}
        passed = elapsed(session, job.number, ends)
        return [_between(passed, epoch) for epoch in epochs]

    def steps_of(curve: str, low: float | None, high: float | None) -> tuple[int, int]:
        first, last = _epochs_within(session, job.number, low, high)
        if not _counts_steps(curve) or last < first:
            return first, last
        return _whole(course.step_at(first - 1) + 1, None if last >= LAST else course.step_at(last))

    return Axis(x_of, steps_of)


def _between(passed: dict[int, float], epoch: float) -> float:
    before, after = passed[math.floor(epoch)], passed[math.ceil(epoch)]
    return before + (after - before) * (epoch - math.floor(epoch))


def _number() -> Any:
    return select(Series.number).where(Series.name == "seconds").scalar_subquery()


def _running(job_number: int) -> Any:
    """By epoch, the seconds that all up to it took, as a subquery."""
    total = func.sum(CurvePoint.value).over(order_by=CurvePoint.step)
    mine = (CurvePoint.job_number == job_number, CurvePoint.series_number == _number())
    return select(CurvePoint.step.label("epoch"), total.label("total")).where(*mine).subquery()


def elapsed(session: Session, job_number: int, epochs: Collection[int]) -> dict[int, float]:
    """By epoch, of those asked for, the seconds that it and all before it took: each point is read once, whatever is asked."""
    ends = sorted(epochs)
    if not ends:
        return {}
    listed = values(column("after", BigInteger), column("until", BigInteger), name="listed")
    stretches = listed.data(list(zip([-1, *ends[:-1]], ends, strict=True))).cte("stretches")
    mine = (CurvePoint.job_number == job_number, CurvePoint.series_number == _number())
    within = CurvePoint.step.between(stretches.c.after + 1, stretches.c.until)
    took = select(func.sum(CurvePoint.value)).where(*mine, within).correlate(stretches).scalar_subquery()
    rows = session.execute(select(stretches.c.until, took))
    found = {row[0]: row[1] for row in rows}
    return dict(zip(ends, accumulate(found[end] or 0.0 for end in ends), strict=True))


def _epochs_within(session: Session, job_number: int, low: float | None, high: float | None) -> tuple[int, int]:
    if low is None and high is None:
        return FIRST, LAST
    running = _running(job_number)
    found = select(func.min(running.c.epoch), func.max(running.c.epoch))
    if low is not None:
        found = found.where(running.c.total >= low)
    if high is not None:
        found = found.where(running.c.total <= high)
    first, last = session.execute(found).one()
    return (1, 0) if first is None else (first, last)
