"""Which networks compiled code trains on a CPU; any other runs by its definition. Light to import: estimates ask, too."""

from collections.abc import Sequence

from engine.network.layers.activation import ActivationLayer
from engine.network.layers.average_pool2d import AveragePool2d
from engine.network.layers.base import IDENTITY, BoundLayer, LayerRule
from engine.network.layers.conv2d import Conv2d
from engine.network.layers.dense import Dense
from engine.network.layers.dropout import Dropout
from engine.network.layers.flatten import Flatten
from engine.network.layers.local_response_normalization import LocalResponseNormalization
from engine.network.layers.max_pool2d import MaxPool2d
from engine.network.network import is_dense

KINDS: frozenset[type[LayerRule]] = frozenset(
    (ActivationLayer, AveragePool2d, Conv2d, Dense, Dropout, Flatten, LocalResponseNormalization, MaxPool2d)
)
"""The layers that layer_table.py enters with their kernels."""


def without_kernel(layer: BoundLayer) -> str | None:
    """What of the layer compiled code cannot take, in the words of a request; None where it takes all of it."""
    rule = layer.rule
    if type(rule) not in KINDS:
        return rule.kind
    if not layer.activation.is_elementwise:
        return f"{rule.kind} ({layer.activation.kind})"
    if isinstance(rule, Conv2d) and rule.connections is not None and rule.window(layer.input_shape).is_padded:
        return f"{rule.kind} (connections, padding)"
    return None


def is_compiled(layers: Sequence[BoundLayer]) -> bool:
    """Whether compiled code can take all of a network. One of dense layers alone has paths of its own, without dropout; where
    these do not suit, it runs by its definition, in the bits that it always had.
    """
    if any(map(without_kernel, layers)):
        return False
    if is_dense(layers):
        return layers[-1].activation == IDENTITY and not any(layer.dropout for layer in layers)
    return any(layer.size for layer in layers)
