"""Tags are models side by side: held against logistic regressions, NumPy and scikit-learn."""

from typing import Any

import numpy as np
import pytest
import sklearn.metrics as oracle

from engine.parts.activations import Sigmoid
from engine.training.evaluation import evaluate
from tests.engine import Run, table, trained, way_of
from tests.engine.several import DATA, FEATURES, HELD, TAGS, has, raw

WHOLE: dict[str, Any] = {"split": {"validation": 0.0}}
NO_LAYER = {"kind": "mlp", "hidden": [], "initializer": {"kind": "zeros"}}
STILL = {"kind": "gradient_descent", "learning_rate": 1e-300}


def tagged(model: Any = NO_LAYER, target: Any = TAGS, **request: Any) -> Run:
    return trained(DATA, **{"target": target, "features": FEATURES, "model": model, "task": "tagging"} | request)


def test_tags_without_a_hidden_layer_are_logistic_regressions_side_by_side() -> None:
    request: dict[str, Any] = {
        "features": FEATURES, "epochs": 200, "batch_size": "full", "precision": "float64",
        "optimizer": {"kind": "gradient_descent", "learning_rate": 0.5}, **WHOLE,
    }  # fmt: skip
    together = tagged(**request)
    logistic = {"kind": "logistic_regression", "solver": "gradient_descent", "penalty": {"l2": 0.0}}
    losses, rights = [], []
    for index, name in enumerate(TAGS):
        alone = trained(DATA, target=name, task="classification", model=logistic, **request)
        np.testing.assert_allclose(together.layers[0].W[:, [index]], alone.layers[0].W, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(together.layers[0].b[index], alone.layers[0].b[0], rtol=1e-10, atol=1e-12)
        losses.append(alone.course("train_loss"))
        rights.append(alone.course("train_accuracy"))
        theirs = alone.probabilities(DATA.columns)
        np.testing.assert_allclose(together.probabilities(DATA.columns)[:, index], theirs[:, 1], rtol=1e-10)
    np.testing.assert_allclose(together.course("train_loss"), np.sum(losses, axis=0), rtol=1e-10)
    np.testing.assert_allclose(together.course("train_tag_accuracy"), np.mean(rights, axis=0), rtol=1e-12)


def test_tags_without_a_hidden_layer_by_hand() -> None:
    """Full-batch gradient descent from zero weights, written out."""
    run = tagged(
        epochs=150, batch_size="full", precision="float64", optimizer={"kind": "gradient_descent", "learning_rate": 0.4},
        preprocessing={"scaling": "none"}, **WHOLE,
    )  # fmt: skip
    X, W, b, losses = raw(DATA), np.zeros((3, 3)), np.zeros(3), []
    for _ in range(150):
        P = 1 / (1 + np.exp(-(X @ W + b)))
        losses.append(-np.where(HELD, np.log(P), np.log(1 - P)).sum(axis=1).mean())
        D = (P - HELD) / len(X)
        W, b = W - 0.4 * X.T @ D, b - 0.4 * D.sum(axis=0)
    np.testing.assert_allclose(run.layers[0].W, W, rtol=1e-10)
    np.testing.assert_allclose(run.layers[0].b, b, rtol=1e-10)
    np.testing.assert_allclose(run.course("train_loss"), losses, rtol=1e-10)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_tags_are_predicted_by_name_and_so_are_their_probabilities(precision: str) -> None:
    run = tagged({"kind": "mlp"}, precision=precision)
    predictor = run.predictor()
    outputs, found = predictor.outputs(DATA.columns), predictor.predict(DATA.columns)
    assert outputs.shape == (DATA.rows, 3)
    assert [has(row) for row in found.values] == (outputs > 0).tolist()
    assert [{type(row[name]) for row in found.values} for name in TAGS] == [{bool}, {str}, {bool}]
    assert {tuple(row.values()) for row in found.values} > {(True, "yes", True), (False, "no", False)}  # not one of three
    assert found.probabilities is not None
    assert list(found.probabilities) == TAGS
    expected = np.empty(outputs.shape)
    Sigmoid().apply(np, outputs.astype(float), expected)
    for index, name in enumerate(TAGS):
        np.testing.assert_array_equal(found.probabilities[name], expected[:, index])
        assert [has(row)[index] for row in found.values] == (found.probabilities[name] > 0.5).tolist()
    assert found.by_name is not None
    assert list(found.by_name) == TAGS
    wet = found.by_name["wet"]
    assert isinstance(wet, dict)
    np.testing.assert_array_equal(wet["yes"], expected[:, 1])
    np.testing.assert_array_equal(wet["no"], 1 - expected[:, 1])
    np.testing.assert_array_equal(found.by_name["loud"], expected[:, 2])


@pytest.mark.parametrize(("units", "way"), [([], "small"), ([6], "small"), ([200, 200], "large")])
def test_tag_accuracy_is_the_share_of_right_tags(units: list[int], way: str) -> None:
    """At weights that stand still, so that it can be counted afterwards; with no layer, one and layers that are large."""
    model = {"kind": "mlp", "hidden": [{"units": count, "activation": "tanh"} for count in units]}
    run = tagged(model, optimizer=STILL, epochs=2, split={"validation": 0.3})
    assert way_of(run.prepared) == way
    for split in ("train", "validation"):
        rows = run.prepared.rows[split]
        found = run.predictor().predict(DATA.take(rows)).values
        right = np.array([has(row) for row in found]) == HELD[rows]
        assert 0 < np.mean(right) < 1
        assert run.course(f"{split}_tag_accuracy") == [pytest.approx(np.mean(right), rel=1e-12)] * 2
    assert set(run.last) == {
        "train_loss", "validation_loss", "train_tag_accuracy", "validation_tag_accuracy", "learning_rate", "gradient_norm",
        "seconds",
    }  # fmt: skip


def test_tags_are_learned() -> None:
    run = tagged({"kind": "mlp"}, epochs=200)
    most = np.maximum(HELD.mean(axis=0), 1 - HELD.mean(axis=0)).mean()
    assert (run.last["train_tag_accuracy"] or 0) > most + 0.05
    assert run.course("train_loss")[-1] < 0.8 * run.course("train_loss")[0]


def test_one_tag_alone_is_a_classification_of_two() -> None:
    request: dict[str, Any] = {"target": "warm", "model": {"kind": "mlp"}, "epochs": 5, "split": {"stratify": False}}
    tag, class_ = (trained(DATA, features=FEATURES, task=task, **request) for task in ("tagging", "classification"))
    assert tag.theta.tobytes() == class_.theta.tobytes()
    assert tag.course("validation_loss") == class_.course("validation_loss")
    assert tag.course("validation_tag_accuracy") == class_.course("validation_accuracy")
    labels = class_.predictor().predict(DATA.columns).values
    assert tag.predictor().predict(DATA.columns).values == [{"warm": label} for label in labels]


def test_tags_are_evaluated_as_scikit_learn_would() -> None:
    run = tagged({"kind": "mlp"}, split={"validation": 0.2, "test": 0.3}, precision="float64")
    found = evaluate(run.predictor(), DATA.columns, "test")
    assert found is not None
    rows = run.prepared.rows["test"]
    predicted = run.predictor().predict(DATA.take(rows))
    assert predicted.probabilities is not None
    given = np.array([has(row) for row in predicted.values])
    actual = HELD[rows]
    assert found.metrics == {"tag_accuracy": pytest.approx(1 - oracle.hamming_loss(actual, given))}
    named = ["warm", "wet=yes", "loud"]  # of a tag of words, which one counts as held
    assert (found.split, found.rows, found.classes) == ("test", len(rows), named)
    assert found.confusion_matrix is found.residuals is None
    scores = oracle.precision_recall_fscore_support(actual, given, average=None)
    assert found.by_class is not None
    assert found.roc is not None
    assert found.precision_recall is not None
    for index, name in enumerate(TAGS):
        entry = found.by_class[index]
        assert entry["class"] == found.roc[index]["class"] == found.precision_recall[index]["class"] == named[index]
        assert [entry[what] for what in ("precision", "recall", "f1", "support")] == pytest.approx(
            [column[index] for column in scores]
        )
        roc, ours = found.roc[index], found.precision_recall[index]
        area = oracle.auc(roc["false_positive_rate"], roc["true_positive_rate"])
        assert area == pytest.approx(oracle.roc_auc_score(actual[:, index], predicted.probabilities[name]))
        precision, recall, _ = oracle.precision_recall_curve(actual[:, index], predicted.probabilities[name])
        assert set(zip(np.round(recall, 9), np.round(precision, 9), strict=True)) >= set(
            zip(np.round(ours["recall"][1:], 9), np.round(ours["precision"][1:], 9), strict=True)
        )


def test_a_tag_that_no_row_has_is_evaluated_too() -> None:
    data = table({"x": [0.0, 1, 2, 3], "never": [False] * 4, "late": [False, False, True, True]})
    run = trained(data, target=["never", "late"], model={"kind": "mlp"}, epochs=300)
    found = evaluate(run.predictor(), data.columns, None)
    assert found is not None
    assert (found.split, found.metrics) == ("train", {"tag_accuracy": 1.0})
    assert found.roc is not None
    assert found.precision_recall is not None
    assert found.roc[0] == {"class": "never", "false_positive_rate": None, "true_positive_rate": None, "threshold": None}
    assert found.precision_recall[0] == {"class": "never", "recall": None, "precision": None, "threshold": None}
    assert found.by_class == [
        {"class": "never", "precision": None, "recall": None, "f1": None, "support": 0},
        {"class": "late", "precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 2},
    ]
