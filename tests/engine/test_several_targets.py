"""Several numbers at once are models side by side: held against separate models, NumPy and scikit-learn."""

from typing import Any

import numpy as np
import pytest
import sklearn.metrics as oracle

from engine.fast.paths import steps_of
from engine.models.descent import Definition, descend
from engine.models.run_state import State
from engine.parts.scaling import NoScaling
from engine.tables.features import Features
from engine.training.evaluation import evaluate
from engine.training.run import train
from tests.engine import Run, Table, finish, prepared, table, trained, way_of
from tests.engine.several import ANSWERS, DATA, FEATURES, HELD, TAGS, drawn, raw

WHOLE: dict[str, Any] = {"split": {"validation": 0.0}}


def numbers(model: Any = "linear_regression", data: Table = DATA, target: Any = ANSWERS, **request: Any) -> Run:
    kind = {"kind": model} if isinstance(model, str) else model
    return trained(data, **{"target": target, "features": FEATURES, "model": kind} | request)


@pytest.mark.parametrize("rows", [120, 50_000])
def test_each_output_is_the_linear_model_of_that_target_alone(rows: int) -> None:
    """For few rows, and for as many as take the other way there."""
    data = drawn(rows)
    together = numbers(data=data, **WHOLE)
    W, b = together.coefficients()
    assert W.shape == (3, 3)
    found = together.predictor().predict(data.columns)
    for index, name in enumerate(ANSWERS):
        alone = numbers(data=data, target=name, **WHOLE)
        w, intercept = alone.coefficients()
        np.testing.assert_allclose(W[:, [index]], w, rtol=1e-10, atol=1e-10)
        np.testing.assert_allclose(b[index], intercept[0], rtol=1e-10, atol=1e-10)
        expected = alone.predictor().predict(data.columns).values
        np.testing.assert_allclose([row[name] for row in found.values], expected, rtol=1e-10, atol=1e-10)
    design = np.column_stack([raw(data), np.ones(rows)])
    truth = np.stack([data.columns[name].values for name in ANSWERS], axis=1)
    solution = np.linalg.lstsq(design, truth, rcond=None)[0]
    np.testing.assert_allclose(np.vstack([W, b]), solution, rtol=1e-9, atol=1e-9)


