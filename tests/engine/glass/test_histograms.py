"""What section 8 of the course shows: symmetry, vanishing, saturation, dead units, seen in the histograms."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from engine.glass.histograms import LayerHistogram, layer_histograms
from engine.models.base import Matrices, Problem
from engine.network.layers.dense import dense
from engine.network.network import Network
from engine.parts.activations import Activation
from engine.parts.initializers import Initializer
from engine.tables.target import Classes
from engine.training.spec import Training

TRAINING: TypeAdapter[Training] = TypeAdapter(Training)


def deep(initializer: dict[str, Any], activation: str, layers: int = 10, width: int = 100) -> list[LayerHistogram]:
    """The histograms of a deep net on standard normal rows before its first step."""
    function = TypeAdapter(Activation).validate_python(activation)
    shapes = [dense(width, width, function) for _ in range(layers)] + [dense(width, 3)]
    network = Network(shapes, np.float64, np)
    network.initialize(TypeAdapter(Initializer).validate_python(initializer), 0)
    rng = np.random.default_rng(1)
    data = Matrices(rng.normal(size=(200, width)), np.eye(3)[rng.integers(0, 3, 200)])
    spec = TRAINING.validate_python({"target": "y", "model": {"kind": "mlp"}, "loss": {"kind": "cross_entropy"}})
    return layer_histograms(Problem(spec, network, Classes(("y",), ("a", "b", "c")), data, None))


def of(found: list[LayerHistogram], what: str) -> list[LayerHistogram]:
    return [entry for entry in found if entry.of == what]


def test_counts_and_moments_are_those_of_the_numbers() -> None:
    for entry in deep({"kind": "he_normal"}, "relu", layers=2):
        assert sum(entry.counts) == entry.count
        assert len(entry.edges) == len(entry.counts) + 1
        assert (entry.edges[0], entry.edges[-1]) == pytest.approx((entry.min, entry.max))
        assert entry.min <= entry.mean <= entry.max
    weights = of(deep({"kind": "he_normal"}, "relu", layers=1), "weights")[0]
    assert weights.std == pytest.approx(np.sqrt(2 / 100), rel=0.03)


def test_xavier_and_he_keep_the_spread_of_activations_through_ten_layers() -> None:
    for initializer, activation in (("xavier_normal", "tanh"), ("he_normal", "relu")):
        spreads = [entry.std for entry in of(deep({"kind": initializer}, activation), "activations")][:-1]
        assert len(spreads) == 10
        assert max(spreads) / min(spreads) < np.sqrt(10)  # of the variance: one order


def test_too_small_weights_let_activations_and_gradients_vanish() -> None:
    found = deep({"kind": "normal", "std": 0.01}, "tanh")
    spreads = [entry.std for entry in of(found, "activations")]
    falls = [after / before for before, after in pairwise(spreads)]
    assert all(0.05 < fall < 0.2 for fall in falls)  # by 0.01 √100 a layer
    healthy = of(deep({"kind": "xavier_normal"}, "tanh"), "gradients")
    for gradient, alive in zip(of(found, "gradients")[:-1], healthy, strict=False):
        assert gradient.std < 1e-6 * alive.std


def test_too_large_weights_saturate_every_layer_or_explode() -> None:
    calm, wild = (of(deep({"kind": "normal", "std": d}, "tanh"), "activations")[:-1] for d in (0.1, 3.0))
    assert max(entry.saturated or 0 for entry in calm) < 0.05
    assert min(entry.saturated or 0 for entry in wild) > 0.8
    spreads = [entry.std for entry in of(deep({"kind": "standard_normal"}, "relu"), "activations")[:-1]]
    growths = [after / before for before, after in pairwise(spreads)]
    assert all(3 < growth < 15 for growth in growths)  # by √(100 / 2)


def test_dead_units_are_counted() -> None:
    zero = of(deep({"kind": "zeros"}, "relu"), "activations")
    assert [entry.dead for entry in zero[:-1]] == [1.0] * 10
    assert zero[-1].dead is None
    alive = of(deep({"kind": "he_normal"}, "relu"), "activations")
    assert alive[0].dead == 0.0
