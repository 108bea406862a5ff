from dataclasses import replace
from typing import Any

import pytest

from engine.errors import InvalidSpec
from engine.models.kinds import AnyModel
from engine.parts.losses import BinaryCrossEntropy, CrossEntropy, HalfMeanSquaredError
from engine.parts.optimizers import Adam, GradientDescent
from engine.parts.scaling import MeanNormalization
from engine.parts.schedules import ConstantRate
from engine.spec import kind_of, members
from engine.tables.samples import AnscombeSample, BlobsSample, DigitsSample, HousePricesSample, IrisSample, Sample
from engine.training.completion import MODEL_FIELDS, complete
from engine.training.spec import Training
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
    {"kind": "network"},
    {"kind": "mlp", "hidden": [{"units": 3, "activation": "tanh", "dropout": 0.5}, {"units": 2}], "bias": False},
    {"kind": "k_means"},
]
SAMPLES = {kind_of(cls): table(cls().columns()) for cls in members(Sample) if cls is not DigitsSample}
SAMPLES |= {"digits": table({name: cells[:300] for name, cells in DigitsSample().columns().items()})}


# --- completing ---


def test_every_model_is_in_the_table() -> None:
    """Those that read nothing but images have theirs in tests/engine/models/test_network.py."""
    assert {model["kind"] for model in MODELS} == {kind_of(cls) for cls in members(AnyModel)} - {"lenet5", "alexnet"}


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
        "split": {"validation": 0.2, "test": 0.0, "stratify": True, "seed": 0, "rounding": "total"},
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
    assert spec.split == replace(asked.split, rounding="total")


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


SEVERAL = {
    "x": [float(i) for i in range(20)], "half": [i / 2 for i in range(20)], "many": MANY, "few": FEW,
    "flag": [True, False] * 10, "bit": [0, 0, 0, 1] * 5, "word": ["no", "yes"] * 10, "always": [1] * 20,
}  # fmt: skip
SEVERAL_INFERRED = [
    ("mlp", ["half", "many"], "regression"),
    ("mlp", ["few", "many"], "regression"),  # classes, were each alone
    ("mlp", ["flag", "half"], "regression"),
    ("mlp", ["bit", "few"], "regression"),
    ("mlp", ["flag", "bit"], "tagging"),
    ("mlp", ["word", "bit", "flag"], "tagging"),
    ("mlp", ["always", "flag"], "tagging"),
    ("linear_regression", ["half", "many"], "regression"),
    ("linear_regression", ["flag", "bit"], "regression"),
    ("mlp", ["half"], "regression"),  # a list of one is as the one
    ("mlp", ["flag"], "classification"),
    ("logistic_regression", ["word"], "classification"),
]


@pytest.mark.parametrize(("model", "target", "task"), SEVERAL_INFERRED)
def test_the_task_of_several_targets(model: str, target: list[str], task: str) -> None:
    data = table(SEVERAL)
    once = completed(data, target=target, model={"kind": model})
    assert once.task == task
    assert once.target == once.targets == tuple(target)
    assert once.features == tuple(name for name in SEVERAL if name not in target)
    assert once.columns == (*once.features, *target)
    assert once.split.stratify == (task == "classification")
    settings = once.model.settings(task, data.summaries[target[0]].distinct)
    assert {field: getattr(once, field) for field in MODEL_FIELDS} == {field: settings.get(field) for field in MODEL_FIELDS}
    assert complete(once, data.summaries, data.rows) == once
    document = TRAINING.dump_python(once, mode="json")
    assert document["target"] == target
    assert completed(data, **document) == once
    assert TRAINING.validate_json(TRAINING.dump_json(once)) == once


def test_several_targets_may_be_given_a_task() -> None:
    data = table(SEVERAL)
    assert completed(data, target=["flag", "bit"], model={"kind": "mlp"}, task="regression").loss == HalfMeanSquaredError()
    tagging = completed(data, target=["flag", "bit"], model={"kind": "mlp"})
    assert (tagging.loss, tagging.class_weight) == (BinaryCrossEntropy(), None)
    assert completed(data, target="word", model={"kind": "mlp"}, task="tagging").loss == BinaryCrossEntropy()


def test_a_task_may_be_chosen() -> None:
    data = table({"x": [float(i) for i in range(20)], "y": FEW, "z": MANY})
    assert completed(data, target="y", model={"kind": "mlp"}, task="regression").task == "regression"
    assert completed(data, target="z", model={"kind": "mlp"}, task="classification").task == "classification"


def test_samples_have_an_obvious_target() -> None:
    """What a first job on each of them asks for goes through."""
    for name, data in SAMPLES.items():
        target = list(data.columns)[0 if name == "house_prices" else -1]
        assert completed(data, target=target, model={"kind": "mlp"}).task in ("classification", "regression")
    for cls, target in ((HousePricesSample, "price"), (AnscombeSample, "y")):
        assert completed(table(cls().columns()), target=target, model={"kind": "linear_regression"})
