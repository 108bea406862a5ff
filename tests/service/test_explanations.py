"""What predictions rest on, held against scikit-learn on models that scikit-learn trains alike, and against predictions."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression

from engine.glass import importance
from tests.service.conftest import Stage, stages
from tests.service.test_images import image_dataset
from tests.service.test_predictions import TAGS, TWO

WHOLE: dict[str, Any] = {"split": {"validation": 0.0}}
HOUSES = "price,area,mainroad,stories,gaps\n" + "".join(
    f"{100 + 3 * i + (i * 7) % 5},{50 + i},{('yes', 'no', 'maybe')[i % 3]},{1 + i % 4},{i % 9 if i % 10 else ''}\n"
    for i in range(60)
)


class Here:
    """Models of every kind on one stage."""

    def __init__(self, stage: Stage) -> None:
        iris, houses = stage.iris(), stage.csv(HOUSES).json()["id"]
        clusters: dict[str, Any] = {"model": {"clusters": 3}, "features": ["sepal_length", "petal_length"]}
        brief: dict[str, Any] = {"epochs": 2, "precision": "float64"}
        self.stage, self.houses = stage, houses
        self.jobs = {
            "logistic": stage.job(iris, "species", "logistic_regression", preprocessing={"scaling": "none"}, **WHOLE),
            "linear": stage.job(houses, "price", "linear_regression", preprocessing={"missing": "drop"}),
            "several": stage.job(stage.csv(TWO).json()["id"], ["y", "z"], "linear_regression", **WHOLE),
            "tags": stage.job(stage.csv(TAGS).json()["id"], ["hot", "wet"], "mlp", **brief),
            "perceptron": stage.job(stage.sample("double_moons", distance=1), "moon", "perceptron"),
            "clusters": stage.job(iris, None, "k_means", **clusters),
            "images": stage.job(image_dataset(stage)[0], "bar", "logistic_regression"),
        }

    def get(self, job: str, what: str, **query: Any) -> Any:
        return self.stage.client.get(f"/v1/models/{self.jobs[job]['model_id']}/{what}", params=query)

    def found(self, job: str, what: str, **query: Any) -> dict[str, Any]:
        answer = self.get(job, what, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def what_if(self, job: str, row: int, accept: str = "en", **changes: Any) -> Any:
        url, headers = f"/v1/jobs/{self.jobs[job]['id']}/what_if", {"Accept-Language": accept}
        return self.stage.client.post(url, json={"row": row, "changes": changes}, headers=headers)

    def rows(self, job: str) -> list[dict[str, Any]]:
        """The rows of its dataset by column."""
        url = f"/v1/datasets/{self.jobs[job]['dataset_id']}/rows"
        found = self.stage.client.get(url, params={"limit": 10_000}).json()
        return [dict(zip(found["columns"], row, strict=True)) for row in found["rows"]]

    def predicted(self, job: str, records: list[dict[str, Any]]) -> dict[str, Any]:
        """What the model itself answers."""
        url = f"/v1/models/{self.jobs[job]['model_id']}"
        names = [entry["name"] for entry in self.stage.client.get(url).json()["inputs"]]
        body = {"records": [{name: record[name] for name in names} for record in records]}
        answer = self.stage.client.post(f"{url}/predict", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def matrix(self, job: str, names: list[str]) -> np.ndarray:
        return np.array([[row[name] for name in names] for row in self.rows(job)], float)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Iterator[Here]:
    with stages(tmp_path_factory.mktemp("explanations"), migrated) as make:
        yield Here(make())


IRIS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


@pytest.fixture(scope="module")
def theirs(here: Here) -> dict[str, Any]:
    """Scikit-learn's models of the same rows."""
    species = [row["species"] for row in here.rows("logistic")]
    logistic = LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000).fit(here.matrix("logistic", IRIS), species)
    linear = LinearRegression().fit(here.matrix("several", ["a", "b"]), here.matrix("several", ["y", "z"]))
    return {"logistic": logistic, "several": linear}


@pytest.mark.parametrize("points", [5, 50])
def test_the_dependence_is_scikit_learns(here: Here, theirs: dict[str, Any], points: int) -> None:
    """Over evenly spaced points, and over each value of a column that has fewer."""
    X = here.matrix("logistic", IRIS)
    expected = partial_dependence(
        theirs["logistic"], X, [3], response_method="predict_proba", method="brute", percentiles=(0, 1), grid_resolution=points
    )
    found = here.found("logistic", "dependence", feature="petal_width", points=points)
    assert (found["of"], found["split"], found["rows"], found["of_rows"]) == ("probability", "train", 150, 150)
    assert found["values"] == pytest.approx(expected["grid_values"][0].tolist(), rel=1e-14)
    np.testing.assert_allclose(list(found["averages"].values()), expected["average"], atol=1e-6)
    assert list(found["averages"]) == list(theirs["logistic"].classes_)
    assert "Friedman" in found["source"]


