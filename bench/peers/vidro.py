"""The engine, through the generator that the worker drives, with every number an epoch reports."""

import time
from collections.abc import Callable

import numpy as np

from bench.peers import LEARNING_RATE, Case
from engine.models.base import Matrices, Problem
from engine.models.mlp import HiddenLayer, MultilayerPerceptron
from engine.models.regularization import Regularization
from engine.models.run_state import State
from engine.network.network import Network
from engine.parts.losses import CrossEntropy
from engine.parts.optimizers import Adam
from engine.parts.schedules import ConstantRate
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
    network = Network(spec.model.bound_layers(case.sizes[0], case.sizes[-1]), np.float32, np)
    Y = np.eye(case.sizes[-1], dtype=np.float32)[labels]
    target = Classes(("class",), tuple(range(case.sizes[-1])))
    return Problem(spec, network, target, Matrices(X, Y), None), weights


def ready(case: Case) -> Callable[[], tuple[float, float]]:
    problem, weights = pose(case)

    def run() -> tuple[float, float]:
        for views, W in zip(problem.network.parameters.layers, weights, strict=True):
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
