"""Which layers have kernels, and the table by which compiled code finds its way through a network of them.

A kind of layer is entered under its class by a function that lays down its rows of the table (see layer_columns.py); one
that is not entered has no kernel.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.backend import Array
from engine.fast import convolution, dense, elementwise, kernels, pooling, response_normalization
from engine.fast import layer_columns as at
from engine.fast.coverage import KINDS
from engine.fast.jit import Kernel, number
from engine.fast.microkernel import LANES
from engine.network.layers.activation import ActivationLayer
from engine.network.layers.average_pool2d import AveragePool2d
from engine.network.layers.base import IDENTITY, BoundLayer, LayerRule
from engine.network.layers.conv2d import Conv2d
from engine.network.layers.dense import Dense
from engine.network.layers.dropout import Dropout
from engine.network.layers.flatten import Flatten
from engine.network.layers.local_response_normalization import LocalResponseNormalization
from engine.network.layers.max_pool2d import MaxPool2d
from engine.network.layers.window import Window
from engine.parts import activations

FROM_VALUES = (activations.Sigmoid, activations.Tanh, activations.Relu, activations.Softplus, activations.Sign)
"""Activations whose slope's kernel reads A alone: their Z need not be kept."""

Pair = tuple[Kernel, Kernel]
PAIRS: tuple[Pair, ...] = (
    convolution.KERNELS, pooling.AVERAGE, pooling.LARGEST, dense.KERNELS, elementwise.BENT, elementwise.MASKED,
    response_normalization.KERNELS,
)  # fmt: skip
"""Every kernel of layers, a layer's way forward beside its way back."""
ROWS: dict[type[LayerRule], Callable[["Table", BoundLayer, Any], None]] = {}
"""By a layer's class, what enters it."""


