import dataclasses
from typing import Any

import numpy as np
import pytest

from engine.errors import UnusableData
from engine.parts.losses import Loss
from engine.parts.scaling import NoScaling
from engine.spec import kind_of, members
from engine.tables.features import MOST_RARE, Column, Features
from engine.tables.samples import BlobsSample, HousePricesSample, IrisSample
from engine.training.predict import MAX_PROBLEMS, Predictor, columns_of, unread, unseen
from tests.engine import prepared, table, trained

IRIS = table(IrisSample().columns())
MLP = {"kind": "mlp", "hidden": [{"units": 5, "activation": "tanh", "dropout": 0.2}]}
CLASSIFIERS: list[dict[str, Any]] = [
    {"model": {"kind": "logistic_regression"}},
    {"model": {"kind": "logistic_regression", "multi_class": "one_vs_rest"}},
    {"model": {"kind": "logistic_regression", "solver": "gradient_descent"}},
    *({"model": MLP, "loss": {"kind": kind_of(cls)}} for cls in members(Loss) if "classification" in cls.tasks),  # type: ignore[attr-defined]
]
many_classifiers = pytest.mark.parametrize("request_", CLASSIFIERS, ids=lambda request: str([*request.values()])[:60])


# --- predictions ---


@many_classifiers
@pytest.mark.parametrize("classes", [2, 3])
def test_predictions_of_the_training_rows_are_the_networks(request_: dict[str, Any], classes: int) -> None:
    data = IRIS if classes == 3 else table({name: column[50:] for name, column in IrisSample().columns().items()})
    run = trained(data, target="species", epochs=20, **request_)
    network, train = run.prepared.problem.network, run.prepared.problem.train
    rows = data.take(run.prepared.rows["train"])
    outputs = run.predictor().outputs(rows)
    np.testing.assert_array_equal(outputs, network.evaluate(train.X))
    found = run.predictor().predict(rows)
    labels = outputs.argmax(axis=1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0).astype(int)
    assert run.prepared.target.classes is not None
    assert found.values == [run.prepared.target.classes[label] for label in labels]
    assert len(run.prepared.target.classes) == classes
    loss = run.prepared.problem.spec.loss
    assert loss is not None
    if not loss.probabilistic:
        assert found.probabilities is None
        return
    assert found.probabilities is not None
    assert tuple(found.probabilities) == run.prepared.target.classes
    P = run.probabilities(rows)
    assert P.shape == (len(labels), classes)
    np.testing.assert_allclose(P.sum(axis=1), 1, rtol=1e-12)
    assert ((P >= 0) & (P <= 1)).all()
    np.testing.assert_array_equal(P.argmax(axis=1), labels)


def test_accuracy_of_predictions_is_what_training_said() -> None:
    run = trained(IRIS, target="species", model={"kind": "logistic_regression"})
    for split in ("train", "validation"):
        rows = run.prepared.rows[split]
        predicted = run.predictor().predict(IRIS.take(rows)).values
        right = np.mean(np.array(predicted) == IrisSample().columns()["species"][rows])
        assert right == pytest.approx(run.last[f"{split}_accuracy"])


def test_a_regression_predicts_numbers_in_the_targets_unit() -> None:
    houses = HousePricesSample(rows=200).columns()
    run = trained(table(houses), target="price", model={"kind": "linear_regression"})
    found = run.predictor().predict(table(houses).columns)
    assert run.prepared.target.classes is None
    assert found.probabilities is None
    assert all(type(value) is float for value in found.values)
    W, b = run.coefficients()
    raw = Features.fit(list(table(houses).columns.values())[1:], "error", prepared(
        table(houses), target="price", model={"kind": "linear_regression"}, preprocessing={"scaling": "none"}
    ).problem.spec.preprocessing.scaling)  # fmt: skip
    np.testing.assert_allclose(found.values, (raw.transform(table(houses).columns) @ W + b)[:, 0], rtol=1e-9)


