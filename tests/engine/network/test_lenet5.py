"""LeNet-5 trained by the definition: beside PyTorch from equal weights, and without an array made in a step."""

import dataclasses
import tracemalloc

import numpy as np
import pytest
import torch

from engine.backend import to_host
from engine.models.base import Matrices, Problem
from engine.models.descent import Definition, descend, start_vectors
from engine.models.run_state import State
from engine.network.backpropagation import backpropagate
from engine.network.layers.activation import ActivationLayer
from engine.network.layers.average_pool2d import AveragePool2d
from engine.network.layers.base import LayerRule, bind
from engine.network.layers.batch_normalization import BatchNormalization
from engine.network.layers.conv2d import Conv2d
from engine.network.layers.dense import Dense
from engine.network.layers.dropout import Dropout
from engine.network.layers.flatten import Flatten
from engine.network.layers.local_response_normalization import LocalResponseNormalization
from engine.network.layers.max_pool2d import MaxPool2d
from engine.network.network import Network
from engine.parts.activations import Identity, Tanh
from engine.parts.initializers import XavierUniform
from engine.parts.losses import CrossEntropy
from engine.parts.optimizers import Adam
from engine.tables.target import Classes
from tests.engine.fast.test_kernels import posed
from tests.engine.strict_device import Card

torch.set_num_threads(1)  # these images are too small to be worth a second one

LENET5: list[LayerRule] = [
    Conv2d(filters=6, kernel=5, padding=2, activation=Tanh()),
    AveragePool2d(),
    Conv2d(filters=16, kernel=5, activation=Tanh()),
    AveragePool2d(),
    Conv2d(filters=120, kernel=5, activation=Tanh()),
    Flatten(),
    Dense(units=84, activation=Tanh()),
    Dense(units=10, activation=Identity()),
]
ROWS, BATCH, STEPS = 20, 4, 50


def images(rules: list[LayerRule], shape: tuple[int, ...], rows: int, batch: int, dtype: str = "float64") -> Problem:
    """Drawn images and classes of those layers to learn."""
    network = Network(bind(rules, shape), dtype, np)
    network.initialize(XavierUniform(), 0)
    rng, classes = np.random.default_rng(1), network.outputs
    X = rng.standard_normal((rows, network.layers[0].inputs)).astype(dtype)
    Y = np.eye(classes, dtype=dtype)[rng.integers(0, classes, rows)]
    spec = dataclasses.replace(posed().spec, loss=CrossEntropy(), optimizer=Adam(learning_rate=0.002), batch_size=batch)
    return Problem(spec, network, Classes(("y",), tuple(range(classes))), Matrices(X, Y), None)


def test_its_layers_have_the_parameters_of_the_course() -> None:
    layers = bind(LENET5, (28, 28, 1))
    assert [layer.size for layer in layers if layer.size] == [156, 2416, 48120, 10164, 850]
    assert layers[5].output_shape == (120,)


def twin(network: Network) -> torch.nn.Module:
    """The same network in PyTorch, with the same weights."""
    nn = torch.nn
    theirs = nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(16, 120, 5), nn.Tanh(), nn.Flatten(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
    ).double()  # fmt: skip
    trained = [views for views in network.parameters.layers if views.arrays]
    layers = [layer for layer in theirs if list(layer.parameters())]
    with torch.no_grad():
        for layer, views in zip(layers, trained, strict=True):
            layer.weight.copy_(torch.tensor(as_theirs(views.W)))
            layer.bias.copy_(torch.tensor(views.b))
    return theirs


def as_theirs(W: np.ndarray) -> np.ndarray:
    return W.transpose(3, 2, 0, 1).copy() if W.ndim == 4 else W.T.copy()


