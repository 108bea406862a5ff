"""The verdicts that training itself gives, as a rule: they are written once, in engine/training/verdicts.py."""

from collections.abc import Iterator

from engine.errors import Diverged
from engine.glass.diagnosis.case import Case
from engine.glass.diagnosis.finding import LEARNS, WHOLE, Finding, Severity, rule
from engine.models.run_state import Epoch
from engine.training.verdicts import Verdict, not_finite, verdicts
from engine.wording import Sentence

VERDICTS = (
    "LOSS_ROSE", "NOT_FINITE", "WORSE_THAN_MEAN", "WORSE_THAN_COMMONEST", "CONSTANT_TARGET", "WEIGHTS_ZERO", "SEPARABLE",
)  # fmt: skip


@rule("VERDICTS", LEARNS, WHOLE, formula=r"L_t > L_0, \quad \text{metric} \le \text{metric of answering every row the same}")
def told(case: Case) -> Iterator[Finding]:
    """The verdicts of a run that ended with the values of the last epoch, each with its reasons there. They are warnings: what
    was learned does not hold. NOT_FINITE is an error, for numbers have left their type. A run that goes on is asked as if it
    ended now.
    """
    if case.error is not None or not case.values:
        return
    for verdict in _found(case):
        severity: Severity = "error" if verdict.code == "NOT_FINITE" else "warning"
        evidence = {name: None if value is None else float(value) for name, value in verdict.evidence.items()}
        anew = verdict.code in ("WEIGHTS_ZERO", "LOSS_ROSE", "NOT_FINITE")
        yield Finding(
            severity, without_remedy(verdict.detail), verdict.remedy, evidence, case.epochs, anew=anew, code=verdict.code
        )


def _found(case: Case) -> Iterator[Verdict]:
    values = {name: value for name, value in (case.values or {}).items() if name != "epoch"}
    wrong = not_finite(case.problem, Epoch(case.epoch, values=values))
    if wrong is not None:
        yield wrong
        return
    try:
        yield from verdicts(case.problem, case.values or {}, case.started_at)
    except Diverged:
        return  # of a run that goes on: DIVERGED is what it will end with


def without_remedy(detail: Sentence) -> Sentence:
    """A verdict's sentence up to its remedy."""
    last = next(name for name in ("remedy", "advice") if name in detail.values)
    return Sentence(detail.template, {**detail.values, last: ""})
