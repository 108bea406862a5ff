"""Slices of a real loss: the directions are the papers', and the cost is the one that training goes by."""

from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter
from sklearn.decomposition import PCA

from engine.errors import InvalidSpec
from engine.glass.directions import Directions, Plane, frame, plane_of
from engine.glass.loss_slices import LossSlice, Slice, SliceCost, slice_of
from engine.models.base import by_definition
from engine.models.run_state import State
from engine.network.backpropagation import Backpropagation
from engine.network.learner import Learner
from engine.network.network import Network
from engine.tables.samples import IrisSample
from engine.training.predict import Predictor
from engine.training.run import train
from tests.engine import prepared, table

IRIS = table(IrisSample().columns())
MLP = {"kind": "mlp", "hidden": [{"units": 4, "activation": "tanh"}]}
DIRECTIONS: TypeAdapter[Directions] = TypeAdapter(Directions)


def request(**fields: Any) -> dict[str, Any]:
    return {"target": "species", "model": MLP, "epochs": 6, "precision": "float64", "batch_size": 20, **fields}


def trained(**fields: Any) -> tuple[Predictor, list[np.ndarray]]:
    """A trained model, and its weights before training and after each epoch."""
    ready = prepared(IRIS, **request(**fields))
    network, run = ready.problem.network, [ready.problem.network.parameters.theta.copy()]
    state = State()
    for _ in train(ready.problem, state, by_definition):
        run.append(network.parameters.theta.copy())
    spec: Any = ready.problem.spec
    return Predictor(spec, ready.features, ready.target, run[-1], statistics=state.vectors), run


def network_of(predictor: Predictor) -> Network:
    learner: Learner = predictor.learner
    assert isinstance(learner, Network)
    return learner


def plane(predictor: Predictor, run: list[np.ndarray], directions: Any) -> Plane:
    return plane_of(DIRECTIONS.validate_python(directions), network_of(predictor), run)


def filters_of(network: Network, vector: np.ndarray) -> list[np.ndarray]:
    """The weights of each unit or filter, and what is no weight last, cut by hand."""
    found, rest, start = [], [], 0
    for layer in network.layers:
        for shape in layer.parameters:
            part = vector[start : start + shape.size].reshape(shape.shape)
            start += shape.size
            if shape.is_weight:
                found += [part[..., unit].reshape(-1) for unit in range(shape.shape[-1])]
            else:
                rest.append(part.reshape(-1))
    return [*found, np.concatenate(rest)]


@pytest.mark.parametrize(
    "model",
    [MLP, {"kind": "network", "input_shape": [2, 2], "layers": [{"kind": "conv2d", "filters": 3, "kernel": 2}]}],
    ids=["dense", "convolution"],
)
def test_random_directions_are_as_long_as_each_filter(model: dict[str, Any]) -> None:
    predictor, run = trained(model=model, epochs=1)
    network = network_of(predictor)
    first, again, other = (plane(predictor, run, {"kind": "random", "seed": seed}) for seed in (1, 1, 2))
    assert np.array_equal(first.along, again.along) and not np.array_equal(first.along, other.along)
    *weights, _ = filters_of(network, first.center)
    for direction in first.along:
        *parts, rest = filters_of(network, direction)
        assert [np.linalg.norm(part) for part in parts] == pytest.approx([np.linalg.norm(part) for part in weights])
        assert not rest.any()
    assert abs(np.corrcoef(first.along)[0, 1]) < 0.9


def test_principal_directions_are_scikit_learns() -> None:
    predictor, run = trained()
    found = plane(predictor, run, "principal")
    peer = PCA(n_components=2).fit(np.stack(run) - run[-1])
    for ours, theirs in zip(found.along, peer.components_, strict=True):
        assert abs(ours @ theirs) == pytest.approx(1, abs=1e-9)
    assert found.explained == pytest.approx(peer.explained_variance_ratio_)
    for theta in run:
        alpha, beta, distance = found.nearest(theta)
        assert (alpha, beta) == pytest.approx(tuple(found.along @ (theta - run[-1])), abs=1e-9)
        assert distance == pytest.approx(np.linalg.norm(theta - found.at(alpha, beta)), abs=1e-9)
    path = [found.nearest(theta)[:2] for theta in run]
    alphas, _ = frame(found, path, None, 5)
    assert alphas[0] < min(alpha for alpha, _ in path) and alphas[-1] > max(alpha for alpha, _ in path)
    assert frame(found, path, 2, 3)[0].tolist() == [-2, 0, 2]


def test_two_weights_change_alone() -> None:
    predictor, run = trained(epochs=1)
    first, second = {"layer": "hidden_1", "index": [2, 3]}, {"layer": "output", "name": "b", "index": [1]}
    found = plane(predictor, run, {"kind": "weights", "first": first, "second": second})
    moved = found.at(0.5, -2)
    other = Network(network_of(predictor).layers, np.float64, np)
    other.parameters.theta[...] = moved
    hidden, output = other.parameters.layers
    network_of(predictor).parameters.theta[...] = found.center
    before = network_of(predictor).parameters.layers
    assert output.b is not None and before[1].b is not None
    assert (hidden.W[2, 3], output.b[1]) == (before[0].W[2, 3] + 0.5, before[1].b[1] - 2)
    assert np.count_nonzero(moved != found.center) == 2


