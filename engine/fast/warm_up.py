"""Having compiled code made, or loaded from the cache, before it is needed."""

from functools import cache
from typing import Any

import numpy as np

from engine.fast import barrier, fused_step, kernels, team_step
from engine.fast.curvature import compile_readings
from engine.fast.microkernel import LANES
from engine.fast.steps import FastWalk, addresses, layer_table, product_addresses, supported
from engine.models import newton, perceptron
from engine.models.base import Problem
from engine.network.layers.dense import dense
from engine.network.network import Network
from engine.parts.losses import HalfMeanSquaredError
from engine.parts.optimizers import GradientDescent


def compile_all() -> None:
    """Have every kernel and every driver compiled, or loaded from the cache, in both float types."""
    compile_readings()
    for dtype in (np.float32, np.float64):
        for table in (kernels.ACTIVATIONS, kernels.SLOPES, kernels.LOSSES, kernels.OPTIMIZERS):
            for kernel in table.values():
                kernel.address(dtype)
        call_every_driver(np.dtype(dtype))


def compile_for(problem: Problem) -> None:
    """Have the kernels and the drivers that the problem trains on compiled, or loaded from the cache."""
    spec, network = problem.spec, problem.network
    definition = spec.model.solved_by.definition
    if definition is newton.Objective:
        kernels.LOSSES[type(spec.loss)].address(np.float64)
        compile_readings()
        fused_step.share_right(np.zeros((1, 1)), np.zeros(1, np.int64), np.zeros(1, np.int64))
    elif definition is perceptron.Definition:
        call_every_driver(network.dtype)
    elif supported(problem):
        call_every_driver(network.dtype)
        assert spec.optimizer is not None
        addresses(network, spec.loss, spec.optimizer)


@cache
def call_every_driver(dtype: Any) -> None:
    """Call each driver once on next to nothing, which has it compiled for the types that it is later called with."""
    network = Network([dense(1, 1), dense(1, 1)], dtype, np)
    loss, rule = HalfMeanSquaredError(), GradientDescent()
    codes, table = addresses(network, loss, rule), layer_table(network, LANES)
    X, Y, D, order = np.zeros((1, 1), dtype), np.zeros((1, 1), dtype), np.zeros((1, 1), dtype), np.zeros(1, np.int64)
    empty, numbers_, h, one = np.empty(0, dtype), np.zeros(2, dtype), np.zeros(1), np.ones(1)
    losses, norms, sums, tile = np.zeros(1, dtype), np.zeros(1, dtype), np.zeros(1, dtype), np.zeros(512 * LANES, dtype)
    vectors = (network.parameters.theta, network.parameters.gradient, empty, empty.copy())
    limits = (0.0, 0.0, np.inf)
    fused_step.means(losses, norms)
    fused_step.share_right(D, order.copy(), order)
    fused_step.determination(D, Y, order, one)
    fused_step.evaluate(X, Y, empty, losses, D, vectors[0], table, codes, numbers_, tile, LANES)
    fused_step.train_batches(
        X, Y, empty, order, *vectors, losses, D, norms, table, codes, numbers_, tile, h, 1, 0, 1, *limits, 0.0, 0
    )  # fmt: skip
    counters, pieces = np.zeros(barrier.counters_size(1), np.int64), np.zeros((0, 9), np.int64)
    team_step.train_share(
        0, 1, counters, 0, product_addresses(dtype), X[:0], Y[:0], empty, order, *vectors, losses, D, norms,
        table, order.copy(), pieces, codes, numbers_, tile, 1, 1, tile.copy(), tile.copy(), sums, h, 1, 0, 0, *limits, 0.0, 0,
    )  # fmt: skip
    walk = FastWalk(np.ones((1, 1), dtype), np.ones(1, bool))
    walk(order, 0, 1, losses, norms, walk.mistakes(losses))