@pytest.mark.parametrize(
    ("labels", "kind"),
    [([1, 2], int), ([True, False], bool), (["no", "yes"], str), ([10, 20, 30], int), (["a", "b", "c"], str)],
)
def test_labels_are_of_the_columns_own_type(labels: list[Any], kind: type) -> None:
    cells = BlobsSample(rows=60, centers=len(labels), seed=4).columns()
    codes = np.char.replace(cells["blob"], "blob_", "").astype(int)
    data = table({"x1": cells["x1"], "x2": cells["x2"], "y": [labels[code] for code in codes]})
    models = ["logistic_regression", "mlp"] + (["perceptron"] if len(labels) == 2 else [])
    for model in models:
        run = trained(data, target="y", model={"kind": model})
        found = run.predictor().predict(data.columns)
        assert {type(value) for value in found.values} == {kind}
        assert run.prepared.target.classes == tuple(sorted(labels))
        assert (found.probabilities is None) == (model == "perceptron")
        if found.probabilities is not None:
            assert tuple(found.probabilities) == tuple(sorted(labels))
            assert {type(label) for label in found.probabilities} == {kind}
        assert np.mean([a == labels[code] for a, code in zip(found.values, codes, strict=True)]) > 0.8


@pytest.mark.parametrize("multi_class", ["multinomial", "one_vs_rest"])
def test_probabilities_sum_to_1_far_away(multi_class: str) -> None:
    """Where every one-vs-rest model is all but sure that it is not its class."""
    run = trained(IRIS, target="species", model={"kind": "logistic_regression", "multi_class": multi_class})
    names = [name for name in IRIS.columns if name != "species"]
    far = table({name: [1e6, -1e6, 1e300, 0.0] for name in names})
    with np.errstate(over="ignore", invalid="ignore"):
        P = run.probabilities(far.columns)[[0, 1, 3]]
    np.testing.assert_allclose(P.sum(axis=1), 1)
    assert ((P >= 0) & (P <= 1)).all()


def test_a_model_trained_on_a_card_predicts_without_one() -> None:
    run = trained(IRIS, target="species", model={"kind": "mlp"}, epochs=2)
    ours = run.predictor()
    card = dataclasses.replace(ours.training, device="cuda")
    theirs = Predictor(card, ours.features, ours.target, run.theta)
    assert theirs.predict(IRIS.columns).values == ours.predict(IRIS.columns).values
    assert theirs.training.device == "cuda"


def test_theta_is_copied() -> None:
    run = trained(IRIS, target="species", model={"kind": "mlp"}, epochs=2)
    predictor = run.predictor()
    before = predictor.outputs(IRIS.columns)
    run.theta[...] = 0
    np.testing.assert_array_equal(predictor.outputs(IRIS.columns), before)


# --- records ---

HOUSES = table(
    {
        "area": [50.0, 70.0, 90.0, 120.0],
        "rooms": [1, 2, 2, 3],
        "road": ["yes", "no", "yes", "yes"],
        "kind": ["a", "b", "c", "a"],
        "new": [True, False, True, False],
        "price": [1.0, 2.0, 3.0, 4.0],
    }
)
GOOD: dict[str, Any] = {"area": 60.5, "rooms": 2, "road": "no", "kind": "c", "new": True}


def fitted(missing: str = "error") -> Features:
    data = HOUSES
    if missing != "error":
        cells = {"area": [50.0, None, 90.0, 120.0], "kind": ["a", None, "c", "a"], "price": [1.0, 2.0, 3.0, 4.0]}
        data = table(cells)
    request: dict[str, Any] = {"target": "price", "model": {"kind": "linear_regression"}}
    return prepared(data, **request, preprocessing={"missing": missing, "scaling": "none"}).features


def refused(*records: dict[str, Any], features: Features | None = None) -> list[tuple[str, str]]:
    with pytest.raises(UnusableData) as raised:
        columns_of(features or fitted(), records)
    return raised.value.errors


