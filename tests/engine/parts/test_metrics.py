import time
from typing import Any

import numpy as np
import pytest
import sklearn.metrics as oracle
from hypothesis import given
from hypothesis import strategies as st

from engine.parts.metrics import METRICS, confusion_matrix, top_k_accuracy

CLASSIFICATION = [metric for metric in METRICS.values() if metric.task == "classification"]
REGRESSION = [metric for metric in METRICS.values() if metric.task == "regression"]
TAGGING = [metric for metric in METRICS.values() if metric.task == "tagging"]
OF_ANSWERS = [metric for metric in METRICS.values() if metric.task != "clustering"]
"""Those that hold answers against the truth; tests/engine/parts/test_clustering.py has the others."""


def classified(seed: int, rows: int, K: int) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities (rows, K), with ties among them, and labels (rows,)."""
    rng = np.random.default_rng(seed)
    P = np.round(rng.dirichlet(np.ones(K), rows), 2) + 0.01
    return P / P.sum(axis=1, keepdims=True), rng.integers(K, size=rows)


def macro(function: Any) -> Any:
    return lambda P, y: function(y, P.argmax(axis=1), average="macro", zero_division=0)


ORACLES: dict[str, Any] = {
    "accuracy": lambda P, y: oracle.accuracy_score(y, P.argmax(axis=1)),
    "precision_macro": macro(oracle.precision_score),
    "recall_macro": macro(oracle.recall_score),
    "f1_macro": macro(oracle.f1_score),
    "log_loss": lambda P, y: oracle.log_loss(y, P, labels=range(P.shape[1])),
    "tag_accuracy": lambda outputs, tags: 1 - oracle.hamming_loss(tags, outputs > 0),
    "r2": lambda predictions, targets: oracle.r2_score(targets, predictions),
    "mae": lambda predictions, targets: oracle.mean_absolute_error(targets, predictions),
    "rmse": lambda predictions, targets: oracle.root_mean_squared_error(targets, predictions),
}


@pytest.mark.parametrize("metric", [m for m in CLASSIFICATION if m.name in ORACLES], ids=lambda metric: metric.name)
@given(seed=st.integers(0, 2**32), rows=st.integers(1, 40), K=st.integers(2, 5))
def test_classification_is_scikit_learns(metric: Any, seed: int, rows: int, K: int) -> None:
    P, y = classified(seed, rows, K)
    assert metric.function(P, y) == pytest.approx(ORACLES[metric.name](P, y), rel=1e-12)


@pytest.mark.parametrize("metric", REGRESSION, ids=lambda metric: metric.name)
@given(seed=st.integers(0, 2**32), rows=st.integers(2, 40), k=st.integers(1, 3))
def test_regression_is_scikit_learns(metric: Any, seed: int, rows: int, k: int) -> None:
    predictions, targets = np.random.default_rng(seed).normal(5, 2, (2, rows, k))
    assert metric.function(predictions, targets) == pytest.approx(
        ORACLES[metric.name](predictions, targets), rel=1e-9, abs=1e-12
    )


@pytest.mark.parametrize("metric", TAGGING, ids=lambda metric: metric.name)
@given(seed=st.integers(0, 2**32), rows=st.integers(1, 40), k=st.integers(2, 4))
def test_tagging_is_scikit_learns(metric: Any, seed: int, rows: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    outputs, tags = rng.integers(-2, 3, (rows, k)) / 2, rng.integers(0, 2, (rows, k))  # 0 among them, which is no
    expected = ORACLES[metric.name](outputs, tags)
    assert metric.function(outputs, tags.astype(float)) == pytest.approx(expected, rel=1e-12)
    assert expected == pytest.approx(np.mean([(z > 0) == (y == 1) for z, y in zip(outputs.flat, tags.flat, strict=True)]))


@given(seed=st.integers(0, 2**32), rows=st.integers(1, 40), K=st.integers(3, 9), data=st.data())
def test_top_k_accuracy_is_scikit_learns(seed: int, rows: int, K: int, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, K - 1))
    rng = np.random.default_rng(seed)
    P, y = rng.dirichlet(np.ones(K), rows), rng.integers(K, size=rows)  # without ties, which scikit-learn breaks otherwise
    assert top_k_accuracy(P, y, k) == pytest.approx(oracle.top_k_accuracy_score(y, P, k=k, labels=range(K)))


@given(seed=st.integers(0, 2**32), rows=st.integers(1, 40), K=st.integers(2, 7))
def test_top_1_is_the_accuracy_and_top_k_all_ties_or_not(seed: int, rows: int, K: int) -> None:
    P, y = classified(seed, rows, K)
    assert top_k_accuracy(P, y, 1) == METRICS["accuracy"].function(P, y)
    assert top_k_accuracy(P, y, K) == 1
    assert top_k_accuracy(np.full_like(P, np.nan), y, K) == 0


def test_every_metric_has_an_oracle() -> None:
    assert {metric.name for metric in OF_ANSWERS} - set(ORACLES) == {"roc_auc", "top_k_accuracy"}


@given(seed=st.integers(0, 2**32), rows=st.integers(2, 60))
def test_the_area_of_two_classes_is_scikit_learns(seed: int, rows: int) -> None:
    P, y = classified(seed, rows, 2)
    area = METRICS["roc_auc"].function(P, y)
    assert area is None if len(set(y)) < 2 else area == pytest.approx(oracle.roc_auc_score(y, P[:, 1]))


@given(seed=st.integers(0, 2**32), K=st.integers(3, 6))
def test_the_area_of_more_classes_is_scikit_learns(seed: int, K: int) -> None:
    P, y = classified(seed, 60, K)
    y[:K] = np.arange(K)  # scikit-learn wants each class to occur
    expected = oracle.roc_auc_score(y, P, multi_class="ovr", average="macro")
    assert METRICS["roc_auc"].function(P, y) == pytest.approx(expected)


def test_the_area_is_taken_over_the_classes_that_occur() -> None:
    P = np.array([[0.7, 0.2, 0.1], [0.4, 0.5, 0.1], [0.6, 0.3, 0.1], [0.3, 0.6, 0.1]])
    assert METRICS["roc_auc"].function(P, np.array([0, 1, 0, 1])) == 1
    assert METRICS["roc_auc"].function(P, np.array([1, 1, 1, 1])) is None


@given(seed=st.integers(0, 2**32), rows=st.integers(0, 50), K=st.integers(2, 5))
def test_confusion_matrix_is_scikit_learns(seed: int, rows: int, K: int) -> None:
    labels, predicted = np.random.default_rng(seed).integers(K, size=(2, rows))
    table = confusion_matrix(labels, predicted, K)
    assert table.shape == (K, K)
    assert table.sum() == rows
    if rows:
        np.testing.assert_array_equal(table, oracle.confusion_matrix(labels, predicted, labels=range(K)))


def test_confusion_matrix_has_truth_downwards() -> None:
    table = confusion_matrix(np.array([0, 0, 1], np.uint8), np.array([1, 0, 1]), 2)
    np.testing.assert_array_equal(table, [[1, 1], [0, 1]])


def test_small_label_types_do_not_overflow() -> None:
    table = confusion_matrix(np.array([99], np.int8), np.array([98], np.int8), 100)
    assert table[99, 98] == 1


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_nothing_is_said_of_no_rows(metric: Any) -> None:
    labels = np.empty(0, np.int64) if metric.task == "classification" else np.empty((0, 2))
    assert metric.function(np.empty((0, 2)), labels) is None


@pytest.mark.parametrize("metric", OF_ANSWERS, ids=lambda metric: metric.name)
def test_a_perfect_prediction_is_the_best(metric: Any) -> None:
    labels = np.array([0, 6, 5, 6])
    targets = labels if metric.task == "classification" else np.array([[0.0], [1], [2], [1]])
    perfect = np.eye(7)[labels] if metric.task == "classification" else targets
    best = metric.function(perfect, targets)
    worse = metric.function(perfect[::-1], targets)
    assert isinstance(best, float)
    assert best == pytest.approx(1 if metric.better == "higher" else 0)
    assert best > worse if metric.better == "higher" else best < worse


@pytest.mark.parametrize("targets", [[[2.0], [2.0], [2.0]], [[0.1], [0.1], [0.1]], [[1.0]], [[1.0, 5], [2, 5], [3, 5]]])
def test_r2_of_a_constant_target_is_undefined(targets: list[list[float]]) -> None:
    assert METRICS["r2"].function(np.zeros_like(targets), np.array(targets)) is None


def test_log_loss_is_finite_at_a_probability_of_zero() -> None:
    for dtype in (np.float32, np.float64):
        P, y = np.array([[1, 0], [0, 1]], dtype), np.array([1, 1])
        assert METRICS["log_loss"].function(P, y) == pytest.approx(-np.log(np.finfo(dtype).eps) / 2, rel=1e-6)


@pytest.mark.parametrize("metric", OF_ANSWERS, ids=lambda metric: metric.name)
def test_float32_sums_lose_nothing(metric: Any) -> None:
    P, y = classified(0, 60_000, 10)
    if metric.task == "regression":
        P, y = P[:, :1] * 7, P[:, 1:2] + y[:, None]
    if metric.task == "tagging":
        P, y = P - 0.1, (P > 0.08).astype(float)
    single = metric.function(P.astype(np.float32), y if metric.task == "classification" else y.astype(np.float32))
    assert single == pytest.approx(metric.function(P, y), rel=1e-5)


def test_all_metrics_of_a_large_table_take_little_time() -> None:
    P, y = classified(0, 60_000, 10)
    start = time.process_time()  # a busy machine's clock says nothing of the work
    for metric in CLASSIFICATION:
        metric.function(P, y)
    assert time.process_time() - start < 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@given(seed=st.integers(0, 50), share=st.floats(-1, 1))
def test_numbers_of_any_size_are_judged_alike(dtype: Any, seed: int, share: float) -> None:
    """By powers of two, which round nothing, however far their squares lie out of range."""
    predictions, targets = np.random.default_rng(seed).normal(1, 0.5, (2, 20, 2)).astype(dtype)
    power = int(share * (np.finfo(dtype).maxexp - 30))
    near = {metric.name: metric.function(predictions, targets) for metric in REGRESSION}
    far = {metric.name: metric.function(np.ldexp(predictions, power), np.ldexp(targets, power)) for metric in REGRESSION}
    assert far["r2"] == pytest.approx(near["r2"], rel=1e-5)
    assert far["mae"] == pytest.approx(np.ldexp(near["mae"], power), rel=1e-5, abs=0)
    assert far["rmse"] == pytest.approx(np.ldexp(near["rmse"], power), rel=1e-5, abs=0)
