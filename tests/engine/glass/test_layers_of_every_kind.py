"""What is shown of convolutions, pooling, normalization and dropout: traces, gradient checks, histograms and exports."""

from typing import Any

import numpy as np
import pytest

from engine.backend import to_host
from engine.glass.gradient_check import check_gradient
from engine.glass.histograms import layer_histograms
from engine.glass.trace import Quantity, Update, count_numbers, trace
from engine.models.descent import Definition, start_vectors
from engine.network.backpropagation import Backpropagation
from engine.network.layers.base import bind
from engine.network.layers.conv2d import Conv2d
from engine.network.network import Network
from engine.parts.activations import Identity
from engine.parts.losses import CrossEntropy
from engine.parts.optimizers import Adam
from tests.engine.network.test_layers import C3, EVERY, backpropagation, filled
from tests.engine.network.test_lenet5 import LENET5, images, small


def update(network: Network) -> Update:
    optimizer = Adam(learning_rate=0.002)
    return Update(optimizer, 0.002, [np.zeros_like(network.parameters.theta) for _ in optimizer.slots])


def shown(found: list[Quantity]) -> dict[tuple[str | None, str], np.ndarray]:
    values = {(each.layer, each.name): each.values for each in found}
    assert len(values) == len(found)
    return values


def test_a_convolution_is_shown_from_its_patches_to_its_gradient() -> None:
    problem = images(LENET5, (28, 28, 1), 3, 3)
    descent = Backpropagation(problem.network, problem.train.X, problem.train.Y, CrossEntropy(), penalties=(0.0, 0.1))
    found = shown(trace(descent, update(problem.network)))
    for layer, before in (("conv2d_1", None), ("conv2d_2", "average_pool2d_1")):
        patches, W, b = (found[layer, name] for name in ("patches", "W", "b"))
        assert patches.shape[3:] == W.shape[:3]
        near: dict[str, Any] = {"rtol": 1e-10, "atol": 1e-12}
        np.testing.assert_allclose(np.einsum("nyxijc,ijcf->nyxf", patches, W) + b, found[layer, "Z"], **near)
        np.testing.assert_allclose(np.tanh(found[layer, "Z"]), found[layer, "A"], **near)
        dZ = found[layer, "dA"] * (1 - found[layer, "A"] ** 2)
        np.testing.assert_allclose(found[layer, "dZ"], dZ, **near)
        np.testing.assert_allclose(np.einsum("nyxijc,nyxf->ijcf", patches, dZ) + 0.1 * W, found[layer, "dW"], **near)
        np.testing.assert_allclose(dZ.sum(axis=(0, 1, 2)), found[layer, "db"], **near)
        pooled = found[before, "A"] if before else problem.train.X.reshape(3, 28, 28, 1)
        np.testing.assert_array_equal(found[before, "A"], pooled)
    np.testing.assert_array_equal(found["flatten_1", "A"], found["conv2d_3", "A"].reshape(3, 120))
    np.testing.assert_array_equal(found["conv2d_3", "dA"].reshape(3, 120), found["flatten_1", "dA"])


def test_a_step_that_is_shown_is_the_step_that_trains() -> None:
    shown_of, trained = (images(LENET5, (28, 28, 1), 4, 4) for _ in range(2))
    network = shown_of.network
    descent = Backpropagation(network, shown_of.train.X, shown_of.train.Y, CrossEntropy())
    trace(descent, update(network))
    Definition(trained, start_vectors(trained.spec, trained.network), 4)(np.arange(4), 0, 1, 0, 0.002)
    np.testing.assert_allclose(network.parameters.theta, trained.network.parameters.theta, rtol=1e-12, atol=1e-15)


