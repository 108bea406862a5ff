"""Verdicts on a run that has ended and learned nothing: each finding once, with its numbers and a remedy.

The yardstick is what needs no learning: to answer the training rows' mean, or their commonest class, to every row.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np

from engine.backend import to_host
from engine.errors import Diverged
from engine.models.base import Problem
from engine.models.run_state import Epoch
from engine.models.separation import separable
from engine.models.yardstick import LOST, SCALED, TARGET_SCALED, Yardstick, is_unscaled, remedy
from engine.parts.losses import BinaryCrossEntropy
from engine.parts.metrics import METRICS
from engine.parts.scaling import NoScaling
from engine.tables.target import Numbers
from engine.wording import Remedy, Sentence, notice, say, template

Values = Mapping[str, Any]
NEARLY = 1e-6
"""Largest difference that rounding may leave."""

ON_ROWS = {
    "train": (template("the {rows} train row"), template("the {rows} train rows")),
    "validation": (template("the {rows} validation row"), template("the {rows} validation rows")),
}
"""The rows of a split, one or several."""

TOLD = "condition"
"""A value that is infinite where columns depend on each other, of which RANK_DEFICIENT tells."""


@dataclass(frozen=True)
class Verdict:
    """What is wrong with a run, in words that end in a remedy, which is one of the `detail`'s values: `remedy` or `advice`."""

    code: str
    detail: Sentence
    remedy: Remedy
    evidence: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def notice(self) -> dict[str, Any]:
        """As a job's warning."""
        return notice(self.code, self.detail)


def verdicts(problem: Problem, values: Values, started_at: float | None = None) -> Iterator[Verdict]:
    """The verdicts on a run that ended with those values: of the last epoch, or of the one that early stopping chose.

    `started_at` is the training loss that a fork began from; any other run began from its initial weights. Raises Diverged
    where the loss is beyond all reason beside that of the yardstick and of the start.
    """
    if not problem.spec.model.has_target:
        return  # there is no answer that a yardstick could give
    yardstick = Yardstick(problem)
    rose = list(_rose(problem, values, yardstick, started_at))
    yield from rose
    yield from _worse(problem, values, yardstick, bool(rose))
    yield from _constant(problem)
    yield from _zero(problem)
    yield from _separable(problem)


def not_finite(problem: Problem, epoch: Epoch) -> Verdict | None:
    """The verdict on an epoch's value that is infinite or no number."""
    for name, value in epoch.values.items():
        if name != TOLD and value is not None and not math.isfinite(value):
            remedy = _nearer(problem)
            detail = say(
                "{name} is {value} in epoch {epoch}: numbers have left the range of the float type. {remedy}",
                name=name,
                value=_spelled(value),
                epoch=epoch.number,
                remedy=remedy.said,
            )
            return Verdict("NOT_FINITE", detail, remedy, {name: value})
    return None


def _nearer(problem: Problem) -> Remedy:
    """The remedy that keeps a problem's numbers in their float type's range."""
    spec = problem.spec
    if isinstance(spec.preprocessing.scaling, NoScaling):
        return Remedy(say("Set preprocessing.scaling to standard"), SCALED)
    if isinstance(problem.target, Numbers) and problem.target.scaling is None:
        return Remedy(say("Set preprocessing.target_scaling to standard"), TARGET_SCALED)
    if spec.optimizer is not None:
        rate = spec.optimizer.learning_rate / 10
        said = say("Set optimizer.learning_rate to {rate} or lower", rate=f"{rate:g}")
        return Remedy(said, {"optimizer": {"learning_rate": rate}})
    return Remedy(say("Divide the columns by a power of ten that brings them near 1"))


