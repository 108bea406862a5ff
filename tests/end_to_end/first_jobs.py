"""One short run of each kind, as the first jobs of an installation are, and what of compiled code they load.

For a process of its own: what is loaded is told from here on.
"""

import sys
from typing import Any
from unittest import mock

import numpy as np
from numba.core.dispatcher import Dispatcher

from engine.fast import fused_step, jit, kernels, paths
from engine.models import newton
from engine.parts.activations import Activation
from engine.parts.losses import Loss
from engine.parts.optimizers import Adam, Optimizer
from engine.spec import kind_of, members
from engine.tables.samples import BlobsSample
from engine.training.prepare import Prepared
from tests.engine import finish, prepared, table, way_of

BLOBS = BlobsSample(rows=200, deviation=5.0).columns()
DATA = table({**BLOBS, "sum": BLOBS["x1"] + BLOBS["x2"] ** 2, "is": BLOBS["x1"] > 0, "far": BLOBS["x2"] > 0})
UNITS = {"small": [6], "large": [200, 200]}
TARGETS: dict[str, Any] = {"classification": "blob", "regression": "sum", "tagging": ["is", "far"]}
KERNELS: set[str] = set()
compile_kernel = jit.compile_kernel


def told(kernel: jit.Kernel, dtype: str) -> Any:
    KERNELS.add(f"{kernel.function.__module__}.{kernel.function.__qualname__} {dtype}")
    return compile_kernel(kernel, dtype)


mock.patch.object(jit, "compile_kernel", told).start()


def loaded() -> set[str]:
    """Every compiled function at hand that is kept in the cache, by name and types."""
    modules = [module for name, module in sys.modules.items() if name.startswith("engine.")]
    found = {value for module in modules for value in vars(module).values() if isinstance(value, Dispatcher)}
    drivers = {value for value in found if value.stats.cache_path is not None}
    return KERNELS | {f"{value.py_func.__qualname__} {types}" for value in drivers for types in value.signatures}


def call_two() -> None:
    """A kernel and a driver."""
    kernels.OPTIMIZERS[Adam].address(np.float32)
    fused_step.means(np.ones(3, np.float32), np.ones(3, np.float32))


def requests() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"target": "sum", "model": {"kind": "linear_regression"}},
        {"target": "sum", "model": {"kind": "linear_regression", "solver": "gradient_descent"}},
        {"target": "blob", "model": {"kind": "logistic_regression"}},
        {"target": "is", "model": {"kind": "perceptron"}},
    ]
    for units in UNITS.values():
        for precision in ("float32", "float64"):
            mlp: dict[str, Any] = {"precision": precision, "target": "blob", "epochs": 2}
            mlp |= {"model": {"kind": "mlp", "hidden": [{"units": count} for count in units]}}
            found.append(mlp)
            found += [mlp | {"optimizer": {"kind": kind_of(cls)}} for cls in members(Optimizer)]
            found += [
                mlp | {"loss": {"kind": kind_of(cls)}, "target": TARGETS[task]}
                for cls in members(Loss)
                for task in sorted(cls.tasks)  # type: ignore[attr-defined]
            ]
            found += [
                mlp | {"model": {"kind": "mlp", "hidden": [{"units": n, "activation": kind_of(cls)} for n in units]}}
                for cls in members(Activation)
            ]
    return found


def train_each() -> None:
    """Train each of them, and before them, while nothing is loaded, on a table that counts as a tall one."""
    tall, paths.TALL = paths.TALL, 0
    problem = run(target="blob", model={"kind": "logistic_regression"}).problem
    assert type(paths.objective_of(problem)) is not newton.Objective
    paths.TALL = tall
    ways = set()
    for request in requests():
        posed = run(**request)
        ways.add(way_of(posed) if request["model"]["kind"] == "mlp" else "")
    assert ways > {"small", "large"}


def run(**request: Any) -> Prepared:
    """As a worker does it: what the run needs is at hand before it begins, or its time would be taken for training."""
    posed = prepared(DATA, features=["x1", "x2"], **request)
    paths.make_ready(posed.problem)
    ready = loaded()
    finish(posed)
    assert loaded() == ready, (request, loaded() - ready)
    return posed
