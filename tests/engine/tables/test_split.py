from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupShuffleSplit, StratifiedShuffleSplit

from engine.errors import EmptySplit, UnusableData
from engine.tables.split import split_rows
from engine.training.spec import Split
from tests.engine import table

# --- drawn ---


TABLES: Any = {
    "counts": st.lists(st.integers(1, 40), min_size=1, max_size=5), "validation": st.floats(0, 0.6), "test": st.floats(0, 0.39),
    "seed": st.integers(0, 2**31), "stratify": st.booleans(), "dropped": st.integers(0, 5),
}  # fmt: skip


def split_of(counts: list[int], dropped: int, **split: Any) -> tuple[dict[str, np.ndarray], list[np.ndarray], np.ndarray]:
    """The rows of each part, the rows of each class that is kept in proportion, and all that are usable."""
    labels = np.random.default_rng(split["seed"]).permutation(np.repeat(np.arange(len(counts)), counts))
    usable = np.delete(np.arange(len(labels) + dropped), np.arange(dropped))
    classes = [usable[labels == label] for label in range(len(counts))] if split["stratify"] else [usable]
    rows = split_rows(Split(**split), usable, labels)
    assert list(rows) == ["train", "validation", "test"]
    assert sorted(np.concatenate(list(rows.values())).tolist()) == usable.tolist()
    for chosen in rows.values():
        assert (np.diff(chosen) > 0).all()  # in the table's order
    again = split_rows(Split(**split), usable, labels)
    assert all((rows[name] == again[name]).all() for name in rows)
    for members in classes:
        assert np.isin(members, rows["train"]).any(), "each class has a row to learn from"
    return rows, classes, usable


@settings(max_examples=100, deadline=None)
@given(**TABLES)
def test_a_split_gives_the_shares_asked_for(counts: list[int], dropped: int, **split: Any) -> None:
    asked = {name: round(split[name] * sum(counts)) for name in ("validation", "test")}
    kept = len(counts) if split["stratify"] else 1
    if sum(asked.values()) > sum(counts) - kept or any(split[name] and not count for name, count in asked.items()):
        with pytest.raises(EmptySplit) as raised:
            split_of(counts, dropped, **split)
        assert all(pointer.startswith("/split") for pointer, _ in raised.value.errors)
        return
    rows, classes, _ = split_of(counts, dropped, **split)
    assert {name: len(rows[name]) for name in asked} == asked
    roomy = all((1 - split["validation"] - split["test"]) * len(members) >= 3 for members in classes)
    for members in classes if roomy else ():
        for name in asked:
            assert abs(np.isin(members, rows[name]).sum() - split[name] * len(members)) < 1


@settings(max_examples=60, deadline=None)
@given(**TABLES)
def test_each_class_by_itself_as_splits_were(counts: list[int], dropped: int, **split: Any) -> None:
    rows, classes, _ = split_of(counts, dropped, rounding="class", **split)
    for members in classes:
        for name in ("validation", "test"):
            got = np.isin(members, rows[name]).sum()
            assert got <= round(split[name] * len(members))
            if len(members) >= 10:
                assert abs(got - split[name] * len(members)) <= 1.5


@settings(max_examples=100, deadline=None)
@given(**TABLES)
def test_shares_that_were_met_before_are_met_by_the_same_rows(counts: list[int], dropped: int, **split: Any) -> None:
    before, classes, usable = split_of(counts, dropped, rounding="class", **split)
    if any(len(before[name]) != round(split[name] * len(usable)) for name in ("validation", "test")):
        return
    if any(split[name] and not len(before[name]) for name in ("validation", "test")):
        return
    if any(sum(round(split[name] * len(members)) for name in ("validation", "test")) >= len(members) for members in classes):
        return  # a class had too few rows, which others made up for
    after, _, _ = split_of(counts, dropped, **split)
    for name, chosen in before.items():
        np.testing.assert_array_equal(after[name], chosen)


