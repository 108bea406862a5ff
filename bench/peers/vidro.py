"""The engine, through the generator that the worker drives, with every number an epoch reports."""

import time
from collections.abc import Callable

import numpy as np

from bench.peers import LEARNING_RATE, Case, LeNet5
from engine.models import lenet5
from engine.models.base import Matrices, Problem
from engine.models.mlp import HiddenLayer, MultilayerPerceptron
from engine.models.regularization import Regularization
from engine.models.run_state import State
from engine.network.layers.base import bind
from engine.network.layers.dense import Dense
from engine.network.network import Network
from engine.parts.activations import Identity
from engine.parts.losses import CrossEntropy
from engine.parts.optimizers import Adam
from engine.parts.schedules import ConstantRate
from engine.tables.images import ImageSize
from engine.tables.target import Classes
from engine.training.run import train
from engine.training.spec import Training

VERSION = "vidro"


def pose(case: Case) -> tuple[Problem, list[np.ndarray]]:
    X, labels, weights = case.data()
    spec = Training(
        target="class",
        task="classification",
        model=MultilayerPerceptron(hidden=tuple(HiddenLayer(units=units) for units in case.sizes[1:-1])),
        loss=CrossEntropy(),
        optimizer=Adam(learning_rate=LEARNING_RATE),
        schedule=ConstantRate(),
        regularization=Regularization(),
        epochs=case.epochs,
        batch_size=case.batch,
        shuffle=True,
        seed=0,
        precision="float32",
    )
    layers = spec.model.bound_layers(case.sizes[0], case.sizes[-1])
    if isinstance(case, LeNet5):
        rules = lenet5.LeNet5().layers_for(ImageSize(28, 28))
        layers = bind([*rules, Dense(units=10, activation=Identity())], (28, 28, 1))
    network = Network(layers, np.float32, np)
    Y = np.eye(case.sizes[-1], dtype=np.float32)[labels]
    target = Classes(("class",), tuple(range(case.sizes[-1])))
    return Problem(spec, network, target, Matrices(X, Y), None), weights


def ready(case: Case) -> Callable[[], tuple[float, float]]:
    problem, weights = pose(case)

    def run() -> tuple[float, float]:
        trained = (views for views in problem.network.parameters.layers if views.shapes)
        for views, W in zip(trained, weights, strict=True):
            views.W[...] = W
            assert views.b is not None
            views.b[...] = 0
        started = time.perf_counter()
        for epoch in train(problem, State()):
            values = epoch.values
        seconds = time.perf_counter() - started
        loss = values["train_loss"]
        assert loss is not None
        return seconds, loss

    return run
