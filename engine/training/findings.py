"""Findings about a table once the target is known, each with its evidence: leaks, imbalance, scales left apart."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from engine.parts.scaling import NoScaling
from engine.tables.features import Column, word
from engine.training.spec import Training
from engine.wording import Sentence, notice, say

Finding = tuple[str, str, Sentence]
"""A column, a code, and what was found."""
MOST_NAMED = 20
"""Findings of one code that are told one by one."""
MOST_ROWS = 10_000
MOST_CELLS = 2_000_000
"""Maximum rows and cells that are searched for leaks."""
RUN, MANY_ROWS = 50, 1_000_000
"""Neighbors that are looked at together, in a table of more rows than that."""
FEW_ROWS = 20
DETERMINED = 0.9999
"""A rank correlation from which on one column gives the other."""
NEARLY = 0.9
GLANCE = 64
"""Rows that clear a column of it: there its ranks must go with the target's nearly so."""
IMBALANCE = 10
SCALES_APART = 100


def notices(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """As they are stored and given out; of one code the first are told, and how many more there are."""
    told: Counter[str] = Counter()
    shown: list[dict[str, Any]] = []
    for column, code, detail in findings:
        told[code] += 1
        if told[code] <= MOST_NAMED:
            shown.append(notice(code, detail, column=column))
    more = [
        notice(code, say("the same holds for {count} more columns", count=count - MOST_NAMED), count=count - MOST_NAMED)
        for code, count in told.items()
        if count > MOST_NAMED
    ]
    return shown + more


def rows_to_look_at(rows: int, features: int) -> np.ndarray:
    """Row numbers, evenly over a table, that `of_training` is given the features in: fewer where there are many features.

    Of a large table they come in runs of neighbors: each row by itself would have the system read a page of the file for
    every cell.
    """
    most = min(rows, MOST_ROWS, max(FEW_ROWS * 10, MOST_CELLS // max(1, features)))
    run = RUN if rows > MANY_ROWS else 1
    starts = np.linspace(0, rows - run, max(1, most // run)).round().astype(np.intp)
    return np.unique((starts[:, None] + np.arange(run)).ravel())


def of_target(features: Sequence[Column], answers: Column, target: Column, task: str) -> list[Finding]:
    """Findings if the target, whole, is to be learned: `features` and its `answers` are a sample of rows."""
    return [*_imbalance(target, task), *leaks(features, answers, task)]


def of_training(
    features: Sequence[Column], answers: Mapping[str, Column], targets: Mapping[str, Column], task: str, scales_matter: bool
) -> list[dict[str, Any]]:
    """Findings if the `targets`, whole, are to be learned: `features` and the `answers` are a sample of rows."""
    found = [finding for name, target in targets.items() for finding in of_target(features, answers[name], target, task)]
    if scales_matter:
        found += _unscaled(features)
    return notices(found)


def scales_matter(training: Training) -> bool:
    """Whether columns of different spreads slow the training down: steps along a gradient, and nothing scaled."""
    return isinstance(training.preprocessing.scaling, NoScaling) and training.model.solved_by.descends


def leaks(features: Sequence[Column], answers: Column, task: str) -> Iterator[Finding]:
    """The features that give the target away, in rows of both."""
    return (finding for column in _suspects(features, answers, task) for finding in _leak(column, answers, task))


def _suspects(features: Sequence[Column], answers: Column, task: str) -> Iterator[Column]:
    """The features that a glance at a few rows does not clear: all at once, for there may be thousands."""
    rows = np.flatnonzero(~answers.missing)
    rows = rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), GLANCE)).astype(np.intp))]
    numbers = [column for column in features if not column.categories]
    if len(rows) and numbers:
        X = np.stack([column.values[rows] for column in numbers], axis=1).astype(np.float64)
        cleared = _cleared(X, answers.values[rows], task)
        clear = {column.name for column, is_clear in zip(numbers, cleared, strict=True) if is_clear}
        features = [column for column in features if column.name not in clear]
    yield from features


def _cleared(X: np.ndarray, y: np.ndarray, task: str) -> np.ndarray:
    """Whether each column of X (m, d), sorted, can be seen (d,) not to give y (m,) away."""
    order = np.argsort(X, axis=0, kind="stable")
    ordered, answers = np.take_along_axis(X, order, axis=0), y[order]
    alike, changes = ordered[1:] == ordered[:-1], answers[1:] != answers[:-1]
    by_value = alike.any(axis=0) & ~(alike & changes).any(axis=0)
    if task == "regression":
        ranks = _ranks(y)[order]
        ranks -= ranks.mean()
        places = np.arange(len(y)) - (len(y) - 1) / 2
        lengths = np.sqrt((ranks * ranks).sum(axis=0) * (places @ places))
        by_order = np.abs(places @ ranks) >= NEARLY * lengths
    else:
        by_order = ~(alike & changes).any(axis=0) & (changes.sum(axis=0) < len(np.unique(y)))
    return ~(by_value | by_order | np.isnan(X).any(axis=0))


