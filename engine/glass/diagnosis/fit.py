"""Rules about how well a model fits its training rows, and others."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.glass.diagnosis.case import Case
from engine.glass.diagnosis.finding import LEARNS, NETWORK, VALIDATION, Finding, rule
from engine.models.base import Matrices
from engine.models.scoring import score
from engine.wording import Remedy, say

NEIGHBORS = 5
NEAREST_ROWS, ASKED_ROWS = 2000, 500
"""Training rows that neighbors are looked for among, and rows whose neighbors are looked for."""
GAP = 0.1
ERRORS = 2
RISE = 0.1


def standard_error(metric: str, value: float, rows: int) -> float:
    """The standard error of a share of rows, or of R² (Olkin and Finn, Correlations Redux, 1995), on so many rows."""
    value = min(1.0, max(0.0, value))
    spread = 4 * value * (1 - value) ** 2 if metric == "r2" else value * (1 - value)
    return math.sqrt(spread / max(1, rows))


def _margin(case: Case, one: float, other: float, rows: int) -> float:
    """By how much two scores must differ to be told apart on so many rows."""
    errors = [standard_error(case.metric, value, rows) for value in (one, other)]
    return GAP + ERRORS * math.hypot(*errors)


def gap_of(case: Case) -> tuple[float, float, float] | None:
    """The score on the training and on the validation rows, and the margin, at the epoch looked at."""
    values, validation = case.values or {}, case.problem.validation
    trained, held = (values.get(f"{split}_{case.metric}") for split in ("train", "validation"))
    if trained is None or held is None or validation is None or not (math.isfinite(trained) and math.isfinite(held)):
        return None
    return trained, held, _margin(case, trained, held, validation.rows)


@rule(
    "OVERFITTING",
    LEARNS,
    VALIDATION,
    formula=r"s_{\text{train}} - s_{\text{validation}} > 0.1 + 2 \sqrt{SE_{\text{train}}^2 + SE_{\text{validation}}^2}",
    source="Goodfellow, Bengio and Courville, Deep Learning (2016), 5.2; Hastie, Tibshirani and Friedman (2009), 7.2",
)
def overfitting(case: Case) -> Iterator[Finding]:
    """The score on the training rows is better by a tenth than on the validation rows, and by more than twice the standard
    error of their difference, which so few rows leave; and it is better by a tenth than answering every row the same, for
    what learned nothing has not learned too much. A validation loss that has risen by a tenth of L₀ since its lowest,
    while the training loss fell, is worth knowing, though scores may be none the worse for it.
    """
    rose, gap = _rose(case), gap_of(case)
    evidence: dict[str, float | None] = {} if rose is None else {"lowest_validation_loss": rose[1], "validation_loss": rose[2]}
    without = case.yardstick.score("train") or 0.0
    if case.error is not None:
        return
    if gap is not None and gap[0] - gap[1] > gap[2] and gap[0] > without + GAP:
        explanation = say(
            "{metric} is {trained:.3g} on the training rows and {held:.3g} on the validation rows: what was learned holds for "
            "the rows it was learned from",
            metric=case.metric,
            trained=gap[0],
            held=gap[1],
        )
        evidence |= {f"train_{case.metric}": gap[0], f"validation_{case.metric}": gap[1], "margin": gap[2]}
        yield Finding("warning", explanation, simpler(case, rose), evidence, case.epochs, anew=True)
    elif rose is not None:
        explanation = say(
            "the validation loss was lowest in epoch {epoch}, at {lowest:.4g}, and is {last:.4g} now; the training loss fell",
            epoch=rose[0],
            lowest=rose[1],
            last=rose[2],
        )
        yield Finding("info", explanation, simpler(case, rose), evidence, (rose[0], case.epochs[1]), anew=True)


def _rose(case: Case) -> tuple[int, float, float] | None:
    """The epoch of the lowest validation loss, that loss and the last one, where it has risen by much since."""
    held, trained = case.values_of("validation_loss"), case.losses
    if len(held) < 5 or len(held) != len(trained):
        return None
    best = int(held.argmin())
    if held[-1] - held[best] <= RISE * case.yardstick.loss or trained[-1] >= trained[best]:
        return None
    return case.epochs[1] - (len(held) - 1 - best), float(held[best]), float(held[-1])


def simpler(case: Case, rose: tuple[int, float, float] | None = None) -> Remedy:
    """The remedy that keeps a model from learning too much of its training rows; `rose` is what `_rose` found."""
    training = case.training
    if rose is not None and training.early_stopping is None:
        said = say("Set early_stopping, so that the model is the best epoch's, or take more rows or fewer units")
        return Remedy(said, {"early_stopping": {"monitor": "validation_loss"}})
    if training.regularization is not None:
        l2 = max(0.001, 10 * training.regularization.l2)
        return Remedy(
            say("Set regularization.l2 to {l2}, or take more rows or fewer units", l2=f"{l2:g}"), {"regularization": {"l2": l2}}
        )
    penalty = getattr(training.model, "penalty", None)
    if penalty is not None:
        l2 = max(1.0, 10 * penalty.l2)
        return Remedy(say("Set model.penalty.l2 to {l2}, or take more rows", l2=f"{l2:g}"), {"model": {"penalty": {"l2": l2}}})
    return Remedy(say("Take more rows or fewer features"))


@rule(
    "UNDERFITTING",
    LEARNS,
    NETWORK,
    formula=r"s_{\text{5 nearest}} - s_{\text{model}} > 0.1 + 2\, SE",
    source="Cover and Hart, Nearest neighbor pattern classification (1967)",
)
def underfitting(case: Case) -> Iterator[Finding]:
    """The mean of the five nearest training rows answers the same rows better than the model, by a tenth and twice the standard
    error: the features hold more than the model has found. Neighbors make no assumption of the form of what is to be learned,
    so that no ceiling of noise speaks against the model. Rows are the validation rows or, where there are fewer than 20,
    training rows without themselves.
    """
    train, validation = case.problem.train, case.problem.validation
    apart = validation is not None and validation.rows >= 20
    asked = case.some(validation if apart and validation is not None else train, ASKED_ROWS)
    known = case.some(train, NEAREST_ROWS)
    if known.rows <= 2 * NEIGHBORS or train.weights is not None or case.error is not None:
        return
    outputs = case.problem.network.evaluate(asked.X)
    own = _score(case, outputs, asked.Y)
    theirs = _score(case, nearest(case, known, asked, apart), asked.Y)
    trained = (case.values or {}).get(f"train_{case.metric}")
    if own is None or theirs is None or theirs - own <= _margin(case, own, theirs, asked.rows):
        return
    if trained is not None and trained >= theirs:
        return  # it fits its training rows: OVERFITTING tells
    explanation = say(
        "{metric} is {own:.3g}, and {theirs:.3g} by the mean of the five nearest training rows: the features hold more than "
        "the model has found",
        metric=case.metric,
        own=own,
        theirs=theirs,
    )
    evidence = {
        f"{'validation' if apart else 'train'}_{case.metric}": own,
        f"{case.metric}_of_neighbors": theirs,
        "rows": asked.rows,
    }
    remedy, anew = _richer(case)
    yield Finding("warning", explanation, remedy, evidence, (case.epoch, case.epoch), anew=anew)


def _score(case: Case, outputs: np.ndarray, Y: np.ndarray) -> float | None:
    found = score("of", case.problem, outputs, Y)
    return next(iter(found.values()))


def nearest(case: Case, known: Matrices, asked: Matrices, apart: bool) -> np.ndarray:
    """The mean targets (n, k) of each row's nearest training rows, as raw outputs; without itself where it is among them."""
    X, Q = known.X.astype(np.float64), asked.X.astype(np.float64)
    distances = (Q**2).sum(axis=1)[:, None] - 2 * Q @ X.T + (X**2).sum(axis=1)[None, :]
    first = 0 if apart else 1
    order = np.argpartition(distances, NEIGHBORS + first, axis=1)[:, : NEIGHBORS + first]
    if not apart:  # the nearest of all is the row itself, or one that is the same
        nearest = np.take_along_axis(distances, order, axis=1).argmin(axis=1)
        keep = np.ones(order.shape, bool)
        keep[np.arange(len(order)), nearest] = False
        order = order[keep].reshape(len(order), NEIGHBORS)
    means = known.Y[order].mean(axis=1)
    around_zero = means.shape[1] == 1 if case.training.task == "classification" else case.training.task == "tagging"
    return means - 0.5 if around_zero else means


def _richer(case: Case) -> tuple[Remedy, bool]:
    """What would let the model find more, and whether only from anew."""
    training = case.training
    if not case.has_hidden_layers:
        return Remedy(say("Choose a model that bends, as mlp"), {"model": {"kind": "mlp"}}), True
    last = case.losses[-max(3, len(case.losses) // 4) :]
    if len(last) > 2 and last[0] - last[-1] > 0.02 * case.yardstick.loss:
        epochs = 3 * case.epochs[1]
        return Remedy(say("The loss still falls: train for {epochs} epochs", epochs=epochs), {"epochs": epochs}), False
    hidden = getattr(training.model, "hidden", None)
    changes: Any = None
    if hidden:
        units = max(32, 4 * max(layer.units for layer in hidden))
        changes = {"model": {"hidden": [{"units": units, "activation": {"kind": "relu"}}] * 2}}
    return Remedy(say("Take more units or layers, or lower penalties"), changes), True
