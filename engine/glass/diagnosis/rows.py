"""Rules about the rows: how many there are, and how those of the splits are alike."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from engine.glass.diagnosis.case import Case
from engine.glass.diagnosis.finding import LEARNS, VALIDATION, Finding, rule
from engine.glass.diagnosis.fit import gap_of, simpler
from engine.wording import Remedy, Sentence, say

SHARE = 0.15
CHANCE = 1e-3
MOST_COLUMNS, LIKE_ROWS = 1000, 2000
"""Features, and rows of each split, whose distributions are compared."""


@rule(
    "FEW_ROWS",
    LEARNS,
    formula=r"p \ge n k",
    source="Hastie, Tibshirani and Friedman, The Elements of Statistical Learning (2009), 3.2 and 18.1",
)
def few_rows(case: Case) -> Iterator[Finding]:
    """There are as many parameters p as numbers to learn them from, n rows of k targets: a model without hidden layers then
    goes through every training row, noise and all. A network may have far more and still do well, so that this is only worth
    knowing of it, unless the validation rows show that it did not.
    """
    numbers = len(case.fitted.rows["train"]) * max(1, len(case.training.targets))
    parameters = case.problem.learner.parameters.size
    if parameters < numbers:
        return
    gap = gap_of(case)
    harmful = gap is not None and gap[0] - gap[1] > gap[2]
    penalised = any(case.problem.spec.penalties(case.problem.train.rows))
    explanation = say(
        "{parameters} parameters are learned from {rows} training rows: the model can go through every one of them, noise and "
        "all",
        parameters=parameters,
        rows=len(case.fitted.rows["train"]),
    )
    severe = harmful or not (case.has_hidden_layers or penalised)
    remedy = simpler(case)
    evidence = {"parameters": parameters, "rows": len(case.fitted.rows["train"])}
    yield Finding("warning" if severe else "info", explanation, remedy, evidence, anew=True)


@rule(
    "SPLITS_DIFFER",
    LEARNS,
    VALIDATION,
    formula=r"D = \sup_x |F_n(x) - G_m(x)| > \max\left(0.15, \sqrt{-\tfrac{1}{2} \ln \tfrac{\alpha}{2}"
    r"\cdot \tfrac{n + m}{n m}}\right), \quad \alpha = \tfrac{10^{-3}}{d}",
    source="Smirnov, Table for Estimating the Goodness of Fit of Empirical Distributions (1948)",
)
def splits_differ(case: Case) -> Iterator[Finding]:
    """A feature, or the target, is distributed otherwise in the validation rows than in the training rows, by the two-sample
    test of Kolmogorov and Smirnov: at a chance of one in a thousand over all of them, and by 0.15, for of many rows the least
    difference is none of chance. Of the first 1,000 features and 2,000 rows of each split.
    """
    assert case.problem.validation is not None
    parts = [case.some(split, LIKE_ROWS) for split in (case.problem.train, case.problem.validation)]
    A, B = (np.hstack([part.X[:, :MOST_COLUMNS], part.Y]) for part in parts)
    (n, columns), m, features = A.shape, len(B), case.fitted.features.names[:MOST_COLUMNS]
    least = max(SHARE, math.sqrt(-0.5 * math.log(CHANCE / columns / 2) * (n + m) / (n * m)))
    distances = [distance(A[:, place], B[:, place]) for place in range(columns)]
    place = int(np.argmax(distances))
    if distances[place] <= least:
        return
    targets = case.training.targets
    name = features[place] if place < len(features) else targets[min(place - len(features), len(targets) - 1)]
    explanation = say(
        "'{name}' is distributed otherwise in the validation rows than in the training rows, by up to {distance:.0%} of them: "
        "what validation says does not hold for rows as those trained on",
        name=name,
        distance=distances[place],
    )
    evidence = {"distance": distances[place], "least": least, "train_rows": n, "validation_rows": m}
    said, changes = _other_split(case)
    yield Finding("warning", explanation, Remedy(said, changes), evidence, column=name, anew=True)


def distance(a: np.ndarray, b: np.ndarray) -> float:
    """The largest difference of two empirical distributions."""
    a, b = np.sort(a), np.sort(b)
    both = np.concatenate([a, b])
    return float(np.abs(np.searchsorted(a, both, "right") / len(a) - np.searchsorted(b, both, "right") / len(b)).max())


def _other_split(case: Case) -> tuple[Sentence, dict[str, Any] | None]:
    split = case.training.split
    if split.group is not None:
        return say("Choose groups that are alike, or validate on several splits (split.seed)"), {
            "split": {"seed": split.seed + 1}
        }
    if split.order is not None or split.shuffle is False:
        said = say("Split by chance, unless the model is to answer for later rows, as it is asked to now")
        return said, {"split": {"order": None, "shuffle": None}}
    return say("Draw another split (split.seed), or upload more rows"), {"split": {"seed": split.seed + 1}}
