"""The path of networks with layers of every kind agrees with their definition, and its bits depend on nothing but the job."""

import dataclasses
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.errors import InvalidSpec
from engine.fast import layer_step, layerwise, threads
from engine.fast.coverage import KINDS, without_kernel
from engine.fast.layer_table import ROWS
from engine.fast.layerwise import Layerwise
from engine.models import descent
from engine.models.base import Matrices, Problem
from engine.models.descent import Definition, descend
from engine.models.regularization import Regularization
from engine.models.run_state import State
from engine.network.layers.activation import ActivationLayer
from engine.network.layers.average_pool2d import AveragePool2d
from engine.network.layers.base import LayerRule, bind
from engine.network.layers.conv2d import Conv2d
from engine.network.layers.dense import Dense
from engine.network.layers.dropout import Dropout
from engine.network.layers.flatten import Flatten
from engine.network.layers.local_response_normalization import LocalResponseNormalization
from engine.network.layers.max_pool2d import MaxPool2d
from engine.network.network import Network
from engine.parts.activations import Elu, Gelu, Identity, Relu, Softmax, Tanh
from engine.parts.initializers import HeNormal
from engine.parts.optimizers import Adam, GradientDescent
from tests.engine.fast.test_kernels import posed
from tests.engine.test_allocation import OBJECTS

LENET = (
    Conv2d(filters=6, kernel=5, padding=2, activation=Tanh()),
    AveragePool2d(),
    Conv2d(filters=16, kernel=5, activation=Tanh()),
    AveragePool2d(),
    Conv2d(filters=20, kernel=5, activation=Tanh()),
    Flatten(),
    Dense(units=14, activation=Tanh()),
    Dense(units=4, activation=Identity()),
)
"""LeNet-5 with fewer units."""
SHAPE = (28, 28, 1)


def problem_of(rules: tuple[LayerRule, ...], shape: tuple[int, ...], **wishes: Any) -> Problem:
    """A classification of random images by these layers."""
    wishes = {"rows": 53, "held": 9, "epochs": 3, **wishes}
    base = posed((3, 4), **wishes)
    network = Network(bind(rules, shape), base.network.dtype, np)
    network.initialize(HeNormal(), 0)
    rng = np.random.default_rng(2)

    def images(split: Matrices | None) -> Matrices | None:
        if split is None:
            return None
        X = rng.standard_normal((split.rows, network.layers[0].inputs)).astype(network.dtype)
        labels = rng.integers(0, network.outputs, split.rows)
        return Matrices(X, np.eye(network.outputs, dtype=network.dtype)[labels], split.weights)

    train = images(base.train)
    assert train is not None
    return dataclasses.replace(base, learner=network, train=train, validation=images(base.validation))


def trained(path: Any, rules: tuple[LayerRule, ...], shape: tuple[int, ...], **wishes: Any) -> tuple[np.ndarray, list[Any]]:
    """θ, and each epoch's values but for its time."""
    problem = problem_of(rules, shape, **wishes)
    epochs = [epoch.values for epoch in descend(problem, State(), path) if epoch.whole]
    return problem.network.parameters.theta, [{**each, "seconds": 0.0} for each in epochs]


def compare(rules: tuple[LayerRule, ...], shape: tuple[int, ...], tolerance: float = 1e-9, **wishes: Any) -> None:
    theta, epochs = trained(Layerwise, rules, shape, **wishes)
    expected, expected_epochs = trained(Definition, rules, shape, **wishes)
    np.testing.assert_allclose(theta, expected, rtol=tolerance, atol=tolerance)
    for epoch, other in zip(epochs, expected_epochs, strict=True):
        assert epoch == pytest.approx(other, rel=tolerance, abs=tolerance)


# --- each kernel: one step down the gradient, with a layer before, so that ∂J/∂X counts too ---

PAIRS = st.tuples(st.integers(1, 4), st.integers(1, 4))
PADDINGS = st.sampled_from(["valid", "same", 0, 1, 2])
BENDS = st.sampled_from([Identity(), Relu(), Tanh(), Gelu()])


