"""The seconds that a job is estimated to train for (`?validate_only=true`) beside those that it takes."""

import statistics
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from engine.fast.threads import limit
from engine.models.run_state import State
from engine.tables.features import Column, ColumnSummary
from engine.training.completion import complete
from engine.training.estimate import estimate
from engine.training.prepare import prepare
from engine.training.run import train
from engine.training.spec import Training

REPEATS = 3
THREADS, FACTOR = 2, 3


@dataclass(frozen=True)
class Case:
    """Rows × features, hidden units, and what else the job says."""

    rows: int
    features: int
    hidden: tuple[int, ...]
    batch_size: int | str
    epochs: int
    changes: dict[str, Any] = field(default_factory=dict)


CASES = [
    Case(120, 4, (16,), 16, 200),
    Case(2_000, 2, (), "full", 200),
    Case(2_000, 4, (32, 32), 32, 20),
    Case(8_000, 64, (64,), 128, 3),
    Case(8_000, 64, (128,), "full", 3),
    Case(8_000, 64, (256, 256), 128, 3),
    Case(8_000, 64, (256, 256), 16, 3),
    Case(4_000, 500, (256, 128), 128, 3),
    Case(4_000, 300, (512,), 4, 1),
    Case(4_000, 300, (512,), 128, 2, {"precision": "float64"}),
    Case(4_000, 300, (1024, 1024), 256, 2),
]


def ready(case: Case) -> tuple[Training, dict[str, Column]]:
    """The completed spec, and a table of ten classes."""
    rng = np.random.default_rng(0)
    names = [f"x{index}" for index in range(case.features)]
    columns = {name: Column(name, "numeric", rng.standard_normal(case.rows)) for name in names}
    columns["y"] = Column("y", "integer", rng.permutation(np.arange(case.rows) % 10).astype(np.float64))
    table = {name: ColumnSummary(name, column.kind, 0, len(np.unique(column.values))) for name, column in columns.items()}
    request = {
        "target": "y",
        "model": {"kind": "mlp", "hidden": [{"units": units} for units in case.hidden]},
        "batch_size": case.batch_size,
        "epochs": case.epochs,
        "split": {"validation": 0.0},
        **case.changes,
    }
    return complete(TypeAdapter(Training).validate_python(request), table, case.rows), columns


def measured(training: Training, columns: dict[str, Column]) -> float:
    """Seconds of training, the median of a few after one to warm up."""
    seconds = []
    for _ in range(REPEATS + 1):
        problem = prepare(training, columns).problem
        started = time.perf_counter()
        for _ in train(problem, State()):
            pass
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds[1:])


def main() -> None:
    limit(THREADS)
    worst = 1.0
    for case in CASES:
        training, columns = ready(case)
        found, expected = measured(training, columns), estimate(training, columns).seconds
        assert expected is not None
        ratio = expected / found
        worst = max(worst, ratio, 1 / ratio)
        sizes = "-".join(map(str, (case.features, *case.hidden, 10)))
        kind = " ".join([f"batch {case.batch_size}", f"{case.epochs} epochs", *case.changes.values()])
        times = f"estimated {expected * 1e3:7.1f} ms, took {found * 1e3:7.1f}: {ratio:.2f} ×"
        print(f"{case.rows:>6,} × {sizes:17s} {kind:28s} {times}")
    print(f"at worst a factor of {worst:.1f} (target {FACTOR})")


if __name__ == "__main__":
    main()
