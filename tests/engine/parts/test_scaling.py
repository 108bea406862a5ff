import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from engine.parts.scaling import MeanNormalization, MinMax, NoScaling, Scaling, ScalingRule, Standardization
from engine.spec import members

RULES: list[ScalingRule] = [cls() for cls in members(Scaling)]
every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.kind)
SCALERS = [rule for rule in RULES if rule.kind != "none"]
every_scaler = pytest.mark.parametrize("rule", SCALERS, ids=lambda rule: rule.kind)

MATRICES = arrays.arrays(
    np.float64,
    arrays.array_shapes(min_dims=2, max_dims=2, max_side=6),
    elements=st.floats(-1e100, 1e100) | st.just(np.nan) | st.integers(-3, 3).map(float),
)


def scaled(rule: ScalingRule, X: np.ndarray) -> np.ndarray:
    center, scale = rule.fit(X)
    return np.asarray((X - center) / scale)


@every_rule
@given(X=MATRICES)
def test_always_finite_and_reversible(rule: ScalingRule, X: np.ndarray) -> None:
    kept = X.copy()
    center, scale = rule.fit(X)
    assert center.shape == scale.shape == X.shape[1:]
    assert np.isfinite(center).all()
    assert (np.isfinite(scale) & (scale > 0)).all()
    result = (X - center) / scale
    assert np.isfinite(result[~np.isnan(X)]).all()
    np.testing.assert_allclose(result * scale + center, X, rtol=1e-9, atol=1e-9 * np.nanmax(np.abs(X), initial=0))
    np.testing.assert_array_equal(X, kept)


@every_scaler
@given(value=st.floats(-1e100, 1e100), rows=st.integers(1, 30))
def test_a_constant_column_scales_to_zero(rule: ScalingRule, value: float, rows: int) -> None:
    X = np.full((rows, 1), value)
    assert rule.fit(X) == (value, 1)
    assert (scaled(rule, X) == 0).all()


@every_rule
def test_columns_without_values(rule: ScalingRule) -> None:
    for X in (np.full((3, 2), np.nan), np.empty((0, 2))):
        center, scale = rule.fit(X)
        np.testing.assert_array_equal(center, 0)
        np.testing.assert_array_equal(scale, 1)


@every_rule
def test_a_spread_too_small_to_square_is_no_division_by_zero(rule: ScalingRule) -> None:
    assert np.isfinite(scaled(rule, np.array([[0.0], [1e-200]]))).all()


@every_rule
def test_missing_values_are_left_out(rule: ScalingRule) -> None:
    X = np.random.default_rng(0).normal(3, 2, (20, 2))
    with_holes = np.vstack([X, np.full((5, 2), np.nan)])
    np.testing.assert_allclose(rule.fit(with_holes), rule.fit(X))


def with_holes_and_a_constant() -> np.ndarray:
    X = np.random.default_rng(1).normal(3, [1, 10, 1e-3, 1e6], (200, 4))
    X[::7, 1] = np.nan
    return np.hstack([X, np.full((200, 1), 0.1)])


def test_standardization_is_scikit_learns() -> None:
    X = with_holes_and_a_constant()
    np.testing.assert_allclose(scaled(Standardization(), X), StandardScaler().fit_transform(X), atol=1e-9)


def test_min_max_is_scikit_learns() -> None:
    X = with_holes_and_a_constant()
    np.testing.assert_allclose(scaled(MinMax(), X), MinMaxScaler().fit_transform(X), atol=1e-12)


def test_mean_normalization_by_hand() -> None:
    center, scale = MeanNormalization().fit(np.array([[1.0, 10], [2, 10], [6, 40]]))
    np.testing.assert_array_equal(center, [3, 20])
    np.testing.assert_array_equal(scale, [5, 30])


def test_no_scaling_leaves_everything() -> None:
    X = with_holes_and_a_constant()
    np.testing.assert_array_equal(scaled(NoScaling(), X), X)