def convolutions() -> st.SearchStrategy[LayerRule]:
    return st.integers(1, 3).flatmap(
        lambda groups: st.builds(
            Conv2d,
            filters=st.integers(1, 5).map(lambda filters: filters * groups),
            kernel=PAIRS,
            stride=PAIRS,
            padding=PADDINGS,
            dilation=st.tuples(st.integers(1, 3), st.integers(1, 3)),
            groups=st.just(groups),
            activation=BENDS,
            bias=st.booleans(),
        )
    )


DRAWN = {
    "conv2d": convolutions(),
    "max_pool2d": st.builds(MaxPool2d, kernel=PAIRS, stride=st.none() | PAIRS, padding=PADDINGS),
    "average_pool2d": st.builds(AveragePool2d, kernel=PAIRS, stride=st.none() | PAIRS, padding=PADDINGS),
    "local_response_normalization": st.builds(
        LocalResponseNormalization,
        size=st.sampled_from([1, 3, 5]),
        alpha=st.floats(1e-4, 1),
        beta=st.sampled_from([0.75, 0.5, 1.2]),
        k=st.floats(0.5, 2),
    ),
    "activation": st.builds(ActivationLayer, activation=BENDS),
    "dropout": st.builds(Dropout, rate=st.sampled_from([0.0, 0.5])),
    "flatten": st.just(Flatten()),
}


@pytest.mark.parametrize("kind", DRAWN)
@given(data=st.data())
@settings(max_examples=25)
def test_a_kernel_agrees_with_its_layer(kind: str, data: Any) -> None:
    rule = data.draw(DRAWN[kind])
    channels = data.draw(st.integers(1, 3)) * getattr(rule, "groups", 1)
    shape = (data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9)), 2)
    before = Conv2d(filters=channels, kernel=1, activation=Tanh())
    rest = (Dense(units=7, activation=Tanh(), dropout=0.3), Dense(units=4, activation=Identity()))
    assume(kind not in ("max_pool2d", "average_pool2d") or rule.padding in ("valid", "same") or rule.padding < min(rule.kernel))
    rules = (before, rule, *(() if kind == "flatten" else (Flatten(),)), *rest)
    try:
        bind(rules, shape)
    except InvalidSpec:
        assume(False)
    rows = data.draw(st.integers(1, 40))
    wishes = {"rows": rows, "batch": "full", "epochs": 1, "optimizer": GradientDescent(learning_rate=1.0), "weighted": True}
    compare(rules, shape, **wishes)


def test_which_layers_have_a_kernel() -> None:
    assert {cls.kind for cls in ROWS} == {*DRAWN, "dense"}
    assert ROWS.keys() == KINDS
    softmax, relu = bind((ActivationLayer(activation=Softmax()), ActivationLayer()), (3,))
    assert without_kernel(softmax) == "activation (softmax)"
    assert without_kernel(relu) is None
    partly = {"filters": 2, "kernel": 3, "connections": ((0,), (0, 1))}
    found = [without_kernel(bind((Conv2d(**partly, padding=padding),), (5, 5, 2))[0]) for padding in (0, 1)]
    assert found == [None, "conv2d (connections, padding)"]


@pytest.mark.parametrize("activation", [Identity(), Elu(alpha=0.3)])
def test_partial_connections_agree(activation: Any) -> None:
    partly = Conv2d(filters=3, kernel=3, stride=2, connections=((0, 2), (1,), (0, 1, 2, 3)), activation=activation)
    rules = (Conv2d(filters=4, kernel=2, activation=Tanh()), partly, Flatten(), Dense(units=4, activation=Identity()))
    compare(rules, (9, 8, 2), rows=70)


# --- whole runs ---


