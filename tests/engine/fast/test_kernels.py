"""The fast path agrees with the definition: each kernel by itself, and whole runs over more than fifty steps."""

import ctypes
import dataclasses
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numba.core.event import install_recorder

from engine.errors import Diverged
from engine.fast import fused_step, kernels, large, paths, threads
from engine.fast.epoch import codes
from engine.fast.jit import Kernel, bound, compile_kernel, numbers
from engine.fast.large import Large
from engine.fast.small import Small, batch_width, layer_table
from engine.fast.steps import fast, supported
from engine.fast.walk import FastWalk
from engine.models import descent, perceptron
from engine.models.base import Matrices, Problem
from engine.models.descent import Definition, descend
from engine.models.mlp import HiddenLayer, MultilayerPerceptron
from engine.models.regularization import Regularization
from engine.models.run_state import State
from engine.network.layers.dense import dense
from engine.network.network import Network
from engine.parts.activations import Activation, Relu
from engine.parts.losses import CrossEntropy, Loss
from engine.parts.optimizers import Adam, GradientDescent, Optimizer
from engine.parts.schedules import ConstantRate
from engine.spec import kind_of, members
from engine.tables.target import Classes, Numbers
from engine.training.spec import Record, Training

DTYPES = (np.float32, np.float64)
RELATIVE = {"float32": 1e-5, "float64": 1e-12}
"""How far a kernel may be from the definition, beside the largest value at hand."""
PATHS = (Small, Large)
ACTIVATIONS = [cls for cls in members(Activation) if cls in kernels.ACTIVATIONS]
LOSSES = [cls for cls in members(Loss) if cls in kernels.LOSSES]
OPTIMIZERS = [cls for cls in members(Optimizer) if cls in kernels.OPTIMIZERS]
both_types = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.__name__)


def call(kernel: Kernel, *arguments: Any) -> None:
    """The compiled kernel on these arrays and numbers, in the float type of the first array."""
    dtype = arguments[0].dtype
    real = ctypes.c_float if dtype == np.float32 else ctypes.c_double
    kinds = {"real": real, "double": ctypes.c_double, "int": ctypes.c_int64}
    function = ctypes.CFUNCTYPE(None, *(kinds.get(kind, ctypes.c_void_p) for kind in kernel.signature))
    places = [argument.ctypes.data if isinstance(argument, np.ndarray) else argument for argument in arguments]
    function(kernel.address(dtype))(*places)


def by_kind(classes: list[type], name: str) -> Any:
    return pytest.mark.parametrize(name, classes, ids=kind_of)


def agree(found: np.ndarray, expected: np.ndarray, scale: float = 1.0) -> None:
    tolerance = RELATIVE[found.dtype.name]
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * scale)


def values(dtype: Any, most: float) -> st.SearchStrategy[np.ndarray]:
    shapes = st.tuples(st.integers(1, 40), st.integers(1, 40))
    return shapes.flatmap(
        lambda shape: arrays(dtype, shape, elements=st.floats(-most, most, width=np.dtype(dtype).itemsize * 8))
    )


def posed(
    sizes: tuple[int, ...] = (3, 7, 5, 4), activation: Any = None, loss: Any = None, optimizer: Any = None, rows: int = 53,
    batch: int | str = 16, epochs: int = 15, dtype: str = "float64", bias: bool = True, weighted: bool = False,
    held: int = 9, regularization: Regularization | None = None, **changes: Any,
) -> Problem:  # fmt: skip
    rng = np.random.default_rng(1)
    loss = loss or CrossEntropy()
    hidden = tuple(HiddenLayer(units=units, activation=activation or Relu()) for units in sizes[1:-1])
    spec = Training(
        target="y", task="classification", model=MultilayerPerceptron(hidden=hidden, bias=bias), loss=loss,
        optimizer=optimizer or Adam(), schedule=ConstantRate(), regularization=regularization or Regularization(),
        epochs=epochs, batch_size=batch, shuffle=True, seed=3, precision=dtype,
    )  # fmt: skip
    spec = dataclasses.replace(spec, **changes)
    network = Network(spec.model.bound_layers(sizes[0], sizes[-1]), dtype, np)
    network.initialize(spec.model.start, 0)
    classifies = "classification" in loss.tasks
    X = rng.standard_normal((rows + held, sizes[0])).astype(dtype)
    labels = rng.integers(0, sizes[-1], rows + held)
    Y = (np.eye(sizes[-1])[labels] if classifies else rng.standard_normal((rows + held, sizes[-1]))).astype(dtype)
    weights = rng.random(rows).astype(dtype) + 1 if weighted else None
    target = Classes(("y",), tuple(range(sizes[-1]))) if classifies else Numbers(("y",))
    validation = Matrices(X[rows:], Y[rows:]) if held else None
    return Problem(spec, network, target, Matrices(X[:rows], Y[:rows], weights), validation)