@pytest.mark.parametrize(("share", "each"), [(0.2, (72, 24, 24)), (0.1, (96, 12, 12)), (0.01, (118, 1, 1))])
def test_many_small_classes(share: float, each: tuple[int, int, int]) -> None:
    labels = np.tile(np.arange(40), 3)
    rows = split_rows(Split(validation=share, test=share, stratify=True), np.arange(120), labels)
    assert tuple(map(len, rows.values())) == each
    spread = [np.bincount(labels[chosen], minlength=40) for chosen in rows.values()]
    assert spread[1].max() <= 1 and spread[2].max() <= 1
    assert (spread[0] >= 1).all()
    other = split_rows(Split(validation=share, test=share, stratify=True, seed=1), np.arange(120), labels)
    assert set(labels[rows["validation"]]) != set(labels[other["validation"]])  # which classes give a row is drawn, too


@pytest.mark.parametrize("share", [0.1, 0.2, 0.33, 0.5])
def test_shares_of_classes_are_scikit_learns(share: float) -> None:
    labels = np.repeat(np.arange(9), [3, 3, 4, 5, 8, 13, 21, 34, 89])
    rows = split_rows(Split(validation=share, stratify=True), np.arange(len(labels)), labels)
    splitter = StratifiedShuffleSplit(1, test_size=round(share * len(labels)), random_state=0)
    (_, expected), *_ = splitter.split(labels, labels)
    found = [np.bincount(labels[chosen], minlength=9) for chosen in (rows["validation"], expected)]
    assert found[0].sum() == found[1].sum()
    assert np.abs(found[0] - found[1]).max() <= 1  # it breaks ties by chance


@pytest.mark.parametrize("rows", [1, 2, 3, 7])
@pytest.mark.parametrize("way", ["drawn", "as they lie", "by order"])
def test_a_share_that_is_no_row_is_said(rows: int, way: str) -> None:
    column = table({"key": np.arange(rows)}).columns["key"]
    fields: Any = {"drawn": {}, "as they lie": {"shuffle": False}, "by order": {"order": "key"}}[way]
    for name in ("validation", "test"):
        with pytest.raises(EmptySplit, match=f"0.05 of the {rows} rows that can be used is none") as raised:
            split_rows(Split(**{name: 0.05}, **fields), np.arange(rows), None, {"key": column})
        assert raised.value.errors[0][0] == f"/split/{name}"
    with pytest.raises(EmptySplit, match=f"of {rows} rows {rows} for validation leave none to train on"):
        split_rows(Split(validation=0.99, **fields), np.arange(rows), None, {"key": column})


def test_one_row_of_each_class_leaves_none_to_set_apart() -> None:
    split = Split(validation=0.2, test=0.2, stratify=True)
    with pytest.raises(EmptySplit, match="10 for validation and 10 for test leave too few for one of each of 45 classes"):
        split_rows(split, np.arange(50), np.minimum(np.arange(50), 44))
    rows = split_rows(split, np.arange(75), np.minimum(np.arange(75), 44))
    assert tuple(map(len, rows.values())) == (45, 15, 15)


def test_small_classes_stay_to_be_learned() -> None:
    labels = np.array([0] * 20 + [1] + [2] * 2)
    rows = split_rows(Split(validation=0.4, test=0.4, stratify=True), np.arange(23), labels)
    assert np.bincount(labels[rows["train"]], minlength=3).tolist() == [3, 1, 1]
    assert np.bincount(labels[rows["validation"]], minlength=3).tolist() == [8, 0, 1]
    assert np.bincount(labels[rows["test"]], minlength=3).tolist() == [9, 0, 0]


def test_the_seed_draws_the_rows() -> None:
    splits = [split_rows(Split(validation=0.3, seed=seed), np.arange(100), None) for seed in (0, 0, 1)]
    assert (splits[0]["train"] == splits[1]["train"]).all()
    assert (splits[0]["train"] != splits[2]["train"]).any()
    assert (np.diff(splits[0]["validation"]) > 1).any()  # not one block of the table


