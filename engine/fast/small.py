"""A small network on one thread: batch after batch in one compiled call, the rows side by side (see fused_step.py)."""

import numpy as np

from engine.backend import Array
from engine.fast import fused_step
from engine.fast.epoch import Fast, Scores, rows_of
from engine.fast.groups import NO_BATCHES, Batches, Layers
from engine.fast.jit import bound
from engine.fast.microkernel import LANES
from engine.network.network import Network

CALL_OPERATIONS = 5e8
"""Operations in one compiled call, about 20 ms, after which the caller may stop."""


class Small(Fast):
    """Batch after batch in one call."""

    def prepare(self) -> None:
        network, batch_size = self.network, self.rule.batch_size
        width = batch_width(batch_size)
        table = layer_table(network, width)
        tile = np.empty(table[-1][fused_step.D] + (2 * network.outputs + 3) * width, network.dtype)
        layers = Layers(table, self.codes, self.numbers)
        self.stride = max(1, int(CALL_OPERATIONS / (6 * network.parameters.size * width * -(-batch_size // width))))
        self.arguments = (self.rows, self.vectors, self.report, layers, tile, self.rule)
        self.train = bound(fused_step.train_batches, network.dtype, *self.arguments, NO_BATCHES)
        held = self.problem.validation
        self.validation = None
        if held is not None:
            losses, outputs = np.empty(held.rows, network.dtype), np.empty((held.rows, network.outputs), network.dtype)
            scores = Scores("validation", self.problem, held)
            self.validation = (losses, outputs, scores)
            self.held = (rows_of(held, network.dtype), losses, outputs, self.vectors.theta, layers, tile, width)
            self.evaluate = bound(fused_step.evaluate, network.dtype, *self.held)

    def __call__(self, order: Array, first: int, count: int, step: int, rate: float) -> None:
        order = np.ascontiguousarray(order, np.int64)
        self.train(*self.arguments, Batches(order, first, count, rate, step))

    def validate(self) -> dict[str, float | None]:
        if self.validation is None:
            return {}
        losses, outputs, scores = self.validation
        self.evaluate(*self.held)
        loss, _ = fused_step.means(losses, self.report.norms[:0])
        return {"validation_loss": loss, **scores(outputs)}


def batch_width(batch_size: int) -> int:
    """The rows side by side in a tile for that many: full vectors, and no more than a group."""
    return int(min(fused_step.GROUP, -(-batch_size // LANES) * LANES))


def layer_table(network: Network, width: int) -> Array:
    """One row a layer, with the columns that fused_step.py names: sizes, offsets in θ, and offsets in a tile of that width.

    The same offsets hold for as many rows one after the other.
    """
    table, weights, inputs = [], 0, 0
    free = network.layers[0].inputs * width
    for layer in network.layers:
        size, area = layer.inputs * layer.outputs, layer.outputs * width
        bias = weights + size if layer.bias else -1
        Z, A, D = free, free + area, free + 2 * area
        table.append((layer.inputs, layer.outputs, weights, bias, inputs, Z, A, D))
        weights, inputs, free = weights + layer.size, A, free + 3 * area
    return np.array(table, np.int64)
