"""Paths of gradient descent over the cost of a model of two parameters, w and b: the steps that training takes, on the surface
that it takes them on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from engine.backend import Array
from engine.errors import Diverged, InvalidSpec
from engine.fast import paths
from engine.models.base import Definition, Problem
from engine.models.descent import Steps
from engine.models.linear import LinearRegression
from engine.models.logistic import LogisticRegression
from engine.models.run_state import State
from engine.network.backpropagation import Backpropagation
from engine.network.network import Network
from engine.tables.features import Column, Features
from engine.tables.target import Target
from engine.training.prepare import prepare
from engine.training.run import train
from engine.training.spec import Training
from engine.wording import notice, say

PARAMETERS = ("w", "b")
Parameter = Literal["w", "b"]
MARGIN = 0.15
"""Share of what is shown that is added at either end."""
OTHERWISE = ("optimizer", "schedule", "regularization", "batch_size", "shuffle", "seed", "epochs")
"""Settings of a descent that the other solver of a model goes without, or has others of."""
COST = r"J(w, b) = \frac{1}{n} \sum_i \ell(w\,x_i + b,\; y_i)"
PENALTY = r" + \frac{\lambda}{2 n} w^2"
GRADIENT = r"\nabla J = \left(\frac{\partial J}{\partial w},\; \frac{\partial J}{\partial b}\right)"
TANGENT = r"J(\theta) \approx J(\theta_t) + J'(\theta_t)\,(\theta - \theta_t)"
COEFFICIENTS = r"\left(\frac{w}{s},\; b - \frac{c\,w}{s}\right), \quad x' = \frac{x - c}{s}"


@dataclass(frozen=True)
class Posed:
    """A job of two parameters, ready to descend: its completed spec, what was fitted, and the problem."""

    training: Training
    features: Features
    target: Target
    problem: Problem

    @classmethod
    def of(cls, training: Training, columns: Mapping[str, Column]) -> "Posed":
        """Raises UnusableData as `prepare` does, and InvalidSpec where there are more than two parameters."""
        prepared = prepare(training, columns)
        width, outputs = prepared.features.width, prepared.problem.network.outputs
        if width != 1:
            detail = f"column '{training.features[0]}' is {width} features, each with a weight"  # type: ignore[index]
            raise InvalidSpec([("/features/0", f"{detail}; choose one that is one number a row")])
        if outputs != 1:
            classes = len(prepared.target.classes or ())
            detail = f"column '{prepared.target.names[0]}' holds {classes} classes, and two parameters tell two apart"
            raise InvalidSpec([("/target", f"{detail}; choose a column of two classes, or of numbers")])
        return cls(training, prepared.features, prepared.target, prepared.problem)

    def in_units(self, thetas: Array) -> Array:
        """(w, b) of scaled features (m, 2) as those of the data's own units."""
        W, b = self.target.unscaled(*self.features.unscale(thetas[:, :1].T, thetas[:, 1]))
        return np.stack([W[0], b], axis=1)


class Cost:
    """J over all training rows, penalties and all, at any (w, b)."""

    def __init__(self, problem: Problem) -> None:
        loss, train = problem.spec.loss, problem.train
        assert loss is not None
        network = Network(problem.network.layers, problem.network.dtype, np)
        self.theta, self.gradient = network.parameters.theta, network.parameters.gradient
        self.descent = Backpropagation(network, train.X, train.Y, loss, penalties=problem.spec.penalties(train.rows))

    @np.errstate(over="ignore", invalid="ignore")  # far out it is infinite
    def __call__(self, theta: Array) -> float:
        self.theta[...] = theta
        return self.descent.forward()

    @np.errstate(over="ignore", invalid="ignore")
    def with_slope(self, theta: Array) -> tuple[float, Array]:
        """J and ∇J (2,)."""
        cost = self(theta)
        self.descent.backward()
        return cost, self.gradient.copy()

    def grid(self, w: Array, b: Array) -> Array:
        """J (len(b), len(w)), b down and w across."""
        return np.array([[self(np.array([across, down])) for across in w] for down in b])


@dataclass(frozen=True)
class Path:
    """The points (w, b) of a descent (t + 1, 2), the start first; J and ∇J over all rows at each; the epoch and the rate of
    each step (t,); the optimizer's vectors by name (t + 1, 2), after the step that led to each point. A path that diverges ends
    early, and a warning says so.
    """

    thetas: Array
    costs: Array
    gradients: Array
    epochs: list[int]
    rates: list[float]
    states: dict[str, Array]
    warnings: list[dict[str, Any]]

    def tangents(self, held: Parameter) -> Array:
        """J as a line over the parameter that is free (t + 1, 2), slope and intercept, at each point."""
        free = 1 - PARAMETERS.index(held)
        slopes = self.gradients[:, free]
        return np.stack([slopes, self.costs - slopes * self.thetas[:, free]], axis=1)


