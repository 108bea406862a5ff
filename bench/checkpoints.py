"""What checkpoints cost a long run, on 60,000 × 784-256-128-10: copies of its state between batches, and writes."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sqlalchemy import select

from engine.training.completion import complete
from store import checkpoints, datasets, jobs
from store.database import Database
from store.files import Files
from store.job_request import document_of, training_of
from store.migrate import migrate
from store.settings import Settings
from store.tables import Job
from worker.checkpoints import Checkpoints
from worker.context import WorkerContext
from worker.training import run
from worker.writing import Writer

ROWS, FEATURES, EPOCHS = 60_000, 784, 25
TARGET_PERCENT = 2.0
REQUEST: dict[str, Any] = {
    "target": "y",
    "model": {"kind": "mlp", "hidden": [{"units": 256}, {"units": 128}]},
    "epochs": EPOCHS,
    "batch_size": 128,
    "split": {"validation": 0.1},
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        setting = Settings(data=Path(folder))
        database = Database(setting.database)
        migrate(database)
        place = WorkerContext(setting, database, Files(setting.files, setting.inline_bytes), "bench")
        spent = {"copies": 0.0, "writes": 0.0, "flushes": 0.0}
        Checkpoints.arrays = _timed(Checkpoints.arrays, spent, "copies")  # type: ignore[method-assign]
        Checkpoints.write = _timed(Checkpoints.write, spent, "writes")  # type: ignore[method-assign]
        Writer.flush = _timed(Writer.flush, spent, "flushes")  # type: ignore[method-assign]
        run(place, post(place))
        with database.reading() as session:
            [job] = session.scalars(select(Job)).all()
            kept = len(checkpoints.of_job(session, job.number))
        assert job.state == "succeeded" and job.train_seconds
        share = 100 * (spent["copies"] + spent["writes"]) / job.train_seconds
        copies, writes = (f"{name} {spent[name] * 1e3:.0f} ms" for name in ("copies", "writes"))
        print(
            f"digits, {EPOCHS} epochs in {job.train_seconds:.1f} s, {kept} checkpoints kept: {copies}, {writes}, "
            f"{share:.2f} % of training (target ≤ {TARGET_PERCENT:g} %); all writing, curves included, "
            f"{100 * spent['flushes'] / job.train_seconds:.2f} %"
        )
        database.close()


def post(place: WorkerContext) -> str:
    """A job on random rows of ten classes that a network can learn."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 10, ROWS)
    X = rng.normal(size=(ROWS, FEATURES)).astype(np.float32) + rng.normal(size=(10, FEATURES))[labels].astype(np.float32) / 4
    table = pl.DataFrame({f"x{index}": X[:, index] for index in range(FEATURES)} | {"y": labels})
    with place.database.transaction() as session:
        dataset = datasets.create(session, place.files, "ana", "digits", {}, b"digits", table)
        request = training_of({"dataset_id": dataset.id, **REQUEST})
        completed = complete(request, datasets.summaries(dataset), dataset.rows)
        return jobs.create(session, "ana", document_of(completed)).id


def _timed(function: Callable[..., Any], spent: dict[str, float], name: str) -> Callable[..., Any]:
    def timed(*given: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*given, **named)
        finally:
            spent[name] += time.perf_counter() - began

    return timed


if __name__ == "__main__":
    main()
