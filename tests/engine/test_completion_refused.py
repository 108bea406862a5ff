from typing import Any

import pytest

from engine.tables.features import ColumnSummary
from tests.engine import Table, completed, refusals, table

SMALL = table({"x": [1.0, 2.0, 3.0, 4.0], "n": [1, 2, 3, 4], "word": ["a", "b", "a", "b"], "flag": [True, False, True, True]})


def pointers(data: Table, **request: Any) -> list[str]:
    return [at for at, _ in refusals(data, **request)]


# --- what is refused, and where ---

WORD, NUMBER = {"target": "word"}, {"target": "x"}
LINE, LOGISTIC = {"model": {"kind": "linear_regression"}}, {"model": {"kind": "logistic_regression"}}
MLP, PERCEPTRON = {"model": {"kind": "mlp"}}, {"model": {"kind": "perceptron"}}
DESCENT = {"solver": "gradient_descent"}
REFUSED: list[tuple[dict[str, Any], list[str]]] = [
    ({**NUMBER, **MLP, "split": {"group": "nothing"}}, ["/split/group"]),
    ({**NUMBER, **MLP, "split": {"order": "nothing"}}, ["/split/order"]),
    ({**WORD, **MLP, "split": {"group": "x"}}, ["/split/group"]),
    ({**NUMBER, **MLP, "split": {"group": "n", "order": "n"}}, ["/split/group"]),
    ({**NUMBER, **MLP, "split": {"group": "n", "shuffle": False}}, ["/split/group"]),
    ({**NUMBER, **MLP, "split": {"order": "n", "shuffle": True}}, ["/split/shuffle"]),
    ({**WORD, **MLP, "split": {"order": "n", "stratify": True}}, ["/split/stratify"]),
    ({**WORD, **MLP, "split": {"group": "n", "stratify": True}}, ["/split/stratify"]),
    ({**WORD, **MLP, "split": {"shuffle": False, "stratify": True}}, ["/split/stratify"]),
    ({"target": "nothing", **MLP}, ["/target"]),
    ({**WORD, **LINE}, ["/target"]),
    ({**NUMBER, **LOGISTIC}, ["/target"]),
    ({**NUMBER, **PERCEPTRON}, ["/target", "/target"]),
    ({"target": "n", **PERCEPTRON}, ["/target"]),
    ({**WORD, **MLP, "task": "regression"}, ["/target"]),
    ({**NUMBER, **MLP, "task": "classification"}, ["/target"]),
    ({**WORD, **LOGISTIC, "task": "regression"}, ["/task", "/target"]),
    ({**NUMBER, **LINE, "task": "classification"}, ["/task", "/target"]),
    ({"target": "one", **LOGISTIC}, ["/target"]),
    ({**WORD, **MLP, "features": ["x", "nothing"]}, ["/features/1"]),
    ({**WORD, **MLP, "features": ["word", "x"]}, ["/features/0"]),
    ({**WORD, **MLP, "features": ["x", "n", "x"]}, ["/features/2"]),
    ({**WORD, **MLP, "features": ["x", "text"]}, ["/features/1"]),
    ({**WORD, **MLP, "features": ["nothing", "word", "text"]}, ["/features/0", "/features/1", "/features/2"]),
    ({**NUMBER, **MLP, "class_weight": "balanced"}, ["/class_weight"]),
    ({"target": ["x", "nothing"], **MLP}, ["/target/1"]),
    ({"target": ["nothing", "x", "none"], **MLP}, ["/target/0", "/target/2"]),
    ({"target": ["x", "n", "x"], **MLP}, ["/target/2"]),
    ({"target": ["x", "x", "nothing"], **LINE}, ["/target/1", "/target/2"]),
    ({"target": ["x", "word"], **MLP}, ["/target/1"]),
    ({"target": ["text", "x", "word"], **LINE}, ["/target/0", "/target/2"]),
    ({"target": ["word"], **LINE}, ["/target/0"]),
    ({"target": ["word", "x"], **MLP, "task": "tagging"}, ["/target/1"]),
    ({"target": ["n", "word", "one"], **MLP, "task": "tagging"}, ["/target/0", "/target/2"]),
    ({"target": "x", **MLP, "task": "tagging"}, ["/target"]),
    ({"target": ["word", "flag"], **MLP, "task": "classification"}, ["/target"]),
    ({"target": ["word", "one"], **MLP, "task": "classification"}, ["/target", "/target/1"]),
    ({"target": ["word", "flag"], **LOGISTIC}, ["/target"]),
    ({"target": ["word", "flag"], **PERCEPTRON}, ["/target"]),
    ({"target": ["word", "flag"], **LOGISTIC, "task": "tagging"}, ["/task"]),
    ({"target": ["n", "flag"], **LINE, "task": "tagging"}, ["/task", "/target/0"]),
    ({"target": ["word", "flag"], **MLP, "features": ["x", "flag", "word"]}, ["/features/1", "/features/2"]),
    ({"target": ["x", "n"], **MLP, "class_weight": "balanced"}, ["/class_weight"]),
    ({"target": ["word", "flag"], **MLP, "class_weight": "balanced"}, ["/class_weight"]),
    ({"target": ["word", "flag"], **MLP, "split": {"stratify": True}}, ["/split/stratify"]),
    ({"target": ["x", "n"], **MLP, "split": {"stratify": True}}, ["/split/stratify"]),
    ({"target": ["word", "flag"], **MLP, "loss": {"kind": "cross_entropy"}}, ["/loss"]),
    ({"target": ["word", "flag"], **MLP, "loss": {"kind": "mse"}}, ["/loss"]),
    ({"target": ["x", "n"], **MLP, "loss": {"kind": "binary_cross_entropy"}}, ["/loss"]),
    ({**WORD, **MLP, "loss": {"kind": "mse"}}, ["/loss"]),
    ({**NUMBER, **MLP, "loss": {"kind": "cross_entropy"}}, ["/loss"]),
    ({**WORD, **LOGISTIC, "loss": {"kind": "hinge"}}, ["/loss"]),
    ({**WORD, **LOGISTIC, "loss": {"kind": "cross_entropy"}}, ["/loss"]),
    ({**NUMBER, **LINE, "loss": {"kind": "mse"}}, ["/loss"]),
    ({**WORD, "model": {**LOGISTIC["model"], **DESCENT}, "regularization": {}}, ["/regularization"]),
    ({**NUMBER, **LINE, "precision": "float32"}, ["/precision"]),
    ({**WORD, **LOGISTIC, "precision": "float32"}, ["/precision"]),
    ({**WORD, **PERCEPTRON, "precision": "float32"}, ["/precision"]),
    ({**NUMBER, **LINE, "device": "cuda"}, ["/device"]),
    ({**WORD, **PERCEPTRON, "device": "cuda"}, ["/device"]),
    ({**WORD, **MLP, "split": {"validation": 0.6, "test": 0.4}}, ["/split"]),
    ({**WORD, **MLP, "split": {"validation": 0.1}}, ["/split/validation"]),
    ({**WORD, **MLP, "split": {"test": 0.1}}, ["/split/test"]),
    ({**NUMBER, **MLP, "split": {"stratify": True}}, ["/split/stratify"]),
    ({**WORD, **MLP, "early_stopping": {}}, ["/early_stopping/monitor"]),
    ({**WORD, **MLP, "early_stopping": {}, "split": {"validation": 0.0}}, ["/early_stopping/monitor"]),
    ({**WORD, **MLP, "epochs": 1001, "record": {"checkpoint_every": 1}}, ["/record/checkpoint_every"]),
]
CLUTTERED = table(
    {
        "x": [1.0, 2.0, 3.0, 4.0], "n": [1, 2, 3, 4], "word": ["a", "b", "a", "b"], "text": ["p", "q", "r", "s"],
        "one": ["a", "a", "a", "a"], "flag": [True, False, False, True],
    },
    text="text",
)  # fmt: skip


