"""What the course shows of the start of a deep network: symmetry, vanishing, explosion, saturation, layer by layer."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from engine.models.run_state import State
from engine.network.layers.dense import dense
from engine.network.parameters import layer_views
from engine.parts.activations import Relu, Tanh
from engine.tables.samples import BlobsSample, IrisSample
from engine.training.prepare import Prepared
from engine.training.run import train
from tests.engine import one_step, prepared, table

IRIS = table(IrisSample().columns())
LAYERS, UNITS = 10, 64

# --- symmetry ---


def through_the_epochs(activation: str, initializer: dict[str, Any] | None = None) -> Iterator[Prepared]:
    """A network of two hidden layers after each of 60 epochs on Iris."""
    hidden = [{"units": 4, "activation": activation}, {"units": 3, "activation": activation}]
    model = {"kind": "mlp", "hidden": hidden} | ({"initializer": initializer} if initializer else {})
    posed = prepared(
        IRIS, target="species", model=model, epochs=60, batch_size=16, precision="float64", split={"validation": 0.0}
    )  # fmt: skip
    state = State()
    for epoch in train(posed.problem, state):
        if epoch.whole:  # on a slow machine there are breaths between them
            state.settle()
            yield posed


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu"])
@pytest.mark.parametrize("initializer", [{"kind": "zeros"}, {"kind": "constant", "value": 0.3}], ids=["zeros", "constant"])
def test_units_that_begin_alike_stay_alike(initializer: dict[str, Any], activation: str) -> None:
    for posed in through_the_epochs(activation, initializer):
        first, second, last = posed.problem.network.parameters.layers
        for W, axis in ((first.W, 1), (second.W, 1), (second.W, 0), (last.W, 0)):
            np.testing.assert_allclose(np.ptp(W, axis=axis), 0, atol=1e-9)
        for b in (first.b, second.b):
            assert np.ptp(b) < 1e-9
    *_, unlike = through_the_epochs(activation)
    assert np.ptp(unlike.problem.network.parameters.layers[0].W, axis=1).min() > 0.01


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_with_zero_weights_only_the_last_bias_learns(activation: str) -> None:
    """f(0) = 0, so that no error comes back through the last weights and no input to them: one answer for every row."""
    for posed in through_the_epochs(activation, {"kind": "zeros"}):
        *hidden, last = posed.problem.network.parameters.layers
        assert not any(array.any() for layer in hidden for array in (layer.W, layer.b))
        assert not last.W.any()
        assert last.b.any()
        assert (np.ptp(posed.problem.network.evaluate(posed.problem.train.X), axis=0) == 0).all()


# --- depth ---


def deep(initializer: dict[str, Any], activation: str) -> Prepared:
    hidden = [{"units": UNITS, "activation": activation}] * LAYERS
    columns = BlobsSample(rows=200, features=UNITS, centers=3, std=3.0).columns()
    return prepared(
        table(columns), target="blob", model={"kind": "mlp", "hidden": hidden, "initializer": initializer},
        optimizer={"kind": "gradient_descent", "learning_rate": 1.0}, epochs=1, batch_size="full", precision="float64",
        preprocessing={"scaling": "standard"}, split={"validation": 0.0},
    )  # fmt: skip


def activations(posed: Prepared, function: Any) -> list[np.ndarray]:
    """What each hidden layer of the network gives, before any training."""
    A, given = posed.problem.train.X, []
    for layer in posed.problem.network.parameters.layers[:-1]:
        A = A @ layer.W + layer.b
        function.apply(np, A, A)
        given.append(A)
    return given


def spreads(posed: Prepared, function: Any) -> list[float]:
    """The root mean square of what each hidden layer gives."""
    return [float(np.sqrt(np.mean(A**2))) for A in activations(posed, function)]


def gradients(posed: Prepared) -> tuple[list[float], list[float]]:
    """The root mean square of ∂J/∂W and of ∂J/∂b in each layer, the output's the last.

    ∂J/∂b is what is left of the error when it has come back to that layer. ∂J/∂W is that times the layer's input, so what
    falls on the way back is made up for by what has not fallen yet on the way forward.
    """
    network = posed.problem.network
    start = network.parameters.theta.copy()
    gradient, _ = one_step(posed, start)
    network.parameters.theta[...] = start
    shapes = [dense(*layer.W.shape).parameters for layer in network.parameters.layers]
    views = layer_views(gradient, gradient, shapes)
    return tuple([float(np.sqrt(np.mean(getattr(layer, name) ** 2))) for layer in views] for name in ("W", "b"))


def ratios(sizes: Sequence[float]) -> list[float]:
    """By what each is larger than the one before."""
    return [after / before for before, after in pairwise(sizes)]


def by_about(expected: float, sizes: Sequence[float]) -> bool:
    """Whether each is `expected` times the one before, to within a factor of 2: what is drawn is never quite its mean."""
    return all(expected / 2 < ratio < expected * 2 for ratio in ratios(sizes))


def saturated(posed: Prepared) -> list[float]:
    """The share of each layer's tanh whose slope is below 0.02."""
    return [float((np.abs(A) > 0.99).mean()) for A in activations(posed, Tanh())]