@pytest.mark.parametrize(
    "wishes",
    [
        {},
        {"batch": 1, "rows": 5},
        {"batch": "full", "rows": 70, "weighted": True},
        {"regularization": Regularization(l1=0.01, l2=0.1, clip_norm=0.05)},
        {"held": 0, "shuffle": False},
    ],
    ids=lambda wishes: "-".join(wishes) or "plain",
)
def test_runs_of_lenet_agree(wishes: dict[str, Any]) -> None:
    compare(LENET, SHAPE, **wishes)


def test_runs_of_lenet_agree_in_float32() -> None:
    compare(LENET, SHAPE, dtype="float32", tolerance=2e-4)


SMALL = (
    Conv2d(filters=5, kernel=3, padding=1, groups=1, activation=Relu()),
    LocalResponseNormalization(),
    MaxPool2d(kernel=3, stride=2),
    Conv2d(filters=7, kernel=3, activation=Relu()),
    Flatten(),
    Dense(units=20, activation=Relu(), dropout=0.5),
    Dropout(rate=0.2),
    Dense(units=4, activation=Identity()),
)
"""Layers of AlexNet's kinds."""


@pytest.mark.parametrize("clip", [None, 0.05])
def test_a_batch_that_is_not_at_hand_at_once_adds_up(clip: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layerwise, "MOST", 32)
    compare(SMALL, (11, 11, 2), rows=130, batch=100, regularization=Regularization(l2=0.1, clip_norm=clip))


@pytest.mark.parametrize(("rules", "shape"), [(LENET, SHAPE), (SMALL, (11, 11, 2))], ids=["lenet", "small"])
def test_a_team_of_any_size_gives_the_same_bits(rules: Any, shape: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for count in (1, 2, 3):
        monkeypatch.setattr(threads, "count", lambda count=count: count)
        theta, epochs = trained(Layerwise, rules, shape, dtype="float32", rows=200, batch=96, optimizer=Adam())
        found.append((theta.tobytes(), epochs))
    assert all(each == found[0] for each in found)


@pytest.mark.parametrize("yields", [1, 5, 8], ids=["in the first epoch", "between epochs", "in the second"])
def test_a_run_goes_on_from_any_yield_bit_for_bit(yields: int, monkeypatch: pytest.MonkeyPatch) -> None:
    wishes = {"epochs": 3, "dtype": "float32", "regularization": Regularization(clip_norm=0.05)}
    whole = trained(Layerwise, SMALL, (11, 11, 2), **wishes)[0].tobytes()
    monkeypatch.setattr(layerwise, "CALL_OPERATIONS", 1.0)
    monkeypatch.setattr(descent, "BREATH_SECONDS", 0.0)
    problem, state = problem_of(SMALL, (11, 11, 2), **wishes), State()
    run = descend(problem, state, Layerwise)
    for _ in range(yields):
        next(run)
    kept, fresh = state.arrays(problem.network), problem_of(SMALL, (11, 11, 2), **wishes)
    list(run)  # what was kept is a copy
    list(descend(fresh, State.from_arrays(kept, fresh.network), Layerwise))
    assert problem.network.parameters.theta.tobytes() == fresh.network.parameters.theta.tobytes() == whole


def test_a_step_allocates_nothing() -> None:
    problem = problem_of(LENET, SHAPE, rows=96, batch=32)
    steps, order = Layerwise(problem, descent.start_vectors(problem.spec, problem.network), 32), np.arange(96)
    steps(order, 0, 2, 0, 0.01)
    tracemalloc.start()
    try:
        steps(order, 2, 1, 2, 0.01)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        steps(order, 2, 1, 3, 0.01)
        assert tracemalloc.get_traced_memory()[1] - before < OBJECTS
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_member_that_fails_ends_the_run(failing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others, who wait for it in compiled code, are let go."""
    share = layer_step.train_layers

    def failing_share(team: Any, *arguments: Any) -> None:
        if team.member == failing:
            raise MemoryError
        share(team, *arguments)

    monkeypatch.setattr(threads, "count", lambda: 3)
    monkeypatch.setattr(layer_step, "train_layers", failing_share)
    with pytest.raises(MemoryError):
        trained(Layerwise, SMALL, (11, 11, 2))
