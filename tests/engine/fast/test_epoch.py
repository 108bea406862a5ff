"""What a compiled path reports of an epoch, against the metrics' own definitions."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.fast.epoch import Scores
from engine.models.base import Matrices, Problem
from engine.models.scoring import score
from engine.tables.target import Classes, Numbers, Target
from tests.engine.fast.test_kernels import posed

TARGETS: dict[str, Target] = {
    "two classes": Classes(("y",), (0, 1)), "classes": Classes(("y",), (0, 1, 2)), "numbers": Numbers(("y", "z")),
}  # fmt: skip


def problem_of(target: Target) -> Problem:
    problem = posed()
    return Problem(problem.spec, problem.learner, target, problem.train, None)


@pytest.mark.parametrize("name", TARGETS)
@given(
    rows=st.integers(1, 40), seed=st.integers(0, 99), dtype=st.sampled_from([np.float32, np.float64]), ties=st.booleans(),
    constant=st.booleans(),
)  # fmt: skip
@settings(max_examples=40, deadline=None)
def test_scores_are_the_metrics(name: str, rows: int, seed: int, dtype: Any, ties: bool, constant: bool) -> None:
    """Accuracy, whichever of equal outputs is the first, and R², of which there is none where the targets do not vary."""
    rng, problem = np.random.default_rng(seed), problem_of(TARGETS[name])
    k = {"two classes": 1, "classes": 3, "numbers": 2}[name]
    outputs = (rng.integers(-1, 2, (rows, k)) if ties else rng.standard_normal((rows, k))).astype(dtype)
    if name == "classes":
        Y = np.eye(k, dtype=dtype)[rng.integers(0, k, rows)]
    elif name == "two classes":
        Y = rng.integers(0, 2, (rows, k)).astype(dtype)
    else:
        Y = np.zeros((rows, k), dtype) if constant else rng.standard_normal((rows, k)).astype(dtype)
    order = rng.permutation(rows)
    [expected] = score("train", problem, outputs, Y[order]).items()
    [found] = Scores("train", problem, Matrices(np.empty((rows, 1), dtype), Y))(outputs, order).items()
    assert found[0] == expected[0]
    if expected[1] is None:
        assert found[1] is None
    else:  # R² is 1 − a / b, and the metric may add the squares of both in the float type at hand
        error = (rows + 4) * float(np.finfo(dtype).eps) * (1 - expected[1])
        assert found[1] == pytest.approx(expected[1], rel=1e-15, abs=error if name == "numbers" else 1e-15)
