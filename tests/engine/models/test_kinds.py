from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from engine.models.kinds import AnyModel
from engine.models.linear import LinearRegression
from engine.models.logistic import LogisticRegression, Penalty
from engine.models.mlp import HiddenLayer, MultilayerPerceptron
from engine.models.perceptron import Perceptron
from engine.models.regularization import Regularization
from engine.parts.initializers import HeNormal
from engine.parts.losses import Loss
from engine.parts.schedules import ConstantRate
from engine.spec import kind_of, members
from engine.tables.samples import IrisSample
from engine.training.completion import MODEL_FIELDS
from engine.training.spec import Training
from tests.engine import completed, one_step, prepared, table

MODEL: TypeAdapter[Any] = TypeAdapter(AnyModel)
MODELS: list[Any] = [
    LinearRegression(),
    LinearRegression(solver="gradient_descent"),
    LogisticRegression(),
    LogisticRegression(multi_class="one_vs_rest"),
    LogisticRegression(solver="gradient_descent", penalty=Penalty(l2=0.0)),
    Perceptron(),
    Perceptron(bias=False),
    MultilayerPerceptron(),
    MultilayerPerceptron(hidden=(), bias=False),
    MultilayerPerceptron(hidden=(HiddenLayer(units=3, activation="tanh", dropout=0.1),)),  # type: ignore[arg-type]
]
every_model = pytest.mark.parametrize("model", MODELS, ids=str)
IRIS = table(IrisSample().columns())


def test_the_contracts_models_are_there() -> None:
    kinds = ["linear_regression", "logistic_regression", "perceptron", "mlp", "network", "lenet5", "alexnet", "k_means"]
    assert [kind_of(cls) for cls in members(AnyModel)] == kinds


@every_model
def test_settings_are_fields_of_a_job(model: Any) -> None:
    """What a model leaves out is refused, so each name has to be one of the job's that may mean nothing."""
    for task in model.tasks:
        for classes in (0,) if task == "regression" else (2, 3):
            settings = model.settings(task, classes)
            assert set(settings) <= set(MODEL_FIELDS)
            assert set(MODEL_FIELDS) <= set(Training.__dataclass_fields__)
            assert ("optimizer" in settings) == ("schedule" in settings) == ("batch_size" in settings)
            loss = settings.get("loss")
            allowed = model.losses(task, classes)
            assert loss is None or task in loss.tasks
            assert allowed is None or type(loss) in allowed


@every_model
def test_json_round_trip(model: Any) -> None:
    assert MODEL.validate_json(MODEL.dump_json(model)) == model
    assert MODEL.validate_python({"kind": model.kind}) == type(model)()


@every_model
def test_layers_lead_from_the_features_to_the_outputs(model: Any) -> None:
    layers = model.bound_layers(7, 3)
    assert layers[0].inputs == 7
    assert layers[-1].outputs == 3
    for before, after in pairwise(layers):
        assert before.outputs == after.inputs
    assert layers[-1].activation.kind == "identity"
    assert layers[-1].dropout == 0
    assert {layer.bias for layer in layers} == {getattr(model, "bias", True)}


def test_defaults() -> None:
    """What a body that leaves them out gets: changing one changes the runs of others."""
    assert LinearRegression().solver == "analytic"
    logistic = LogisticRegression()
    assert (logistic.solver, logistic.multi_class, logistic.penalty.l2) == ("newton", "multinomial", 1.0)
    assert Perceptron().bias
    mlp = MultilayerPerceptron()
    assert ([layer.units for layer in mlp.hidden], mlp.initializer, mlp.bias) == ([16], HeNormal(), True)
    assert (mlp.hidden[0].activation.kind, mlp.hidden[0].dropout) == ("relu", 0.0)
    assert Regularization() == Regularization(l1=0.0, l2=0.0, clip_norm=None)


def test_hidden_layers_in_order() -> None:
    model = MODEL.validate_python({"kind": "mlp", "hidden": [{"units": 4, "activation": "tanh"}, {"units": 2, "dropout": 0.5}]})
    shown = [(layer.inputs, layer.outputs, layer.activation.kind, layer.dropout) for layer in model.bound_layers(3, 1)]
    assert shown == [(3, 4, "tanh", 0.0), (4, 2, "relu", 0.5), (2, 1, "identity", 0.0)]


def test_linear_models_start_from_zero_and_the_mlp_from_its_initializer() -> None:
    assert not prepared(IRIS, target="species", model={"kind": "logistic_regression"}).problem.network.parameters.theta.any()
    mlp = {"kind": "mlp", "initializer": {"kind": "constant", "value": 0.25}}
    for layer in prepared(IRIS, target="species", model=mlp).problem.network.parameters.layers:
        assert (layer.W == 0.25).all()
        assert layer.b is not None
        assert not layer.b.any()


def test_a_net_without_hidden_layers_is_a_linear_model() -> None:
    """One network for all: the same gradient at the same weights."""
    request: dict[str, Any] = {
        "target": "species", "optimizer": {"kind": "gradient_descent", "learning_rate": 1.0}, "epochs": 1,
        "batch_size": "full", "precision": "float64",
    }  # fmt: skip
    logistic = {"kind": "logistic_regression", "solver": "gradient_descent", "penalty": {"l2": 0.0}}
    theta = np.random.default_rng(0).normal(0, 1, 15)
    ours = one_step(prepared(IRIS, model=logistic, **request), theta)
    theirs = one_step(prepared(IRIS, model={"kind": "mlp", "hidden": []}, **request), theta)
    np.testing.assert_array_equal(ours[0], theirs[0])
    assert ours[1] == theirs[1]


def test_penalties() -> None:
    spec = completed(IRIS, target="species", model={"kind": "mlp"}, regularization={"l1": 0.1, "l2": 0.2})
    assert spec.penalties(50) == (0.1, 0.2)
    spec = completed(IRIS, target="species", model={"kind": "logistic_regression", "penalty": {"l2": 5.0}})
    assert spec.penalties(50) == (0.0, 0.1)
    spec = completed(IRIS, target="petal_width", model={"kind": "linear_regression"})
    assert spec.penalties(50) == (0.0, 0.0)


def test_schedules_start_constant() -> None:
    for model in MODELS:
        for task in model.tasks:
            assert model.settings(task, 2).get("schedule", ConstantRate()) == ConstantRate()


@pytest.mark.parametrize(
    "document",
    [
        {"kind": "linear_regression", "solver": "newton"},
        {"kind": "logistic_regression", "multi_class": "pairs"},
        {"kind": "logistic_regression", "penalty": {"l2": -1.0}},
        {"kind": "logistic_regression", "penalty": {"l1": 1.0}},
        {"kind": "perceptron", "bias": "no"},
        {"kind": "mlp", "hidden": [{}]},
        {"kind": "mlp", "hidden": [{"units": 1_000_001}]},
        {"kind": "mlp", "hidden": [{"units": 3, "activation": "cubic"}]},
        {"kind": "mlp", "layers": 3},
    ],
)
def test_what_no_model_has_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        MODEL.validate_python(document)


def test_every_loss_is_for_some_model() -> None:
    offered = {
        cls
        for model in MODELS
        for task in model.tasks
        for cls in (model.losses(task, 3) or [cls for cls in members(Loss) if task in cls.tasks])  # type: ignore[attr-defined]
    }
    assert offered == set(members(Loss))
