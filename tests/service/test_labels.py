"""Labels come back as the table gave them: in predictions, probabilities, classes, weights, evaluations and boundaries."""

import json
from typing import Any

import pytest

from store.tables import Dataset, Job, Model
from tests.service.conftest import Stage
from worker.training import run

LOGISTIC = "logistic_regression"
ROWS = [(x, (x * 7) % 10) for x in range(60)]


def csv(stage: Stage, *labels: list[Any]) -> str:
    head = ",".join(["x", "z", *(f"y{place}" for place in range(len(labels)))])
    lines = [",".join(map(str, (*row, *rest))) for row, *rest in zip(ROWS, *labels, strict=True)]
    text = head + "\n" + "\n".join(line.replace("(", "").replace(")", "").replace(" ", "") for line in lines)
    return str(stage.csv(text + "\n").json()["id"])


def split_at_half(low: Any, high: Any) -> list[Any]:
    return [low if x < 30 else high for x, _ in ROWS]


def write_words(stage: Stage, dataset_id: str, name: str, words: list[str]) -> None:
    """Have the dataset say how its file wrote no and yes."""
    with stage.place.database.transaction() as session:
        dataset = session.query(Dataset).filter_by(id=dataset_id).one()
        dataset.columns = [
            {**column, "words": words, "kind": "boolean"} if column["name"] == name else column for column in dataset.columns
        ]


def predicted(stage: Stage, job: Any, record: Any) -> Any:
    response = stage.client.post(f"/v1/models/{job['model_id']}/predict", json={"records": [record]})
    assert response.status_code == 200, response.text
    return response.json()


def got(stage: Stage, job: Any, part: str, **query: Any) -> Any:
    response = stage.client.get(f"/v1/jobs/{job['id']}/{part}", params=query)
    assert response.status_code == 200, response.text
    return response.json()


KINDS: Any = {
    "booleans": (["false", "true"], None, [False, True], ["false", "true"]),
    "words of booleans": (["false", "true"], ["no", "yes"], ["no", "yes"], ["no", "yes"]),
    "words": (["active", "inactive"], None, ["active", "inactive"], ["active", "inactive"]),
    "whole numbers": ([3, 7], None, [3, 7], ["3", "7"]),
    "whole numbers with a point": (["0.0", "1.0"], None, [0, 1], ["0", "1"]),
}


@pytest.mark.parametrize(("cells", "words", "labels", "keys"), KINDS.values(), ids=KINDS.keys())
def test_one_spelling_everywhere(stage: Stage, cells: list[Any], words: Any, labels: list[Any], keys: list[str]) -> None:
    dataset_id = csv(stage, split_at_half(*cells))
    if words:
        write_words(stage, dataset_id, "y0", words)
    weights = {keys[0]: 1.0, keys[1]: 2.0}
    job = stage.job(dataset_id, "y0", LOGISTIC, class_weight=weights, features=["x", "z"])
    assert job["state"] == "succeeded", job["error"]
    model = stage.client.get(f"/v1/models/{job['model_id']}").json()
    assert model["classes"] == labels
    assert [type(label) for label in model["classes"]] == [type(label) for label in labels]
    for x, label in ((0, labels[0]), (59, labels[1])):
        answer = predicted(stage, job, {"x": x, "z": 1})
        assert answer["predictions"] == [label]
        assert list(answer["probabilities"][0]) == keys
        spelt = label if isinstance(label, str) else json.dumps(label)
        assert answer["probabilities"][0][spelt] > 0.5
    assert got(stage, job, "weights")["coefficients"]["outputs"] == keys[1:]
    evaluation = got(stage, job, "evaluation")
    assert evaluation["classes"] == labels
    assert [entry["class"] for entry in evaluation["by_class"]] == labels
    assert [entry["class"] for entry in evaluation["roc"]] == labels
    boundary = got(stage, job, "boundary", resolution=5)
    assert boundary["classes"] == labels
    assert list(boundary["probabilities"]) == keys
    assert {label for line in boundary["predictions"] for label in line} == set(labels)
    wrong = stage.client.post("/v1/jobs", json={
        "dataset_id": dataset_id, "target": "y0", "model": {"kind": LOGISTIC}, "class_weight": {"zz": 1}, "features": ["x"],
    })  # fmt: skip
    assert f"there are {', '.join(keys)}" in wrong.json()["errors"][0]["detail"]


