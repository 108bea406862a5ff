"""Each kind of layer, forward and backward, beside PyTorch in float64; and every layer beside finite differences."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from torch.nn import functional

from engine.errors import InvalidSpec
from engine.glass.gradient_check import check_gradient
from engine.network.backpropagation import Backpropagation
from engine.network.layers import LAYERS, Layer
from engine.network.layers.activation import ActivationLayer
from engine.network.layers.average_pool2d import AveragePool2d
from engine.network.layers.base import LayerRule, bind
from engine.network.layers.batch_normalization import BatchNormalization
from engine.network.layers.conv2d import Conv2d
from engine.network.layers.dense import Dense
from engine.network.layers.dropout import Dropout
from engine.network.layers.flatten import Flatten
from engine.network.layers.global_average_pool2d import GlobalAveragePool2d
from engine.network.layers.local_response_normalization import LocalResponseNormalization
from engine.network.layers.max_pool2d import MaxPool2d
from engine.network.network import Network
from engine.parts.activations import Identity, Softmax, Tanh
from engine.parts.initializers import HeNormal, XavierUniform
from engine.parts.losses import CrossEntropy, HalfMeanSquaredError
from engine.spec import kind_of

torch.set_num_threads(1)  # these images are too small to be worth a second one

LAYER: TypeAdapter[Layer] = TypeAdapter(Layer)
NEAR = {"rtol": 1e-10, "atol": 1e-12}
Answer = Callable[[torch.Tensor, list[torch.Tensor]], torch.Tensor]
C3 = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5), (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5),
    (0, 1, 4, 5), (0, 1, 2, 5), (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5), (0, 1, 2, 3, 4, 5),
)  # fmt: skip
"""Which maps of S2 each map of C3 reads (LeCun et al. 1998, table I)."""


def filled(rules: list[LayerRule], shape: tuple[int, ...], seed: int, dtype: Any = np.float64) -> Network:
    """Those layers with every parameter drawn."""
    network = Network(bind(rules, shape), dtype, np)
    network.parameters.theta[...] = np.random.default_rng(seed).normal(0, 0.7, network.parameters.size)
    return network


def compare(rule: LayerRule, shape: tuple[int, ...], rows: int, seed: int, answer: Answer, training: bool = True) -> None:
    """A, ∂J/∂X and the gradient of each array, for drawn X and ∂J/∂A, beside autograd's. `answer` takes X as PyTorch has it,
    (n, channels, height, width) of images, and the arrays.
    """
    network = filled([ActivationLayer(activation=Identity()), rule], shape, seed)
    rng, workspace = np.random.default_rng(seed + 1), network.new_workspace(rows)
    X = rng.normal(size=(rows, *shape))
    network.forward(X, workspace, training=training)
    first, last = workspace.passes
    dA = rng.normal(size=last.A.shape)
    last.dA[...] = dA
    network.backward(workspace)

    inputs = torch.tensor(_channels_first(X), requires_grad=True)
    arrays = [torch.tensor(array.copy(), requires_grad=True) for array in last.parameters.arrays.values()]
    outputs = answer(inputs, arrays)
    outputs.backward(torch.tensor(_channels_first(dA)))
    assert inputs.grad is not None
    np.testing.assert_allclose(_channels_first(last.A), outputs.detach().numpy(), **NEAR)
    np.testing.assert_allclose(_channels_first(first.dA), inputs.grad.numpy(), **NEAR)
    for array, (name, gradient) in zip(arrays, last.parameters.gradients.items(), strict=True):
        assert array.grad is not None
        np.testing.assert_allclose(gradient, array.grad.numpy(), err_msg=name, **NEAR)


def _channels_first(values: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(values, -1, 1)) if values.ndim == 4 else values


def pairs(low: int, high: int) -> st.SearchStrategy[Any]:
    number = st.integers(low, high)
    return st.one_of(number, st.tuples(number, number))


SIZES = {"height": st.integers(1, 9), "width": st.integers(1, 9), "rows": st.integers(1, 3), "seed": st.integers(0, 2**20)}
drawn = settings(max_examples=30, deadline=None)


def bound(rule: LayerRule, shape: tuple[int, ...]) -> bool:
    try:
        bind([rule], shape)
    except InvalidSpec:
        return False
    return True


@pytest.mark.filterwarnings("ignore:Using padding='same'")  # PyTorch tells how it does it
@drawn
@given(
    **SIZES, groups=st.integers(1, 3), reads=st.integers(1, 3), makes=st.integers(1, 3), kernel=pairs(1, 4), stride=pairs(1, 3),
    padding=st.one_of(st.just("valid"), st.just("same"), st.integers(0, 3)), dilation=pairs(1, 2), bias=st.booleans(),
)  # fmt: skip
def test_convolution_is_pytorchs(
    height: int, width: int, rows: int, seed: int, groups: int, reads: int, makes: int, kernel: Any, stride: Any, padding: Any,
    dilation: Any, bias: bool,
) -> None:  # fmt: skip
    stride = 1 if padding == "same" else stride  # PyTorch has no other
    rule = Conv2d(
        filters=groups * makes, kernel=kernel, stride=stride, padding=padding, dilation=dilation, groups=groups,
        activation=Tanh(), bias=bias,
    )  # fmt: skip
    shape = (height, width, groups * reads)
    assume(bound(rule, shape))

    def answer(X: torch.Tensor, arrays: list[torch.Tensor]) -> torch.Tensor:
        W, b = arrays[0].permute(3, 2, 0, 1), arrays[1] if bias else None
        around = 0 if padding == "valid" else padding
        return torch.tanh(functional.conv2d(X, W, b, stride, around, dilation, groups))

    compare(rule, shape, rows, seed, answer)


def test_a_large_convolution_is_worked_on_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.network.layers.conv2d.PATCH_NUMBERS", 7 * 6 * 9 * 2 * 2)  # two rows at once, of five

    def answer(X: torch.Tensor, arrays: list[torch.Tensor]) -> torch.Tensor:
        return functional.conv2d(X, arrays[0].permute(3, 2, 0, 1), arrays[1], padding=1, groups=2)

    rule = Conv2d(filters=4, kernel=3, padding=1, groups=2, activation=Identity())
    compare(rule, (7, 6, 2), 5, 0, answer)


@pytest.mark.parametrize(("size", "stride", "before"), [(7, 2, 1), (8, 2, 0), (8, 3, 0), (5, 4, 1)])
def test_same_with_a_stride_pads_as_little_as_covers_the_image(size: int, stride: int, before: int) -> None:
    """⌈size / stride⌉ places; the odd zero goes to the bottom and right (as TensorFlow documents it)."""
    places = -(-size // stride)
    after = max(0, (places - 1) * stride + 3 - size) - before

    def answer(X: torch.Tensor, arrays: list[torch.Tensor]) -> torch.Tensor:
        X = functional.pad(X, (before, after, before, after))
        return functional.conv2d(X, arrays[0].permute(3, 2, 0, 1), arrays[1], stride)

    rule = Conv2d(filters=2, kernel=3, stride=stride, padding="same", activation=Identity())
    assert rule.output_shape((size, size, 2)) == (places, places, 2)
    compare(rule, (size, size, 2), 2, 1, answer)


def test_partial_connections_are_a_convolution_with_zeros() -> None:
    rule = Conv2d(filters=16, kernel=5, connections=C3, activation=Tanh())
    (layer,) = bind([rule], (14, 14, 6))
    assert layer.size == 1516

    def answer(X: torch.Tensor, arrays: list[torch.Tensor]) -> torch.Tensor:
        W, place = torch.zeros(16, 6, 5, 5, dtype=torch.float64), 0
        for index, read in enumerate(C3):
            W[index, list(read)] = arrays[0][:, :, place : place + len(read)].permute(2, 0, 1)
            place += len(read)
        return torch.tanh(functional.conv2d(X, W, arrays[1]))

    compare(rule, (14, 14, 6), 2, 3, answer)
    network = filled([rule], (14, 14, 6), 5)
    full = rule.full(network.parameters.layers[0].W, 6)
    assert full.shape == (5, 5, 6, 16)
    assert (full != 0).sum() == 1500
    network.initialize(HeNormal(), 0)
    spreads = [rule.full(network.parameters.layers[0].W, 6)[..., list(read), index].std() for index, read in enumerate(C3)]
    assert spreads == pytest.approx([np.sqrt(2 / (25 * len(read))) for read in C3], rel=0.35)


@drawn
@given(
    **SIZES, channels=st.integers(1, 3), kernel=pairs(1, 4), stride=st.one_of(st.none(), pairs(1, 3)), around=st.integers(0, 2)
)
@pytest.mark.parametrize("kind", ["max_pool2d", "average_pool2d"])
def test_pooling_is_pytorchs(
    kind: str, height: int, width: int, rows: int, seed: int, channels: int, kernel: Any, stride: Any, around: int
) -> None:
    around = min(around, *(each // 2 for each in ((kernel,) if isinstance(kernel, int) else kernel)))  # PyTorch's limit
    rule = LAYER.validate_python({"kind": kind, "kernel": kernel, "stride": stride, "padding": around})
    shape = (height, width, channels)
    assume(bound(rule, shape))

    def answer(X: torch.Tensor, arrays: list[torch.Tensor]) -> torch.Tensor:
        if kind == "max_pool2d":
            return functional.max_pool2d(X, kernel, stride, around)
        return functional.avg_pool2d(X, kernel, stride, around, count_include_pad=False)

    compare(rule, shape, rows, seed, answer)


def test_of_equal_numbers_the_first_takes_the_gradient() -> None:
    network = Network(bind([ActivationLayer(activation=Identity()), MaxPool2d(kernel=2)], (2, 4, 1)), np.float64, np)
    workspace = network.new_workspace(1)
    network.forward(np.ones((1, 8)), workspace)
    workspace.slopes[...] = [[3, 5]]
    network.backward(workspace)
    X = torch.ones(1, 1, 2, 4, requires_grad=True)
    functional.max_pool2d(X, 2).backward(torch.tensor([[[[3.0, 5.0]]]]))
    assert X.grad is not None
    assert workspace.passes[0].dA.reshape(2, 4).tolist() == X.grad.reshape(2, 4).tolist() == [[3, 0, 5, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize("place", range(4))
def test_what_is_no_number_is_not_lost_in_a_maximum(place: int) -> None:
    network = Network(bind([MaxPool2d(kernel=2)], (2, 2, 1)), np.float64, np)
    X = np.array([[4.0, 3.0, 2.0, 1.0]])
    X[0, place] = np.nan
    assert np.isnan(network.evaluate(X)).all()


@drawn
@given(
    **SIZES, channels=st.integers(1, 9), half=st.integers(0, 4), alpha=st.floats(1e-4, 2), beta=st.floats(0.1, 2),
    k=st.floats(0.5, 3),
)  # fmt: skip
def test_local_response_normalization_is_pytorchs_with_its_alpha_divided_by_n(
    height: int, width: int, rows: int, seed: int, channels: int, half: int, alpha: float, beta: float, k: float
) -> None:
    size = 2 * half + 1
    rule = LocalResponseNormalization(size=size, alpha=alpha, beta=beta, k=k)
    compare(
        rule, (height, width, channels), rows, seed,
        lambda X, _: functional.local_response_norm(X, size, alpha * size, beta, k),
    )  # fmt: skip


@drawn
@given(**SIZES | {"rows": st.integers(2, 4)}, channels=st.integers(1, 4), is_image=st.booleans(), training=st.booleans())
def test_batch_normalization_is_pytorchs(
    height: int, width: int, rows: int, seed: int, channels: int, is_image: bool, training: bool
) -> None:
    shape = (height, width, channels) if is_image else (channels,)

    def answer(X: torch.Tensor, arrays: list[torch.Tensor]) -> torch.Tensor:
        running = [torch.zeros(channels, dtype=torch.float64), torch.ones(channels, dtype=torch.float64)]
        return functional.batch_norm(X, *running, *arrays, training=training, eps=1e-3)

    compare(BatchNormalization(epsilon=1e-3), shape, rows, seed, answer, training)


@drawn
@given(**SIZES, channels=st.integers(1, 3))
def test_global_average_pooling_is_pytorchs(height: int, width: int, rows: int, seed: int, channels: int) -> None:
    compare(
        GlobalAveragePool2d(),
        (height, width, channels),
        rows,
        seed,
        lambda X, _: functional.adaptive_avg_pool2d(X, 1)[:, :, 0, 0],
    )


def test_running_statistics_are_pytorchs() -> None:
    network = filled([BatchNormalization(momentum=0.8)], (3, 5, 2), 0)
    ours = network.statistics[0]
    theirs = torch.nn.BatchNorm2d(2, momentum=0.2, dtype=torch.float64)
    rng = np.random.default_rng(0)
    for rows in (4, 7, 1):
        X = rng.normal(3, 2, (rows, 3, 5, 2))
        workspace = network.workspace(rows)
        network.forward(X, workspace, training=True)
        network.observe(workspace)
        theirs(torch.tensor(_channels_first(X)))
        np.testing.assert_allclose(ours["mean"], theirs.running_mean.numpy(), **NEAR)
        np.testing.assert_allclose(ours["variance"], theirs.running_var.numpy(), **NEAR)


def test_one_number_a_unit_moves_no_running_statistic() -> None:
    network = filled([BatchNormalization()], (3,), 0)
    network.forward(np.full((1, 3), 8.0), network.workspace(1), training=True)
    network.observe(network.workspace(1))
    assert network.statistics[0]["variance"].tolist() == [1, 1, 1]
    assert network.statistics[0]["mean"].tolist() == [0, 0, 0]


def test_an_initializer_goes_by_what_a_filter_reads_and_what_a_number_is_read_by() -> None:
    """Glorot's n_in and n_out of a convolution, as PyTorch counts them: 4 · 5 · 6 / 2 in, 4 · 5 · 8 / 2 out."""
    (layer,) = bind([Conv2d(filters=8, kernel=(4, 5), groups=2)], (9, 9, 6))
    W = layer.parameters[0]
    theirs = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(8, 3, 4, 5))
    assert (W.inputs, W.outputs * 2) == (60, 160)
    assert W.inputs == theirs[0]
    network = Network([layer], np.float64, np)
    network.initialize(XavierUniform(), 0)
    assert np.abs(network.parameters.layers[0].W).max() == pytest.approx(np.sqrt(6 / 140), rel=0.02)
    assert not network.parameters.theta[-8:].any()


