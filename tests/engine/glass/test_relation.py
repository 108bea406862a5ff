"""Two columns beside each other: against NumPy, by what each number means."""

import numpy as np
import pytest

from engine.glass.relation import Line, relate, shown
from engine.tables.samples import AnscombeSample, InfantWeightSample

NAMES = ("x", "y")


def line(x: np.ndarray, y: np.ndarray) -> Line:
    found = relate(x, y, NAMES).y_on_x
    assert found is not None
    return found


def drawn(rows: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(50, 3, rows)
    return x, 2 * x + rng.normal(0, 4, rows)


def curvature(x: np.ndarray, found: Line) -> float:
    """The share of the residuals' variance that a parabola explains."""
    left = found.residuals - np.polyval(np.polyfit(x, found.residuals, 2), x)
    return float(1 - left.var() / found.residuals.var())


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_anscombes_four_sets_share_every_number(number: int) -> None:
    """As Anscombe printed them: the first four of these, the line and R²."""
    columns = AnscombeSample(set=number).columns()
    found = relate(columns["x"], columns["y"], NAMES)
    x, y = found.spreads
    assert (x.mean, x.variance) == (9, 11)
    assert y.mean == pytest.approx(7.5, abs=0.001)
    assert y.variance == pytest.approx(4.125, abs=0.003)
    assert found.rho == pytest.approx(0.8164, abs=0.0002)
    assert found.y_on_x is not None and found.x_on_y is not None
    assert found.y_on_x.slope == pytest.approx(0.5, abs=0.0005)
    assert found.y_on_x.intercept == pytest.approx(3, abs=0.0026)
    assert found.y_on_x.r2 == pytest.approx(0.667, abs=0.001)
    assert found.y_on_x.residual_std == pytest.approx(1.237, abs=0.002)
    assert found.x_on_y.slope == pytest.approx(4 / 3, abs=0.002)


def test_and_what_each_row_does_tells_them_apart() -> None:
    """The first is a cloud, the second a parabola, the third a line with one row beside it, the fourth hangs on one row."""
    first, second, third, fourth = (AnscombeSample(set=number).columns() for number in (1, 2, 3, 4))
    cloud, bow = line(first["x"], first["y"]), line(second["x"], second["y"])
    assert curvature(second["x"], bow) > 0.9999
    assert curvature(first["x"], cloud) < 0.1 and cloud.distances.max() < 0.5
    outlier = line(third["x"], third["y"])
    assert np.flatnonzero(outlier.distances > 1).tolist() == [2] and outlier.residuals[2] == pytest.approx(3.24, abs=0.01)
    assert outlier.leverages.max() < 0.32
    lever = line(fourth["x"], fourth["y"])
    assert lever.leverages[7] == 1 and lever.leverages[np.arange(11) != 7] == pytest.approx(0.1)
    assert np.flatnonzero(np.isnan(lever.distances)).tolist() == [7] and lever.residuals[7] == pytest.approx(0, abs=1e-12)


def test_leverages_are_the_diagonal_of_the_hat_matrix_and_distances_what_a_row_moves() -> None:
    x, y = drawn()
    found = line(x, y)
    X = np.stack([np.ones_like(x), x], axis=1)
    hat = X @ np.linalg.pinv(X)
    assert found.leverages == pytest.approx(np.diag(hat), rel=1e-9)
    fitted = hat @ y
    assert found.fitted == pytest.approx(fitted, rel=1e-12)
    variance = ((y - fitted) ** 2).sum() / (len(x) - 2)
    for row in range(len(x)):
        others = np.arange(len(x)) != row
        without = X @ np.linalg.lstsq(X[others], y[others], rcond=None)[0]
        assert found.distances[row] == pytest.approx(((fitted - without) ** 2).sum() / (2 * variance), rel=1e-6)


def test_the_two_lines_swap_with_the_columns_and_the_correlation_stays() -> None:
    """The course: y on x is another line than x on y. Their slopes' product is ρ², and both go through the means."""
    columns = InfantWeightSample().columns()
    x, y = columns["months"].astype(float), columns["weight"]
    found, swapped = relate(x, y, NAMES), relate(y, x, NAMES)
    assert found.rho == swapped.rho == pytest.approx(0.9639292715)
    assert found.y_on_x is not None and found.x_on_y is not None and swapped.y_on_x is not None
    assert (found.y_on_x.slope, found.y_on_x.intercept) == pytest.approx((0.3021978022, 4.8274725275))
    assert (found.x_on_y.slope, found.x_on_y.intercept) == (swapped.y_on_x.slope, swapped.y_on_x.intercept)
    assert (found.x_on_y.slope, found.x_on_y.intercept) == pytest.approx(tuple(np.polyfit(y, x, 1)))
    assert found.y_on_x.slope * found.x_on_y.slope == pytest.approx(found.rho**2)
    assert found.y_on_x.intercept + found.y_on_x.slope * x.mean() == pytest.approx(y.mean())


def test_gaps_are_counted_and_left_out() -> None:
    x, y = drawn()
    x[[3, 4]], y[[4, 5]] = np.nan, np.inf
    found = relate(x, y, NAMES)
    assert found.missing == (2, 2)
    assert found.rows.tolist() == [row for row in range(40) if row not in (3, 4, 5)]
    assert found.rho == pytest.approx(np.corrcoef(x[found.rows], y[found.rows])[0, 1])


@pytest.mark.parametrize(("x", "y"), [([1, 1, 1], [1, 2, 4]), ([1, 2, 4], [3, 3, 3]), ([2, 2], [2, 2]), ([1], [2])])
def test_a_constant_column_has_no_correlation_and_gives_no_line(x: list[float], y: list[float]) -> None:
    found = relate(np.array(x, float), np.array(y, float), NAMES)
    constant = [name for name, cells in (("x", x), ("y", y)) if len(set(cells)) == 1]
    assert found.rho is None
    assert [each["column"] for each in found.warnings] == constant
    assert (found.y_on_x is None, found.x_on_y is None) == ("x" in constant, "y" in constant)
    if found.y_on_x is not None:
        assert (found.y_on_x.slope, found.y_on_x.r2) == (pytest.approx(0, abs=1e-15), None)


def test_two_rows_and_rows_on_a_line_leave_nothing_to_measure_by() -> None:
    two = line(np.array([1.0, 2.0]), np.array([5.0, 9.0]))
    assert (two.slope, two.residual_std, two.leverages.tolist()) == (pytest.approx(4), None, [1, 1])
    exact = line(np.arange(9.0), 0.1 + 0.3 * np.arange(9.0))
    assert np.isnan(two.distances).all() and np.isnan(exact.distances).all()


def test_numbers_far_from_one_are_worked_out_as_well() -> None:
    """Of any size, and with a mean that is large beside the spread."""
    x, y = drawn()
    plain = line(x, y)
    for scale in (1e-150, 1e150):
        found = line(x * scale, y * scale)
        assert found.slope == pytest.approx(plain.slope)
        assert found.leverages == pytest.approx(plain.leverages)
    assert line(x + 1e6, y).leverages == pytest.approx(plain.leverages, rel=1e-6)


def test_of_many_rows_some_are_shown_and_the_farthest_among_them() -> None:
    x, y = drawn(5000)
    y[4321] += 500
    found = relate(x, y, NAMES)
    places = shown(found, 100)
    assert 100 <= len(places) <= 108
    assert {0, 4321, 4999, x.argmin(), x.argmax()} <= set(places.tolist())
    assert shown(found, 5000).tolist() == list(range(5000))
