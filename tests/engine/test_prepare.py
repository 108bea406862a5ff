from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import GroupShuffleSplit

from engine.errors import UnusableData
from engine.prepare import Prepared, prepare, split_rows
from engine.samples import IrisSample
from engine.training import Split
from tests.engine import Table, completed, prepared, table

IRIS = table(IrisSample().columns())
LINE = {"kind": "linear_regression"}


# --- splits ---


@settings(max_examples=60, deadline=None)
@given(
    counts=st.lists(st.integers(1, 40), min_size=1, max_size=5), validation=st.floats(0, 0.6), test=st.floats(0, 0.39),
    seed=st.integers(0, 2**31), stratify=st.booleans(), dropped=st.integers(0, 5),
)  # fmt: skip
def test_a_split_is_a_partition(
    counts: list[int], validation: float, test: float, seed: int, stratify: bool, dropped: int
) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    usable = np.delete(np.arange(len(labels) + dropped), np.arange(dropped))
    split = Split(validation=validation, test=test, stratify=stratify, seed=seed)
    rows = split_rows(split, usable, labels)
    assert list(rows) == ["train", "validation", "test"]
    assert sorted(np.concatenate(list(rows.values())).tolist()) == usable.tolist()
    for chosen in rows.values():
        assert (np.diff(chosen) > 0).all()  # in the table's order
    assert len(rows["train"]) >= 1
    again = split_rows(split, usable, labels)
    assert all((rows[name] == again[name]).all() for name in rows)
    groups = [np.flatnonzero(labels == label) for label in range(len(counts))] if stratify else [np.arange(len(labels))]
    for group in groups:
        members = set(usable[group].tolist())
        assert members & set(rows["train"].tolist()), "each class has a row to learn from"
        for name, share in (("validation", validation), ("test", test)):
            got = len(members & set(rows[name].tolist()))
            assert got <= round(share * len(group))
            if len(group) >= 10:
                assert abs(got - share * len(group)) <= 1.5


def test_shares_of_iris() -> None:
    posed = prepared(IRIS, target="species", model={"kind": "mlp"}, split={"validation": 0.2, "test": 0.1})
    species = IRIS.columns["species"].values
    for name, each in (("train", 35), ("validation", 10), ("test", 5)):
        assert np.bincount(species[posed.rows[name]]).tolist() == [each] * 3


def test_unstratified_shares_are_of_the_whole() -> None:
    split = {"validation": 0.2, "test": 0.1, "stratify": False}
    posed = prepared(IRIS, target="species", model={"kind": "mlp"}, split=split)
    assert {name: len(rows) for name, rows in posed.rows.items()} == {"train": 105, "validation": 30, "test": 15}
    assert len(set(np.bincount(IRIS.columns["species"].values[posed.rows["validation"]]))) > 1


def test_small_classes_stay_to_be_learned() -> None:
    labels = np.array([0] * 20 + [1] + [2] * 2)
    rows = split_rows(Split(validation=0.4, test=0.4, stratify=True), np.arange(23), labels)
    assert np.bincount(labels[rows["train"]], minlength=3).tolist() == [4, 1, 1]
    assert np.bincount(labels[rows["validation"]], minlength=3).tolist() == [8, 0, 1]
    assert np.bincount(labels[rows["test"]], minlength=3).tolist() == [8, 0, 0]


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