# --- all of them together ---

EVERY: list[LayerRule] = [
    Conv2d(filters=4, kernel=3, padding="same", groups=2, activation=Tanh(), dilation=(1, 2)),
    BatchNormalization(),
    ActivationLayer(activation=Tanh()),
    LocalResponseNormalization(size=3, alpha=0.3),
    MaxPool2d(kernel=2, padding="same"),
    Conv2d(filters=3, kernel=2, connections=((0, 2), (1,), (0, 1, 3)), activation=Softmax()),
    AveragePool2d(kernel=2, stride=1, padding="same"),
    Dropout(rate=0.3),
    Flatten(),
    Dense(units=4, activation=Softmax(), dropout=0.2),
    BatchNormalization(),
    Dense(units=3, activation=Identity()),
]


def backpropagation(seed: int, dtype: Any = np.float64, rows: int = 4) -> Backpropagation:
    rng, network = np.random.default_rng(seed), filled(EVERY, (5, 6, 2), seed, dtype)
    X, Y = rng.normal(size=(rows, 60)).astype(dtype), np.eye(3, dtype=dtype)[rng.integers(0, 3, rows)]
    weights = rng.random(rows).astype(dtype) + 0.5
    return Backpropagation(network, X, Y, CrossEntropy(), weights, penalties=(0.01, 0.02), masked=(3, 1))


