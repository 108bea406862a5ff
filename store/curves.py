"""Curves: every point is kept, and any stretch of a curve is read at a cost bounded by the points asked for.

Beside the points lie summaries of 16, 256, 4096, … consecutive ones (first, smallest, largest), each written once when
it is full. A reader takes the coarsest level that still gives enough and finer ones for the unfinished end, so it reads
at most FANOUT times the points it returns, however long the curve (decision 0004).
"""

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import delete, event, func, insert, select
from sqlalchemy.orm import Session

from store import best_values
from store.best_values import BestValues
from store.database import insert_into
from store.tables import CurveBucket, CurvePoint, Series

FANOUT = 16


@dataclass(frozen=True)
class Span:
    """Consecutive points: the first's step and value, the last's step, the smallest and largest value (NaN apart)."""

    step: int
    last_step: int
    value: float | None
    low: float | None
    high: float | None


def _insert(session: Session, table: type[CurvePoint] | type[CurveBucket], again: bool) -> Any:
    return insert_into(session, table).on_conflict_do_nothing() if again else insert(table)


def merge(spans: Sequence[Span]) -> Span:
    """One span over several, in order."""
    lows = [span.low for span in spans if span.low is not None]
    highs = [span.high for span in spans if span.high is not None]
    first, last = spans[0], spans[-1]
    return Span(first.step, last.last_step, first.value, min(lows, default=None), max(highs, default=None))


@dataclass
class Recorder:
    """Takes the points of one job in order and writes them in bulk. `unfinished` holds, by curve and level, the spans
    that do not yet fill a bucket of the level above.
    """

    job_number: int
    points: list[tuple[str, int, float | None]] = field(default_factory=list)
    unfinished: dict[tuple[str, int], list[Span]] = field(default_factory=dict)
    best: BestValues = field(default_factory=BestValues)

    def add(self, step: int, values: Mapping[str, float | None]) -> None:
        """Remember a step's value on each curve until `write`."""
        for name, value in values.items():
            self.points.append((name, step, None if value is None or math.isnan(value) else value))
            if name in best_values.BETTER:
                self.best.take(name, value)

    def write(self, session: Session, again: bool = False) -> None:
        """Write what was added since the last time, points and the buckets that they fill; `again` where they may be there
        already, because nobody said whether the last time was committed. Where the session's transaction is rolled back all
        of it is still to be written.
        """
        if not self.points:
            return
        points, unfinished = list(self.points), {key: list(spans) for key, spans in self.unfinished.items()}
        improved = set(self.best.improved)

        def put_back(_: Session) -> None:
            self.points, self.unfinished, self.best.improved = points, unfinished, improved

        event.listen(session, "after_rollback", put_back, once=True)
        numbers = series_numbers(session, {name for name, _, _ in self.points})
        rows = [
            {"job_number": self.job_number, "series_number": numbers[name], "step": step, "value": value}
            for name, step, value in self.points
        ]
        session.execute(_insert(session, CurvePoint, again), rows)
        buckets = [
            {"job_number": self.job_number, "series_number": numbers[name], "level": level, **vars(span)}
            for name, step, value in self.points
            for level, span in self._fill(name, 0, Span(step, step, value, value, value))
        ]
        if buckets:
            session.execute(_insert(session, CurveBucket, again), buckets)
        self.best.write(session, self.job_number, numbers)
        self.points.clear()

    def _fill(self, name: str, level: int, span: Span) -> Iterable[tuple[int, Span]]:
        waiting = self.unfinished.setdefault((name, level), [])
        waiting.append(span)
        if len(waiting) == FANOUT:
            full = merge(waiting)
            waiting.clear()
            yield level + 1, full
            yield from self._fill(name, level + 1, full)

    def rewind(self, session: Session, epoch_step: int, batch_step: int) -> None:
        """Go back to where a checkpoint was taken: forget later points, and pick up the unfinished spans before it.

        Curves of batches count steps, all others epochs.
        """
        self.points.clear()
        self.unfinished.clear()
        self.best = BestValues()
        numbers = {}
        for number, name in session.execute(select(Series.number, Series.name)).all():
            numbers[name] = number
            last = batch_step if name.startswith("batch_") else epoch_step
            key = {"job_number": self.job_number, "series_number": number}
            session.execute(delete(CurvePoint).filter_by(**key).where(CurvePoint.step > last))
            session.execute(delete(CurveBucket).filter_by(**key).where(CurveBucket.last_step > last))
            for level, spans in tails(session, self.job_number, number).items():
                self.unfinished[name, level] = spans
                if name in best_values.BETTER:
                    ends = [end for span in spans for end in (span.low, span.high)]
                    if not all(end is not None and math.isfinite(end) for end in ends):
                        ends = finite_ends(session, self.job_number, number)
                    for end in ends:
                        self.best.take(name, end)
        self.best.rewrite(session, self.job_number, numbers)


