import math
import tracemalloc
from typing import Any

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.parts import activations
from engine.parts.activations import (
    ActivationFunction,
    Elu,
    Gelu,
    Identity,
    LeakyRelu,
    Relu,
    Sigmoid,
    Sign,
    Silu,
    Softmax,
    Softplus,
    Tanh,
)
from engine.spec import members

FUNCTIONS: list[ActivationFunction] = [cls() for cls in members(activations.Activation)]
FUNCTIONS += [LeakyRelu(slope=0.3), Elu(alpha=2.5)]
every_function = pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.kind)
both_types = pytest.mark.parametrize("dtype", [np.float32, np.float64])

SHAPES = arrays.array_shapes(min_dims=2, max_dims=2, max_side=4)


def matrices(bound: float) -> st.SearchStrategy[np.ndarray]:
    """Two matrices (n, units) whose entries keep away from 0, where some functions have a corner or a jump."""
    elements = st.floats(1e-3, bound) | st.floats(-bound, -1e-3)
    return SHAPES.flatmap(lambda shape: arrays.arrays(np.float64, (2, *shape), elements=elements))


def applied(function: ActivationFunction, Z: np.ndarray) -> np.ndarray:
    out = np.full_like(Z, np.nan)
    function.apply(np, Z, out)
    return out


def gradient_of(function: ActivationFunction, Z: np.ndarray, dA: np.ndarray) -> np.ndarray:
    out = np.full_like(Z, np.nan)
    function.gradient(np, Z, applied(function, Z), dA, out)
    return out


def slope_of(function: ActivationFunction, Z: np.ndarray, dA: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """∂ Σ dA ⊙ f(Z) / ∂Z by a central difference, entry by entry."""
    slopes = np.empty_like(Z)
    for index in np.ndindex(Z.shape):
        left, right = Z.copy(), Z.copy()
        left[index] -= step
        right[index] += step
        slopes[index] = np.sum(dA * (applied(function, right) - applied(function, left))) / (2 * step)
    return slopes


@every_function
@given(data=matrices(6))
def test_gradient_is_the_slope(function: ActivationFunction, data: np.ndarray) -> None:
    Z, dA = data
    np.testing.assert_allclose(gradient_of(function, Z, dA), slope_of(function, Z, dA), rtol=1e-7, atol=1e-7)


def test_gradient_at_the_corner() -> None:
    zero, one = np.zeros((1, 1)), np.ones((1, 1))
    taken = {rule.kind: gradient_of(rule, zero, one).item() for rule in (Relu(), LeakyRelu(), Elu(alpha=2.5), Sign())}
    assert taken == {"relu": 0, "leaky_relu": 0.01, "elu": 2.5, "sign": 0}


@every_function
@both_types
def test_finite_far_out_without_warnings(function: ActivationFunction, dtype: Any) -> None:
    Z = np.array([[-1000, -100, -89, 0], [1000, 100, 20, -0.0], [710, -710, 1e-30, -1e-30], [1000] * 4], dtype)
    A, dZ = applied(function, Z), gradient_of(function, Z, np.ones_like(Z))
    assert np.isfinite(A).all()
    assert np.isfinite(dZ).all()
    np.testing.assert_allclose(gradient_of(function, Z.astype(np.float64), np.ones(Z.shape)), dZ, atol=1e-5)


@every_function
@both_types
def test_in_place_and_out_of_place_agree(function: ActivationFunction, dtype: Any) -> None:
    rng = np.random.default_rng(0)
    Z, dA = rng.normal(0, 3, (2, 7, 5)).astype(dtype)
    A, dZ = applied(function, Z), gradient_of(function, Z, dA)
    kept = Z.copy(), A.copy()
    in_place = Z.copy()
    function.apply(np, in_place, in_place)
    np.testing.assert_array_equal(in_place, A)
    in_place = dA.copy()
    function.gradient(np, Z, A, in_place, in_place)
    np.testing.assert_array_equal(in_place, dZ)
    np.testing.assert_array_equal(Z, kept[0])
    np.testing.assert_array_equal(A, kept[1])
    assert A.dtype == dZ.dtype == dtype


@every_function
def test_blocks_change_nothing(function: ActivationFunction, monkeypatch: pytest.MonkeyPatch) -> None:
    Z, dA = np.random.default_rng(1).normal(0, 3, (2, 23, 3))
    A, dZ = applied(function, Z), gradient_of(function, Z, dA)
    monkeypatch.setattr(activations, "BLOCK", 10)
    np.testing.assert_array_equal(applied(function, Z), A)
    np.testing.assert_array_equal(gradient_of(function, Z, dA), dZ)


@every_function
@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (5,)])
def test_odd_shapes(function: ActivationFunction, shape: tuple[int, ...]) -> None:
    Z = np.ones(shape)
    assert np.isfinite(applied(function, Z)).all()
    assert np.isfinite(gradient_of(function, Z, Z)).all()