def trained(path: Any, **wishes: Any) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """θ, and each epoch's values but for its time."""
    problem = posed(**wishes)
    found = [
        {**{name: value for name, value in epoch.values.items() if name != "seconds"}, "batches": epoch.batch_losses}
        for epoch in descend(problem, State(), path)
        if epoch.whole
    ]
    return problem.network.parameters.theta, found


def compare(path: Any, tolerance: float = 1e-9, **wishes: Any) -> None:
    theta, epochs = trained(path, **wishes)
    expected, expected_epochs = trained(Definition, **wishes)
    np.testing.assert_allclose(theta, expected, rtol=tolerance, atol=tolerance)
    for epoch, other in zip(epochs, expected_epochs, strict=True):
        assert epoch.keys() == other.keys()
        for name in epoch.keys() - {"batches"}:
            assert epoch[name] == pytest.approx(other[name], rel=tolerance, abs=tolerance), name
        if other["batches"] is not None:
            np.testing.assert_allclose(epoch["batches"], other["batches"], rtol=tolerance, atol=tolerance)


# --- each kernel ---


@both_types
@by_kind(ACTIVATIONS, "cls")
@given(data=st.data())
@settings(max_examples=30)
def test_activations_agree(cls: Any, dtype: Any, data: Any) -> None:
    function = cls()
    Z = data.draw(values(dtype, 100))
    p = dtype((*numbers(function), 0.0)[0])
    A, expected = np.empty_like(Z), np.empty_like(Z)
    call(kernels.ACTIVATIONS[cls], Z, A, Z.size, p)
    function.apply(np, Z, expected)
    agree(A, expected)
    D = np.full_like(Z, 2)
    dZ = D.copy()
    call(kernels.SLOPES[cls], Z, expected, D, Z.size, p)
    function.gradient(np, Z, expected, dZ, dZ)
    agree(D, dZ, scale=10)


@both_types
@by_kind(LOSSES, "cls")
@given(data=st.data())
@settings(max_examples=30)
def test_losses_agree(cls: Any, dtype: Any, data: Any) -> None:
    loss = cls()
    Z = data.draw(values(dtype, 50))
    Z = np.hstack([Z, np.zeros((len(Z), 1), dtype)])
    n, k = Z.shape
    labels = np.arange(n) % k
    Y = (
        np.eye(k, dtype=dtype)[labels]
        if "classification" in loss.tasks
        else np.linspace(-2, 2, n * k, dtype=dtype).reshape(n, k)
    )
    losses, D, work = np.empty(n, dtype), np.empty((k, n), dtype), np.empty((2, n), dtype)
    p = dtype((*numbers(loss), 0.0)[0])
    call(kernels.LOSSES[cls], np.ascontiguousarray(Z.T), np.ascontiguousarray(Y.T), losses, D, work, k, n, p)
    expected, dZ = np.empty(n, dtype), np.empty_like(Z)
    loss.rows(np, Z, Y, expected, np.empty_like(Z))
    loss.gradient(np, Z, Y, dZ)
    agree(losses, expected, scale=50)
    agree(D.T, dZ)


