"""A deep network before training: what it shows against the formulas of variance, and against the course's claims."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from engine.errors import InvalidSpec
from engine.glass.propagation import LayerSpread, Propagation
from engine.network.layers.dense import dense
from engine.network.network import Network
from engine.parts.initializers import Initializer, InitializerRule
from engine.spec import kind_of, members

EVERY = [kind_of(cls) for cls in members(Initializer)]
INITIALIZER: TypeAdapter[InitializerRule] = TypeAdapter(Initializer)
PROPAGATION = TypeAdapter(Propagation)


def layers(**given: Any) -> list[LayerSpread]:
    return PROPAGATION.validate_python({"width": 100, **given}).layers()


@pytest.mark.parametrize("kind", EVERY)
def test_the_variance_is_that_of_the_drawn_weights(kind: str) -> None:
    rule = INITIALIZER.validate_python(kind)
    drawn, variance = rule.draw(np.random.default_rng(0), 300, 400), rule.variance(300, 400)
    if variance is None:
        assert drawn.mean() != 0
        return
    assert drawn.var() == pytest.approx(variance, rel=0.02)
    assert abs(drawn.mean()) <= 4 * np.sqrt(variance / drawn.size)


@pytest.mark.parametrize("activation", ["identity", "tanh", "relu"])
@pytest.mark.parametrize("kind", EVERY)
def test_sums_and_gradients_spread_as_their_variance_says(kind: str, activation: str) -> None:
    for layer in layers(initializer=kind, activation=activation, depth=4):
        if layer.expected_weighted_sum_std is None or layer.expected_gradient_std is None:
            assert kind == "constant"
            continue
        assert layer.weighted_sums.std == pytest.approx(layer.expected_weighted_sum_std, rel=0.15)
        assert layer.gradients.std == pytest.approx(layer.expected_gradient_std, rel=0.15)


def test_the_weights_are_those_that_a_job_of_the_seed_begins_with() -> None:
    propagation = PROPAGATION.validate_python(
        {"initializer": "he_normal", "activation": "identity", "width": 30, "depth": 1, "seed": 7}
    )
    network = Network([dense(30, 30), dense(30, 30)], float, np)
    network.initialize(INITIALIZER.validate_python("he_normal"), 7)
    first, second = (views.W for views in network.parameters.layers)
    (layer,) = propagation.layers()
    assert layer.weighted_sums.std == pytest.approx(np.sqrt((first**2).sum(axis=0).mean()), rel=0.1)
    assert layer.gradients.std == pytest.approx(np.sqrt((second**2).sum(axis=1).mean()), rel=0.1)
    assert propagation.layers() == [layer]


def test_what_the_course_shows() -> None:
    """Too small: all vanishes. Too large: tanh saturates, ReLU explodes. Xavier with tanh and He with ReLU keep the size."""
    small = layers(initializer={"kind": "normal", "std": 0.01}, activation="tanh")
    assert small[-1].activations.std < 1e-6 and small[0].gradients.std < 1e-6
    large = layers(initializer="standard_normal", activation="tanh")
    assert all((layer.activations.saturated or 0) > 0.7 for layer in large)
    wild = layers(initializer="standard_normal", activation="relu")
    assert wild[-1].activations.std > 1e8 and wild[0].gradients.std > 1e8
    for initializer, activation in (("xavier_normal", "tanh"), ("he_normal", "relu"), ("he_uniform", "relu")):
        kept = layers(initializer=initializer, activation=activation)
        assert 0.1 < kept[-1].activations.std / kept[0].activations.std < 10
        assert 0.1 < kept[-1].gradients.std / kept[0].gradients.std < 10
    assert 0.4 < kept[0].zero < 0.6
    none = layers(initializer="zeros", activation="relu")
    assert all(layer.activations.max == layer.gradients.max == 0 for layer in none)
    assert none[0].zero == none[0].activations.dead == 1


def test_what_is_beyond_all_numbers_is_left_out() -> None:
    deep = layers(initializer={"kind": "normal", "std": 1e6}, activation="identity", width=50, depth=50)
    assert deep[-1].activations.count == 0
    assert deep[0].activations.count == 50 * 200


def test_an_activation_of_whole_rows_is_refused() -> None:
    with pytest.raises(InvalidSpec) as caught:
        layers(activation="softmax")
    assert caught.value.errors[0][0] == "/activation"
