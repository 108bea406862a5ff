"""Landscapes: gradients against finite differences, minima where they are said to be, paths that optimizers take."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from engine.glass.landscapes import LANDSCAPES, Landscape, grid, path
from engine.parts.optimizers import Adam, GradientDescent, Momentum, Optimizer
from engine.parts.schedules import Schedule
from engine.spec import kind_of, members

COURSE = {
    "bowl", "elongated_bowl", "saddle", "two_valleys", "rosenbrock", "beale", "himmelblau", "rastrigin",
}  # fmt: skip
MINIMA = {  # as they are published: where, and how deep
    "bowl": ([(0, 0)], 0),
    "elongated_bowl": ([(0, 0)], 0),
    "rosenbrock": ([(1, 1)], 0),
    "beale": ([(3, 0.5)], 0),
    "himmelblau": ([(3, 2), (-2.805118, 3.131312), (-3.779310, -3.283186), (3.584428, -1.848126)], 0),
    "rastrigin": ([(0, 0)], 0),
}
EVERY = pytest.mark.parametrize("landscape", LANDSCAPES.values(), ids=LANDSCAPES.keys())


@EVERY
@given(x=st.floats(0, 1), y=st.floats(0, 1))
def test_the_gradient_is_that_of_the_cost(landscape: type[Landscape], x: float, y: float) -> None:
    (low1, high1), (low2, high2) = landscape.span
    w1, w2, h = low1 + x * (high1 - low1), low2 + y * (high2 - low2), 1e-5
    slope = [
        (landscape.cost(w1 + h, w2) - landscape.cost(w1 - h, w2)) / (2 * h),
        (landscape.cost(w1, w2 + h) - landscape.cost(w1, w2 - h)) / (2 * h),
    ]
    np.testing.assert_allclose(landscape.gradient(w1, w2), slope, rtol=1e-5, atol=1e-3)


@EVERY
def test_minima_are_flat_and_lowest_around(landscape: type[Landscape]) -> None:
    for point in landscape.minima:
        np.testing.assert_allclose(landscape.gradient(*point), 0, atol=1e-7)
        angles = np.linspace(0, 2 * np.pi, 50)
        around = landscape.cost(point[0] + 0.01 * np.cos(angles), point[1] + 0.01 * np.sin(angles))
        assert (around > landscape.cost(*point)).all()


def hessian(landscape: type[Landscape], w1: float, w2: float, h: float = 1e-4) -> np.ndarray:
    """The second differences of the cost alone: its gradient has no part in it."""
    near = np.array([-h, 0, h])
    costs = landscape.cost(*np.meshgrid(w1 + near, w2 + near, indexing="ij"))
    second1, second2 = costs[:, 1] @ [1, -2, 1], costs[1] @ [1, -2, 1]
    mixed = (costs[2, 2] - costs[2, 0] - costs[0, 2] + costs[0, 0]) / 4
    return np.array([[second1, mixed], [mixed, second2]]) / h**2


def test_the_landscapes_of_the_course() -> None:
    assert set(LANDSCAPES) == COURSE
    assert all(name == landscape.name for name, landscape in LANDSCAPES.items())


@EVERY
def test_what_there_is_to_see_lies_within_the_range_to_draw(landscape: type[Landscape]) -> None:
    for point in (*landscape.minima, landscape.start):
        assert all(low < w < high for w, (low, high) in zip(point, landscape.span, strict=True))


@EVERY
def test_the_cost_curves_upwards_at_every_minimum_and_does_not_slope(landscape: type[Landscape]) -> None:
    for w1, w2 in landscape.minima:
        assert np.linalg.eigvalsh(hessian(landscape, w1, w2)).min() > 0.1
        h = 1e-6
        slopes = [
            landscape.cost(w1 + h, w2) - landscape.cost(w1 - h, w2),
            landscape.cost(w1, w2 + h) - landscape.cost(w1, w2 - h),
        ]
        np.testing.assert_allclose(np.array(slopes) / (2 * h), 0, atol=1e-5)


@pytest.mark.parametrize("name", MINIMA)
def test_minima_are_those_published(name: str) -> None:
    points, depth = MINIMA[name]
    assert len(LANDSCAPES[name].minima) == len(points)
    np.testing.assert_allclose(sorted(LANDSCAPES[name].minima), sorted(points), atol=1e-6)
    np.testing.assert_allclose([LANDSCAPES[name].cost(*point) for point in LANDSCAPES[name].minima], depth, atol=1e-12)
    _, _, cost = grid(LANDSCAPES[name], 201)
    assert cost.min() >= depth  # nothing in the drawing lies deeper


def test_a_local_minimum_beside_the_global_one() -> None:
    """4w³ − 4w + 0.3 = 0 has three real roots: two are minima, the deeper on the left, and between them lies a saddle."""
    landscape = LANDSCAPES["two_valleys"]
    left, middle, right = sorted(np.roots([4, 0, -4, 0.3]).real)
    np.testing.assert_allclose(sorted(landscape.minima), [(left, 0), (right, 0)], atol=1e-12)
    best, local = landscape.cost(left, 0), landscape.cost(right, 0)
    assert best < local < landscape.cost(middle, 0)
    assert np.linalg.eigvalsh(hessian(landscape, middle, 0)) == pytest.approx([12 * middle**2 - 4, 2], abs=1e-4)
    _, _, cost = grid(landscape, 201)
    assert cost.min() == pytest.approx(best, abs=1e-3)


def test_the_saddle_has_no_minimum() -> None:
    saddle = LANDSCAPES["saddle"]
    assert saddle.minima == ()
    np.testing.assert_allclose(hessian(saddle, 0, 0), [[2, 0], [0, -2]], atol=1e-6)
    assert saddle.gradient(0.0, 0.0) == (0, 0)


def test_the_bowls_curve_as_they_say() -> None:
    np.testing.assert_allclose(hessian(LANDSCAPES["bowl"], 0, 0), np.diag([2, 2]), atol=1e-6)
    np.testing.assert_allclose(hessian(LANDSCAPES["elongated_bowl"], 0, 0), np.diag([1, 20]), atol=1e-6)


def test_rastrigin_has_a_dent_at_every_pair_of_whole_numbers() -> None:
    for w1, w2 in np.ndindex(10, 10):
        near = np.linspace(-0.5, 0.5, 41)
        costs = LANDSCAPES["rastrigin"].cost(*np.meshgrid(w1 - 5 + near, w2 - 5 + near))
        i, j = np.unravel_index(costs.argmin(), costs.shape)
        assert 0 < i < 40, "lowest within, not at the edge"
        assert 0 < j < 40


@EVERY
def test_the_grid_is_the_cost(landscape: type[Landscape]) -> None:
    w1, w2, cost = grid(landscape, 7)
    assert cost.shape == (7, 7)
    assert cost[5, 2] == pytest.approx(landscape.cost(w1[2], w2[5]))


@EVERY
@pytest.mark.parametrize("optimizer", list(members(Optimizer)), ids=lambda cls: cls.__name__)
def test_every_optimizer_goes_downhill_from_the_start(landscape: type[Landscape], optimizer: type) -> None:
    steps = list(path(landscape, optimizer(learning_rate=1e-3), landscape.start, 50))
    assert len(steps) == 51
    assert steps[0].point == landscape.start
    assert steps[-1].cost < steps[0].cost
    for step in steps:
        assert step.cost == landscape.cost(*step.point)
        assert step.gradient == landscape.gradient(*step.point)


def test_known_destinations() -> None:
    bowl = list(path(LANDSCAPES["bowl"], GradientDescent(learning_rate=0.1), (1.0, -2.0), 3))
    np.testing.assert_allclose([step.point for step in bowl], [(0.8**n, -2 * 0.8**n) for n in range(4)])
    valley = list(path(LANDSCAPES["rosenbrock"], Adam(learning_rate=0.02), (-1.2, 1.0), 5000))
    np.testing.assert_allclose(valley[-1].point, (1, 1), atol=1e-3)
    for start, minimum in ((1.8, 0.9601495555191), (-1.8, -1.0355787140889)):
        end = list(path(LANDSCAPES["two_valleys"], GradientDescent(learning_rate=0.05), (start, 1.0), 300))[-1]
        np.testing.assert_allclose(end.point, (minimum, 0), atol=1e-6)


def test_momentum_is_ahead_on_the_elongated_bowl() -> None:
    plain, heavy = (
        list(path(LANDSCAPES["elongated_bowl"], optimizer, (-2.0, 2.0), 60))[-1].cost
        for optimizer in (GradientDescent(learning_rate=0.02), Momentum(learning_rate=0.02, momentum=0.8))
    )
    assert heavy < plain / 10


def test_a_path_that_diverges_ends() -> None:
    steps = list(path(LANDSCAPES["bowl"], GradientDescent(learning_rate=100.0), (1.0, 1.0), 1000))
    assert 2 < len(steps) < 20
    assert all(np.isfinite([*step.point, step.cost, *step.gradient]).all() for step in steps)


RATES = {
    "constant": ({"kind": "constant"}, [0.1, 0.1, 0.1]),
    "step": ({"kind": "step", "every": 2, "factor": 0.5}, [0.1, 0.1, 0.05]),
    "exponential": ({"kind": "exponential", "factor": 0.5}, [0.1, 0.05, 0.025]),
    "inverse_time": ({"kind": "inverse_time", "decay_rate": 1.0}, [0.1, 0.05, 0.1 / 3]),
    "cosine": ({"kind": "cosine"}, [0.1, 0.075, 0.025]),  # ½ 0.1 (1 + cos π t/3): cos 60° = ½, cos 120° = −½
    "reduce_on_plateau": ({"kind": "reduce_on_plateau", "factor": 0.1, "patience": 0}, [0.1, 0.1, 0.1]),  # it always falls
    "warm_up": ({"kind": "warm_up", "epochs": 4}, [0.025, 0.05, 0.075]),
}
"""The rates of three steps by each schedule's formula, from 0.1."""


