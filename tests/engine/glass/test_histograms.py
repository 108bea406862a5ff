"""What section 8 of the course shows: symmetry, vanishing, saturation, dead units, seen in the histograms."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter

from engine.glass.histograms import BINS, LayerHistogram, histogram, in_common_bins, layer_histograms
from engine.models.base import Matrices, Problem
from engine.models.run_state import State
from engine.network.layers.dense import dense
from engine.network.network import Network
from engine.parts.activations import Activation
from engine.parts.initializers import Initializer
from engine.tables.samples import IrisSample
from engine.tables.target import Classes
from engine.training.spec import Training
from tests.engine import prepared, table

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
        assert entry.edges[0] <= entry.min < entry.edges[1]
        assert entry.edges[-2] <= entry.max < entry.edges[-1]
        assert entry.norm == pytest.approx(np.sqrt(entry.count * (entry.mean**2 + entry.std**2)))
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


def test_units_that_begin_alike_are_plain_ten_layers_deep() -> None:
    for initializer in ({"kind": "zeros"}, {"kind": "constant", "value": 0.01}):
        *hidden, output = of(deep(initializer, "tanh"), "weights")
        assert [entry.alike for entry in hidden] == [1.0] * 10
        assert [entry.std for entry in hidden] == pytest.approx([0.0] * 10, abs=1e-12)
        assert output.alike is None
    assert [entry.alike for entry in of(deep({"kind": "he_normal"}, "relu"), "weights")] == [0.0] * 10 + [None]


# --- bins ---

SPREADS = [(0.0, 1.0), (0.0, 1e-9), (5.0, 1e-4), (-1e6, 3.0), (0.0, 1e40)]


@pytest.mark.parametrize(("center", "spread"), SPREADS)
def test_bins_are_few_and_hold_what_numpy_counts_between_their_edges(center: float, spread: float) -> None:
    numbers = np.random.default_rng(3).normal(center, spread, 5000)
    found = histogram("hidden_1", "weights", numbers)
    assert found.is_aligned
    assert BINS / 2 - 2 <= len(found.counts) <= BINS
    assert found.counts == np.histogram(numbers, np.array(found.edges))[0].tolist()


@pytest.mark.parametrize("value", [0.0, 1.0, -0.3, 1e-250, 1e99])
def test_numbers_that_are_all_one_have_a_bin(value: float) -> None:
    found = histogram("hidden_1", "weights", np.full(7, value))
    assert (found.counts, found.is_aligned) == ([7], True)
    assert found.std == pytest.approx(0, abs=1e-15 * abs(value))
    assert found.edges[0] <= value < found.edges[1]


def test_frames_in_common_bins_count_the_same_numbers_exactly() -> None:
    rng = np.random.default_rng(4)
    frames = [rng.normal(center, spread, 900) for center, spread in ((0, 0.01), (0.3, 0.2), (-2.0, 1.5), (4.0, 1e-7))]
    frames.append(np.zeros(900))
    edges, counts = in_common_bins([histogram("hidden_1", "weights", frame) for frame in frames])
    assert len(edges) <= BINS + 2
    for frame, counted in zip(frames, counts, strict=True):
        assert counted == np.histogram(frame, np.array(edges))[0].tolist()


def test_a_frame_of_an_earlier_version_is_left_out_and_not_guessed() -> None:
    numbers = np.random.default_rng(5).normal(size=100)
    counts, edges = np.histogram(numbers, 30)  # as versions up to 0.5 counted
    moments = (float(each) for each in (numbers.mean(), numbers.std(), numbers.min(), numbers.max()))
    earlier = LayerHistogram("hidden_1", "weights", 100, *moments, edges.tolist(), counts.tolist())
    assert not earlier.is_aligned
    assert in_common_bins([earlier]) == ([], [None])
    _, (first, second) = in_common_bins([earlier, histogram("hidden_1", "weights", numbers)])
    assert first is None
    assert second is not None and sum(second) == 100
    assert earlier.norm == pytest.approx(np.linalg.norm(numbers))


# --- the ratio of update to weight ---

RUNS = {
    "gradient_descent": {"optimizer": {"kind": "gradient_descent", "learning_rate": 0.3}},
    "adam, penalties, clipped": {
        "optimizer": {"kind": "adam", "learning_rate": 0.01},
        "regularization": {"l2": 0.01, "l1": 0.001, "clip_norm": 0.1},
        "schedule": {"kind": "exponential"},
    },
    "momentum, weights of classes": {"optimizer": {"kind": "momentum"}, "class_weight": {"setosa": 5.0}},
}


@pytest.mark.parametrize("name", RUNS)
def test_the_update_is_the_step_that_the_engine_takes_next(name: str) -> None:
    """All rows are one batch, and are those looked at: the same numbers, to the bit."""
    posed = prepared(
        table(IrisSample().columns()), target="species", model={"kind": "mlp", "hidden": [5, 4]}, epochs=4,
        batch_size="full", shuffle=False, precision="float64", **RUNS[name],
    )  # fmt: skip
    problem, state = posed.problem, State()
    network = problem.network
    epochs = problem.spec.model.epochs(problem, state)  # type: ignore[attr-defined]
    expected: list[float] = []
    for epoch in range(4):
        expected = [entry.update_ratio or 0.0 for entry in of(layer_histograms(problem, state), "weights")]
        before = [W.copy() for W, _ in network.parameters.weights()]
        assert next(epochs).number == epoch + 1
        after = [W for W, _ in network.parameters.weights()]
        ratios = [np.linalg.norm(b - a) / np.linalg.norm(a) for a, b in zip(before, after, strict=True)]
        assert expected == ratios
    assert min(expected) > 0