def _spelled(value: float) -> str:
    """A number in a message: one that is not finite as in JSON."""
    if math.isfinite(value):
        return say("{value:.4g}", value=float(value))
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _rose(problem: Problem, values: Values, yardstick: Yardstick, started_at: float | None) -> Iterator[Verdict]:
    ended = values.get("train_loss")
    optimizer = problem.spec.optimizer
    if optimizer is None or ended is None:
        return
    if started_at is None and ended <= yardstick.loss:
        return  # no start is better than the yardstick, but by chance
    start = yardstick.start if started_at is None else started_at
    if not ended > start:
        return
    rate, epoch = values.get("learning_rate") or optimizer.learning_rate, int(values.get("epoch", 0))
    slower = remedy(problem, rate)
    found = say(
        "the training loss began at {start:.4g} and was {ended:.4g} in epoch {epoch}", start=start, ended=ended, epoch=epoch
    )
    if 0 < max(start, yardstick.loss) / LOST < ended:
        detail = say(
            "{found}: beside the {loss:.4g} of answering the same to every row it is beyond all reason. {remedy}",
            found=found,
            loss=yardstick.loss,
            remedy=slower.said,
        )
        raise Diverged(epoch, rate, detail)
    evidence = {"loss_before": start, "loss": ended, "learning_rate": rate}
    yield Verdict("LOSS_ROSE", say("{found}: it has risen. {remedy}", found=found, remedy=slower.said), slower, evidence)


def _worse(problem: Problem, values: Values, yardstick: Yardstick, rose: bool) -> Iterator[Verdict]:
    """Whether the model is no better than its yardstick on the validation rows or, without such rows, on the training rows."""
    metric = METRICS[problem.target.metric]
    split = "validation" if problem.validation is not None else "train"
    value, least = values.get(f"{split}_{metric.name}"), yardstick.score(split)
    if value is None or least is None or (problem.train.weights is not None and not yardstick.holds_by_weight):
        return
    trained, loss = values.get(f"train_{metric.name}"), values.get("train_loss")
    if metric.task == "regression":
        is_worse, code, what = value <= least + NEARLY, "WORSE_THAN_MEAN", say("the mean of the training rows")
    else:
        learned = problem.spec.loss is None or loss is None or loss < yardstick.loss - NEARLY * abs(yardstick.loss)
        is_worse = value < least - NEARLY or (value <= least + NEARLY and not learned)
        code, what = "WORSE_THAN_COMMONEST", say("the commonest class of the training rows")
    if not is_worse:
        return
    rows = problem.validation.rows if problem.validation is not None else problem.train.rows
    on = ON_ROWS[split][rows > 1]
    fits = split == "validation" and trained is not None and trained > (yardstick.score("train") or 0.0) + 0.1
    advice = _teach(problem, fits, trained, rose)
    detail = say(
        "{metric} is {value} on {on}, and {least} by always answering {what}: nothing that holds for other rows was learned. "
        "{advice}",
        metric=metric.name,
        value=_spelled(value),
        on=say(on, rows=rows),
        least=_spelled(least),
        what=what,
        advice=advice.said,
    )
    evidence = {f"{split}_{metric.name}": value, f"{metric.name}_without_learning": least, "rows": rows}
    yield Verdict(code, detail, advice, evidence)


def _constant(problem: Problem) -> Iterator[Verdict]:
    """Whether a target of numbers is the same in all training rows."""
    target, Y = problem.target, to_host(problem.train.Y)
    if not isinstance(target, Numbers):
        return
    constant = np.flatnonzero(Y.max(axis=0) == Y.min(axis=0)).tolist()
    if constant:
        first = target.restored(Y[:1])[0]
        found = [say("'{name}' is {value:.6g}", name=target.names[index], value=first[index]) for index in constant]
        given = reduce(lambda all_before, one: say("{before} and {one}", before=all_before, one=one), found)
        if target.scaling is None and Y.dtype == np.float32:
            detail = say(
                "column {found} in all {rows} training rows, rounded to float32: there is nothing to learn of it, and r2 has "
                "no value. {remedy}",
                found=given,
                rows=len(Y),
                remedy=say(
                    "Choose another target, or rows in which it varies; if it does, set preprocessing.target_scaling to "
                    "standard"
                ),
            )
        else:
            detail = say(
                "column {found} in all {rows} training rows: there is nothing to learn of it, and r2 has no value. {remedy}",
                found=given,
                rows=len(Y),
                remedy=say("Choose another target, or rows in which it varies"),
            )
        changes = TARGET_SCALED if target.scaling is None and Y.dtype == np.float32 else None
        evidence = {"rows": len(Y), "value": float(first[constant[0]])}
        yield Verdict("CONSTANT_TARGET", detail, Remedy(detail.values["remedy"], changes), evidence)


