"""The numbers of the course, as the engine's own jobs arrive at them (the families have theirs in their own files, and
section 8, on where a deep network starts from, is in test_depth)."""

import math
import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.linear_model import LogisticRegression as Reference

from engine.network.layers.dense import dense
from engine.network.parameters import layer_views
from engine.tables.correlation import pearson
from engine.tables.samples import (
    HOUSE_PRICE_COEFFICIENTS,
    AndSample,
    DoubleMoonsSample,
    HousePricesSample,
    InfantWeightSample,
    IrisSample,
    OrSample,
    XorSample,
)
from engine.training.prepare import Prepared
from tests.engine import Run, finish, one_step, prepared, table, trained

WHOLE = {"split": {"validation": 0.0}}
RAW = {**WHOLE, "preprocessing": {"scaling": "none"}}

# --- 2. Linear regression ---

INFANTS = table(InfantWeightSample().columns())
SLOPE, INTERCEPT, COST = 0.3021978022, 4.8274725275, 0.1949535080


def at_19(run: Run) -> float:
    [value] = run.predictor().predict(table({"months": [19]}).columns).values
    return float(value)


@pytest.mark.parametrize("scaling", ["none", "mean_normalization", "standard", "min_max"])
def test_infant_weight_in_closed_form(scaling: str) -> None:
    run = trained(INFANTS, target="weight", model={"kind": "linear_regression"}, preprocessing={"scaling": scaling})
    W, b = run.coefficients()
    assert W[0, 0] == pytest.approx(SLOPE, abs=5e-11)
    assert b[0] == pytest.approx(INTERCEPT, abs=5e-11)
    assert run.last["train_loss"] == pytest.approx(COST, abs=5e-11)
    assert at_19(run) == pytest.approx(10.5692307692, abs=5e-11)
    assert math.floor(100 * at_19(run)) / 100 == 10.56  # as the slide has it


def falling(factor: float) -> dict[str, Any]:
    return {"schedule": {"kind": "exponential", "factor": factor}}


DESCENTS: dict[str, tuple[int, dict[str, Any], float]] = {
    "batch": (1, {"batch_size": "full", "epochs": 1500}, 1e-6),
    "mini-batch": (1, {"batch_size": 7, "epochs": 10_000, **falling(0.999)}, 1e-4),
    "mini-batch, all even": (4, {"batch_size": 4, "epochs": 3000, **falling(0.995)}, 1e-5),
    "stochastic": (1, {"batch_size": 1, "epochs": 3000, **falling(0.995)}, 2e-5),
}
"""How often each row stands in the table, the batches, and how near they come. All but the first rest only as the rate falls.

13 is a prime: some batch is smaller than the others, and a row in it weighs more. Which rows do is drawn anew each epoch, and
moves the line in proportion to the rate. Of 4, 4, 4 and 1 the last weighs as much as four others, and as many epochs bring the
slope no nearer than 4e−4; of 7 and 6 the weights are 1/7 and 1/6, which leaves a fifth of that. With every row four times the
line and the cost are the same and all batches of 4 are whole: what is left is the order of the rows alone.
"""


@pytest.mark.parametrize(("times", "settings", "near"), DESCENTS.values(), ids=DESCENTS)
def test_infant_weight_by_gradient_descent(times: int, settings: dict[str, Any], near: float) -> None:
    rows = table({name: np.tile(column, times) for name, column in InfantWeightSample().columns().items()})
    model = {"kind": "linear_regression", "solver": "gradient_descent"}
    optimizer = {"kind": "gradient_descent", "learning_rate": 0.5}
    run = trained(rows, target="weight", model=model, optimizer=optimizer, **WHOLE, **settings)
    W, b = run.coefficients()
    assert W[0, 0] == pytest.approx(SLOPE, abs=near)
    assert b[0] == pytest.approx(INTERCEPT, abs=10 * near)
    assert run.last["train_loss"] == pytest.approx(COST, rel=near)
    assert at_19(run) == pytest.approx(10.5692307692, abs=10 * near)


