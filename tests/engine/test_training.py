from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from pydantic import ValidationError

from engine.errors import InvalidSpec
from engine.losses import BinaryCrossEntropy, CrossEntropy, HalfMeanSquaredError
from engine.models import AnyModel
from engine.optimizers import Adam, GradientDescent
from engine.samples import AnscombeSample, BlobsSample, DigitsSample, HousePricesSample, IrisSample, Sample
from engine.scaling import MeanNormalization
from engine.schedules import ConstantRate
from engine.spec import kind_of, members
from engine.training import MODEL_FIELDS, Training, complete
from tests.engine import TRAINING, Table, completed, table

IRIS = table(IrisSample().columns())
SMALL = table({"x": [1.0, 2.0, 3.0, 4.0], "n": [1, 2, 3, 4], "word": ["a", "b", "a", "b"], "flag": [True, False, True, True]})
MODELS: list[dict[str, Any]] = [
    {"kind": "linear_regression"},
    {"kind": "linear_regression", "solver": "gradient_descent"},
    {"kind": "logistic_regression"},
    {"kind": "logistic_regression", "solver": "gradient_descent"},
    {"kind": "logistic_regression", "multi_class": "one_vs_rest"},
    {"kind": "perceptron"},
    {"kind": "mlp"},
    {"kind": "mlp", "hidden": [{"units": 3, "activation": "tanh", "dropout": 0.5}, {"units": 2}], "bias": False},
]
SAMPLES = {kind_of(cls): table(cls().columns()) for cls in members(Sample) if cls is not DigitsSample}
SAMPLES |= {"digits": table({name: cells[:300] for name, cells in DigitsSample().columns().items()})}


def problems(data: Table, **request: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidSpec) as raised:
        completed(data, **request)
    return raised.value.errors


def pointers(data: Table, **request: Any) -> list[str]:
    return [at for at, _ in problems(data, **request)]


# --- completing ---


def test_every_model_is_in_the_table() -> None:
    assert {model["kind"] for model in MODELS} == {kind_of(cls) for cls in members(AnyModel)}


def attempt(data: Table, **request: Any) -> tuple[Training | None, set[str]]:
    """The completed spec, or where it is refused."""
    try:
        return completed(data, **request), set()
    except InvalidSpec as error:
        return None, {at for at, _ in error.errors}


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("task", ["classification", "regression", None])
def test_completing_twice_changes_nothing(sample: str, model: dict[str, Any], task: str | None) -> None:
    """Also through JSON: what is returned may be sent back. Each target, each model, each task that goes with them."""
    data = SAMPLES[sample]
    names = list(data.columns)
    for target in {names[0], names[-1]}:
        once, refused_at = attempt(data, target=target, model=model, task=task)
        if once is None:
            assert refused_at <= {"/target", "/task"}
            continue
        assert complete(once, data.summaries, data.rows) == once
        document = TRAINING.dump_python(once, mode="json")
        assert completed(data, **document) == once
        assert TRAINING.validate_json(TRAINING.dump_json(once)) == once
        settings = once.model.settings(once.task or "", data.summaries[target].distinct)
        for field in MODEL_FIELDS:
            filled = getattr(once, field)
            assert filled == settings[field] if field in settings else filled is None
        assert once.task == (task or once.task)
        assert once.features is not None
        assert target not in once.features
        assert once.split.validation is not None
        assert once.split.stratify is not None
        assert once.record.checkpoint_every is not None


