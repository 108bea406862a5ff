"""Layers one after the other, with their parameters: forward and backward. Outputs are raw: losses own the link.

Linear, logistic and perceptron models are the network of one dense layer.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from engine.backend import Array
from engine.network.layers.base import BoundLayer
from engine.network.layers.dense import Dense
from engine.network.parameters import Parameters
from engine.network.workspace import Workspace, count_numbers
from engine.parts.initializers import InitializerRule
from engine.randomness import generator

MOST_ROWS = 4096
"""Rows that an evaluation passes through a network of dense layers at once."""
MOST_NUMBERS = 1 << 23
"""Numbers of the workspace that an evaluation makes for any other network, unless one row takes more."""


def count_parameters(layers: Sequence[BoundLayer]) -> int:
    """How many numbers are trained."""
    return sum(layer.size for layer in layers)


def is_dense(layers: Sequence[BoundLayer]) -> bool:
    """Whether all layers are dense ones."""
    return all(type(layer.rule) is Dense for layer in layers)


def layer_names(layers: Sequence[BoundLayer]) -> list[str]:
    """The layers' names: hidden_1, hidden_2, …, output of dense layers alone; else conv2d_1, flatten_1, …, output."""
    if is_dense(layers):
        return [*(f"hidden_{index}" for index in range(1, len(layers))), "output"]
    seen: Counter[str] = Counter()
    names = []
    for layer in layers[:-1]:
        seen[layer.kind] += 1
        names.append(f"{layer.kind}_{seen[layer.kind]}")
    return [*names, "output"]


def most_rows(layers: Sequence[BoundLayer]) -> int:
    """Rows that an evaluation passes through such layers at once."""
    fitting = MOST_ROWS if is_dense(layers) else MOST_NUMBERS // count_numbers(layers, 1)
    return max(1, min(MOST_ROWS, fitting))