def test_pythons_spelling_is_still_read(stage: Stage) -> None:
    dataset_id = csv(stage, split_at_half("false", "true"), split_at_half("1.0", "2.0"))
    assert stage.job(dataset_id, "y0", LOGISTIC, class_weight={"True": 2.0})["state"] == "succeeded"
    assert stage.job(dataset_id, "y1", LOGISTIC, class_weight={"1.0": 2.0})["state"] == "succeeded"


def test_tags_of_words_are_given_back(stage: Stage) -> None:
    dataset_id = csv(stage, split_at_half("active", "inactive"), split_at_half("no", "maybe"), split_at_half("false", "true"))
    job = stage.job(dataset_id, ["y0", "y1", "y2"], "mlp", epochs=60, features=["x", "z"], batch_size=8)
    assert job["request"]["task"] == "tagging"
    model = stage.client.get(f"/v1/models/{job['model_id']}").json()
    assert model["classes"] == {"y0": ["active", "inactive"], "y1": ["maybe", "no"], "y2": [False, True]}
    first, last = (predicted(stage, job, {"x": x, "z": 1}) for x in (0, 59))
    assert first["predictions"] == [{"y0": "active", "y1": "no", "y2": False}]
    assert last["predictions"] == [{"y0": "inactive", "y1": "maybe", "y2": True}]
    shares = last["probabilities"][0]
    assert list(shares) == ["y0", "y1", "y2"]
    assert shares["y0"]["inactive"] > 0.5 > shares["y0"]["active"]
    assert shares["y0"]["inactive"] + shares["y0"]["active"] == pytest.approx(1)
    assert shares["y1"]["maybe"] > 0.5
    assert shares["y2"] > 0.5
    named = ["y0=inactive", "y1=no", "y2"]
    evaluation = got(stage, job, "evaluation")
    assert evaluation["classes"] == named == [entry["class"] for entry in evaluation["by_class"]]
    boundary = got(stage, job, "boundary", resolution=4)
    assert boundary["classes"] == model["classes"]
    assert len(boundary["probabilities"]["y0"]["active"]) == 4
    assert boundary["predictions"][0][0] == {"y0": "active", "y1": "no", "y2": False}


def test_tags_that_were_stored_as_true_and_false_stay_so(stage: Stage) -> None:
    job = stage.job(
        csv(stage, split_at_half("active", "inactive"), split_at_half("no", "maybe")), ["y0", "y1"], "mlp", epochs=60
    )

    with stage.place.database.transaction() as session:
        model = session.query(Model).one()
        target = {name: value for name, value in model.fitted["target"].items() if name != "words"}
        model.fitted = {**model.fitted, "target": target}
    assert predicted(stage, job, {"x": 0, "z": 1})["predictions"] == [{"y0": False, "y1": True}]


def test_a_record_may_say_the_words_of_the_file(stage: Stage) -> None:
    dataset_id = csv(stage, split_at_half("no", "yes"), [x * 1.5 + (10 if x >= 30 else 0) for x, _ in ROWS])
    job = stage.job(dataset_id, "y1", "linear_regression")
    entry = {each["name"]: each for each in stage.client.get(f"/v1/models/{job['model_id']}").json()["inputs"]}["y0"]
    assert (entry["kind"], entry["words"]) == ("boolean", ["no", "yes"])
    yes, no = ([predicted(stage, job, {"x": 1, "z": 1, "y0": cell})["predictions"][0] for cell in cells]
               for cells in (["yes", " yes ", True], ["no", " no", False]))  # fmt: skip
    assert len(set(yes)) == len(set(no)) == 1 and yes[0] - no[0] == pytest.approx(10)
    refused = stage.client.post(f"/v1/models/{job['model_id']}/predict", json={"records": [{"x": 1, "z": 1, "y0": "oui"}]})
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/records/0/y0")
    boundary = got(stage, job, "boundary", x="y0", y="x", resolution=3)
    assert boundary["x"]["values"] == ["no", "yes"]