@pytest.mark.parametrize("shape", [(5, 6, 2), (4,)], ids=["image", "row"])
@pytest.mark.parametrize("cls", LAYERS, ids=kind_of)
def test_every_kind_as_it_comes_passes_its_check(cls: type[LayerRule], shape: tuple[int, ...]) -> None:
    """Whatever is registered, with its defaults, between smooth layers that learn; where it fits the shape."""
    rule: LayerRule = cls()
    before: LayerRule = Dense(units=4) if len(shape) == 1 else Conv2d(filters=3, kernel=2, padding="same", activation=Tanh())
    if not bound(rule, before.output_shape(shape)):
        return
    layers = bind([before, rule, Flatten(), Dense(units=2, activation=Identity())], shape)
    network, rng = Network(layers, np.float64, np), np.random.default_rng(0)
    network.initialize(XavierUniform(), 0)
    X, Y = rng.normal(size=(3, layers[0].inputs)), np.eye(2)[[0, 1, 0]]
    slopes = check_gradient(Backpropagation(network, X, Y, CrossEntropy()), 200)
    assert [slope for slope in slopes if not slope.agrees] == []
    assert network.evaluate(X).shape == (3, 2)


@pytest.mark.parametrize("seed", range(3))
def test_backpropagation_through_every_kind_is_the_slope(seed: int) -> None:
    """Every one of the parameters, with penalties, weighted rows and dropout, beside a central difference."""
    descent = backpropagation(seed)
    descent.forward()
    descent.backward()
    theta, gradient, step = descent.network.parameters.theta, descent.network.parameters.gradient.copy(), 1e-6
    numeric = np.empty_like(gradient)
    for index, value in enumerate(theta.copy()):
        costs = []
        for moved in (value + step, value - step):
            theta[index] = moved
            costs.append(descent.forward())
        theta[index] = value
        numeric[index] = (costs[0] - costs[1]) / (2 * step)
    close = np.isclose(gradient, numeric, rtol=1e-5, atol=1e-8)
    assert close.all(), (np.flatnonzero(~close), gradient[~close], numeric[~close])