class _Watched:
    """The steps of a run, one batch a call: what each led to is noted, and a parameter that is held is put back."""

    stride = 1

    def __init__(self, steps: Steps, note: Callable[[float], None]) -> None:
        self.steps, self.note = steps, note

    def __getattr__(self, name: str) -> Any:
        return getattr(self.steps, name)

    def __call__(self, order: Array, first: int, count: int, step: int, rate: float) -> None:
        self.steps(order, first, count, step, rate)
        self.steps.settle()
        self.note(rate)


def path_of(posed: Posed, start: tuple[float, float] | None = None, held: Parameter | None = None) -> Path:
    """The path of the run that training makes of it, from (w, b) on, by default from where training starts. What is `held`
    stays as it is there, and the descent is that of the other parameter alone.
    """
    problem, state = posed.problem, State()
    theta, optimizer = problem.network.parameters.theta, problem.spec.optimizer
    assert optimizer is not None
    if start is not None:
        theta[...] = start
    origin, place = theta.copy(), None if held is None else PARAMETERS.index(held)
    thetas, epochs, rates = [origin], list[int](), list[float]()
    states: dict[str, list[Array]] = {name: [np.zeros(2)] for name in optimizer.slots}

    def note(rate: float) -> None:
        if place is not None:
            theta[place] = origin[place]
        thetas.append(theta.copy())
        epochs.append(state.epoch + 1)
        rates.append(rate)
        for name, vectors in states.items():
            vectors.append(state.vectors[name].copy())

    def watched(definition: Definition) -> Definition:
        steps_of = paths.faster(definition)
        return lambda *given: _Watched(steps_of(*given), note)

    end = None
    try:
        for _ in train(problem, state, watched):
            pass
    except Diverged as error:
        end = error.epoch, error.learning_rate
    return _path(posed, np.array(thetas), epochs, rates, {name: np.array(each) for name, each in states.items()}, end)


def _path(
    posed: Posed,
    thetas: Array,
    epochs: list[int],
    rates: list[float],
    states: dict[str, Array],
    end: tuple[int, float] | None,
) -> Path:
    """The path as far as its points and their costs are numbers; `end` is the epoch and the rate that it diverged at."""
    cost, costs, gradients = Cost(posed.problem), list[float](), list[Array]()
    for place, theta in enumerate(thetas):
        value, slope = cost.with_slope(theta)
        if not (np.isfinite(value) and np.isfinite(theta).all() and np.isfinite(slope).all()):
            end = (epochs[place - 1], rates[place - 1]) if place else (0, 0.0)
            break
        costs.append(value)
        gradients.append(slope)
    whole, steps = len(costs), max(0, len(costs) - 1)
    kept = {name: vectors[:whole] for name, vectors in states.items()}
    points, warnings = thetas[:whole], [] if end is None else [_diverged(*end)]
    return Path(points, np.array(costs), np.array(gradients).reshape(-1, 2), epochs[:steps], rates[:steps], kept, warnings)


def _diverged(epoch: int, rate: float) -> dict[str, Any]:
    if not epoch:
        return notice("NOT_FINITE", say("the cost is no finite number where the descent starts; start nearer to 0"))
    detail = say(
        "the descent diverged in epoch {epoch}, at a learning rate of {rate:g}; try {lower:g}, or scale the feature",
        epoch=epoch,
        rate=rate,
        lower=rate / 10,
    )
    return notice("DIVERGED", detail)


def minimum(posed: Posed, columns: Mapping[str, Column]) -> Array | None:
    """(w, b) where J is least (2,), by the model's other solver; None where that has none for this loss, or J falls without
    end.
    """
    training, given = posed.training, posed.training.model
    assert training.task is not None
    model: LinearRegression | LogisticRegression
    if isinstance(given, LogisticRegression):
        model = LogisticRegression(solver="newton", penalty=given.penalty)
    else:
        model = LinearRegression(solver="analytic")
    settings = model.settings(training.task, 2)
    if type(settings["loss"]) is not type(training.loss):
        return None
    changes: dict[str, Any] = {name: settings.get(name) for name in OTHERWISE}
    problem = prepare(replace(training, model=model, **changes), columns).problem
    codes = [warning["code"] for epoch in train(problem, State()) for warning in epoch.warnings]
    return None if {"SEPARABLE", "NOT_CONVERGED"} & set(codes) else problem.network.parameters.theta.copy()


def span(places: Array, resolution: int) -> Array:
    """Evenly spaced numbers (resolution,) over those places (m,) and a little beyond."""
    low, high = float(places.min()), float(places.max())
    beyond = MARGIN * (high - low) or 1.0
    return np.linspace(low - beyond, high + beyond, resolution)


def worth_showing(found: Path) -> Array:
    """The points (m, 2) of a path that are no higher than its start."""
    return found.thetas[found.costs <= found.costs[0]] if len(found.costs) else found.thetas
