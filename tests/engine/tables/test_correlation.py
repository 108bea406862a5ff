import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tables.correlation import correlation_matrix, pearson
from engine.tables.samples import AnscombeSample, InfantWeightSample

VALUES = st.floats(-1e150, 1e150) | st.integers(-2, 2).map(float) | st.just(np.nan)
PAIRS = st.integers(0, 12).flatmap(lambda n: arrays.arrays(np.float64, (2, n), elements=VALUES))
TABLES = arrays.arrays(
    np.float64,
    arrays.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=7),
    elements=st.integers(-20, 20).map(float) | st.just(np.nan),
)


ANSCOMBE = [(1, 0.8164205163), (2, 0.8162365060), (3, 0.8162867395), (4, 0.8165214369)]


@pytest.mark.parametrize(("number", "expected"), ANSCOMBE)
def test_anscombes_quartet(number: int, expected: float) -> None:
    columns = AnscombeSample(set=number).columns()
    assert pearson(columns["x"], columns["y"]) == pytest.approx(expected, abs=5e-11)


def test_infant_weight() -> None:
    columns = InfantWeightSample().columns()
    assert pearson(columns["months"], columns["weight"]) == pytest.approx(0.9639292715, abs=5e-11)


@given(PAIRS)
def test_in_bounds_symmetric_and_never_nan(data: np.ndarray) -> None:
    x, y = data
    rho = pearson(x, y)
    assert rho == pearson(y, x)
    complete = ~np.isnan(x + y)
    constant = complete.sum() < 2 or np.ptp(x[complete]) == 0 or np.ptp(y[complete]) == 0
    assert rho is None if constant else rho is not None and -1 <= rho <= 1


VECTORS = arrays.arrays(np.float64, 9, elements=st.floats(-100, 100))


@given(x=VECTORS, shift=st.floats(-100, 100), scale=st.floats(0.1, 10))
def test_of_a_line_is_its_direction(x: np.ndarray, shift: float, scale: float) -> None:
    if np.ptp(x) > 1e-3:
        assert pearson(x, scale * x + shift) == pytest.approx(1)
        assert pearson(x, -scale * x + shift) == pytest.approx(-1)


def test_numpy_is_the_oracle() -> None:
    X = np.random.default_rng(0).normal(50, 3, (500, 6)) @ np.random.default_rng(1).normal(0, 1, (6, 6))
    expected = np.corrcoef(X, rowvar=False)
    np.testing.assert_allclose(correlation_matrix(X), expected, atol=1e-12)
    assert pearson(X[:, 0], X[:, 1]) == pytest.approx(expected[0, 1])


def test_integers_and_infinities() -> None:
    assert pearson(np.array([1, 2, 3]), np.array([True, True, False])) == pytest.approx(-0.8660254037844387)
    assert pearson(np.array([1.0, 2, 4, np.inf]), np.array([2.0, 4, 8, 1])) == pytest.approx(1)


@given(TABLES)
def test_the_matrix_is_every_pair_by_itself(X: np.ndarray) -> None:
    rho = correlation_matrix(X)
    d = X.shape[1]
    pairs = [[pearson(X[:, i], X[:, j]) for j in range(d)] for i in range(d)]
    expected = np.array([[np.nan if value is None else value for value in row] for row in pairs], dtype=float)
    np.testing.assert_allclose(rho, expected.reshape(d, d), atol=1e-9)
    np.testing.assert_array_equal(rho, rho.T)


def related(scale: float, offset: float) -> np.ndarray:
    """Six columns of that size, some alike, some opposite, some unrelated: no correlation is near a rounding error."""
    base = np.random.default_rng(4).normal(0, 1, (60, 3))
    return scale * (np.hstack([base, 2 * base[:, :1], -base[:, :1], base[:, :1] + base[:, 1:2]]) + offset)


@pytest.mark.parametrize("scale", [1e-200, 1, 1e200])
@pytest.mark.parametrize("offset", [0, 1e4])
@pytest.mark.parametrize("holes", [False, True])
def test_neither_size_nor_offset_matters(scale: float, offset: float, holes: bool) -> None:
    X, plain = related(scale, offset), related(1, 0)
    if holes:
        X[::9, 0] = X[4::11, 3] = plain[::9, 0] = plain[4::11, 3] = np.nan
    rho = correlation_matrix(X)
    np.testing.assert_allclose(rho, correlation_matrix(plain), atol=1e-10)
    np.testing.assert_array_equal(rho.diagonal(), 1)
    assert np.abs(rho).max() == 1
    assert rho[0, 3] == pytest.approx(1)
    assert rho[0, 4] == pytest.approx(-1)


@given(seed=st.integers(0, 2**32), slope=st.sampled_from([-1.7, 0.3, 3.0]), holes=st.booleans())
def test_never_out_of_bounds(seed: int, slope: float, holes: bool) -> None:
    """Rounding would carry a perfect line past 1 or −1."""
    x = np.random.default_rng(seed).normal(0, 1, 17)
    X = np.stack([x, slope * x, np.where(np.arange(17) == 3, np.nan if holes else x, x)], axis=1)
    rho = pearson(x, slope * x)
    assert rho is not None
    assert abs(rho) <= 1
    assert np.abs(correlation_matrix(X)).max() <= 1


def test_the_diagonal_is_one_where_it_is_defined() -> None:
    X = np.array([[1.0, 5, np.nan], [2, 5, 1], [4, 5, 3]])
    rho = correlation_matrix(X)
    assert rho[0, 0] == rho[2, 2] == 1
    assert np.isnan(rho[1]).all()


def test_shared_rows_that_all_but_agree() -> None:
    """Two columns that vary by billions and share only rows in which one of them hardly does."""
    x = np.array([0.0, 1e9, 1e9 + 1, 1e9 + 2, 5e9])
    y = np.array([np.nan, 1, 2, 4, np.nan])
    rho = correlation_matrix(np.stack([x, y], axis=1))
    assert rho[0, 1] == pytest.approx(np.corrcoef([0, 1, 2], [1, 2, 4])[0, 1])
