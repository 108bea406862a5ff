"""Runs by the definition, and what their diagnosis says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import Diverged
from engine.glass.diagnosis.case import Case
from engine.glass.diagnosis.finding import Finding
from engine.glass.diagnosis.rules import diagnose
from engine.models.run_state import State
from engine.training.prepare import prepare
from tests.engine import Table, completed


@dataclass(frozen=True)
class Diagnosed:
    """A run, the case that it is, and what was found, by code."""

    case: Case
    found: dict[str, Finding]
    skipped: dict[str, str]


def run(data: Table, **request: Any) -> Case:
    """Train to the end, or to where it diverges, by the definition; the case that the last weights are."""
    training = completed(data, **request)
    problem = prepare(training, data.columns).problem
    state, rows, error = State(), [], None
    arrays: Mapping[str, np.ndarray] | None = None
    try:
        for epoch in training.model.epochs(problem, state):
            if epoch.whole:
                rows.append(epoch.values)
                arrays = state.arrays(problem.learner)
    except Diverged:
        error = "DIVERGED"
    names = {name for row in rows for name in row}
    steps = np.arange(1, len(rows) + 1)
    course = {name: (steps, np.array([row.get(name) for row in rows], float)) for name in names}
    values = {"epoch": len(rows), **rows[-1]} if rows else None
    return Case.of(training, data.columns, arrays, len(rows), course=course, values=values, error=error)


def diagnosed(data: Table, **request: Any) -> Diagnosed:
    case = run(data, **request)
    found, skipped = diagnose(case)
    by_code = {finding.code or rule.code: finding for rule, finding in reversed(found)}
    return Diagnosed(case, by_code, {each.code: each.sentence for each in skipped})
