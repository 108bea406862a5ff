import math
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import hinge_loss, log_loss, mean_absolute_error, mean_squared_error

from engine.parts.losses import (
    BinaryCrossEntropy,
    CrossEntropy,
    HalfMeanSquaredError,
    Huber,
    KullbackLeibler,
    Likelihood,
    LogLikelihood,
    Loss,
    LossFunction,
    MeanAbsoluteError,
    MeanSquaredError,
    MulticlassHinge,
)
from engine.spec import members

LOSSES: list[LossFunction] = [cls() for cls in members(Loss)]
LOSSES += [Huber(delta=0.3), MulticlassHinge(margin=2.5), MulticlassHinge(margin=0.0)]
every_loss = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.kind)
both_types = pytest.mark.parametrize("dtype", [np.float32, np.float64])
SOFT = [BinaryCrossEntropy(), CrossEntropy(), KullbackLeibler(), LogLikelihood()]


def rows_of(loss: LossFunction, Z: np.ndarray, Y: np.ndarray) -> np.ndarray:
    out, work = np.full(len(Z), np.nan, Z.dtype), np.full_like(Z, np.nan)
    loss.rows(np, Z, Y, out, work)
    return out


def gradient_of(loss: LossFunction, Z: np.ndarray, Y: np.ndarray) -> np.ndarray:
    out = np.full_like(Z, np.nan)
    loss.gradient(np, Z, Y, out)
    return out


def linked(loss: LossFunction, Z: np.ndarray) -> np.ndarray:
    out = np.full_like(Z, np.nan)
    loss.link(np, Z, out)
    return out


def one_hot(labels: Any, classes: int, dtype: Any = np.float64) -> np.ndarray:
    return np.eye(classes, dtype=dtype)[labels]


def problem(loss: LossFunction, seed: int, rows: int = 6, classes: int = 4) -> tuple[np.ndarray, np.ndarray]:
    """Raw outputs and targets of a kind that the loss can train on, both (rows, k)."""
    rng = np.random.default_rng(seed)
    Z = rng.normal(0, 2, (rows, classes))
    if "regression" in loss.tasks:
        return Z, rng.normal(0, 2, Z.shape)
    return Z, one_hot(rng.integers(classes, size=rows), classes)


def check_gradient(loss: LossFunction, Z: np.ndarray, Y: np.ndarray) -> None:
    def slopes(step: float) -> np.ndarray:
        slope = np.empty_like(Z)
        for j in range(Z.shape[1]):
            moved = Z.copy()
            moved[:, j] += step
            slope[:, j] = (rows_of(loss, moved, Y) - rows_of(loss, Z, Y)) / step
        return slope

    forward, backward = slopes(1e-6), slopes(-1e-6)
    smooth = np.abs(forward - backward) < 1e-3  # a corner has no slope
    expected = (forward + backward) / 2
    np.testing.assert_allclose(gradient_of(loss, Z, Y)[smooth], expected[smooth], rtol=1e-6, atol=1e-7)


@every_loss
@given(seed=st.integers(0, 2**32), classes=st.integers(1, 5))
def test_gradient_is_the_slope(loss: LossFunction, seed: int, classes: int) -> None:
    check_gradient(loss, *problem(loss, seed, classes=classes))


@pytest.mark.parametrize("loss", SOFT, ids=lambda loss: loss.kind)
@given(seed=st.integers(0, 2**32))
def test_gradient_is_the_slope_for_soft_labels(loss: LossFunction, seed: int) -> None:
    rng = np.random.default_rng(seed)
    check_gradient(loss, rng.normal(0, 3, (5, 3)), rng.dirichlet(np.ones(3), 5))


@every_loss
@both_types
def test_finite_far_out_without_warnings(loss: LossFunction, dtype: Any) -> None:
    """Probabilities of 0 and 1 on the right and on the wrong side."""
    corners = np.array(np.meshgrid([-1000, 0, 1000], [-1000, 0, 1000], [-1000, 0, 1000]), dtype).reshape(3, -1).T
    for label in range(3):
        Y = np.ascontiguousarray(np.broadcast_to(one_hot(label, 3, dtype), corners.shape))
        for result in (rows_of(loss, corners, Y), gradient_of(loss, corners, Y), linked(loss, corners)):
            assert np.isfinite(result).all()
            assert result.dtype == dtype