KEEPING = [("xavier_normal", "tanh", Tanh()), ("xavier_uniform", "tanh", Tanh())]
KEEPING += [("he_normal", "relu", Relu()), ("he_uniform", "relu", Relu())]


@pytest.mark.parametrize(("kind", "activation", "function"), KEEPING, ids=[kind for kind, _, _ in KEEPING])
def test_xavier_and_he_keep_the_signal(kind: str, activation: str, function: Any) -> None:
    """The variance stays of one order, and changes little from any layer to the next, forward and backward."""
    posed = deep({"kind": kind}, activation)
    variances = np.square(spreads(posed, function))
    assert len(variances) == LAYERS
    assert max(variances) / min(variances) < 10
    assert all(0.4 < ratio < 2.5 for ratio in ratios(variances.tolist()))
    weights, errors = gradients(posed)
    assert max(weights) / min(weights) < 30
    assert all(0.5 < ratio < 2 for ratio in ratios(errors[:-1]))


FUNCTIONS = {"tanh": (Tanh(), 1.0), "relu": (Relu(), 0.5)}
"""With the share of the variance that passes a unit near 0: tanh is z there, and ReLU half of it."""


@pytest.mark.parametrize("activation", FUNCTIONS)
def test_too_small_vanishes_layer_by_layer(activation: str) -> None:
    """By σ √(inputs · share) a layer, on the way forward as on the way back: no weight hears of the error."""
    function, share = FUNCTIONS[activation]
    posed = deep({"kind": "normal", "std": 0.01}, activation)
    fall = 0.01 * np.sqrt(UNITS * share)
    given = spreads(posed, function)
    assert by_about(fall, given)
    assert given[-1] < 1e-8
    weights, errors = gradients(posed)
    assert by_about(fall, errors[-2::-1])
    assert max(weights) < 1e-8


def test_too_large_explodes_layer_by_layer() -> None:
    """ReLU has no ceiling: both ways it grows by the same σ √(inputs / 2)."""
    posed = deep({"kind": "standard_normal"}, "relu")
    growth = np.sqrt(UNITS / 2)
    given = spreads(posed, Relu())
    assert by_about(growth, given)
    weights, errors = gradients(posed)
    assert by_about(growth, errors[-2::-1])
    assert min(weights) > 1e5


def test_too_large_saturates_in_every_layer() -> None:
    """tanh has one: most units sit at it, and what passes the others grows on its way back. A fit size does neither."""
    large, appropriate = deep({"kind": "standard_normal"}, "tanh"), deep({"kind": "xavier_normal"}, "tanh")
    assert min(saturated(large)) > 0.6
    assert max(saturated(appropriate)) < 0.1
    _, errors = gradients(large)
    assert all(ratio > 1.4 for ratio in ratios(errors[-2::-1]))
    larger = deep({"kind": "normal", "std": 5.0}, "tanh")
    assert all(more > much for more, much in zip(saturated(larger), saturated(large), strict=True))
    assert min(saturated(larger)) > 0.9