def test_the_order_of_the_targets_is_the_order_of_the_outputs() -> None:
    W, b = numbers(**WHOLE).coefficients()
    turned, turned_b = numbers(target=ANSWERS[::-1], **WHOLE).coefficients()
    np.testing.assert_allclose(turned, W[:, ::-1], rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(turned_b, b[::-1], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("loss", ["mse", "half_mse", "mae", "huber"])
def test_descent_on_several_is_descent_on_each_at_a_share_of_the_rate(loss: str) -> None:
    """Regression losses take the mean over the outputs of a row, which the rate makes up for."""
    model = {"kind": "linear_regression", "solver": "gradient_descent"}

    def run(target: Any, rate: float) -> Run:
        optimizer = {"kind": "gradient_descent", "learning_rate": rate}
        return numbers(model, target=target, loss={"kind": loss}, optimizer=optimizer, epochs=40, **WHOLE)

    together = run(ANSWERS, 0.3)
    losses = []
    for index, name in enumerate(ANSWERS):
        alone = run(name, 0.1)
        np.testing.assert_allclose(together.layers[0].W[:, [index]], alone.layers[0].W, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(together.layers[0].b[index], alone.layers[0].b[0], rtol=1e-10)
        losses.append(alone.course("train_loss"))
    np.testing.assert_allclose(together.course("train_loss"), np.mean(losses, axis=0), rtol=1e-10)


def test_several_numbers_are_predicted_by_name_in_their_own_units() -> None:
    run = numbers()
    found = run.predictor().predict(DATA.columns)
    assert found.probabilities is None
    assert [list(row) for row in found.values] == [ANSWERS] * DATA.rows
    assert {type(value) for row in found.values for value in row.values()} == {float}
    W, b = run.coefficients()
    plain = Features.fit([DATA.columns[name] for name in FEATURES], "error", NoScaling())
    expected = plain.transform(DATA.columns) @ W + b
    np.testing.assert_allclose([list(row.values()) for row in found.values], expected, rtol=1e-9)


@pytest.mark.parametrize("model", ["linear_regression", "mlp"])
def test_several_numbers_are_scored_by_their_mean_r2(model: str) -> None:
    run = numbers(model, precision="float64")
    rows = run.prepared.rows["validation"]
    found = run.predictor().predict(DATA.take(rows)).values
    predicted = [[row[name] for name in ANSWERS] for row in found]
    actual = np.stack([DATA.columns[name].values[rows] for name in ANSWERS], axis=1)
    assert run.last["validation_r2"] == pytest.approx(oracle.r2_score(actual, predicted))
    _, scale = run.prepared.target.scaling or (0.0, 1.0)
    assert (run.prepared.target.scaling is None) == (model == "linear_regression")
    expected = (((np.array(predicted) - actual) / scale) ** 2).mean() / 2
    assert run.last["validation_loss"] == pytest.approx(expected)


def test_a_list_of_one_is_as_the_one() -> None:
    one, listed = numbers(target="b"), numbers(target=["b"])
    assert one.theta.tobytes() == listed.theta.tobytes()
    assert one.predictor().predict(DATA.columns) == listed.predictor().predict(DATA.columns)


def test_yes_and_no_are_1_and_0_in_a_regression() -> None:
    W, _ = numbers(target=["warm", "loud"], **WHOLE).coefficients()
    design = np.column_stack([raw(DATA), np.ones(DATA.rows)])
    np.testing.assert_allclose(W, np.linalg.lstsq(design, HELD[:, [0, 2]].astype(float), rcond=None)[0][:3], rtol=1e-9)


def test_several_numbers_are_evaluated_each_by_its_residuals() -> None:
    run = numbers(split={"validation": 0.2, "test": 0.25})
    found = evaluate(run.predictor(), DATA.columns, "test")
    assert found is not None
    rows = run.prepared.rows["test"]
    assert (found.split, found.rows) == ("test", len(rows))
    assert found.classes is found.confusion_matrix is found.by_class is found.roc is found.precision_recall is None
    actual = np.stack([DATA.columns[name].values[rows] for name in ANSWERS], axis=1)
    predicted = np.array([list(row.values()) for row in run.predictor().predict(DATA.take(rows)).values])
    assert found.metrics == pytest.approx(
        {
            "r2": oracle.r2_score(actual, predicted),
            "mae": oracle.mean_absolute_error(actual, predicted),
            "rmse": oracle.root_mean_squared_error(actual, predicted),
        }
    )
    assert found.residuals is not None
    assert list(found.residuals) == ANSWERS
    for index, name in enumerate(ANSWERS):
        residual = actual[:, index] - predicted[:, index]
        assert found.residuals[name]["actual"] == actual[:, index].tolist()
        np.testing.assert_allclose(found.residuals[name]["predicted"], predicted[:, index])
        assert found.residuals[name]["mean"] == pytest.approx(residual.mean())
        assert found.residuals[name]["std"] == pytest.approx(residual.std())
        assert found.residuals[name]["quantiles"]["0.25"] == pytest.approx(np.quantile(residual, 0.25))


def test_rows_without_any_one_answer_are_dropped() -> None:
    cells = {name: column.values.tolist() for name, column in DATA.columns.items() if name in (*FEATURES, *ANSWERS)}
    for row, name in ((3, "a"), (7, "b"), (7, "c"), (11, "x1")):
        cells[name][row] = None
    run = numbers(data=table(cells), preprocessing={"missing": "drop"}, **WHOLE)
    kept = np.delete(np.arange(DATA.rows), [3, 7, 11])
    np.testing.assert_array_equal(run.prepared.rows["train"], kept)
    fewer = {name: column.values[kept] for name, column in DATA.columns.items() if name in cells}
    np.testing.assert_array_equal(run.theta, numbers(data=table(fewer), **WHOLE).theta)


# --- numbers and tags ---

SIZES: dict[str, tuple[list[int], str]] = {"no layer": ([], "small"), "small": ([5], "small"), "large": ([200, 200], "large")}
PATHS = pytest.mark.parametrize(("units", "way"), SIZES.values(), ids=SIZES.keys())


@PATHS
@pytest.mark.parametrize("target", [ANSWERS, TAGS], ids=["numbers", "tags"])
@pytest.mark.parametrize(("precision", "tolerance"), [("float64", 1e-9), ("float32", 1e-4)])
def test_the_fast_path_is_the_definition(
    units: list[int], way: str, target: list[str], precision: str, tolerance: float
) -> None:
    model = {"kind": "mlp", "hidden": [{"units": count, "activation": "tanh"} for count in units]}
    request: dict[str, Any] = {
        "target": target, "features": FEATURES, "model": model, "epochs": 6, "precision": precision, "batch_size": 16,
        "split": {"validation": 0.25}, "record": {"curves": "batch"}, "regularization": {"l2": 0.01},
    }  # fmt: skip
    assert way_of(prepared(DATA, **request)) == way
    theta, epochs = [], []
    for choose in (steps_of, Definition):
        problem, state = prepared(DATA, **request).problem, State()
        epochs.append([epoch for epoch in descend(problem, state, choose) if epoch.whole])
        theta.append(problem.network.parameters.theta)
    np.testing.assert_allclose(theta[0], theta[1], rtol=tolerance, atol=tolerance)
    metric = "r2" if target == ANSWERS else "tag_accuracy"
    for ours, theirs in zip(*epochs, strict=True):
        assert ours.values.keys() == theirs.values.keys() > {f"train_{metric}", f"validation_{metric}"}
        for name in ours.values.keys() - {"seconds"}:
            assert ours.values[name] == pytest.approx(theirs.values[name], rel=tolerance, abs=tolerance), name
        assert ours.batch_losses is not None
        np.testing.assert_allclose(ours.batch_losses, theirs.batch_losses, rtol=tolerance)


@PATHS
@pytest.mark.parametrize("target", [ANSWERS, TAGS], ids=["numbers", "tags"])
def test_a_run_taken_up_again_ends_in_the_same_bits(units: list[int], way: str, target: list[str]) -> None:
    model = {"kind": "mlp", "hidden": [{"units": count} for count in units]}
    request: dict[str, Any] = {"target": target, "features": FEATURES, "model": model, "epochs": 4}
    posed, state = prepared(DATA, **request), State()
    assert way_of(posed) == way
    stops = [state.arrays(posed.problem.network) for epoch in train(posed.problem, state) if epoch.whole]
    for arrays in stops[:-1]:
        fresh = prepared(DATA, **request)
        resumed = State.from_arrays(arrays, fresh.problem.network)
        finish(fresh, resumed)
        ended = resumed.arrays(fresh.problem.network)
        assert {name: array.tobytes() for name, array in ended.items()} == {
            name: array.tobytes() for name, array in stops[-1].items()
        }


def test_an_evaluation_of_the_validation_rows_is_what_training_said() -> None:
    for target, metric in ((ANSWERS, "r2"), (TAGS, "tag_accuracy")):
        run = trained(DATA, target=target, features=FEATURES, model={"kind": "mlp"}, epochs=10, precision="float64")
        found = evaluate(run.predictor(), DATA.columns, None)
        assert found is not None
        assert found.split == "validation"
        assert found.metrics[metric] == pytest.approx(run.last[f"validation_{metric}"])