def test_the_contracts_example() -> None:
    """The short form of contract.md, completed: what its long form says."""
    full = completed(IRIS, target="species", model={"kind": "mlp", "hidden": [{"units": 16, "activation": "relu"}]}, epochs=100)
    document = TRAINING.dump_python(full, mode="json")
    assert document == {
        "target": "species",
        "features": ["sepal_length", "sepal_width", "petal_length", "petal_width"],
        "task": "classification",
        "model": {
            "kind": "mlp",
            "hidden": [{"units": 16, "activation": "relu", "dropout": 0.0}],
            "initializer": {"kind": "he_normal"},
            "bias": True,
        },
        "loss": {"kind": "cross_entropy"},
        "optimizer": {"kind": "adam", "learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8},
        "schedule": {"kind": "constant"},
        "regularization": {"l1": 0.0, "l2": 0.0, "clip_norm": None},
        "preprocessing": {"scaling": "mean_normalization", "missing": "error", "categorical": "one_hot"},
        "split": {"validation": 0.2, "test": 0.0, "stratify": True, "seed": 0},
        "epochs": 100,
        "batch_size": 16,
        "shuffle": True,
        "class_weight": None,
        "early_stopping": None,
        "seed": 0,
        "precision": "float32",
        "device": "auto",
        "max_seconds": 3600,
        "record": {"curves": "epoch", "checkpoint_every": 10, "histograms_every": 10},
    }


def test_a_choice_is_kept() -> None:
    request: dict[str, Any] = {
        "target": "species", "features": ["petal_length"], "model": {"kind": "mlp"}, "epochs": 7, "batch_size": "full",
        "shuffle": False, "seed": 9, "precision": "float64", "class_weight": {"setosa": 2.0},
        "optimizer": {"kind": "momentum", "learning_rate": 0.3}, "loss": {"kind": "hinge", "margin": 2.0},
        "early_stopping": {"patience": 3}, "split": {"validation": 0.4, "stratify": False, "seed": 3},
    }  # fmt: skip
    spec, asked = completed(IRIS, **request), TRAINING.validate_python(request)
    for field in request.keys() - {"split"}:
        assert getattr(spec, field) == getattr(asked, field), field
    assert spec.split == asked.split


# --- defaults ---

DEFAULTS: list[tuple[dict[str, Any], str, dict[str, Any]]] = [
    ({"kind": "linear_regression"}, "petal_width", {"loss": HalfMeanSquaredError(), "precision": "float64"}),
    (
        {"kind": "linear_regression", "solver": "gradient_descent"},
        "petal_width",
        {"optimizer": GradientDescent(learning_rate=0.1), "batch_size": "full", "epochs": 100, "precision": "float64"},
    ),
    ({"kind": "logistic_regression"}, "species", {"loss": CrossEntropy(), "epochs": 100, "optimizer": None}),
    (
        {"kind": "logistic_regression", "multi_class": "one_vs_rest"},
        "species",
        {"loss": BinaryCrossEntropy(), "optimizer": None, "schedule": None},
    ),
    (
        {"kind": "logistic_regression", "solver": "gradient_descent"},
        "species",
        {"loss": CrossEntropy(), "optimizer": GradientDescent(learning_rate=0.1), "regularization": None},
    ),
    ({"kind": "perceptron"}, "flag", {"loss": None, "epochs": 100, "shuffle": True, "seed": 0, "batch_size": None}),
    (
        {"kind": "mlp"},
        "species",
        {"loss": CrossEntropy(), "optimizer": Adam(learning_rate=0.01), "schedule": ConstantRate(), "batch_size": 16},
    ),
    ({"kind": "mlp"}, "petal_width", {"loss": HalfMeanSquaredError(), "precision": "float32", "class_weight": None}),
    ({"kind": "mlp"}, "flag", {"loss": BinaryCrossEntropy()}),
    ({"kind": "logistic_regression"}, "flag", {"loss": BinaryCrossEntropy()}),
]


@pytest.mark.parametrize(("model", "target", "expected"), DEFAULTS, ids=lambda value: str(value)[:70])
def test_defaults_are_the_models(model: dict[str, Any], target: str, expected: dict[str, Any]) -> None:
    spec = completed(SMALL if target == "flag" else IRIS, target=target, model=model)
    assert {field: getattr(spec, field) for field in expected} == expected
    assert spec.preprocessing.scaling == MeanNormalization()


@pytest.mark.parametrize(("rows", "validation"), [(49, 0.0), (50, 0.2), (10, 0.0), (1000, 0.2)])
def test_a_table_of_under_50_rows_is_trained_on_whole(rows: int, validation: float) -> None:
    data = table(BlobsSample(rows=rows).columns())
    split = completed(data, target="blob", model={"kind": "mlp"}).split
    assert (split.validation, split.test, split.stratify) == (validation, 0.0, True)
    assert completed(data, target="x1", model={"kind": "mlp"}).split.stratify is False


EVERY = [(100, 10), (1, 10), (1000, 10), (1001, 11), (5000, 50), (1_000_000, 10_000)]


@pytest.mark.parametrize(("epochs", "every"), EVERY)
def test_checkpoints_are_fewer_where_epochs_are_many(epochs: int, every: int) -> None:
    spec = completed(IRIS, target="species", model={"kind": "mlp"}, epochs=epochs)
    assert spec.record.checkpoint_every == every


def test_features_are_all_columns_but_the_target_and_free_text() -> None:
    data = table({"a": [1, 2], "note": ["x", "y"], "b": ["u", "v"], "y": [1.0, 2.0]}, note="text")
    assert completed(data, target="y", model={"kind": "linear_regression"}).features == ("a", "b")
    assert completed(data, target="y", features=["b"], model={"kind": "linear_regression"}).features == ("b",)


# --- the task ---

FEW, MANY = list(range(10)) * 2, list(range(11)) + [0] * 9
INFERRED = [
    ("mlp", [0.5] * 20, "regression"),
    ("mlp", FEW, "classification"),
    ("mlp", MANY, "regression"),
    ("mlp", ["a", "b"] * 10, "classification"),
    ("mlp", [True, False] * 10, "classification"),
    ("linear_regression", FEW, "regression"),
    ("linear_regression", [True, False] * 10, "regression"),
    ("logistic_regression", MANY, "classification"),
    ("logistic_regression", FEW, "classification"),
    ("perceptron", [0, 1] * 10, "classification"),
]


@pytest.mark.parametrize(("model", "cells", "task"), INFERRED)
def test_the_task_is_read_off_the_target_and_the_model(model: str, cells: list[Any], task: str) -> None:
    data = table({"x": [float(i) for i in range(20)], "y": cells})
    assert completed(data, target="y", model={"kind": model}).task == task


def test_a_task_may_be_chosen() -> None:
    data = table({"x": [float(i) for i in range(20)], "y": FEW, "z": MANY})
    assert completed(data, target="y", model={"kind": "mlp"}, task="regression").task == "regression"
    assert completed(data, target="z", model={"kind": "mlp"}, task="classification").task == "classification"


# --- what is refused, and where ---

WORD, NUMBER = {"target": "word"}, {"target": "x"}
LINE, LOGISTIC = {"model": {"kind": "linear_regression"}}, {"model": {"kind": "logistic_regression"}}
MLP, PERCEPTRON = {"model": {"kind": "mlp"}}, {"model": {"kind": "perceptron"}}
DESCENT = {"solver": "gradient_descent"}
REFUSED: list[tuple[dict[str, Any], list[str]]] = [
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
        "one": ["a", "a", "a", "a"],
    },
    text="text",
)  # fmt: skip


