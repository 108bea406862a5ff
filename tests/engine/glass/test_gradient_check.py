"""The check agrees with what is right, of every activation and every loss, and finds what is wrong."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

from engine.glass.gradient_check import Slope, check_gradient, count_products
from engine.glass.trace_input import Given, GivenLayer, Moment
from engine.network.backpropagation import Backpropagation
from engine.network.layers.dense import dense
from engine.network.network import Network
from engine.parts.activations import Activation, Relu, Tanh
from engine.parts.losses import CrossEntropy, HalfMeanSquaredError, Loss
from engine.spec import kind_of, members
from tests.engine import prepared, table

LOSSES = [kind_of(cls) for cls in members(Loss)]
ACTIVATIONS = [kind_of(cls) for cls in members(Activation)]


def given(activation: str = "tanh", loss: str = "cross_entropy", seed: int = 3) -> Given:
    """3-4-5-2 with weights drawn, five rows whose targets suit every loss."""
    rng = np.random.default_rng(seed)
    layers = []
    for shape in ((3, 4), (4, 5), (5, 2)):
        weights = tuple(map(tuple, rng.normal(size=shape).tolist()))
        chosen = {"kind": activation if shape[1] > 2 else "identity"}
        layers.append(GivenLayer(weights=weights, bias=tuple(rng.normal(size=shape[1]).tolist()), activation=chosen))
    targets = np.eye(2)[rng.integers(0, 2, 5)].tolist()
    return Given(layers=tuple(layers), loss={"kind": loss}, inputs=rng.normal(size=(5, 3)).tolist(), targets=targets)


def wrong(slopes: list[Slope]) -> list[Slope]:
    return [slope for slope in slopes if not slope.agrees]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_what_is_right_agrees(activation: str, loss: str) -> None:
    descent = given(activation, loss).descent()
    theta = descent.network.parameters.theta.copy()
    slopes = check_gradient(descent, 1000)
    assert [slope.value for slope in slopes] == theta.tolist() == descent.network.parameters.theta.tolist()
    assert not wrong(slopes)


@pytest.mark.parametrize("of", [(Tanh, "gradient", 4), (CrossEntropy, "gradient", 3)], ids=["activation", "loss"])
@pytest.mark.parametrize("factor", [1.001, -2.0, 0.0])
def test_what_is_wrong_does_not(of: tuple[type, str, int], factor: float, monkeypatch: pytest.MonkeyPatch) -> None:
    cls, name, out = of
    right = getattr(cls, name)

    def distorted(self: Any, xp: Any, *arrays: Any) -> None:
        right(self, xp, *arrays)
        arrays[out - 1][...] *= factor

    monkeypatch.setattr(cls, name, distorted)
    slopes = check_gradient(given().descent(), 1000)
    before_last = [slope for slope in slopes if slope.layer != "output"]
    assert len(wrong(before_last)) == len(before_last)


def test_a_corner_is_called_what_it_is() -> None:
    """ReLU at 0: half of the slope to the right, by difference, and none by definition."""
    at_the_corner = Given(
        layers=(GivenLayer(weights=((0.0,),), activation=Relu()), GivenLayer(weights=((1.0,),))),
        loss={"kind": "mse"}, inputs=((1.0,),), targets=((5.0,),),
    )  # fmt: skip
    first, second = check_gradient(at_the_corner.descent(), 10)
    assert (first.layer, first.name, first.index, first.analytic) == ("hidden_1", "W", (0, 0), 0.0)
    assert first.numeric == pytest.approx(-5, abs=1e-4)
    assert (first.agrees, first.error) == (False, 1.0)
    assert (second.agrees, second.error) == (True, 0.0)


def test_what_is_no_number_does_not_agree() -> None:
    """One step from the largest cost there is: the difference is infinite, and so is what would be close to it."""
    edge = Given(
        layers=(GivenLayer(weights=((1.34078e154,),)),), loss={"kind": "mse"}, inputs=((1.0,),), targets=((0.0,),)
    )  # fmt: skip
    (slope,) = check_gradient(edge.descent(), 1)
    assert (slope.numeric, slope.agrees) == (np.inf, False)


@pytest.mark.parametrize("most", [1, 2, 7, 52, 53, 1000])
def test_some_of_many_lie_evenly_over_all(most: int) -> None:
    descent = given().descent()
    assert descent.network.parameters.size == 53
    slopes = check_gradient(descent, most)
    assert len(slopes) == min(most, 53)
    places = [(slope.layer, slope.name, slope.index) for slope in slopes]
    assert len(set(places)) == len(places)
    assert places[0] == ("hidden_1", "W", (0, 0))
    if most > 1:
        assert places[-1] == ("output", "b", (1,))


def test_each_is_named_by_its_place() -> None:
    """Whichever are chosen: the layer, and the place in its W or b, where θ holds the value."""
    descent = given().descent()
    layers = dict(zip(("hidden_1", "hidden_2", "output"), descent.network.parameters.layers, strict=True))
    for slope in check_gradient(descent, 1000):
        views = layers[slope.layer]
        assert slope.value == {"W": views.W, "b": views.b}[slope.name][slope.index]


def test_few_of_a_large_network_take_no_more_memory_than_its_weights() -> None:
    network = Network([dense(1000, 1000), dense(1000, 1)], np.float64, np)
    network.parameters.theta[...] = 1e-3
    descent = Backpropagation(network, np.ones((1, 1000)), np.ones((1, 1)), HalfMeanSquaredError())
    tracemalloc.start()
    assert not wrong(check_gradient(descent, 10))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * network.parameters.theta.nbytes


@pytest.mark.parametrize("of", ["rows", "layers", "units", "l1"])
def test_more_of_anything_takes_longer(of: str) -> None:
    def descent(rows: int = 4, layers: int = 2, units: int = 3, l1: float = 0.0) -> Backpropagation:
        network = Network([dense(units, units, Tanh()) for _ in range(layers)], np.float64, np)
        return Backpropagation(
            network, np.ones((rows, units)), np.ones((rows, units)), HalfMeanSquaredError(), penalties=(l1, 0)
        )

    assert count_products(descent(**{of: 9})) > count_products(descent())


def test_a_run_in_float32_is_checked_in_float64() -> None:
    data = table({"x": [0.1 * i for i in range(30)], "y": [i % 3 for i in range(30)]})
    posed = prepared(data, target="y", model={"kind": "mlp"}, class_weight="balanced", regularization={"l1": 0.1, "l2": 0.2})
    moment = Moment.of(posed.problem.spec, data.columns, None)
    descent = moment.descent(moment.batch(), np.float64)
    assert moment.network.dtype == np.float32
    slopes = check_gradient(descent, 1000)
    assert descent.row_weights is not None
    assert [slope for slope in wrong(slopes) if slope.layer == "output"] == []
