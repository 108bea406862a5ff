"""The numbers of a step: the course's example, each from those before it, and PyTorch's for the same step."""

import dataclasses
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from engine.errors import InvalidSpec
from engine.glass.trace import BiasForm, Quantity, count_numbers, trace
from engine.glass.trace_input import GivenDescent, GivenLayer, Moment
from engine.models.descent import Definition, descend
from engine.models.run_state import State
from engine.parts.activations import Tanh
from engine.parts.losses import HalfMeanSquaredError
from engine.parts.optimizers import GradientDescent, Optimizer
from engine.randomness import Shuffles
from engine.spec import kind_of, members
from engine.tables.samples import BlobsSample
from tests.engine import prepared, table
from tests.engine.test_parity import ACTIVATIONS, OPTIMIZERS

BOTH_FORMS: tuple[BiasForm, ...] = ("separate", "extra_input")
DATA = table(BlobsSample(rows=40, centers=3, features=4, std=4.0, seed=2).columns())


def shown(found: list[Quantity]) -> dict[tuple[str | None, str], np.ndarray]:
    """The quantities by layer and name, each once."""
    values = {(each.layer, each.name): each.values for each in found}
    assert len(values) == len(found)
    return values


def given(optimizer: Any, activations: tuple[str, ...] = ("tanh", "sigmoid"), bias: bool = True) -> GivenDescent:
    """3-5-4-2 with weights drawn, six rows."""
    rng = np.random.default_rng(4)
    sizes = (3, 5, 4, 2)
    layers = tuple(
        GivenLayer(
            weights=tuple(map(tuple, rng.normal(size=shape).tolist())),
            bias=tuple(rng.normal(size=shape[1]).tolist()) if bias else None,
            activation={"kind": activation},
        )
        for shape, activation in zip(pairwise(sizes), (*activations, "identity"), strict=True)
    )
    X, Y = rng.normal(size=(6, 3)).tolist(), rng.normal(size=(6, 2)).tolist()
    return GivenDescent(layers=layers, loss={"kind": "half_mse"}, optimizer=optimizer, inputs=X, targets=Y)


def test_the_worked_example() -> None:
    layers = (GivenLayer(weights=((0.11, 0.12), (0.21, 0.08))), GivenLayer(weights=((0.14,), (0.15,))))
    example = GivenDescent(
        layers=layers,
        loss=HalfMeanSquaredError(),
        optimizer=GradientDescent(learning_rate=0.05),
        inputs=((2, 3),),
        targets=((1,),),
    )
    descent, update = example.descent(), example.update()
    first, second = shown(trace(descent, update)), shown(trace(descent, update))
    near = {"rtol": 1e-12}
    np.testing.assert_allclose(first["hidden_1", "A"], [[0.85, 0.48]], **near)
    np.testing.assert_allclose(first["output", "A"], [[0.191]], **near)
    np.testing.assert_allclose(first[None, "J"], 0.3272405, **near)
    np.testing.assert_allclose(first["output", "dZ"], [[-0.809]], **near)
    np.testing.assert_allclose(first["output", "new_W"], [[0.1743825], [0.169416]], **near)
    np.testing.assert_allclose(first["hidden_1", "new_W"], [[0.121326, 0.132135], [0.226989, 0.0982025]], **near)
    np.testing.assert_allclose(second["output", "A"], [[0.2557457808]], rtol=2e-10)
    np.testing.assert_allclose(second[None, "J"], 0.2769571714, rtol=2e-10)


@pytest.mark.parametrize(("optimizer", "make"), OPTIMIZERS, ids=[each["kind"] for each, _ in OPTIMIZERS])
def test_every_number_is_pytorchs(optimizer: dict[str, Any], make: Any) -> None:
    """Z, A, their slopes, the gradient and the new weights, over three steps."""
    example = given(optimizer)
    descent, update = example.descent(), example.update()
    weights = [torch.tensor(view.W, requires_grad=True) for view in descent.network.parameters.layers]
    biases = [torch.tensor(view.b, requires_grad=True) for view in descent.network.parameters.layers]
    rule = make([*weights, *biases])
    for _ in range(3):
        found = shown(trace(descent, update))
        rule.zero_grad()
        A, kept = torch.tensor(descent.X), []
        for W, b, activation in zip(weights, biases, ("tanh", "sigmoid", "identity"), strict=True):
            Z = A @ W + b
            A = ACTIVATIONS[activation]()(Z) if activation != "identity" else Z * 1
            Z.retain_grad()
            A.retain_grad()
            kept.append((Z, A))
        (0.5 * ((A - torch.tensor(descent.Y)) ** 2).mean()).backward()
        rule.step()
        for name, (Z, A), W, b in zip(("hidden_1", "hidden_2", "output"), kept, weights, biases, strict=True):
            expected = {"Z": Z, "A": A, "dZ": Z.grad, "dA": A.grad, "dW": W.grad, "db": b.grad, "new_W": W, "new_b": b}
            for title, value in expected.items():
                np.testing.assert_allclose(found[name, title], value.detach().numpy(), rtol=1e-9, atol=1e-12, err_msg=title)


