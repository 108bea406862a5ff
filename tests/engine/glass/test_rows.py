"""Rows one by one: to the bit what the engine evaluates, for every loss; and the worst first, whatever the weights."""

from typing import Any

import numpy as np
import pytest

from engine.glass.rows import SplitRows, Wanted
from engine.models.scoring import mean_loss
from engine.training.evaluation import evaluate, measured
from engine.training.predict import Predictor
from tests.engine import LOSSES, completed, prepared, table

RNG = np.random.default_rng(5)
X = RNG.normal(3, 2, (90, 3))
DATA = table(
    {
        **{f"x{index}": column for index, column in enumerate(X.T)},
        "kind": np.array(["low", "middle", "top"])[np.digitize(X.sum(axis=1), [7, 11])],
        "size": X @ [1, -2, 3] + RNG.normal(size=90),
        "warm": X[:, 0] > 3,
        "wet": np.where(X[:, 1] > 2, "yes", "no"),
    }
)
TARGETS: dict[str, Any] = {"classification": "kind", "regression": "size", "tagging": ["warm", "wet"]}
FEATURES = ["x0", "x1", "x2"]


@pytest.mark.parametrize(("loss", "task"), LOSSES)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_the_mean_of_the_rows_losses_is_the_epochs_to_the_bit(loss: str, task: str, precision: str) -> None:
    weights = {"class_weight": {"low": 3.0}} if task == "classification" else {}
    posed = prepared(
        DATA, target=TARGETS[task], task=task, features=FEATURES, model={"kind": "mlp"}, loss={"kind": loss},
        precision=precision, seed=4, **weights,
    )  # fmt: skip
    problem = posed.problem
    predictor = Predictor(problem.spec, posed.features, posed.target)
    for split, matrices in (("train", problem.train), ("validation", problem.validation)):
        assert matrices is not None
        rows = posed.rows[split]
        found = SplitRows.of(predictor, rows, DATA.take(rows), weighed=split == "train")
        assert found.mean_loss == mean_loss(problem, problem.network.evaluate(matrices.X), matrices)
        assert found.losses.dtype == precision
        places = Wanted().places(found)
        assert (np.diff(found.losses[places]) <= 0).all() and sorted(places.tolist()) == list(range(len(rows)))
        found = found.taken(places[:5])
        assert (found.rows == rows[places[:5]]).all() and (found.weights is None) == (split != "train" or not weights)


def one_vs_rest() -> tuple[Predictor, np.ndarray]:
    """A model that is sure of several classes at once, and its training rows."""
    model = {"kind": "logistic_regression", "multi_class": "one_vs_rest"}
    posed = prepared(DATA, target="kind", features=FEATURES, model=model, split={"validation": 0.0})
    theta = np.zeros(posed.problem.learner.parameters.size)
    theta[-3:] = [40.0, 45.0, 50.0]  # the biases: σ of each is 1 in float64
    return Predictor(posed.problem.spec, posed.features, posed.target, theta), posed.rows["train"]


def test_where_several_probabilities_round_to_one_the_largest_output_decides() -> None:
    """In the list, in predictions and in the confusion matrix alike."""
    predictor, rows = one_vs_rest()
    found = SplitRows.of(predictor, rows, DATA.take(rows))
    shares = predictor.probabilities(found.outputs)
    assert shares is not None and {tuple(share) for share in shares.values()} == {(1 / 3,) * 90}
    evaluation = evaluate(predictor, DATA.columns, "train")
    assert evaluation is not None and evaluation.confusion_matrix is not None
    assert found.chosen is not None and set(found.chosen) == {2}
    assert set(predictor.prediction(found.outputs).values) == {"top"}
    assert np.array(evaluation.confusion_matrix)[:, :2].sum() == 0
    share = np.mean(np.array(DATA.columns["kind"].values) == 2)
    assert evaluation.metrics["accuracy"] == share == measured("accuracy", predictor, found.outputs, found.columns)


def test_rows_that_are_no_number_come_first() -> None:
    predictor, rows = one_vs_rest()
    columns = DATA.take(rows)
    columns["x1"].values[7] = np.inf
    predictor.learner.parameters.theta[3] = 1e300
    with np.errstate(all="ignore"):
        found = SplitRows.of(predictor, rows, columns)
        assert Wanted().places(found)[0] == 7
        assert Wanted(descending=False).places(found)[-1] == 7


def test_every_metric_is_measured_as_an_evaluation_has_it() -> None:
    for task, target in TARGETS.items():
        posed = completed(DATA, target=target, task=task, features=FEATURES, model={"kind": "mlp"}, precision="float64")
        fitted = prepared(DATA, target=target, task=task, features=FEATURES, model={"kind": "mlp"}, precision="float64")
        predictor = Predictor(posed, fitted.features, fitted.target)
        columns = DATA.take(fitted.rows["validation"])
        evaluation = evaluate(predictor, DATA.columns, "validation")
        assert evaluation is not None and len(evaluation.metrics) > 0
        for metric, value in evaluation.metrics.items():
            assert measured(metric, predictor, predictor.outputs(columns), columns) == value, metric