@both_types
@by_kind(OPTIMIZERS, "cls")
@given(data=st.data())
@settings(max_examples=30)
def test_optimizers_agree(cls: Any, dtype: Any, data: Any) -> None:
    rule = cls()
    bounded = st.floats(-10, 10, width=np.dtype(dtype).itemsize * 8)
    gradients = data.draw(arrays(dtype, st.tuples(st.integers(1, 6), st.integers(1, 100)), elements=bounded))
    theta = np.linspace(-1, 1, gradients.shape[1]).astype(dtype)
    other, work = theta.copy(), np.empty_like(theta)
    slots, others = ([np.zeros_like(theta) for _ in range(2)] for _ in range(2))
    h = np.array([*numbers(rule), 0.0])
    for step, gradient in enumerate(gradients, start=1):
        call(kernels.OPTIMIZERS[cls], theta, gradient.copy(), *slots, theta.size, h, 0.01 * step, step)
        rule.update(np, other, gradient.copy(), others[: len(rule.slots)], work, step, 0.01 * step)
        agree(theta, other, scale=10)


@both_types
@given(data=st.data())
@settings(max_examples=30)
def test_means_agree(dtype: Any, data: Any) -> None:
    Z = data.draw(values(dtype, 100))
    mean, other = fused_step.means(Z[:, 0].copy(), Z[0])
    assert (mean, other) == pytest.approx((Z[:, 0].mean(dtype=np.float64), Z[0].mean(dtype=np.float64)), abs=1e-9)


def test_an_infinite_or_undefined_number_is_not_hidden() -> None:
    for wrong in (np.nan, np.inf):
        for cls in LOSSES:
            z, y, d = np.array([0.0, wrong, 0.0]), np.array([1.0, 0.0, 0.0]), np.empty(3)
            losses = np.empty(1)
            call(kernels.LOSSES[cls], z, y, losses, d, np.empty(2), 3, 1, 1.0)
            assert not np.isfinite(losses[0]) or cls.kind == "likelihood", cls
        for cls in ACTIVATIONS:
            A = np.empty(3)
            call(kernels.ACTIVATIONS[cls], np.full(3, np.nan), A, 3, 1.0)
            assert np.isnan(A).all(), cls


@given(
    rows=arrays(np.int64, st.tuples(st.integers(1, 30), st.integers(1, 4)), elements=st.integers(-3, 3)),
    most=st.integers(1, 5), seed=st.integers(0, 100),
)  # fmt: skip
def test_the_perceptrons_walks_agree(rows: np.ndarray, most: int, seed: int) -> None:
    """On whole numbers, whose sums are exact: on others a row may lie on the boundary but for rounding."""
    rng = np.random.default_rng(seed)
    positive, order = rng.random(len(rows)) < 0.5, rng.permutation(len(rows))
    found = []
    for walk in (FastWalk(rows.astype(float), positive), perceptron.Definition(rows.astype(float), positive)):
        w, pocket = np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
        place, fewest, steps = 0, walk.mistakes(w), []
        while place < len(order):
            place, corrections, fewest = walk(order, place, most, w, pocket, fewest)
            steps.append((place, corrections, fewest))
        found.append((steps, w.tolist(), pocket.tolist(), walk.mistakes(w)))
    assert found[0] == found[1]


# --- whole runs ---


@pytest.mark.parametrize("path", PATHS)
@by_kind(ACTIVATIONS, "cls")
def test_runs_agree_for_every_activation(path: Any, cls: Any) -> None:
    compare(path, activation=cls())


@pytest.mark.parametrize("path", PATHS)
@by_kind(LOSSES, "cls")
def test_runs_agree_for_every_loss(path: Any, cls: Any) -> None:
    compare(path, loss=cls(), tolerance=1e-7)


