"""Two columns of numbers beside each other: their correlation, the regression line of each on the other, and what each row does
to these lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.backend import Array
from engine.models.least_squares import least_squares
from engine.parts.metrics import r2
from engine.tables.correlation import direction, pearson
from engine.wording import notice, say

PARAMETERS = 2
"""The numbers that a line is fitted by."""
ROUNDING = 4
"""Rows that lie no farther from a line than so many roundings of their numbers lie on it."""
FORMULAS: Mapping[str, tuple[str, str]] = {
    "mean": (r"\bar x = \frac{1}{n} \sum_i x_i", ""),
    "variance": (r"s_x^2 = \frac{1}{n - 1} \sum_i (x_i - \bar x)^2", ""),
    "rho": (
        r"\rho = \frac{\sum_i (x_i - \bar x)(y_i - \bar y)}{\sqrt{\sum_i (x_i - \bar x)^2 \sum_i (y_i - \bar y)^2}}",
        "Pearson, Notes on Regression and Inheritance, 1895",
    ),
    "slope": (
        r"b = \frac{\sum_i (x_i - \bar x)(y_i - \bar y)}{\sum_i (x_i - \bar x)^2}, \quad b_{y \mid x}\, b_{x \mid y} = \rho^2",
        "Yule, On the Theory of Correlation, 1897",
    ),
    "intercept": (r"a = \bar y - b\,\bar x", ""),
    "r2": (r"R^2 = 1 - \frac{\sum_i e_i^2}{\sum_i (y_i - \bar y)^2} = \rho^2", ""),
    "residual_std": (r"s = \sqrt{\frac{\sum_i e_i^2}{n - 2}}", ""),
    "fitted": (r"\hat y_i = a + b\,x_i", ""),
    "residuals": (r"e_i = y_i - \hat y_i", ""),
    "leverages": (
        r"h_i = \frac{1}{n} + \frac{(x_i - \bar x)^2}{\sum_j (x_j - \bar x)^2}, \quad \sum_i h_i = 2",
        "Hoaglin and Welsch, The Hat Matrix in Regression and ANOVA, 1978",
    ),
    "distances": (
        r"D_i = \frac{e_i^2}{2 s^2} \frac{h_i}{(1 - h_i)^2}",
        "Cook, Detection of Influential Observation in Linear Regression, 1977",
    ),
}
"""By the name of a number, its formula and, where it is somebody's, its source: of y on x. For x on y they change places."""


@dataclass(frozen=True)
class Spread:
    """The mean and the variance (over n − 1) of a column, None of a single row."""

    mean: float
    variance: float | None


@dataclass(frozen=True)
class Line:
    """The regression of one column on another: `residual_std` and, of each row (n,), Cook's `distances` are None or NaN where
    they are undefined: of two rows, of rows that lie on the line, and of a row without which there would be no line.
    """

    slope: float
    intercept: float
    r2: float | None
    residual_std: float | None
    fitted: Array
    residuals: Array
    leverages: Array
    distances: Array


@dataclass(frozen=True)
class Relation:
    """Two columns over the rows (n,) in which both hold a number, with their numbers there. ρ and a line are None where they
    are undefined, which `warnings` tell.
    """

    rows: Array
    x: Array
    y: Array
    missing: tuple[int, int]
    spreads: tuple[Spread, Spread]
    rho: float | None
    y_on_x: Line | None
    x_on_y: Line | None
    warnings: list[dict[str, Any]]


@np.errstate(over="ignore", invalid="ignore")  # numbers near the end of their range are told as they come out
def relate(x: Array, y: Array, names: tuple[str, str]) -> Relation:
    """Columns x and y (rows,), in which what is missing is no finite number, with their names. Both hold one in some row."""
    present = [np.isfinite(column) for column in (x, y)]
    rows = np.flatnonzero(present[0] & present[1])
    chosen = x, y = x[rows].astype(np.float64), y[rows].astype(np.float64)
    constant = [name for name, column in zip(names, chosen, strict=True) if column.min() == column.max()]
    return Relation(
        rows,
        x,
        y,
        (int(np.count_nonzero(~present[0])), int(np.count_nonzero(~present[1]))),
        (_spread(x), _spread(y)),
        pearson(x, y),
        _line(x, y),
        _line(y, x),
        [_constant(name, len(rows)) for name in constant],
    )


def _spread(column: Array) -> Spread:
    return Spread(float(column.mean()), float(column.var(ddof=1)) if len(column) > 1 else None)


def _constant(name: str, rows: int) -> dict[str, Any]:
    detail = say(
        "column '{name}' holds the same number in all {rows} rows that are looked at: there is no correlation, and no line "
        "that gives the other column by it. Choose a column that varies",
        name=name,
        rows=rows,
    )
    return notice("CONSTANT_COLUMN", detail, column=name)


def _line(x: Array, y: Array) -> Line | None:
    """The regression of y on x (n,); None where x is constant."""
    along = direction(x)
    if along is None:
        return None
    W, b, _, _ = least_squares(x[:, None], y[:, None])
    slope, intercept, n = float(W[0, 0]), float(b[0]), len(x)
    fitted = intercept + slope * x
    residuals, leverages = y - fitted, 1 / n + along**2
    leverages[_alone(x)] = 1
    std = float(np.sqrt(np.sum(residuals**2) / (n - PARAMETERS))) if n > PARAMETERS else None
    distances = np.full(n, np.nan)
    if std is not None and std > ROUNDING * np.finfo(np.float64).eps * np.abs(y).max():
        free = leverages < 1
        distances[free] = (residuals[free] / std / (1 - leverages[free])) ** 2 * leverages[free] / PARAMETERS
    return Line(slope, intercept, r2(fitted[:, None], y[:, None]), std, fitted, residuals, leverages, distances)


def _alone(x: Array) -> Array:
    """Which row (n,) has another x than all others, which are alike: the line goes through it, wherever it lies."""
    low, high = x == x.min(), x == x.max()
    is_split = bool((low | high).all())
    alone: Array = is_split & ((low & (low.sum() == 1)) | (high & (high.sum() == 1)))
    return alone


def shown(relation: Relation, most: int) -> Array:
    """The places of the rows to show, all of them or about so many: evenly taken, the first and the last among them, and those
    that lie farthest out in either column or from either line.
    """
    n = len(relation.rows)
    if n <= most:
        return np.arange(n)
    evenly = np.linspace(0, n - 1, most).round().astype(np.intp)
    lines = [line.residuals for line in (relation.y_on_x, relation.x_on_y) if line is not None]
    far = [place for each in (relation.x, relation.y, *lines) for place in (int(each.argmin()), int(each.argmax()))]
    return np.union1d(evenly, far)