@every_loss
@both_types
def test_buffers(loss: LossFunction, dtype: Any) -> None:
    Z, Y = (array.astype(dtype) for array in problem(loss, 7))
    kept = Z.copy(), Y.copy()
    gradient, prediction = gradient_of(loss, Z, Y), linked(loss, Z)
    rows_of(loss, Z, Y)
    np.testing.assert_array_equal(Z, kept[0])
    np.testing.assert_array_equal(Y, kept[1])
    in_place = Z.copy()
    loss.gradient(np, in_place, Y, in_place)
    np.testing.assert_array_equal(in_place, gradient)
    in_place = Z.copy()
    loss.link(np, in_place, in_place)
    np.testing.assert_array_equal(in_place, prediction)
    np.testing.assert_array_equal(Y, kept[1])


@every_loss
def test_float32_agrees_with_float64(loss: LossFunction) -> None:
    Z, Y = problem(loss, 11, rows=50)
    single = Z.astype(np.float32), Y.astype(np.float32)
    np.testing.assert_allclose(rows_of(loss, *single), rows_of(loss, Z, Y), rtol=2e-5, atol=2e-6)
    np.testing.assert_allclose(gradient_of(loss, *single), gradient_of(loss, Z, Y), rtol=2e-5, atol=2e-6)


@every_loss
def test_no_rows(loss: LossFunction) -> None:
    nothing = np.empty((0, 3))
    assert rows_of(loss, nothing, nothing).shape == (0,)
    assert gradient_of(loss, nothing, nothing).shape == (0, 3)


@every_loss
def test_no_temporary_is_as_large_as_the_whole(loss: LossFunction) -> None:
    Z, Y = problem(loss, 3, rows=50_000, classes=20)
    out, work, gradient = np.empty(len(Z)), np.empty_like(Z), np.empty_like(Z)
    tracemalloc.start()
    loss.rows(np, Z, Y, out, work)
    loss.gradient(np, Z, Y, gradient)
    loss.link(np, Z, gradient)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < Z.nbytes / 3


@every_loss
def test_a_step_down_the_gradient_lowers_the_loss(loss: LossFunction) -> None:
    Z, Y = problem(loss, 5, rows=40)
    assert rows_of(loss, Z - 1e-4 * gradient_of(loss, Z, Y), Y).sum() < rows_of(loss, Z, Y).sum()


@every_loss
def test_tasks_and_outputs(loss: LossFunction) -> None:
    assert loss.tasks
    assert loss.tasks <= {"regression", "classification", "tagging"}
    assert ("tagging" in loss.tasks) == (loss.kind == "binary_cross_entropy")
    assert loss.outputs(3) == 3
    assert loss.outputs(2) == (1 if loss.kind == "binary_cross_entropy" else 2)


def test_cross_entropy_of_the_course() -> None:
    Z = np.log([[0.7, 0.2, 0.1]])
    for loss in (CrossEntropy(), LogLikelihood(), KullbackLeibler()):
        assert rows_of(loss, Z, one_hot([0], 3))[0] == pytest.approx(0.3566749439, abs=5e-11)
    assert rows_of(Likelihood(), Z, one_hot([0], 3))[0] == pytest.approx(-0.7)


def test_hinge_of_the_course() -> None:
    scores = np.array([[-0.39, 1.49, 4.21], [-4.61, 3.28, 1.46], [1.03, -2.37, -2.27]])  # dog, cat, horse
    losses = rows_of(MulticlassHinge(margin=1.0), scores, one_hot([0, 1, 2], 3))
    np.testing.assert_allclose(losses, [8.48, 0, 5.2], atol=1e-12)
    assert losses[1] == 0
    assert losses.mean() == pytest.approx(4.56)


def test_hinge_of_two_classes_is_scikit_learns() -> None:
    scores = np.random.default_rng(0).normal(0, 1, 50)
    labels = np.random.default_rng(1).integers(2, size=50)
    Z = np.stack([np.zeros(50), scores], axis=1)
    expected = hinge_loss(2 * labels - 1, scores)
    assert rows_of(MulticlassHinge(), Z, one_hot(labels, 2)).mean() == pytest.approx(expected)


