"""Cost landscapes J(w₁, w₂) on which to watch optimizers: each with its gradient, its minima and a range to draw."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from engine.parts.optimizers import Optimizer
from engine.parts.schedules import ConstantRate, LearningRateSchedule
from engine.spec import Described

Point = tuple[float, float]
FAR = 1e12
"""A path that leaves this far behind has diverged."""


class Landscape(Described, ABC):
    """A cost of two parameters. `minima` are points where the gradient vanishes and the cost is least around."""

    name: ClassVar[str]
    minima: ClassVar[tuple[Point, ...]]
    span: ClassVar[tuple[Point, Point]] = ((-3.0, 3.0), (-3.0, 3.0))
    """The stretch of w₁ and of w₂ that is worth drawing."""
    start: ClassVar[Point] = (-2.0, 2.0)

    @staticmethod
    @abstractmethod
    def cost(w1: np.ndarray, w2: np.ndarray) -> np.ndarray:
        """J at every pair of the two arrays."""

    @staticmethod
    @abstractmethod
    def gradient(w1: np.ndarray, w2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """∂J/∂w₁ and ∂J/∂w₂ there."""


class Bowl(Landscape):
    """The same slope in every direction: plain gradient descent walks straight to the minimum."""

    name = "bowl"
    formula = r"J = w_1^2 + w_2^2"
    derivative = r"\nabla J = (2 w_1, 2 w_2)"
    source = "Boyd and Vandenberghe, Convex Optimization, 2004, 9.3"
    minima = ((0.0, 0.0),)

    @staticmethod
    def cost(w1: np.ndarray, w2: np.ndarray) -> np.ndarray:
        return w1**2 + w2**2

    @staticmethod
    def gradient(w1: np.ndarray, w2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 2 * w1, 2 * w2


class ElongatedBowl(Landscape):
    """Twenty times as steep across as along: gradient descent zigzags, momentum and Adam do not."""

    name = "elongated_bowl"
    formula = r"J = \tfrac{1}{2}\left(w_1^2 + 20\, w_2^2\right)"
    derivative = r"\nabla J = (w_1, 20\, w_2)"
    source = "Polyak, Some Methods of Speeding up the Convergence of Iteration Methods, 1964"
    minima = ((0.0, 0.0),)

    @staticmethod
    def cost(w1: np.ndarray, w2: np.ndarray) -> np.ndarray:
        return 0.5 * (w1**2 + 20 * w2**2)

    @staticmethod
    def gradient(w1: np.ndarray, w2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return w1, 20 * w2


class Saddle(Landscape):
    """Flat in the middle, falling to two sides without end: a start on the ridge stays there."""

    name = "saddle"
    formula = r"J = w_1^2 - w_2^2"
    derivative = r"\nabla J = (2 w_1, -2 w_2)"
    source = "Dauphin et al., Identifying and Attacking the Saddle Point Problem, 2014"
    minima = ()
    start = (-2.0, 0.01)

    @staticmethod
    def cost(w1: np.ndarray, w2: np.ndarray) -> np.ndarray:
        return w1**2 - w2**2

    @staticmethod
    def gradient(w1: np.ndarray, w2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 2 * w1, -2 * w2


class TwoValleys(Landscape):
    """A local minimum beside the global one: where a path ends depends on where it starts."""

    name = "two_valleys"
    formula = r"J = w_1^4 - 2 w_1^2 + 0.3\, w_1 + w_2^2"
    derivative = r"\nabla J = (4 w_1^3 - 4 w_1 + 0.3,\; 2 w_2)"
    source = "Duffing, Erzwungene Schwingungen bei veränderlicher Eigenfrequenz, 1918: the tilted double well"
    minima = ((-1.0355787140889, 0.0), (0.9601495555191, 0.0))
    span = ((-2.0, 2.0), (-2.0, 2.0))
    start = (1.8, 1.5)

    @staticmethod
    def cost(w1: np.ndarray, w2: np.ndarray) -> np.ndarray:
        return w1**4 - 2 * w1**2 + 0.3 * w1 + w2**2

    @staticmethod
    def gradient(w1: np.ndarray, w2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 4 * w1**3 - 4 * w1 + 0.3, 2 * w2


class Rosenbrock(Landscape):
    """A curved, nearly flat valley: easy to find, slow to follow."""

    name = "rosenbrock"
    formula = r"J = (1 - w_1)^2 + 100\,(w_2 - w_1^2)^2"
    derivative = r"\nabla J = \left(-2(1 - w_1) - 400\, w_1 (w_2 - w_1^2),\; 200\,(w_2 - w_1^2)\right)"
    source = "Rosenbrock, An Automatic Method for Finding the Greatest or Least Value of a Function, 1960"
    minima = ((1.0, 1.0),)
    span = ((-2.0, 2.0), (-1.0, 3.0))
    start = (-1.2, 1.0)

    @staticmethod
    def cost(w1: np.ndarray, w2: np.ndarray) -> np.ndarray:
        return (1 - w1) ** 2 + 100 * (w2 - w1**2) ** 2

    @staticmethod
    def gradient(w1: np.ndarray, w2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return -2 * (1 - w1) - 400 * w1 * (w2 - w1**2), 200 * (w2 - w1**2)


BEALE = (1.5, 2.25, 2.625)


class Beale(Landscape):
    """Plateaus with sharp corners around one minimum."""

    name = "beale"
    formula = r"J = (1.5 - w_1 + w_1 w_2)^2 + (2.25 - w_1 + w_1 w_2^2)^2 + (2.625 - w_1 + w_1 w_2^3)^2"
    derivative = r"\nabla J = \sum_{i=1}^{3} 2\,(c_i - w_1 + w_1 w_2^i)\left(w_2^i - 1,\; i\, w_1 w_2^{i-1}\right)"
    source = "Beale, On an Iterative Method for Finding a Local Minimum of a Function of More than One Variable, 1958"
    minima = ((3.0, 0.5),)
    span = ((-4.5, 4.5), (-4.5, 4.5))
    start = (1.0, 1.5)

    @staticmethod
    def cost(w1: np.ndarray, w2: np.ndarray) -> np.ndarray:
        return np.sum([(c - w1 + w1 * w2**i) ** 2 for i, c in enumerate(BEALE, start=1)], axis=0)

    @staticmethod
    def gradient(w1: np.ndarray, w2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        terms = [(i, c - w1 + w1 * w2**i) for i, c in enumerate(BEALE, start=1)]
        first = np.sum([2 * term * (w2**i - 1) for i, term in terms], axis=0)
        return first, np.sum([2 * term * i * w1 * w2 ** (i - 1) for i, term in terms], axis=0)


class Himmelblau(Landscape):
    """Four minima, all as deep: which one is found is the start's and the optimizer's doing."""

    name = "himmelblau"
    formula = r"J = (w_1^2 + w_2 - 11)^2 + (w_1 + w_2^2 - 7)^2"
    derivative = (
        r"\nabla J = \left(4 w_1 (w_1^2 + w_2 - 11) + 2 (w_1 + w_2^2 - 7),\; "
        r"2 (w_1^2 + w_2 - 11) + 4 w_2 (w_1 + w_2^2 - 7)\right)"
    )
    source = "Himmelblau, Applied Nonlinear Programming, 1972"
    minima = (
        (3.0, 2.0),
        (-2.8051180869527, 3.1313125182506),
        (-3.7793102533777, -3.2831859912862),
        (3.5844283403305, -1.8481265269644),
    )
    span = ((-5.0, 5.0), (-5.0, 5.0))
    start = (0.0, 0.0)

    @staticmethod
    def cost(w1: np.ndarray, w2: np.ndarray) -> np.ndarray:
        return (w1**2 + w2 - 11) ** 2 + (w1 + w2**2 - 7) ** 2

    @staticmethod
    def gradient(w1: np.ndarray, w2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        first, second = w1**2 + w2 - 11, w1 + w2**2 - 7
        return 4 * w1 * first + 2 * second, 2 * first + 4 * w2 * second


class Rastrigin(Landscape):
    """A bowl full of dents: a local minimum at nearly every pair of whole numbers."""

    name = "rastrigin"
    formula = r"J = 20 + \sum_{i=1}^{2} \left(w_i^2 - 10 \cos 2\pi w_i\right)"
    derivative = r"\frac{\partial J}{\partial w_i} = 2 w_i + 20\pi \sin 2\pi w_i"
    source = "Rastrigin, Systems of Extremal Control, 1974"
    minima = ((0.0, 0.0),)
    span = ((-5.12, 5.12), (-5.12, 5.12))
    start = (3.3, -2.7)

    @staticmethod
    def cost(w1: np.ndarray, w2: np.ndarray) -> np.ndarray:
        return 20 + w1**2 - 10 * np.cos(2 * np.pi * w1) + w2**2 - 10 * np.cos(2 * np.pi * w2)

    @staticmethod
    def gradient(w1: np.ndarray, w2: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return 2 * w1 + 20 * np.pi * np.sin(2 * np.pi * w1), 2 * w2 + 20 * np.pi * np.sin(2 * np.pi * w2)


LANDSCAPES: dict[str, type[Landscape]] = {
    cls.name: cls for cls in (Bowl, ElongatedBowl, Saddle, TwoValleys, Rosenbrock, Beale, Himmelblau, Rastrigin)
}


def grid(landscape: type[Landscape], resolution: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """w₁ (r,), w₂ (r,) over the landscape's span, and the cost (r, r), w₂ down and w₁ across."""
    w1, w2 = (np.linspace(low, high, resolution) for low, high in landscape.span)
    return w1, w2, landscape.cost(*np.meshgrid(w1, w2))


