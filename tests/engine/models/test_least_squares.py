from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from engine.models.least_squares import TALL, least_squares
from engine.tables.samples import IrisSample
from tests.engine import table, trained

IRIS = table(IrisSample().columns())

LONGLEY = [  # total employment; GNP deflator, GNP, unemployed, armed forces, population of 14 and over, year
    (60323, 83.0, 234289, 2356, 1590, 107608, 1947), (61122, 88.5, 259426, 2325, 1456, 108632, 1948),
    (60171, 88.2, 258054, 3682, 1616, 109773, 1949), (61187, 89.5, 284599, 3351, 1650, 110929, 1950),
    (63221, 96.2, 328975, 2099, 3099, 112075, 1951), (63639, 98.1, 346999, 1932, 3594, 113270, 1952),
    (64989, 99.0, 365385, 1870, 3547, 115094, 1953), (63761, 100.0, 363112, 3578, 3350, 116219, 1954),
    (66019, 101.2, 397469, 2904, 3048, 117388, 1955), (67857, 104.6, 419180, 2822, 2857, 118734, 1956),
    (68169, 108.4, 442769, 2936, 2798, 120445, 1957), (66513, 110.8, 444546, 4681, 2637, 121950, 1958),
    (68655, 112.6, 482704, 3813, 2552, 123366, 1959), (69564, 114.2, 502601, 3931, 2514, 125368, 1960),
    (69331, 115.7, 518173, 4806, 2572, 127852, 1961), (70551, 116.9, 554894, 4007, 2827, 130081, 1962),
]  # fmt: skip
"""Longley, An Appraisal of Least Squares Programs, 1967: the columns are all but dependent."""
LONGLEY_CERTIFIED = [
    -3482258.63459582, 15.0618722713733, -0.0358191792925910, -2.02022980381683, -1.03322686717359,
    -0.0511041056535807, 1829.15146461355,
]  # fmt: skip
"""NIST Statistical Reference Datasets, Longley: the certified intercept and coefficients."""


def exact_least_squares(X: np.ndarray, y: np.ndarray, read: Callable[[float], Fraction] | None = None) -> list[Fraction]:
    """The intercept and the coefficients by Gauss's elimination on the normal equations, in rational numbers, of the numbers
    as they are written, or as they are `read`.
    """
    read = read or (lambda value: Fraction(str(value)))
    rows = [[Fraction(1), *map(read, row)] for row in X.tolist()]
    answers = [read(value) for value in y.tolist()]
    size = len(rows[0])
    system = [
        [sum((row[i] * row[j] for row in rows), Fraction(0)) for j in range(size)]
        + [sum((row[i] * answer for row, answer in zip(rows, answers, strict=True)), Fraction(0))]
        for i in range(size)
    ]
    for i in range(size):
        system[i] = [value / system[i][i] for value in system[i]]
        for j in range(size):
            if j != i:
                system[j] = [a - system[j][i] * b for a, b in zip(system[j], system[i], strict=True)]
    return [row[-1] for row in system]


def test_longley_by_exact_arithmetic() -> None:
    data = np.array(LONGLEY)
    X, y = data[:, 1:], data[:, 0]
    exact = [float(value) for value in exact_least_squares(X, y)]
    np.testing.assert_allclose(exact, LONGLEY_CERTIFIED, rtol=1e-12)
    W, b, rank, condition = least_squares(X, y[:, None])
    np.testing.assert_allclose([b[0], *W[:, 0]], exact, rtol=1e-8)
    assert rank == 6
    assert 50 < condition < 200  # of columns scaled to one length; the raw table's is beyond a million