def test_gradient_descent_on_the_courses_own_months() -> None:
    """Without scaling, as on the slide: slower, and to the same line."""
    model = {"kind": "linear_regression", "solver": "gradient_descent"}
    run = trained(
        INFANTS, target="weight", model=model, epochs=5000, preprocessing={"scaling": "none"},
        optimizer={"kind": "gradient_descent", "learning_rate": 0.009},
    )  # fmt: skip
    W, b = run.coefficients()
    assert W[0, 0] == pytest.approx(SLOPE, abs=1e-5)
    assert b[0] == pytest.approx(INTERCEPT, abs=1e-4)


def test_swapping_x_and_y_changes_the_line_and_not_the_correlation() -> None:
    columns = InfantWeightSample().columns()
    months, weight = columns["months"], columns["weight"]
    r = 0.9639292715
    assert pearson(months, weight) == pytest.approx(r, abs=5e-11)
    assert pearson(weight, months) == pytest.approx(r, abs=5e-11)
    swapped = trained(table(columns), target="months", task="regression", model={"kind": "linear_regression"})
    W, _ = swapped.coefficients()
    assert W[0, 0] != pytest.approx(1 / SLOPE, rel=0.01)
    assert W[0, 0] * SLOPE == pytest.approx(r**2, abs=1e-9)  # the two slopes multiply to r², and only r = 1 gives one line
    there = trained(INFANTS, target="weight", model={"kind": "linear_regression"})
    assert there.last["train_r2"] == pytest.approx(r**2, abs=1e-9)
    assert swapped.last["train_r2"] == pytest.approx(r**2, abs=1e-9)


def test_a_job_without_a_target_that_varies_has_no_r2() -> None:
    run = trained(table({"x": [1.0, 2.0, 3.0], "y": [2.5, 2.5, 2.5]}), target="y", model={"kind": "linear_regression"})
    assert run.last["train_r2"] is None
    assert run.last["train_loss"] == pytest.approx(0, abs=1e-20)


def test_house_prices() -> None:
    """The three kinds of furnishing add up to 1, the intercept's own column: many coefficients fit, one prediction does."""
    columns = HousePricesSample(rows=2000).columns()
    run = trained(table(columns), target="price", model={"kind": "linear_regression"}, **RAW)
    W, b = run.coefficients()
    names = run.prepared.features.names
    assert names == [
        "area", "bedrooms", "bathrooms", "stories", "mainroad=yes", "parking", "furnishing=furnished",
        "furnishing=semi-furnished", "furnishing=unfurnished",
    ]  # fmt: skip
    found = dict(zip(names, W[:, 0], strict=True))
    worth = HOUSE_PRICE_COEFFICIENTS
    for name in ("area", "bedrooms", "bathrooms", "stories", "parking"):
        assert found[name] == pytest.approx(worth[name], rel=0.1), name
    assert found["mainroad=yes"] == pytest.approx(worth["mainroad"], rel=0.1)
    for name in ("furnished", "semi-furnished", "unfurnished"):  # the shortest of all that fit, so they add up to 0
        assert found[f"furnishing={name}"] == pytest.approx(worth[name], abs=40_000), name
    assert b[0] == pytest.approx(worth["intercept"], abs=60_000)

    assert run.codes == ["RANK_DEFICIENT"]
    assert run.last["rank"] == 8
    X = run.prepared.problem.train.X
    expected = LinearRegression(tol=1e-14).fit(X, columns["price"]).predict(X)
    np.testing.assert_allclose(run.predictor().predict(table(columns).columns).values, expected, rtol=1e-8)
    assert math.sqrt(2 * (run.last["train_loss"] or 0)) == pytest.approx(worth["noise"], rel=0.05)


# --- 3. Feature scaling ---


