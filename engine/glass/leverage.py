"""The leverage of rows: how much a fit by least squares owes its prediction of a row to that row itself."""

from typing import Any

import numpy as np

from engine.models.least_squares import lengths_of, triangle
from engine.wording import notice, say

FORMULA = (
    r"h_i = \tfrac{1}{n} + (x_i - \bar{x})^\top (X_c^\top X_c)^{+} (x_i - \bar{x}), \quad X_c = X - \mathbf{1}\bar{x}^\top"
)
SOURCE = "Hoaglin and Welsch, The Hat Matrix in Regression and ANOVA, 1978"


def leverages(train: np.ndarray, X: np.ndarray) -> np.ndarray:
    """The leverage of rows X (m, d) in a linear fit with a bias to the rows `train` (n, d): of one of these, what its
    prediction changes by when its target changes by 1; of any other, how far out it lies, as the spread of its prediction
    tells. The training rows' add up to one more than the rank of their features.
    """
    center = train.mean(axis=0)
    R, _ = triangle(train, np.empty((len(train), 0)), center, np.empty(0))
    lengths = lengths_of(R, train)
    varies = lengths > 0
    if not varies.any():
        return np.full(len(X), 1 / len(train))
    _, singular, V = np.linalg.svd(R[:, varies] / lengths[varies], full_matrices=False)
    kept = singular > np.finfo(np.float64).eps * max(train.shape) * singular[0]
    along = ((X - center)[:, varies] / lengths[varies]) @ (V[kept].T / singular[kept])
    return np.asarray(1 / len(train) + np.square(along).sum(axis=1))


def products(train: int, rows: int, inputs: int) -> int:
    """How many products `leverages` takes, about, of so many training rows and others."""
    return inputs * inputs * (2 * train + rows + 10 * inputs)


def left_out(inputs: int) -> dict[str, Any]:
    """A notice that the rows of a model of so many features are told without."""
    detail = say(
        "the rows' leverages are left out: with {inputs} features they take more products than one call may; train with fewer "
        "features, or have the server's VIDRO_MAX_WORK raised",
        inputs=inputs,
    )
    return notice("LEVERAGE_LEFT_OUT", detail)
