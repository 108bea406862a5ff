"""Networks of layers of every kind, and LeNet-5 and AlexNet, which are given by few settings."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine.models import descent
from engine.models.network import LayeredNetwork
from engine.models.run_state import State
from engine.network.network import Network
from engine.tables.features import Column, ColumnSummary
from engine.tables.images import ImageSize
from engine.tables.samples import DigitsSample, IrisSample
from engine.training.estimate import estimate
from engine.training.fork import refusals as refusals_of_fork
from engine.training.fork import repeated
from engine.training.run import train
from tests.engine import TRAINING, Table, completed, finish, prepared, refusals, table, trained

RNG = np.random.default_rng(5)
DIGITS = table(DigitsSample().columns())
IRIS = table(IrisSample().columns())
CONV: dict[str, Any] = {"kind": "conv2d", "filters": 4, "kernel": 3}
SMALL: dict[str, Any] = {"kind": "network", "layers": [CONV, {"kind": "max_pool2d"}, {"kind": "dense", "units": 16}]}


def images(*shape: int, rows: int = 12, classes: int = 3, kind: Any = "image") -> Table:
    """A table of one column of random bytes of that shape, and the class of each row."""
    flat = RNG.integers(0, 256, (rows, int(np.prod(shape)))).astype(np.uint8)
    labels = table({"label": np.arange(rows) % classes}, label="categorical" if classes > 10 else "integer")
    cell = (int(np.prod(shape)),) if kind == "vector" else shape
    pixels = Column("pixels", kind, flat, shape=cell)
    summary = ColumnSummary("pixels", kind, 0, rows, shape=cell, low=0, high=255)
    return Table({"pixels": summary, **labels.summaries}, {"pixels": pixels, **labels.columns}, rows)


def network_of(model: dict[str, Any], data: Table, outputs: int) -> Network:
    """The network that a request for the model trains."""
    found = completed(data, target="label", task="classification", model=model).model
    assert isinstance(found, LayeredNetwork)
    return Network(found.bound_layers(0, outputs), np.float32, np)


LENET = [156, 0, 2416, 0, 0, 48120, 10164, 850]
ALEXNET = [34944, 0, 0, 614656, 0, 0, 885120, 1327488, 884992, 0, 0, 37752832, 16781312, 4097000]
GROUPED = [34944, 0, 0, 307456, 0, 0, 885120, 663936, 442624, 0, 0, 37752832, 16781312, 4097000]


@pytest.mark.parametrize(("model", "shape", "outputs", "sizes", "total"), [
    ({"kind": "lenet5"}, (32, 32), 10, LENET, 61_706),
    ({"kind": "lenet5"}, (28, 28), 10, LENET, 61_706),
    ({"kind": "lenet5", "activation": "relu", "pooling": "max"}, (28, 28, 1), 10, LENET, 61_706),
    ({"kind": "lenet5", "c3": "partial"}, (1, 28, 28), 10, [156, 0, 1516, 0, 0, 48120, 10164, 850], 60_806),
    ({"kind": "alexnet"}, (227, 227, 3), 1000, ALEXNET, 62_378_344),
    ({"kind": "alexnet", "groups": 2}, (3, 227, 227), 1000, GROUPED, 60_965_224),
])  # fmt: skip
def test_they_have_the_parameters_that_are_taught(
    model: dict[str, Any], shape: tuple[int, ...], outputs: int, sizes: list[int], total: int
) -> None:
    found = completed(images(*shape, rows=2, classes=2), target="label", task="classification", model=model).model
    layers = found.bound_layers(0, outputs)  # type: ignore[attr-defined]
    assert [layer.size for layer in layers] == sizes
    assert sum(sizes) == total


def test_lenet5_is_shown_as_its_layers() -> None:
    found = completed(images(28, 28), target="label", task="classification", model={"kind": "lenet5"}).model
    assert isinstance(found, LayeredNetwork)
    assert found.input_shape == (28, 28, 1)
    shapes = [layer.output_shape for layer in found.bound_layers(0, 10)]
    assert shapes == [(28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16), (400,), (120,), (84,), (10,)]
    kinds = ["conv2d", "average_pool2d", "conv2d", "average_pool2d", "flatten", "dense", "dense"]
    assert [layer.kind for layer in found.layers] == kinds
    assert {layer.activation.kind for layer in found.layers if hasattr(layer, "activation")} == {"tanh"}


@pytest.mark.parametrize(
    ("model", "is_same"),
    [
        ("lenet5", True),
        ({"kind": "lenet5", "activation": "tanh"}, True),
        ({"kind": "lenet5", "activation": "relu"}, False),
        ({"kind": "alexnet", "width": 0.1}, False),
        ({"kind": "network", "layers": ["flatten", CONV]}, False),
        ("k_means", False),
    ],
)
def test_a_fork_may_repeat_its_models_short_form(model: Any, is_same: bool) -> None:
    data = images(28, 28)
    before = completed(data, target="label", task="classification", model={"kind": "lenet5"})
    given = replace(before, model=TRAINING.validate_python({"model": model}).model)
    after = repeated(before, given, data.summaries)
    assert (after == before) == is_same
    assert [at for at, _ in refusals_of_fork(before, after, 0)] == ([] if is_same else ["/model"])


@pytest.mark.parametrize("size", [16, 28, 32, 64, 128, 224])
@pytest.mark.parametrize("groups", [1, 2])
def test_alexnet_fits_small_images_and_fewer_filters(size: int, groups: int) -> None:
    model = {"kind": "alexnet", "width": 0.11, "groups": groups}
    layers = network_layers = completed(images(size, size, 3, rows=2, classes=2), target="label", model=model).model
    assert isinstance(layers, LayeredNetwork)
    first, *_, last = network_layers.bound_layers(0, 10)  # type: ignore[attr-defined]
    assert first.output_shape[2] == {1: 11, 2: 10}[groups]
    assert last.output_shape == (10,)


def test_a_narrow_alexnet_learns_small_images() -> None:
    """Each row of its 16 × 16 pixels by heart, without dropout."""
    model = {"kind": "alexnet", "width": 0.05, "groups": 2, "dropout": 0.0}
    request = {
        "epochs": 30,
        "batch_size": 6,
        "split": {"validation": 0.0},
        "optimizer": {"kind": "adam", "learning_rate": 0.003},
    }
    run = trained(images(16, 16, 3), target="label", task="classification", model=model, **request)
    assert run.last["train_accuracy"] == 1


@pytest.mark.parametrize("model", [SMALL, {"kind": "lenet5"}, {"kind": "alexnet", "width": 0.1}, {"kind": "network"}])
def test_completing_twice_changes_nothing(model: dict[str, Any]) -> None:
    data = images(20, 20, 3)
    once = completed(data, target="label", task="classification", model=model)
    sent = TRAINING.dump_python(once, mode="json")
    assert completed(data, **sent) == once


def test_a_dense_layer_has_a_flatten_before_it_where_an_image_reaches_it() -> None:
    found = completed(images(6, 5, 3), target="label", task="classification", model=SMALL).model
    assert [layer.kind for layer in found.layers] == ["conv2d", "max_pool2d", "flatten", "dense"]  # type: ignore[attr-defined]
    ends = {"kind": "network", "layers": [CONV]}
    found = completed(images(6, 5, 3), target="label", task="classification", model=ends).model
    assert [layer.kind for layer in found.layers] == ["conv2d", "flatten"]  # type: ignore[attr-defined]
    plain = completed(images(6, 5, 3), target="label", task="classification", model={"kind": "network"}).model
    assert [layer.kind for layer in plain.layers] == ["flatten", "dense"]  # type: ignore[attr-defined]
    assert plain.bound_layers(0, 3)[1].size == 91 * 16  # type: ignore[attr-defined]


def test_columns_named_for_their_pixel_are_an_image_to_those_that_read_one() -> None:
    assert completed(DIGITS, target="digit", model=SMALL).model.input_shape == (8, 8, 1)  # type: ignore[attr-defined]
    plain = completed(DIGITS, target="digit", model={"kind": "network"}).model
    assert (plain.input_shape, plain.bound_layers(64, 10)[0].input_shape) == (None, (64,))  # type: ignore[attr-defined]
    vectors = images(6, 5, 3, kind="vector")
    model = SMALL | {"input_shape": [6, 5, 3]}
    assert completed(vectors, target="label", task="classification", model=model).model.image == ImageSize(6, 5, 3)
    features = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    found = completed(IRIS, target="species", features=features, model=SMALL | {"input_shape": [2, 2], "layers": [
        {"kind": "conv2d", "filters": 2, "kernel": 2}]}).model  # fmt: skip
    assert found.bound_layers(4, 3)[0].output_shape == (1, 1, 2)  # type: ignore[attr-defined]


@pytest.mark.parametrize(("data", "fields", "pointer", "said"), [
    (IRIS, {"model": SMALL}, "/model/layers/0", "layer 0, conv2d, reads images of height × width × channels, and 4 numbers"),
    (IRIS, {"model": {"kind": "lenet5"}}, "/model", "lenet5 reads images, and the features are 4 numbers a row"),
    (IRIS, {"model": SMALL | {"input_shape": [3, 3]}}, "/model/input_shape", "is 3 × 3 × 1, and the features are 4 numbers"),
    (images(9, 9), {"model": SMALL | {"input_shape": [3, 27]}}, "/model/input_shape", "the column holds images of 9 × 9 × 1"),
    (images(9, 9), {"model": {"kind": "lenet5"}}, "/model", "layer 2, of lenet5, conv2d, has a kernel of 5 × 5, larger than"),
    (images(4, 9), {"model": {"kind": "network", "layers": [CONV, CONV]}}, "/model/layers/1", "images of 2 × 7 × 4"),
    (images(4, 9), {"model": {"kind": "network", "layers": ["flatten", CONV]}}, "/model/layers/1", "36 numbers a row"),
    (images(9, 9, 3), {"model": {"kind": "network", "layers": [CONV | {"groups": 2}]}}, "/model/layers/0", "3 channels"),
    (IRIS, {"model": {"kind": "mlp"}, "preprocessing": {"augmentation": {"shift": 1}}}, "/preprocessing/augmentation", "mlp"),
    (IRIS, {"model": {"kind": "network"}, "preprocessing": {"augmentation": {"shift": 1}}}, "/preprocessing/augmentation",
     "the features form none"),
    (images(9, 9), {"model": SMALL, "preprocessing": {"augmentation": {"shift": 9}}}, "/preprocessing/augmentation/shift",
     "out of sight"),
    (images(9, 9), {"model": SMALL, "preprocessing": {"augmentation": {"crop": [9, 10]}}}, "/preprocessing/augmentation/crop",
     "is 9 × 10, and the images are 9 × 9"),
    (DIGITS, {"model": SMALL, "preprocessing": {"augmentation": {"crop": [6, 6]}}}, "/preprocessing/augmentation/crop",
     "a crop is cut out of one column of images"),
])  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_layer(data: Table, fields: dict[str, Any], pointer: str, said: str) -> None:
    target = {id(IRIS): "species", id(DIGITS): "digit"}.get(id(data), "label")
    ((found, detail),) = refusals(data, target=target, task="classification", **fields)
    assert found == pointer
    assert said in detail


def test_an_image_beside_other_columns_is_no_image() -> None:
    data = images(9, 9)
    other = table({"age": list(range(data.rows))})
    both = Table(data.summaries | other.summaries, data.columns | other.columns, data.rows)
    ((pointer, detail),) = refusals(both, target="label", task="classification", model=SMALL)
    assert pointer == "/model/layers/0"
    assert "82 numbers a row" in detail
    assert "one column of images as the only feature" in detail
    assert completed(both, target="label", task="classification", features=["pixels"], model=SMALL).model.image == (9, 9, 1)


def test_an_estimate_has_each_layers_shape_and_parameters() -> None:
    data = images(28, 28, rows=40, classes=4)
    found = estimate(completed(data, target="label", task="classification", model={"kind": "lenet5"}), data.columns)
    assert [layer.output_shape for layer in found.layers][:2] == [(28, 28, 6), (14, 14, 6)]
    assert found.parameters == sum(layer.size for layer in found.layers) == 61_706 - 6 * 85
    assert found.seconds is not None and found.seconds > 0


AUGMENTED: dict[str, Any] = {"augmentation": {"shift": 1, "horizontal_flip": True}}


def test_a_lenet_like_network_learns_the_digits() -> None:
    """On a grid of 8 × 8 pixels, each in a column of its own; from shifted views, too."""
    layers = [CONV | {"filters": 8, "padding": "same"}, "max_pool2d", CONV | {"filters": 16}, {"kind": "dense", "units": 32}]
    request = {"target": "digit", "epochs": 6, "optimizer": {"kind": "adam", "learning_rate": 0.005}, "batch_size": 32}
    cases: list[tuple[dict[str, Any], float]] = [({}, 0.9), ({"augmentation": {"shift": 1}}, 0.8)]
    for preprocessing, least in cases:
        run = trained(DIGITS, model={"kind": "network", "layers": layers}, preprocessing=preprocessing, **request)
        assert run.last["validation_accuracy"] > least  # type: ignore[operator]


@pytest.mark.parametrize(
    ("preprocessing", "more"),
    [({}, ["batch_normalization"]), (AUGMENTED, []), ({"augmentation": {"crop": [7, 6], "shift": 1}}, [])],
    ids=["by definition", "augmented", "cropped"],
)
def test_a_run_taken_up_anywhere_ends_in_the_same_bits(
    preprocessing: dict[str, Any], more: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between epochs and within one: it sees the same views, silences the same units and keeps its running statistics."""
    monkeypatch.setattr(descent, "BREATH_SECONDS", 0.0)
    layers = [CONV, *more, {"kind": "dropout", "rate": 0.2}, {"kind": "dense", "units": 8}]
    request = {"target": "label", "task": "classification", "epochs": 3, "batch_size": 5,
               "model": {"kind": "network", "layers": layers}, "preprocessing": preprocessing}  # fmt: skip
    data = images(8, 9, 3, rows=23)
    whole = trained(data, **request)
    for stop in range(1, 3 * 6):
        begun, state = prepared(data, **request), State()
        for _ in zip(range(stop), train(begun.problem, state), strict=False):
            arrays = state.arrays(begun.problem.network)
        fresh = prepared(data, **request)
        rest = finish(fresh, State.from_arrays(arrays, fresh.problem.network))
        np.testing.assert_array_equal(rest.theta, whole.theta)
        values = [epoch.values["train_loss"] for epoch in rest.epochs]
        assert values == whole.course("train_loss")[3 - len(values) :]


