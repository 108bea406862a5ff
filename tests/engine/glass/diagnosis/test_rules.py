"""Every rule speaks of a run that has what it looks for, and keeps silent of one that has not."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from engine.glass.diagnosis.rules import RULES
from engine.glass.diagnosis.told import VERDICTS
from engine.tables.samples import BlobsSample, CirclesSample, IrisSample, XorSample
from tests.engine import Table, table
from tests.engine.glass.diagnosis import Diagnosed, diagnosed


def columns(rows: int = 120, seed: int = 5) -> dict[str, np.ndarray]:
    """Two features, and y, which is 2a − b and a little noise."""
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=rows), rng.normal(size=rows)
    return {"a": a, "b": b, "y": 2 * a - b + rng.normal(size=rows) / 10}


def noise(features: int, rows: int, classes: int = 0) -> dict[str, Any]:
    """Features that say nothing of the target."""
    rng = np.random.default_rng(2)
    found: dict[str, Any] = {f"x{number}": rng.normal(size=rows) for number in range(features)}
    y = rng.normal(size=rows) if not classes else [f"c{label}" for label in rng.integers(0, classes, rows)]
    return found | {"y": y}


def rare(gap: float) -> dict[str, Any]:
    """One row in twenty of class b, whose feature lies `gap` further."""
    rng = np.random.default_rng(7)
    is_b = np.arange(200) % 20 == 0
    return {"x": rng.normal(size=200) + gap * is_b, "y": np.where(is_b, "b", "a")}


def drifting() -> dict[str, Any]:
    return columns() | {"t": np.arange(120.0)}


NUMBERS, IRIS, CIRCLES = table(columns()), table(IrisSample().columns()), table(CirclesSample(noise=0.05).columns())
SGD = {"kind": "gradient_descent", "learning_rate": 0.1}
LINE: dict[str, Any] = {"target": "y", "model": {"kind": "linear_regression", "solver": "gradient_descent"}, "epochs": 15}
LINE |= {"preprocessing": {"scaling": {"kind": "standard"}}}
EXACT: dict[str, Any] = {"target": "y", "model": {"kind": "linear_regression"}}
FLOWERS: dict[str, Any] = {"target": "species", "epochs": 12, "precision": "float64"}


def at_rate(rate: float, **request: Any) -> dict[str, Any]:
    return LINE | {"optimizer": SGD | {"learning_rate": rate}} | request


def deep(layers: int, activation: str, initializer: Mapping[str, Any], **request: Any) -> dict[str, Any]:
    """A network of layers of 8 units on Iris."""
    hidden = [{"units": 8, "activation": activation}] * layers
    return FLOWERS | {"model": {"kind": "mlp", "hidden": hidden, "initializer": initializer}, "optimizer": SGD} | request


GOOD = deep(1, "tanh", {"kind": "xavier_normal"}, epochs=25)


@dataclass(frozen=True)
class Pair:
    """A run of which a rule speaks, with its severity, and one of which it must not."""

    code: str
    severity: str
    speaks: tuple[Table, dict[str, Any]]
    silent: tuple[Table, dict[str, Any]]


WIDE = noise(15, 16)
LEAK = columns() | {"leak": 3 * columns()["y"] + 1}
SUM = columns() | {"c": columns()["a"] + columns()["b"] + 1e-7 * np.random.default_rng(1).normal(size=120)}
PARTED = table(BlobsSample(rows=60, centers=2, std=0.3).columns())
LOGISTIC = {"model": {"kind": "logistic_regression"}}
XOR, RARE = table(XorSample().columns()), {"target": "y", **LOGISTIC}
FREE = {"model": {"kind": "logistic_regression", "penalty": {"l2": 0.01}}}
APART = table(columns() | {"a": 5000 * columns()["a"]})
PAIRS = [
    Pair("DIVERGED", "error", (NUMBERS, at_rate(4.0, epochs=400)), (NUMBERS, at_rate(0.3))),
    Pair("LOSS_ROSE", "warning", (NUMBERS, at_rate(2.5, epochs=6)), (NUMBERS, at_rate(0.3))),
    Pair(
        "LEARNING_RATE_TOO_HIGH", "warning",
        (IRIS, deep(1, "relu", {"kind": "he_normal"}, optimizer=SGD | {"learning_rate": 5.0}, batch_size="full", epochs=20)),
        (IRIS, GOOD),
    ),
    Pair("LEARNING_RATE_TOO_LOW", "warning", (NUMBERS, at_rate(1e-4)), (NUMBERS, at_rate(0.3))),
    Pair("PLATEAU", "warning", (IRIS, deep(2, "tanh", {"kind": "zeros"})), (IRIS, GOOD)),
    Pair("VANISHING_GRADIENTS", "warning", (IRIS, deep(6, "tanh", {"kind": "normal", "std": 0.02}, epochs=5)), (IRIS, GOOD)),
    Pair(
        "EXPLODING_GRADIENTS", "warning",
        (IRIS, deep(8, "relu", {"kind": "normal", "std": 3.0}, epochs=2, optimizer=SGD | {"learning_rate": 1e-20})),
        (IRIS, deep(8, "relu", {"kind": "he_normal"}, epochs=2)),
    ),
    Pair(
        "DEAD_UNITS", "warning",
        (IRIS, deep(1, "relu", {"kind": "constant", "value": -1.0}, epochs=5, preprocessing={"scaling": "min_max"})),
        (IRIS, GOOD),
    ),
    Pair("SATURATED_UNITS", "warning", (IRIS, deep(2, "tanh", {"kind": "normal", "std": 20.0}, epochs=5)), (IRIS, GOOD)),
    Pair("SYMMETRIC_WEIGHTS", "warning", (IRIS, deep(2, "tanh", {"kind": "constant", "value": 0.3}, epochs=5)), (IRIS, GOOD)),
    Pair("WEIGHTS_ZERO", "warning", (IRIS, deep(2, "relu", {"kind": "zeros"}, epochs=5)), (IRIS, GOOD)),
    Pair(
        "OVERFITTING", "warning",
        (
            table(noise(8, 120, 2)),
            {"target": "y", "model": {"kind": "mlp", "hidden": [32]}, "epochs": 60, "split": {"validation": 0.5}},
        ),
        (IRIS, GOOD),
    ),
    Pair(
        "UNDERFITTING", "warning",
        (CIRCLES, {"target": "circle", **LOGISTIC}),
        (CIRCLES, {"target": "circle", "model": {"kind": "mlp"}, "epochs": 40}),
    ),
    Pair("FEW_ROWS", "warning", (table(WIDE), EXACT), (NUMBERS, EXACT)),
    Pair(
        "SPLITS_DIFFER", "warning",
        (table(drifting()), EXACT | {"split": {"order": "t", "validation": 0.3}, "features": ["a", "b", "t"]}),
        (table(drifting()), EXACT | {"split": {"validation": 0.3}, "features": ["a", "b", "t"]}),
    ),
    Pair(
        "SCALES_DIFFER", "warning",
        (APART, at_rate(1e-8, preprocessing={"scaling": "none"})),
        (NUMBERS, at_rate(0.3, preprocessing={"scaling": "none"})),
    ),
    Pair("CLASS_IMBALANCE", "warning", (table(rare(0.5)), RARE), (table(rare(9.0)), RARE | FREE)),
    Pair("COLLINEAR_FEATURES", "warning", (table(SUM), EXACT), (NUMBERS, EXACT)),
    Pair(
        "NOT_SEPARABLE", "warning",
        (XOR, {"target": "y", "model": {"kind": "perceptron"}, "epochs": 5}),
        (PARTED, {"target": "blob", "model": {"kind": "perceptron"}, "epochs": 1}),
    ),
    Pair(
        "SEPARABLE", "warning",
        (PARTED, {"target": "blob", "model": {"kind": "logistic_regression", "penalty": {"l2": 0.0}}}),
        (PARTED, {"target": "blob", **LOGISTIC}),
    ),
    Pair("TARGET_LEAK", "warning", (table(LEAK), EXACT), (NUMBERS, EXACT)),
    Pair("WORSE_THAN_MEAN", "warning", (table(noise(8, 60)), EXACT), (NUMBERS, EXACT)),
    Pair("WORSE_THAN_COMMONEST", "warning", (XOR, {"target": "y", **LOGISTIC}), (PARTED, {"target": "blob", **LOGISTIC})),
    Pair("CONSTANT_TARGET", "warning", (table(columns() | {"y": np.full(120, 5.5)}), EXACT), (NUMBERS, EXACT)),
    Pair("NOT_FINITE", "error", (table(columns() | {"y": 1e200 * columns()["y"]}), EXACT), (NUMBERS, EXACT)),
]  # fmt: skip
BY_CODE = {pair.code: pair for pair in PAIRS}
_KEPT: dict[int, Diagnosed] = {}


def looked_at(posed: tuple[Table, dict[str, Any]]) -> Diagnosed:
    """The diagnosis of a run, which several rules share."""
    key = hash((id(posed[0]), repr(posed[1])))
    if key not in _KEPT:
        _KEPT[key] = diagnosed(posed[0], **posed[1])
    return _KEPT[key]


def test_every_rule_has_its_pair() -> None:
    assert {rule.code for rule in RULES} - {"VERDICTS"} | set(VERDICTS) == set(BY_CODE)


@pytest.mark.parametrize("code", BY_CODE)
def test_a_rule_speaks_of_what_it_is_for(code: str) -> None:
    finding = looked_at(BY_CODE[code].speaks).found[code]
    assert finding.severity == BY_CODE[code].severity
    assert finding.evidence
    assert "{" not in finding.explanation + finding.remedy.said


@pytest.mark.parametrize("code", BY_CODE)
def test_a_rule_is_silent_where_there_is_nothing(code: str) -> None:
    found = looked_at(BY_CODE[code].silent)
    assert code not in found.found
    assert ("VERDICTS" if code in VERDICTS else code) not in found.skipped  # it was asked
