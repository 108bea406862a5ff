"""Rules about hidden layers, from a forward and a backward pass over the first training rows."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import TypeAdapter

from engine.glass.diagnosis.case import Case, Layer
from engine.glass.diagnosis.finding import HIDDEN, LEARNS, Finding, Severity, rule
from engine.models.kinds import AnyModel
from engine.wording import Remedy, Sentence, say

MODEL: TypeAdapter[Any] = TypeAdapter(AnyModel)
ERROR_RATIO = r"\frac{\operatorname{rms}(\partial J / \partial Z^{(1)})}{\operatorname{rms}(\partial J / \partial Z^{(L-1)})}"
GLOROT = "Glorot and Bengio, Understanding the difficulty of training deep feedforward neural networks (2010)"
RATIO = 1e3
MOST_DEAD, SOME_DEAD = 0.5, 0.1
MOST_SATURATED, ALL_SATURATED = 0.5, 0.9
MOST_ALIKE = 0.5


def _ends(layers: Sequence[Layer]) -> tuple[float, float] | None:
    """The errors that reach the first and the last hidden layer; None where there are not two, or nothing reaches one."""
    return (layers[0].error, layers[-1].error) if len(layers) > 1 and layers[0].error and layers[-1].error else None


def _redrawn(case: Case, activation: str | None = None) -> dict[str, Any]:
    """The patch that draws the first weights as suits the activations; with other activations where one is named."""
    document = MODEL.dump_python(case.training.model, mode="json")
    saturates = activation is None and any(layer.saturates for layer in case.layers)
    changes: dict[str, Any] = {"initializer": {"kind": "xavier_normal" if saturates else "he_normal"}}
    for name in ("hidden", "layers") if activation else ():
        if name in document:
            changes[name] = [
                {**layer, "activation": {"kind": activation}} if "activation" in layer else layer for layer in document[name]
            ]
    return {"model": changes}


def _remedy(case: Case) -> Remedy:
    """Other first weights; where they are drawn as suits the activations already, other activations."""
    patch, given = _redrawn(case), getattr(case.training.model, "initializer", None)
    kind = patch["model"]["initializer"]["kind"]
    if given is None or given.kind != kind:
        return Remedy(say("Begin anew with first weights by {initializer}", initializer=kind), patch)
    return Remedy(say("Begin anew with relu and he_normal, or with fewer layers"), _redrawn(case, "relu"))


@rule("VANISHING_GRADIENTS", LEARNS, HIDDEN, formula=ERROR_RATIO + r" < 10^{-3}", source=GLOROT)
def vanishing(case: Case) -> Iterator[Finding]:
    """The error that comes back to the first hidden layer is under a thousandth of that at the last. Weights drawn as they
    should be keep it within a factor of two a layer, ten layers deep; a sigmoid takes three quarters of it at every layer. Of
    layers that a thousand times less reaches, the steps are a thousand times shorter.
    """
    ends = _ends(case.layers)
    if ends is None or ends[0] * RATIO >= ends[1]:
        return
    explanation = say(
        "of the error that reaches the last hidden layer, {share:.1e} comes back to {layer}: the first layers learn next to "
        "nothing",
        share=ends[0] / ends[1],
        layer=case.layers[0].name,
    )
    yield Finding("warning", explanation, _remedy(case), _of_errors(case, ends), _at(case), case.layers[0].name, anew=True)


@rule("EXPLODING_GRADIENTS", LEARNS, HIDDEN, formula=ERROR_RATIO + r" > 10^3", source=GLOROT)
def exploding(case: Case) -> Iterator[Finding]:
    """The error grows on its way back, a thousandfold or more from the last hidden layer to the first. A rate that suits the
    last layer is then a thousand times too high for the first.
    """
    ends = _ends(case.layers)
    if ends is None or ends[0] <= RATIO * ends[1]:
        return
    explanation = say(
        "the error that reaches the last hidden layer is {times:.1e} times as large when it comes back to {layer}: steps of "
        "the first layers go far too far",
        times=ends[0] / ends[1],
        layer=case.layers[0].name,
    )
    yield Finding("warning", explanation, _remedy(case), _of_errors(case, ends), _at(case), case.layers[0].name, anew=True)


def _of_errors(case: Case, ends: tuple[float, float]) -> dict[str, float | None]:
    first, last = case.layers[0], case.layers[-1]
    sizes = {"output_of_first": first.activation, "output_of_last": last.activation}
    return {"error_of_first": ends[0], "error_of_last": ends[1], **sizes}


def _at(case: Case) -> tuple[int, int]:
    """The epoch whose weights are looked at."""
    return case.epoch, case.epoch


@rule(
    "DEAD_UNITS",
    LEARNS,
    HIDDEN,
    formula=r"\frac{1}{u} \left|\{j : f'(z_{ij}) = 0 \text{ at every row } i\}\right| \ge 0.5",
    source="Maas, Hannun and Ng, Rectifier Nonlinearities Improve Neural Network Acoustic Models (2013)",
)
def dead(case: Case) -> Iterator[Finding]:
    """Half of a layer's units or more answer every row looked at with a slope of 0, so that no step ever moves them again. A
    tenth or so is what ReLU loses in good runs, too; half leaves another network than was asked for.
    """
    for layer in case.layers:
        if layer.dead is None or layer.dead < SOME_DEAD or layer.saturates:
            continue
        explanation = say(
            "in {layer}, {share:.0%} of the units are flat at every row looked at: they are dead, and no step moves them again",
            layer=layer.name,
            share=layer.dead,
        )
        severity: Severity = "warning" if layer.dead >= MOST_DEAD else "info"
        remedy = Remedy(say("Begin anew with leaky_relu, or with a lower learning rate"), _redrawn(case, "leaky_relu"))
        evidence = {"dead": layer.dead, "saturated": layer.saturated}
        yield Finding(severity, explanation, remedy, evidence, _at(case), layer.name, anew=True)


@rule(
    "SATURATED_UNITS",
    LEARNS,
    HIDDEN,
    formula=r"\frac{1}{n u} \left|\{(i, j) : |f'(z_{ij})| < 0.01\}\right| \ge 0.5 \text{ before training and now, or } 0.9",
    source=GLOROT,
)
def saturated(case: Case) -> Iterator[Finding]:
    """Units of tanh, sigmoid and the like stand where their slope is under 0.01, at half of the rows or more before training
    and still now, or at nine tenths now. Units that have learned a class saturate, rightly, at many rows; those that begin so
    learn nothing. One that is flat on one side only, as ReLU, does not saturate.
    """
    first = {layer.name: layer.saturated for layer in case.first_layers} if case.start is not None else {}
    for layer in case.layers:
        began, now = first.get(layer.name), layer.saturated
        if now is None or not layer.saturates:
            continue
        if not (now >= ALL_SATURATED or (now >= MOST_SATURATED and (began or 0.0) >= MOST_SATURATED)):
            continue
        explanation = say(
            "in {layer}, units are saturated at {share:.0%} of the rows looked at: next to nothing is learned through them",
            layer=layer.name,
            share=now,
        )
        yield Finding(
            "warning",
            explanation,
            _remedy(case),
            {"saturated": now, "saturated_before": began},
            _at(case),
            layer.name,
            anew=True,
        )


@rule(
    "SYMMETRIC_WEIGHTS",
    LEARNS,
    HIDDEN,
    formula=r"\frac{1}{u} \left|\{j : \exists k \ne j, \lVert w_j - w_k \rVert \le 10^{-3} \lVert w_j \rVert\}\right| \ge 0.5",
    source="Goodfellow, Bengio and Courville, Deep Learning (2016), 8.4",
)
def symmetric(case: Case) -> Iterator[Finding]:
    """Half of a layer's units or more have the weights of another. Units that begin alike get the same gradient and stay alike:
    the layer is as good as one unit. Weights that are drawn never are alike.
    """
    for layer in case.layers:
        if layer.alike is None or layer.alike < MOST_ALIKE:
            continue
        explanation = say(
            "in {layer}, {share:.0%} of the units have the weights of another: they learn the same, as if they were one",
            layer=layer.name,
            share=layer.alike,
        )
        remedy = Remedy(_drawn(), _redrawn(case))
        yield Finding("warning", explanation, remedy, {"alike": layer.alike}, _at(case), layer.name, anew=True)


def _drawn() -> Sentence:
    return say("Choose an initializer that draws weights, as he_normal")