def test_a_job_reads_the_columns_that_its_split_names() -> None:
    cells = {"day": list(range(60, 0, -1)), "x": np.arange(60.0), "y": np.arange(60.0), "who": [f"p{n % 6}" for n in range(60)]}
    posed = prepared(table(cells), target="y", features=["x"], model=LINE, split={"order": "day", "validation": 0.5})
    assert posed.rows["validation"].tolist() == list(range(30))
    assert posed.features.names == ["x"]
    assert prepared(table(cells), target="y", model=LINE, split={"order": "day"}).features.names[:2] == ["day", "x"]
    assert prepared(table(cells), target="y", model=LINE, split={"order": "who"}).features.names == ["day", "x"]
    posed = prepared(table(cells), target="y", model=LINE, split={"group": "who"})
    assert posed.features.names == ["day", "x"]  # the group is no feature unless it is asked for
    assert len(posed.rows["validation"]) == 10
    posed = prepared(table(cells), target="y", features=["x", "who"], model=LINE, split={"group": "who"})
    assert posed.features.width == 6
    assert posed.kinds == {"x": "numeric", "who": "categorical", "y": "numeric"}


def test_training_rows_of_one_class_are_said() -> None:
    data = table({"x": np.arange(60.0), "y": ["a"] * 50 + ["b"] * 10})
    with pytest.raises(UnusableData, match="50 training rows hold one class only") as raised:
        prepared(data, target="y", model={"kind": "logistic_regression"}, split={"shuffle": False, "validation": 1 / 6})
    assert raised.value.errors[0][0] == "/split"


# --- what is fitted, is fitted on the training rows ---


def mixed(rng: np.random.Generator, rows: int) -> dict[str, list[Any]]:
    cells: dict[str, list[Any]] = {
        "size": rng.normal(5, 2, rows).tolist(), "kind": rng.choice(["a", "b", "c"], rows).tolist(),
        "road": rng.choice(["yes", "no"], rows).tolist(), "y": rng.normal(0, 1, rows).tolist(),
    }  # fmt: skip
    for name in ("size", "kind"):
        for row in rng.choice(rows, rows // 8, replace=False):
            cells[name][row] = None
    return cells


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**31), missing=st.sampled_from(["mean", "median", "most_frequent"]),
    scaling=st.sampled_from(["none", "mean_normalization", "standard", "min_max"]),
)  # fmt: skip
def test_validation_and_test_rows_teach_nothing(seed: int, missing: str, scaling: str) -> None:
    rng = np.random.default_rng(seed)
    rows = 60
    cells = mixed(rng, rows)
    request: dict[str, Any] = {
        "target": "y", "model": LINE, "split": {"validation": 0.3, "test": 0.1, "seed": seed},
        "preprocessing": {"missing": missing, "scaling": scaling},
    }  # fmt: skip
    first = prepared(table(cells), **request)
    held = np.concatenate([first.rows["validation"], first.rows["test"]])
    wild: dict[str, list[Any]] = {name: list(column) for name, column in cells.items()}
    for row in held:
        wild["size"][row] = float(rng.choice([1e6, -1e6]))
        wild["kind"][row] = str(rng.choice(["never", "seen", "a"]))
        wild["road"][row] = str(rng.choice(["perhaps", "yes"]))
        wild["y"][row] = 1e9
    moved = rng.permutation(held)
    for name in wild:  # and in another order
        for at, value in zip(held, [wild[name][row] for row in moved], strict=True):
            wild[name][at] = value
    second = prepared(table(wild), **request)
    assert second.features == first.features
    np.testing.assert_array_equal(second.problem.train.X, first.problem.train.X)
    np.testing.assert_array_equal(second.problem.train.Y, first.problem.train.Y)
    np.testing.assert_array_equal(second.problem.network.parameters.theta, first.problem.network.parameters.theta)
    assert second.problem.validation is not None
    assert np.isfinite(second.problem.validation.X).all()