@pytest.mark.parametrize("kind", [kind_of(cls) for cls in members(Optimizer)])
def test_either_form_of_the_bias_is_the_same_network(kind: str) -> None:
    forms = {}
    for form in BOTH_FORMS:
        example = given({"kind": kind, "learning_rate": 0.1})
        descent, update = example.descent(), example.update()
        forms[form] = [shown(trace(descent, update, form)) for _ in range(3)]
    for plain, extra in zip(forms["separate"], forms["extra_input"], strict=True):
        assert not any(name in ("b", "db", "new_b") for _, name in extra)
        before = None
        for layer in ("hidden_1", "hidden_2", "output"):
            A = extra[before, "A"]
            np.testing.assert_array_equal(A, np.hstack([np.ones((6, 1)), plain[before, "A"]]))
            np.testing.assert_allclose(A @ extra[layer, "W"], extra[layer, "Z"], rtol=1e-12)
            np.testing.assert_allclose(A.T @ extra[layer, "dZ"], extra[layer, "dW"], rtol=1e-9, atol=1e-14)
            for (of, name), value in extra.items():
                if of == layer and name.endswith("W"):
                    b = plain[of, name[:-1] + "b"]
                    np.testing.assert_array_equal(value, np.vstack([b, plain[of, name]]), err_msg=name)
            before = layer
        np.testing.assert_array_equal(extra["output", "A"], plain["output", "A"])  # nothing reads an x₀ there


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("form", BOTH_FORMS)
def test_numbers_are_counted_before_they_are_made(bias: bool, form: BiasForm) -> None:
    example = given({"kind": "adam"}, bias=bias)
    descent, update = example.descent(), example.update()
    expected = count_numbers(descent, update)
    assert expected / 1.5 <= sum(each.values.size for each in trace(descent, update, form)) <= expected


def test_the_inputs_are_among_the_numbers() -> None:
    """Many rows of many inputs into one unit: nearly all of what is shown."""
    wide = GivenDescent(
        layers=(GivenLayer(weights=((0.1,),) * 200),),
        loss={"kind": "mse"}, optimizer={"kind": "gradient_descent"}, inputs=((1.0,) * 200,) * 50, targets=((1.0,),) * 50,
    )  # fmt: skip
    descent, update = wide.descent(), wide.update()
    expected = count_numbers(descent, update)
    assert expected / 1.5 <= sum(each.values.size for each in trace(descent, update)) <= expected


def test_every_quantity_has_a_formula_and_stands_where_it_is_worked_out() -> None:
    example = given({"kind": "adam"})
    found = trace(example.descent(), example.update())
    assert all(each.formula for each in found)
    stages = [each.stage for each in found]
    assert sorted(stages, key=["forward", "loss", "backward", "update"].index) == stages
    (first,) = [each for each in found if (each.layer, each.name) == ("hidden_2", "Z")]
    assert first.formula == "Z^{(2)} = A^{(1)} W^{(2)} + b^{(2)}"
    (slope,) = [each for each in found if (each.layer, each.name) == ("hidden_1", "dW")]
    assert slope.formula == r"dW^{(1)} = {A^{(0)}}^\top dZ^{(1)}"
    assert not any(")}^" in each.formula for each in found)  # LaTeX knows no double superscript


@pytest.mark.parametrize(
    ("penalties", "form", "penalty", "slope"),
    [
        ((0.0, 1e-5), "separate", r"R = \tfrac{1}{2} \cdot 1 \cdot 10^{-5} \sum W^2", r" + 1 \cdot 10^{-5} W^{(1)}"),
        ((0.25, 0.0), "separate", r"R = 0.25 \sum |W|", r" + 0.25 \operatorname{sign} W^{(1)}"),
        (
            (0.0, 0.5),
            "extra_input",
            r"R = \tfrac{1}{2} \cdot 0.5 \sum W^2",
            r" + 0.5 \begin{bmatrix} 0 \\ W^{(1)} \end{bmatrix}",
        ),
    ],
)
def test_penalties_are_in_the_formulas(penalties: tuple[float, float], form: BiasForm, penalty: str, slope: str) -> None:
    """Those that there are, in LaTeX's numbers, and of the weights alone where the bias is one of them."""
    example = given({"kind": "adam"})
    found = {(each.layer, each.name): each.formula for each in trace(
        dataclasses.replace(example.descent(), penalties=penalties), example.update(), form
    )}  # fmt: skip
    assert found[None, "penalty"] == penalty
    assert found["hidden_1", "dW"].endswith(r"^\top dZ^{(1)}" + slope)


