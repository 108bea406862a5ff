"""Rules about the learning rate, from the curve of the loss and the curvature of the cost."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.glass.diagnosis.case import Case
from engine.glass.diagnosis.curvature import Around, around
from engine.glass.diagnosis.finding import COURSE, DESCENDS, Finding, rule
from engine.models.yardstick import remedy
from engine.wording import Remedy, Sentence, say

LARGEST_RATE = r"\eta < \frac{2}{\kappa}, \quad \kappa = \frac{v^\top H v}{v^\top v}"
STABILITY = "Nocedal and Wright, Numerical Optimization (2006), 3.3; LeCun and others, Efficient BackProp (1998)"
BOUNCE = 0.05
NET = 0.25
FLAT = 0.01
GAIN = 0.05
SLOW = 0.1
STUCK = 0.9


def _limit(case: Case, found: Around | None) -> float | None:
    """The largest rate that the curvature allows the job's optimizer, where that is known of its kind."""
    assert case.training.optimizer is not None
    return None if found is None or found.sharpest <= 0 else case.training.optimizer.largest_rate(found.sharpest)


def _rounded(rate: float) -> float:
    """A rate to one digit, rounded down."""
    size = 10.0 ** math.floor(math.log10(rate))
    return float(f"{math.floor(rate / size * (1 + 1e-9)) * size:.1g}")


def _slower(case: Case, limit: float | None) -> Remedy:
    """The remedy for steps that go too far: half of the largest rate where it is known and scaling is not to blame."""
    usual = remedy(case.problem, case.rate)
    if limit is None or usual.changes is None or "optimizer" not in usual.changes:
        return usual
    rate = _rounded(min(limit / 2, case.rate / 2))
    return Remedy(
        say("Set optimizer.learning_rate to {rate} or lower", rate=f"{rate:g}"), {"optimizer": {"learning_rate": rate}}
    )


def _of_curvature(found: Around | None, limit: float | None) -> dict[str, float | None]:
    return {} if found is None else {"curvature": found.sharpest, "largest_rate": limit}


def _told(found: Around | None, limit: float | None) -> Sentence:
    """What the curvature says of the largest rate, to follow a comma or nothing."""
    if found is None or limit is None:
        return say("so that each step went past the minimum and further up on its other side")
    return say("and the curvature of the cost, {curvature:.3g}, allows {limit:.3g}", curvature=found.sharpest, limit=limit)


@rule("DIVERGED", DESCENDS, formula=LARGEST_RATE, source=STABILITY)
def diverged(case: Case) -> Iterator[Finding]:
    """The job failed with DIVERGED. Where J is a parabola of curvature κ along v, a step multiplies the distance to the minimum
    by 1 − ηκ, and grows it where η > 2/κ. κ is looked for from the gradient at the weights before training along the powers
    of H, which is where the gradient of a run that diverges turns to.
    """
    if case.error != "DIVERGED":
        return
    found = None if case.start is None else around(case, case.start)
    limit = _limit(case, found)
    explanation = say(
        "the loss grew until it was no number of use, in epoch {epoch}: the learning rate was {rate:g}, {limit}",
        epoch=case.epochs[1],
        rate=case.rate,
        limit=_told(found, limit),
    )
    evidence = {"learning_rate": case.rate, "loss": case.at_last("train_loss"), **_of_curvature(found, limit)}
    yield Finding("error", explanation, _slower(case, limit), evidence, case.epochs, anew=True)


