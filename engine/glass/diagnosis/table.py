"""Rules about the table: what its columns and classes do to the model."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.errors import Diverged
from engine.glass.diagnosis.case import Case
from engine.glass.diagnosis.finding import CLASSES, LEARNS, NETWORK, Finding, Need, Severity, rule
from engine.glass.diagnosis.separability import largest_margin
from engine.models.scoring import class_scores, labels
from engine.models.yardstick import SCALED
from engine.training.findings import SCALES_APART, apart, leaks, rows_to_look_at, scales_matter, spreads
from engine.wording import Remedy, say, template

MOST_FEATURES = 500
COLLINEAR = 30.0
DEPENDENT = 1e4
IMBALANCE = 3.0
NO_BETTER = 0.01
FEW = 5
NARROW = Need(lambda case: 1 < case.fitted.features.width <= MOST_FEATURES, template("there is one feature, or over 500"))
POCKET = Need(lambda case: len(case.values_of("pocket_mistakes")) > 0, template("the model is no perceptron"))
UNSCALED = Need(lambda case: scales_matter(case.training), template("the features are scaled, or the solver needs no scaling"))


@rule(
    "SCALES_DIFFER",
    UNSCALED,
    formula=r"\frac{\max_j \sigma_j}{\min_j \sigma_j} > 100",
    source="LeCun and others, Efficient BackProp (1998), 4.3",
)
def scales_differ(case: Case) -> Iterator[Finding]:
    """Features reach gradient descent unscaled, the deviation of one a hundred times that of another. The cost is then ten
    thousand times as curved along the one, whose rate is a ten-thousandth of what the other could take.
    """
    columns = [case.columns[name].take(case.fitted.rows["train"]) for name in case.training.features or ()]
    found = apart(spreads([column for column in columns if not column.shape]), SCALES_APART)
    if found is None:
        return
    (widest, wide), (narrowest, narrow) = found
    explanation = say(
        "'{widest}' has a standard deviation of {wide:.3g} and '{narrowest}' one of {narrow:.3g}, and nothing is scaled: a "
        "rate that suits one is wrong for the other",
        widest=widest,
        narrowest=narrowest,
        wide=wide,
        narrow=narrow,
    )
    remedy = Remedy(say("Set preprocessing.scaling to standard"), SCALED)
    yield Finding("warning", explanation, remedy, {"widest": wide, "narrowest": narrow, "ratio": wide / narrow}, column=widest)


@rule(
    "CLASS_IMBALANCE",
    LEARNS,
    CLASSES,
    NETWORK,
    formula=r"\text{accuracy} \le \max_k \tfrac{n_k}{n} + 0.01 \;\vee\; \exists\, k : \text{recall}_k = 0",
    source="He and Garcia, Learning from Imbalanced Data (2009)",
)
def imbalance(case: Case) -> Iterator[Finding]:
    """Of classes of which the commonest has three times the rows of the rarest or more, the accuracy is no better than that of
    always answering the commonest, to a hundredth, or a class of five rows or more is never answered. Imbalance that the model
    copes with is none.
    """
    rows = case.problem.validation or case.problem.train
    true = labels(np.asarray(rows.Y))
    counts = np.bincount(labels(np.asarray(case.problem.train.Y)))
    answered = class_scores(case.problem.network.evaluate(rows.X)).argmax(axis=1)
    accuracy, share = float(np.mean(answered == true)), float(np.mean(true == counts.argmax()))
    never = [k for k in range(len(counts)) if (true == k).sum() >= FEW and not ((answered == k) & (true == k)).any()]
    present = counts[counts > 0]
    if len(present) < 2 or present.max() < IMBALANCE * present.min() or not (accuracy <= share + NO_BETTER or never):
        return
    explanation = say(
        "accuracy is {accuracy:.3g}, and {share:.3g} by always answering the commonest class: the rare ones are not told apart",
        accuracy=accuracy,
        share=share,
    )
    evidence = {
        "accuracy": accuracy, "share_of_commonest": share, "most_rows": int(present.max()), "fewest_rows": int(present.min()),
        "classes_never_answered": len(never),
    }  # fmt: skip
    classes = len(case.problem.target.classes or ())
    takes = "class_weight" in case.training.model.settings("classification", classes) and case.training.class_weight is None
    said = (
        say("Set class_weight to balanced, and judge by recall or f1") if takes else say("Take more rows of the rare classes")
    )
    remedy = Remedy(said, {"class_weight": "balanced"} if takes else None)
    yield Finding("warning", explanation, remedy, evidence, (case.epoch, case.epoch), anew=True)


@rule(
    "COLLINEAR_FEATURES",
    LEARNS,
    NARROW,
    formula=r"\kappa = \frac{\sigma_{\max}(\tilde X)}{\sigma_{\min}(\tilde X)} \ge 30, \quad"
    r" \tilde x_j = \frac{x_j - \bar x_j}{\lVert x_j - \bar x_j \rVert}",
    source="Belsley, Kuh and Welsch, Regression Diagnostics (1980), 3.2",
)
def collinear(case: Case) -> Iterator[Finding]:
    """The condition number of the columns, centered and brought to one length, is 30 or more, from which on Belsley, Kuh and
    Welsch see weights suffer. From 10⁴ on, where four digits of each weight are lost, a model whose weights are to be read and
    that has no penalty is warned. Of each column of categories the first feature is left out, which the others give.
    """
    X, names = _independent(case)
    X = X - X.mean(axis=0)
    lengths = np.linalg.norm(X, axis=0)
    kept = lengths > 1e-12 * max(1.0, float(lengths.max()))
    if kept.sum() < 2 or len(X) < kept.sum():
        return
    _, values, rotation = np.linalg.svd(X[:, kept] / lengths[kept], full_matrices=False)
    condition = float(values[0] / values[-1]) if values[-1] > 0 else float("inf")
    if condition < COLLINEAR:
        return
    order = np.argsort(-np.abs(rotation[-1]), kind="stable")[:2]
    first, second = (names[place] for place in np.flatnonzero(kept)[order])
    explanation = say(
        "the condition number of the features is {condition:.3g}: '{first}', '{second}' or others nearly give each other, so "
        "that many weights fit as well",
        condition=condition,
        first=first,
        second=second,
    )
    readable = not case.has_hidden_layers and not any(case.problem.spec.penalties(case.problem.train.rows))
    severity: Severity = "warning" if readable and condition >= DEPENDENT else "info"
    said, left = say("Leave '{name}' out, or add a penalty", name=first), _without(case, first)
    yield Finding(severity, explanation, Remedy(said, left), {"condition": condition}, column=first, anew=True)


def _independent(case: Case) -> tuple[np.ndarray, list[str]]:
    """The training rows' features in float64 with their names, without the first feature of each column of categories."""
    features, start = case.fitted.features, 0
    places: list[int] = []
    for entry in features.inputs:
        first = start + 1 if entry.categories and entry.width > 1 else start
        places += range(first, start + entry.width)
        start += entry.width
    X = case.some(case.problem.train, 5000).X[:, np.array(places, np.intp)].astype(np.float64)
    return X, [features.names[place] for place in places]