def _imbalance(target: Column, task: str) -> Iterator[Finding]:
    if task == "regression":
        return
    present = target.values[~target.missing]
    labels, counts = np.unique(present, return_counts=True)
    if len(labels) < 2 or counts.max() < IMBALANCE * counts.min():
        return
    rare, common = (_label(target, labels[place]) for place in (counts.argmin(), counts.argmax()))
    yield (
        target.name,
        "CLASS_IMBALANCE",
        say(
            "class '{rare}' of column '{name}' has {fewest} of {rows} rows and class '{common}' has {most}: always to answer "
            "'{common}' is right in {share:.1%}; class_weight balanced makes every class count the same",
            rare=rare,
            common=common,
            name=target.name,
            fewest=counts.min(),
            most=counts.max(),
            rows=len(present),
            share=counts.max() / len(present),
        ),
    )


def _label(column: Column, value: Any) -> str:
    if column.categories:
        return column.categories[int(value)]
    if column.words:
        return column.words[int(value)]
    return word(bool(value)) if column.kind == "boolean" else word(float(value))


def _leak(column: Column, target: Column, task: str) -> Iterator[Finding]:
    """Whether the column gives the target: by value, by order, or by where it lies."""
    both = ~(column.missing | target.missing)
    x, y = column.values[both], target.values[both]
    if len(x) < FEW_ROWS or (x[0] == x).all() or (y[0] == y).all():
        return
    for way in (_by_order, _by_value) if task == "regression" else (_by_value, _by_range):
        how = way(column, x, y)
        if how:
            detail = say(
                "column '{name}' gives '{target}' away: {how}, in {rows} rows looked at; if it is only known once the answer "
                "is, leave it out of the features",
                name=column.name,
                target=target.name,
                how=how,
                rows=len(x),
            )
            yield column.name, "TARGET_LEAK", detail
            return


def _by_value(column: Column, x: np.ndarray, y: np.ndarray) -> Sentence | None:
    """Every value goes with one answer alone, though most values come again and again."""
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    same = x[1:] == x[:-1]
    values = len(x) - int(same.sum())
    if values > len(x) / 2 or (y[1:] != y[:-1])[same].any():
        return None
    return say("each of its {values} values goes with one value of the target alone", values=values)


def _by_range(column: Column, x: np.ndarray, y: np.ndarray) -> Sentence | None:
    """The classes lie in ranges that do not overlap. Categories are in no order."""
    if column.categories:
        return None
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    changes = y[1:] != y[:-1]
    if int(changes.sum()) + 1 != len(np.unique(y)) or (changes & (x[1:] == x[:-1])).any():
        return None
    return say("each class has a range of its values to itself")


def _by_order(column: Column, x: np.ndarray, y: np.ndarray) -> Sentence | None:
    """Whether one always rises, or always falls, with the other: Spearman's rank correlation is 1 or −1."""
    if column.categories or len(np.unique(x)) < FEW_ROWS:
        return None
    rho = float(np.corrcoef(_ranks(x), _ranks(y))[0, 1])
    return say("their rank correlation is {rho:.5f}", rho=rho) if abs(rho) >= DETERMINED else None


def _ranks(values: np.ndarray) -> np.ndarray:
    """The rank of each value (n,), the mean of them where some are equal."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse])


def _unscaled(features: Sequence[Column]) -> Iterator[Finding]:
    remedy = say("will crawl or diverge, for preprocessing.scaling is none; set it to standard or mean_normalization")
    return scales_differ(spreads(features), SCALES_APART, remedy)


def spreads(features: Iterable[Column]) -> dict[str, float]:
    """The standard deviation of each column of numbers that has any."""
    return {
        column.name: float(column.values[~column.missing].astype(np.float64).std())
        for column in features
        if not column.categories and not column.missing.all()
    }


def apart(spread: Mapping[str, float], most: float) -> tuple[tuple[str, float], tuple[str, float]] | None:
    """The widest and the narrowest of some columns' standard deviations, leaving out those that never change, with the columns'
    names; None where the one is no more than `most` times the other.
    """
    present = {name: deviation for name, deviation in spread.items() if deviation > 0 and np.isfinite(deviation)}
    if len(present) < 2:
        return None
    widest, narrowest = (choose(present.items(), key=lambda each: each[1]) for choose in (max, min))
    return (widest, narrowest) if widest[1] > most * narrowest[1] else None


def scales_differ(spread: Mapping[str, float], most: float, remedy: Sentence) -> Iterator[Finding]:
    """Whether of some columns' standard deviations the widest is more than `most` times the narrowest that is any; the remedy
    goes on from 'gradient descent'.
    """
    found = apart(spread, most)
    if found is not None:
        (widest, wide), (narrowest, narrow) = found
        yield (
            widest,
            "SCALES_DIFFER",
            say(
                "column '{widest}' has a standard deviation of {wide:.3g} and column '{narrowest}' one of {narrow:.3g}: "
                "gradient descent {remedy}",
                widest=widest,
                narrowest=narrowest,
                wide=wide,
                narrow=narrow,
                remedy=remedy,
            ),
        )
