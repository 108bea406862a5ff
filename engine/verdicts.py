"""What a run that has ended says of itself where it learned nothing: each finding once, with its numbers and a remedy.

The yardstick is what needs no learning: to answer the training rows' mean, or their commonest class, to every row.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from engine.backend import to_host
from engine.errors import Diverged
from engine.losses import BinaryCrossEntropy
from engine.metrics import METRICS
from engine.scaling import NoScaling
from engine.separation import separable
from engine.target import Numbers
from engine.train import Epoch, Problem
from engine.yardstick import LOST, Yardstick, is_unscaled, remedy

Told = dict[str, Any]
Values = Mapping[str, Any]
NEARLY = 1e-6
"""What rounding may leave of a difference that is none."""

TOLD = "condition"
"""A value that is infinite where columns depend on each other, of which RANK_DEFICIENT tells."""


def verdicts(problem: Problem, values: Values, started_at: float | None = None) -> Iterator[Told]:
    """The warnings of a run that ended with those values: of the last epoch, or of the one that early stopping chose.

    `started_at` is the training loss that a fork began from; any other run began from its initial weights. Raises Diverged
    where the loss is beyond all reason beside that of the yardstick and of the start.
    """
    yardstick = Yardstick(problem)
    rose = list(_rose(problem, values, yardstick, started_at))
    yield from rose
    yield from _worse(problem, values, yardstick, bool(rose))
    yield from _constant(problem)
    yield from _zero(problem)
    yield from _separable(problem)


def not_finite(problem: Problem, epoch: Epoch) -> Told | None:
    """The warning of an epoch's value that is infinite or no number."""
    for name, value in epoch.values.items():
        if name != TOLD and value is not None and not math.isfinite(value):
            found = f"{name} is {_spelled(value)} in epoch {epoch.number}: numbers have left the range of the float type"
            return {"code": "NOT_FINITE", "detail": f"{found}. {_nearer(problem)}"}
    return None


def _nearer(problem: Problem) -> str:
    """What keeps a problem's numbers in their float type's range."""
    spec = problem.spec
    if isinstance(spec.preprocessing.scaling, NoScaling):
        return "Set preprocessing.scaling to standard"
    if isinstance(problem.target, Numbers) and problem.target.scaling is None:
        return "Set preprocessing.target_scaling to standard"
    if spec.optimizer is not None:
        return f"Set optimizer.learning_rate to {spec.optimizer.learning_rate / 10:g} or lower"
    return "Divide the columns by a power of ten that brings them near 1"


def _spelled(value: float) -> str:
    """A number in a message: one that is not finite as in JSON."""
    if math.isfinite(value):
        return f"{value:.4g}"
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _rose(problem: Problem, values: Values, yardstick: Yardstick, started_at: float | None) -> Iterator[Told]:
    ended = values.get("train_loss")
    if problem.spec.optimizer is None or ended is None:
        return
    if started_at is None and ended <= yardstick.loss:
        return  # no start is better than the yardstick, but by chance
    start = yardstick.start if started_at is None else started_at
    if not ended > start:
        return
    rate, epoch = values.get("learning_rate") or problem.spec.optimizer.learning_rate, int(values.get("epoch", 0))
    found = f"the training loss began at {start:.4g} and was {ended:.4g} in epoch {epoch}"
    if 0 < max(start, yardstick.loss) / LOST < ended:
        raise Diverged(epoch, rate, f"{found}: {_beside(yardstick)}. {remedy(problem, rate)}")
    yield {"code": "LOSS_ROSE", "detail": f"{found}: it has risen. {remedy(problem, rate)}"}


def _beside(yardstick: Yardstick) -> str:
    return f"beside the {yardstick.loss:.4g} of answering the same to every row it is beyond all reason"