def test_the_dependence_of_several_numbers_is_scikit_learns(here: Here, theirs: dict[str, Any]) -> None:
    found = here.found("several", "dependence", feature="b", points=4)
    X, low, high = here.matrix("several", ["a", "b"]), 0, 10
    for place, name in enumerate(("y", "z")):
        single = LinearRegression().fit(X, here.matrix("several", ["y", "z"])[:, place])
        expected = partial_dependence(single, X, [1], method="brute", percentiles=(0, 1), grid_resolution=4)
        np.testing.assert_allclose(found["averages"][name], expected["average"][0], rtol=1e-9)
    assert (found["of"], found["values"]) == ("prediction", pytest.approx(np.linspace(low, high, 4).tolist()))


@pytest.mark.parametrize(
    ("job", "feature"), [("linear", "mainroad"), ("tags", "a"), ("perceptron", "x"), ("clusters", "petal_length")]
)
def test_the_dependence_is_the_mean_of_predictions(here: Here, job: str, feature: str) -> None:
    found = here.found(job, "dependence", feature=feature, points=3, split="train")
    rows, training = (
        here.rows(job),
        here.stage.client.get(f"/v1/jobs/{here.jobs[job]['id']}/predictions", params={"split": "train", "limit": 1000}).json()[
            "items"
        ],
    )
    chosen = [rows[item["row"]] for item in training]
    assert found["rows"] == len(chosen)
    for place, value in enumerate(found["values"]):
        answer = here.predicted(job, [row | {feature: value} for row in chosen])
        for name, averages in found["averages"].items():
            if job == "linear":
                expected = np.mean(answer["predictions"])
            elif job == "tags":
                held = [row[name] for row in answer["probabilities"]]
                expected = np.mean([each["yes"] if isinstance(each, dict) else each for each in held])
            elif job == "clusters":
                expected = np.mean([each == int(name) for each in answer["predictions"]])
            else:
                coefficients = here.stage.client.get(f"/v1/jobs/{here.jobs[job]['id']}/weights").json()["coefficients"]
                W = np.array(coefficients["weights"])[:, 0]
                expected = np.mean([[(row | {feature: value})[each] for each in ("x", "y")] @ W for row in chosen])
                expected += coefficients["bias"][0]
            assert averages[place] == pytest.approx(expected, rel=1e-9), (name, value)
    kinds = {"linear": "prediction", "tags": "probability", "perceptron": "score", "clusters": "share"}
    assert found["of"] == kinds[job]
    assert job != "linear" or found["values"] == ["maybe", "no", "yes"]


def shuffles(rows: int, repeats: int, seed: int) -> np.ndarray:
    """The orders that scikit-learn puts each column in: it shuffles what it has shuffled before."""
    drawing = np.random.RandomState(np.random.RandomState(seed).randint(np.iinfo(np.int32).max + 1))
    moves, order, found = np.arange(rows), np.arange(rows), []
    for _ in range(repeats):
        drawing.shuffle(moves)
        order = order[moves]
        found.append(order)
    return np.stack(found)


@pytest.mark.parametrize(
    ("job", "metric", "scoring"),
    [
        ("logistic", None, "accuracy"),
        ("logistic", "log_loss", "neg_log_loss"),
        ("several", None, "r2"),
        ("several", "mae", "neg_mean_absolute_error"),
    ],
)
def test_importances_are_scikit_learns(
    here: Here, theirs: dict[str, Any], monkeypatch: pytest.MonkeyPatch, job: str, metric: str | None, scoring: str
) -> None:
    """With its own shuffles, every repeat's number."""
    names, targets = (IRIS, ["species"]) if job == "logistic" else (["a", "b"], ["y", "z"])
    X, y = here.matrix(job, names), np.array([[row[name] for name in targets] for row in here.rows(job)])
    y = y[:, 0] if job == "logistic" else y
    expected = permutation_importance(theirs[job], X, y, scoring=scoring, n_repeats=4, random_state=7)
    monkeypatch.setattr(importance, "permutations", shuffles)
    found = here.found(job, "importance", repeats=4, seed=7, **({} if metric is None else {"metric": metric}))
    columns = {column["column"]: column for column in found["columns"]}
    for place, name in enumerate(names):
        np.testing.assert_allclose(columns[name]["losses"], expected.importances[place], atol=1e-5)
        assert columns[name]["importance"] == pytest.approx(expected.importances_mean[place], abs=1e-5)
        assert columns[name]["std"] == pytest.approx(expected.importances_std[place], abs=1e-5)
    means = [column["importance"] for column in found["columns"]]
    assert (means, found["better"]) == (sorted(means, reverse=True), "lower" if metric else "higher")


