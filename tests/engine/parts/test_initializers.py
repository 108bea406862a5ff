import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.parts.initializers import (
    ConstantInitializer,
    HeNormal,
    HeUniform,
    Initializer,
    InitializerRule,
    NormalInitializer,
    StandardNormal,
    UniformInitializer,
    XavierNormal,
    XavierUniform,
    Zeros,
)
from engine.spec import members

RULES: list[InitializerRule] = [cls() for cls in members(Initializer)]
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)

INPUTS, OUTPUTS = 300, 200
DEVIATIONS: list[tuple[InitializerRule, float]] = [
    (NormalInitializer(std=0.2), 0.2),
    (StandardNormal(), 1.0),
    (UniformInitializer(bound=0.3), 0.3 / math.sqrt(3)),
    (XavierNormal(), math.sqrt(2 / (INPUTS + OUTPUTS))),
    (XavierUniform(), math.sqrt(2 / (INPUTS + OUTPUTS))),
    (HeNormal(), math.sqrt(2 / INPUTS)),
    (HeUniform(), math.sqrt(2 / INPUTS)),
]
BOUNDS: list[tuple[InitializerRule, float]] = [
    (UniformInitializer(bound=0.3), 0.3),
    (XavierUniform(), math.sqrt(6 / (INPUTS + OUTPUTS))),
    (HeUniform(), math.sqrt(6 / INPUTS)),
]


def draw(rule: InitializerRule, seed: int = 0, inputs: int = INPUTS, outputs: int = OUTPUTS) -> np.ndarray:
    return rule.draw(np.random.default_rng(seed), inputs, outputs)


@every_rule
@given(inputs=st.integers(1, 20), outputs=st.integers(1, 20), seed=st.integers(0, 2**53 - 1))
def test_shape_type_and_reproducibility(rule: InitializerRule, inputs: int, outputs: int, seed: int) -> None:
    W = draw(rule, seed, inputs, outputs)
    assert W.shape == (inputs, outputs)
    assert W.dtype == np.float64
    assert W.flags.writeable
    assert np.isfinite(W).all()
    np.testing.assert_array_equal(W, draw(rule, seed, inputs, outputs))


@pytest.mark.parametrize(("rule", "deviation"), DEVIATIONS, ids=lambda value: getattr(value, "kind", None))
def test_deviation(rule: InitializerRule, deviation: float) -> None:
    W = draw(rule)
    standard_error = deviation / math.sqrt(W.size)
    assert abs(W.mean()) < 5 * standard_error
    assert W.std() == pytest.approx(deviation, abs=5 * standard_error)
    assert not np.array_equal(W, draw(rule, seed=1))


@pytest.mark.parametrize(("rule", "bound"), BOUNDS, ids=lambda value: getattr(value, "kind", None))
def test_bounds(rule: InitializerRule, bound: float) -> None:
    largest = np.abs(draw(rule)).max()
    assert 0.999 * bound < largest <= bound


@pytest.mark.parametrize("rule", [NormalInitializer(), StandardNormal(), XavierNormal(), HeNormal()])
def test_normal_rules_have_normal_tails(rule: InitializerRule) -> None:
    W = draw(rule) / draw(rule).std()
    assert np.mean(np.abs(W) < 1) == pytest.approx(0.6827, abs=0.01)
    assert np.abs(W).max() > 3.5


def test_fixed_values() -> None:
    assert (draw(Zeros()) == 0).all()
    assert (draw(ConstantInitializer(value=-2.5)) == -2.5).all()


def deviations_through_ten_layers(rule: InitializerRule, activation: Any) -> list[float]:
    rng = np.random.default_rng(0)
    A = rng.standard_normal((256, 128))
    deviations = []
    for _ in range(10):
        A = activation(A @ rule.draw(rng, 128, 128))
        deviations.append(float(np.sqrt(np.mean(A * A))))
    return deviations


def test_what_the_course_shows_of_depth() -> None:
    """Xavier and He keep activations of one order through 10 layers; too small vanishes, too large saturates."""
    kept = [
        *deviations_through_ten_layers(XavierNormal(), np.tanh),
        *deviations_through_ten_layers(XavierUniform(), np.tanh),
        *deviations_through_ten_layers(HeNormal(), lambda Z: np.maximum(Z, 0)),
        *deviations_through_ten_layers(HeUniform(), lambda Z: np.maximum(Z, 0)),
    ]
    assert min(kept) > 0.15
    assert max(kept) < 2
    vanishing = deviations_through_ten_layers(NormalInitializer(std=0.01), np.tanh)
    assert all(0.08 < after / before < 0.16 for before, after in pairwise(vanishing))  # 0.01 √128 = 0.11
    assert all(deviation > 0.9 for deviation in deviations_through_ten_layers(StandardNormal(), np.tanh))
    exploding = deviations_through_ten_layers(StandardNormal(), lambda Z: np.maximum(Z, 0))
    assert all(5 < after / before < 13 for before, after in pairwise(exploding))  # √(128 / 2) = 8