def test_a_kept_workspace_gives_the_same_gradient_as_one_that_writes_over() -> None:
    descent = backpropagation(7)
    descent.forward()
    descent.backward()
    kept = descent.network.parameters.gradient.copy()
    descent.workspace = descent.network.new_workspace(4)
    descent.forward()
    descent.backward()
    np.testing.assert_array_equal(descent.network.parameters.gradient, kept)


def test_an_evaluation_masks_nothing_and_goes_by_running_statistics_in_blocks_of_any_size() -> None:
    network = filled(EVERY, (5, 6, 2), 1)
    X = np.random.default_rng(0).normal(size=(9, 60))
    whole = network.evaluate(X)
    network.most_rows = 2
    np.testing.assert_allclose(network.evaluate(X), whole, rtol=1e-12)
    assert [entry.tolist() for entry in network.statistics[1].values()] == [[0] * 4, [1] * 4]


# --- specs ---


@pytest.mark.parametrize("cls", LAYERS, ids=kind_of)
def test_a_spec_is_read_back_as_it_was_written(cls: type[LayerRule]) -> None:
    given = {"dense": {"units": 3}, "conv2d": {"filters": 2, "kernel": [3, 5]}}.get(kind_of(cls), {})
    rule = LAYER.validate_python({"kind": kind_of(cls), **given})
    assert LAYER.validate_json(LAYER.dump_json(rule)) == rule
    assert rule.formula
    assert rule.derivative
    assert rule.source


