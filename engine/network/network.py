"""A stack of dense layers: its workspace, forward and backward. The last layer's outputs are raw: losses own the link.

Linear, logistic and perceptron models are the stack with no hidden layer (rule 4).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from engine.backend import Array
from engine.network.parameters import LayerShape, Parameters
from engine.parts.activations import ActivationFunction, Identity
from engine.parts.initializers import InitializerRule
from engine.randomness import generator

IDENTITY = Identity()


@dataclass(frozen=True)
class Dense:
    """A layer Z = A W + b, A' = f(Z), of which a share `dropout` of the units is silenced while training."""

    inputs: int
    outputs: int
    activation: ActivationFunction = IDENTITY
    dropout: float = 0.0
    bias: bool = True

    @property
    def shape(self) -> LayerShape:
        return LayerShape(self.inputs, self.outputs, self.bias)


def count_parameters(layers: Sequence[Dense]) -> int:
    """How many numbers are trained: inputs · outputs, and a bias an output, over the layers."""
    return sum(layer.shape.size for layer in layers)


class Workspace:
    """Every array that a pass over n rows writes, allocated once: per layer Z, A, dZ and the dropout mask, all (n, outputs)."""

    def __init__(self, layers: Sequence[Dense], rows: int, dtype: Any, xp: Any) -> None:
        def buffers() -> list[Array]:
            return [xp.empty((rows, layer.outputs), dtype) for layer in layers]

        self.rows = rows
        self.Z, self.A, self.dZ = buffers(), buffers(), buffers()
        self.A[-1] = self.Z[-1]  # raw outputs: nothing follows the last layer
        self.masks = [xp.empty((rows, layer.outputs), dtype) if layer.dropout else None for layer in layers]


class Network:
    """The layers, their parameters, and workspaces by number of rows."""

    def __init__(self, layers: Sequence[Dense], dtype: Any, xp: Any) -> None:
        self.layers = tuple(layers)
        self.dtype = np.dtype(dtype)
        self.xp = xp
        self.parameters = Parameters([layer.shape for layer in layers], self.dtype, xp)
        self._workspaces: dict[int, Workspace] = {}

    @property
    def outputs(self) -> int:
        return self.layers[-1].outputs

    @cached_property
    def has_dropout(self) -> bool:
        return any(layer.dropout for layer in self.layers)

    def initialize(self, initializer: InitializerRule, seed: int) -> None:
        """Draw every W from the initializer and set every b to 0, on the host, from the seed alone."""
        rng = generator(seed, "initialization")
        for layer, views in zip(self.layers, self.parameters.layers, strict=True):
            views.W[...] = self.xp.asarray(initializer.draw(rng, layer.inputs, layer.outputs).astype(self.dtype))
            if views.b is not None:
                views.b[...] = 0

    def workspace(self, rows: int) -> Workspace:
        """The workspace for that many rows; made at the first call. A run uses three: batch, last batch, evaluation."""
        if rows not in self._workspaces:
            self._workspaces[rows] = Workspace(self.layers, rows, self.dtype, self.xp)
        return self._workspaces[rows]

    def forward(self, X: Array, workspace: Workspace, masked: bool = False) -> Array:
        """Raw outputs (n, k) of X (n, d), written in the workspace. `masked`: apply its dropout masks."""
        xp, A = self.xp, X
        last = len(self.layers) - 1
        for index, (layer, views) in enumerate(zip(self.layers, self.parameters.layers, strict=True)):
            Z = workspace.Z[index]
            xp.matmul(A, views.W, out=Z)
            if views.b is not None:
                Z += views.b
            if index == last:
                return Z
            A = workspace.A[index]
            layer.activation.apply(xp, Z, A)
            if masked and layer.dropout:
                A *= workspace.masks[index]
        raise AssertionError("a network has at least one layer")

    def backward(self, X: Array, workspace: Workspace, masked: bool = False) -> None:
        """From ∂J/∂Z of the last layer, in `workspace.dZ[-1]`, to the gradient of every parameter, in ∇."""
        xp = self.xp
        for index in range(len(self.layers) - 1, -1, -1):
            views, dZ = self.parameters.layers[index], workspace.dZ[index]
            xp.matmul((workspace.A[index - 1] if index else X).T, dZ, out=views.dW)
            if views.db is not None:
                xp.sum(dZ, axis=0, out=views.db)
            if index:
                dA = workspace.dZ[index - 1]
                xp.matmul(dZ, views.W.T, out=dA)
                if masked and self.layers[index - 1].dropout:
                    dA *= workspace.masks[index - 1]
                    # A was masked too; the derivative wants the activation as it was before the mask.
                    self.layers[index - 1].activation.apply(xp, workspace.Z[index - 1], workspace.A[index - 1])
                self.layers[index - 1].activation.gradient(xp, workspace.Z[index - 1], workspace.A[index - 1], dA, dA)

    def draw_masks(self, workspace: Workspace, seed: int, step: int) -> None:
        """Inverted dropout (Srivastava et al. 2014): 1/(1 − rate) where a unit stays, 0 where it is silenced."""
        rng = generator(seed, "dropout", step)
        for layer, mask in zip(self.layers, workspace.masks, strict=True):
            if mask is not None:
                stays = rng.random(mask.shape, np.float32) >= layer.dropout
                mask[...] = self.xp.asarray(stays.astype(self.dtype) / self.dtype.type(1 - layer.dropout))

    def evaluate(self, X: Array, rows: int = 4096, out: Array | None = None) -> Array:
        """Raw outputs (n, k) of X (n, d), in blocks of `rows`, in `out` or an array of its own."""
        outputs = self.xp.empty((X.shape[0], self.outputs), self.dtype) if out is None else out
        for start in range(0, X.shape[0], rows):
            block = X[start : start + rows]
            outputs[start : start + rows] = self.forward(block, self.workspace(block.shape[0]))
        return outputs