@rule(
    "LEARNING_RATE_TOO_HIGH",
    DESCENDS,
    COURSE,
    formula=r"\frac{1}{k} \sum_e |L_e - L_{e-1}| \ge 0.05\, L_0 \;\wedge\; L_s - L_t \le 0.25 \sum_e |L_e - L_{e-1}|",
    source=STABILITY,
)
def too_high(case: Case) -> Iterator[Finding]:
    """In the second half of the run the loss moves by a twentieth of L₀ an epoch, the loss of answering every row the same, and
    loses again three quarters of what it gains. Batches drawn by chance move the loss of a run that is over by a hundredth at
    most; a fall that is real has a sum of one sign.
    """
    if case.error == "DIVERGED":
        return
    half = case.losses[len(case.losses) // 2 :]
    moves, scale = np.abs(np.diff(half)), case.yardstick.loss
    if len(moves) < 3 or not scale > 0 or moves.mean() < BOUNCE * scale or half[0] - half[-1] > NET * moves.sum():
        return
    found = around(case, case.problem.network.parameters.theta)
    limit = _limit(case, found)
    explanation = say(
        "the loss leaps up and down, by {moves:.3g} an epoch, and does not get lower: a learning rate of {rate:g} steps over "
        "the minimum again and again",
        moves=float(moves.mean()),
        rate=case.rate,
    )
    evidence = {"learning_rate": case.rate, "mean_change": float(moves.mean()), "loss_without_learning": scale}
    first = case.epochs[1] - len(half) + 1
    yield Finding("warning", explanation, _slower(case, limit), evidence | _of_curvature(found, limit), (first, case.epochs[1]))


def _barely_falls(case: Case) -> tuple[Around, float] | None:
    """The surroundings of the present weights and the loss's fall an epoch, where one good step would gain far more."""
    if case.error is not None:
        return None
    last = case.losses[-max(3, len(case.losses) // 4) :]
    fall = max(0.0, float(last[0] - last[-1]) / (len(last) - 1))
    found = around(case, case.problem.network.parameters.theta)
    if found is None or found.gain < GAIN * case.yardstick.loss or fall > SLOW * found.gain:
        return None
    return found, fall


@rule(
    "LEARNING_RATE_TOO_LOW",
    DESCENDS,
    COURSE,
    formula=r"\frac{g^\top g}{2 \kappa} \ge 0.05\, L_0 \;\wedge\; L_{e-1} - L_e \le 0.1 \cdot \frac{g^\top g}{2 \kappa}",
    source="Nocedal and Wright, Numerical Optimization (2006), 3.3",
)
def too_low(case: Case) -> Iterator[Finding]:
    """One step of the best length along the gradient would lower J by gᵀg/2κ, a twentieth of L₀ or more, and the last epochs
    gained not a tenth of that each. A run that has arrived has no such step, for its g is small; one at a good rate gains more
    than that in every epoch, which has many steps.
    """
    slow = _barely_falls(case)
    if slow is None:
        return
    found, fall = slow
    limit = _limit(case, found)
    higher = _rounded(limit / 4) if limit is not None else 10 * case.rate
    if higher <= case.rate:
        return
    explanation = say(
        "the loss falls by {fall:.3g} an epoch, where a single step of the best length would lower it by {gain:.3g}: a "
        "learning rate of {rate:g} is too low",
        fall=fall,
        gain=found.gain,
        rate=case.rate,
    )
    evidence = {
        "learning_rate": case.rate, "fall_an_epoch": fall, "gain_of_one_step": found.gain, "gradient_norm": found.gradient,
        **_of_curvature(found, limit),
    }  # fmt: skip
    changes: dict[str, Any] = {"optimizer": {"learning_rate": higher}, "epochs": 2 * case.epochs[1]}
    said = say("Set optimizer.learning_rate to {rate}, and train on", rate=f"{higher:g}")
    yield Finding("warning", explanation, Remedy(said, changes), evidence, case.epochs)


@rule(
    "PLATEAU",
    DESCENDS,
    COURSE,
    formula=r"\max_e L_e - \min_e L_e \le 0.01\, L_0 \quad \text{in the second half of the epochs}",
    source="Goodfellow, Bengio and Courville, Deep Learning (2016), 8.2",
)
def plateau(case: Case) -> Iterator[Finding]:
    """The loss of the second half of ten epochs or more keeps within a hundredth of L₀, which is less than a curve shows. That
    is the end of a run, and worth knowing; of a network that is hardly better than L₀ it is a place where it is stuck.
    """
    half, scale = case.losses[len(case.losses) // 2 :], case.yardstick.loss
    if len(case.losses) < 10 or case.error is not None or not scale > 0 or np.ptp(half) > FLAT * scale:
        return
    if _barely_falls(case) is not None:
        return  # LEARNING_RATE_TOO_LOW tells
    stuck = case.has_hidden_layers and half[-1] >= STUCK * scale
    first = case.epochs[1] - len(half) + 1
    evidence = {"loss": float(half[-1]), "range": float(np.ptp(half)), "loss_without_learning": scale}
    if stuck:
        explanation = say(
            "since epoch {first} the loss stays at {loss:.4g}, hardly under the {scale:.4g} of answering every row the same: "
            "the network is stuck",
            first=first,
            loss=float(half[-1]),
            scale=scale,
        )
        changes: dict[str, Any] = {"optimizer": {"kind": "adam"}, "model": {"initializer": {"kind": "he_normal"}}}
        said = say("Begin anew from other weights, with adam")
        yield Finding("warning", explanation, Remedy(said, changes), evidence, (first, case.epochs[1]), anew=True)
        return
    explanation = say(
        "since epoch {first} the loss stays at {loss:.4g}: these epochs gained nothing", first=first, loss=float(half[-1])
    )
    said = say("Train for {epochs} epochs next time", epochs=first)
    yield Finding("info", explanation, Remedy(said, {"epochs": first}), evidence, (first, case.epochs[1]), anew=True)