@dataclass(frozen=True)
class Step:
    """A point of a path, with the cost and the gradient there, the learning rate of the step that led to it, and the
    optimizer's vectors after that step, in the order of its slots.
    """

    point: Point
    cost: float
    gradient: Point
    rate: float | None
    state: tuple[Point, ...] = ()


def path(
    landscape: type[Landscape],
    optimizer: Optimizer,
    start: Point,
    steps: int,
    schedule: LearningRateSchedule | None = None,
) -> Iterator[Step]:
    """The path of an optimizer from `start`: the start itself, then a point a step. It ends early if it diverges. A step is
    to the schedule what an epoch is in a job, and what it observes after a step is the cost before it.
    """
    theta, gradient = np.array(start, np.float64), np.empty(2)
    slots, work = [np.zeros(2) for _ in optimizer.slots], np.empty(2)
    schedule = schedule or ConstantRate()
    memory, rate = schedule.start(), None
    for step in range(steps + 1):
        with np.errstate(over="ignore", invalid="ignore"):
            slope = landscape.gradient(theta[0], theta[1])
            cost = float(landscape.cost(theta[0], theta[1]))
        if not (np.isfinite(cost) and np.isfinite(slope).all()) or np.abs(theta).max() > FAR:
            return
        state = tuple((float(slot[0]), float(slot[1])) for slot in slots)
        yield Step((float(theta[0]), float(theta[1])), cost, (float(slope[0]), float(slope[1])), rate, state)
        gradient[:] = slope
        rate = schedule.rate(optimizer.learning_rate, step, steps, memory)
        optimizer.update(np, theta, gradient, slots, work, step + 1, rate)
        memory = schedule.observe(memory, cost)
