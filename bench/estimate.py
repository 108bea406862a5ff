"""The seconds that a job is estimated to train for (`?validate_only=true`) beside those that it takes."""

import math
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from engine.fast.threads import limit
from engine.models.run_state import State
from engine.network.layers.base import spelled
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
    """Rows × features, hidden units or a model of images, and what else the job says."""

    rows: int
    features: int | tuple[int, int, int]
    model: tuple[int, ...] | dict[str, Any]
    batch_size: int | str
    epochs: int
    changes: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    """What such a model is called here."""

    def __str__(self) -> str:
        read = (self.features,) if isinstance(self.features, int) else self.features
        sizes = spelled(read) if self.name else "-".join(map(str, (*read, *self.model, 10)))
        said = [f"batch {self.batch_size}", f"{self.epochs} epochs", *map(str, self.changes.values()), self.name]
        return f"{self.rows:>6,} of {sizes:18s} {' '.join(said).strip()}"


def small_network(*between: str) -> dict[str, Any]:
    """Two convolutions and a dense layer, each followed by such layers."""
    layers: list[Any] = []
    for filters in (16, 32):
        layers += [{"kind": "conv2d", "filters": filters, "kernel": 3, "padding": "same"}, *between, "max_pool2d"]
    return {"kind": "network", "layers": [*layers, {"kind": "dense", "units": 64}, *between]}


DROPOUT = {"kind": "mlp", "hidden": [{"units": 256, "dropout": 0.2}] * 2}
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
    Case(8_000, 64, DROPOUT, 128, 3, name="256-256 with dropout"),
    Case(4_000, (28, 28, 1), {"kind": "lenet5"}, 128, 2, name="LeNet-5"),
    Case(2_000, (32, 32, 3), small_network(), 32, 2, name="two convolutions"),
    Case(256, (64, 64, 3), {"kind": "alexnet", "width": 0.25}, 64, 1, name="AlexNet, a quarter as wide"),
    Case(1_000, (28, 28, 1), {"kind": "lenet5", "activation": "softmax"}, 128, 1, name="LeNet-5 with softmax"),
    Case(1_000, (32, 32, 3), small_network("batch_normalization"), 32, 1, name="with batch normalization"),
    Case(1_000, (8, 8, 1), small_network("batch_normalization"), 16, 2, name="with batch normalization"),
]


def ready(case: Case) -> tuple[Training, dict[str, Column]]:
    """The completed spec, and a table of ten classes."""
    rng, model = np.random.default_rng(0), case.model
    if isinstance(case.features, int):
        names = [f"x{index}" for index in range(case.features)]
        columns = {name: Column(name, "numeric", rng.standard_normal(case.rows)) for name in names}
    else:
        pixels = rng.integers(0, 256, (case.rows, math.prod(case.features))).astype(np.uint8)
        columns = {"x": Column("x", "image", pixels, shape=case.features)}
    columns["y"] = Column("y", "integer", rng.permutation(np.arange(case.rows) % 10).astype(np.float64))
    table = {
        name: ColumnSummary(name, column.kind, 0, len(np.unique(column.values)), shape=column.shape)
        for name, column in columns.items()
    }
    if not isinstance(model, dict):
        model = {"kind": "mlp", "hidden": [{"units": units} for units in model]}
    request = {
        "target": "y",
        "model": model,
        "batch_size": case.batch_size,
        "epochs": case.epochs,
        "split": {"validation": 0.0},
        **case.changes,
    }
    return complete(TypeAdapter(Training).validate_python(request), table, case.rows), columns


def measured(training: Training, columns: dict[str, Column]) -> float:
    """Seconds of training, the least of a few after one to warm up: what else the machine does only slows a run down."""
    seconds = []
    for _ in range(REPEATS + 1):
        problem = prepare(training, columns).problem
        started = time.perf_counter()
        for _ in train(problem, State()):
            pass
        seconds.append(time.perf_counter() - started)
    return min(seconds[1:])


def main() -> None:
    limit(THREADS)
    worst = 1.0
    for case in CASES:
        training, columns = ready(case)
        found, expected = measured(training, columns), estimate(training, columns).seconds
        assert expected is not None
        ratio = expected / found
        worst = max(worst, ratio, 1 / ratio)
        print(f"{case!s:82s} estimated {expected * 1e3:7.1f} ms, took {found * 1e3:7.1f}: {ratio:.2f} ×", flush=True)
    print(f"at worst a factor of {worst:.1f} (target {FACTOR})")


if __name__ == "__main__":
    main()
