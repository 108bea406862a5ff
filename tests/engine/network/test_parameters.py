import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.network.layers.base import BoundLayer
from engine.network.layers.dense import dense
from engine.network.parameters import Parameters, layer_views

SHAPES = st.lists(st.builds(dense, st.integers(1, 6), st.integers(1, 6), bias=st.booleans()), min_size=1, max_size=5)


@given(SHAPES)
def test_views_tile_the_vectors(shapes: list[BoundLayer]) -> None:
    """Every parameter is in one view, and in the order W row by row, b, layer after layer."""
    parameters = Parameters([shape.parameters for shape in shapes], np.float64, np)
    assert parameters.size == sum(shape.size for shape in shapes)
    parameters.theta[...] = np.arange(parameters.size)
    parameters.gradient[...] = -np.arange(parameters.size)
    weights, gradients = [], []
    for shape, layer in zip(shapes, parameters.layers, strict=True):
        assert layer.W.shape == layer.dW.shape == (shape.inputs, shape.outputs)
        assert (layer.b is None) == (layer.db is None) == (not shape.bias)
        weights += [layer.W.ravel(), *([] if layer.b is None else [layer.b])]
        gradients += [layer.dW.ravel(), *([] if layer.db is None else [layer.db])]
    np.testing.assert_array_equal(np.concatenate(weights), parameters.theta)
    np.testing.assert_array_equal(np.concatenate(gradients), parameters.gradient)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_writing_a_view_writes_the_vector(dtype: type) -> None:
    parameters = Parameters([dense(2, 2).parameters, dense(2, 1, bias=False).parameters], dtype, np)
    assert parameters.theta.dtype == parameters.gradient.dtype == dtype
    assert not parameters.theta.any()
    first, second = parameters.layers
    assert first.b is not None
    first.W[0, 1], first.b[0], second.W[1, 0], second.dW[0, 0] = 1, 2, 3, 4
    assert parameters.theta.tolist() == [0, 1, 0, 0, 2, 0, 0, 3]
    assert parameters.gradient.tolist() == [0, 0, 0, 0, 0, 0, 4, 0]


@pytest.mark.parametrize(("shape", "size"), [(dense(2, 2), 6), (dense(2, 1), 3), (dense(3, 4, bias=False), 12)])
def test_a_layers_size(shape: BoundLayer, size: int) -> None:
    assert shape.size == size


def test_a_2_2_1_net_has_9() -> None:
    assert Parameters([dense(2, 2).parameters, dense(2, 1).parameters], np.float64, np).size == 9


def test_any_vectors_can_be_cut() -> None:
    theta, slot = np.arange(6.0), np.arange(6.0) * 10
    [layer] = layer_views(theta, slot, [dense(2, 2).parameters])
    assert layer.dW.tolist() == [[0, 10], [20, 30]]
    layer.W[...] = 7
    assert theta.tolist() == [7, 7, 7, 7, 4, 5]