def encoded(*records: dict[str, Any], missing: str = "error") -> list[list[float]]:
    features = fitted(missing)
    rows: list[list[float]] = features.transform(columns_of(features, records)).tolist()
    return rows


def test_good_records() -> None:
    assert fitted().names == ["area", "rooms", "road=yes", "kind=a", "kind=b", "kind=c", "new"]
    assert encoded(GOOD) == [[60.5, 2, 0, 0, 0, 1, 1]]
    assert encoded({**GOOD, "new": 0, "rooms": 2.5, "road": "yes"}, GOOD) == [
        [60.5, 2.5, 1, 0, 0, 1, 0],
        [60.5, 2, 0, 0, 0, 1, 1],
    ]
    assert encoded() == []


def test_records_are_the_columns_that_they_came_from() -> None:
    cells = {name: column for name, column in HOUSES.columns.items() if name != "price"}
    words = {name: list(np.array(column.categories)[column.values]) for name, column in cells.items() if column.categories}
    records = [
        {name: str(words[name][row]) if name in words else float(column.values[row]) for name, column in cells.items()}
        for row in range(4)
    ]
    assert encoded(*records) == fitted().transform(HOUSES.columns).tolist()


def test_an_unseen_category_is_none_of_them() -> None:
    assert encoded({**GOOD, "kind": "zebra", "road": "perhaps"}) == [[60.5, 2, 0, 0, 0, 0, 1]]
    assert encoded({**GOOD, "kind": "\0unseen"}) == [[60.5, 2, 0, 0, 0, 0, 1]]


def test_unknown_and_missing_columns() -> None:
    assert refused(GOOD, {**GOOD, "color": "red", "age": 3}) == [
        ("/records/1/color", "the model knows no column 'color'; it reads area, rooms, road, kind, new"),
        ("/records/1/age", "the model knows no column 'age'; it reads area, rooms, road, kind, new"),
    ]
    assert [at for at, _ in refused({})] == [f"/records/0/{name}" for name in GOOD]
    assert refused({**GOOD, "area": None}) == [("/records/0/area", "column 'area' is missing; give it a value")]
    assert refused({**GOOD, "kind": None})[0][0] == "/records/0/kind"
    assert [at for at, _ in refused({**GOOD, "price": 3})] == ["/records/0/price"]  # the answer is no question


@pytest.mark.parametrize(
    "cell", ["sixty", "1_0", "inf", [1], {"a": 1}, float("nan"), float("inf"), -float("inf"), 10**400, -(2**1025), 1j]
)
def test_what_is_no_finite_number(cell: Any) -> None:
    errors = refused(GOOD, {**GOOD, "area": cell})
    assert [at for at, _ in errors] == ["/records/1/area"]
    assert "column 'area' takes a finite number, not" in errors[0][1]


@pytest.mark.parametrize(
    ("name", "cell", "as_json"),
    [
        ("area", "60.5", 60.5), ("area", " 6.05e1 ", 60.5), ("rooms", "2", 2), ("new", "yes", True), ("new", "FALSE", False),
        ("new", "1", True), ("new", 0.0, False), ("new", " no", False), ("kind", "c", "c"),
    ],
)  # fmt: skip
def test_cells_may_be_the_text_that_stood_in_the_file(name: str, cell: Any, as_json: Any) -> None:
    assert encoded({**GOOD, name: cell}) == encoded({**GOOD, name: as_json})


@pytest.mark.parametrize("cell", [2, 0.5, "perhaps", "2", [True]])
def test_what_is_neither_yes_nor_no(cell: Any) -> None:
    ((at, detail),) = refused({**GOOD, "new": cell})
    assert at == "/records/0/new"
    assert "column 'new' takes yes or no (false, no" in detail
    assert repr(cell) in detail