def finite_ends(session: Session, job_number: int, series_number: int) -> list[float | None]:
    """The least and the greatest number of a curve, whatever else it holds: a span's own ends are infinite once a point is."""
    largest = sys.float_info.max
    points = select(func.min(CurvePoint.value), func.max(CurvePoint.value)).filter_by(
        job_number=job_number, series_number=series_number
    )
    return list(session.execute(points.where(CurvePoint.value.between(-largest, largest))).one())


_numbers: WeakKeyDictionary[Any, dict[str, int]] = WeakKeyDictionary()
"""By database, the numbers that were found there, not those that a transaction gave out which may yet be rolled back."""


def series_numbers(session: Session, names: Iterable[str]) -> dict[str, int]:
    """The numbers of curves' names, and maybe of others: given out at first use, and never again another."""
    known = _numbers.get(session.get_bind(), {})
    if known.keys() >= set(names):
        return known
    names = sorted(names)
    found = _known(session, names)
    missing = [{"name": name} for name in names if name not in found]
    if missing:
        session.execute(insert_into(session, Series).on_conflict_do_nothing(index_elements=["name"]), missing)
        return _known(session, names)
    _numbers[session.get_bind()] = found | known
    return found | known


def _known(session: Session, names: Sequence[str]) -> dict[str, int]:
    rows = session.execute(select(Series.name, Series.number).where(Series.name.in_(names)))
    return {row.name: row.number for row in rows}


def number_of(session: Session, name: str) -> int | None:
    """The number of a curve's name, None where no job has such a curve."""
    return _known(session, [name]).get(name)


def tails(session: Session, job_number: int, series_number: int) -> dict[int, list[Span]]:
    """By level, the spans after the last full bucket of the level above."""
    covered, found = 0, {}
    levels = select(func.max(CurveBucket.level)).filter_by(job_number=job_number, series_number=series_number)
    for level in range(session.execute(levels).scalar() or 0, -1, -1):
        spans = read_level(session, job_number, series_number, level, covered + 1, None)
        if spans:
            covered = spans[-1].last_step
        # Buckets of the top level wait, too, for one above that is not there yet; the full ones of others are counted.
        found[level] = spans
    return {level: spans for level, spans in found.items() if spans}


def read_level(session: Session, job_number: int, series_number: int, level: int, first: int, last: int | None) -> list[Span]:
    """The spans of one level that begin at `first` or later and end by `last`, in order."""
    if level == 0:
        points = select(CurvePoint.step, CurvePoint.value).filter_by(job_number=job_number, series_number=series_number)
        points = points.where(CurvePoint.step >= first).order_by(CurvePoint.step)
        if last is not None:
            points = points.where(CurvePoint.step <= last)
        return [Span(step, step, value, value, value) for step, value in session.execute(points)]
    bucket = CurveBucket
    columns = (bucket.step, bucket.last_step, bucket.value, bucket.low, bucket.high)
    query = select(*columns).filter_by(job_number=job_number, series_number=series_number, level=level)
    query = query.where(bucket.step >= first).order_by(bucket.step)
    if last is not None:
        query = query.where(bucket.last_step <= last)
    return [Span(*row) for row in session.execute(query)]