@pytest.mark.parametrize("path", PATHS)
@by_kind(OPTIMIZERS, "cls")
def test_runs_agree_for_every_optimizer(path: Any, cls: Any) -> None:
    compare(path, optimizer=cls())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "wishes",
    [
        {"batch": 1, "rows": 20},
        {"batch": 7},
        {"batch": "full", "rows": 300, "epochs": 60},
        {"batch": 200, "rows": 300, "epochs": 30},
        {"batch": 700, "rows": 1500, "epochs": 10},
        {"batch": 700, "rows": 1500, "epochs": 10, "weighted": True, "regularization": Regularization(l2=0.1, clip_norm=0.05)},
        {"sizes": (70, 40, 35), "rows": 90},
        {"sizes": (5, 3)},
        {"sizes": (1, 1, 2)},
        {"sizes": (17, 33, 4)},
        {"bias": False},
        {"weighted": True},
        {"regularization": Regularization(l1=0.01, l2=0.1, clip_norm=0.05)},
        {"record": Record(curves="batch")},
        {"shuffle": False},
        {"held": 0},
    ],
    ids=lambda wishes: "-".join(wishes),
)
def test_runs_agree_however_they_are_set(path: Any, wishes: dict[str, Any]) -> None:
    compare(path, **wishes)


@pytest.mark.parametrize("path", PATHS)
def test_runs_agree_in_float32(path: Any) -> None:
    compare(path, dtype="float32", tolerance=2e-4)


