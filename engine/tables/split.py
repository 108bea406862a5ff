"""Which of a table's rows train, which validate and which test."""

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from engine.errors import EmptySplit, UnusableData
from engine.randomness import generator
from engine.spec import Flag, Seed, Share, spec, without_unset
from engine.tables.features import Column


@spec
class Split:
    """The shares of the rows kept for validation and test, and how they are chosen: drawn by the seed, class by class,
    group by group, or the last of an order.
    """

    validation: Share | None = Field(default=None, description="0.2 by default, 0 for a table of under 50 rows")
    test: Share = Field(default=0.0, description="the share kept aside for a last look, which neither trains nor chooses")
    stratify: Flag | None = Field(
        default=None, description="keep the classes' shares alike; default for a classification whose rows are drawn one by one"
    )
    seed: Seed = Field(default=0, description="draws which rows go where")
    group: str | None = Field(
        default=None,
        description="a column whose rows of one value stay together, as a patient's or a day's; it is no feature by default",
    )
    order: str | None = Field(
        default=None,
        description="a column, as of time: the first rows by it train, later ones validate, the last test; text sorts as "
        "text, which ISO dates do rightly",
    )
    shuffle: Flag | None = Field(
        default=None, description="false: rows are taken as they lie in the file, the last for the test"
    )
    rounding: Literal["total", "class"] | None = Field(
        default=None,
        description="how shares become rows: total, the default, meets each share of all rows, with the classes as near to it "
        "as largest remainders make them, and refuses a share that is no row; class rounds within each class, as jobs "
        "were split that do not say",
    )

    train_share: Annotated[float, Field(gt=0, le=1)] | None = Field(
        default=None,
        description="the share of the training rows that are trained on, drawn by the seed so that a larger share holds a "
        "smaller one; the others are left out, as for a curve of learning. All by default",
    )

    _shown = without_unset("group", "order", "shuffle", "rounding", "train_share")

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the split itself reads."""
        return tuple(name for name in (self.group, self.order) if name is not None)


Rows = dict[str, np.ndarray]
NAMES = ("train", "validation", "test")


def split_rows(
    split: Split, usable: np.ndarray, labels: np.ndarray | None, chosen_by: Mapping[str, Column] | None = None
) -> Rows:
    """Row indices of train, validation and test, each in the table's order; `labels` (n,) are kept in proportion, and
    `chosen_by` holds the columns, at the usable rows, that the split names.

    Raises UnusableData where there are too few groups, EmptySplit where a share that was asked for leaves no row or takes
    all of them.
    """
    shares = {"validation": split.validation or 0.0, "test": split.test}
    columns = chosen_by or {}
    if split.group is not None:
        places = _by_group(shares, columns[split.group], split.seed)
    elif split.order is not None:
        places = _in_order(shares, np.argsort(columns[split.order].values, kind="stable"))
    elif split.shuffle is False:
        places = _in_order(shares, np.arange(len(usable)))
    else:
        places = _drawn(split, shares, labels if split.stratify else None, len(usable))
    if split.rounding != "class":  # which is how jobs were split before anybody looked
        if split.group is None:  # groups come as near to a share as they can, one for each at least
            _totals(shares, len(usable))
        _refuse_empty(shares, places, len(usable))
    if split.train_share is not None:
        places["train"] = _part(split, places["train"])
    return {name: np.sort(usable[chosen]) for name, chosen in places.items()}


def _part(split: Split, rows: np.ndarray) -> np.ndarray:
    """The share of the training rows that are trained on, one at least."""
    assert split.train_share is not None
    return generator(split.seed, "split", 2).permutation(rows)[: max(1, round(split.train_share * len(rows)))]


def _refuse_empty(shares: Mapping[str, float], places: Rows, rows: int) -> None:
    empty = [name for name, share in shares.items() if share and not len(places[name])]
    detail = "{share:g} of the {rows} rows that can be used is none; ask for more of them, or for 0"
    if empty:
        raise EmptySplit([(f"/split/{name}", detail.format(share=shares[name], rows=rows)) for name in empty])


def _drawn(split: Split, shares: Mapping[str, float], labels: np.ndarray | None, rows: int) -> Rows:
    """By chance, from each class as from the whole; each class has a row at least to learn from."""
    order = np.arange(rows) if labels is None else np.argsort(labels, kind="stable")
    sizes = np.array([rows]) if labels is None else np.unique(labels, return_counts=True)[1]
    counts = COUNTS[split.rounding or "total"](shares, sizes, split.seed)
    chosen: dict[str, list[np.ndarray]] = {name: [] for name in NAMES}
    rng = generator(split.seed, "split")
    for place, group in enumerate(np.split(order, np.cumsum(sizes)[:-1])):
        drawn, start = rng.permutation(group), 0
        for name in shares:
            end = start + int(counts[name][place])
            chosen[name].append(drawn[start:end])
            start = end
        chosen["train"].append(drawn[start:])
    return {name: np.concatenate(parts) for name, parts in chosen.items()}


def _counts_by_class(shares: Mapping[str, float], sizes: np.ndarray, seed: int) -> Rows:
    """How many rows of each class (K,) are set apart, each share rounded within the class: of small ones far from asked."""
    left, counts = sizes - 1, {}
    for name, share in shares.items():
        counts[name] = np.minimum([round(share * size) for size in sizes.tolist()], left)
        left = left - counts[name]
    return counts


def _counts_in_all(shares: Mapping[str, float], sizes: np.ndarray, seed: int) -> Rows:
    """How many rows of each class (K,) are set apart, so that each share is met of all rows: by largest remainders."""
    classes, totals = len(sizes), _totals(shares, int(sizes.sum()), len(sizes))
    drawn = generator(seed, "split", 1).permutation(classes)  # which of equal classes gives a row
    left, ahead, counts = sizes - 1, np.zeros(classes), {}
    for name, share in shares.items():
        counts[name] = apportioned(share * sizes, totals[name], left, (drawn, ahead))
        left, ahead = left - counts[name], ahead + counts[name] - share * sizes
    return counts


def _totals(shares: Mapping[str, float], rows: int, classes: int = 1) -> dict[str, int]:
    """How many rows each share is in all. Raises EmptySplit where they leave no row of each class to train on."""
    totals = {name: round(share * rows) for name, share in shares.items()}
    if sum(totals.values()) > rows - classes:
        asked = " and ".join(f"{count} for {name}" for name, count in totals.items() if count)
        beside, remedy = "none", "ask for less"
        if classes > 1:
            beside, remedy = f"too few for one of each of {classes} classes", "ask for less, or set stratify to false"
        raise EmptySplit([("/split", f"of {rows} rows {asked} leave {beside} to train on; {remedy}")])
    return totals


COUNTS: dict[str, Callable[[Mapping[str, float], np.ndarray, int], Rows]] = {
    "total": _counts_in_all,
    "class": _counts_by_class,
}


def apportioned(quotas: np.ndarray, total: int, most: np.ndarray, ties: Sequence[np.ndarray]) -> np.ndarray:
    """Whole numbers (K,) that sum to `total`, none over `most` (K,), as near to the quotas (K,) as the largest remainders make
    them (Hamilton's method; Balinski and Young, Fair Representation, 1982). What finds no room there goes where room is.

    `total` is at most the sum of `most` and at least that of the whole parts. Equal remainders are told apart by `ties`, the
    last of them first; those of a half are taken as rounding to even takes them.
    """
    whole = np.floor(quotas)
    remainders = quotas - whole
    down = (remainders == 0.5) & (whole % 2 == 0)
    found = np.minimum(whole.astype(np.int64), most)
    order = np.lexsort((*ties, down, -remainders))
    order = order[(found < most)[order] & (remainders > 0)[order]]
    found[order[: total - int(found.sum())]] += 1
    left, room = total - int(found.sum()), most - found
    return found + apportioned(left * room / room.sum(), left, room, ties) if left else found


def _in_order(shares: Mapping[str, float], order: np.ndarray) -> Rows:
    """The first rows train, those after them validate, the last test."""
    test = round(shares["test"] * len(order))
    validation = round(shares["validation"] * len(order))
    train = max(1, len(order) - validation - test)
    return dict(zip(NAMES, np.split(order, [train, len(order) - test]), strict=True))


def _by_group(shares: Mapping[str, float], column: Column, seed: int) -> Rows:
    """Whole groups in an order drawn by the seed, as many as come nearest to a share; one at least for each that is asked."""
    _, group, sizes = np.unique(column.values, return_inverse=True, return_counts=True)
    asked = [name for name, share in shares.items() if share]
    if len(sizes) <= len(asked):
        detail = f"column '{column.name}' holds {len(sizes)} groups, too few for {len(asked) + 1} parts; choose another column"
        raise UnusableData([("/split/group", detail)])
    order = generator(seed, "split").permutation(len(sizes))
    ends = np.concatenate([[0], np.cumsum(sizes[order])])
    bounds, start = {}, 0
    for left, name in enumerate(asked):
        wanted = ends[start] + shares[name] * len(group)
        nearest = int(np.abs(ends - wanted).argmin())
        stop = min(max(nearest, start + 1), len(sizes) - (len(asked) - left))
        bounds[name], start = order[start:stop], stop
    bounds["train"] = order[start:]
    nothing = np.empty(0, np.intp)
    return {name: np.flatnonzero(np.isin(group, bounds.get(name, nothing))) for name in NAMES}