@pytest.mark.parametrize("cell", ["", " ", "NA", "null", "?", "NaN"])
def test_what_a_file_says_for_nothing_is_missing(cell: str) -> None:
    for name in ("area", "kind"):
        assert refused({**GOOD, name: cell}) == [(f"/records/0/{name}", f"column '{name}' is missing; give it a value")]
    assert encoded({"area": cell, "kind": cell}, missing="mean") == encoded({}, missing="mean")


def test_such_a_word_may_be_a_category() -> None:
    data = table({"kind": ["NA", "b", "c", "NA"], "y": [1.0, 2.0, 3.0, 4.0]})
    features = prepared(data, target="y", model={"kind": "linear_regression"}).features
    assert features.transform(columns_of(features, [{"kind": "NA"}])).tolist() == [[1, 0, 0]]
    assert refused({"kind": "?"}, features=features)[0][0] == "/records/0/kind"


def test_numbers_name_categories_of_a_code() -> None:
    data = table({"zip": ["8001", "8002", "8003", "8001"], "y": [1.0, 2.0, 3.0, 4.0]})
    features = prepared(data, target="y", model={"kind": "linear_regression"}).features
    records = [{"zip": cell} for cell in ("8002", 8002, 8002.0)]
    assert features.transform(columns_of(features, records)).tolist() == [[0, 1, 0]] * 3


def test_a_list_is_no_category() -> None:
    ((at, detail),) = refused({**GOOD, "kind": ["a"]})
    assert (at, detail) == ("/records/0/kind", "column 'kind' takes a word or a number, not ['a']")


def test_unseen_categories_are_told() -> None:
    features = fitted()
    records = [{**GOOD, "kind": "zebra"}, {**GOOD, "kind": "zebra"}, {**GOOD, "road": "x" * 99}, GOOD]
    found = unseen(features, records)
    assert [(column, code) for column, code, _ in found] == [("road", "UNSEEN_CATEGORY"), ("kind", "UNSEEN_CATEGORY")]
    assert "no training row held 'zebra' in column 'kind', in 2 records here; it is none of those" in found[1][2]
    assert "x" * 51 not in found[0][2]
    assert unseen(features, [GOOD]) == []
    cells = {"kind": ["a"] * 3 + ["b"] * 3 + ["c"] * 2 + ["d"], "y": list(range(9))}
    folded = prepared(
        table(cells), target="y", model={"kind": "linear_regression"}, preprocessing={"max_categories": 2}
    ).features
    ((_, code, detail),) = unseen(folded, [{"kind": "zebra"}])
    assert (code, detail) == (
        "UNSEEN_CATEGORY",
        "no training row held 'zebra' in column 'kind', in 1 records here; it counts as kind=other",
    )
    assert folded.transform(columns_of(folded, [{"kind": "zebra"}, {"kind": "c"}])).tolist() == [[0, 0, 1]] * 2


def folded(most: int, words: list[str]) -> Features:
    data = table({"kind": words, "y": [float(row) for row in range(len(words))]})
    settings = {"max_categories": most}
    whole = {"validation": 0.0}
    return prepared(data, target="y", model={"kind": "linear_regression"}, preprocessing=settings, split=whole).features


def test_a_category_that_training_rows_held_is_not_called_unseen() -> None:
    features = folded(2, ["a"] * 3 + ["b"] * 3 + ["c"] * 2 + ["other"] * 9)
    assert features.inputs[0].rare == ("c", "other")
    for word in ("c", "other"):
        ((_, code, detail),) = unseen(features, [{"kind": word}])
        assert code == "RARE_CATEGORY"
        assert "training rows held it, but only 2 categories have one; it counts as kind=other" in detail
    assert unseen(features, [{"kind": "a"}]) == []
    assert unseen(features, [{"kind": "zebra"}])[0][1] == "UNSEEN_CATEGORY"


