"""A network's cost J and its gradient ∇J on some rows: assembled here once, for what trains it and for what looks at it."""

from dataclasses import dataclass

import numpy as np

from engine.backend import Array
from engine.network.network import Network
from engine.network.workspace import Workspace
from engine.parts.losses import LossFunction


def backpropagate(
    network: Network,
    workspace: Workspace,
    loss: LossFunction,
    Y: Array,
    row_weights: Array | None,
    penalties: tuple[float, float],
    work: Array,
) -> None:
    """∇J of the rows that `forward` has left in the workspace, in the network's parameters: the loss's gradient at their
    targets Y (n, k), times the rows' weights (n,), over n, back through the layers, and the penalties'. `work` (p,) is scratch.
    """
    slopes = workspace.slopes
    loss.gradient(network.xp, workspace.outputs, Y, slopes)
    if row_weights is not None:
        slopes *= row_weights[:, None]
    slopes *= 1.0 / workspace.rows
    network.backward(workspace)
    add_penalties(network, penalties, work)


def add_penalties(network: Network, penalties: tuple[float, float], work: Array) -> None:
    """Add the gradient of the penalties (l1, l2) on the weights to ∇; a bias is never penalized. `work` (p,) is scratch."""
    l1, l2 = penalties
    if not (l1 or l2):
        return
    xp = network.xp
    for W, dW in network.parameters.weights():
        slope = work[: W.size].reshape(W.shape)
        if l2:
            xp.add(dW, xp.multiply(W, l2, out=slope), out=dW)
        if l1:
            xp.add(dW, xp.multiply(xp.sign(W, out=slope), l1, out=slope), out=dW)


def penalty(network: Network, penalties: tuple[float, float]) -> float:
    """The penalties (l1, l2) in J, on the weights and on no bias."""
    l1, l2 = penalties
    weights = [W.reshape(-1) for W, _ in network.parameters.weights()]
    sizes = sum(np.abs(W).sum() for W in weights) if l1 else 0.0  # a pass over all of them, beside which J may be little
    squares = sum(np.dot(W, W) for W in weights) if l2 else 0.0
    return float(l1 * sizes + 0.5 * l2 * squares)


@dataclass
class Backpropagation:
    """A network on the host with its θ, rows X (n, d), their targets Y (n, k) and a loss.

    `row_weights` (n,) multiply the rows' losses; `penalties` are (l1, l2) as they stand in the mean loss. Dropout is drawn
    for the step `masked = (seed, step)`; without, no unit is silenced.
    """

    network: Network
    X: Array
    Y: Array
    loss: LossFunction
    row_weights: Array | None = None
    penalties: tuple[float, float] = (0.0, 0.0)
    masked: tuple[int, int] | None = None
    scaling: tuple[Array, Array] | None = None
    """Center and scale (k,) of targets that are scaled, in the table's units: Y = (y − center) / scale."""

    def __post_init__(self) -> None:
        self.workspace = self.network.new_workspace(len(self.X), keeps=True)
        self.row_losses = np.empty(len(self.X), self.network.dtype)

    @property
    def has_masks(self) -> bool:
        return self.masked is not None and self.network.has_dropout

    def forward(self) -> float:
        """J at the present θ, penalties and all. Leaves every Z and A, and the rows' losses (n,), weighted."""
        if self.masked is not None:
            self.network.draw_masks(self.workspace, *self.masked)
        outputs = self.network.forward(self.X, self.workspace, masked=self.has_masks, training=True)
        self.loss.rows(np, outputs, self.Y, self.row_losses, np.empty_like(outputs))
        if self.row_weights is not None:
            self.row_losses *= self.row_weights
        return float(self.row_losses.mean(dtype=np.float64)) + self.penalty()

    def penalty(self) -> float:
        """The penalties in J."""
        return penalty(self.network, self.penalties)

    def backward(self) -> None:
        """∇J, from what `forward` has left, in the network's parameters. Leaves every ∂J/∂A and ∂J/∂Z."""
        work = np.empty_like(self.network.parameters.theta)
        backpropagate(self.network, self.workspace, self.loss, self.Y, self.row_weights, self.penalties, work)