@pytest.mark.parametrize(("request_", "expected"), REFUSED, ids=lambda value: str(value)[:90])
def test_each_problem_has_its_place(request_: dict[str, Any], expected: list[str]) -> None:
    found = refusals(CLUTTERED, **request_)
    assert [at for at, _ in found] == expected
    for _, detail in found:
        assert len(detail) > 20
        assert detail[0].islower() or detail[0].isdigit()
        assert not detail.endswith(".")


def test_what_a_split_goes_by_is_whole_and_no_array() -> None:
    data = table({"x": [1.0, 2.0, 3.0, 4.0], "gap": ["a", None, "b", "b"], "y": [1.0, 2.0, 3.0, 5.0]})
    data.summaries["pixels"] = ColumnSummary("pixels", "image", 0, 0, shape=(2, 3))
    for name in ("group", "order"):
        request: dict[str, Any] = {"target": "y", "features": ["x"], **LINE}
        ((at, detail),) = refusals(data, **request, split={name: "gap"})
        assert at == f"/split/{name}"
        assert "is missing 1 values, the first in row 1" in detail
        ((at, detail),) = refusals(data, **request, split={name: "pixels"})
        assert "holds arrays" in detail


def test_arrays_are_learned_from_and_not_predicted() -> None:
    data = table({"x": [1.0, 2.0, 3.0, 4.0], "y": ["a", "b", "b", "a"]})
    data.summaries["pixels"] = ColumnSummary("pixels", "image", 2, 0, first_missing=3, shape=(2000, 3000))
    at, detail = refusals(data, target="pixels", features=["x"], **MLP)[0]
    assert at == "/target"
    assert "holds arrays" in detail
    found = dict(
        refusals(data, target="y", preprocessing={"missing": "mean"}, model={"kind": "mlp", "hidden": [{"units": 32}]})
    )
    assert "nothing fills an array" in found["/preprocessing/missing"]
    assert "up to 192000097 parameters" in found["/model/hidden"]