def test_every_kind_is_shown_in_order_with_a_formula() -> None:
    descent = backpropagation(1)
    expected = count_numbers(descent, update(descent.network))
    found = trace(descent, update(descent.network))
    assert expected / 2 <= sum(each.values.size for each in found) <= expected
    assert all(each.formula for each in found)
    stages = [each.stage for each in found]
    assert sorted(stages, key=["forward", "loss", "backward", "update"].index) == stages
    values = shown(found)
    kept = {"batch_normalization_1": "normalized", "local_response_normalization_1": "S", "dropout_1": "mask"}
    assert set(kept.items()) <= values.keys()
    normalized = values["batch_normalization_1", "normalized"].reshape(-1, 4)
    np.testing.assert_allclose(normalized.mean(axis=0), 0, atol=1e-12)
    gamma, beta = (values["batch_normalization_1", name] for name in ("gamma", "beta"))
    np.testing.assert_allclose(values["batch_normalization_1", "A"].reshape(-1, 4), gamma * normalized + beta, rtol=1e-12)
    np.testing.assert_allclose(
        values["dropout_1", "A"], values["average_pool2d_1", "A"] * values["dropout_1", "mask"], rtol=1e-12
    )
    np.testing.assert_allclose(
        values["average_pool2d_1", "dA"], values["dropout_1", "dA"] * values["dropout_1", "mask"], rtol=1e-12
    )
    assert {name for layer, name in values if layer == "batch_normalization_1"} >= {
        "dgamma",
        "dbeta",
        "new_gamma",
        "change_beta",
    }


def test_a_bias_as_an_extra_input_is_of_dense_layers_alone() -> None:
    descent = backpropagation(2)
    found = shown(trace(descent, update(descent.network), "extra_input"))
    assert found["conv2d_1", "b"].shape == (4,)
    assert found["dense_1", "W"].shape == (descent.network.layers[9].inputs + 1, 4)
    assert ("dense_1", "b") not in found
    np.testing.assert_array_equal(found["flatten_1", "A"][:, 0], 1)


def test_every_kind_passes_its_check_and_is_named_by_its_place() -> None:
    descent = backpropagation(3)
    descent.masked = None
    network = descent.network
    slopes = check_gradient(descent, 10_000)
    assert len(slopes) == network.parameters.size
    assert [slope for slope in slopes if not slope.agrees] == []
    views = dict(zip(network.names, network.parameters.layers, strict=True))
    for slope in slopes:
        assert views[slope.layer].arrays[slope.name][slope.index] == slope.value


def test_histograms_are_of_every_layer_and_count_a_filter_as_a_unit() -> None:
    problem = small()
    network = problem.network
    network.parameters.layers[0].W[...] = 0
    b = network.parameters.layers[0].b
    assert b is not None
    b[...] = [-1, -1, 1, 1, 1, 1, 1, 1]  # two of eight filters are dead
    found = layer_histograms(problem)
    assert [entry.layer for entry in found if entry.of == "activations"] == network.names
    (first,) = [entry for entry in found if (entry.layer, entry.of) == ("conv2d_1", "activations")]
    assert (first.dead, first.saturated, first.count) == (0.25, 0.25, 20 * 8 * 8 * 8)
    assert {entry.layer for entry in found if entry.of == "weights"} == {"conv2d_1", "conv2d_2", "dense_1", "output"}
    pooled = next(entry for entry in found if (entry.layer, entry.of) == ("max_pool2d_1", "activations"))
    assert pooled.dead is None


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_goes_out_is_all_that_an_evaluation_needs(dtype: Any) -> None:
    network = filled(EVERY, (5, 6, 2), 0, dtype)
    found = network.exported()
    assert list(found) == ["conv2d_1", "batch_normalization_1", "conv2d_2", "dense_1", "batch_normalization_2", "output"]
    assert set(found["batch_normalization_1"]) == {"gamma", "beta", "mean", "variance"}
    assert found["conv2d_1"]["weights"].shape == (3, 3, 1, 4)
    full = found["conv2d_2"]["weights"]  # reads some channels alone: 0 for the others
    assert full.shape == (2, 2, 4, 3)
    assert not full[:, :, [1, 3], 0].any()
    count = sum(to_host(array).size for arrays in found.values() for name, array in arrays.items() if name not in STATISTICS)
    assert count == network.parameters.size + 4 * (12 - 6)


STATISTICS = {"mean", "variance"}


def test_the_table_of_1998_goes_out_with_its_zeros() -> None:
    rules = [Conv2d(filters=16, kernel=5, connections=C3, activation=Identity()), Conv2d(filters=1, kernel=10)]
    network = Network(bind(rules, (14, 14, 6)), np.float64, np)
    network.parameters.theta[...] = 1.0
    assert network.exported()["conv2d_1"]["weights"].sum() == 1500