def test_the_bare_name_is_a_layer_with_its_defaults() -> None:
    assert LAYER.validate_python("flatten") == Flatten()


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "conv2d", "filters": 0},
        {"kind": "conv2d", "filters": 2, "kernel": [3]},
        {"kind": "conv2d", "filters": 2, "padding": "full"},
        {"kind": "conv2d", "filters": 2, "padding": -1},
        {"kind": "conv2d", "filters": 2, "connections": [[]]},
        {"kind": "max_pool2d", "kernel": 0},
        {"kind": "local_response_normalization", "size": 4},
        {"kind": "batch_normalization", "momentum": 1.0},
        {"kind": "dropout", "rate": 1.0},
        {"kind": "dense", "units": 3, "filters": 3},
    ],
)
def test_what_means_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LAYER.validate_python(wrong)


@pytest.mark.parametrize(
    ("rules", "shape", "pointer", "words"),
    [
        ([Dense(units=3)], (4, 4, 1), "/model/layers/0", "4 × 4 × 1 reach it; put flatten before"),
        ([Flatten(), Conv2d(filters=3)], (4, 4, 1), "/model/layers/1", "16 numbers a row reach it"),
        ([Conv2d(filters=3, kernel=5)], (4, 6, 1), "/model/layers/0", "larger than the images of 4 × 6 × 1"),
        ([Conv2d(filters=3, kernel=3, dilation=2)], (4, 6, 1), "/model/layers/0", "dilation of 2 widens to 5"),
        ([MaxPool2d(kernel=5)], (4, 6, 1), "/model/layers/0", "larger than the images"),
        ([AveragePool2d(kernel=(3, 2), padding=2)], (4, 6, 1), "/model/layers/0", "a window of 3 × 2 may stand beyond"),
        ([Conv2d(filters=3, groups=3)], (4, 4, 2), "/model/layers/0", "2 channels and 3 filters into 3 groups"),
        ([Conv2d(filters=2, connections=((0,), (0, 2)))], (4, 4, 2), "/model/layers/0", "from 0 to 1"),
        ([Conv2d(filters=2, connections=((0,),))], (4, 4, 2), "/model/layers/0", "1 filters and 2"),
        ([Conv2d(filters=2, groups=2, connections=((0,), (1,)))], (4, 4, 2), "/model/layers/0", "leave one"),
        ([LocalResponseNormalization()], (4,), "/model/layers/0", "4 numbers a row"),
    ],
)  # fmt: skip
def test_a_layer_that_does_not_fit_is_named(rules: list[LayerRule], shape: tuple[int, ...], pointer: str, words: str) -> None:
    with pytest.raises(InvalidSpec) as raised:
        bind(rules, shape)
    ((where, detail),) = raised.value.errors
    assert where == pointer
    assert words in detail
    assert detail.startswith(f"layer {pointer[-1]}, ")


def test_a_layers_names_count_its_kind() -> None:
    network = filled(EVERY, (5, 6, 2), 0)
    assert network.names == [
        "conv2d_1", "batch_normalization_1", "activation_1", "local_response_normalization_1", "max_pool2d_1", "conv2d_2",
        "average_pool2d_1", "dropout_1", "flatten_1", "dense_1", "batch_normalization_2", "output",
    ]  # fmt: skip
    assert filled([Dense(units=2), Dense(units=2)], (3,), 0).names == ["hidden_1", "output"]


def test_the_last_layers_activation_is_part_of_the_network() -> None:
    network = filled([Dense(units=2, activation=Tanh())], (3,), 0)
    X, Y = np.ones((2, 3)), np.zeros((2, 2))
    assert (np.abs(network.evaluate(X)) < 1).all()
    descent = Backpropagation(network, X, Y, HalfMeanSquaredError())
    descent.forward()
    descent.backward()
    W, b = network.parameters.layers[0].W, network.parameters.layers[0].b
    A = np.tanh(X @ W + b)
    np.testing.assert_allclose(network.parameters.layers[0].dW, X.T @ (A / 4 * (1 - A**2)), rtol=1e-12)