def test_softmax_has_a_slope_of_whole_rows() -> None:
    example = given({"kind": "adam"}, ("softmax", "tanh"))
    found = {each.layer: each.formula for each in trace(example.descent(), example.update()) if each.name == "dZ"}
    assert found["hidden_1"].startswith(r"dZ^{(1)}_i = {f'(Z^{(1)}_i)}^\top dA^{(1)}_i, \quad ")
    assert found["hidden_2"].startswith(r"dZ^{(2)} = dA^{(2)} \odot f'(Z^{(2)}), \quad ")


def test_an_activation_may_follow_the_last_layer() -> None:
    example = given({"kind": "gradient_descent"}, ("tanh", "tanh"))
    last = dataclasses.replace(example.layers[-1], activation=Tanh())
    squashed = dataclasses.replace(example, layers=(*example.layers[:-1], last))
    found = shown(trace(squashed.descent(), squashed.update()))
    A, Y = found["output", "A"], np.array(example.targets)
    np.testing.assert_allclose(A, np.tanh(found["output", "Z"]), rtol=1e-12)
    np.testing.assert_allclose(found["output", "dA"], (A - Y) / 12, rtol=1e-12)
    np.testing.assert_allclose(found["output", "dZ"], found["output", "dA"] * (1 - A**2), rtol=1e-9)


# --- a run ---

RUNS: list[dict[str, Any]] = [
    {},
    {"precision": "float64", "batch_size": 7, "shuffle": False},
    {"model": {"kind": "mlp", "hidden": [{"units": 6, "activation": "tanh", "dropout": 0.3}]}, "class_weight": "balanced"},
    {"regularization": {"l1": 0.01, "l2": 0.02, "clip_norm": 0.1}, "optimizer": {"kind": "momentum", "learning_rate": 0.1}},
    {"model": {"kind": "logistic_regression", "solver": "gradient_descent"}},
    {"schedule": {"kind": "exponential", "factor": 0.5}},
]


@pytest.mark.parametrize("changes", RUNS)
@pytest.mark.parametrize("epoch", [0, 2])
def test_a_trace_takes_the_steps_that_the_run_takes(changes: dict[str, Any], epoch: int) -> None:
    """Batch by batch through an epoch, from before the first step or from a checkpoint, to the run's own bits."""
    wishes = {"model": {"kind": "mlp", "hidden": [{"units": 6}, {"units": 5, "activation": "silu"}]}, "epochs": 4, **changes}
    posed = prepared(DATA, target="blob", **wishes)
    state, problem = State(), posed.problem
    arrays = None
    for passed in descend(problem, state, Definition):
        if not passed.whole:  # on a slow machine there are breaths between epochs
            continue
        if passed.number == epoch:
            arrays = state.arrays(problem.network)
        if passed.number == epoch + 1:
            break
    moment = Moment.of(problem.spec, DATA.columns, arrays)
    assert moment.state.epoch == epoch
    update, rows, size = moment.update(), problem.train.rows, problem.spec.batch_size
    order = posed.rows["train"]
    if problem.spec.shuffle:
        order = order[Shuffles(problem.spec.seed, rows).order(epoch)]
    size = rows if size == "full" else size
    assert moment.batch() == order[:size].tolist()
    for start in range(0, rows, size):
        descent = moment.descent(order[start : start + size].tolist())
        found = shown(trace(descent, update))
    theta = moment.network.parameters.theta
    assert theta.tobytes() == problem.network.parameters.theta.tobytes()
    assert float(found[None, "learning_rate"]) == pytest.approx(passed.values["learning_rate"])
    assert update.step == state.step


def test_what_a_run_does_not_train_on_is_not_traced() -> None:
    posed = prepared(DATA, target="blob", model={"kind": "mlp"}, split={"validation": 0.25})
    moment = Moment.of(posed.problem.spec, DATA.columns, None)
    held = int(posed.rows["validation"][0])
    with pytest.raises(InvalidSpec, match=f"row {held} is none that this job trains on") as caught:
        moment.descent([int(posed.rows["train"][0]), held])
    assert caught.value.errors[0][0] == "/rows/1"
    with pytest.raises(InvalidSpec, match="row 40 is none"):
        moment.descent([40])
