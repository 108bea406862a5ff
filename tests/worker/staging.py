"""What tests of the worker look at, and hands they lend each other."""

from dataclasses import replace
from typing import Any

import pytest

from store import checkpoints, jobs, recovery
from store.tables import CurvePoint, Job, Series
from store.tensors import pack, unpack
from worker.context import WorkerContext
from worker.training import run

MLP = {"kind": "mlp", "hidden": [{"units": 8, "activation": "tanh", "dropout": 0.1}]}
PLAIN = {"kind": "mlp", "hidden": [{"units": 8, "activation": "tanh"}]}
LARGE = {"kind": "mlp", "hidden": [{"units": 200, "activation": "tanh"}, {"units": 128}]}
WAYS = {"small": PLAIN, "large": LARGE, "definition": MLP}
"""A network for each way to take steps: on one thread, on a team of threads, and by their definition."""


def row(place: WorkerContext, job_id: str) -> Job:
    with place.database.reading() as session:
        return jobs.get(session, job_id, None)


def theta(place: WorkerContext, job_id: str) -> bytes:
    """The bytes of the last checkpoint's weights and optimizer state."""
    with place.database.reading() as session:
        last = checkpoints.of_job(session, jobs.get(session, job_id, None).number)[-1]
        arrays = unpack(place.files.get(session, last.digest))
        return pack(arrays)


def kept_checkpoints(place: WorkerContext, job_id: str) -> dict[int, bytes]:
    """The bytes of every checkpoint that was kept, by epoch: the last, the best, and those asked for."""
    with place.database.reading() as session:
        kept = checkpoints.of_job(session, jobs.get(session, job_id, None).number)
        return {each.epoch: pack(unpack(place.files.get(session, each.digest))) for each in kept}


def points(place: WorkerContext, job_id: str) -> list[tuple[str, int, float]]:
    """Every curve point but the seconds, which no two runs share."""
    number = row(place, job_id).number
    with place.database.reading() as session:
        found = session.query(CurvePoint, Series.name).join(Series, Series.number == CurvePoint.series_number)
        found = found.filter(CurvePoint.job_number == number, Series.name != "seconds")
        return sorted((name, point.step, point.value) for point, name in found)


class Stopper:
    """Says stop at the n-th question."""

    def __init__(self, after: int) -> None:
        self.left = after

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


class Killed(BaseException):
    """A process is gone in the middle of what it did."""


def kill(place: WorkerContext, job_id: str, after: int) -> None:
    """Run the job, lose its worker at the n-th question whether to stop, and have the job be missed."""
    stop = Stopper(after)

    def ask() -> bool:
        if stop():
            raise Killed
        return False

    with pytest.raises(Killed):
        run(replace(place, stopping=ask), job_id)
    assert row(place, job_id).state == "running"
    with place.database.transaction() as session:
        session.query(Job).filter_by(id=job_id).update({"lease_until": 0.0})
    with place.database.transaction() as session:
        recovery.sweep(session)


def strip(values: dict[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (values or {}).items() if name != "seconds"}
