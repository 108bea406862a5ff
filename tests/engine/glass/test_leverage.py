"""Leverage is the diagonal of the hat matrix, worked out here in NumPy by the definition."""

import numpy as np
import pytest

from engine.glass.leverage import leverages

RNG = np.random.default_rng(3)
PLAIN = RNG.normal(5, 2, (40, 4))
TABLES = {
    "plain": PLAIN,
    "of sizes far apart": PLAIN * [1e9, 1e-9, 1, 1e3],
    "with a constant": np.hstack([PLAIN, np.full((40, 1), 7.0)]),
    "with a sum of others": np.hstack([PLAIN, PLAIN[:, :1] + PLAIN[:, 1:2]]),
    "of more features than rows": RNG.normal(size=(6, 9)),
    "of nothing that varies": np.full((5, 2), 3.0),
    "of one row": np.ones((1, 2)),
}


def hat(X: np.ndarray) -> np.ndarray:
    """H = X⁺ᵀXᵀ of the columns of X and one of ones, each of length 1 so that the pseudo-inverse tells small ones from none."""
    design = np.hstack([np.ones((len(X), 1)), X - X.mean(axis=0)])
    lengths = np.linalg.norm(design, axis=0)
    design = design[:, lengths > 1e-12 * np.abs(X).max()] / lengths[lengths > 1e-12 * np.abs(X).max()]
    return design @ np.linalg.pinv(design)


@pytest.mark.parametrize("name", [name for name in TABLES if name != "of sizes far apart"])
def test_a_training_rows_leverage_is_the_hat_matrixs(name: str) -> None:
    X = TABLES[name]
    H = hat(X)
    found = leverages(X, X)
    np.testing.assert_allclose(found, H.diagonal(), rtol=1e-10)
    np.testing.assert_allclose(found.sum(), np.trace(H), rtol=1e-10)


def test_no_unit_has_a_part_in_it() -> None:
    plain, scaled = TABLES["plain"], TABLES["of sizes far apart"]
    np.testing.assert_allclose(leverages(scaled, scaled), leverages(plain, plain), rtol=1e-9)


def test_it_is_what_a_prediction_moves_by_with_its_target() -> None:
    """Beside least squares' own answers, and of rows that had no part in the fit."""
    X, others, y = PLAIN, RNG.normal(5, 6, (7, 4)), RNG.normal(size=40)
    design, further = (np.hstack([np.ones((len(each), 1)), each]) for each in (X, others))
    for row in (0, 17):
        moved = y + np.eye(40)[row]
        before, after = (design @ np.linalg.lstsq(design, target, rcond=None)[0] for target in (y, moved))
        assert leverages(X, X)[row] == pytest.approx((after - before)[row])
    expected = (further @ np.linalg.inv(design.T @ design) * further).sum(axis=1)
    np.testing.assert_allclose(leverages(X, others), expected, rtol=1e-9)