def test_every_schedule_has_hand_computed_rates() -> None:
    assert set(RATES) == {kind_of(cls) for cls in members(Schedule)}


@pytest.mark.parametrize(("schedule", "rates"), RATES.values(), ids=RATES.keys())
def test_a_schedule_moves_the_rate_from_step_to_step(schedule: dict[str, Any], rates: list[float]) -> None:
    """On the bowl, where a step at rate η multiplies both coordinates by 1 − 2η."""
    chosen = TypeAdapter(Schedule).validate_python(schedule)
    steps = list(path(LANDSCAPES["bowl"], GradientDescent(learning_rate=0.1), (1.0, -2.0), 3, chosen))
    assert steps[0].rate is None
    assert [step.rate for step in steps[1:]] == pytest.approx(rates, rel=1e-12)
    factors = np.cumprod([1.0, *(1 - 2 * rate for rate in rates)])
    np.testing.assert_allclose([step.point for step in steps], np.outer(factors, [1.0, -2.0]), rtol=1e-12)


def test_a_plateau_cuts_the_rate_of_a_descent() -> None:
    """At rate 1 the bowl's point jumps from side to side and its cost stays 5: cut by 10 after every second step."""
    plateau = TypeAdapter(Schedule).validate_python({"kind": "reduce_on_plateau", "factor": 0.1, "patience": 0})
    steps = list(path(LANDSCAPES["bowl"], GradientDescent(learning_rate=1.0), (1.0, -2.0), 3, plateau))
    assert [step.rate for step in steps[1:]] == pytest.approx([1, 1, 0.1])
    np.testing.assert_allclose([step.point for step in steps], [(1, -2), (-1, 2), (1, -2), (0.8, -1.6)], rtol=1e-12)


@pytest.mark.parametrize("kind", [kind_of(cls) for cls in members(Optimizer)])
def test_a_step_follows_from_the_point_and_the_vectors_before_it(kind: str) -> None:
    """What a path shows is enough to take each of its steps again."""
    optimizer: Any = TypeAdapter(Optimizer).validate_python({"kind": kind, "learning_rate": 0.01})
    steps = [*path(LANDSCAPES["himmelblau"], optimizer, (1.0, -2.0), 5)]
    assert len(steps[0].state) == len(optimizer.slots) and not np.any(steps[0].state)
    for t, (before, after) in enumerate(pairwise(steps), 1):
        theta, slots = np.array(before.point), [np.array(vector) for vector in before.state]
        optimizer.update(np, theta, np.array(before.gradient), slots, np.empty(2), t, after.rate)
        assert tuple(theta) == after.point
        np.testing.assert_array_equal(slots, [np.array(vector) for vector in after.state])
