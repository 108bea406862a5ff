"""The best value of each loss and metric that a job has had: what jobs are ordered by, and what a table of them shows.

They are written with the curves, and stay where those are removed some time after the job's end.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine.parts.metrics import METRICS
from store.database import insert_into
from store.pages import Order
from store.tables import BestValue, Job, Series

PARTS = ("train", "validation")
BETTER = {
    f"{part}_{name}": better
    for part in PARTS
    for name, better in {"loss": "lower", **{metric.name: metric.better for metric in METRICS.values()}}.items()
}
"""Whether the higher or the lower value is the better one, by the curve's name."""


@dataclass
class BestValues:
    """Those of one job, and which of them are still to be written."""

    values: dict[str, float] = field(default_factory=dict)
    improved: set[str] = field(default_factory=set)

    def take(self, name: str, value: float | None) -> None:
        """Hold a value of the curve against the best one so far. Values that are not finite count for nothing."""
        if value is None or not math.isfinite(value):
            return
        best = self.values.get(name)
        if best is None or (value < best if BETTER[name] == "lower" else value > best):
            self.values[name] = value
            self.improved.add(name)

    def write(self, session: Session, job_number: int, numbers: Mapping[str, int]) -> None:
        """Write those that have improved; `numbers` are those of the curves' names."""
        if not self.improved:
            return
        rows = [
            {"job_number": job_number, "series_number": numbers[name], "value": self.values[name]}
            for name in sorted(self.improved)
        ]
        statement = insert_into(session, BestValue)
        key = ["job_number", "series_number"]
        statement = statement.on_conflict_do_update(index_elements=key, set_={"value": statement.excluded.value})
        session.execute(statement, rows)
        self.improved.clear()

    def rewrite(self, session: Session, job_number: int, numbers: Mapping[str, int]) -> None:
        """Write these in the place of all that there are."""
        session.execute(delete(BestValue).where(BestValue.job_number == job_number))
        self.write(session, job_number, numbers)


def of_jobs(session: Session, job_numbers: Sequence[int]) -> dict[int, dict[str, float]]:
    """The best values of each of these jobs, by its number."""
    query = (
        select(BestValue.job_number, Series.name, BestValue.value)
        .join(Series, Series.number == BestValue.series_number)
        .where(BestValue.job_number.in_(job_numbers))
        .order_by(Series.number)
    )
    found: dict[int, dict[str, float]] = {number: {} for number in job_numbers}
    for number, name, value in session.execute(query):
        found[number][name] = value
    return found


def order(name: str, descending: bool) -> Order:
    """Jobs by their best value of a loss or metric."""
    series = select(Series.number).where(Series.name == name).scalar_subquery()
    joined = (BestValue.job_number == Job.number) & (BestValue.series_number == series)
    return Order(BestValue.value.expression, descending, (BestValue, joined))