def test_importances_are_repeated_by_their_seed_and_of_rows_drawn_by_it(here: Here) -> None:
    first, again, other = (here.found("logistic", "importance", repeats=2, rows=40, seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    assert (first["rows"], first["of_rows"], len(first["columns"])) == (40, 150, 4)
    assert here.found("linear", "importance")["columns"][0]["column"] == "area"
    (image,) = here.found("images", "importance")["columns"]
    assert (image["column"], image["importance"] > 0.2) == ("pixels", True)


@pytest.mark.parametrize("job", ["logistic", "linear", "several", "perceptron", "images"])
def test_contributions_add_up_to_the_prediction(here: Here, job: str) -> None:
    for row in (1, 17):
        found = here.found(job, "contributions", row=row)
        (answer,) = [*here.predicted(job, [here.rows(job)[row]])["predictions"]]
        assert found["prediction"] == (answer if job != "linear" else pytest.approx(answer))
        scores = []
        for name, output in found["outputs"].items():
            parts = np.array([[each["contributions"][name], each["from_mean"][name]] for each in found["features"]])
            assert output["bias"] + parts[:, 0].sum() == pytest.approx(output["output"], rel=1e-9, abs=1e-9)
            assert output["mean_output"] + parts[:, 1].sum() == pytest.approx(output["output"], rel=1e-9, abs=1e-9)
            products = [each["weights"][name] * (each["value"] - each["mean"]) for each in found["features"]]
            assert parts[:, 1] == pytest.approx(products)
            scores.append(output["output"])
        if job == "logistic":
            shares = np.exp(scores) / np.exp(scores).sum()
            assert list(found["probabilities"].values()) == pytest.approx(shares.tolist())
        if job in ("linear", "several"):
            told = found["prediction"] if job == "several" else {"price": found["prediction"]}
            assert {name: output["output"] for name, output in found["outputs"].items()} == pytest.approx(told)


def test_contributions_are_those_of_scikit_learns_coefficients(here: Here, theirs: dict[str, Any]) -> None:
    X, found = here.matrix("several", ["a", "b"]), here.found("several", "contributions", row=3)
    for place, name in enumerate(("y", "z")):
        expected = theirs["several"].coef_[place] * (X[3] - X.mean(axis=0))
        assert [each["from_mean"][name] for each in found["features"]] == pytest.approx(expected.tolist())
        mean = theirs["several"].predict(X.mean(axis=0, keepdims=True))[0, place]
        assert found["outputs"][name]["mean_output"] == pytest.approx(mean)
    assert [each["feature"] for each in here.found("linear", "contributions", row=1)["features"]][1:4] == [
        "mainroad=maybe", "mainroad=no", "mainroad=yes",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("job", "row", "changes"),
    [
        ("logistic", 60, {"petal_width": 2.4, "petal_length": "6.1"}),
        ("linear", 2, {"mainroad": "no", "area": 70}),
        ("several", 5, {"a": 3}),
        ("tags", 7, {"b": 9}),
        ("perceptron", 4, {"y": -3.5}),
        ("clusters", 9, {"petal_length": 5.0}),
        ("images", 3, {"pixels": [[9] * 4] * 5}),
    ],
)
def test_what_if_is_what_the_model_answers_to_such_a_row(here: Here, job: str, row: int, changes: dict[str, Any]) -> None:
    answer = here.what_if(job, row, **changes)
    assert answer.status_code == 200, answer.text
    found, cells = answer.json(), here.rows(job)[row]
    for name, record in (("before", cells), ("after", cells | changes)):
        expected = here.predicted(job, [record])
        assert found[name]["prediction"] == (
            pytest.approx(expected["predictions"][0]) if job == "linear" else expected["predictions"][0]
        )
        assert found[name]["probabilities"] == (expected["probabilities"] and expected["probabilities"][0])
        assert found[name]["distances"] == (expected["distances"] and expected["distances"][0])
    assert found["changes"] == [
        {"column": name, "before": cells[name], "after": float(cell) if cell == "6.1" else cell}
        for name, cell in changes.items()
    ]
    before, after = found["before"], found["after"]
    if job == "linear":
        assert found["difference"] == after["prediction"] - before["prediction"] != 0
    if job == "logistic":
        assert (
            found["difference"]["virginica"] == after["probabilities"]["virginica"] - before["probabilities"]["virginica"] > 0.5
        )
    if job in ("perceptron", "clusters"):
        assert found["difference"] is None
    assert (
        (after["loss"] != before["loss"]) == (job != "perceptron")
        and found["split"] in ("train", "validation")
        and found["warnings"] == []
    )


def test_what_if_fills_a_gap_and_tells_of_a_new_category(here: Here) -> None:
    """Row 10 has a gap, for which it was dropped."""
    refused = here.what_if("linear", 10, area=70).json()
    assert refused["errors"] == [{"pointer": "/row", "detail": refused["detail"]}] and "'gaps'" in refused["detail"]
    found = here.what_if("linear", 10, gaps=4, mainroad="perhaps").json()
    assert (found["split"], found["before"], found["difference"], found["after"]["loss"]) == (None, None, None, None)
    assert found["target"] == here.rows("linear")[10]["price"]
    assert found["after"]["prediction"] == pytest.approx(
        here.predicted("linear", [here.rows("linear")[10] | {"gaps": 4, "mainroad": "perhaps"}])["predictions"][0]
    )
    (told,) = found["warnings"]
    assert (told["code"], "no training row held" in told["detail"]) == ("UNSEEN_CATEGORY", True)
    (dito,) = here.what_if("linear", 10, "pt-BR", gaps=4, mainroad="perhaps").json()["warnings"]
    assert "nenhuma linha de treinamento" in dito["detail"]


@pytest.mark.parametrize(
    ("job", "what", "query", "pointer", "told"),
    [
        ("logistic", "dependence", {}, "/query/feature", "needed"),
        ("logistic", "dependence", {"feature": "colour"}, "/query/feature", "it reads sepal_length"),
        ("images", "dependence", {"feature": "pixels"}, "/query/feature", "/importance"),
        ("logistic", "dependence", {"feature": "petal_width", "points": 10**9}, "/query/points", "1000"),
        ("logistic", "importance", {"metric": "r2"}, "/query/metric", "choose one of accuracy"),
        ("perceptron", "importance", {"metric": "log_loss"}, "/query/metric", "choose one of accuracy"),
        ("clusters", "importance", {}, "/model_id", "no target"),
        ("logistic", "importance", {"split": "test"}, "/query/split", "not asked to set any apart"),
        ("clusters", "contributions", {}, "/model_id", "/dependence"),
        ("tags", "contributions", {}, "/model_id", "mlp is not linear"),
        ("linear", "contributions", {"row": 60}, "/query/row", "60 rows"),
        ("linear", "contributions", {"row": 10}, "/query/row", "'gaps'"),
    ],
)
def test_what_cannot_be_told_says_why(here: Here, job: str, what: str, query: dict[str, Any], pointer: str, told: str) -> None:
    problem = here.get(job, what, **query).json()
    assert told in problem["detail"], problem
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("row", "changes", "pointer", "told"),
    [
        (0, {"colour": 1}, "/changes/colour", "it reads sepal_length"),
        (0, {"petal_width": "wide"}, "/changes/petal_width", "a finite number"),
        (0, {"petal_width": None}, "/changes/petal_width", "give it a value"),
        (150, {"petal_width": 1}, "/row", "150 rows"),
        (0, {}, "/changes", "at least 1"),
    ],
)
def test_changes_that_cannot_be_made_say_why(here: Here, row: int, changes: dict[str, Any], pointer: str, told: str) -> None:
    problem = here.what_if("logistic", row, **changes).json()
    assert (problem["status"], told in problem["detail"]) == (422, True), problem
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_work_is_counted_before_it_is_done(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(here.stage.client.app.state.store.settings, "max_work", 1000)  # type: ignore[attr-defined]
    told = {
        "/query/points": here.get("logistic", "dependence", feature="petal_width"),
        "/query/repeats": here.get("logistic", "importance"),
        "/query/row": here.get("logistic", "contributions"),
        "/row": here.what_if("logistic", 0, petal_width=1.0),
    }
    for pointer, answer in told.items():
        problem = answer.json()
        assert (problem["code"], problem["errors"][0]["pointer"]) == ("TOO_MUCH_WORK", pointer), problem


def test_what_was_deleted_is_told(stage: Stage) -> None:
    dropped = stage.sample("xor")
    without_job, without_data = (stage.job(each, name, "perceptron") for each, name in ((dropped, "y"), (dropped, "y")))
    assert stage.client.delete(f"/v1/jobs/{without_job['id']}").status_code == 204
    answers = {without_job["id"]: stage.client.get(f"/v1/models/{without_job['model_id']}/importance")}
    assert stage.client.delete(f"/v1/datasets/{dropped}").status_code == 204
    of_model = f"/v1/models/{without_data['model_id']}"
    answers |= {f"dataset '{dropped}'": stage.client.get(f"{of_model}/dependence?feature=x")}
    answers |= {f"dataset '{dropped}', which job": stage.client.get(f"{of_model}/contributions")}
    body = {"row": 0, "changes": {"x": 1}}
    answers |= {f"job '{without_data['id']}'": stage.client.post(f"/v1/jobs/{without_data['id']}/what_if", json=body)}
    for told, answer in answers.items():
        assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
        assert told in answer.json()["detail"] and "deleted" in answer.json()["detail"]