@pytest.mark.parametrize("path", PATHS)
def test_the_same_run_gives_the_same_bits(path: Any) -> None:
    first, second = (trained(path, dtype="float32")[0] for _ in range(2))
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("path", PATHS)
def test_the_calls_an_epoch_is_cut_into_leave_the_bits_alone(path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trained(path)[0].tobytes()
    in_small_calls(monkeypatch)
    problem = posed()
    epochs = list(descend(problem, State(), path))
    assert sum(not epoch.whole for epoch in epochs) == 4 * sum(epoch.whole for epoch in epochs)
    assert problem.network.parameters.theta.tobytes() == whole


def in_small_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """Yield after every batch."""
    monkeypatch.setattr("engine.fast.small.CALL_OPERATIONS", 1.0)
    monkeypatch.setattr("engine.fast.large.TEAM_OPERATIONS", 1.0)
    monkeypatch.setattr(descent, "BREATH_SECONDS", 0.0)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("yields", [1, 5, 8], ids=["in the first epoch", "between epochs", "in the second"])
def test_a_run_goes_on_from_any_yield_bit_for_bit(path: Any, yields: int, monkeypatch: pytest.MonkeyPatch) -> None:
    wishes = {"epochs": 3, "dtype": "float32", "regularization": Regularization(clip_norm=0.05)}
    whole = trained(path, **wishes)[0].tobytes()
    in_small_calls(monkeypatch)
    problem, state = posed(**wishes), State()
    run = descend(problem, state, path)
    for _ in range(yields):
        next(run)
    kept, fresh = state.arrays(problem.network), posed(**wishes)
    list(run)  # what was kept is a copy
    list(descend(fresh, State.from_arrays(kept, fresh.network), path))
    assert problem.network.parameters.theta.tobytes() == fresh.network.parameters.theta.tobytes() == whole


@pytest.mark.parametrize("clip", [None, 0.05])
@pytest.mark.parametrize(("batch", "rows"), [(16, 53), (128, 300), (700, 1500)])
def test_a_team_of_any_size_gives_the_same_bits(
    batch: int, rows: int, clip: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for count in (1, 2, 3, 7):
        monkeypatch.setattr(threads, "count", lambda count=count: count)
        regularization = Regularization(l2=0.01, clip_norm=clip)
        wishes = {"sizes": (40, 70, 33, 12), "dtype": "float32", "epochs": 4, "regularization": regularization}
        theta, epochs = trained(Large, batch=batch, rows=rows, **wishes)
        found.append((theta.tobytes(), [epoch["train_loss"] for epoch in epochs], [epoch["gradient_norm"] for epoch in epochs]))
    assert all(each == found[0] for each in found)


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_a_member_that_fails_ends_the_run(failing: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others, who wait for it in compiled code, are let go."""

    def failing_share(*given: Any) -> Any:
        share = bound(*given)

        def work(member: int, *arguments: Any) -> None:
            if member == failing:
                raise MemoryError
            share(member, *arguments)

        return work

    monkeypatch.setattr(threads, "count", lambda: 3)
    monkeypatch.setattr(large, "bound", failing_share)
    with pytest.raises(MemoryError):
        trained(Large, sizes=(40, 70, 33, 12))


@pytest.mark.parametrize("path", [*PATHS, Definition])
@pytest.mark.parametrize("held", [0, 9])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_last_step_too_far_is_no_success(path: Any, held: int) -> None:
    """Its loss would only be seen in the next epoch."""
    wishes = {"optimizer": GradientDescent(learning_rate=1e300), "batch": "full", "epochs": 1, "held": held}
    with pytest.raises(Diverged):
        trained(path, sizes=(3, 7, 7, 4), **wishes)


# --- which path is taken ---


class Unknown(Relu):  # type: ignore[misc]
    """A class that has no kernel."""


def test_what_has_no_kernel_runs_on_its_definition() -> None:
    assert isinstance(fast(posed(), descent.start_vectors(posed().spec, posed().network), 16), Small)
    assert isinstance(fast(posed((3, 500, 4)), descent.start_vectors(posed().spec, posed((3, 500, 4)).network), 200), Large)
    assert supported(posed())
    problem = posed()
    layers = [dense(3, 7, Unknown()), *problem.network.layers[1:]]
    assert not supported(dataclasses.replace(problem, learner=Network(layers, np.float64, np)))
    layers = [dense(3, 7, Relu(), dropout=0.5), *problem.network.layers[1:]]
    assert not supported(dataclasses.replace(problem, learner=Network(layers, np.float64, np)))
    assert fast(dataclasses.replace(problem, learner=Network(layers, np.float64, np)), {}, 16) is None


def test_every_registered_class_has_a_kernel_but_softmax_between_layers() -> None:
    assert {kind_of(cls) for cls in members(Activation)} - {kind_of(cls) for cls in ACTIVATIONS} == {"softmax"}
    assert len(LOSSES) == len(list(members(Loss)))
    assert len(OPTIMIZERS) == len(list(members(Optimizer)))
    assert kernels.ACTIVATIONS.keys() == kernels.SLOPES.keys()
    for cls in (*ACTIVATIONS, *LOSSES):
        assert len(numbers(cls())) <= 1


# --- compiled code ---

DIGEST = """
import hashlib
from tests.engine.fast.test_kernels import Large, trained
print(hashlib.sha256(trained(Large, dtype="float32")[0].tobytes()).hexdigest())
"""


def test_compiled_or_from_the_cache_the_bits_are_the_same(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the path that compiles most, in one type: each takes some 20 s of processor time."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    command = [sys.executable, "-c", DIGEST]
    first, second = (subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2))
    assert first == second
    assert list(tmp_path.rglob("*.nbc"))


def test_hot_loops_are_packed_into_vectors() -> None:
    hot = [kernels.ACTIVATIONS[Relu], kernels.SLOPES[Relu], kernels.LOSSES[CrossEntropy], kernels.OPTIMIZERS[Adam]]
    for kernel in hot:
        assembly = compile_kernel(kernel, "float32", cached=False)._library.get_asm_str()
        assert any(register in assembly for register in ("ymm", "zmm", ".4s")), kernel.function.__name__


def test_warming_up_a_second_time_compiles_nothing() -> None:
    paths.warm_up()
    with install_recorder("numba:compiler_lock") as compiled:  # taken by whatever compiles, or loads what was compiled
        paths.warm_up()
    assert compiled.buffer == []


def test_tables_are_as_the_drivers_read_them() -> None:
    network = posed().network
    table = layer_table(network, batch_width(16))
    for row, views in zip(table, network.parameters.layers, strict=True):
        start = views.W.__array_interface__["data"][0] - network.parameters.theta.__array_interface__["data"][0]
        assert start // 8 == row[fused_step.W]
    assert len(codes(network, CrossEntropy(), Adam())) == 2 * (len(network.layers) - 1) + 2