def _teach(problem: Problem, fits: bool, trained: float | None, rose: bool) -> Remedy:
    spec, weights = problem.spec, problem.train.weights
    if weights is not None and not bool((weights != 0).all()):
        said = say("The rows of a class with a class_weight of 0 do not count: set it above 0")
        return Remedy(said, {"class_weight": "balanced"})
    if rose and spec.optimizer is not None:
        slower = remedy(problem, spec.optimizer.learning_rate)
        return Remedy(say("{remedy}; if that does not help, choose other features", remedy=slower.said), slower.changes)
    if fits:
        said = say(
            "It does fit its training rows ({trained:.4g}): take more rows, fewer units or features, or add a penalty",
            trained=trained,
        )
        return Remedy(said, None if spec.regularization is None else {"regularization": {"l2": 0.01}})
    if not spec.model.solved_by.descends:
        return Remedy(say("Choose other features, or a model that bends, as mlp"), {"model": {"kind": "mlp"}})
    if isinstance(spec.preprocessing.scaling, NoScaling):
        return Remedy(say("Set preprocessing.scaling to standard"), SCALED)
    if is_unscaled(problem):
        return Remedy(say("Set preprocessing.target_scaling to standard, or train for more epochs"), TARGET_SCALED)
    said = say("Train for more epochs, with another learning rate, or with other features")
    return Remedy(said, {"epochs": 3 * (spec.epochs or 1)})


def _zero(problem: Problem) -> Iterator[Verdict]:
    """Whether some layer's weights are all 0, so that every row gets the same answer."""
    names = problem.network.names
    for name, layer in zip(names, problem.network.parameters.layers, strict=True):
        if any(W.size and not bool((W != 0).any()) for W, _ in layer.weights()):
            place = say("all weights") if len(names) == 1 else say("all weights of layer {name}", name=name)
            regularization, weights = problem.spec.regularization, problem.train.weights
            if weights is not None and not bool((weights != 0).any()):
                advice = Remedy(say("No training row counts: set class_weight above 0"), {"class_weight": "balanced"})
            elif regularization is not None and (regularization.l1 or regularization.l2):
                lower = {"regularization": {"l1": regularization.l1 / 100, "l2": regularization.l2 / 100}}
                advice = Remedy(say("Set lower penalties in regularization"), lower)
            elif name != names[-1]:
                drawn = {"model": {"initializer": {"kind": "he_normal"}}}
                advice = Remedy(say("Choose an initializer that draws weights, as he_normal"), drawn)
            else:
                advice = Remedy(say("Choose features that vary with the target, or train for more epochs"))
            detail = say("{place} are 0: every row is given the same answer. {advice}", place=place, advice=advice.said)
            yield Verdict("WEIGHTS_ZERO", detail, advice, {"layer": names.index(name) + 1})
            return


def _separable(problem: Problem) -> Iterator[Verdict]:
    """Whether a line parts the classes of a model that has no optimum then: with each longer θ the loss is lower (Albert and
    Anderson, On the Existence of Maximum Likelihood Estimates in Logistic Regression Models, 1984).
    """
    spec = problem.spec
    if not spec.model.needs_penalty or any(spec.penalties(problem.train.rows)):
        return
    outputs, Y = to_host(problem.network.evaluate(problem.train.X)), to_host(problem.train.Y)
    if isinstance(spec.loss, BinaryCrossEntropy):
        parted = bool(((outputs > 0) == (Y > 0.5)).all(axis=0).any())
    else:
        others = np.where(Y > 0.5, -np.inf, outputs).max(axis=1)
        parted = bool((np.where(Y > 0.5, outputs, -np.inf).max(axis=1) > others).all())
    if parted:
        detail = separable(problem.network)["detail"]
        said, length = (detail.values[name] for name in ("remedy", "length"))
        yield Verdict("SEPARABLE", detail, Remedy(said, {"model": {"penalty": {"l2": 1.0}}}), {"weight_norm": length})
