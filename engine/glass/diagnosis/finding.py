"""A rule of the diagnosis, and what it finds."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from engine.glass.diagnosis.case import Case
from engine.wording import Remedy, Sentence, template

Severity = Literal["info", "warning", "error"]
"""info: worth knowing; warning: something could be better, and what; error: the run is of no use."""


@dataclass(frozen=True)
class Finding:
    """What a rule found: the numbers that show it, where, and what helps. `anew`: only a new job can do that, for the weights
    that there are would stand in its way.
    """

    severity: Severity
    explanation: Sentence
    remedy: Remedy
    evidence: Mapping[str, float | None] = field(default_factory=dict)
    epochs: tuple[int, int] | None = None
    layer: str | None = None
    column: str | None = None
    anew: bool = False
    code: str | None = None
    """Its own, of a rule that finds several."""


@dataclass(frozen=True)
class Need:
    """What a rule cannot do without, and what is said where it is not there."""

    holds: Callable[[Case], bool]
    missing: str
    """A template, which has no values."""


@dataclass(frozen=True)
class Rule:
    """A rule by its code, with what it needs, its formula, whose method it is, and the function that looks."""

    code: str
    needs: tuple[Need, ...]
    formula: str
    source: str | None
    look: Callable[[Case], Iterator[Finding]]


Look = Callable[[Case], Iterator[Finding]]


def rule(code: str, *needs: Need, formula: str, source: str | None = None) -> Callable[[Look], Rule]:
    """Make a function a rule of that code."""

    def made(look: Look) -> Rule:
        return Rule(code, needs, formula, source, look)

    return made


LEARNS = Need(lambda case: case.training.model.has_target, template("the model learns no target"))
DESCENDS = Need(
    lambda case: case.training.model.solved_by.descends, template("the model is not trained by steps along a gradient")
)
COURSE = Need(lambda case: len(case.losses) >= 5, template("fewer than 5 epochs are recorded"))
HIDDEN = Need(lambda case: case.has_hidden_layers, template("the model has no hidden layers"))
NETWORK = Need(lambda case: case.is_network, template("the model is no network"))
VALIDATION = Need(lambda case: case.problem.validation is not None, template("there are no validation rows"))
CLASSES = Need(lambda case: case.training.task == "classification", template("the target is no class"))
WHOLE = Need(lambda case: case.is_whole, template("only some of the rows were looked at; the job's warnings tell of all"))


@dataclass(frozen=True)
class NotAsked:
    """A rule that could not be asked, and why."""

    code: str
    reason: str

    @property
    def sentence(self) -> Sentence:
        return Sentence(self.reason, {})