def _without(case: Case, feature: str) -> dict[str, Any] | None:
    """The patch that leaves a column out; None for a feature that is only part of one."""
    left = [name for name in case.training.features or () if name != feature]
    return {"features": left} if left and len(left) < len(case.training.features or ()) else None


@rule(
    "NOT_SEPARABLE",
    POCKET,
    formula=r"\gamma \le \frac{\lVert \sum_i r_i s_i x_i \rVert}{\sum_i r_i} \approx 0, \quad r_i = |y_i - p_i|",
    source="Gordan (1873); Novikoff, On convergence proofs on perceptrons (1962)",
)
def not_separable(case: Case) -> Iterator[Finding]:
    """No line parts the classes, so that the perceptron's rule corrects for ever. The optimum of a logistic regression without
    penalty proves it: its residuals weigh the rows so that they cancel, which no rows on the right side of a line do. A run
    that has merely not arrived is not told so.
    """
    fewest = case.at_last("pocket_mistakes")
    if not fewest or not getattr(case.training.model, "bias", True):
        return
    try:
        margin = largest_margin(case)
    except Diverged:
        return
    if not margin.is_none:
        return
    explanation = say(
        "no line parts the classes, so that the perceptron never comes to rest: the best line seen gets {fewest:.0f} of {rows} "
        "training rows wrong",
        fewest=fewest,
        rows=len(case.fitted.rows["train"]),
    )
    evidence = {"mistakes": fewest, "largest_margin": margin.most, "longest_row": margin.longest}
    remedy = Remedy(
        say("Choose logistic_regression, or mlp where a line is not enough"), {"model": {"kind": "logistic_regression"}}
    )
    yield Finding("warning", explanation, remedy, evidence, case.epochs, anew=True)


@rule(
    "TARGET_LEAK",
    LEARNS,
    formula=r"|\rho_s| \ge 0.9999, \text{ or each value, or range of values, goes with one class}",
    source="Kaufman, Rosset and Perlich, Leakage in Data Mining (2012)",
)
def leakage(case: Case) -> Iterator[Finding]:
    """A feature gives the target away, in rows evenly over the table: a rank correlation of 1, or every value, or range of
    values, with one answer alone. What is known only once the answer is cannot be asked for when it is wanted.
    """
    names = [name for name in case.training.features or () if not case.columns[name].shape]
    rows = rows_to_look_at(len(next(iter(case.columns.values())).values), len(names))
    features = [case.columns[name].take(rows) for name in names]
    for target in case.training.targets:
        for column, _, detail in leaks(features, case.columns[target].take(rows), str(case.training.task)):
            explanation = say("'{name}' gives '{target}' away: {how}, in {rows} rows looked at", **detail.values)
            said = say("Leave '{name}' out of the features, if it is only known once the answer is", name=column)
            evidence = {"rows": detail.values["rows"], **detail.values["how"].values}
            yield Finding("warning", explanation, Remedy(said, _without(case, column)), evidence, column=column, anew=True)