@pytest.mark.parametrize(("request_", "expected"), REFUSED, ids=lambda value: str(value)[:90])
def test_each_problem_has_its_place(request_: dict[str, Any], expected: list[str]) -> None:
    found = problems(CLUTTERED, **request_)
    assert [at for at, _ in found] == expected
    for _, detail in found:
        assert len(detail) > 20
        assert detail[0].islower() or detail[0].isdigit()
        assert not detail.endswith(".")


VALUES: dict[str, Any] = {
    "loss": {"kind": "half_mse"}, "optimizer": {"kind": "adam"}, "schedule": {"kind": "step"}, "regularization": {"l2": 0.1},
    "epochs": 5, "batch_size": 8, "shuffle": True, "class_weight": "balanced", "early_stopping": {"monitor": "train_loss"},
    "seed": 1,
}  # fmt: skip
MEANINGLESS = [
    (SMALL, "x", {"kind": "linear_regression"}, "regression", set(VALUES) - {"loss"}),
    (SMALL, "x", {"kind": "linear_regression", **DESCENT}, "regression", {"class_weight"}),
    (
        SMALL, "word", {"kind": "logistic_regression"}, "classification",
        set(VALUES) - {"loss", "epochs", "class_weight"},
    ),
    (SMALL, "word", {"kind": "logistic_regression", **DESCENT}, "classification", {"regularization"}),
    (SMALL, "word", {"kind": "perceptron"}, "classification", set(VALUES) - {"epochs", "shuffle", "seed"}),
    (SMALL, "x", {"kind": "mlp"}, "regression", {"class_weight"}),
    (SMALL, "word", {"kind": "mlp"}, "classification", set()),
]  # fmt: skip


@pytest.mark.parametrize(("data", "target", "model", "task", "meaningless"), MEANINGLESS, ids=lambda value: str(value)[:60])
def test_a_field_that_means_nothing_is_refused(
    data: Table, target: str, model: dict[str, Any], task: str, meaningless: set[str]
) -> None:
    """Every field of the table above, one at a time; and no other."""
    for field, value in VALUES.items():
        if field == "loss" and task == "classification" and field not in meaningless:
            value = {"kind": "binary_cross_entropy"}
        request: dict[str, Any] = {"target": target, "model": model, field: value}
        if field in meaningless:
            [(at, detail)] = problems(data, **request)
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
    [(_, detail)] = problems(SMALL, target="nothing", model={"kind": "mlp"})
    assert detail == "no column 'nothing'; there are 'x', 'n', 'word', 'flag'"
    wide = table({f"c{i}": [1.0, 2.0] for i in range(25)})
    [(_, detail)] = problems(wide, target="nothing", model={"kind": "mlp"})
    assert detail.endswith("'c19' and 5 more")