@pytest.mark.parametrize("scaling", ["none", "mean_normalization", "standard", "min_max"])
def test_scaling_changes_the_coefficients_and_not_the_model(scaling: str) -> None:
    data = table(IrisSample().columns())
    request: dict[str, Any] = {"target": "petal_width", "model": {"kind": "linear_regression"}, **WHOLE}
    request["features"] = ["sepal_length", "sepal_width", "petal_length"]
    raw = trained(data, **request, preprocessing={"scaling": "none"})
    run = trained(data, **request, preprocessing={"scaling": scaling})
    for ours, theirs in zip(run.coefficients(), raw.coefficients(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    assert run.last["train_loss"] == pytest.approx(raw.last["train_loss"], rel=1e-10)
    X = run.prepared.problem.train.X
    spans = {
        "none": (None, None), "mean_normalization": (X.mean(axis=0), np.ptp(X, axis=0)),
        "standard": (X.mean(axis=0), X.std(axis=0)), "min_max": (X.min(axis=0), X.max(axis=0)),
    }  # fmt: skip
    zero, one = spans[scaling]
    if zero is not None:
        np.testing.assert_allclose(zero, 0, atol=1e-12)
        np.testing.assert_allclose(one, 1, rtol=1e-12)
        assert (run.layers[0].W != raw.layers[0].W).all()


def test_gradient_descent_needs_scaling() -> None:
    """The same rate that finds the line in scaled units throws it away in raw ones of unlike size."""
    columns = HousePricesSample(rows=200).columns()
    data = table({"area": columns["area"], "bedrooms": columns["bedrooms"], "price": columns["price"] / 1e6})
    request: dict[str, Any] = {"target": "price", "model": {"kind": "linear_regression", "solver": "gradient_descent"}, **WHOLE}
    scaled = trained(data, **request, epochs=300, optimizer={"kind": "gradient_descent", "learning_rate": 0.5})
    best = trained(data, target="price", model={"kind": "linear_regression"}, **WHOLE)
    assert scaled.last["train_loss"] == pytest.approx(best.last["train_loss"], rel=0.05)
    raw = trained(
        data, **request, epochs=3, preprocessing={"scaling": "none"}, precision="float64",
        optimizer={"kind": "gradient_descent", "learning_rate": 0.5},
    )  # fmt: skip
    assert raw.last["train_loss"] > 1e6 * (raw.epochs[0].values["train_loss"] or 0)


# --- 4. Logistic regression ---

IRIS = table(IrisSample().columns())
COEFFICIENTS = [
    [-0.42351, 0.96735, -2.51715, -1.07934], [0.53446, -0.32159, -0.20639, -0.94430], [-0.11095, -0.64576, 2.72354, 2.02364],
]  # fmt: skip
INTERCEPTS = [9.84957, 2.23721, -12.08677]


def probabilities_of_the_first(run: Run) -> np.ndarray:
    return run.probabilities(IRIS.take([0]))[0]


def test_iris_by_newton() -> None:
    run = trained(IRIS, target="species", model={"kind": "logistic_regression"}, **RAW)
    np.testing.assert_allclose(run.layers[0].W.T, COEFFICIENTS, atol=5.01e-6)
    np.testing.assert_allclose(run.layers[0].b, INTERCEPTS, atol=5.01e-6)
    assert run.last["train_accuracy"] == pytest.approx(0.97333, abs=5e-6)
    P = probabilities_of_the_first(run)
    np.testing.assert_allclose(P[:2], [0.98158350, 0.01841649], atol=5.01e-9)
    assert P[2] == pytest.approx(1.44987e-8, rel=5e-6)
    assert run.epochs[-1].converged
    assert len(run.epochs) < 15


def test_iris_by_gradient_descent() -> None:
    """The same optimum, by a first-order rule and with patience."""
    model = {"kind": "logistic_regression", "solver": "gradient_descent"}
    run = trained(
        IRIS, target="species", model=model, **RAW, epochs=5000,
        optimizer={"kind": "nesterov", "learning_rate": 0.1, "momentum": 0.99},
    )  # fmt: skip
    np.testing.assert_allclose(run.layers[0].W.T, COEFFICIENTS, atol=6e-6)
    np.testing.assert_allclose(run.layers[0].b, INTERCEPTS, atol=6e-6)
    np.testing.assert_allclose(probabilities_of_the_first(run), [0.98158350, 0.01841649, 1.44987e-8], atol=1e-7)


@pytest.mark.parametrize("multi_class", ["multinomial", "one_vs_rest"])
def test_plain_gradient_descent_comes_to_newtons_optimum(multi_class: str) -> None:
    model = {"kind": "logistic_regression", "multi_class": multi_class}
    request: dict[str, Any] = {"target": "species", "preprocessing": {"scaling": "standard"}, **WHOLE}
    newton = trained(IRIS, **request, model=model)
    descent = trained(
        IRIS, **request, model={**model, "solver": "gradient_descent"}, epochs=4000,
        optimizer={"kind": "gradient_descent", "learning_rate": 1.0},
    )  # fmt: skip
    np.testing.assert_allclose(descent.theta, newton.theta, atol=1e-6)
    assert descent.last["train_loss"] == pytest.approx(newton.last["train_loss"], rel=1e-6)


def test_the_slides_iris_stopped_short() -> None:
    """−0.41795 and 9.83828 are on the way: less far along than the optimum, and all but the same model."""
    columns = IrisSample().columns()
    X = np.stack([columns[name] for name in list(columns)[:4]], axis=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        slide = Reference(max_iter=100).fit(X, columns["species"])
    run = trained(IRIS, target="species", model={"kind": "logistic_regression"}, **RAW)
    assert abs(slide.intercept_[0] - INTERCEPTS[0]) > 1e-4
    assert slide.coef_[0, 0] == pytest.approx(run.layers[0].W[0, 0], abs=0.01)
    for coefficient, intercept in ((slide.coef_[0, 0], slide.intercept_[0]), (-0.41795, 9.83828)):
        assert coefficient == pytest.approx(COEFFICIENTS[0][0], abs=0.01)
        assert intercept == pytest.approx(INTERCEPTS[0], abs=0.02)


# --- 5. Perceptron ---


def perceptron(sample: Any, **request: Any) -> Run:
    columns = sample.columns()
    return trained(table(columns), **{"target": list(columns)[-1], "model": {"kind": "perceptron"}, **WHOLE} | request)


MOONS = {"radius": 10.0, "width": 6.0}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_double_moons_at_distance_1(seed: int) -> None:
    run = perceptron(DoubleMoonsSample(distance=1, seed=seed, **MOONS))
    assert run.epochs[-1].converged
    assert run.last["mistakes"] == run.last["pocket_mistakes"] == 0
    assert run.last["train_accuracy"] == 1
    assert run.codes == []
    assert len(run.epochs) < 100


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_double_moons_at_distance_minus_4(seed: int) -> None:
    """It stops where the epochs end, says so, and gives the pocket, not the weights that it happens to stand at."""
    columns = DoubleMoonsSample(distance=-4, seed=seed, **MOONS).columns()
    run = trained(table(columns), target="moon", model={"kind": "perceptron"}, epochs=30, **WHOLE)
    assert len(run.epochs) == 30
    assert not run.epochs[-1].converged
    assert run.codes == ["NOT_CONVERGED"]
    assert 0 < run.last["pocket_mistakes"] < 150
    assert run.last["pocket_mistakes"] <= min(run.course("mistakes"))
    assert run.last["pocket_mistakes"] < run.last["mistakes"]  # or nothing below would tell one from the other
    predicted = run.predictor().predict(table(columns).columns).values
    assert np.count_nonzero(np.array(predicted) != columns["moon"]) == run.last["pocket_mistakes"]


def test_xor_is_beyond_a_line() -> None:
    run = perceptron(XorSample())
    assert run.codes == ["NOT_CONVERGED"]
    assert len(run.epochs) == 100
    assert run.last["pocket_mistakes"] == 1
    assert run.last["train_accuracy"] == 0.75
    assert min(run.course("mistakes")) >= 1


@pytest.mark.parametrize("sample", [AndSample(), OrSample()], ids=lambda sample: sample.kind)
@pytest.mark.parametrize("scaling", ["none", "mean_normalization"])
def test_and_and_or_are_not(sample: Any, scaling: str) -> None:
    run = perceptron(sample, preprocessing={"scaling": scaling})
    assert run.epochs[-1].converged
    assert run.last["mistakes"] == 0
    assert run.codes == []


def test_without_a_bias_the_boundary_passes_through_the_origin() -> None:
    model = {"kind": "perceptron", "bias": False}
    request: dict[str, Any] = {"model": model, "preprocessing": {"scaling": "none"}}
    run = perceptron(AndSample(), **request)
    assert run.layers[0].b is None
    assert run.theta.size == 2
    assert run.codes == ["NOT_CONVERGED"]  # with one, AND is no trouble
    origin = table({"x1": [0], "x2": [0]})
    assert run.predictor().outputs(origin.columns) == 0
    moons = perceptron(DoubleMoonsSample(distance=-4), **request, epochs=5)
    points = table({"x": [3.0, -3.0, 10.0, -10.0], "y": [-5.0, 5.0, 1.0, -1.0]})
    outputs = moons.predictor().outputs(points.columns)[:, 0]
    np.testing.assert_allclose(outputs[::2], -outputs[1::2], rtol=1e-12)  # what is opposite is of the other class


# --- 7. Backpropagation ---

X1, W1, W2, RATE = (2.0, 3.0), np.array([[0.11, 0.12], [0.21, 0.08]]), np.array([[0.14], [0.15]]), 0.05


def worked_example(epochs: int) -> Prepared:
    posed = prepared(
        table({"x1": [X1[0]], "x2": [X1[1]], "y": [1.0]}), target="y",
        model={"kind": "mlp", "hidden": [{"units": 2, "activation": "identity"}], "bias": False}, loss={"kind": "half_mse"},
        optimizer={"kind": "gradient_descent", "learning_rate": RATE}, batch_size="full", epochs=epochs, precision="float64",
        preprocessing={"scaling": "none", "target_scaling": "none"},
    )  # fmt: skip
    first, second = posed.problem.network.parameters.layers
    first.W[...], second.W[...] = W1, W2
    return posed


def test_the_worked_example() -> None:
    hidden = np.array(X1) @ W1
    np.testing.assert_allclose(hidden, [0.85, 0.48], rtol=1e-14)
    posed = worked_example(1)
    network = posed.problem.network
    assert network.parameters.size == 6
    o = float(network.evaluate(posed.problem.train.X)[0, 0])
    assert o == pytest.approx(0.191, rel=1e-12)
    assert o - 1 == pytest.approx(-0.809, rel=1e-12)
    run = finish(posed)
    assert run.last["train_loss"] == pytest.approx(0.3272405, rel=1e-12)
    first, second = run.layers
    np.testing.assert_allclose(second.W[:, 0], [0.1743825, 0.169416], rtol=1e-12)
    np.testing.assert_allclose(first.W, [[0.121326, 0.132135], [0.226989, 0.0982025]], rtol=1e-12)
    np.testing.assert_allclose((W2 - second.W)[:, 0], RATE * -0.809 * hidden, rtol=1e-12)  # η Δ h
    o = float(network.evaluate(posed.problem.train.X)[0, 0])
    assert o == pytest.approx(0.2557457808, abs=5e-11)
    assert finish(worked_example(2)).last["train_loss"] == pytest.approx(0.2769571714, abs=5e-11)
    # The slide rounds on the way.
    assert round(float(second.W[0, 0]), 2) == round(float(second.W[1, 0]), 2) == 0.17
    assert round(o, 2) == 0.26
    assert math.floor(1000 * (1 - round(o, 2)) ** 2 / 2) / 1000 == 0.273


def test_the_worked_example_goes_on_to_its_answer() -> None:
    assert finish(worked_example(300)).last["train_loss"] == pytest.approx(0, abs=1e-6)


def xor(units: int, seed: int) -> Run:
    return trained(
        table(XorSample().columns()), target="y", seed=seed, epochs=600, batch_size="full",
        model={"kind": "mlp", "hidden": [{"units": units, "activation": "tanh"}]},
        optimizer={"kind": "adam", "learning_rate": 0.05},
    )  # fmt: skip


def solved(run: Run) -> bool:
    losses = run.course("train_loss")
    all_right = run.predictor().predict(table(XorSample().columns()).columns).values == [0, 1, 1, 0]
    return all_right and losses[-1] < losses[-50] < losses[0]


def test_xor_by_two_hidden_units_for_some_seeds() -> None:
    runs = [xor(2, seed) for seed in range(10)]
    assert runs[0].theta.size == 9
    assert 1 <= sum(map(solved, runs)) < 10  # others come to rest where one row or two stay wrong


def test_xor_by_eight_hidden_units_for_nine_seeds_in_ten() -> None:
    runs = [xor(8, seed) for seed in range(10)]
    assert runs[0].theta.size == 33
    assert sum(map(solved, runs)) >= 9


@pytest.mark.parametrize(("units", "expected"), [((2,), 9), ((), 3), ((3,), 13), ((4, 5), 43)])
def test_trainable_parameters(units: tuple[int, ...], expected: int) -> None:
    """Σ inputs · outputs + outputs."""
    hidden = [{"units": count} for count in units]
    posed = prepared(table(XorSample().columns()), target="y", model={"kind": "mlp", "hidden": hidden})
    assert posed.problem.network.parameters.size == expected


ONE_STEP: dict[str, Any] = {
    "target": "y", "task": "regression", "optimizer": {"kind": "gradient_descent", "learning_rate": 1.0},
    "epochs": 1, "batch_size": "full", "precision": "float64", "preprocessing": {"scaling": "none"},
}  # fmt: skip


def test_a_bias_is_a_weight_of_an_input_that_is_always_1() -> None:
    cells = XorSample().columns()
    with_bias = prepared(table(cells), model={"kind": "mlp", "hidden": []}, **ONE_STEP)
    with_one = prepared(table({**cells, "x0": [1, 1, 1, 1]}), model={"kind": "mlp", "hidden": [], "bias": False}, **ONE_STEP)
    theta = np.array([0.3, -0.7, 0.2])
    for ours, theirs in zip(one_step(with_bias, theta), one_step(with_one, theta), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)


def test_and_in_deeper_layers_of_a_unit_that_hands_the_1_on() -> None:
    """A fourth hidden unit, ReLU of x₀ alone, is the 1 by which the last layer's bias is a weight."""
    cells, rng = XorSample().columns(), np.random.default_rng(1)
    W1, b1, w2, b2 = rng.normal(0, 1, (2, 3)), rng.normal(0, 1, 3), rng.normal(0, 1, (3, 1)), rng.normal(0, 1, 1)
    three, four = ({"kind": "mlp", "hidden": [{"units": units, "activation": "relu"}]} for units in (3, 4))
    with_bias = prepared(table(cells), model=three, **ONE_STEP)
    with_one = prepared(table({**cells, "x0": [1, 1, 1, 1]}), model=four | {"bias": False}, **ONE_STEP)
    first, last = with_bias.problem.network.parameters.layers
    first.W[...], first.b[...], last.W[...], last.b[...] = W1, b1, w2, b2
    first, last = with_one.problem.network.parameters.layers
    first.W[...], last.W[...] = np.block([[W1, np.zeros((2, 1))], [b1, 1]]), np.vstack([w2, b2])

    (dW1, db1, dw2, db2), loss = gradient_by_layer(with_bias)
    (whole1, _, whole2, _), loss_with_one = gradient_by_layer(with_one)
    assert loss == pytest.approx(loss_with_one, rel=1e-12)
    np.testing.assert_allclose(np.vstack([dW1, db1]), whole1[:, :3], rtol=1e-12)
    np.testing.assert_allclose(np.vstack([dw2, db2]), whole2, rtol=1e-12)


def gradient_by_layer(posed: Prepared) -> tuple[list[Any], float]:
    """∂J/∂W and ∂J/∂b (or None) of each layer in turn, and J."""
    network = posed.problem.network
    gradient, loss = one_step(posed, network.parameters.theta.copy())
    shapes = [dense(*layer.W.shape, bias=layer.b is not None).parameters for layer in network.parameters.layers]
    return [array for layer in layer_views(gradient, gradient, shapes) for array in (layer.W, layer.b)], loss
