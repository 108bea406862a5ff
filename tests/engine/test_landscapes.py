"""Landscapes: gradients against finite differences, minima where they are said to be, paths that optimisers take."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.landscapes import LANDSCAPES, Landscape, grid, path
from engine.optimizers import Adam, GradientDescent, Momentum, Optimizer
from engine.spec import members

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