@pytest.mark.parametrize("split", ["train", "validation"])
def test_the_cost_is_trainings_to_the_bit(split: str) -> None:
    """Penalties, weights of classes and all, anywhere on the plane."""
    fields = {"regularization": {"l1": 0.01, "l2": 0.1}, "class_weight": "balanced"}
    predictor, run = trained(**fields)
    cost = SliceCost.of(predictor, IRIS.columns, split, 10**6)
    ready = prepared(IRIS, **request(**fields)).problem
    rows = ready.train if split == "train" else ready.validation
    assert rows is not None and ready.spec.loss is not None
    assert (cost.rows.rows, cost.split_rows) == (rows.rows, rows.rows)
    network = Network(ready.network.layers, np.float64, np)
    peer = Backpropagation(network, rows.X, rows.Y, ready.spec.loss, rows.weights, ready.spec.penalties(ready.train.rows))
    found = plane(predictor, run, "random")
    alphas, betas = np.array([-1.0, 0.0, 0.3]), np.array([0.0, 2.0])
    for beta, line in zip(betas, cost.lines(found, alphas, betas), strict=True):
        for alpha, value in zip(alphas, line, strict=True):
            network.parameters.theta[...] = found.at(alpha, beta)
            assert value == peer.forward()


def test_normalization_goes_by_its_running_statistics() -> None:
    layers = [{"kind": "dense", "units": 4}, {"kind": "batch_normalization"}]
    predictor, run = trained(model={"kind": "network", "layers": layers})
    cost = SliceCost.of(predictor, IRIS.columns, "train", 10**6)
    outputs = predictor.outputs({name: column for name, column in IRIS.columns.items() if name != "species"})
    rows = prepared(IRIS, **request(model={"kind": "network", "layers": layers})).rows["train"]
    codes = IRIS.columns["species"].values[rows]
    scores = outputs[rows]
    expected = (np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(len(rows)), codes]).mean()
    assert cost(run[-1]) == pytest.approx(expected, rel=1e-12)
    assert plane(predictor, run, "random").center.shape == run[-1].shape


def test_a_slice_tells_how_far_it_is_and_can_be_left_between_two_lines() -> None:
    predictor, run = trained(epochs=3)
    networks = {epoch: Network(network_of(predictor).layers, np.float64, np) for epoch in range(4)}
    for network, theta in zip(networks.values(), run, strict=True):
        network.parameters.theta[...] = theta
    parts = slice_of(LossSlice(resolution=4, extent=2.0), predictor, IRIS.columns, networks)
    assert [next(parts) for _ in range(4)] == [0.25, 0.5, 0.75, 1]
    with pytest.raises(StopIteration) as end:
        next(parts)
    found: Slice = end.value.value
    assert (found.costs.shape, found.alpha[0], found.rows, found.split_rows) == ((4, 4), -2, 120, 120)
    assert [point.epoch for point in found.path] == [0, 1, 2, 3]
    assert found.path[-1].cost == found.cost < found.path[0].cost
    left = slice_of(LossSlice(), predictor, IRIS.columns, networks)
    assert next(left) == 1 / 25
    left.close()


def test_some_rows_stand_for_all() -> None:
    predictor, run = trained(epochs=1)
    cost = SliceCost.of(predictor, IRIS.columns, "train", 10)
    assert (cost.rows.rows, cost.split_rows) == (10, 120)
    assert np.isfinite(cost(run[-1]))


WRONG: list[tuple[dict[str, Any], Any, str, str]] = [
    ({"epochs": 1}, "principal", "/directions", "the weights of 2 epochs are kept, and principal directions take 3"),
    (
        {"optimizer": {"kind": "gradient_descent", "learning_rate": 1e-300}},
        "principal",
        "/directions",
        "moved along one line, or not at all",
    ),
    (
        {},
        {"kind": "weights", "first": {"layer": "output", "index": [0, 3]}, "second": {"layer": "output", "index": [0, 0]}},
        "/directions/first/index",
        "W of output is 4 × 3, counted from 0; [0, 3] is no place in it",
    ),
    (
        {},
        {"kind": "weights", "first": {"layer": "output", "index": [0, 0]}, "second": {"layer": "output", "index": [0, 0]}},
        "/directions/second",
        "both are the same parameter",
    ),
    (
        {},
        {"kind": "weights", "first": {"layer": "output", "index": [0, 0]}, "second": {"layer": "last", "index": [0, 0]}},
        "/directions/second",
        "there is no W of last; there is W of hidden_1, b of hidden_1, W of output, b of output",
    ),
]


@pytest.mark.parametrize(("fields", "directions", "pointer", "said"), WRONG)
def test_a_plane_that_is_none_says_why(fields: dict[str, Any], directions: Any, pointer: str, said: str) -> None:
    predictor, run = trained(**fields)
    with pytest.raises(InvalidSpec) as caught:
        plane(predictor, run, directions)
    ((at, detail),) = caught.value.errors
    assert at == pointer and said in detail


def test_one_parameter_has_no_plane() -> None:
    perceptron = prepared(
        table({"a": [1.0, 2, 3, 4], "y": ["n", "n", "p", "p"]}), target="y", model={"kind": "perceptron", "bias": False}
    )
    with pytest.raises(InvalidSpec, match="one parameter"):
        plane_of(DIRECTIONS.validate_python("random"), perceptron.problem.network, [])
    spec: Any = perceptron.problem.spec
    with pytest.raises(InvalidSpec, match="makes no loss small"):
        SliceCost.of(Predictor(spec, perceptron.features, perceptron.target), {}, "train", 1)
