"""Evaluation, correlations and histograms, held against scikit-learn, NumPy and published figures."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn import metrics as oracle

from tests.service.conftest import Stage


def rows_of(stage: Stage, dataset_id: str) -> list[list[Any]]:
    return stage.client.get(f"/v1/datasets/{dataset_id}/rows", params={"limit": 10_000}).json()["rows"]


def test_a_classification_is_evaluated_as_scikit_learn_would(stage: Stage) -> None:
    iris = stage.iris()
    job = stage.job(iris, "species", "logistic_regression", split={"validation": 0.0})
    found = stage.client.get(f"/v1/jobs/{job['id']}/evaluation").json()
    assert (found["split"], found["rows"]) == ("train", 150)
    names = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    data = [row[:4] for row in rows_of(stage, iris)]
    answer = stage.client.post(f"/v1/models/{job['model_id']}/predict", json={"columns": names, "data": data}).json()
    truth = [row[4] for row in rows_of(stage, iris)]
    classes = found["classes"]
    probabilities = np.array([[row[name] for name in classes] for row in answer["probabilities"]])
    predicted = answer["predictions"]
    expected = {
        "accuracy": oracle.accuracy_score(truth, predicted),
        "precision_macro": oracle.precision_score(truth, predicted, average="macro"),
        "recall_macro": oracle.recall_score(truth, predicted, average="macro"),
        "f1_macro": oracle.f1_score(truth, predicted, average="macro"),
        "log_loss": oracle.log_loss(truth, probabilities, labels=classes),
        "roc_auc": oracle.roc_auc_score(truth, probabilities, multi_class="ovr"),
    }
    assert found["metrics"] == pytest.approx(expected)
    assert found["confusion_matrix"] == oracle.confusion_matrix(truth, predicted, labels=classes).tolist()
    f1 = oracle.f1_score(truth, predicted, average=None, labels=classes)
    assert [row["f1"] for row in found["by_class"]] == pytest.approx(f1.tolist())
    for index, name in enumerate(classes):
        positive = [label == name for label in truth]
        curve = found["roc"][index]
        area = oracle.auc(curve["false_positive_rate"], curve["true_positive_rate"])
        assert area == pytest.approx(oracle.roc_auc_score(positive, probabilities[:, index]))
        precision, recall, _ = oracle.precision_recall_curve(positive, probabilities[:, index])
        ours = found["precision_recall"][index]
        assert set(zip(np.round(recall, 9), np.round(precision, 9), strict=True)) >= set(
            zip(np.round(ours["recall"][1:], 9), np.round(ours["precision"][1:], 9), strict=True)
        )
    assert found["residuals"] is None


def test_a_regression_is_evaluated_by_its_residuals(stage: Stage) -> None:
    weights = stage.sample("infant_weight")
    job = stage.job(weights, "weight", "linear_regression")
    found = stage.client.get(f"/v1/jobs/{job['id']}/evaluation").json()
    actual = [row[1] for row in rows_of(stage, weights)]
    predicted = found["residuals"]["weight"]["predicted"]
    assert found["residuals"]["weight"]["actual"] == actual
    assert found["residuals"]["weight"]["mean"] == pytest.approx(0, abs=1e-12)
    assert found["metrics"]["r2"] == pytest.approx(oracle.r2_score(actual, predicted))
    assert found["metrics"]["r2"] == pytest.approx(0.9639292715**2)
    assert found["metrics"]["rmse"] == pytest.approx(np.sqrt(2 * 0.1949535080))
    assert found["confusion_matrix"] is None


def test_the_default_is_what_the_model_has_not_seen(stage: Stage) -> None:
    iris = stage.iris()
    job = stage.job(iris, "species", "mlp", split={"validation": 0.2, "test": 0.2})
    url = f"/v1/jobs/{job['id']}/evaluation"
    found = {split: stage.client.get(url, params={"split": split}).json() for split in ("train", "validation", "test")}
    assert [found[split]["rows"] for split in found] == [90, 30, 30]
    assert stage.client.get(url).json() == found["test"]
    assert found["validation"]["metrics"]["accuracy"] == pytest.approx(job["latest"]["validation_accuracy"])
    assert found["validation"]["metrics"]["log_loss"] == pytest.approx(job["latest"]["validation_loss"], rel=1e-5)
    untested = stage.job(iris, "species", "mlp")
    missing = stage.client.get(f"/v1/jobs/{untested['id']}/evaluation", params={"split": "test"})
    assert missing.status_code == 404
    assert "split.test" in missing.json()["detail"]


def test_a_perceptron_has_no_probabilities_to_be_judged_by(stage: Stage) -> None:
    job = stage.job(stage.sample("double_moons", distance=1), "moon", "perceptron")
    found = stage.client.get(f"/v1/jobs/{job['id']}/evaluation").json()
    assert found["metrics"]["log_loss"] is None
    assert found["metrics"]["accuracy"] == found["metrics"]["roc_auc"] == 1.0


@pytest.mark.parametrize(("number", "rho"), [(1, 0.8164205163), (2, 0.8162365060), (3, 0.8162867395), (4, 0.8165214369)])
def test_anscombes_four_sets_correlate_alike(stage: Stage, number: int, rho: float) -> None:
    dataset_id = stage.sample("anscombe", set=number)
    found = stage.client.get(f"/v1/datasets/{dataset_id}/correlations").json()
    assert found["matrix"][0][1] == pytest.approx(rho, abs=1e-10)


def test_with_a_target_the_strongest_come_first(stage: Stage) -> None:
    rng = np.random.default_rng(0)
    y = rng.normal(0, 1, 200)
    noise = {"weak": 9.0, "strong": 0.3, "middle": 1.0}
    cells = {name: y + rng.normal(0, size, 200) for name, size in noise.items()}
    cells |= {"y": y, "flat": np.ones(200), "against": -2 * y + rng.normal(0, 0.1, 200), "a,b": y + rng.normal(0, 2, 200)}
    dataset_id = stage.csv(pl.DataFrame(cells).write_csv()).json()["id"]
    url = f"/v1/datasets/{dataset_id}/correlations"
    found = stage.client.get(url, params={"target": "y"}).json()
    order = ["y", "against", "strong", "middle", "a,b", "weak", "flat"]
    assert found["columns"] == order
    assert found["left_out"] == 0
    expected = np.corrcoef(np.stack([cells[name] for name in order[:-1]]))
    np.testing.assert_allclose(np.array(found["matrix"], dtype=float)[:-1, :-1], expected, atol=1e-12)
    assert found["matrix"][-1] == [None] * 7
    few = stage.client.get(url, params={"target": "y", "limit": 2}).json()
    assert (few["columns"], few["left_out"]) == (["y", "against", "strong"], 4)
    some = stage.client.get(url, params={"target": "y", "columns": '["weak", "a,b"]'}).json()
    assert some["columns"] == ["y", "a,b", "weak"]
    missing = stage.client.get(url, params={"target": "nope"})
    assert (missing.status_code, missing.json()["errors"][0]["pointer"]) == (404, "/query/target")
    words = stage.client.get(f"/v1/datasets/{stage.iris()}/correlations", params={"target": "species"})
    assert (words.status_code, words.json()["errors"][0]["pointer"]) == (422, "/query/target")


def test_a_wide_table_is_correlated_with_a_target_or_in_part(stage: Stage) -> None:
    rng = np.random.default_rng(0)
    table = pl.DataFrame({f"c{n}": rng.integers(0, 99, 40) for n in range(600)})
    url = f"/v1/datasets/{stage.csv(table.write_csv()).json()['id']}/correlations"
    refused = stage.client.get(url)
    assert refused.status_code == 422
    assert "600 columns of 40 rows are too many" in refused.json()["detail"]
    found = stage.client.get(url, params={"target": "c7"}).json()
    assert found["columns"][0] == "c7"
    assert (len(found["columns"]), found["left_out"]) == (51, 549)
    strength = np.abs(np.corrcoef(table.to_numpy().T)[7])
    assert found["columns"] == [f"c{n}" for n in np.argsort(-strength, kind="stable")[:51]]


def test_a_constant_column_correlates_with_nothing(stage: Stage) -> None:
    dataset_id = stage.csv("a,b,c,d\n1,5,2,x\n2,5,,y\n3,5,6,z\n4,5,8,x\n").json()["id"]
    found = stage.client.get(f"/v1/datasets/{dataset_id}/correlations").json()
    assert found["columns"] == ["a", "b", "c"]
    assert found["matrix"][1] == [None, None, None]
    assert found["matrix"][0][2] == pytest.approx(np.corrcoef([1, 3, 4], [2, 6, 8])[0, 1])
    assert stage.client.get(f"/v1/datasets/{dataset_id}/correlations", params={"columns": "a,d"}).status_code == 422
    assert stage.client.get(f"/v1/datasets/{dataset_id}/correlations", params={"columns": "a,q"}).status_code == 404


def test_the_layers_are_seen_through_the_epochs(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=30)
    url = f"/v1/jobs/{job['id']}/histograms"
    items = stage.client.get(url).json()["items"]
    assert [item["epoch"] for item in items] == [0, 10, 20, 30]
    assert {(entry["layer"], entry["of"]) for entry in items[0]["layers"]} == {
        (layer, of) for layer in ("hidden_1", "output") for of in ("weights", "activations", "gradients")
    }
    weights = stage.client.get(f"/v1/jobs/{job['id']}/weights").json()["layers"][0]["weights"]
    last = stage.client.get(url, params={"epoch": 30, "layer": "hidden_1", "of": "weights"}).json()["items"][0]["layers"]
    assert len(last) == 1
    assert last[0]["std"] == pytest.approx(np.std(weights))
    assert last[0]["counts"] == np.histogram(weights, last[0]["edges"])[0].tolist()
    assert last[0]["norm"] == pytest.approx(np.linalg.norm(weights))
    assert stage.client.get(url, params={"epoch": 7}).status_code == 404


def test_a_histogram_counts_every_present_cell_once(stage: Stage) -> None:
    dataset_id = stage.csv("a,b\n" + "".join(f"{x},1\n" for x in [0, 1, 1, 2, 9, 10]) + ",1\n").json()["id"]
    found = stage.client.get(f"/v1/datasets/{dataset_id}/histogram", params={"column": "a", "bins": 5}).json()
    assert found == {"column": "a", "edges": [0, 2, 4, 6, 8, 10], "counts": [3, 1, 0, 0, 2], "missing": 1}


def test_columns_are_asked_for_by_their_whole_name(stage: Stage) -> None:
    dataset_id = stage.csv('"a,b",c\n1,2\n2,4\n3,5\n').json()["id"]
    found = stage.client.get(f"/v1/datasets/{dataset_id}/histogram", params={"column": "a,b", "bins": 2})
    assert found.json()["counts"] == [1, 2]
    assert stage.client.get(f"/v1/datasets/{dataset_id}/histogram", params={"column": "a"}).status_code == 404
    twice = stage.client.get(f"/v1/datasets/{dataset_id}/correlations", params={"columns": "c,c"}).json()
    assert (twice["columns"], twice["matrix"]) == (["c"], [[1.0]])


def test_the_best_epoch_of_a_run_that_diverged_is_kept(stage: Stage) -> None:
    job = stage.job(
        stage.sample("infant_weight"), "weight", "linear_regression", model={"solver": "gradient_descent"},
        optimizer={"kind": "gradient_descent", "learning_rate": 30.0}, epochs=1000, record={"checkpoint_every": 1000},
    )  # fmt: skip
    assert job["error"]["code"] == "DIVERGED"
    kept = stage.client.get(f"/v1/jobs/{job['id']}/weights", params={"epoch": "best"})
    assert kept.json()["epoch"] == job["best"]["epoch"] == 1


def test_a_regression_names_the_rows_that_are_furthest_off(stage: Stage) -> None:
    """By their numbers in the dataset: of the line y = x, five rows that were moved off it by different amounts."""
    moved = {3: 9.0, 17: -30.0, 28: 20.0, 40: -5.0, 55: 2.0}
    rows = [(x, x + moved.get(x, 0.0)) for x in range(60)]
    dataset_id = stage.csv("x,y\n" + "".join(f"{x},{y}\n" for x, y in rows)).json()["id"]
    job = stage.job(dataset_id, "y", "linear_regression", split={"validation": 0.5})
    url = f"/v1/jobs/{job['id']}/evaluation"
    named: dict[int, dict[str, float]] = {}
    for split in ("train", "validation"):
        found = stage.client.get(url, params={"split": split, "largest": 1000}).json()
        residuals = found["residuals"]["y"]
        assert len(residuals["largest"]) == found["rows"] == 30
        sizes = [abs(each["residual"]) for each in residuals["largest"]]
        assert sizes == sorted(sizes, reverse=True)
        assert max(sizes) == pytest.approx(max(abs(residuals["quantiles"][q]) for q in ("0.0", "1.0")))
        named |= {each["row"]: each for each in residuals["largest"]}
    assert sorted(named) == list(range(60))
    table = stage.client.get(f"/v1/datasets/{dataset_id}/rows", params={"limit": 60}).json()["rows"]
    answer = stage.client.post(f"/v1/models/{job['model_id']}/predict", json={"records": [{"x": x} for x, _ in table]}).json()
    for row, (_, y) in enumerate(table):
        assert named[row]["actual"] == y
        assert named[row]["predicted"] == pytest.approx(answer["predictions"][row])
        assert named[row]["residual"] == pytest.approx(y - answer["predictions"][row])
    assert sorted(named, key=lambda row: -abs(named[row]["residual"]))[:2] == [17, 28]
    default = stage.client.get(url, params={"split": "train"}).json()["residuals"]["y"]["largest"]
    assert len(default) == 10
    assert stage.client.get(url, params={"largest": 0}).json()["residuals"]["y"]["largest"] == []
    assert stage.client.get(url, params={"largest": 1001}).status_code == 422


def test_the_histograms_of_several_columns_come_at_once(stage: Stage) -> None:
    iris = stage.iris()
    url = f"/v1/datasets/{iris}/histograms"
    found = stage.client.get(url, params={"bins": 7}).json()["items"]
    single = [
        stage.client.get(f"/v1/datasets/{iris}/histogram", params={"bins": 7, "column": f["column"]}).json() for f in found
    ]
    assert found == single
    assert [entry["column"] for entry in found] == ["sepal_length", "sepal_width", "petal_length", "petal_width"]
    some = stage.client.get(url, params={"bins": 7, "columns": "petal_width,sepal_width"}).json()["items"]
    assert some == [found[3], found[1]]
    words = stage.client.get(url, params={"columns": "species"})
    assert (words.status_code, words.json()["errors"][0]["pointer"]) == (422, "/query/columns")
    wide = stage.csv(pl.DataFrame({f"c{n}": [1, 2] for n in range(120)}).write_csv()).json()["id"]
    assert len(stage.client.get(f"/v1/datasets/{wide}/histograms").json()["items"]) == 100
    many = stage.client.get(f"/v1/datasets/{wide}/histograms", params={"columns": ",".join(f"c{n}" for n in range(101))})
    assert (many.status_code, "101 columns are named" in many.json()["detail"]) == (422, True)


def test_some_columns_of_every_so_many_rows(stage: Stage) -> None:
    iris = stage.iris()
    url = f"/v1/datasets/{iris}/rows"
    whole = rows_of(stage, iris)
    page = stage.client.get(url, params={"columns": "species,petal_width", "every": 40, "offset": 3, "limit": 3}).json()
    assert page == {
        "columns": ["species", "petal_width"], "rows": [[whole[row][4], whole[row][3]] for row in (3, 43, 83)],
        "offset": 3, "total": 150,
    }  # fmt: skip
    csv = stage.client.get(url, params={"columns": '["petal_width"]', "every": 149}, headers={"Accept": "text/csv"}).text
    assert csv.split() == ["petal_width", "0.2", "1.8"]
    missing = stage.client.get(url, params={"columns": "nope"})
    assert (missing.status_code, missing.json()["errors"][0]["pointer"]) == (404, "/query/columns")