VALUES: dict[str, Any] = {
    "loss": {"kind": "half_mse"}, "optimizer": {"kind": "adam"}, "schedule": {"kind": "step"}, "regularization": {"l2": 0.1},
    "epochs": 5, "batch_size": 8, "shuffle": True, "class_weight": "balanced", "early_stopping": {"monitor": "train_loss"},
    "seed": 1, "weights_seed": 2, "order_seed": 3,
}  # fmt: skip
MEANINGLESS = [
    (SMALL, "x", {"kind": "linear_regression"}, "regression", set(VALUES) - {"loss"}),
    (SMALL, "x", {"kind": "linear_regression", **DESCENT}, "regression", {"class_weight", "weights_seed"}),
    (
        SMALL, "word", {"kind": "logistic_regression"}, "classification",
        set(VALUES) - {"loss", "epochs", "class_weight"},
    ),
    (SMALL, "word", {"kind": "logistic_regression", **DESCENT}, "classification", {"regularization", "weights_seed"}),
    (SMALL, "word", {"kind": "perceptron"}, "classification", set(VALUES) - {"epochs", "shuffle", "seed", "order_seed"}),
    (SMALL, "x", {"kind": "mlp"}, "regression", {"class_weight"}),
    (SMALL, "word", {"kind": "mlp"}, "classification", set()),
    (SMALL, ("x", "n"), {"kind": "linear_regression"}, "regression", set(VALUES) - {"loss"}),
    (SMALL, ("x", "n"), {"kind": "mlp"}, "regression", {"class_weight"}),
    (SMALL, ("word", "flag"), {"kind": "mlp"}, "tagging", {"class_weight"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "target", "model", "task", "meaningless"),
    MEANINGLESS,
    ids=lambda value: "" if isinstance(value, set | Table) else str(value)[:60],
)
def test_a_field_that_means_nothing_is_refused(
    data: Table, target: str | tuple[str, ...], model: dict[str, Any], task: str, meaningless: set[str]
) -> None:
    """Every field of the table above, one at a time; and no other."""
    for field, value in VALUES.items():
        if field == "loss" and task in ("classification", "tagging") and field not in meaningless:
            value = {"kind": "binary_cross_entropy"}
        request: dict[str, Any] = {"target": target, "model": model, field: value}
        if field in meaningless:
            [(at, detail)] = refusals(data, **request)
            assert at == f"/{field}"
            assert f"{field} means nothing for {model['kind']}" in detail
        else:
            assert getattr(completed(data, **request), field) is not None


def test_all_problems_are_told_at_once() -> None:
    found = pointers(
        CLUTTERED, target="x", features=["nothing", "x"], model={"kind": "linear_regression"}, optimizer={"kind": "adam"},
        epochs=3, precision="float32", device="cuda",
    )  # fmt: skip
    assert found == ["/features/0", "/features/1", "/optimizer", "/epochs", "/precision", "/device"]


def test_a_problem_names_the_columns_there_are() -> None:
    [(_, detail)] = refusals(SMALL, target="nothing", model={"kind": "mlp"})
    assert detail == "no column 'nothing'; there are 'x', 'n', 'word', 'flag'"
    wide = table({f"c{i}": [1.0, 2.0] for i in range(25)})
    [(_, detail)] = refusals(wide, target="nothing", model={"kind": "mlp"})
    assert detail.endswith("'c19' and 5 more")


def test_nothing_to_learn_from() -> None:
    data = table({"note": ["p", "q"], "y": [1.0, 2.0]}, note="text")
    assert pointers(data, target="y", model={"kind": "linear_regression"}) == ["/features"]


# --- gaps ---

HOLES = table({"x": [1.0, None, 3.0], "whole": [1, 2, 3], "y": [1.0, 2.0, None]})


def test_gaps_are_refused_unless_something_is_done_about_them() -> None:
    found = refusals(HOLES, target="y", model={"kind": "linear_regression"})
    assert [at for at, _ in found] == ["/preprocessing/missing"] * 2
    assert "column 'x' is missing 1 values, the first in row 1" in found[0][1]
    assert "the target, column 'y', is missing 1 values, the first in row 2" in found[1][1]


@pytest.mark.parametrize("missing", ["mean", "median", "most_frequent"])
def test_an_answer_is_not_made_up(missing: str) -> None:
    preprocessing = {"missing": missing}
    [(at, detail)] = refusals(HOLES, target="y", model={"kind": "linear_regression"}, preprocessing=preprocessing)
    assert at == "/preprocessing/missing"
    assert "an answer is not made up" in detail
    assert completed(HOLES, target="whole", model={"kind": "linear_regression"}, preprocessing=preprocessing)


def test_dropping_rows_is_an_answer_to_all_gaps() -> None:
    assert completed(HOLES, target="y", model={"kind": "linear_regression"}, preprocessing={"missing": "drop"})


def test_a_gap_in_any_target_is_named() -> None:
    [(at, detail)] = refusals(
        HOLES, target=["whole", "y"], features=["x"], model={"kind": "mlp"}, preprocessing={"missing": "mean"}
    )
    assert at == "/preprocessing/missing"
    assert "the target, column 'y', is missing 1 values, the first in row 2" in detail
    dropped = completed(HOLES, target=["whole", "y"], model={"kind": "mlp"}, preprocessing={"missing": "drop"})
    assert (dropped.task, dropped.features) == ("regression", ("x",))


def test_what_is_said_of_one_target_among_several() -> None:
    found = dict(refusals(CLUTTERED, target=["n", "word", "one"], model={"kind": "mlp"}, task="tagging"))
    assert "column 'n' is no tag" in found["/target/0"]
    assert "column 'one' is no tag" in found["/target/2"]
    [(_, text)] = refusals(CLUTTERED, target=["x", "word"], model={"kind": "mlp"})
    assert "column 'word' holds text" in text
    [(_, twice)] = refusals(CLUTTERED, target=["x", "x"], model={"kind": "mlp"})
    assert "column 'x' is named twice" in twice
    [(_, several)] = refusals(CLUTTERED, target=["word", "flag"], model={"kind": "logistic_regression"})
    assert "tagging" in several
    [(_, stratify)] = refusals(CLUTTERED, target=["word", "flag"], model={"kind": "mlp"}, split={"stratify": True})
    assert "in a tagging" in stratify


def test_a_gap_in_a_column_that_is_not_read_is_none() -> None:
    assert completed(HOLES, target="whole", features=["y"], model={"kind": "mlp"}, preprocessing={"missing": "mean"})
    data = table({"x": [1.0, None], "z": [1.0, 2.0], "y": [1.0, 2.0]})
    assert completed(data, target="y", features=["z"], model={"kind": "linear_regression"}).features == ("z",)