def test_a_split_of_nothing() -> None:
    rows = split_rows(Split(validation=0.0), np.arange(5), None)
    assert {name: len(chosen) for name, chosen in rows.items()} == {"train": 5, "validation": 0, "test": 0}


# --- splits by group and by order ---

HELD = [(0.2, 0.0), (0.2, 0.2), (0.0, 0.3), (0.5, 0.4)]


def by(kind: str, values: Any, **split: Any) -> dict[str, np.ndarray]:
    column = table({"key": values}).columns["key"]
    return split_rows(Split(**{kind: "key"}, **split), np.arange(len(column.values)), None, {"key": column})


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 12), min_size=3, max_size=30), shares=st.sampled_from(HELD), seed=st.integers(0, 2**31),
    words=st.booleans(),
)  # fmt: skip
def test_a_group_is_in_one_part_alone(sizes: list[int], shares: tuple[float, float], seed: int, words: bool) -> None:
    groups = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    cells = [f"g{group}" for group in groups] if words else groups
    rows = by("group", cells, validation=shares[0], test=shares[1], seed=seed)
    assert sorted(np.concatenate(list(rows.values())).tolist()) == list(range(len(groups)))
    parts = [set(groups[chosen].tolist()) for chosen in rows.values()]
    assert not (parts[0] & parts[1] or parts[0] & parts[2] or parts[1] & parts[2])
    for share, (name, chosen) in zip((None, *shares), rows.items(), strict=True):
        assert bool(len(chosen)) == (share != 0), name
        if share is not None:
            assert len(chosen) <= share * len(groups) + max(sizes)
    again = by("group", cells, validation=shares[0], test=shares[1], seed=seed)
    assert all((rows[name] == again[name]).all() for name in rows)


def test_groups_come_as_near_to_a_share_as_scikit_learns() -> None:
    groups = np.repeat(np.arange(40), 5)
    rows = by("group", groups, validation=0.25)
    (_, expected), *_ = GroupShuffleSplit(1, test_size=0.25, random_state=0).split(groups, groups=groups)
    assert len(rows["validation"]) == len(expected) == 50
    drawn = {tuple(by("group", groups, validation=0.25, seed=seed)["validation"]) for seed in range(5)}
    assert len(drawn) == 5


def test_too_few_groups_are_said() -> None:
    with pytest.raises(UnusableData, match="column 'key' holds 2 groups, too few for 3 parts") as raised:
        by("group", ["a"] * 30 + ["b"] * 30, validation=0.2, test=0.2)
    assert raised.value.errors[0][0] == "/split/group"


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), shares=st.sampled_from(HELD), words=st.booleans())
def test_by_order_the_last_rows_test(seed: int, shares: tuple[float, float], words: bool) -> None:
    days = np.random.default_rng(seed).integers(1, 29, 60)
    cells = [f"2013-01-{day:02}" for day in days] if words else days
    rows = by("order", cells, validation=shares[0], test=shares[1])
    assert {name: len(chosen) for name, chosen in rows.items()} == {
        "train": 60 - round(shares[0] * 60) - round(shares[1] * 60),
        "validation": round(shares[0] * 60),
        "test": round(shares[1] * 60),
    }
    edges = [days[rows[name]] for name in ("train", "validation", "test") if len(rows[name])]
    assert all(earlier.max() <= later.min() for earlier, later in pairwise(edges))
    order = np.concatenate([rows[name][np.argsort(days[rows[name]], kind="stable")] for name in rows])
    np.testing.assert_array_equal(order, np.argsort(days, kind="stable"))  # rows of one day stay as in the file


def test_unshuffled_rows_are_taken_as_they_lie() -> None:
    rows = split_rows(Split(validation=0.2, test=0.3, shuffle=False), np.arange(3, 13), None)
    assert {name: chosen.tolist() for name, chosen in rows.items()} == {
        "train": [3, 4, 5, 6, 7], "validation": [8, 9], "test": [10, 11, 12],
    }  # fmt: skip
