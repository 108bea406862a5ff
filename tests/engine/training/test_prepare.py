from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import UnusableData
from engine.tables.samples import IrisSample
from engine.training.prepare import Prepared, prepare
from tests.engine import Table, completed, prepared, table

IRIS = table(IrisSample().columns())
LINE = {"kind": "linear_regression"}


# --- splits ---


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
