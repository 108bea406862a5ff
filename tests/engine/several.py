"""A table with several answers and several tags to learn at once."""

from typing import Any

import numpy as np

from tests.engine import Table, table

ANSWERS, TAGS, FEATURES = ["a", "b", "c"], ["warm", "wet", "loud"], ["x0", "x1", "x2"]


def drawn(rows: int = 120, seed: int = 0) -> Table:
    """Three answers of different sizes and three tags of different kinds of column, all noisy."""
    rng = np.random.default_rng(seed)
    X = rng.normal(1, 2, (rows, 3))
    Y = X @ rng.normal(0, 1, (3, 3)) * [1, 100, 0.01] + rng.normal(0, 1, (rows, 3)) * [1, 50, 0.02] + [5, -200, 0]
    held = X @ rng.normal(0, 1, (3, 3)) + rng.normal(0, 2, (rows, 3)) > [0, 2, -1]
    return table(
        {
            **dict(zip(FEATURES, X.T, strict=True)),
            **dict(zip(ANSWERS, Y.T, strict=True)),
            "warm": held[:, 0],
            "wet": np.where(held[:, 1], "yes", "no"),
            "loud": held[:, 2].astype(int),
        }
    )


DATA = drawn()
HELD = np.stack([DATA.columns[name].values for name in TAGS], axis=1) == 1
"""Which row (n,) has which tag (3,)."""
WORDS = {"warm": (False, True), "wet": ("no", "yes"), "loud": (False, True)}
"""What stands for a tag that does not hold, and for one that does."""


def has(row: dict[str, Any]) -> list[bool]:
    """Which of the tags (3,) a prediction says hold."""
    assert list(row) == TAGS
    return [WORDS[name].index(value) == 1 for name, value in row.items()]


def raw(data: Table) -> np.ndarray:
    return np.stack([data.columns[name].values for name in FEATURES], axis=1)