@every_function
def test_no_temporary_is_as_large_as_the_whole(function: ActivationFunction) -> None:
    Z = np.random.default_rng(2).normal(0, 1, (4096, 512))
    A, dZ = np.empty_like(Z), np.ones_like(Z)
    tracemalloc.start()
    function.apply(np, Z, A)
    function.gradient(np, Z, A, dZ, dZ)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < Z.nbytes / 3


def at(function: ActivationFunction, z: float) -> float:
    return float(applied(function, np.array([[z]]))[0, 0])


@pytest.mark.parametrize("z", [-700.0, -40.0, -3.0, -0.5, 0.0, 0.5, 3.0, 30.0])
def test_values(z: float) -> None:
    sigmoid = 1 / (1 + math.exp(-z))
    assert at(Sigmoid(), z) == pytest.approx(sigmoid, rel=1e-14)  # tiny probabilities keep their digits
    assert at(Tanh(), z) == pytest.approx(math.tanh(z), rel=1e-14)
    assert at(LeakyRelu(), z) == pytest.approx(z if z > 0 else 0.01 * z)
    assert at(Elu(alpha=2.0), z) == pytest.approx(z if z > 0 else 2 * math.expm1(z))
    assert at(Silu(), z) == pytest.approx(z * sigmoid)
    assert at(Softplus(), z) == pytest.approx(max(z, 0) + math.log1p(math.exp(-abs(z))), rel=1e-14)
    assert at(Sign(), z) == (z > 0) - (z < 0)
    assert at(Identity(), z) == z
    assert at(Relu(), z) == max(z, 0)


@pytest.mark.parametrize("z", [-3.0, -0.5, 0.0, 0.5, 3.0])
def test_slopes_by_the_courses_formulas(z: float) -> None:
    Z, one = np.array([[z]]), np.ones((1, 1))
    sigma = 1 / (1 + math.exp(-z))
    assert gradient_of(Sigmoid(), Z, one).item() == pytest.approx(sigma * (1 - sigma), rel=1e-14)
    assert gradient_of(Tanh(), Z, one).item() == pytest.approx(1 - math.tanh(z) ** 2, rel=1e-14)
    assert gradient_of(Relu(), Z, one).item() == (z > 0)


@both_types
def test_the_sigmoid_of_a_thousand(dtype: Any) -> None:
    low, middle, high = applied(Sigmoid(), np.array([[-1000, 0, 1000]], dtype))[0]
    assert 0 <= low < 1e-37
    assert (middle, high) == (0.5, 1)


@given(st.floats(-50, 50))
def test_gelu_stays_near_the_exact_form(z: float) -> None:
    assert at(Gelu(), z) == pytest.approx(z * 0.5 * (1 + math.erf(z / math.sqrt(2))), abs=5e-4)


@given(matrices(1000))
def test_softmax_rows_are_probabilities_that_keep_the_order(data: np.ndarray) -> None:
    Z = data[0]
    P = applied(Softmax(), Z)
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-12)
    assert (P >= 0).all()
    np.testing.assert_array_equal(np.take_along_axis(P, Z.argmax(axis=1)[:, None], 1)[:, 0], P.max(axis=1))
    np.testing.assert_allclose(applied(Softmax(), Z - 17.0), P, rtol=1e-9, atol=1e-300)


@given(matrices(500))
def test_sigmoid_is_symmetric(data: np.ndarray) -> None:
    np.testing.assert_allclose(applied(Sigmoid(), -data[0]), 1 - applied(Sigmoid(), data[0]), atol=1e-15)


@pytest.mark.parametrize("change", [{"slope": 1.0}, {"slope": -0.1}, {"slope": "0.1"}, {"slope": math.nan}])
def test_a_slope_out_of_bounds_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="slope"):
        LeakyRelu(**change)
