"""Which compiled path stands in for a definition. Light to import: Numba comes with the first path that is taken."""

import time
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from engine.backend import Array
from engine.models import descent, lloyd, newton, perceptron
from engine.models.base import Definition, Problem

TALL = 1 << 21
"""Values that make a table tall. Below, a compiled objective would save under 60 ms, and take a second to be loaded once."""


def compiled(name: str) -> Any:
    """A module of this room that needs Numba, which takes a third of a second to import: only those wait who train."""
    return import_module(f"engine.fast.{name}")


def steps_of(problem: Problem, vectors: dict[str, Array], batch_size: int) -> descent.Steps:
    """Compiled steps on a CPU, where everything that the problem is made of has a kernel; else the definition."""
    found: descent.Steps | None = None
    if problem.network.xp is np:
        found = compiled("steps").fast(problem, vectors, batch_size)
        found = found or compiled("layerwise").layerwise(problem, vectors, batch_size)
    return descent.Definition(problem, vectors, batch_size) if found is None else found


def objective_of(problem: Problem) -> newton.Objective:
    """The compiled objective of a tall table; else the definition."""
    is_tall = problem.train.X.size >= TALL
    found: newton.Objective = compiled("newton").CompiledObjective(problem) if is_tall else newton.Objective(problem)
    return found


def walk_of(rows: np.ndarray, positive: np.ndarray) -> perceptron.Walk:
    """The compiled walk."""
    found: perceptron.Walk = compiled("walk").FastWalk(rows, positive)
    return found


def rows_of(X: np.ndarray, centroids: int) -> lloyd.Rows:
    """Rows whose pieces are read by compiled code."""
    found: lloyd.Rows = compiled("k_means").FastRows(X, centroids)
    return found


PATHS: Mapping[Definition, Callable[..., Any]] = {
    descent.Definition: steps_of,
    newton.Objective: objective_of,
    perceptron.Definition: walk_of,
    lloyd.Rows: rows_of,
}
"""By the definition that it may stand in for, what chooses a path."""


def faster(definition: Definition) -> Definition:
    """The path for that definition; itself where there is none, or no compiler."""
    return PATHS.get(definition, definition) if find_spec("numba") is not None else definition


def make_ready(problem: Problem) -> float:
    """Have the kernels that the problem trains on compiled, or loaded from the cache, and give the seconds that took."""
    started = time.perf_counter()
    definition = problem.spec.model.solved_by.definition
    is_short = definition is newton.Objective and problem.train.X.size < TALL
    if faster(definition) is not definition and problem.learner.xp is np and not is_short:
        compiled("warm_up").compile_for(problem)
    return time.perf_counter() - started


def tile() -> str:
    """The tile that products of matrices are taken in, by its name and shape."""
    tiles = compiled("tiles")
    return f"{tiles.TILE} × {tiles.VECTORS} registers ({tiles.TILE_NAME})"


def warm_up() -> float:
    """Compile every kernel, or load it from the cache, and give the seconds that took."""
    started = time.perf_counter()
    compiled("warm_up").compile_all()
    return time.perf_counter() - started