def read(session: Session, job_number: int, name: str, first: int, last: int, max_points: int) -> tuple[list[Span], bool]:
    """At most `max_points` spans that cover the curve from step `first` to `last`, and whether they are its very points.

    The first and the last point stand for themselves. Steps count up by one, so their number is known without counting.
    """
    numbers = _known(session, [name])
    if name not in numbers or last < first:
        return [], True
    number = numbers[name]
    level = 0
    while (last - first + 1) / FANOUT**level > max_points * FANOUT / 2:
        level += 1
    spans = _cover(session, job_number, number, level, first, last)
    if not spans or (len(spans) <= max_points and level == 0):
        return spans, True
    return _thin(session, job_number, number, spans, max_points), False


def _cover(session: Session, job_number: int, number: int, level: int, first: int, last: int) -> list[Span]:
    """Spans of `level` where they are whole within [first, last], and of finer levels at both ends."""
    spans = read_level(session, job_number, number, level, first, last)
    if level == 0:
        return spans
    if not spans:
        return _cover(session, job_number, number, level - 1, first, last)
    before = _cover(session, job_number, number, level - 1, first, spans[0].step - 1) if spans[0].step > first else []
    after = _cover(session, job_number, number, level - 1, spans[-1].last_step + 1, last) if spans[-1].last_step < last else []
    return [*before, *spans, *after]


def _thin(session: Session, job_number: int, number: int, spans: list[Span], max_points: int) -> list[Span]:
    """Neighbors merged into at most `max_points` spans; the last point of all is kept as one of its own."""
    end = spans[-1].last_step
    groups = max(1, max_points - 1)
    size = math.ceil(len(spans) / groups)
    merged = [merge(spans[start : start + size]) for start in range(0, len(spans), size)]
    if max_points > 1 and merged[-1].step != end:
        merged += read_level(session, job_number, number, 0, end, end)
    return merged


def first_step(session: Session, job_number: int, name: str) -> int:
    """The first step recorded on a curve, which is not 1 where the job is a fork; 1 where there is none."""
    return _step(session, job_number, name, func.min(CurvePoint.step)) or 1


def last_step(session: Session, job_number: int, name: str) -> int:
    """The last step recorded on a curve, 0 where there is none."""
    return _step(session, job_number, name, func.max(CurvePoint.step)) or 0


def _step(session: Session, job_number: int, name: str, which: Any) -> int | None:
    numbers = _known(session, [name])
    if name not in numbers:
        return None
    return session.execute(select(which).filter_by(job_number=job_number, series_number=numbers[name])).scalar()


def names(session: Session, *job_numbers: int) -> list[str]:
    """The curves that any of the jobs has, in the order in which they were first recorded anywhere."""
    points = select(CurvePoint.step).where(CurvePoint.job_number.in_(job_numbers), CurvePoint.series_number == Series.number)
    return list(session.scalars(select(Series.name).where(points.limit(1).exists()).order_by(Series.number)))


def values(session: Session, job_number: int, first: int, last: int) -> dict[int, dict[str, Any]]:
    """By epoch from `first` to `last`, the value of every curve of epochs: what the event stream sends."""
    query = (
        select(CurvePoint.step, Series.name, CurvePoint.value)
        .join(Series, Series.number == CurvePoint.series_number)
        .where(CurvePoint.job_number == job_number, CurvePoint.step.between(first, last))
        .where(Series.name.not_like("batch\\_%", escape="\\"))
        .order_by(CurvePoint.step, Series.number)
    )
    epochs: dict[int, dict[str, Any]] = {}
    for step, name, value in session.execute(query):
        epochs.setdefault(step, {})[name] = value
    return epochs