class Network:
    """The layers, their parameters and running statistics, and workspaces by number of rows."""

    def __init__(self, layers: Sequence[BoundLayer], dtype: Any, xp: Any) -> None:
        self.layers = tuple(layers)
        self.dtype = np.dtype(dtype)
        self.xp = xp
        self.parameters = Parameters([layer.parameters for layer in layers], self.dtype, xp)
        self.statistics: tuple[dict[str, Array], ...] = tuple(
            {name: xp.full(shape, start, self.dtype) for name, (shape, start) in layer.statistics.items()} for layer in layers
        )
        """Running statistics of each layer by name: kept with a checkpoint, and read by an evaluation."""
        self._workspaces: dict[int, Workspace] = {}
        self._spare: dict[int, Workspace] = {}
        """Of the last evaluation, by rows; taken out while one uses them, since others may evaluate at the same time."""

    @cached_property
    def names(self) -> list[str]:
        return layer_names(self.layers)

    @property
    def outputs(self) -> int:
        return self.layers[-1].outputs

    @cached_property
    def has_dropout(self) -> bool:
        return any(layer.dropout for layer in self.layers)

    def initialize(self, initializer: InitializerRule, seed: int) -> None:
        """Draw every weight from the initializer and set the other parameters to their start, on the host, from the seed."""
        rng = generator(seed, "initialization")
        for layer, views in zip(self.layers, self.parameters.layers, strict=True):
            drawn = layer.rule.initialize(rng, initializer, views)
            for each in views.shapes:
                values = drawn.get(each.name)
                views.arrays[each.name][...] = each.start if values is None else self.xp.asarray(values.astype(self.dtype))
        for layer, running in zip(self.layers, self.statistics, strict=True):
            for name, (_, start) in layer.statistics.items():
                running[name][...] = start

    def workspace(self, rows: int) -> Workspace:
        """The workspace for that many rows; made at the first call. A run uses two: batch and last batch."""
        if rows not in self._workspaces:
            self._workspaces[rows] = self.new_workspace(rows)
        return self._workspaces[rows]

    def new_workspace(self, rows: int, keeps: bool = False) -> Workspace:
        """One that no other pass writes; `keeps` as Workspace says."""
        return Workspace(self.layers, self.parameters.layers, self.statistics, rows, self.dtype, self.xp, keeps)

    def forward(self, X: Array, workspace: Workspace, masked: bool = False, training: bool = False) -> Array:
        """Raw outputs (n, k) of X (n, d), written in the workspace. `masked`: apply its dropout masks. `training`: normalize
        by these rows, and not by running statistics.
        """
        workspace.passes[0].X = X.reshape(X.shape[0], *self.layers[0].input_shape)
        for layer, at in zip(self.layers, workspace.passes, strict=True):
            at.masked, at.training = masked, training
            layer.rule.forward(at)
        return workspace.outputs

    def backward(self, workspace: Workspace) -> None:
        """From ∂J/∂outputs, in `workspace.slopes`, to the gradient of every parameter, in ∇; after `forward`, which says
        what was masked.
        """
        for layer, at in zip(reversed(self.layers), reversed(workspace.passes), strict=True):
            layer.rule.backward(at)

    def observe(self, workspace: Workspace) -> None:
        """Move the running statistics by the rows of the training pass that the workspace holds."""
        for layer, at in zip(self.layers, workspace.passes, strict=True):
            layer.rule.observe(at)

    def exported(self) -> dict[str, dict[str, Array]]:
        """The arrays of each layer that has any, by the layer's name and their own: weights, bias and whatever else it has."""
        parts = zip(self.names, self.layers, self.parameters.layers, self.statistics, strict=True)
        return {
            name: layer.rule.exported(views, running, layer.input_shape)
            for name, layer, views, running in parts
            if layer.parameters
        }

    def adopt(self, vectors: Mapping[str, Array]) -> dict[str, Array]:
        """Take the running statistics among those named arrays over. Returns the network's own by their names."""
        own = {
            f"statistics.{index}.{name}": running
            for index, layer in enumerate(self.statistics)
            for name, running in layer.items()
        }
        for name, running in own.items():
            if name in vectors:
                running[...] = self.xp.asarray(vectors[name])
        return own

    def masks(self, rows: int, seed: int, step: int) -> Iterator[np.ndarray]:
        """The masks (rows, *output_shape) that a step draws for each layer with dropout, on the host: 1/(1 − rate) where a unit
        stays, 0 where it is silenced. Inverted dropout, Srivastava et al. 2014.
        """
        rng = generator(seed, "dropout", step)
        for layer in self.layers:
            if layer.dropout:
                stays = rng.random((rows, *layer.output_shape), np.float32) >= layer.dropout
                yield stays.astype(self.dtype) / self.dtype.type(1 - layer.dropout)

    def draw_masks(self, workspace: Workspace, seed: int, step: int) -> None:
        """Draw a step's masks for a pass of the workspace."""
        with_dropout = [at for layer, at in zip(self.layers, workspace.passes, strict=True) if layer.dropout]
        for at, mask in zip(with_dropout, self.masks(workspace.rows, seed, step), strict=True):
            at["mask"][...] = self.xp.asarray(mask)

    @cached_property
    def products(self) -> int:
        """Multiplications of a row's way through the layers."""
        return sum(layer.products for layer in self.layers)

    @cached_property
    def most_rows(self) -> int:
        """Rows that an evaluation passes through at once."""
        return most_rows(self.layers)

    def evaluate(self, X: Array, out: Array | None = None) -> Array:
        """Raw outputs (n, k) of X (n, d), block after block of the rows, in `out` or an array of its own."""
        outputs = self.xp.empty((X.shape[0], self.outputs), self.dtype) if out is None else out
        used: dict[int, Workspace] = {}
        for start in range(0, X.shape[0], self.most_rows):
            block = X[start : start + self.most_rows]
            rows = block.shape[0]
            if rows not in used:
                spare: Workspace | None = self._spare.pop(rows, None)
                used[rows] = self.new_workspace(rows) if spare is None else spare
            outputs[start : start + self.most_rows] = self.forward(block, used[rows])
        self._spare = used
        return outputs