def test_fifty_steps_are_pytorchs() -> None:
    problem = images(LENET5, (28, 28, 1), ROWS, BATCH)
    network, X = problem.network, problem.train.X.reshape(ROWS, 1, 28, 28)
    labels, theirs = problem.train.Y.argmax(axis=1), twin(network)
    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.002)
    steps, order = Definition(problem, start_vectors(problem.spec, network), BATCH), np.arange(ROWS)
    for step in range(STEPS):
        batch = step % (ROWS // BATCH)
        steps(order, batch, 1, step, 0.002)
        rows = slice(batch * BATCH, (batch + 1) * BATCH)
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(theirs(torch.tensor(X[rows])), torch.tensor(labels[rows]))
        loss.backward()
        optimizer.step()
        assert steps.report.losses[rows].mean() == pytest.approx(loss.item(), rel=1e-9)
    arrays = [array for views in network.parameters.layers for array in views.arrays.values()]
    for ours, parameter in zip(arrays, theirs.parameters(), strict=True):
        expected = parameter.detach().numpy()
        np.testing.assert_allclose(as_theirs(ours) if ours.ndim > 1 else ours, expected, rtol=1e-8, atol=1e-9)
    assert steps.report.losses.mean() < 1.5, "nothing was learned"


EVERY: list[LayerRule] = [
    Conv2d(filters=8, kernel=3, padding="same", groups=2),
    BatchNormalization(),
    ActivationLayer(),
    LocalResponseNormalization(),
    MaxPool2d(padding="same"),
    Conv2d(filters=4, kernel=3, connections=((0, 2), (1,), (0, 1, 3), (7,))),
    AveragePool2d(padding="same"),
    Dropout(),
    Flatten(),
    Dense(units=16, dropout=0.2),
    Dense(units=4, activation=Identity()),
]
SIZE = 40
ARRAY = 64 * SIZE * SIZE * 2 * 8
"""Bytes of a batch of the smallest images that go between these layers."""


def most_in_a_step(rules: list[LayerRule]) -> int:
    """The most bytes that stood at once beyond those before, in a step after the first."""
    problem = images(rules, (SIZE, SIZE, 2), 64, 64)
    steps, order = Definition(problem, start_vectors(problem.spec, problem.network), 64), np.arange(64)
    steps(order, 0, 1, 0, 0.01)
    tracemalloc.start()
    try:
        steps(order, 0, 1, 1, 0.01)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        steps(order, 0, 1, 2, 0.01)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_a_step_allocates_no_array_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Activations work through blocks of their own, and the host draws masks: the ones are made small here, the others none."""
    monkeypatch.setattr("engine.parts.activations.BLOCK", 1024)
    monkeypatch.setattr(Network, "draw_masks", lambda *given: None)
    assert most_in_a_step(EVERY) < ARRAY / 4


def small(epochs: int = 3) -> Problem:
    """Every kind of layer on small images, in float32."""
    problem = images(EVERY, (8, 8, 2), 20, 8, "float32")
    return dataclasses.replace(problem, spec=dataclasses.replace(problem.spec, epochs=epochs, shuffle=True))


def test_running_statistics_are_taken_up_with_all_the_rest() -> None:
    """A checkpoint of any epoch goes on to the same bits; and one is all that a network needs to answer the same."""
    problem, state, stops = small(), State(), []
    for epoch in descend(problem, state):
        if epoch.whole:
            stops.append(state.arrays(problem.network))
    assert {"statistics.1.mean", "statistics.1.variance"} <= stops[0].keys()
    assert (stops[0]["statistics.1.mean"] != stops[1]["statistics.1.mean"]).all()
    for count, arrays in enumerate(stops[:-1], start=1):
        fresh = small()
        resumed = State.from_arrays(arrays, fresh.network)
        assert resumed.epoch == count
        list(descend(fresh, resumed))
        ended = resumed.arrays(fresh.network)
        assert ended.keys() == stops[-1].keys()
        for name, array in ended.items():
            assert array.tobytes() == stops[-1][name].tobytes(), name
    answering = small().network
    State.from_arrays(stops[-1], answering)
    answering.adopt(stops[-1])
    np.testing.assert_array_equal(answering.evaluate(problem.train.X), problem.network.evaluate(problem.train.X))


def test_a_step_on_a_card_is_a_step_on_the_host() -> None:
    host, card = small().network, Card()
    other = Network(host.layers, host.dtype, card)
    other.initialize(XavierUniform(), 0)
    problem, rows = small(), 20
    answers = []
    for network in (host, other):
        X, Y = (network.xp.asarray(array) for array in (problem.train.X, problem.train.Y))
        workspace = network.workspace(rows)
        network.draw_masks(workspace, 3, 1)
        network.forward(X, workspace, masked=True, training=True)
        work = network.xp.empty_like(network.parameters.theta)
        backpropagate(network, workspace, CrossEntropy(), Y, None, (0.01, 0.02), work)
        network.observe(workspace)
        running = network.adopt({}).values()
        answers.append([*map(to_host, (network.evaluate(X), network.parameters.gradient, *running))])
    for ours, theirs in zip(*answers, strict=True):
        np.testing.assert_array_equal(ours, theirs)