def test_nothing_to_learn_from() -> None:
    data = table({"note": ["p", "q"], "y": [1.0, 2.0]}, note="text")
    assert pointers(data, target="y", model={"kind": "linear_regression"}) == ["/features"]


# --- gaps ---

HOLES = table({"x": [1.0, None, 3.0], "whole": [1, 2, 3], "y": [1.0, 2.0, None]})


def test_gaps_are_refused_unless_something_is_done_about_them() -> None:
    found = problems(HOLES, target="y", model={"kind": "linear_regression"})
    assert [at for at, _ in found] == ["/preprocessing/missing"] * 2
    assert "column 'x' is missing 1 values, the first in row 1" in found[0][1]
    assert "column 'y' is missing 1 values, the first in row 2" in found[1][1]


@pytest.mark.parametrize("missing", ["mean", "median", "most_frequent"])
def test_an_answer_is_not_made_up(missing: str) -> None:
    preprocessing = {"missing": missing}
    [(at, detail)] = problems(HOLES, target="y", model={"kind": "linear_regression"}, preprocessing=preprocessing)
    assert at == "/preprocessing/missing"
    assert "an answer is not made up" in detail
    assert completed(HOLES, target="whole", model={"kind": "linear_regression"}, preprocessing=preprocessing)


def test_dropping_rows_is_an_answer_to_all_gaps() -> None:
    assert completed(HOLES, target="y", model={"kind": "linear_regression"}, preprocessing={"missing": "drop"})


def test_a_gap_in_a_column_that_is_not_read_is_none() -> None:
    assert completed(HOLES, target="whole", features=["y"], model={"kind": "mlp"}, preprocessing={"missing": "mean"})
    data = table({"x": [1.0, None], "z": [1.0, 2.0], "y": [1.0, 2.0]})
    assert completed(data, target="y", features=["z"], model={"kind": "linear_regression"}).features == ("z",)


# --- bounds of the fields ---

OUT_OF_BOUNDS: list[dict[str, Any]] = [
    {"epochs": 0}, {"epochs": 1_000_001}, {"epochs": 2.0}, {"epochs": "5"}, {"batch_size": 0}, {"batch_size": "half"},
    {"seed": -1}, {"split": {"validation": 1.0}}, {"split": {"test": -0.1}}, {"max_seconds": 0}, {"max_seconds": 1e9},
    {"features": []}, {"device": "tpu"}, {"precision": "float16"}, {"shuffle": 1}, {"class_weight": {"a": -1.0}},
    {"class_weight": "fair"}, {"early_stopping": {"patience": 0}}, {"record": {"checkpoint_every": 0}}, {"nonsense": 1},
    {"record": {"curves": "second"}}, {"preprocessing": {"missing": "guess"}}, {"preprocessing": {"scaling": "big"}},
    {"regularization": {"l2": -1.0}}, {"regularization": {"clip_norm": 0.0}}, {"model": {"kind": "forest"}},
    {"model": {"kind": "mlp", "hidden": [{"units": 0}]}}, {"model": {"kind": "mlp", "hidden": [{"units": 1}] * 101}},
    {"model": {"kind": "mlp", "hidden": [{"units": 2, "dropout": 1.0}]}}, {"target": None}, {"split": {"stratify": "yes"}},
]  # fmt: skip


@pytest.mark.parametrize("change", OUT_OF_BOUNDS, ids=str)
def test_what_is_out_of_bounds_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        TRAINING.validate_python({"target": "y", "model": {"kind": "mlp"}, **change})


def test_a_spec_does_not_change() -> None:
    spec = completed(IRIS, target="species", model={"kind": "mlp"})
    with pytest.raises(FrozenInstanceError):
        spec.epochs = 3  # type: ignore[misc]
    assert isinstance(spec, Training)


def test_samples_have_an_obvious_target() -> None:
    """What a first job on each of them asks for goes through."""
    for name, data in SAMPLES.items():
        target = list(data.columns)[0 if name == "house_prices" else -1]
        assert completed(data, target=target, model={"kind": "mlp"}).task in ("classification", "regression")
    for cls, target in ((HousePricesSample, "price"), (AnscombeSample, "y")):
        assert completed(table(cls().columns()), target=target, model={"kind": "linear_regression"})
