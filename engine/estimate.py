"""What training a spec will take, from its shapes alone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from engine.descent import batch_bounds
from engine.features import Column
from engine.prepare import build_network, fit
from engine.training import Training

FLOPS_PER_SECOND = 6e10
SECONDS_PER_STEP = 5e-6
SECONDS_PER_EPOCH = 3e-5
"""Fitted to four networks of 131 to 418,307 parameters on two quiet cores: within a factor of 3 there."""
BASE_BYTES = 150 * 2**20
"""A training process before it has read a row."""


@dataclass(frozen=True)
class Estimated:
    """Trainable parameters, bytes of the training process, seconds of training (None where a solver decides)."""

    parameters: int
    memory_bytes: int
    seconds: float | None


def estimate(training: Training, columns: Mapping[str, Column]) -> Estimated:
    """Pose the problem and count. Raises UnusableData as training itself would."""
    fitted = fit(training, columns)  # the matrices themselves are not made: a table may be large, and this the API
    network = build_network(replace(training, device="cpu"), fitted.features.width, fitted.target)  # shapes are the same
    parameters = network.parameters.size
    slots = len(training.optimizer.slots) + 3 if training.optimizer else 2
    widths = sum(layer.outputs for layer in network.layers)
    rows = len(fitted.rows["train"])
    cells = (rows + len(fitted.rows["validation"])) * (fitted.features.width + network.outputs)
    steps = len(batch_bounds(rows, training.batch_size or "full"))
    batch = min(rows, 4096) if training.batch_size in (None, "full") else int(training.batch_size)
    values = parameters * slots + cells + 3 * widths * (batch + 4096)
    seconds = None
    if training.optimizer is not None and training.epochs is not None:
        weights = sum(layer.inputs * layer.outputs for layer in network.layers)
        flops = 6.0 * weights * rows + 10.0 * parameters * steps
        seconds = training.epochs * (flops / FLOPS_PER_SECOND + SECONDS_PER_STEP * steps + SECONDS_PER_EPOCH)
    return Estimated(parameters, BASE_BYTES + int(values) * np.dtype(network.dtype).itemsize, seconds)