def test_a_tall_one_hot_table_has_the_shortest_solution() -> None:
    """Every category a feature: of rank one less than columns, once centered."""
    rng = np.random.default_rng(0)
    X = np.hstack([np.eye(4)[rng.integers(0, 4, TALL // 4)], rng.normal(100, 30, (TALL // 4, 2))])
    y = X @ rng.normal(size=(6, 1)) + rng.normal(size=(TALL // 4, 1))
    W, b, rank, condition = least_squares(X, y)
    expected_W, expected_b = pinv_solution(X, y)
    np.testing.assert_allclose(W, expected_W, rtol=1e-9)
    np.testing.assert_allclose(b, expected_b, rtol=1e-9)
    assert (rank, condition) == (5, np.inf)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), rows=st.integers(7, 40), columns=st.integers(1, 5), targets=st.integers(1, 3))
def test_full_rank_is_scikit_learns(seed: int, rows: int, columns: int, targets: int) -> None:
    rng = np.random.default_rng(seed)
    X = rng.normal(rng.uniform(-50, 50, columns), 10.0 ** rng.integers(-3, 4, columns), (rows, columns))
    Y = rng.normal(0, 5, (rows, targets))
    W, b, rank, condition = least_squares(X, Y)
    expected = LinearRegression(tol=1e-14).fit(X, Y)  # its default drops columns of a small unit
    np.testing.assert_allclose(X @ W + b, expected.predict(X), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(W.T * X.std(axis=0), expected.coef_ * X.std(axis=0), rtol=1e-7, atol=1e-8)
    np.testing.assert_allclose(b, expected.intercept_, rtol=1e-7, atol=1e-7 * np.abs(b).max())
    assert rank == columns
    assert 1 - 1e-12 <= condition < np.inf


def test_without_bias_is_numpys() -> None:
    rng = np.random.default_rng(0)
    X, Y = rng.normal(3, 1, (30, 4)), rng.normal(0, 1, (30, 2))
    W, b, rank, _ = least_squares(X, Y, bias=False)
    np.testing.assert_allclose(W, np.linalg.lstsq(X, Y, rcond=None)[0], rtol=1e-10)
    np.testing.assert_array_equal(b, 0)
    assert rank == 4


TABLES = {
    "short": lambda rng: rng.normal(size=(50, 4)),
    "tall": lambda rng: rng.normal(size=(TALL // 4, 4)),
    "tall and dependent": lambda rng: rng.normal(size=(TALL // 4, 3)) @ rng.normal(size=(3, 4)),
    "wide": lambda rng: rng.normal(size=(4, 9)),
}


@pytest.mark.parametrize("made", TABLES.values(), ids=TABLES)
def test_no_inverse_is_formed(made: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X = made(rng)
    Y = X @ rng.normal(size=(X.shape[1], 2)) + rng.normal(size=(len(X), 2))
    expected, _ = pinv_solution(X, Y)
    for name in ("inv", "pinv"):
        monkeypatch.setattr(np.linalg, name, None)
    np.testing.assert_allclose(least_squares(X, Y)[0], expected, rtol=1e-9, atol=1e-12)


def pinv_solution(X: np.ndarray, Y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The shortest W among the least-squares solutions with a free intercept."""
    W = np.linalg.pinv(X - X.mean(axis=0)) @ (Y - Y.mean(axis=0))
    return W, Y.mean(axis=0) - X.mean(axis=0) @ W


def rank_deficient(name: str) -> np.ndarray:
    rng = np.random.default_rng(1)
    X = rng.normal(0, 1, (20, 3))
    made: dict[str, Any] = {
        "repeated": np.hstack([X, X[:, :1]]),
        "sum": np.hstack([X, X[:, :1] - 2 * X[:, 1:2]]),
        "one_hot": np.hstack([X, np.eye(4)[np.arange(20) % 4]]),
        "constant": np.hstack([X, np.full((20, 1), 7.0)]),
        "constant_0.1": np.hstack([np.full((20, 1), 0.1), X, np.full((20, 1), 1 / 3)]),
        "zero": np.hstack([X, np.zeros((20, 1))]),
        "wide": rng.normal(0, 1, (4, 9)),
        "one_row": rng.normal(0, 1, (1, 3)),
    }
    return np.asarray(made[name])


RANKS = [
    ("repeated", 3), ("sum", 3), ("one_hot", 6), ("constant", 3), ("constant_0.1", 3), ("zero", 3), ("wide", 3), ("one_row", 0),
]  # fmt: skip


@pytest.mark.parametrize(("name", "expected_rank"), RANKS)
@pytest.mark.parametrize("targets", [1, 3])
def test_of_many_solutions_the_shortest(name: str, expected_rank: int, targets: int) -> None:
    X = rank_deficient(name)
    Y = np.random.default_rng(2).normal(0, 1, (len(X), targets)) + 5
    W, b, rank, condition = least_squares(X, Y)
    expected_W, expected_b = pinv_solution(X, Y)
    np.testing.assert_allclose(W, expected_W, atol=1e-9)
    np.testing.assert_allclose(b, expected_b, atol=1e-9)
    assert rank == expected_rank
    assert condition == np.inf


def test_a_change_of_unit_changes_neither_rank_nor_condition() -> None:
    X = np.random.default_rng(3).normal(5, 1, (30, 4))
    units = np.array([1e-9, 1, 1e6, 1e12])
    Y = X @ np.ones((4, 1)) + np.random.default_rng(4).normal(0, 1, (30, 1))
    W, b, rank, condition = least_squares(X, Y)
    moved = least_squares(X * units, Y)
    np.testing.assert_allclose(moved[0][:, 0] * units, W[:, 0], rtol=1e-9)
    np.testing.assert_allclose(moved[1], b, rtol=1e-9)
    assert (moved[2], moved[3]) == (rank, pytest.approx(condition, rel=1e-9))


def test_a_job_with_dependent_columns_says_so() -> None:
    x = np.arange(12.0)
    run = trained(
        table({"a": x, "twice": 2 * x, "y": 3 * x + 1}), target="y", model={"kind": "linear_regression"},
        preprocessing={"scaling": "none"},
    )  # fmt: skip
    assert run.codes == ["RANK_DEFICIENT"]
    assert run.last["rank"] == 1
    assert run.last["condition"] == float("inf")
    W, b = run.coefficients()
    np.testing.assert_allclose([*W[:, 0], *b], [0.6, 1.2, 1], rtol=1e-12)  # the shortest with a + 2·twice = 3
    assert run.last["train_loss"] == pytest.approx(0, abs=1e-20)
    assert run.last["train_r2"] == pytest.approx(1)


def test_a_job_with_independent_columns_has_no_warning() -> None:
    run = trained(IRIS, target="petal_width", features=["sepal_length", "petal_length"], model={"kind": "linear_regression"})
    assert run.codes == []
    assert run.last["rank"] == 2
    assert run.epochs[-1].converged
    assert len(run.epochs) == 1
    assert run.layers[0].W.dtype == np.float64