def test_only_training_rows_are_augmented() -> None:
    """An epoch trains on other images than those that are kept apart; without augmentation on the same."""
    data = images(8, 8, rows=60)
    request = {"target": "label", "task": "classification", "epochs": 1, "model": SMALL, "split": {"validation": 0.5}}
    plain, moved = (prepared(data, preprocessing=each, **request) for each in ({}, AUGMENTED))
    np.testing.assert_array_equal(plain.problem.train.X, moved.problem.train.X)
    assert plain.problem.validation is not None and moved.problem.validation is not None
    np.testing.assert_array_equal(plain.problem.validation.X, moved.problem.validation.X)
    assert plain.problem.views is None
    assert moved.problem.views is not None
    moved.problem.views(0)
    assert not np.array_equal(moved.problem.views.X, moved.problem.train.X)
    one, other = finish(plain), finish(moved)
    assert one.last["train_loss"] != other.last["train_loss"]


def test_a_crop_is_the_middle_where_nothing_is_trained() -> None:
    data = images(8, 9, 3, rows=30)
    preprocessing = {"augmentation": {"crop": [4, 5]}, "scaling": "none"}
    posed = prepared(data, target="label", task="classification", model=SMALL, preprocessing=preprocessing)
    assert posed.problem.spec.model.image == (4, 5, 3)
    cells = data.columns["pixels"].values.reshape(-1, 8, 9, 3)
    rows = posed.rows["train"]
    np.testing.assert_array_equal(posed.problem.train.X.reshape(-1, 4, 5, 3), cells[rows, 2:6, 2:7])
    assert posed.problem.views is not None
    posed.problem.views(0)
    views = posed.problem.views.X.reshape(-1, 4, 5, 3)
    found = {tuple(view.ravel()) for view in views}
    for row, view in zip(rows, views, strict=True):
        windows = [cells[row, top : top + 4, left : left + 5] for top in range(5) for left in range(5)]
        assert any(np.array_equal(view, window) for window in windows)
    assert len(found) == len(rows)
