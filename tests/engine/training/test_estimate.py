from typing import Any

import pytest

from engine.errors import UnusableData
from engine.fast import kernels, layerwise, team_step, threads
from engine.models import lloyd
from engine.parts.activations import Activation
from engine.parts.losses import Loss
from engine.parts.optimizers import Optimizer
from engine.spec import members
from engine.tables.samples import BlobsSample, IrisSample
from engine.training.estimate import AT_HAND, BASE_BYTES, Estimated, by_definition, estimate
from engine.training.prepare import prepare
from tests.engine import Table, completed, table, trained
from tests.engine.models.test_network import images

IRIS = table(IrisSample().columns())


def estimated(data: Table = IRIS, **request: Any) -> Estimated:
    return estimate(completed(data, **{"target": "species", "model": {"kind": "mlp"}} | request), data.columns)


@pytest.mark.parametrize(
    ("model", "parameters"),
    [
        ({"kind": "mlp"}, 4 * 16 + 16 + 16 * 3 + 3),
        ({"kind": "mlp", "bias": False}, 4 * 16 + 16 * 3),
        ({"kind": "mlp", "hidden": []}, 15),
        ({"kind": "logistic_regression"}, 15),
    ],
)
def test_parameters(model: dict[str, Any], parameters: int) -> None:
    assert estimated(model=model).parameters == parameters
    assert trained(IRIS, target="species", model=model, epochs=1).theta.size == parameters


def test_a_solver_decides_its_own_time() -> None:
    assert estimated(model={"kind": "logistic_regression"}).seconds is None
    assert estimated(target="petal_width", model={"kind": "linear_regression"}).seconds is None
    seconds = estimated(model={"kind": "logistic_regression", "solver": "gradient_descent"}).seconds
    assert seconds is not None


def test_more_takes_more() -> None:
    small = estimated()
    assert small.seconds is not None
    wide = {"model": {"kind": "mlp", "hidden": [{"units": 3000}]}, "batch_size": "full"}
    many = table(BlobsSample(rows=1500, features=4).columns())
    ten_times, once = estimated(many, **wide, target="blob").seconds, estimated(**wide).seconds
    assert ten_times is not None
    assert once is not None
    assert ten_times > 4 * once
    for change in ({"epochs": 200}, {"batch_size": 4}, {"model": {"kind": "mlp", "hidden": [{"units": 4000}] * 2}}):
        seconds = estimated(**change).seconds
        assert seconds is not None
        assert seconds > 1.5 * small.seconds
    assert small.memory_bytes > BASE_BYTES
    assert estimated(model={"kind": "mlp", "hidden": [{"units": 4000}] * 2}).memory_bytes > 5 * small.memory_bytes
    double = estimated(precision="float64").memory_bytes - BASE_BYTES
    assert 1.5 < double / (small.memory_bytes - BASE_BYTES) <= 2  # columns are read as they are
    adam, plain = (
        estimated(model={"kind": "mlp", "hidden": [{"units": 4000}]}, optimizer={"kind": kind}).memory_bytes
        for kind in ("adam", "gradient_descent")
    )
    assert adam > plain


def test_of_the_right_order() -> None:
    """The arrays of a run fit into what was said, and what was said is not many times as much."""
    data = table(BlobsSample(rows=2000, features=10).columns())
    run = trained(data, target="blob", model={"kind": "mlp"}, epochs=1)
    problem = run.prepared.problem
    held = [problem.train.X, problem.train.Y, run.theta, problem.network.parameters.gradient, *run.state.vectors.values()]
    said = estimated(data, target="blob", epochs=1).memory_bytes - BASE_BYTES
    assert sum(array.nbytes for array in held) < said < 60 * sum(array.nbytes for array in held)


def test_what_cannot_be_trained_cannot_be_estimated() -> None:
    data = table({"x": [1.0, None], "y": [None, 2.0]})
    with pytest.raises(UnusableData):
        estimated(data, target="y", model={"kind": "linear_regression"}, preprocessing={"missing": "drop"})


def test_a_large_batch_takes_no_more_where_it_is_added_up() -> None:
    """As the fast path does; dropout, softmax within and a card take the definition's way."""
    many = table(BlobsSample(rows=20_000, features=4).columns())

    def bytes_of(batch: int | str, activation: str = "relu", **layer: Any) -> int:
        hidden = [{"units": 500, "activation": activation, **layer}]
        return estimated(many, target="blob", model={"kind": "mlp", "hidden": hidden}, batch_size=batch).memory_bytes

    assert bytes_of("full") == bytes_of(10_000) == bytes_of(AT_HAND) > bytes_of(64)
    for definition in ({"dropout": 0.1}, {"activation": "softmax"}):
        assert bytes_of("full", **definition) > bytes_of(10_000, **definition) > 1.1 * bytes_of(AT_HAND, **definition)


IMAGES = images(12, 12, 1, rows=200)


@pytest.mark.parametrize(
    ("layers", "lacking"),
    [
        (["batch_normalization"], "layer 1, batch_normalization, has no compiled kernel"),
        ([{"kind": "activation", "activation": "softmax"}], "layer 1, activation (softmax), has no compiled kernel"),
        ([{"kind": "activation", "activation": "tanh"}], None),
    ],
    ids=["batch normalization", "softmax", "tanh"],
)
def test_layers_without_kernels_take_longer_and_are_told(layers: list[Any], lacking: str | None) -> None:
    def network(more: list[Any]) -> dict[str, Any]:
        model = {"kind": "network", "layers": [{"kind": "conv2d", "filters": 8}, *more]}
        return {"target": "label", "task": "classification", "model": model}

    training = completed(IMAGES, **network(layers))
    problem = prepare(training, IMAGES.columns).problem
    assert layerwise.supported(problem) == (lacking is None)
    told = by_definition(training, IMAGES.summaries)
    assert [(each["code"], each["field"]) for each in told] == ([("NO_KERNEL", "model.layers.1")] if lacking else [])
    assert all(each["detail"].startswith(lacking) for each in told)
    seconds, plain = (estimated(IMAGES, **network(each)).seconds for each in (layers, []))
    assert seconds is not None and plain is not None
    assert (seconds > 2 * plain) == (lacking is not None)


def test_dense_layers_without_kernels_are_not_worth_a_word() -> None:
    """Products of matrices are most of their work, and BLAS takes them."""
    model = {"kind": "mlp", "hidden": [{"units": 8, "dropout": 0.5}]}
    assert by_definition(completed(IRIS, target="species", model=model), IRIS.summaries) == []


def test_sums_of_clusters_wait_once_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """More threads read more pieces at once, as far as there are any."""
    model = {"kind": "k_means", "clusters": 500, "restarts": 10}
    many = table(BlobsSample(rows=1500, features=300).columns())
    found = []
    for count in (1, 64):
        monkeypatch.setattr(threads, "count", lambda count=count: count)
        names = [name for name in many.columns if name != "blob"]
        found.append(estimated(many, target=None, features=names, model=model, split={"validation": 0.0}).memory_bytes)
    pieces = -(-1500 // lloyd.LEAST_ROWS)
    assert found[1] - found[0] == 8 * 500 * 10 * 300 * (pieces - 2)


def test_what_is_assumed_of_the_fast_path_is_so() -> None:
    assert team_step.MOST == AT_HAND
    assert {cls for cls in members(Activation) if cls.is_elementwise} == set(kernels.ACTIVATIONS)
    assert set(members(Loss)) == set(kernels.LOSSES)
    assert set(members(Optimizer)) == set(kernels.OPTIMIZERS)
