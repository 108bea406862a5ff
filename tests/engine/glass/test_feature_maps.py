"""Filters and feature maps: a convolution's maps are PyTorch's, and each layer's are what the network goes on from."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.errors import InvalidSpec
from engine.glass.feature_maps import INPUT, extent, feature_maps, filters
from engine.network.layers.average_pool2d import AveragePool2d
from engine.network.layers.base import LayerRule, bind
from engine.network.layers.conv2d import Conv2d
from engine.network.layers.dense import Dense
from engine.network.layers.flatten import Flatten
from engine.network.network import Network
from engine.parts.activations import Identity, Tanh
from engine.parts.initializers import HeNormal

SHAPE = (6, 5, 3)
READ = ((0,), (1, 2), (0, 1, 2))


def network(*rules: LayerRule) -> Network:
    made = Network(bind([*rules, Flatten(), Dense(units=2, activation=Identity())], SHAPE), np.float64, np)
    made.initialize(HeNormal(), 3)
    made.parameters.theta[...] += 0.1  # so that no bias is 0
    return made


@pytest.mark.parametrize("connections", [None, READ])
def test_a_map_is_its_filter_laid_over_the_image(connections: tuple[tuple[int, ...], ...] | None) -> None:
    rule = Conv2d(filters=3, kernel=3, padding="same", activation=Tanh(), connections=connections)
    made = network(rule, AveragePool2d(kernel=2))
    image = np.random.default_rng(0).standard_normal(SHAPE)
    row = image.reshape(1, -1)
    found, maps = filters(made), feature_maps(made, row)
    W, X = torch.tensor(found.weights.transpose(3, 2, 0, 1)), torch.tensor(image.transpose(2, 0, 1))
    expected = functional.conv2d(X, W, torch.tensor(found.bias), padding=1).numpy().transpose(1, 2, 0)
    assert maps.sums is not None
    np.testing.assert_allclose(maps.sums, expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(maps.maps, np.tanh(expected), rtol=1e-10, atol=1e-12)
    assert [tuple(np.flatnonzero(reads)) for reads in found.reads.T] == list(connections or [(0, 1, 2)] * 3)
    assert not found.weights.transpose(2, 3, 0, 1)[~found.reads].any()
    pooled = feature_maps(made, row, "average_pool2d_1")
    assert pooled.sums is None
    np.testing.assert_allclose(pooled.maps[0, 0], maps.maps[:2, :2].mean(axis=(0, 1)))
    assert (feature_maps(made, row, INPUT).maps == image).all()
    assert (found.layers, maps.layers) == (["conv2d_1"], [INPUT, "conv2d_1", "average_pool2d_1"])


def test_what_there_is_is_told() -> None:
    row = np.zeros((1, 90))
    for ask in (filters, lambda made: feature_maps(made, row)):
        with pytest.raises(InvalidSpec, match=r"its layers are flatten_1 \(flatten, 90\), output \(dense, 2\)"):
            ask(network())
    with pytest.raises(InvalidSpec, match=r"there are input, average_pool2d_1$"):
        feature_maps(network(AveragePool2d(kernel=2)), row, "output")


def test_pictures_are_of_finite_numbers_and_never_of_one_alone() -> None:
    assert extent(np.array([-3.0, np.nan, 1, np.inf])) == (-3, 1)
    assert extent(np.array([-3.0, 1]), around_zero=True) == (-3, 3)
    assert extent(np.zeros(2), around_zero=True) == extent(np.full(2, np.nan)) == (-0.5, 0.5)