def test_regression_losses_are_scikit_learns() -> None:
    Z, Y = np.random.default_rng(0).normal(0, 2, (2, 30, 3))
    assert rows_of(MeanAbsoluteError(), Z, Y).mean() == pytest.approx(mean_absolute_error(Y, Z))
    assert rows_of(MeanSquaredError(), Z, Y).mean() == pytest.approx(mean_squared_error(Y, Z))
    assert rows_of(HalfMeanSquaredError(), Z, Y).mean() == pytest.approx(mean_squared_error(Y, Z) / 2)


@pytest.mark.parametrize(("error", "expected"), [(0.0, 0), (0.5, 0.125), (-2.0, 2), (2.5, 3), (-1e6, 2 * (1e6 - 1))])
def test_huber_by_hand(error: float, expected: float) -> None:
    Z, Y = np.array([[5.0 + error]]), np.array([[5.0]])
    assert rows_of(Huber(delta=2.0), Z, Y)[0] == pytest.approx(expected)
    assert gradient_of(Huber(delta=2.0), Z, Y)[0, 0] == pytest.approx(max(-2, min(2, error)))


def test_classification_losses_are_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    Z, labels = rng.normal(0, 3, (40, 4)), rng.integers(4, size=40)
    Y = one_hot(labels, 4)
    softmax = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    expected = log_loss(labels, softmax, labels=range(4))
    for loss in (CrossEntropy(), LogLikelihood(), KullbackLeibler()):
        assert rows_of(loss, Z, Y).mean() == pytest.approx(expected)
    np.testing.assert_allclose(linked(CrossEntropy(), Z), softmax)
    np.testing.assert_allclose(rows_of(Likelihood(), Z, Y), -softmax[np.arange(40), labels])
    np.testing.assert_allclose(-np.exp(-rows_of(LogLikelihood(), Z, Y)), rows_of(Likelihood(), Z, Y))
    product = np.prod(softmax[np.arange(40), labels])  # the likelihood of all rows
    assert math.exp(-rows_of(LogLikelihood(), Z, Y).sum()) == pytest.approx(product, rel=1e-9)


def test_binary_cross_entropy_is_the_sum_of_independent_models() -> None:
    rng = np.random.default_rng(0)
    Z, Y = rng.normal(0, 3, (40, 3)), rng.integers(2, size=(40, 3)).astype(float)
    apart = [rows_of(BinaryCrossEntropy(), Z[:, [j]], Y[:, [j]]) for j in range(3)]
    np.testing.assert_allclose(rows_of(BinaryCrossEntropy(), Z, Y), np.sum(apart, axis=0))
    probability = linked(BinaryCrossEntropy(), Z)
    assert apart[1].mean() == pytest.approx(log_loss(Y[:, 1], probability[:, 1]))


@both_types
def test_binary_cross_entropy_keeps_the_digits_of_small_losses(dtype: Any) -> None:
    Z, Y = np.array([[30.0], [-30.0], [1000.0], [-1000.0]], dtype), np.array([[1.0], [0.0], [0.0], [1.0]], dtype)
    expected = [math.log1p(math.exp(-30)), math.log1p(math.exp(-30)), 1000, 1000]
    np.testing.assert_allclose(rows_of(BinaryCrossEntropy(), Z, Y), expected, rtol=1e-6)


def test_kullback_leibler_is_cross_entropy_less_entropy() -> None:
    P = np.array([[0.5, 0.25, 0.25], [1, 0, 0], [0.1, 0.9, 0]])
    Z = np.random.default_rng(0).normal(0, 1, P.shape)
    entropy = np.array([1.5 * math.log(2), 0, -0.1 * math.log(0.1) - 0.9 * math.log(0.9)])
    np.testing.assert_allclose(rows_of(KullbackLeibler(), Z, P), rows_of(CrossEntropy(), Z, P) - entropy)
    np.testing.assert_allclose(rows_of(KullbackLeibler(), np.log(P[:1]), P[:1]), 0, atol=1e-15)
