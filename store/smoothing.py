"""Smoothed curves: an exponential moving average over every point of a curve, whichever of its points are shown.

    s_t = Σ β^(t−i) y_i / Σ β^(t−i)    over the points i ≤ t whose value y_i is finite

worked out point by point: at each step the weight w fades to βw, and a value y makes it w + 1 and moves s by (y − s) / w.
Points so far back that β^(t−i) < 2^−53 do not count, so that a stretch of a long curve is smoothed at the cost of the stretch
and of `reach(β)` points before it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from store.curves import number_of
from store.tables import CurvePoint

LARGEST_BETA = 0.9999
"""It reaches some 367,000 points back."""
AT_ONCE = 10_000
"""Points that are read at a time."""
POINTS = CurvePoint.__table__.c
"""Read as plain columns: half the cost of mapped ones."""


def reach(beta: float) -> int:
    """How many points count, the last one included."""
    return 1 if beta == 0 else math.ceil(-53 * math.log(2) / math.log(beta))


@dataclass
class Average:
    """The average after the points that were added, in order and without a step left out."""

    beta: float
    value: float | None = None
    weight: float = 0.0
    _silent: int = 0

    def __post_init__(self) -> None:
        self._reach = reach(self.beta)

    def add(self, value: float | None) -> None:
        """Take the next point; a gap, or a value that is not finite, only lets what was there fade."""
        self.weight *= self.beta
        if value is None or not math.isfinite(value):
            self._silent += 1
            if self._silent >= self._reach:
                self.value, self.weight = None, 0.0
            return
        self._silent = 0
        self.weight += 1
        share = 1 / self.weight
        self.value = (self.value or 0.0) * (1 - share) + value * share


@dataclass(frozen=True)
class Smoothed:
    values: list[float | None]
    weight: float
    """Σ β^(t−i) at the last of them."""


def first_read(beta: float, begin: int, first: int) -> int:
    """The first step that counts for the average at step `first` of a curve that begins at step `begin`."""
    return max(begin, first - reach(beta) + 1)


def smooth(session: Session, job_number: int, name: str, begin: int, steps: Sequence[int], beta: float) -> Smoothed:
    """The average at the given steps, which rise, of a curve that begins at step `begin`."""
    number = number_of(session, name)
    if number is None or not steps:
        return Smoothed([], 0.0)
    average, found, wanted = Average(beta), [], set(steps)
    query = (
        select(POINTS.step, POINTS.value)
        .where(POINTS.job_number == job_number, POINTS.series_number == number)
        .where(POINTS.step.between(first_read(beta, begin, steps[0]), steps[-1]))
        .order_by(POINTS.step)
    )
    for step, value in session.connection().execute(query, execution_options={"yield_per": AT_ONCE}):
        average.add(value)
        if step in wanted:
            found.append(average.value)
    return Smoothed(found, average.weight)