def test_a_fork_keeps_the_words_that_its_parent_began_with(stage: Stage) -> None:
    dataset_id = csv(stage, split_at_half("false", "true"))
    write_words(stage, dataset_id, "y0", ["no", "yes"])
    job = stage.job(dataset_id, "y0", "mlp", epochs=20)
    write_words(stage, dataset_id, "y0", ["non", "oui"])
    fork = stage.client.post(f"/v1/jobs/{job['id']}/fork", json={"overrides": {"epochs": 25}}).json()
    run(stage.place, fork["id"])
    forked = stage.client.get(f"/v1/jobs/{fork['id']}").json()
    assert stage.client.get(f"/v1/models/{forked['model_id']}").json()["classes"] == ["no", "yes"]
    with stage.place.database.reading() as session:
        kept = session.query(Job).filter_by(id=forked["id"]).one()
        assert kept.fitted["words"] == {"y0": ["no", "yes"]}


# --- what numbers are taken for ---


def warned(job: Any) -> list[str]:
    return [entry["detail"] for entry in job["warnings"] if entry["code"] == "TASK_GUESSED"]


def test_whole_numbers_with_a_point_are_told(stage: Stage) -> None:
    cells = split_at_half("0.0", "1.0")
    cells[5] = ""  # a gap, by which pandas writes whole numbers with a point
    dataset_id = csv(stage, cells)
    drop = {"missing": "drop"}
    for kind in (LOGISTIC, "perceptron"):
        job = stage.job(dataset_id, "y0", kind, preprocessing=drop)
        assert job["state"] == "succeeded", job["error"]
        (detail,) = warned(job)
        assert "column 'y0' holds 2 different whole numbers, written with a point; they are taken for classes" in detail
        assert not warned(stage.job(dataset_id, "y0", kind, preprocessing=drop, task="classification"))
    job = stage.job(dataset_id, "y0", "mlp", preprocessing=drop, epochs=2)
    assert job["request"]["task"] == "regression"
    assert ["set task to classification" in detail for detail in warned(job)] == [True]
    for task in ("classification", "regression"):
        job = stage.job(dataset_id, "y0", "mlp", preprocessing=drop, epochs=2, task=task)
        assert (job["state"], warned(job)) == ("succeeded", [])
    grouped = stage.job(dataset_id, "x", "linear_regression", preprocessing=drop, features=["z"], split={"group": "y0"})
    assert grouped["state"] == "succeeded", grouped["error"]


@pytest.mark.parametrize(("kind", "remedy"), [
    (LOGISTIC, "choose linear_regression or mlp to predict numbers"),
    ("perceptron", "choose linear_regression or mlp to predict numbers"),
    ("mlp", "set task to regression to predict numbers"),
])  # fmt: skip
def test_fractions_are_no_classes_and_the_remedy_works(stage: Stage, kind: str, remedy: str) -> None:
    body = {
        "dataset_id": csv(stage, split_at_half(0.5, 1.5)),
        "target": "y0",
        "model": {"kind": kind},
        "task": "classification",
    }
    problem = stage.client.post("/v1/jobs", json=body).json()
    assert f"column 'y0' holds fractions, which are no classes; {remedy}" in problem["errors"][0]["detail"]


def test_quantities_are_not_asked_about(stage: Stage) -> None:
    dataset_id = csv(stage, [f"{x}.25" for x, _ in ROWS], [x * 1.0 for x, _ in ROWS], [x // 2 for x, _ in ROWS])
    for name in ("y0", "y1", "y2"):
        assert warned(stage.job(dataset_id, name, "mlp", epochs=2)) == []


def test_a_class_without_a_row_has_no_curve(stage: Stage) -> None:
    dataset_id = csv(stage, ["rare" if x == 7 else "ab"[x % 2] for x, _ in ROWS])
    job = stage.job(dataset_id, "y0", LOGISTIC, split={"validation": 0.3})
    found = got(stage, job, "evaluation", split="validation")
    by_label = {entry["class"]: entry for entry in found["roc"]}
    assert by_label["rare"] == {"class": "rare", "false_positive_rate": None, "true_positive_rate": None, "threshold": None}
    assert by_label["a"]["true_positive_rate"][-1] == 1.0
    assert {entry["class"]: entry["precision"] for entry in found["precision_recall"]}["rare"] is None
