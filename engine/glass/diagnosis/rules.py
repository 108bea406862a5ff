"""All rules of the diagnosis, and the walk through them."""

from collections.abc import Sequence

import numpy as np

from engine.glass.diagnosis import fit, layers, rates, rows, table, told
from engine.glass.diagnosis.case import Case
from engine.glass.diagnosis.finding import Finding, NotAsked, Rule

MODULES = (told, rates, layers, fit, rows, table)
RULES: Sequence[Rule] = [each for module in MODULES for each in vars(module).values() if isinstance(each, Rule)]
"""Every rule, in the order of the modules: what training says itself comes first."""
ORDER = {"error": 0, "warning": 1, "info": 2}


def diagnose(case: Case) -> tuple[list[tuple[Rule, Finding]], list[NotAsked]]:
    """Every finding with its rule, the gravest first, and the rules that could not be asked."""
    found: list[tuple[Rule, Finding]] = []
    skipped: list[NotAsked] = []
    for rule in RULES:
        missing = next((need.missing for need in rule.needs if not need.holds(case)), None)
        if missing is not None:
            skipped.append(NotAsked(rule.code, missing))
        else:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # weights that went astray are looked at, too
                found += [(rule, finding) for finding in rule.look(case)]
    return sorted(found, key=lambda each: ORDER[each[1].severity]), skipped
