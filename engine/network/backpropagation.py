"""A network's cost J and its gradient ∇J on some rows, worked out by what trains it, and open to be looked into."""

from dataclasses import dataclass, field

import numpy as np

from engine.backend import Array
from engine.models.descent import add_penalties
from engine.network.network import Network, Workspace
from engine.parts.activations import ActivationFunction, Identity
from engine.parts.losses import LossFunction


@dataclass
class Backpropagation:
    """A network on the host with its θ, rows X (n, d), their targets Y (n, k) and a loss.

    `output` follows the last layer, before the loss. `row_weights` (n,) multiply the rows' losses; `penalties` are (l1, l2)
    as they stand in the mean loss. Dropout is drawn for the step `masked = (seed, step)`; without, no unit is silenced.
    """

    network: Network
    X: Array
    Y: Array
    loss: LossFunction
    output: ActivationFunction = field(default_factory=Identity)
    row_weights: Array | None = None
    penalties: tuple[float, float] = (0.0, 0.0)
    masked: tuple[int, int] | None = None
    scaling: tuple[Array, Array] | None = None
    """Center and scale (k,) of targets that are scaled, in the table's units: Y = (y − center) / scale."""

    def __post_init__(self) -> None:
        self.workspace = Workspace(self.network.layers, len(self.X), self.network.dtype, np)
        self.A, self.dA = np.empty_like(self.workspace.Z[-1]), np.empty_like(self.workspace.Z[-1])
        """Of the last layer (n, k): f(Z), which the loss is of, and ∂J/∂A."""
        self.row_losses = np.empty(len(self.X), self.network.dtype)

    @property
    def has_masks(self) -> bool:
        return self.masked is not None and self.network.has_dropout

    def forward(self) -> float:
        """J at the present θ, penalties and all. Leaves every Z and A, and the rows' losses (n,), weighted."""
        if self.masked is not None:
            self.network.draw_masks(self.workspace, *self.masked)
        Z = self.network.forward(self.X, self.workspace, masked=self.has_masks)
        self.output.apply(np, Z, self.A)
        self.loss.rows(np, self.A, self.Y, self.row_losses, np.empty_like(self.A))
        if self.row_weights is not None:
            self.row_losses *= self.row_weights
        return float(self.row_losses.mean(dtype=np.float64)) + self.penalty()

    def penalty(self) -> float:
        """What the weights, but no bias, add to J."""
        l1, l2 = self.penalties
        weights = [layer.W.reshape(-1) for layer in self.network.parameters.layers]
        sizes = sum(np.abs(W).sum() for W in weights) if l1 else 0.0  # a pass over all of them, beside which J may be little
        squares = sum(np.dot(W, W) for W in weights) if l2 else 0.0
        return float(l1 * sizes + 0.5 * l2 * squares)

    def backward(self) -> None:
        """∇J, from what `forward` has left, in the network's parameters. Leaves every ∂J/∂Z."""
        self.loss.gradient(np, self.A, self.Y, self.dA)
        if self.row_weights is not None:
            self.dA *= self.row_weights[:, None]
        self.dA *= 1.0 / len(self.X)
        self.output.gradient(np, self.workspace.Z[-1], self.A, self.dA, self.workspace.dZ[-1])
        self.network.backward(self.X, self.workspace, masked=self.has_masks)
        add_penalties(self.network, self.penalties, np.empty_like(self.network.parameters.theta))