def test_more_validation_rows_teach_nothing() -> None:
    """The same training rows, with and without others beside them."""
    cells = mixed(np.random.default_rng(0), 80)
    request: dict[str, Any] = {"target": "y", "model": LINE, "preprocessing": {"missing": "mean"}}
    whole = prepared(table(cells), **request, split={"validation": 0.4})
    alone = {name: [column[row] for row in whole.rows["train"]] for name, column in cells.items()}
    assert prepared(table(alone), **request, split={"validation": 0.0}).features == whole.features


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31), more=st.integers(1, 30), most=st.sampled_from([2, 3, None]))
def test_rows_added_behind_for_validation_teach_nothing(seed: int, more: int, most: int | None) -> None:
    """Of a table that is split by order: whatever is added behind, in whatever order, what was fitted stays to the bit."""
    rng = np.random.default_rng(seed)
    cells = {name: list(column) for name, column in mixed(rng, 40).items()} | {"at": list(range(40))}
    added = {
        name: column + list(later) for (name, column), later in zip(cells.items(), mixed(rng, more).values(), strict=False)
    }
    added["size"][40:] = [1e9] * more
    added["kind"][40:] = ["never seen"] * more
    added["at"] = cells["at"] + rng.permutation(np.arange(40, 40 + more)).tolist()
    preprocessing = {"missing": "mean", "scaling": "standard", "max_categories": most}
    fitted = []
    for data, held in ((cells, 0), (added, more)):
        rows = 40 + held
        split = {"order": "at", "validation": held / rows}
        request: dict[str, Any] = {"target": "y", "model": LINE, "features": ["size", "kind", "road"], "split": split}
        fitted.append(prepared(table(data), **request, preprocessing=preprocessing))
    assert fitted[0].features == fitted[1].features
    np.testing.assert_array_equal(fitted[0].problem.train.X, fitted[1].problem.train.X)


def test_a_fill_is_of_the_training_rows() -> None:
    cells = {"x": [float(row) for row in range(50)] + [None], "y": [0.0] * 50 + [1.0]}
    posed = prepared(
        table(cells), target="y", model=LINE, split={"validation": 0.5}, preprocessing={"missing": "mean", "scaling": "none"}
    )
    train = [row for row in posed.rows["train"] if row < 50]
    assert posed.features.inputs[0].fill == pytest.approx(np.mean(train))


# --- dropped rows ---


def test_rows_with_a_gap_are_dropped() -> None:
    cells = {"x": [1.0, None, 3.0, 4.0], "kind": ["a", "b", None, "b"], "y": [1.0, 2.0, 3.0, None], "other": [None] * 4}
    posed = prepared(
        table(cells), target="y", features=["x", "kind"], model=LINE, preprocessing={"missing": "drop", "scaling": "none"}
    )
    assert posed.rows["train"].tolist() == [0]
    assert posed.problem.train.rows == 1


def test_nothing_left_is_said() -> None:
    data = table({"x": [1.0, None], "y": [None, 2.0]})
    with pytest.raises(UnusableData, match="leaves 0 rows") as raised:
        prepared(data, target="y", model=LINE, preprocessing={"missing": "drop"})
    assert raised.value.errors[0][0] == "/preprocessing/missing"
    data = table({"x": [1.0, None, 2.0], "y": ["a", "b", "a"]})
    with pytest.raises(UnusableData, match="rows of one class only"):
        prepared(data, target="y", model={"kind": "logistic_regression"}, preprocessing={"missing": "drop"})


@pytest.mark.parametrize("model", ["logistic_regression", "mlp"])
def test_a_class_that_is_dropped_with_its_rows_is_gone(model: str) -> None:
    data = table({"x": [1.0, 2.0, None, 4.0, 5.0], "y": ["a", "b", "c", "a", "b"]})
    posed = prepared(data, target="y", model={"kind": model}, preprocessing={"missing": "drop"})
    assert posed.target.classes == ("a", "b")
    assert posed.problem.train.Y.shape == (4, posed.problem.network.outputs)


# --- class weights ---


def weights(request: Any, cells: list[Any]) -> np.ndarray:
    data = table({"x": [float(row) for row in range(len(cells))], "y": cells})
    posed = prepared(
        data, target="y", task="classification", model={"kind": "mlp"}, class_weight=request, split={"validation": 0.0}
    )
    assert posed.problem.train.weights is not None
    return posed.problem.train.weights