class Table:
    """The rows of the layers' table, as they are entered, and where the arrays stand that they name."""

    def __init__(self, layers: Sequence[BoundLayer], dtype: Any) -> None:
        self.dtype = np.dtype(dtype)
        self.rows: list[Array] = []
        self.numbers: list[float] = []
        self.size, self.sums, self.by_row, self.masks, self.scratch = layers[0].inputs, 0, 0, 0, LANES
        """Numbers of a row in the layers' arrays; of the gradients that a piece adds up; of a row of the batch in the arrays
        row by row, and in the dropout masks; and of the scratch for one block.
        """
        self.last, parameters = 0, 0
        for layer in layers:
            ROWS[type(layer.rule)](self, layer, parameters)
            parameters += layer.size
        self.array = np.array(self.rows, np.int64).reshape(-1, at.COLUMNS)

    def _take(self, numbers_of_a_row: int) -> int:
        offset, self.size = self.size, self.size + numbers_of_a_row
        return offset

    def enter(
        self,
        pair: Pair,
        inputs: int,
        outputs: int,
        activation: Any = IDENTITY,
        own: tuple[float, ...] = (),
    ) -> Array:
        """Add a row that reads what the row before has written. Returns it, to be filled in."""
        row = np.zeros(at.COLUMNS, np.int64)
        row[at.FORWARD], row[at.BACKWARD] = (kernel.address(self.dtype) for kernel in pair)
        row[at.INPUTS], row[at.OUTPUTS], row[at.X], row[at.A] = inputs, outputs, self.last, self._take(outputs)
        row[at.Z], row[at.NUMBER] = row[at.A], len(self.numbers)
        self.numbers += own or (number(activation),)
        if type(activation) is not activations.Identity:
            row[at.ACTIVATION] = kernels.ACTIVATIONS[type(activation)].address(self.dtype)
            row[at.SLOPE] = kernels.SLOPES[type(activation)].address(self.dtype)
            row[at.Z] = -1 if isinstance(activation, FROM_VALUES) else self._take(outputs)
        row[[at.SLOT, at.X_ROWS, at.D_ROWS, at.MASK]] = -1
        row[at.WANTED] = len(self.rows) > 0
        self.last = int(row[at.A])
        self.rows.append(row)
        return row

    def trains(self, row: Array, layer: BoundLayer, parameters: int) -> None:
        """The row's layer has W and, where it has a bias, b at that offset in θ."""
        weights = sum(shape.size for shape in layer.parameters if shape.is_weight)
        row[at.PARAMETERS], row[at.WEIGHTS], row[at.BIASES] = parameters, weights, layer.size - weights

    def adds_up(self, row: Array, layer: BoundLayer) -> None:
        """The row's gradient is added up piece by piece."""
        row[at.SLOT], self.sums = self.sums, self.sums + layer.size

    def keeps(self, row: Array, numbers_of_a_row: int) -> None:
        """The row keeps so many numbers for its way back."""
        row[at.KEPT], row[at.KEPT_SIZE] = self._take(numbers_of_a_row), numbers_of_a_row

    def dense(self, layer: BoundLayer, inputs: int, outputs: int, activation: Any, parameters: int) -> None:
        """Add a layer that reads all that comes in."""
        row = self.enter(dense.KERNELS, inputs, outputs, activation)
        self.trains(row, layer, parameters)
        row[at.X_ROWS], row[at.D_ROWS] = self.by_row, self.by_row + inputs
        self.by_row += inputs + -(-outputs // LANES) * LANES
        self.scratch = max(self.scratch, outputs * LANES)

    def silence(self, units: int) -> None:
        """Add dropout of so many numbers a row."""
        row = self.enter(elementwise.MASKED, units, units)
        self.keeps(row, units)
        row[at.MASK], self.masks = self.masks, self.masks + units


Entering = Callable[[Table, BoundLayer, Any, int], None]


def enters(cls: type[LayerRule]) -> Callable[[Entering], Entering]:
    """Enter a kind of layer: the function is given the table, the layer, its rule, and where its parameters begin in θ."""
    assert cls in KINDS, f"coverage.py does not name {cls.__name__}"

    def note(function: Entering) -> Entering:
        ROWS[cls] = lambda table, layer, parameters: function(table, layer, layer.rule, parameters)
        return function

    return note


def _place(row: Array, layer: BoundLayer, window: Window, dilation: tuple[int, int], groups: int) -> None:
    (*_, channels), (*_, filters) = layer.input_shape, layer.output_shape
    row[at.HEIGHT : at.FILTERS + 1] = *window.size, channels, *window.out, filters
    row[at.KERNEL_HEIGHT : at.DILATED_DOWN] = *window.kernel, *window.stride
    row[at.DILATED_DOWN : at.TOP] = dilation
    row[at.TOP : at.GROUPS + 1] = *window.before, *window.padded, groups


@enters(Conv2d)
def _conv2d(table: Table, layer: BoundLayer, rule: Conv2d, parameters: int) -> None:
    window = rule.window(layer.input_shape)
    sees_all = window.kernel == window.size == window.padded
    if sees_all and rule.groups == 1 and rule.connections is None:  # every filter reads the whole image, once
        table.dense(layer, layer.inputs, layer.outputs, rule.activation, parameters)
        return
    pairs = [float(n) for filter_, read in enumerate(rule.connections or ()) for channel in read for n in (channel, filter_)]
    own = (number(rule.activation), *pairs) if pairs else ()
    row = table.enter(convolution.KERNELS, layer.inputs, layer.outputs, rule.activation, own)
    table.trains(row, layer, parameters)
    table.adds_up(row, layer)
    _place(row, layer, window, window.dilation, rule.groups)
    if pairs:
        row[at.CONNECTIONS] = len(pairs) // 2
        full = int(np.prod(window.kernel)) * layer.input_shape[-1] * rule.filters
        table.keeps(row, -(-2 * full // LANES))
    elif window.is_padded:
        table.keeps(row, int(np.prod(window.padded)) * layer.input_shape[-1])
    table.scratch = max(table.scratch, window.out[1] * rule.filters * LANES)


@enters(AveragePool2d)
def _average_pool2d(table: Table, layer: BoundLayer, rule: AveragePool2d, parameters: int) -> None:
    row = table.enter(pooling.AVERAGE, layer.inputs, layer.outputs)
    _place(row, layer, rule.window(layer.input_shape), (1, 1), 1)


@enters(MaxPool2d)
def _max_pool2d(table: Table, layer: BoundLayer, rule: MaxPool2d, parameters: int) -> None:
    row = table.enter(pooling.LARGEST, layer.inputs, layer.outputs)
    _place(row, layer, rule.window(layer.input_shape), (1, 1), 1)
    table.scratch = max(table.scratch, layer.input_shape[-1] * LANES)


@enters(Dense)
def _dense(table: Table, layer: BoundLayer, rule: Dense, parameters: int) -> None:
    table.dense(layer, layer.inputs, layer.outputs, rule.activation, parameters)
    if rule.dropout:
        table.silence(layer.outputs)


@enters(Dropout)
def _dropout(table: Table, layer: BoundLayer, rule: Dropout, parameters: int) -> None:
    if rule.rate:
        table.silence(layer.outputs)


@enters(Flatten)
def _flatten(table: Table, layer: BoundLayer, rule: Flatten, parameters: int) -> None:
    """The numbers lie as they did."""


@enters(ActivationLayer)
def _activation(table: Table, layer: BoundLayer, rule: ActivationLayer, parameters: int) -> None:
    if isinstance(rule.activation, activations.Identity):
        return
    row = table.enter(elementwise.BENT, layer.inputs, layer.outputs, rule.activation)
    row[at.Z] = row[at.X]


@enters(LocalResponseNormalization)
def _response(table: Table, layer: BoundLayer, rule: LocalResponseNormalization, parameters: int) -> None:
    own = (rule.alpha, rule.beta, rule.k)
    row = table.enter(response_normalization.KERNELS, layer.inputs, layer.outputs, own=own)
    table.keeps(row, layer.outputs)
    table.scratch = max(table.scratch, layer.input_shape[-1] * LANES)
    row[at.CHANNELS], row[at.KERNEL_WIDTH] = layer.input_shape[-1], rule.size
