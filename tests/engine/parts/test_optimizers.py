import math
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from engine.parts.optimizers import (
    Adagrad,
    Adam,
    AdamW,
    GradientDescent,
    Momentum,
    Nesterov,
    Optimizer,
    OptimizerRule,
    RMSProp,
)
from engine.spec import members

RULES: list[OptimizerRule] = [cls() for cls in members(Optimizer)]
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
both_types = pytest.mark.parametrize("dtype", [np.float32, np.float64])
Gradient = Callable[[np.ndarray], np.ndarray]


def descend(
    rule: OptimizerRule, theta: np.ndarray, gradient: Gradient, rates: Sequence[float]
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Where `theta` is led by one step for each rate, and the state then."""
    theta = theta.copy()
    slots = [np.zeros_like(theta) for _ in rule.slots]
    work = np.full_like(theta, np.nan)
    for step, rate in enumerate(rates, start=1):
        rule.update(np, theta, gradient(theta), slots, work, step, rate)
    return theta, slots


def falling(rate: float, steps: int) -> list[float]:
    return [rate * (1 - step / steps) for step in range(steps)]


@every_rule
@both_types
def test_reaches_the_minimum_of_a_quadratic(rule: OptimizerRule, dtype: Any) -> None:
    curvature, minimum = np.array([1, 3, 0.3], dtype), np.array([0.5, -1, 2], dtype)

    def gradient(theta: np.ndarray) -> np.ndarray:
        return curvature * (theta - minimum)

    ends = [descend(rule, np.zeros(3, dtype), gradient, falling(rate, 600))[0] for rate in (0.5, 0.1, 0.02)]
    assert all(end.dtype == dtype for end in ends)
    assert min(np.abs(end - minimum).max() for end in ends) < 0.01


def rosenbrock(theta: np.ndarray) -> float:
    x, y = theta
    return float((1 - x) ** 2 + 100 * (y - x * x) ** 2)


def rosenbrock_gradient(theta: np.ndarray) -> np.ndarray:
    x, y = theta
    return np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])


@every_rule
@both_types
def test_gets_ahead_in_rosenbrocks_valley(rule: OptimizerRule, dtype: Any) -> None:
    """From Rosenbrock's own start, in either type along the same way: a float32 that lost digits would leave it."""
    rate = 1e-3 if isinstance(rule, GradientDescent | Momentum | Nesterov) else 0.3
    start = np.array([-1.2, 1.0])
    end, _ = descend(rule, start.astype(dtype), rosenbrock_gradient, falling(rate, 3000))
    assert end.dtype == dtype
    assert rosenbrock(start) == pytest.approx(24.2)
    assert rosenbrock(end) < 0.2
    double, _ = descend(rule, start, rosenbrock_gradient, falling(rate, 3000))
    np.testing.assert_allclose(end, double, rtol=0, atol=1e-5)


ROOT = math.sqrt(0.025)
"""The root of RMSProp's mean square after a gradient of 0.5."""
BY_HAND: list[tuple[OptimizerRule, float, float]] = [
    (GradientDescent(), 0.95, 0.9),
    (Momentum(momentum=0.9), 0.95, 0.95 - 0.095),
    (Nesterov(momentum=0.9), 1 - 0.095, 1 - 0.095 - (0.9 * 0.095 + 0.05)),
    (Adagrad(epsilon=0.11), 1 - 0.05 / 0.6, 1 - 0.05 / 0.6 - 0.05 / math.sqrt(0.61)),
    (RMSProp(rho=0.9, epsilon=0.1), 1 - 0.05 / (ROOT + 0.1), 1 - 0.05 / (ROOT + 0.1) - 0.05 / (0.0475**0.5 + 0.1)),
    (Adam(epsilon=0.5), 0.95, 0.9),
    (AdamW(epsilon=0.5, weight_decay=0.2), 0.98 - 0.05, 0.93 * 0.98 - 0.05),
]
"""θ = 1, η = 0.1 and a gradient of 0.5: where the first and the second step lead."""


@pytest.mark.parametrize(("rule", "first", "second"), BY_HAND, ids=lambda value: getattr(value, "kind", None))
def test_two_steps_by_hand(rule: OptimizerRule, first: float, second: float) -> None:
    for steps, expected in ((1, first), (2, second)):
        theta, _ = descend(rule, np.ones(1), lambda theta: np.array([0.5]), [0.1] * steps)
        assert theta[0] == pytest.approx(expected, rel=1e-14)


def torch_sgd(rule: Any, gradients: list[float], rate: float, theta: float, nesterov: bool) -> float:
    buffer = 0.0
    for g in gradients:
        buffer = rule.momentum * buffer + g
        theta -= rate * (g + rule.momentum * buffer if nesterov else buffer)
    return theta


def torch_rmsprop(rule: Any, gradients: list[float], rate: float, theta: float) -> float:
    average = 0.0
    for g in gradients:
        average = rule.rho * average + (1 - rule.rho) * g * g
        theta -= rate * g / (math.sqrt(average) + rule.epsilon)
    return theta


def torch_adam(rule: Any, gradients: list[float], rate: float, theta: float, weight_decay: float) -> float:
    mean = square = 0.0
    for t, g in enumerate(gradients, start=1):
        theta -= rate * weight_decay * theta
        mean += (g - mean) * (1 - rule.beta_1)
        square = rule.beta_2 * square + (1 - rule.beta_2) * g * g
        mean_hat, square_hat = mean / (1 - rule.beta_1**t), square / (1 - rule.beta_2**t)
        theta -= rate * mean_hat / (math.sqrt(square_hat) + rule.epsilon)
    return theta


TORCH: list[tuple[OptimizerRule, Callable[[Any, list[float], float, float], float]]] = [
    (Momentum(momentum=0.8), lambda *given: torch_sgd(*given, nesterov=False)),
    (Nesterov(momentum=0.8), lambda *given: torch_sgd(*given, nesterov=True)),
    (RMSProp(rho=0.99), torch_rmsprop),
    (Adam(beta_1=0.7, beta_2=0.9), lambda *given: torch_adam(*given, weight_decay=0.0)),
    (AdamW(weight_decay=0.1), lambda *given: torch_adam(*given, weight_decay=0.1)),
]


@pytest.mark.parametrize(("rule", "torch"), TORCH, ids=lambda value: getattr(value, "kind", None))
def test_the_formulas_of_pytorchs_documentation(rule: OptimizerRule, torch: Any) -> None:
    """The algorithms of torch.optim's reference pages, one number at a time, over 200 steps."""
    gradients = np.random.default_rng(0).normal(0, 1, 200).tolist()
    drawn = iter(gradients)
    theta, _ = descend(rule, np.array([0.7]), lambda theta: np.array([next(drawn)]), [0.03] * 200)
    assert theta[0] == pytest.approx(torch(rule, gradients, 0.03, 0.7), rel=1e-11)


@every_rule
@both_types
def test_a_gradient_of_zero_moves_nothing(rule: OptimizerRule, dtype: Any) -> None:
    """And divides nothing by 0; but AdamW's decay goes on."""
    theta, _ = descend(rule, np.ones(4, dtype), np.zeros_like, [0.1] * 3)
    expected = (1 - 0.1 * rule.weight_decay) ** 3 if isinstance(rule, AdamW) else 1
    np.testing.assert_allclose(theta, expected, rtol=1e-6)


@every_rule
@both_types
def test_far_gradients_stay_finite(rule: OptimizerRule, dtype: Any) -> None:
    for size in (1e-30, 1e15):
        theta, slots = descend(rule, np.ones(2, dtype), lambda theta, g=size: np.full_like(theta, g), [1e-3] * 3)
        assert np.isfinite([theta, *slots]).all()


@every_rule
def test_a_rate_of_zero_moves_nothing(rule: OptimizerRule) -> None:
    theta, _ = descend(rule, np.ones(2), np.ones_like, [0.0] * 3)
    np.testing.assert_array_equal(theta, 1)


@every_rule
@both_types
def test_in_place_without_temporaries(rule: OptimizerRule, dtype: Any) -> None:
    theta, gradient, work = np.ones((3, 100_000), dtype)
    slots = [np.zeros_like(theta) for _ in rule.slots]
    tracemalloc.start()
    rule.update(np, theta, gradient, slots, work, 1, 0.1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < theta.nbytes / 10
    assert (theta < 1).all()


@every_rule
def test_parameters_do_not_touch_each_other(rule: OptimizerRule) -> None:
    whole, _ = descend(rule, np.array([1.0, -2.0]), lambda theta: 3 * theta, [0.01] * 20)
    parts = [descend(rule, np.array([start]), lambda theta: 3 * theta, [0.01] * 20)[0][0] for start in (1.0, -2.0)]
    np.testing.assert_array_equal(whole, parts)


OUT_OF_BOUNDS = [{"beta_1": 1.0}, {"epsilon": 0.0}, {"learning_rate": 0}, {"learning_rate": math.inf}]


@pytest.mark.parametrize("change", OUT_OF_BOUNDS, ids=lambda change: next(iter(change)))
def test_what_is_out_of_bounds_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(change))):
        Adam(**change)


def test_defaults() -> None:
    """What a body that leaves them out gets: changing one changes the runs of others."""
    slow = dict.fromkeys(("rmsprop", "adam", "adamw"), 0.001)
    assert {rule.kind: rule.learning_rate for rule in RULES} == dict.fromkeys([rule.kind for rule in RULES], 0.01) | slow
    assert (Momentum().momentum, Nesterov().momentum, RMSProp().rho) == (0.9, 0.9, 0.9)
    assert (AdamW().beta_1, AdamW().beta_2, AdamW().epsilon, AdamW().weight_decay) == (0.9, 0.999, 1e-8, 0.01)
    assert (Adam().beta_1, Adam().beta_2, Adam().epsilon) == (0.9, 0.999, 1e-8)
    assert Adagrad().epsilon == RMSProp().epsilon == 1e-8
