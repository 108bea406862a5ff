"""Having compiled code made, or loaded from the cache, before it is needed."""

from functools import cache
from typing import Any

import numpy as np

from engine.fast import fused_step, k_means, kernels, layerwise
from engine.fast.curvature import compile_readings
from engine.fast.epoch import codes
from engine.fast.large import Large
from engine.fast.layer_table import PAIRS
from engine.fast.small import Small
from engine.fast.steps import supported
from engine.fast.walk import FastWalk
from engine.models import lloyd, newton, perceptron
from engine.models.base import Matrices, Problem
from engine.models.descent import start_vectors
from engine.network.layers.dense import dense
from engine.network.network import Network
from engine.parts.losses import HalfMeanSquaredError
from engine.parts.optimizers import GradientDescent
from engine.tables.target import Numbers


class Least:
    """As much of a spec as the paths read."""

    loss, optimizer, regularization, seed = HalfMeanSquaredError(), GradientDescent(), None, 0

    def penalties(self, rows: int) -> tuple[float, float]:
        return 0.0, 0.0


def compile_all() -> None:
    """Have every kernel and every driver compiled, or loaded from the cache, in both float types."""
    compile_readings()
    k_means.compile_readings()
    for dtype in (np.float32, np.float64):
        for table in (kernels.ACTIVATIONS, kernels.SLOPES, kernels.LOSSES, kernels.OPTIMIZERS):
            for kernel in table.values():
                kernel.address(dtype)
        for pair in PAIRS:
            for kernel in pair:
                kernel.address(dtype)
        call_every_driver(np.dtype(dtype))
        call_layerwise(np.dtype(dtype))


def compile_for(problem: Problem) -> None:
    """Have the kernels and the drivers that the problem trains on compiled, or loaded from the cache."""
    spec = problem.spec
    definition = spec.model.solved_by.definition
    if definition is lloyd.Rows:
        k_means.compile_readings()
        return
    network = problem.network
    if definition is newton.Objective:
        kernels.LOSSES[type(spec.loss)].address(np.float64)
        compile_readings()
        compile_scores(np.dtype(np.float64))
    elif definition is perceptron.Definition:
        call_every_driver(network.dtype)
    elif supported(problem):
        call_every_driver(network.dtype)
        assert spec.optimizer is not None
        codes(network, spec.loss, spec.optimizer)
    elif layerwise.supported(problem):
        call_layerwise(network.dtype)
        layerwise.Layerwise(problem, start_vectors(problem.spec, network), 1)


@cache
def compile_scores(dtype: Any) -> None:
    """Have the metrics of an epoch compiled."""
    outputs, labels = np.zeros((1, 1), dtype), np.zeros(1, np.int64)
    fused_step.share_right(outputs, labels, labels.copy())
    fused_step.determination(outputs, outputs.copy(), labels, np.ones(1))


@cache
def call_every_driver(dtype: Any) -> None:
    """Train on next to nothing in every way, which has each driver compiled for the types that it is later called with."""
    order, w = np.zeros(1, np.int64), np.zeros(1, dtype)
    compile_scores(dtype)
    for path in (Small, Large):
        train_on_next_to_nothing(path, dtype)
    walk = FastWalk(np.ones((1, 1), dtype), np.ones(1, bool))
    walk(order, 0, 1, w, w.copy(), walk.mistakes(w))


@cache
def call_layerwise(dtype: Any) -> None:
    """The same by the way of networks with layers of other kinds."""
    compile_scores(dtype)
    train_on_next_to_nothing(layerwise.Layerwise, dtype)


def train_on_next_to_nothing(path: Any, dtype: Any) -> None:
    """Take a step, and report and evaluate, of one weight on one row."""
    X, Y = np.zeros((1, 1), dtype), np.zeros((1, 1), dtype)
    spec: Any = Least()
    problem = Problem(spec, Network([dense(1, 1)], dtype, np), Numbers(("y",)), Matrices(X, Y), Matrices(X, Y))
    steps = path(problem, {}, 1)
    steps(np.zeros(1, np.int64), 0, 1, 0, 0.0)
    steps.means()
    steps.validate()
