"""The compiled reading of a tall table agrees with the definition of Newton's objective."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from engine.fast import threads
from engine.fast.newton import CompiledObjective
from engine.fast.paths import TALL, objective_of
from engine.models.base import Matrices, Problem
from engine.models.logistic import LogisticRegression, Penalty
from engine.models.newton import Objective, newton
from engine.models.run_state import Epoch, State
from engine.network.network import Network
from engine.tables.target import Classes
from engine.training.spec import Training


def posed(
    columns: int = 5, classes: int = 2, multi_class: str = "multinomial", rows: int = 700, weighted: bool = False,
    held: int = 30, l2: float = 1.0, precision: str = "float64", scale: float = 1.0, dependent: bool = False,
) -> Problem:  # fmt: skip
    rng = np.random.default_rng(4)
    X = rng.standard_normal((rows + held, columns)) * np.linspace(1, 2, columns)
    if dependent:
        X[:, -1] = X[:, 0] + 1e-4 * X[:, -1]
    scores = X @ rng.standard_normal((columns, classes)) * scale + rng.gumbel(size=(rows + held, classes))
    labels = scores.argmax(axis=1)
    model = LogisticRegression(penalty=Penalty(l2=l2), multi_class=multi_class)
    spec = Training(target="y", task="classification", model=model, precision=precision)
    spec = dataclasses.replace(spec, **{**model.settings("classification", classes), "precision": precision})
    assert spec.loss is not None
    k = spec.loss.outputs(classes)
    Y = np.eye(classes)[labels] if k > 1 else labels[:, None].astype(float)
    X, Y = X.astype(precision), Y.astype(precision)
    weights = (rng.random(rows) + 0.5).astype(precision) if weighted else None
    network = Network(model.bound_layers(columns, k), precision, np)
    target = Classes(("y",), tuple(range(classes)))
    held_out = Matrices(X[rows:], Y[rows:]) if held else None
    return Problem(spec, network, target, Matrices(X[:rows], Y[:rows], weights), held_out)


WISHES: list[dict[str, Any]] = [
    {},
    {"columns": 1},
    {"columns": 15},
    {"columns": 16},
    {"columns": 31},
    {"columns": 50, "rows": 3000},
    {"columns": 70, "rows": 1300},
    {"rows": 3, "l2": 3.0},
    {"classes": 3},
    {"classes": 4, "multi_class": "one_vs_rest"},
    {"weighted": True},
    {"weighted": True, "classes": 3, "l2": 0.0},
    {"held": 0},
    {"scale": 200.0},
]
various = pytest.mark.parametrize("wishes", WISHES, ids=lambda wishes: "-".join(map(str, sum(wishes.items(), ()))))


@various
def test_value_gradient_and_hessians_agree(wishes: dict[str, Any]) -> None:
    problem = posed(**wishes)
    definition, compiled = Objective(problem), CompiledObjective(problem)
    compiled.precise = True
    theta = np.random.default_rng(0).standard_normal(definition.gather().shape)
    (value, gradient), (other_value, other_gradient) = (each.value_and_gradient(theta) for each in (definition, compiled))
    assert other_value == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(other_gradient, gradient, rtol=1e-10, atol=1e-12)
    found, expected = compiled.evaluation(), definition.evaluation()
    assert found == pytest.approx(expected, rel=1e-12)
    for a, b in compiled.pairs.tolist():
        H = definition.hessian(a, b)
        np.testing.assert_allclose(compiled.hessian(a, b), H, rtol=1e-10, atol=1e-12 * np.abs(H).max())


@various
def test_runs_agree(wishes: dict[str, Any]) -> None:
    """Whatever precision the Hessians are taken in: the optimum is that of the gradient."""
    problem, other = posed(**wishes), posed(**wishes)
    expected, found = list(newton(problem, State(), Objective)), list(newton(other, State(), CompiledObjective))
    assert found[-1].converged
    assert abs(len(found) - len(expected)) <= 1
    close = {"rtol": 1e-5, "atol": 1e-7} if wishes.get("l2") == 0 else {"rtol": 1e-6, "atol": 1e-8}
    np.testing.assert_allclose(other.network.parameters.theta, problem.network.parameters.theta, **close)
    assert values_of(found[-1]) == pytest.approx(values_of(expected[-1]), rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("classes", [2, 3])
def test_large_hessians_are_taken_one_by_one(classes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    problem, other = posed(classes=classes), posed(classes=classes)
    list(newton(problem, State(), CompiledObjective))
    monkeypatch.setattr("engine.fast.newton.TOGETHER", 0)
    list(newton(other, State(), CompiledObjective))
    np.testing.assert_allclose(other.network.parameters.theta, problem.network.parameters.theta, rtol=1e-9)


def values_of(epoch: Epoch) -> dict[str, Any]:
    return {name: value for name, value in epoch.values.items() if name not in ("seconds", "gradient_norm")}


def test_a_run_is_converged_where_every_component_of_the_gradient_is() -> None:
    problem = posed(columns=50, rows=3000)
    found = list(newton(problem, State(), CompiledObjective))
    definition = Objective(problem)
    _, gradient = definition.value_and_gradient(definition.gather())
    assert np.abs(gradient).max() < 2e-9
    assert len(found) < 12


def test_columns_that_single_precision_cannot_tell_apart_are_taken_in_double() -> None:
    problem, expected = posed(dependent=True, l2=1e-6), posed(dependent=True, l2=1e-6)
    objectives: list[CompiledObjective] = []

    def choose(problem: Problem) -> Objective:
        objectives.append(CompiledObjective(problem))
        return objectives[0]

    found = list(newton(problem, State(), choose))
    assert objectives[0].precise
    assert found[-1].converged
    assert len(found) <= len(list(newton(expected, State(), Objective))) + 1
    np.testing.assert_allclose(
        problem.network.evaluate(problem.train.X), expected.network.evaluate(expected.train.X), atol=1e-5
    )


def test_numbers_in_single_precision_are_read_in_double() -> None:
    problem = posed(precision="float32")
    found = list(newton(problem, State(), CompiledObjective))
    assert found[-1].converged
    expected = posed()
    list(newton(expected, State(), Objective))
    np.testing.assert_allclose(problem.network.parameters.theta, expected.network.parameters.theta, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
def test_the_same_number_of_threads_gives_the_same_bits(classes: int) -> None:
    found, before = [], threads.count()
    try:
        for count in (1, 2, 2, 1):
            threads.limit(count)
            problem = posed(classes=classes, columns=20)
            list(newton(problem, State(), CompiledObjective))
            found.append(problem.network.parameters.theta.tobytes())
    finally:
        threads.limit(before)
    assert found[0] == found[3]
    assert found[1] == found[2]


def test_tall_tables_are_read_by_compiled_code() -> None:
    assert type(objective_of(posed())) is Objective
    assert type(objective_of(posed(columns=64, rows=TALL // 64, held=0))) is CompiledObjective
