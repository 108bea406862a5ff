"""The work of one call, counted from the request before any of it is done and held against one limit, VIDRO_MAX_WORK."""

from collections.abc import Mapping

from engine.errors import TooMuchWork
from engine.training.predict import Predictor

COSTS = {
    "steps": 2_500_000,  # an optimizer's step on a landscape, with its numbers in the answer: some 50 µs of Python
    "watched steps": 4_000_000,  # a step of a run, with the cost and its gradient there, and all of it in the answer
    "updates": 1_000_000,  # a correction of a perceptron, and its share of an epoch
    "costs": 600_000,  # a cost of a small network, at weights of its own
    "traced numbers": 300_000,  # a number of a trace, which comes with names, shapes and formulas
    "numbers": 50_000,  # a number of an answer: checked, and written as JSON
    "averaged points": 20_000,  # a point of a curve that is read for its moving average
    "related rows": 12_000,  # a row of two columns whose lines are found, each refined
    "cells": 5_000,  # a cell of a matrix of features that is made for one call
    "row losses": 1_000,  # a row's part in a cost
    "values": 500,  # a cell of a column that is looked at
    "passed numbers": 10,  # a number that passes through a network
    "slopes' products": 10,  # a multiplication in a small matrix
    "correlated products": 2,
    "products": 1,  # a multiplication in a large matrix
}
"""Elementary operations, each about a tenth of a nanosecond of one core."""
SECOND = 10_000_000_000
"""Elementary operations of a second of one core, about."""


def work_of(counts: Mapping[str, int]) -> int:
    """The elementary operations that the counts by unit come to."""
    return sum(COSTS[unit] * count for unit, count in counts.items())


def most(limit: int, unit: str) -> int:
    """How many of the unit one call may take."""
    return limit // COSTS[unit]


def work_of_predictions(predictor: Predictor, rows: int) -> dict[str, int]:
    """Counts by unit: a row costs its features, a pass through the network, a prediction, and a share of each class or
    tag, or a distance to each cluster.
    """
    told = len(predictor.target.classes or predictor.target.names) or predictor.learner.outputs
    return {
        "products": rows * predictor.learner.products,
        "cells": rows * predictor.features.width,
        "numbers": rows * (1 + told),
    }


def refuse_too_much(limit: int, pointer: str, remedy: str, counts: dict[str, int]) -> None:
    """Raise TooMuchWork, at the pointer, where the counts by unit come to more elementary operations than the limit."""
    work = work_of(counts)
    if work > limit:
        counted = " and ".join(f"{count:,} {unit}" for unit, count in counts.items())
        detail = (
            f"{counted} are too many for one call: {work:,} elementary operations, where VIDRO_MAX_WORK allows {limit:,}; "
            f"{remedy}"
        )
        raise TooMuchWork([(pointer, detail)])