def test_where_the_rare_categories_are_not_known_nothing_is_claimed_of_them() -> None:
    """They are not of a model that was stored before, nor where they are too many to be kept."""
    many = folded(2, [str(word) for word in range(MOST_RARE + 3)] * 2)
    before = Features((dataclasses.replace(folded(2, ["a", "a", "b", "b", "c"]).inputs[0], rare=None),))
    for features in (many, before):
        assert features.inputs[0].rare is None
        ((_, code, detail),) = unseen(features, [{"kind": "c"}])
        assert code == "UNSEEN_CATEGORY"
        assert "no training row held it, or too few did; it counts as kind=other" in detail


def test_columns_of_the_table_that_are_no_features_may_be_carried() -> None:
    features = fitted()
    records = [{**GOOD, "price": 3}, {**GOOD, "id": "x", "price": None}]
    columns = columns_of(features, records, {"price", "id"})
    assert features.transform(columns).tolist() == encoded(GOOD, GOOD)
    (told,) = unread(features, records)
    assert (told["code"], told["columns"]) == ("COLUMNS_NOT_READ", ["price", "id"])
    assert unread(features, [GOOD]) == []
    with pytest.raises(UnusableData) as caught:
        columns_of(features, [{**GOOD, "color": 1}], {"price", "id"})
    assert [at for at, _ in caught.value.errors] == ["/records/0/color"]


def test_arrays_are_lists() -> None:
    cells = np.arange(24.0).reshape(4, 6)
    image = Column("pixels", "image", cells, shape=(2, 3))
    features = Features.fit([image], "error", NoScaling())
    for given in ([[0, 1, 2], [3, 4, 5]], [0, 1, 2, 3, 4, 5]):
        assert features.transform(columns_of(features, [{"pixels": given}])).tolist() == [[0, 1, 2, 3, 4, 5]]
    for wrong in ([[0, 1], [2, 3]], [[0, 1, 2], [3, 4]], 5, "012345", [[0, 1, 2], [3, 4, "x"]], [[0, 1, 2], [3, 4, None]], {}):
        ((at, detail),) = refused({"pixels": wrong}, features=features)
        assert at == "/records/0/pixels"
        assert "takes an array of 2 × 3 finite numbers" in detail
    assert refused({"pixels": None}, features=features)[0][1] == "column 'pixels' is missing; give it a value"


def test_large_whole_numbers_are_numbers() -> None:
    assert encoded({**GOOD, "area": 2**70})[0][0] == 2.0**70


def test_a_long_cell_is_cut_short() -> None:
    assert len(refused({**GOOD, "area": "x" * 10_000})[0][1]) < 150


def test_every_wrong_cell_is_named() -> None:
    errors = refused({**GOOD, "area": "a", "rooms": "b"}, {**GOOD, "new": "c"})
    assert sorted(at for at, _ in errors) == ["/records/0/area", "/records/0/rooms", "/records/1/new"]


def test_problems_are_named_up_to_a_limit() -> None:
    assert len(refused(*[{**GOOD, "area": "a"}] * 1000)) == MAX_PROBLEMS
    assert len(refused(*[{}] * 1000)) == MAX_PROBLEMS


def test_names_are_escaped_in_pointers() -> None:
    data = table({"m/s~2": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 3.5]})
    features = prepared(data, target="y", model={"kind": "linear_regression"}).features
    assert refused({"m/s~2": "fast"}, features=features)[0][0] == "/records/0/m~1s~02"
    assert refused({}, features=features)[0][0] == "/records/0/m~1s~02"
    assert refused({"m/s~2": 1, "a/b": 2}, features=features)[0][0] == "/records/0/a~1b"


def test_gaps_are_filled_as_in_training() -> None:
    mean = 260 / 3
    assert encoded({}, {"area": None, "kind": "c"}, {"area": 1.0, "kind": None}, missing="mean") == [
        [pytest.approx(mean), 0], [pytest.approx(mean), 1], [1, 0],
    ]  # fmt: skip