def test_balanced_weights() -> None:
    found = weights("balanced", ["a"] * 6 + ["b"] * 3 + ["c"])
    np.testing.assert_allclose(found, [10 / 18] * 6 + [10 / 9] * 3 + [10 / 3], rtol=1e-6)
    assert found.mean() == pytest.approx(1, rel=1e-6)


def test_weights_by_class() -> None:
    np.testing.assert_array_equal(weights({"a": 3.0}, ["a", "b", "a"]), [3, 1, 3])
    np.testing.assert_array_equal(weights({"1": 0.5, "2": 2.0}, [1, 2, 1]), [0.5, 2, 0.5])
    np.testing.assert_array_equal(weights({"True": 4.0}, [True, False]), [4, 1])


def test_a_weight_for_no_class() -> None:
    with pytest.raises(UnusableData, match="no class 'a/c' in column 'y'; there are a, b") as raised:
        weights({"a": 1.0, "a/c": 2.0}, ["a", "b", "a"])
    assert raised.value.errors[0][0] == "/class_weight/a~1c"


def test_validation_rows_are_not_weighted() -> None:
    posed = prepared(IRIS, target="species", model={"kind": "mlp"}, class_weight={"setosa": 5.0})
    assert posed.problem.validation is not None
    assert posed.problem.validation.weights is None
    assert posed.problem.train.weights is not None
    assert len(posed.problem.train.weights) == posed.problem.train.rows == 120


# --- the network ---


def shape_of(data: Table, **request: Any) -> list[tuple[int, int]]:
    posed: Prepared = prepared(data, **request)
    return [(layer.inputs, layer.outputs) for layer in posed.problem.network.layers]


def test_as_many_outputs_as_the_loss_asks_for() -> None:
    two = table({"x": [1.0, 2.0, 3.0], "y": ["a", "b", "a"]})
    logistic = {"kind": "logistic_regression"}
    mlp = {"kind": "mlp", "hidden": [{"units": 5}]}
    assert shape_of(two, target="y", model=logistic) == [(1, 1)]
    assert shape_of(two, target="y", model={"kind": "perceptron"}) == [(1, 1)]
    assert shape_of(two, target="y", model=mlp) == [(1, 5), (5, 1)]
    assert shape_of(two, target="y", model=mlp, loss={"kind": "cross_entropy"}) == [(1, 5), (5, 2)]
    assert shape_of(two, target="y", model=mlp, loss={"kind": "hinge"}) == [(1, 5), (5, 2)]
    assert shape_of(IRIS, target="species", model=logistic) == [(4, 3)]
    assert shape_of(IRIS, target="species", model={**logistic, "multi_class": "one_vs_rest"}) == [(4, 3)]
    assert shape_of(IRIS, target="species", model=mlp, loss={"kind": "binary_cross_entropy"}) == [(4, 5), (5, 3)]
    assert shape_of(IRIS, target="petal_width", model=LINE) == [(6, 1)]
    assert shape_of(IRIS, target="petal_width", features=["petal_length"], model=LINE) == [(1, 1)]


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_matrices_are_of_the_asked_precision(precision: str) -> None:
    posed = prepared(IRIS, target="species", model={"kind": "mlp"}, precision=precision, class_weight="balanced")
    train, validation = posed.problem.train, posed.problem.validation
    assert validation is not None
    assert {str(a.dtype) for a in (train.X, train.Y, train.weights, validation.X, validation.Y)} == {precision}
    assert str(posed.problem.network.parameters.theta.dtype) == precision


def test_columns_may_hold_more_than_the_spec_reads() -> None:
    spec = completed(IRIS, target="petal_width", features=["petal_length"], model=LINE)
    few = {name: IRIS.columns[name] for name in ("petal_length", "petal_width")}
    np.testing.assert_array_equal(prepare(spec, few).problem.train.X, prepare(spec, IRIS.columns).problem.train.X)