def _worse(problem: Problem, values: Values, yardstick: Yardstick, rose: bool) -> Iterator[Told]:
    """Whether the model is no better than its yardstick on the validation rows or, without such rows, on the training rows."""
    metric = METRICS[problem.target.metric]
    split = "validation" if problem.validation is not None else "train"
    value, least = values.get(f"{split}_{metric.name}"), yardstick.score(split)
    if value is None or least is None or (problem.train.weights is not None and not yardstick.holds_by_weight):
        return
    trained, loss = values.get(f"train_{metric.name}"), values.get("train_loss")
    if metric.task == "regression":
        is_worse, code, what = value <= least + NEARLY, "WORSE_THAN_MEAN", "the mean of the training rows"
    else:
        learned = problem.spec.loss is None or loss is None or loss < yardstick.loss - NEARLY * abs(yardstick.loss)
        is_worse = value < least - NEARLY or (value <= least + NEARLY and not learned)
        code, what = "WORSE_THAN_COMMONEST", "the commonest class of the training rows"
    if not is_worse:
        return
    rows = problem.validation.rows if problem.validation is not None else problem.train.rows
    on = f"the {rows} {split} row{'s' if rows > 1 else ''}"
    found = f"{metric.name} is {_spelled(value)} on {on}, and {_spelled(least)} by always answering {what}"
    fits = split == "validation" and trained is not None and trained > (yardstick.score("train") or 0.0) + 0.1
    advice = _teach(problem, fits, trained, rose)
    yield {"code": code, "detail": f"{found}: nothing that holds for other rows was learned. {advice}"}


def _constant(problem: Problem) -> Iterator[Told]:
    """Whether a target of numbers is the same in all training rows."""
    target, Y = problem.target, to_host(problem.train.Y)
    if not isinstance(target, Numbers):
        return
    constant = np.flatnonzero(Y.max(axis=0) == Y.min(axis=0)).tolist()
    if constant:
        first = target.restored(Y[:1])[0]
        found = " and ".join(f"'{target.names[index]}' is {first[index]:.6g}" for index in constant)
        rounded, advice = "", "Choose another target, or rows in which it varies"
        if target.scaling is None and Y.dtype == np.float32:
            rounded, advice = ", rounded to float32", f"{advice}; if it does, set preprocessing.target_scaling to standard"
        detail = f"column {found} in all {len(Y)} training rows{rounded}: there is nothing to learn of it, and r2 has no value"
        yield {"code": "CONSTANT_TARGET", "detail": f"{detail}. {advice}"}


def _teach(problem: Problem, fits: bool, trained: float | None, rose: bool) -> str:
    spec, weights = problem.spec, problem.train.weights
    if weights is not None and not bool((weights != 0).all()):
        return "The rows of a class with a class_weight of 0 do not count: set it above 0"
    if rose and spec.optimizer is not None:
        return f"{remedy(problem, spec.optimizer.learning_rate)}; if that does not help, choose other features"
    if fits:
        return f"It does fit its training rows ({trained:.4g}): take more rows, fewer units or features, or add a penalty"
    if spec.optimizer is None:
        return "Choose other features, or a model that bends, as mlp"
    if isinstance(spec.preprocessing.scaling, NoScaling):
        return "Set preprocessing.scaling to standard"
    if is_unscaled(problem):
        return "Set preprocessing.target_scaling to standard, or train for more epochs"
    return "Train for more epochs, with another learning rate, or with other features"


def _zero(problem: Problem) -> Iterator[Told]:
    """Whether some layer's weights are all 0, so that every row gets the same answer."""
    for number, layer in enumerate(problem.network.parameters.layers, 1):
        if layer.W.size and not bool((layer.W != 0).any()):
            place = "all weights" if len(problem.network.layers) == 1 else f"all weights of layer {number}"
            regularization, weights = problem.spec.regularization, problem.train.weights
            if weights is not None and not bool((weights != 0).any()):
                advice = "No training row counts: set class_weight above 0"
            elif regularization is not None and (regularization.l1 or regularization.l2):
                advice = "Set lower penalties in regularization"
            elif number < len(problem.network.layers):
                advice = "Choose an initializer that draws weights, as he_normal"
            else:
                advice = "Choose features that vary with the target, or train for more epochs"
            yield {"code": "WEIGHTS_ZERO", "detail": f"{place} are 0: every row is given the same answer. {advice}"}
            return


def _separable(problem: Problem) -> Iterator[Told]:
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
        yield separable(problem.network)
